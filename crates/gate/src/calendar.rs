//! Calendar months in UTC, for pools that fill up again on the first of the month.

use satchel_base::UnixMillis;

const DAY_MS: i64 = 86_400_000;

/// Start of the calendar month `at` lies in, and start of the next one, UTC.
pub fn month_bounds(at: UnixMillis) -> (UnixMillis, UnixMillis) {
    let (year, month) = year_month(at.0.div_euclid(DAY_MS));
    let (next_year, next_month) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    (
        UnixMillis(days_to_month(year, month).saturating_mul(DAY_MS)),
        UnixMillis(days_to_month(next_year, next_month).saturating_mul(DAY_MS)),
    )
}

/// Year and month (1–12) of a day counted from 1970-01-01, proleptic Gregorian.
fn year_month(day: i64) -> (i64, i64) {
    // Years are counted from March, so that the leap day is the last of its year.
    let shifted = day.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month)
}

/// Days from 1970-01-01 to the first of the month.
fn days_to_month(year: i64, month: i64) -> i64 {
    let from_march_year = if month <= 2 { year - 1 } else { year };
    let era = from_march_year.div_euclid(400);
    let year_of_era = from_march_year.rem_euclid(400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_months() {
        // 2024-02-29T12:00:00Z lies between 2024-02-01 and 2024-03-01.
        assert_eq!(
            month_bounds(UnixMillis(1_709_208_000_000)),
            (UnixMillis(1_706_745_600_000), UnixMillis(1_709_251_200_000))
        );
        // The last millisecond of 2025 lies in December, the next one in January.
        let new_year = UnixMillis(1_767_225_600_000);
        assert_eq!(month_bounds(new_year.plus_ms(-1)).1, new_year);
        assert_eq!(month_bounds(new_year).0, new_year);
    }

    proptest! {
        #[test]
        fn a_time_lies_in_its_month(ms in -4_000_000_000_000i64..8_000_000_000_000) {
            let (start, end) = month_bounds(UnixMillis(ms));
            prop_assert!(start.0 <= ms && ms < end.0);
            let days = end.since_ms(start) / DAY_MS;
            prop_assert!((28..=31).contains(&days));
            prop_assert_eq!(month_bounds(end).0, end);
        }
    }
}
