//! Times, sizes, and the two doors through which the outside world enters.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored. May be negative.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// This time moved by `millis` (negative moves back), saturating at the ends of the range.
    #[must_use]
    pub fn plus_ms(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this time; negative when `earlier` is later.
    #[must_use]
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A number of bytes. Displays in binary units, rounded to one digit: `14.2 MiB`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
        let mut size = self.0 as f64;
        let mut unit = 0;
        while size >= 1024.0 && unit + 1 < UNITS.len() {
            size /= 1024.0;
            unit += 1;
        }
        if unit == 0 {
            write!(f, "{} B", self.0)
        } else {
            write!(f, "{size:.1} {}", UNITS[unit])
        }
    }
}

/// Where the time comes from. Edge rooms read the system clock; tests hand out fixed times.
pub trait Clock: Send + Sync {
    /// The present time, UTC.
    fn now(&self) -> UnixMillis;

    /// Local time minus UTC at `at`, in minutes, where this computer is. 0 unless the clock
    /// knows a place.
    fn local_offset_minutes(&self, _at: UnixMillis) -> i32 {
        0
    }
}

/// Where randomness comes from. Edge rooms ask the operating system; tests use a fixed seed.
pub trait Entropy: Send {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_in_binary_units() {
        assert_eq!(ByteSize(512).to_string(), "512 B");
        assert_eq!(ByteSize(14_890_000).to_string(), "14.2 MiB");
    }

    #[test]
    fn times_saturate() {
        assert_eq!(UnixMillis(i64::MAX).plus_ms(1), UnixMillis(i64::MAX));
        assert_eq!(UnixMillis(5).since_ms(UnixMillis(7)), -2);
    }
}
