//! Clock, time zone and entropy of the operating system.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{Local, Offset as _, TimeZone as _};
use satchel_base::{Clock, Entropy, UnixMillis};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
            }
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
        // Keys made without entropy would be worse than no keys.
        getrandom::fill(bytes).expect("the operating system provides entropy");
    }
}
