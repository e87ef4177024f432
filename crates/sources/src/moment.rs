//! Dates and times with a type: serial numbers that show ISO text, until a script formats them.

use satchel_data::Value;

/// Days from 1899-12-30 to 1970-01-01.
pub(crate) const EPOCH_SERIAL: f64 = 25_569.0;

const DAY_MS: i64 = 86_400_000;

/// Days since 1970 as a date, or as a date and a time.
pub(crate) fn serial(days: f64, with_time: bool) -> Value {
    shown(days + EPOCH_SERIAL, days, true, with_time)
}

/// A date, a time within a day, or both: whichever `serial` is, in days since 1899-12-30.
pub(crate) fn of_serial(serial: f64) -> Value {
    let is_day = serial == serial.trunc();
    let is_time = !is_day && (0.0..1.0).contains(&serial);
    shown(serial, serial - EPOCH_SERIAL, !is_time, !is_day)
}

/// A share of a day as a time: `10:30:00`.
pub(crate) fn time(share: f64) -> Value {
    shown(share, share, false, true)
}

/// A length in days as hours, minutes and seconds: `30:00:00`.
pub(crate) fn interval(days: f64) -> Value {
    let milliseconds = (days.abs() * DAY_MS as f64).round();
    if !(0.0..1e15).contains(&milliseconds) {
        return Value::num(days);
    }
    let milliseconds = milliseconds as i64;
    let seconds = milliseconds / 1000;
    let sign = if days < 0.0 { "-" } else { "" };
    let mut text = format!(
        "{sign}{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    push_fraction(&mut text, milliseconds % 1000);
    Value::dual(days, text)
}

fn shown(number: f64, days: f64, with_date: bool, with_time: bool) -> Value {
    let milliseconds = (days * DAY_MS as f64).round();
    if !(-1e15..1e15).contains(&milliseconds) {
        return Value::num(number);
    }
    let milliseconds = milliseconds as i64;
    let mut text = String::new();
    if with_date {
        let (year, month, day) = civil(milliseconds.div_euclid(DAY_MS));
        text += &format!("{year:04}-{month:02}-{day:02}");
    }
    if with_time {
        let rest = milliseconds.rem_euclid(DAY_MS);
        let seconds = rest / 1000;
        if with_date {
            text.push(' ');
        }
        text += &format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        push_fraction(&mut text, rest % 1000);
    }
    Value::dual(number, text)
}

fn push_fraction(text: &mut String, milliseconds: i64) {
    if milliseconds > 0 {
        *text += &format!(".{milliseconds:03}");
    }
}

/// The date that is `days` after 1970-01-01 in the Gregorian calendar.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March, so that the leap day is a year's last; eras are 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The serial number of `YYYY-MM-DD hh:mm:ss`; `None` if the text is something else.
pub(crate) fn serial_of(text: &str) -> Option<f64> {
    let (date, time) = text.trim().split_once(' ')?;
    let numbers = |text: &str, sign: char| -> Option<[i64; 3]> {
        let parts: Vec<i64> = (text.split(sign))
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?;
        parts.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let is_date =
        (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date {
        return None;
    }
    // As in `civil`: years begin in March.
    let shifted = if month > 2 { year } else { year - 1 };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + of_year - 719_468;
    let seconds = (hour * 3600 + minute * 60 + second) as f64;
    Some(days as f64 + EPOCH_SERIAL + seconds / 86_400.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back() {
        for days in [-700_000, -1, 0, 59, 19_782, 2_900_000] {
            let (year, month, day) = civil(days);
            let text = format!("{year:04}-{month:02}-{day:02} 06:00:00");
            assert_eq!(
                serial_of(&text),
                Some(days as f64 + EPOCH_SERIAL + 0.25),
                "{text}"
            );
        }
        for text in ["", "2024-01-01", "2024-13-01 00:00:00", "x-y-z a:b:c"] {
            assert_eq!(serial_of(text), None);
        }
        assert_eq!(of_serial(0.5).to_text(), "12:00:00");
        assert_eq!(of_serial(45_322.0).to_text(), "2024-01-31");
        assert_eq!(interval(-1.25).to_text(), "-30:00:00");
    }
}
