//! Format codes for dates, times, timestamps and intervals: compiled once, then used to write
//! and to read.
//!
//! Codes (public documentation, "Conventions for number and time formats"): `Y YY YYYY`,
//! `M MM MMM MMMM`, `D DD`, `W WW WWW WWWW`, `h hh`, `m mm`, `s ss`, `f…`, `TT` for a
//! twelve-hour clock, and `[…]` around parts that may be missing when read. Case matters
//! between month and minute only, and there a code is understood by its place: `mm` in a
//! pattern of days without hours is the month, `MM` after `hh:` the minute.

use std::fmt::Write as _;

use crate::calendar::{DAY_MS, Moment, civil, valid_day, weekday};
use crate::locale::{Locale, name_at};

/// One piece of a pattern. Numbers are the count of letters written.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Year(usize),
    Month(usize),
    Day(usize),
    Weekday(usize),
    Hour(usize),
    Minute(usize),
    Second(usize),
    Fraction(usize),
    /// `TT` (upper) or `tt` (lower case).
    Half {
        upper: bool,
    },
    Literal(String),
    Optional(Vec<Piece>),
}

/// A compiled date or time format.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DatePattern {
    pieces: Vec<Piece>,
    /// Whether `TT` is present, so that hours run from 1 to 12.
    twelve_hours: bool,
    /// Whether a text that matches can begin with a letter (a name, or a literal).
    pub begins_with_letter: bool,
    /// Whether any date code (year, month, day) is present.
    pub has_date: bool,
    /// Whether any time code (hour, minute, second) is present.
    pub has_time: bool,
}

/// What was read from a text.
#[derive(Clone, Copy, Debug, Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    ms: f64,
    afternoon: Option<bool>,
}

impl DatePattern {
    /// Compiles a format. Never fails: what is not a code is literal text.
    pub fn parse(format: &str) -> Self {
        let mut pieces = parse_pieces(&mut format.chars().peekable(), 0);
        let all = flatten(&pieces);
        let is = |test: fn(&Piece) -> bool| all.iter().any(|p| test(p));
        let has_hour = is(|p| matches!(p, Piece::Hour(_)));
        let has_second = is(|p| matches!(p, Piece::Second(_)));
        let has_month = is(|p| matches!(p, Piece::Month(_)));
        let has_day = is(|p| matches!(p, Piece::Year(_) | Piece::Day(_)));
        if has_day && !has_hour && !has_second && !has_month {
            for piece in &mut pieces {
                if let Piece::Minute(n) = *piece {
                    *piece = Piece::Month(n);
                }
            }
        }
        for at in 2..pieces.len() {
            if let (Piece::Hour(_), Piece::Literal(sep), Piece::Month(n @ 1..=2)) =
                (&pieces[at - 2], &pieces[at - 1], &pieces[at])
                && sep == ":"
            {
                pieces[at] = Piece::Minute(*n);
            }
        }
        let all = flatten(&pieces);
        let is = |test: fn(&Piece) -> bool| all.iter().any(|p| test(p));
        let twelve_hours = is(|p| matches!(p, Piece::Half { .. }));
        let has_date = is(|p| matches!(p, Piece::Year(_) | Piece::Month(_) | Piece::Day(_)));
        let has_time = is(|p| matches!(p, Piece::Hour(_) | Piece::Minute(_) | Piece::Second(_)));
        let begins_with_letter = match all.first() {
            Some(Piece::Month(n) | Piece::Weekday(n)) => *n >= 3,
            Some(Piece::Literal(text)) => !text.starts_with(|c: char| c.is_ascii_digit()),
            Some(Piece::Half { .. }) => true,
            _ => false,
        };
        Self {
            pieces,
            twelve_hours,
            begins_with_letter,
            has_date,
            has_time,
        }
    }

    /// Whether the pattern has no codes at all, so that nothing can be read or shown.
    pub fn is_empty(&self) -> bool {
        !self.has_date
            && !self.has_time
            && !self.pieces.iter().any(|p| !matches!(p, Piece::Literal(_)))
    }

    /// The text of a serial number, or `None` outside the years 1 to 9999.
    pub fn format(&self, serial: f64, locale: &Locale) -> Option<String> {
        let moment = Moment::of(serial)?;
        let mut out = String::with_capacity(24);
        write_pieces(&self.pieces, moment, self.twelve_hours, locale, &mut out);
        Some(out)
    }

    /// The text of a length of time in days. The greatest unit present takes the whole amount.
    pub fn format_interval(&self, days: f64) -> Option<String> {
        if !days.is_finite() || days.abs() > 1e9 {
            return None;
        }
        let all = flatten(&self.pieces);
        let has = |test: fn(&Piece) -> bool| all.iter().any(|p| test(p));
        let total_ms = (days.abs() * DAY_MS as f64).round() as i64;
        let mut left = total_ms;
        let mut take = |present: bool, unit: i64| {
            if !present {
                return 0;
            }
            let n = left / unit;
            left -= n * unit;
            n
        };
        let day = take(has(|p| matches!(p, Piece::Day(_))), DAY_MS);
        let hour = take(has(|p| matches!(p, Piece::Hour(_))), 3_600_000);
        let minute = take(has(|p| matches!(p, Piece::Minute(_))), 60_000);
        let second = take(has(|p| matches!(p, Piece::Second(_))), 1000);
        let mut out = String::new();
        if days < 0.0 && total_ms > 0 {
            out.push('-');
        }
        let width = |n: &usize| (*n).min(20);
        // Optional parts are fractions of a second in practice: shown when not zero.
        let shown = match left {
            0 => self
                .pieces
                .iter()
                .filter(|p| !matches!(p, Piece::Optional(_)))
                .collect(),
            _ => all,
        };
        for piece in shown {
            let _ = match piece {
                Piece::Day(n) => write!(out, "{day:0w$}", w = width(n)),
                Piece::Hour(n) => write!(out, "{hour:0w$}", w = width(n)),
                Piece::Minute(n) => write!(out, "{minute:0w$}", w = width(n)),
                Piece::Second(n) => write!(out, "{second:0w$}", w = width(n)),
                Piece::Fraction(n) => {
                    push_fraction(&mut out, left, *n);
                    Ok(())
                }
                Piece::Literal(text) => {
                    out.push_str(text);
                    Ok(())
                }
                Piece::Month(_) | Piece::Year(_) | Piece::Weekday(_) | Piece::Half { .. } => Ok(()),
                Piece::Optional(_) => Ok(()),
            };
        }
        Some(out.trim_end().to_owned())
    }

    /// Reads a text as a moment; `None` if it does not match the whole pattern.
    pub fn read(&self, text: &str, locale: &Locale) -> Option<f64> {
        let mut parts = Parts::default();
        let rest = read_pieces(&self.pieces, text.as_bytes(), &mut parts, locale)?;
        if !rest.iter().all(|b| *b == b' ') {
            return None;
        }
        parts.serial(self.has_date)
    }

    /// Reads a text as a length of time: hours, minutes and seconds are not bounded.
    pub fn read_interval(&self, text: &str, locale: &Locale) -> Option<f64> {
        let (text, sign) = match text.strip_prefix('-') {
            Some(rest) => (rest, -1.0),
            None => (text, 1.0),
        };
        let mut parts = Parts::default();
        let rest = read_pieces(&self.pieces, text.as_bytes(), &mut parts, locale)?;
        if !rest.iter().all(|b| *b == b' ') {
            return None;
        }
        let unit = |n: Option<i64>, ms: f64| n.unwrap_or(0) as f64 * ms;
        let ms = unit(parts.day, DAY_MS as f64)
            + unit(parts.hour, 3_600_000.0)
            + unit(parts.minute, 60_000.0)
            + unit(parts.second, 1000.0)
            + parts.ms;
        Some(sign * ms / DAY_MS as f64)
    }
}

impl Parts {
    /// The serial number of the parts, if they make a real date and time.
    fn serial(self, with_date: bool) -> Option<f64> {
        let mut hour = self.hour.unwrap_or(0);
        if let Some(afternoon) = self.afternoon {
            let most = if afternoon { 23 } else { 12 };
            if !(0..=most).contains(&hour) {
                return None;
            }
            if hour == 12 && !afternoon {
                hour = 0;
            } else if hour < 12 && afternoon {
                hour += 12;
            }
        }
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        if !(0..=59).contains(&minute) || !(0..=59).contains(&second) || !(0..=24).contains(&hour) {
            return None;
        }
        let ms = (hour * 3600 + minute * 60 + second) as f64 * 1000.0 + self.ms;
        if ms > DAY_MS as f64 {
            return None;
        }
        let time = ms / DAY_MS as f64;
        if !with_date {
            return Some(time);
        }
        // A pattern of months alone (`MMM`) counts from 1899, the year of day 0's neighbours.
        let year = self.year.unwrap_or(1900);
        let day = valid_day(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?;
        Some(day as f64 + time)
    }
}

/// The pieces with those in `[…]` at their place.
fn flatten(pieces: &[Piece]) -> Vec<&Piece> {
    let mut all = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Optional(inner) => all.extend(flatten(inner)),
            piece => all.push(piece),
        }
    }
    all
}

/// Pieces up to the end, or to the `]` that closes an optional part.
fn parse_pieces(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, depth: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    while let Some(c) = chars.next() {
        let mut count = || {
            let mut n = 1;
            while chars
                .next_if(|next| next.eq_ignore_ascii_case(&c))
                .is_some()
            {
                n += 1;
            }
            n
        };
        let piece = match c {
            'Y' | 'y' => Piece::Year(count()),
            'D' | 'd' => Piece::Day(count()),
            'W' | 'w' => Piece::Weekday(count()),
            'H' | 'h' => Piece::Hour(count()),
            'S' | 's' => Piece::Second(count()),
            'F' | 'f' => Piece::Fraction(count()),
            'M' => Piece::Month(count()),
            'm' => match count() {
                n @ 1..=2 => Piece::Minute(n),
                n => Piece::Month(n),
            },
            'T' | 't' if chars.next_if(|n| n.eq_ignore_ascii_case(&'t')).is_some() => {
                Piece::Half { upper: c == 'T' }
            }
            '[' if depth < 4 => Piece::Optional(parse_pieces(chars, depth + 1)),
            ']' if depth > 0 => break,
            c => Piece::Literal(c.to_string()),
        };
        match (pieces.last_mut(), piece) {
            (Some(Piece::Literal(text)), Piece::Literal(more)) => text.push_str(&more),
            (_, piece) => pieces.push(piece),
        }
    }
    pieces
}

fn write_pieces(pieces: &[Piece], at: Moment, twelve: bool, locale: &Locale, out: &mut String) {
    let date = civil(at.day);
    let name = |names: &[String], index: i64| {
        name_at(names, index).unwrap_or_else(|| (index + 1).to_string())
    };
    for piece in pieces {
        let _ = match piece {
            Piece::Year(1..=2) => write!(out, "{:02}", date.year % 100),
            Piece::Year(n) => write!(out, "{:0w$}", date.year, w = (*n).min(20)),
            Piece::Month(n @ 1..=2) => write!(out, "{:0w$}", date.month, w = *n),
            Piece::Month(3) => write!(out, "{}", name(&locale.month_names, date.month - 1)),
            Piece::Month(_) => write!(out, "{}", name(&locale.long_month_names, date.month - 1)),
            Piece::Day(n) => write!(out, "{:0w$}", date.day, w = (*n).min(20)),
            Piece::Weekday(n @ 1..=2) => write!(out, "{:0w$}", weekday(at.day), w = *n),
            Piece::Weekday(3) => write!(out, "{}", name(&locale.day_names, weekday(at.day))),
            Piece::Weekday(_) => write!(out, "{}", name(&locale.long_day_names, weekday(at.day))),
            Piece::Hour(n) => {
                let hour = match (twelve, at.hour() % 12) {
                    (false, _) => at.hour(),
                    (true, 0) => 12,
                    (true, hour) => hour,
                };
                write!(out, "{hour:0w$}", w = (*n).min(20))
            }
            Piece::Minute(n) => write!(out, "{:0w$}", at.minute(), w = (*n).min(20)),
            Piece::Second(n) => write!(out, "{:0w$}", at.second(), w = (*n).min(20)),
            Piece::Fraction(n) => {
                push_fraction(out, at.ms % 1000, *n);
                Ok(())
            }
            Piece::Half { upper } => write!(
                out,
                "{}",
                match (at.hour() < 12, upper) {
                    (true, true) => "AM",
                    (false, true) => "PM",
                    (true, false) => "am",
                    (false, false) => "pm",
                }
            ),
            Piece::Literal(text) => {
                out.push_str(text);
                Ok(())
            }
            // Optional parts are fractions of a second in practice: shown when not zero.
            Piece::Optional(inner) => {
                if at.ms % 1000 != 0 {
                    write_pieces(inner, at, twelve, locale, out);
                }
                Ok(())
            }
        };
    }
}

/// The first `n` digits of milliseconds as a fraction of a second.
fn push_fraction(out: &mut String, ms: i64, n: usize) {
    let digits = format!("{:03}", ms % 1000);
    for at in 0..n.min(12) {
        out.push(digits.as_bytes().get(at).map_or('0', |b| char::from(*b)));
    }
}

/// Reads pieces from the start of `text`; returns what is left.
fn read_pieces<'t>(
    pieces: &[Piece],
    mut text: &'t [u8],
    parts: &mut Parts,
    locale: &Locale,
) -> Option<&'t [u8]> {
    for (index, piece) in pieces.iter().enumerate() {
        // Codes that touch read exactly as many digits as they have letters.
        let touching = matches!(
            pieces.get(index + 1),
            Some(
                Piece::Year(_)
                    | Piece::Month(1..=2)
                    | Piece::Day(_)
                    | Piece::Hour(_)
                    | Piece::Minute(_)
                    | Piece::Second(_)
                    | Piece::Fraction(_)
            )
        ) || (index > 0
            && !matches!(pieces[index - 1], Piece::Literal(_) | Piece::Optional(_)));
        let number = |text: &mut &'t [u8], n: usize, most: usize| {
            if touching {
                digits(text, n, n)
            } else {
                digits(text, 1, most.max(n))
            }
        };
        match piece {
            Piece::Year(n) => {
                let before = text.len();
                let year = if touching {
                    digits(&mut text, *n, *n)?
                } else if *n >= 3 {
                    digits(&mut text, 4, 4)?
                } else {
                    digits(&mut text, 2, 4)?
                };
                parts.year = Some(match before - text.len() {
                    // Two digits mean the years 1950 to 2049.
                    2 if *n <= 2 => {
                        if year < 50 {
                            2000 + year
                        } else {
                            1900 + year
                        }
                    }
                    _ => year,
                });
            }
            Piece::Month(n @ 1..=2) => parts.month = Some(number(&mut text, *n, 2)?),
            Piece::Month(n) => {
                let (first, second) = if *n == 3 {
                    (&locale.month_names, &locale.long_month_names)
                } else {
                    (&locale.long_month_names, &locale.month_names)
                };
                let month = name(&mut text, first).or_else(|| name(&mut text, second))?;
                parts.month = Some(month + 1);
            }
            Piece::Day(n) => parts.day = Some(number(&mut text, *n, 2)?),
            Piece::Weekday(n @ 1..=2) => {
                digits(&mut text, 1, *n)?;
            }
            Piece::Weekday(_) => {
                name(&mut text, &locale.long_day_names)
                    .or_else(|| name(&mut text, &locale.day_names))?;
            }
            Piece::Hour(n) => parts.hour = Some(number(&mut text, *n, 9)?),
            Piece::Minute(n) => parts.minute = Some(number(&mut text, *n, 9)?),
            Piece::Second(n) => parts.second = Some(number(&mut text, *n, 9)?),
            Piece::Fraction(_) => {
                let before = text;
                digits(&mut text, 1, 9)?;
                let read = &before[..before.len() - text.len()];
                parts.ms = read
                    .iter()
                    .rev()
                    .fold(0.0, |sum, b| (sum + f64::from(b - b'0')) / 10.0)
                    * 1000.0;
                // Instants are kept to the millisecond.
                parts.ms = parts.ms.round();
            }
            Piece::Half { .. } => {
                while let [b' ', rest @ ..] = text {
                    text = rest;
                }
                match text {
                    [b'a' | b'A', b'm' | b'M', rest @ ..] => {
                        parts.afternoon = Some(false);
                        text = rest;
                    }
                    [b'p' | b'P', b'm' | b'M', rest @ ..] => {
                        parts.afternoon = Some(true);
                        text = rest;
                    }
                    // The mark may be missing: then the clock is one of 24 hours.
                    _ => {}
                }
            }
            Piece::Literal(literal) => match text.strip_prefix(literal.as_bytes()) {
                Some(rest) => text = rest,
                // A space before an absent AM or PM may be absent too.
                None if text.is_empty()
                    && literal.trim().is_empty()
                    && matches!(pieces.get(index + 1), Some(Piece::Half { .. })) => {}
                None => return None,
            },
            Piece::Optional(inner) => {
                let mut tried = *parts;
                if let Some(rest) = read_pieces(inner, text, &mut tried, locale) {
                    *parts = tried;
                    text = rest;
                }
            }
        }
    }
    Some(text)
}

/// Reads `least..=most` digits as a number.
fn digits(text: &mut &[u8], least: usize, most: usize) -> Option<i64> {
    let mut value = 0i64;
    let mut n = 0;
    while n < most.min(15) && text.get(n).is_some_and(u8::is_ascii_digit) {
        value = value * 10 + i64::from(text[n] - b'0');
        n += 1;
    }
    (n >= least && n > 0).then(|| {
        *text = &text[n..];
        value
    })
}

/// Reads the longest of `names` the text begins with, without regard to ASCII case.
fn name(text: &mut &[u8], names: &[String]) -> Option<i64> {
    let (index, found) = names
        .iter()
        .enumerate()
        .filter(|(_, name)| {
            !name.is_empty()
                && text
                    .get(..name.len())
                    .is_some_and(|t| t.eq_ignore_ascii_case(name.as_bytes()))
        })
        .max_by_key(|(_, name)| name.len())?;
    *text = &text[found.len()..];
    i64::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, text: &str, serial: Option<f64>) {
        let locale = Locale::default();
        let pattern = DatePattern::parse(format);
        assert_eq!(
            pattern.read(text, &locale),
            serial,
            "reading {text} as {format}"
        );
    }

    #[test]
    fn dates_are_read_by_their_pattern() {
        check("M/D/YYYY", "8/6/1997", Some(35_648.0));
        check("MM/DD/YYYY", "8/6/1997", Some(35_648.0));
        check("YYYYMMDD", "19970806", Some(35_648.0));
        check("YYYYMMDD", "1997086", None);
        check("M/D/YYYY", "2/30/1997", None);
        check("M/D/YYYY", "8/6/97", None);
        check("YY-MM-DD", "97-08-06", Some(35_648.0));
        check("DD MMM YYYY", "06 aug 1997", Some(35_648.0));
        check("DD MMMM YYYY", "6 August 1997", Some(35_648.0));
        check("yyyy-mm-dd", "1997-08-06", Some(35_648.0));
        check("hh:mm:ss TT", "9:00:00 AM", Some(0.375));
        check("hh:mm:ss TT", "12:00:00 am", Some(0.0));
        check("hh:mm[:ss[.fff]]", "12:00", Some(0.5));
        check("hh:mm[:ss[.fff]]", "25:00", None);
        check(
            "YYYY-MM-DD hh:mm:ss.fff",
            "1997-08-06 12:00:00.000",
            Some(35_648.5),
        );
    }

    #[test]
    fn moments_are_shown_by_their_pattern() {
        let locale = Locale::default();
        for (format, serial, want) in [
            ("M/D/YYYY", 35_648.0, "8/6/1997"),
            ("YY.MM.DD", 35_648.0, "97.08.06"),
            ("WWW D MMM", 35_648.0, "Wed 6 Aug"),
            ("WWWW, MMMM YYYY", 35_648.0, "Wednesday, August 1997"),
            ("h:mm:ss TT", 0.5, "12:00:00 PM"),
            ("hh-mm", 0.99999, "23-59"),
            ("hh:MM", 0.51, "12:14"),
            ("hh:mm:ss.fff", 0.25 + 0.005 / 86_400.0, "06:00:00.005"),
            ("hh:mm:ss[.fff]", 0.25, "06:00:00"),
        ] {
            assert_eq!(
                DatePattern::parse(format).format(serial, &locale).unwrap(),
                want
            );
        }
    }
}
