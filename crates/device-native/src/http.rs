//! HTTP to a hub, over TLS verified by [`crate::HubVerifier`] on every connection.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use satchel_device::ports::{
    HubPort, HubRequest, HubResponse, MAX_ANSWER_BYTES, Method, Sink, unreachable,
};
use satchel_device::{HubEntry, HubFailure};
use ureq::http;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, TcpConnector, Transport,
    TransportAdapter,
};

use crate::{HubVerifier, Roots, TlsFailure};

/// A hub that does not answer the TCP handshake within this time is not there.
const CONNECT: Duration = Duration::from_secs(10);
/// A hub may think this long before it answers.
const ANSWER: Duration = Duration::from_secs(60);

/// Sends requests to hubs. Redirects are not followed, proxies are not used: the hub whose
/// certificate was checked is the one that answers.
pub struct HubConnection {
    /// CAs added by hand, by the name the hub list has for them, in DER.
    extra: HashMap<String, Vec<Vec<u8>>>,
    trust: Trust,
}

/// What managed configuration says about the connection to every hub.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// CAs beside those of the system, in DER.
    pub authorities: Vec<Vec<u8>>,
    /// SHA-256 of public keys, one of which a hub's chain must go through; none asked if `None`.
    pub pins: Option<Vec<[u8; 32]>>,
    /// A certificate of the device is demanded, which this client does not have.
    pub needs_client_certificate: bool,
}

impl HubConnection {
    /// `extra` are the CAs added by hand, by the name [`HubEntry::ca`] has for them.
    pub fn new(extra: HashMap<String, Vec<Vec<u8>>>) -> Self {
        Self {
            extra,
            trust: Trust::default(),
        }
    }

    /// With what managed configuration says.
    #[must_use]
    pub fn with_trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    fn run(
        &self,
        hub: &HubEntry,
        request: &HubRequest,
    ) -> Result<http::Response<ureq::Body>, HubFailure> {
        if self.trust.needs_client_certificate {
            return Err(unreachable(
                "policy.client_certificate",
                format!(
                    "policy demands that this device shows a certificate of its own to {}, and this client cannot",
                    hub.url
                ),
                "Ask whoever manages this device.",
            ));
        }
        let extra = hub.ca.as_ref().and_then(|name| self.extra.get(name));
        let mut extra = extra.cloned().unwrap_or_default();
        extra.extend(self.trust.authorities.iter().cloned());
        let roots = Roots::system_and(extra);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let (config, failure) = HubVerifier::new(roots, provider)
            .with_pins(self.trust.pins.clone())
            .into_config()
            .map_err(|error| from_tls(TlsFailure::of_handshake(&error, &hub.url)))?;
        let handshake = Arc::new(Mutex::new(None));
        let connector = TcpConnector::default().chain(TlsConnector {
            config: Arc::new(config),
            handshake: handshake.clone(),
        });
        let settings = ureq::Agent::config_builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(ANSWER))
            .build();
        let agent = ureq::Agent::with_parts(settings, connector, DefaultResolver::default());
        let unsent = |error: &dyn std::fmt::Display| {
            unreachable(
                "hub.unreachable",
                format!("{} does not answer: {error}", hub.url),
                "Check the connection and the address, and whether the hub runs.",
            )
        };
        let sent = build(hub, request)
            .map_err(ureq::Error::from)
            .and_then(|request| agent.run(request));
        sent.map_err(|error| {
            let refused = failure.lock().ok().and_then(|mut cell| cell.take());
            let broken = handshake.lock().ok().and_then(|mut cell| cell.take());
            match (refused, broken) {
                (Some(refused), _) => from_tls(refused),
                (None, Some(error)) => from_tls(TlsFailure::of_handshake(&error, &hub.url)),
                (None, None) => unsent(&error),
            }
        })
    }
}

fn build(hub: &HubEntry, request: &HubRequest) -> Result<http::Request<Vec<u8>>, http::Error> {
    let method = match request.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
        Method::Delete => http::Method::DELETE,
    };
    let mut builder = http::Request::builder()
        .method(method)
        .uri(format!("{}{}", hub.url, request.path))
        .header("accept", "application/json, application/octet-stream")
        // How the hub tells a device from a page in a browser, which cannot send this header.
        .header(
            "x-satchel-client",
            concat!("satchel/", env!("CARGO_PKG_VERSION")),
        );
    if request.body.is_some() {
        builder = builder.header("content-type", "application/json");
    }
    if let Some(cookie) = &request.cookie {
        builder = builder.header("cookie", cookie);
    }
    if let Some(from) = request.range_from {
        builder = builder.header("range", format!("bytes={from}-"));
    }
    builder.body(request.body.clone().unwrap_or_default())
}

fn from_tls(failure: TlsFailure) -> HubFailure {
    unreachable(failure.code, failure.message, failure.next)
}

fn interrupted(hub: &HubEntry, error: &dyn std::fmt::Display) -> HubFailure {
    unreachable(
        "hub.interrupted",
        format!("the connection to {} broke: {error}", hub.url),
        "Try again.",
    )
}

/// `name=value` of the session cookie, if one is set.
fn session_cookie(response: &http::Response<ureq::Body>) -> Option<String> {
    response
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter_map(|text| text.split(';').next())
        .find(|pair| is_session(pair))
        .map(str::to_owned)
}

/// Whether a cookie is a session's and has a value; values are base64 and may end with `=`.
fn is_session(pair: &str) -> bool {
    pair.starts_with("__Host-")
        && pair
            .split_once('=')
            .is_some_and(|(_, value)| !value.is_empty())
}

impl HubPort for HubConnection {
    fn send(&mut self, hub: &HubEntry, request: &HubRequest) -> Result<HubResponse, HubFailure> {
        let mut response = self.run(hub, request)?;
        let cookie = session_cookie(&response);
        let body = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec()
            .map_err(|error| interrupted(hub, &error))?;
        Ok(HubResponse {
            status: response.status().as_u16(),
            cookie,
            body,
        })
    }

    fn fetch(
        &mut self,
        hub: &HubEntry,
        request: &HubRequest,
        sink: &mut Sink<'_>,
    ) -> Result<HubResponse, HubFailure> {
        let mut response = self.run(hub, request)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        if status >= 300 {
            body = response
                .body_mut()
                .with_config()
                .limit(MAX_ANSWER_BYTES)
                .read_to_vec()
                .map_err(|error| interrupted(hub, &error))?;
        } else {
            let mut reader = response.body_mut().as_reader();
            let mut piece = vec![0; 64 * 1024];
            loop {
                match reader.read(&mut piece) {
                    Ok(0) => break,
                    Ok(n) => sink(status, &piece[..n]).map_err(HubFailure::Sink)?,
                    Err(error) => return Err(interrupted(hub, &error)),
                }
            }
        }
        Ok(HubResponse {
            status,
            cookie: None,
            body,
        })
    }

    fn pause_ms(&mut self, millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }
}

/// Puts TLS on a TCP connection.
#[derive(Debug)]
struct TlsConnector {
    config: Arc<ClientConfig>,
    /// Why the handshake failed, if the certificate was not the reason.
    handshake: Arc<Mutex<Option<rustls::Error>>>,
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = TlsTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ureq::Error::Tls("the host is not a name a certificate can have"))?;
        let mut connection = ClientConnection::new(self.config.clone(), name)
            .map_err(|_| ureq::Error::Tls("TLS cannot be set up"))?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(details.timeout);
        if let Err(error) = connection.complete_io(&mut socket) {
            if let Some(tls) = error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                && let Ok(mut cell) = self.handshake.lock()
            {
                *cell = Some(tls.clone());
            }
            return Err(error.into());
        }
        let config = details.config;
        Ok(Some(TlsTransport {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned::new(connection, socket),
        }))
    }
}

/// A verified connection.
struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output)?;
        self.stream.flush()?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let input = self.buffers.input_append_buf();
        let n = self.stream.read(input)?;
        self.buffers.input_appended(n);
        Ok(n > 0)
    }

    fn is_open(&mut self) -> bool {
        // Connections are never used twice: the verifier belongs to one connection.
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::is_session;

    #[test]
    fn a_session_has_a_value() {
        assert!(is_session("__Host-satchel-session=abc"));
        assert!(is_session("__Host-satchel-session=YWI="));
        assert!(!is_session("__Host-satchel-session="));
        assert!(!is_session("__Host-satchel-session"));
        assert!(!is_session("theme=dark"));
    }
}
