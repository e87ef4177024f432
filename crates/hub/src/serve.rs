//! Listening: TLS 1.2 and 1.3, a redirect for plain HTTP, and an orderly end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::connect_info::MockConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use satchel_base::Clock;
use satchel_contract::ApiError;
use satchel_store::{Store, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::direct::PeerCertificate;
use crate::embedding::{Issuer, Proxy};
use crate::limits::{ConnectionLimits, ReloadLimits};
use crate::peers::{Addresses, Watched};
use crate::provider::Provider;
use crate::state::HubState;
use crate::{direct, housekeeping, router};

/// How long open requests may take to end when the hub stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How to serve.
pub struct Serve {
    /// The repository.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Certificate chain, PEM, the hub's own first.
    pub certificate: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Further origins browsers may come from.
    pub origins: Vec<String>,
    /// Prefixes under which everything is served as well: `portal` for `/portal/app/…`.
    pub prefixes: Vec<String>,
    /// The port for API clients that come with a client certificate, if there is one.
    pub direct: Option<Direct>,
    /// What connections may use.
    pub connections: ConnectionLimits,
    /// What a reload may use.
    pub reloads: ReloadLimits,
}

/// A port for API clients: whoever has a certificate of its CA may act as any person.
pub struct Direct {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// The CA that signs client certificates, PEM. It should sign nothing else.
    pub client_ca: PathBuf,
}

/// Why the hub does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or key cannot be read.
    #[error("cannot use {path}: {reason}")]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A way to sign in cannot be used as it is set.
    #[error("cannot offer a way to sign in: {0}")]
    SignIn(String),
    /// The repository failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A hub that listens. Dropping it does not stop it; [`Served::stop`] does.
pub struct Served {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens for API clients with a certificate.
    pub direct: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Served {
    /// Stops accepting, closes sockets, lets requests end, closes the repository.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// Starts to listen.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(serve: Serve) -> Result<Served, ServeError> {
    let (certificate, key) = (&serve.certificate, &serve.key);
    let acceptor = TlsAcceptor::from(Arc::new(tls(certificate, key, None)?));
    let (listener, address) = listen_on(serve.listen).await?;
    let direct = match &serve.direct {
        Some(direct) => {
            let config = tls(certificate, key, Some(&direct.client_ca))?;
            let (listener, address) = listen_on(direct.listen).await?;
            Some((TlsAcceptor::from(Arc::new(config)), listener, address))
        }
        None => None,
    };
    let settings = serve.store.settings().await?;
    serve
        .store
        .fail_abandoned_downloads(&ApiError {
            code: "download.interrupted".into(),
            message: "the hub was stopped while it prepared this download".into(),
            next: "Download the app again.".into(),
        })
        .await?;
    serve
        .store
        .remove_expired_downloads(serve.clock.now())
        .await?;
    let sign_in = serve.store.sign_in_settings().await?;
    let providers = sign_in
        .providers
        .iter()
        .map(|config| Provider::new(config.clone()).map(Arc::new))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|problem| ServeError::SignIn(problem.to_string()))?;
    let issuers = sign_in
        .issuers
        .iter()
        .map(|config| Issuer::new(config.clone()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|problem| ServeError::SignIn(problem.to_string()))?;
    let proxy = sign_in.proxy.clone().map(Proxy::new).transpose();
    let proxy = proxy.map_err(|problem| ServeError::SignIn(problem.to_string()))?;
    let mut origins = settings.public_origins.clone();
    origins.extend(serve.origins);
    origins.push(format!("https://localhost:{}", address.port()));
    origins.push(format!("https://127.0.0.1:{}", address.port()));
    if address.port() == 443 {
        origins.push("https://localhost".into());
    }
    let (stop, stopping) = watch::channel(false);
    let state = Arc::new(HubState::new(
        serve.store,
        serve.clock,
        (settings, sign_in),
        (providers, issuers, proxy),
        origins,
        (serve.reloads, serve.connections.silence),
        stopping.clone(),
    ));
    let limits = serve.connections;
    let web = router::build(state.clone(), &serve.prefixes, &limits);
    let direct_address = direct.as_ref().map(|(_, _, address)| *address);
    let direct = direct.map(|(acceptor, listener, _)| {
        let router = direct::router(state.clone());
        tokio::spawn(accept(listener, acceptor, router, limits, stopping.clone()))
    });
    let task = tokio::spawn(async move {
        let housekeeping = tokio::spawn(housekeeping::run(state.clone(), stopping.clone()));
        accept(listener, acceptor, web, limits, stopping).await;
        if let Some(direct) = direct {
            let _ = direct.await;
        }
        let _ = housekeeping.await;
        state.store.close().await;
    });
    Ok(Served {
        address,
        direct: direct_address,
        stop,
        task,
    })
}

async fn listen_on(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let cannot = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let bound = listener.local_addr().map_err(cannot)?;
    Ok((listener, bound))
}

/// Clients must come with a certificate of `client_ca`, if there is one.
fn tls(
    certificate: &std::path::Path,
    key: &std::path::Path,
    client_ca: Option<&std::path::Path>,
) -> Result<rustls::ServerConfig, ServeError> {
    let bad = |path: &std::path::Path, reason: String| ServeError::Tls {
        path: path.into(),
        reason,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|e| bad(certificate, e.to_string()))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| bad(key, e.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| bad(certificate, e.to_string()))?;
    let builder = match client_ca {
        Some(ca) => builder.with_client_cert_verifier(direct::verifier(ca, &provider)?),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder
        .with_single_cert(chain, secret)
        .map_err(|e| bad(certificate, e.to_string()))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    router: axum::Router,
    limits: ConnectionLimits,
    mut stopping: watch::Receiver<bool>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(tokio::sync::Semaphore::new(limits.connections));
    let addresses = Addresses::default();
    loop {
        let permit = tokio::select! {
            permit = room.clone().acquire_owned() => permit,
            () = told(&mut stopping) => break,
        };
        let Ok(permit) = permit else { break };
        let (tcp, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Out of file descriptors, mostly: wait for some to close.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = told(&mut stopping) => break,
        };
        let Some(counted) = addresses.enter(peer.ip(), limits.per_address) else {
            tracing::debug!(address = %peer.ip(), "too many connections from one address");
            continue;
        };
        let (acceptor, watcher) = (acceptor.clone(), graceful.watcher());
        let router = router.clone().layer(MockConnectInfo(peer));
        tokio::spawn(async move {
            let _counted = (permit, counted);
            let shaking = tokio::time::timeout(limits.handshake, encrypted(tcp, &acceptor));
            let Ok(Some(stream)) = shaking.await else {
                return;
            };
            let certificate = stream.get_ref().1.peer_certificates();
            let service = match certificate.and_then(<[_]>::first) {
                Some(first) => router.layer(Extension(PeerCertificate::of(first))),
                None => router,
            };
            let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            let stream = Watched::new(stream, limits.head, limits.stall, limits.silence);
            let service = TowerToHyperService::new(service);
            let connection = http(is_h2, &limits)
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some connections did not end in time");
    }
}

/// The version of HTTP agreed in the handshake, and no other.
fn http(is_h2: bool, limits: &ConnectionLimits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(64 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits.head)
        .keep_alive_timeout(limits.head)
        .max_concurrent_streams(100)
        .max_header_list_size(64 * 1024);
    if is_h2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    }
}

/// Waits until the hub is to stop.
pub(crate) async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The connection over TLS; none if the peer spoke plain HTTP, which gets a redirect and
/// nothing else, or failed the handshake.
async fn encrypted(
    mut tcp: TcpStream,
    acceptor: &TlsAcceptor,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    /// First byte of a TLS handshake record.
    const HANDSHAKE_RECORD: u8 = 22;
    let mut first = [0];
    if tcp.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    if first[0] == HANDSHAKE_RECORD {
        let _ = tcp.set_nodelay(true);
        return acceptor.accept(tcp).await.ok();
    }
    redirect(&mut tcp).await;
    None
}

/// Sends the peer to the same address over TLS. Reads at most the head of one request.
async fn redirect(tcp: &mut TcpStream) {
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while head.len() < 8 * 1024 && !head.windows(4).any(|w| w == b"\r\n\r\n") {
        match tcp.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(n) => head.extend_from_slice(&part[..n]),
        }
    }
    let text = String::from_utf8_lossy(&head);
    let mut lines = text.lines();
    let path = lines.next().and_then(|l| l.split(' ').nth(1));
    let path = path.filter(|p| p.starts_with('/') && p.bytes().all(|b| b.is_ascii_graphic()));
    let host = lines
        .filter_map(|l| l.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim())
        .filter(|h| {
            h.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
        });
    let answer = match (path, host) {
        (Some(path), Some(host)) if !host.is_empty() => format!(
            "HTTP/1.1 308 Permanent Redirect\r\nlocation: https://{host}{path}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
        _ => {
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
        }
    };
    let _ = tcp.write_all(answer.as_bytes()).await;
    let _ = tcp.shutdown().await;
}
