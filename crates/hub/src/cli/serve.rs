//! `satchel-hub serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;

use super::{Common, note, open};
use crate::serve::{Direct, Serve, serve};
use crate::system::SystemClock;

#[derive(Args)]
pub(crate) struct Options {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:4443")]
    listen: SocketAddr,
    /// Certificate chain, PEM, the hub's own first
    #[arg(long)]
    certificate: PathBuf,
    /// Key of the certificate, PEM
    #[arg(long)]
    key: PathBuf,
    /// An address people reach this hub by, such as https://hub.example.org; may be repeated
    #[arg(long)]
    origin: Vec<String>,
    /// Serve everything below /PREFIX as well, as a virtual proxy does; may be repeated
    #[arg(long, value_parser = prefix)]
    prefix: Vec<String>,
    /// Address and port for API clients that come with a client certificate, such as
    /// 0.0.0.0:4747; whoever has such a certificate may act as any person
    #[arg(long, requires = "client_ca")]
    engine_listen: Option<SocketAddr>,
    /// The CA that signs those client certificates, PEM; it should sign nothing else
    #[arg(long, requires = "engine_listen")]
    client_ca: Option<PathBuf>,
    #[command(flatten)]
    connections: super::limits::Connections,
    #[command(flatten)]
    reloads: super::limits::Reloads,
}

/// A prefix as it may stand in an address: `portal`, with or without slashes around it.
fn prefix(text: &str) -> Result<String, String> {
    const TAKEN: [&str; 4] = ["app", "api", "tempcontent", "healthz"];
    let bare = text.trim_matches('/').to_ascii_lowercase();
    let fits = !bare.is_empty()
        && bare
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.~".contains(&b));
    if !fits {
        return Err("use lower-case letters, digits and - _ . ~ only".into());
    }
    if TAKEN.contains(&bare.as_str()) {
        return Err(format!("/{bare} is one of the hub's own addresses"));
    }
    Ok(bare)
}

pub(crate) async fn run(common: &Common, options: Options) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SATCHEL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let store = open(common).await?;
    note(
        &store,
        "hub.start",
        "",
        json!({ "version": env!("CARGO_PKG_VERSION") }),
    )
    .await?;
    let served = serve(Serve {
        store,
        clock: Arc::new(SystemClock),
        listen: options.listen,
        certificate: options.certificate,
        key: options.key,
        origins: options
            .origin
            .iter()
            .map(|o| o.trim_end_matches('/').to_owned())
            .collect(),
        prefixes: options.prefix,
        direct: options
            .engine_listen
            .zip(options.client_ca)
            .map(|(listen, client_ca)| Direct { listen, client_ca }),
        connections: options.connections.read(),
        reloads: options.reloads.read(),
    })
    .await?;
    let port = served.address.port();
    println!("listening on https://localhost:{port} ({})", served.address);
    if let Some(address) = served.direct {
        println!("listening for API clients with a certificate on {address}");
    }
    wait_for_the_end().await?;
    println!("stopping");
    served.stop().await;
    Ok(())
}

/// Until somebody presses Ctrl-C or sends SIGTERM.
async fn wait_for_the_end() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
