//! Dates as serial days: day 0 is 1899-12-30, the fraction is the time of day.
//!
//! The proleptic Gregorian calendar without time zones or leap seconds
//! (reference semantics E4). Only arithmetic; texts are for `date_pattern`.

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// 0001-01-01: the first day that can be shown as a date.
const FIRST_DAY: i64 = -693_593;

/// 9999-12-31: the last day that can be shown as a date.
const LAST_DAY: i64 = 2_958_465;

/// Days from 1970-01-01 to serial day 0.
const UNIX_EPOCH: i64 = 25_569;

/// A moment split into a serial day and the milliseconds within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Whole days since 1899-12-30.
    pub day: i64,
    /// Milliseconds since midnight, `0..DAY_MS`.
    pub ms: i64,
}

impl Moment {
    /// Splits a serial number, rounding to the nearest millisecond; `None` if it lies
    /// outside the years 1 to 9999.
    pub fn of(serial: f64) -> Option<Self> {
        if !serial.is_finite() || serial.abs() > 3e6 {
            return None;
        }
        let mut day = serial.floor() as i64;
        let mut ms = ((serial - serial.floor()) * DAY_MS as f64).round() as i64;
        if ms >= DAY_MS {
            day += 1;
            ms = 0;
        }
        (FIRST_DAY..=LAST_DAY)
            .contains(&day)
            .then_some(Self { day, ms })
    }

    /// Hour of the day, `0..24`.
    pub fn hour(self) -> i64 {
        self.ms / 3_600_000
    }

    /// Minute of the hour, `0..60`.
    pub fn minute(self) -> i64 {
        self.ms / 60_000 % 60
    }

    /// Second of the minute, `0..60`.
    pub fn second(self) -> i64 {
        self.ms / 1000 % 60
    }
}

/// A calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// Year, 1 to 9999 when made from a [`Moment`].
    pub year: i64,
    /// Month, `1..=12`.
    pub month: i64,
    /// Day of the month, `1..=31`.
    pub day: i64,
}

/// The calendar date of a serial day.
pub(crate) fn civil(day: i64) -> Civil {
    // Counted in 400-year cycles of 146 097 days from 0000-03-01, so that the leap day is
    // the last day of a year.
    let z = day - UNIX_EPOCH + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month,
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
    }
}

/// The serial day of a date whose parts are in range; days past the end of the month run on.
pub(crate) fn serial_day(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468 + UNIX_EPOCH
}

/// The serial day of a date, or `None` if there is no such date in the years 1 to 9999.
pub(crate) fn valid_day(year: i64, month: i64, day: i64) -> Option<i64> {
    ((1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day))
    .then(|| serial_day(year, month, day))
}

/// Whether `year` has a 29 February.
pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The number of days in a month, `28..=31`.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The weekday of a serial day: 0 is Monday, 6 is Sunday.
pub(crate) fn weekday(day: i64) -> i64 {
    // Serial day 0, 1899-12-30, was a Saturday.
    (day + 5).rem_euclid(7)
}

/// The first day of the week that holds `day`, for weeks that begin on `first_week_day`.
pub(crate) fn week_start(day: i64, first_week_day: i64) -> i64 {
    day - (weekday(day) - first_week_day).rem_euclid(7)
}

/// The month `months` after year and month; months count from 1.
pub(crate) fn shift_month(year: i64, month: i64, months: i64) -> (i64, i64) {
    let index = year * 12 + month - 1 + months;
    (index.div_euclid(12), index.rem_euclid(12) + 1)
}

/// How weeks are numbered: the three week variables of a locale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WeekRule {
    /// First day of the week; 0 is Monday.
    pub first_week_day: i64,
    /// Whether week 1 begins on 1 January and no week spans two years.
    pub broken: bool,
    /// The day of January that is always in week 1, `1..=7`, for unbroken weeks.
    pub reference_day: i64,
}

impl WeekRule {
    /// The year a week belongs to and its number there, from 1.
    pub fn week_of(self, day: i64) -> (i64, i64) {
        let year = civil(day).year;
        if self.broken {
            let january = week_start(serial_day(year, 1, 1), self.first_week_day);
            return (year, (day - january) / 7 + 1);
        }
        let year = if day < self.first_week(year) {
            year - 1
        } else if day >= self.first_week(year + 1) {
            year + 1
        } else {
            year
        };
        (year, (day - self.first_week(year)) / 7 + 1)
    }

    /// The first day of week 1 of `year`.
    pub fn first_week(self, year: i64) -> i64 {
        let anchor = if self.broken { 1 } else { self.reference_day };
        week_start(serial_day(year, 1, anchor), self.first_week_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse() {
        for day in (FIRST_DAY..=LAST_DAY).step_by(97) {
            let date = civil(day);
            assert_eq!(valid_day(date.year, date.month, date.day), Some(day));
        }
        assert_eq!(serial_day(1899, 12, 30), 0);
        assert_eq!(serial_day(1997, 8, 6), 35_648);
        assert_eq!(
            civil(LAST_DAY),
            Civil {
                year: 9999,
                month: 12,
                day: 31
            }
        );
        assert_eq!(
            civil(FIRST_DAY),
            Civil {
                year: 1,
                month: 1,
                day: 1
            }
        );
    }

    #[test]
    fn weeks_follow_the_rule() {
        let iso = WeekRule {
            first_week_day: 0,
            broken: false,
            reference_day: 4,
        };
        assert_eq!(iso.week_of(serial_day(1996, 12, 30)), (1997, 1));
        assert_eq!(iso.week_of(serial_day(1999, 1, 2)), (1998, 53));
        assert_eq!(iso.week_of(serial_day(2012, 10, 12)), (2012, 41));
        let broken = WeekRule {
            broken: true,
            ..iso
        };
        assert_eq!(broken.week_of(serial_day(2012, 10, 12)), (2012, 42));
        assert_eq!(broken.week_of(serial_day(2012, 1, 1)), (2012, 1));
    }
}
