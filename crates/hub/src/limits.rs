//! What one reload and one connection may use of the hub, and the defaults.

use std::time::Duration;

use satchel_base::{Budget, CancelToken, Limits};

/// What one reload may use. Bytes are what tables and intermediate results add up to, also
/// those that are dropped on the way, so they are an upper bound of the memory held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadLimits {
    /// Rows read, made and joined, turns of loops included.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// From the first statement to the last.
    pub time: Duration,
}

impl Default for ReloadLimits {
    /// Four billion rows, three quarters of the machine's memory in all, four hours: more than
    /// a reload of this machine's size needs, and an end for what has none.
    fn default() -> Self {
        Self {
            rows: 4_000_000_000,
            bytes: machine_bytes() / 4 * 3,
            time: Duration::from_secs(4 * 3600),
        }
    }
}

/// Memory of this machine; 16 GiB where it does not say.
fn machine_bytes() -> u64 {
    let read = || {
        let text = std::fs::read_to_string("/proc/meminfo").ok()?;
        let line = text.lines().find_map(|l| l.strip_prefix("MemTotal:"))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib << 10)
    };
    read().unwrap_or(16 << 30)
}

/// The budget of a reload that runs; when it is dropped nobody watches the time any more.
pub(crate) struct Running {
    /// The budget.
    pub budget: Budget,
    clock: tokio::task::JoinHandle<()>,
}

impl ReloadLimits {
    /// Begins a reload that `token` can cancel.
    pub(crate) fn begin(&self, token: CancelToken) -> Running {
        let limits = Limits {
            rows: self.rows,
            bytes: self.bytes,
        };
        let (time, late) = (self.time, token.clone());
        let clock = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            late.time_is_up();
        });
        Running {
            budget: Budget::new(limits, token),
            clock,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.clock.abort();
    }
}

/// What connections may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// Of these from one address; more are closed at once. A proxy in front of the hub, or an
    /// office behind one address, needs more than a person.
    pub per_address: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For the head of a request, and between two requests of a connection.
    pub head: Duration,
    /// For the body of a request.
    pub body: Duration,
    /// For which a peer may take in nothing of what is sent to it.
    pub stall: Duration,
    /// For which a peer of a socket may be silent; asked for a sign of life at half of it.
    pub silence: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            per_address: 512,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            stall: Duration::from_secs(60),
            silence: Duration::from_secs(120),
        }
    }
}
