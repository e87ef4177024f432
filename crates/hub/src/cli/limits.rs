//! The options that say what reloads and connections may use.

use std::time::Duration;

use clap::Args;

use crate::limits::{ConnectionLimits, ReloadLimits};

/// What one reload may use.
#[derive(Args, Clone, Debug)]
pub(crate) struct Reloads {
    /// Rows a reload may read, make and join, turns of loops included
    #[arg(long, env = "SATCHEL_RELOAD_ROWS", default_value_t = ReloadLimits::default().rows)]
    reload_rows: u64,
    /// MiB a reload's tables may add up to, those dropped on the way included
    #[arg(long, env = "SATCHEL_RELOAD_MIB", default_value_t = ReloadLimits::default().bytes >> 20)]
    reload_mib: u64,
    /// Seconds a reload may take
    #[arg(
        long,
        env = "SATCHEL_RELOAD_SECONDS",
        default_value_t = ReloadLimits::default().time.as_secs()
    )]
    reload_seconds: u64,
}

impl Reloads {
    /// As the hub uses them.
    pub fn read(&self) -> ReloadLimits {
        ReloadLimits {
            rows: self.reload_rows,
            bytes: self.reload_mib.saturating_mul(1 << 20),
            time: Duration::from_secs(self.reload_seconds),
        }
    }
}

/// What connections may use.
#[derive(Args, Clone, Debug)]
pub(crate) struct Connections {
    /// Connections at a time
    #[arg(long, default_value_t = ConnectionLimits::default().connections)]
    max_connections: usize,
    /// Connections at a time from one address; more behind a proxy or a shared address
    #[arg(long, default_value_t = ConnectionLimits::default().per_address)]
    max_connections_per_address: usize,
}

impl Connections {
    /// As the hub uses them.
    pub fn read(&self) -> ConnectionLimits {
        ConnectionLimits {
            connections: self.max_connections.max(1),
            per_address: self.max_connections_per_address.max(1),
            ..ConnectionLimits::default()
        }
    }
}
