//! The operating system's clock and entropy, the only place in the hub that reads them.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{Local, Offset as _, TimeZone as _};
use satchel_base::{Clock, Entropy, UnixMillis};
use satchel_qix::Now;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        UnixMillis(millis)
    }

    /// The zone that `TZ` names, else the one the system is set to. 0 if there is none, or for a
    /// time no calendar has.
    fn local_offset_minutes(&self, at: UnixMillis) -> i32 {
        Local
            .timestamp_millis_opt(at.0)
            .single()
            .map_or(0, |local| local.offset().fix().local_minus_utc() / 60)
    }
}

/// The system's entropy.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives entropy once it runs");
    }
}

/// Unpredictable bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes);
    bytes
}

/// A random UUID (version 4), lower case with hyphens.
pub(crate) fn make_uuid() -> String {
    let mut b = random::<16>();
    b[6] = b[6] & 0x0f | 0x40;
    b[8] = b[8] & 0x3f | 0x80;
    let hex: String = b.iter().map(|b| format!("{b:02x}")).collect();
    [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ]
    .join("-")
}

/// The present time of a clock, and of its place.
pub(crate) fn now_here(clock: &dyn Clock) -> Now {
    let utc = clock.now();
    Now {
        utc,
        offset_minutes: clock.local_offset_minutes(utc),
    }
}

/// Minutes in days.
pub(crate) fn days(minutes: i32) -> f64 {
    f64::from(minutes) / 1440.0
}

/// A time as a serial day with fraction (1899-12-30 is 0), UTC.
pub(crate) fn serial_day(at: UnixMillis) -> f64 {
    25_569.0 + at.0 as f64 / 86_400_000.0
}
