//! Listening on loopback, and an orderly end.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::door::Door;
use super::keeper::Desk;
use super::launcher::Redirect;
use super::routes;
use crate::output::Failure;

/// How long open requests may take to end.
const DRAIN: Duration = Duration::from_secs(3);

/// Listens on 127.0.0.1 and nowhere else.
pub async fn listen(port: u16) -> Result<TcpListener, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(
            "loopback.port_taken",
            format!("port {port} of 127.0.0.1 cannot be used: {error}"),
            "Choose another --port, or leave it out.",
        )
    })
}

/// The port that was chosen.
pub fn port_of(listener: &TcpListener) -> Result<u16, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| cannot_serve(&error))?;
    Ok(address.port())
}

/// Serves until the keeper stops. The file that leads the browser here goes once it did.
pub async fn serve(
    listener: TcpListener,
    door: Door,
    desk: Desk,
    redirect: Option<Arc<Redirect>>,
) -> io::Result<()> {
    let signals = tokio::spawn(stop_on_signal(desk.clone()));
    let mut standing = desk.standing();
    let router = routes::build(door, desk, redirect);
    let stopped = async move {
        // An error means that the keeper is gone.
        let _ = standing.wait_for(|standing| standing.stopping).await;
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service)
        .with_graceful_shutdown(stopped)
        .await;
    signals.abort();
    served
}

/// Waits until the server has ended, for a moment at most.
pub async fn ended(serving: JoinHandle<io::Result<()>>) {
    let _ = tokio::time::timeout(DRAIN, serving).await;
}

/// The machine does not let us serve.
pub fn cannot_serve(error: &io::Error) -> Failure {
    Failure::new(
        "loopback.cannot_serve",
        format!("this computer does not let the client serve pages: {error}"),
        "Close some programs and try again.",
    )
}

async fn stop_on_signal(desk: Desk) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut hang_up)) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        ) else {
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
    desk.stop();
}
