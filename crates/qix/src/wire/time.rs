//! Times as ISO 8601 texts and as serial days.

use satchel_base::UnixMillis;

use crate::host::Now;

const DAY_MS: i64 = 86_400_000;

/// The serial number of 1970-01-01 when 1899-12-30 is 0.
const UNIX_EPOCH_SERIAL: f64 = 25_569.0;

/// `2026-11-24T07:14:35.000Z`.
pub(crate) fn iso(time: UnixMillis) -> String {
    let (days, ms) = (time.0.div_euclid(DAY_MS), time.0.rem_euclid(DAY_MS));
    // Days since 0000-03-01 in eras of 400 years (Howard Hinnant's civil calendar algorithm).
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{:03}Z",
        ms % 1000
    )
}

/// The present local time in serial days.
pub(crate) fn serial(now: Now) -> f64 {
    let local = now.utc.plus_ms(i64::from(now.offset_minutes) * 60_000);
    local.0 as f64 / DAY_MS as f64 + UNIX_EPOCH_SERIAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(iso(UnixMillis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(UnixMillis(951_782_400_123)), "2000-02-29T00:00:00.123Z");
        assert_eq!(iso(UnixMillis(-1)), "1969-12-31T23:59:59.999Z");
        let noon = Now {
            utc: UnixMillis(DAY_MS / 2),
            offset_minutes: 60,
        };
        assert!((serial(noon) - (25_569.0 + 13.0 / 24.0)).abs() < 1e-9);
    }
}
