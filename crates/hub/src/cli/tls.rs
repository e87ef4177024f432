//! `satchel-hub tls`: certificates as phones will judge them.
//!
//! Connects as a phone does, with the very verifier phones use, and says what it finds. What
//! cannot be known here is which CAs a phone trusts beside those of this machine.

use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use satchel_base::{Clock, UnixMillis, utc_text};
use satchel_trust::{HubVerifier, Roots, TlsFailure, describe};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Common;
use crate::system::SystemClock;

/// A peer that does not answer for this long is not there.
const PATIENCE: Duration = Duration::from_secs(10);

/// From here on a certificate should be renewed: a month is time enough to do it calmly.
const RENEW_DAYS: i64 = 30;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Judge the certificate of a hub as phones will, and say what to fix
    Check {
        /// The address people use, such as https://hub.example.org
        url: String,
        /// A CA that phones trust and this machine does not, PEM; may be repeated
        #[arg(long)]
        ca: Vec<PathBuf>,
    },
}

pub(crate) async fn run(common: &Common, command: Command) -> Result<ExitCode> {
    let Command::Check { url, ca } = command;
    let (host, port) = host_and_port(&url)?;
    let mut extra = Vec::new();
    for file in &ca {
        extra.extend(read_ca(file)?);
    }
    let found = look(&host, port, Roots::system_and(extra)).await?;
    Ok(report(common, &url, &host, found, SystemClock.now()))
}

/// What the look at a hub found.
enum Found {
    Good {
        version: String,
        chain: Vec<CertificateDer<'static>>,
    },
    Bad(TlsFailure),
}

/// `https://host[:port][/…]`, or the same without `https://`.
fn host_and_port(url: &str) -> Result<(String, u16)> {
    if url.starts_with("http://") {
        bail!("{url} is not encrypted; phones connect to https:// only");
    }
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((v6, after)) => (v6, after.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().with_context(|| format!("{port} is no port"))?,
        None => 443,
    };
    if host.is_empty() {
        bail!("{url} names no host; write https://HOST[:PORT]");
    }
    Ok((host.to_owned(), port))
}

fn read_ca(file: &Path) -> Result<Vec<Vec<u8>>> {
    let bad = || format!("{} is no PEM file of certificates", file.display());
    let all: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect)
        .with_context(bad)?;
    if all.is_empty() {
        bail!("{}", bad());
    }
    Ok(all.into_iter().map(|c| c.as_ref().to_vec()).collect())
}

async fn look(host: &str, port: u16, roots: Roots) -> Result<Found> {
    let name =
        ServerName::try_from(host.to_owned()).with_context(|| format!("{host} is no host name"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let (config, failure) = HubVerifier::new(roots, provider).into_config()?;
    let (at, asked) = ((host.to_owned(), port), format!("{host}:{port}"));
    let addresses = tokio::task::spawn_blocking(move || at.to_socket_addrs()).await?;
    let addresses: Vec<_> = addresses
        .with_context(|| format!("the name {host} cannot be resolved"))?
        .collect();
    let connecting = TcpStream::connect(addresses.as_slice());
    let tcp = tokio::time::timeout(PATIENCE, connecting)
        .await
        .with_context(|| format!("{asked} does not answer"))?
        .with_context(|| format!("nothing listens on {asked}"))?;
    let shaking = TlsConnector::from(Arc::new(config)).connect(name, tcp);
    let done = tokio::time::timeout(PATIENCE, shaking)
        .await
        .with_context(|| format!("{asked} does not finish the handshake"))?;
    match done {
        Ok(stream) => {
            let connection = stream.get_ref().1;
            let chain = connection.peer_certificates().unwrap_or_default();
            let version = connection
                .protocol_version()
                .and_then(|v| v.as_str().map(|v| v.replace("TLSv1_", "TLS 1.")))
                .unwrap_or_default();
            Ok(Found::Good {
                version,
                chain: chain.iter().map(|c| c.clone().into_owned()).collect(),
            })
        }
        Err(error) => {
            let refused = failure.lock().ok().and_then(|mut cell| cell.take());
            if let Some(refused) = refused {
                return Ok(Found::Bad(refused));
            }
            match error
                .get_ref()
                .and_then(|e| e.downcast_ref::<rustls::Error>())
            {
                Some(tls) => Ok(Found::Bad(TlsFailure::of_handshake(tls, host))),
                None => Err(error).with_context(|| {
                    format!("{asked} ends the connection before it is secure; is it a hub?")
                }),
            }
        }
    }
}

fn report(common: &Common, url: &str, host: &str, found: Found, now: UnixMillis) -> ExitCode {
    match found {
        Found::Bad(failure) => {
            if common.json {
                let answer = json!({
                    "url": url, "accepted": false, "code": failure.code,
                    "message": failure.message, "next": failure.next,
                });
                println!("{answer}");
            } else {
                println!("✗ phones will refuse {url}");
                println!("  {} ({})", failure.message, failure.code);
                println!("  {}", failure.next);
            }
            ExitCode::FAILURE
        }
        Found::Good { version, chain } => {
            let described: Vec<_> = chain.iter().filter_map(|c| describe(c)).collect();
            let ends = described.iter().map(|d| d.not_after).min().unwrap_or(0);
            let ends = UnixMillis(ends.saturating_mul(1000));
            let days_left = ends.since_ms(now) / 86_400_000;
            let renew = days_left < RENEW_DAYS;
            if common.json {
                let answer = json!({
                    "url": url, "accepted": true, "tls": version,
                    "subject": described.first().map(|d| d.subject.as_str()),
                    "issuer": described.first().map(|d| d.issuer.as_str()),
                    "valid_until": ends, "days_left": days_left, "renew_now": renew,
                });
                println!("{answer}");
                return ExitCode::SUCCESS;
            }
            println!("✓ phones that trust its CA will accept {url}");
            let issuer = described.first().map_or("?", |d| d.issuer.as_str());
            println!(
                "  ✓ signed by {issuer}, through {} sent",
                count(chain.len())
            );
            println!("  ✓ names {host} as a subject alternative name");
            println!(
                "  ✓ within its dates: until {}, {days_left} days",
                utc_text(ends)
            );
            println!("  ✓ {version}");
            if renew {
                println!("  ! renew it now: phones refuse it when those days are over");
            }
            ExitCode::SUCCESS
        }
    }
}

fn count(n: usize) -> String {
    if n == 1 {
        "1 certificate".to_owned()
    } else {
        format!("{n} certificates")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_people_write_it() {
        let parts = |url: &str| host_and_port(url).ok();
        let hub = Some(("hub.example.org".to_owned(), 443));
        assert_eq!(parts("https://hub.example.org"), hub);
        assert_eq!(parts("hub.example.org/"), hub);
        assert_eq!(
            parts("https://localhost:4443/x"),
            Some(("localhost".into(), 4443))
        );
        assert_eq!(parts("https://[::1]:8443"), Some(("::1".into(), 8443)));
        assert_eq!(parts("http://hub.example.org"), None);
        assert_eq!(parts("https://"), None);
        assert_eq!(parts("https://hub:x"), None);
    }
}
