//! Times as people read them, in UTC. Edge rooms that know a time zone do better.

use crate::UnixMillis;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// `4 December 2026 14:10 UTC`. Seconds are cut off, not rounded.
pub fn utc_text(time: UnixMillis) -> String {
    let minutes = time.0.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    let (year, month, day) = civil(days);
    format!(
        "{day} {} {year} {:02}:{:02} UTC",
        MONTHS[month],
        minute / 60,
        minute % 60
    )
}

/// Year, month from 0 and day from 1 of a day counted from 1970-01-01, by the proleptic
/// Gregorian calendar. Counts in eras of 400 years that begin on 1 March.
fn civil(days: i64) -> (i64, usize, i64) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000.div_euclid(146_097);
    let day_of_era = from_march_0000.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = ((month_from_march + 2) % 12) as usize;
    let year = era * 400 + year_of_era + i64::from(month < 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        let check = |millis, want: &str| assert_eq!(utc_text(UnixMillis(millis)), want);
        check(0, "1 January 1970 00:00 UTC");
        check(951_782_399_000, "28 February 2000 23:59 UTC");
        check(951_782_400_000, "29 February 2000 00:00 UTC");
        check(1_796_393_400_000, "4 December 2026 14:10 UTC");
        check(2_147_483_648_000, "19 January 2038 03:14 UTC");
        check(-60_000, "31 December 1969 23:59 UTC");
    }
}
