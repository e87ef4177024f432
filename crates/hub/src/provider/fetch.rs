//! Asking a provider: TLS as everywhere, one answer of JSON, bounded in size and time.
//!
//! Redirects are not followed: what a provider is was said by an administrator, and a secret
//! goes nowhere else.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, Uri, header};
use futures_util::StreamExt as _;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use satchel_trust::{HubVerifier, Roots};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::address::is_https;

/// 512 KiB: a key set of a large provider has some 20 KiB.
const MAX_ANSWER_BYTES: usize = 512 * 1024;

/// Sign-ins that may wait for a provider at the same time, each with an answer in memory.
const MAX_WAITING: usize = 32;

/// How to ask.
pub(crate) struct Fetch {
    extra: Vec<CertificateDer<'static>>,
    patience: Duration,
    waiting: tokio::sync::Semaphore,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchProblem {
    #[error("the address is not https")]
    NotHttps,
    #[error("the provider cannot be reached")]
    Unreachable,
    #[error("the provider's certificate is not good: {0}")]
    Certificate(String),
    #[error("the provider does not answer in time")]
    Slow,
    #[error("the provider's answer is too long")]
    TooLong,
    #[error("the provider sends elsewhere")]
    Redirect,
    #[error("the provider answers with status {0} {1}")]
    Status(u16, String),
    #[error("the provider's answer is no JSON")]
    NotJson,
    #[error("too many sign-ins wait for the provider")]
    Busy,
}

impl FetchProblem {
    /// Stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotHttps => "provider.not_https",
            Self::Unreachable => "provider.unreachable",
            Self::Certificate(_) => "provider.bad_certificate",
            Self::Slow => "provider.slow",
            Self::TooLong => "provider.answer_too_long",
            Self::Redirect => "provider.redirect",
            Self::Status(..) => "provider.bad_status",
            Self::NotJson => "provider.not_json",
            Self::Busy => "provider.busy",
        }
    }
}

impl Fetch {
    /// Trusts the system's CAs and these.
    pub fn new(extra: Vec<CertificateDer<'static>>, patience: Duration) -> Self {
        Self {
            extra,
            patience,
            waiting: tokio::sync::Semaphore::new(MAX_WAITING),
        }
    }

    /// The document at an address.
    pub async fn json(
        &self,
        address: &str,
        authorization: Option<&str>,
    ) -> Result<Value, FetchProblem> {
        self.ask(Method::GET, address, String::new(), authorization)
            .await
    }

    /// The answer to a form.
    pub async fn post(
        &self,
        address: &str,
        form: String,
        authorization: Option<&str>,
    ) -> Result<Value, FetchProblem> {
        self.ask(Method::POST, address, form, authorization).await
    }

    async fn ask(
        &self,
        method: Method,
        address: &str,
        form: String,
        authorization: Option<&str>,
    ) -> Result<Value, FetchProblem> {
        let _permit = self.waiting.try_acquire().map_err(|_| FetchProblem::Busy)?;
        let asking = self.ask_patiently(method, address, form, authorization);
        tokio::time::timeout(self.patience, asking)
            .await
            .unwrap_or(Err(FetchProblem::Slow))
    }

    async fn ask_patiently(
        &self,
        method: Method,
        address: &str,
        form: String,
        authorization: Option<&str>,
    ) -> Result<Value, FetchProblem> {
        if !is_https(address) {
            return Err(FetchProblem::NotHttps);
        }
        let uri: Uri = address.parse().map_err(|_| FetchProblem::NotHttps)?;
        let (host, authority) = (uri.host(), uri.authority());
        let (Some(host), Some(authority)) = (host, authority) else {
            return Err(FetchProblem::NotHttps);
        };
        let stream = self.connect(host, uri.port_u16().unwrap_or(443)).await?;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(64 * 1024)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| FetchProblem::Unreachable)?;
        let target = uri.path_and_query().map_or("/", |p| p.as_str());
        let mut request = Request::builder()
            .method(&method)
            .uri(target)
            .header(header::HOST, authority.as_str())
            .header(header::ACCEPT, "application/json")
            .header(
                header::USER_AGENT,
                concat!("satchel-hub/", env!("CARGO_PKG_VERSION")),
            );
        if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(value) = authorization {
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request
            .body(Body::from(form))
            .map_err(|_| FetchProblem::NotHttps)?;
        let talk = async {
            let answer = sender
                .send_request(request)
                .await
                .map_err(|_| FetchProblem::Unreachable)?;
            let status = answer.status();
            if status.is_redirection() {
                return Err(FetchProblem::Redirect);
            }
            let bytes = read(Body::new(answer.into_body())).await?;
            if !status.is_success() {
                return Err(FetchProblem::Status(status.as_u16(), oauth_error(&bytes)));
            }
            serde_json::from_slice(&bytes).map_err(|_| FetchProblem::NotJson)
        };
        // The connection is driven here and ends with the answer.
        tokio::pin!(talk, connection);
        tokio::select! {
            answer = &mut talk => answer,
            _ = &mut connection => talk.await,
        }
    }

    async fn connect(
        &self,
        host: &str,
        port: u16,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, FetchProblem> {
        let bare = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(bare.clone()).map_err(|_| FetchProblem::NotHttps)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        // The system's store is read anew each time, as devices do: a CA that was taken out
        // counts no longer.
        let extra: Vec<Vec<u8>> = self.extra.iter().map(|c| c.as_ref().to_vec()).collect();
        let (mut config, failure) = tokio::task::spawn_blocking(move || {
            HubVerifier::new(Roots::system_and(extra), provider).into_config()
        })
        .await
        .map_err(|_| FetchProblem::Unreachable)?
        .map_err(|_| FetchProblem::Unreachable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tcp = TcpStream::connect((bare.as_str(), port))
            .await
            .map_err(|_| FetchProblem::Unreachable)?;
        let shaking = TlsConnector::from(Arc::new(config))
            .connect(name, tcp)
            .await;
        shaking.map_err(|_| {
            let failure = failure.lock().ok().and_then(|f| f.clone());
            match failure {
                Some(why) => FetchProblem::Certificate(why.message),
                None => FetchProblem::Unreachable,
            }
        })
    }
}

async fn read(body: Body) -> Result<Vec<u8>, FetchProblem> {
    let mut bytes = Vec::new();
    let mut stream = body.into_data_stream();
    while let Some(part) = stream.next().await {
        let part = part.map_err(|_| FetchProblem::Unreachable)?;
        if bytes.len() + part.len() > MAX_ANSWER_BYTES {
            return Err(FetchProblem::TooLong);
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// The `error` of an OAuth refusal, for the log.
fn oauth_error(bytes: &[u8]) -> String {
    serde_json::from_slice::<Value>(bytes)
        .ok()
        .and_then(|v| v.get("error").and_then(Value::as_str).map(str::to_owned))
        .map(|e| super::shown(&e))
        .unwrap_or_default()
}
