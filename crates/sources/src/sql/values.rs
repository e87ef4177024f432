//! What databases answer, as values: numbers, dates as serial days with their text, texts.

use satchel_data::Value;

/// How a column's text is to be read, by the type the database names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Number,
    Truth,
    Date,
    Timestamp,
    Time,
    Text,
    Bytes,
}

impl Reading {
    /// The reading of a type of PostgreSQL or MySQL.
    pub fn of(type_name: &str) -> Self {
        let name = type_name.to_ascii_uppercase();
        let name = name.split([' ', '(']).next().unwrap_or_default();
        match name {
            "INT2" | "INT4" | "INT8" | "FLOAT4" | "FLOAT8" | "NUMERIC" | "OID" | "TINYINT"
            | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "DECIMAL" | "FLOAT" | "DOUBLE"
            | "YEAR" => Self::Number,
            "BOOL" | "BOOLEAN" => Self::Truth,
            "DATE" => Self::Date,
            "TIMESTAMP" | "TIMESTAMPTZ" | "DATETIME" => Self::Timestamp,
            "TIME" => Self::Time,
            "BYTEA" | "BLOB" | "TINYBLOB" | "MEDIUMBLOB" | "LONGBLOB" | "BINARY" | "VARBINARY"
            | "GEOMETRY" | "BIT" => Self::Bytes,
            _ => Self::Text,
        }
    }

    /// The value that `text` stands for; a text that does not fit stays a text.
    pub fn value(self, text: &str) -> Value {
        let known = match self {
            Self::Number => number(text),
            Self::Truth => match text {
                "t" | "true" | "1" => Some(Value::num(1.0)),
                "f" | "false" | "0" => Some(Value::num(0.0)),
                _ => None,
            },
            Self::Date => day(text).map(|day| Value::dual(day, text)),
            Self::Timestamp => moment(text).map(|at| Value::dual(at, text)),
            Self::Time => fraction(text).map(|at| Value::dual(at, text)),
            Self::Text | Self::Bytes => None,
        };
        known.unwrap_or_else(|| Value::text(text))
    }
}

/// A number; with its text if a number alone would show other digits than the database has.
fn number(text: &str) -> Option<Value> {
    let num: f64 = text.parse().ok().filter(|n: &f64| n.is_finite())?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    /// Every decimal of so many digits is a different number.
    const EXACT_DIGITS: usize = 15;
    Some(if digits > EXACT_DIGITS && !text.contains(['e', 'E']) {
        Value::dual(num, text)
    } else {
        Value::num(num)
    })
}

/// Days since 1899-12-30 of `YYYY-MM-DD`.
fn day(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, '-');
    let year: i64 = parts.next()?.parse().ok()?;
    let month: i64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|m| (1..=12).contains(m))?;
    let day: i64 = parts
        .next()?
        .parse()
        .ok()
        .filter(|d| (1..=31).contains(d))?;
    // Howard Hinnant's days from civil: March is the first month of a year.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let since_1970 = era * 146_097 + day_of_era - 719_468;
    Some((since_1970 + 25_569) as f64)
}

/// The part of a day that `[-]hh:mm:ss[.ffffff]` is; more than a day if there are more hours.
fn fraction(text: &str) -> Option<f64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut parts = rest.splitn(3, ':');
    let hours: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next().map_or(Some(0.0), |s| s.parse().ok())?;
    Some(sign * (hours * 3600.0 + minutes * 60.0 + seconds) / 86_400.0)
}

/// `YYYY-MM-DD hh:mm:ss[.ffffff][+hh[:mm]]`: local time if it says no zone, else UTC.
fn moment(text: &str) -> Option<f64> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let date = day(date)?;
    let zone = time.rfind(['+', '-']).filter(|at| *at > 0);
    let (clock, zone) = match zone {
        Some(at) => time.split_at(at),
        None => (time.trim_end_matches('Z'), ""),
    };
    let offset = match zone.get(1..) {
        None => 0.0,
        Some(rest) => {
            let padded = if rest.contains(':') {
                rest.to_owned()
            } else {
                format!("{rest}:00")
            };
            let offset = fraction(&padded)?;
            if zone.starts_with('-') {
                -offset
            } else {
                offset
            }
        }
    };
    Some(date + fraction(clock)? - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(type_name: &str, text: &str, num: Option<f64>, shown: &str) {
        let value = Reading::of(type_name).value(text);
        assert_eq!(value.to_text(), shown);
        match (value.as_num(), num) {
            (Some(got), Some(want)) => assert!((got - want).abs() < 1e-9, "{got} is not {want}"),
            (got, want) => assert_eq!(got, want),
        }
    }

    #[test]
    fn types_become_numbers_with_the_text_people_know() {
        check("INT4", "-12", Some(-12.0), "-12");
        check("NUMERIC", "12.50", Some(12.5), "12.5");
        check(
            "DECIMAL",
            "12345678901234567.89",
            Some(12_345_678_901_234_567.89),
            "12345678901234567.89",
        );
        check("BOOL", "t", Some(1.0), "1");
        check("DATE", "2024-03-01", Some(45_352.0), "2024-03-01");
        check("DATE", "1899-12-30", Some(0.0), "1899-12-30");
        check("DATE", "0000-00-00", None, "0000-00-00");
        check(
            "TIMESTAMP",
            "2024-03-01 12:00:00",
            Some(45_352.5),
            "2024-03-01 12:00:00",
        );
        check(
            "TIMESTAMPTZ",
            "2024-03-01 12:00:00+01",
            Some(45_352.5 - 1.0 / 24.0),
            "2024-03-01 12:00:00+01",
        );
        check("TIME", "06:00:00", Some(0.25), "06:00:00");
        check("VARCHAR", "007", None, "007");
        check("NUMERIC", "NaN", None, "NaN");
    }
}
