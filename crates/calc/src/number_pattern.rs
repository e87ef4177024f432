//! Format codes for numbers and money: `#,##0.00`, `0.0%`, `$ #,##0;($ #,##0)`, `(hex)`.
//!
//! `0` is a digit, `#` a digit that may be missing before the decimal separator; both fix the
//! count of decimals behind it. A thousands separator groups digits as it does in the code.
//! A `%` shows hundredths, an `A` after the digits an abbreviation such as `k` or `M`.
//! Sections divided by `;` are for positive, negative and zero numbers.

use satchel_data::number_text;

use crate::locale::Locale;

/// Digits a double carries without noise; more would show 0.1 + 0.2 as 0.30000000000000004.
const SIGNIFICANT: usize = 15;

/// Decimals beyond this are not written, whatever the code asks.
const MOST_DECIMALS: usize = 30;

/// One section of a compiled number format.
#[derive(Clone, Debug, Default, PartialEq)]
struct Section {
    prefix: String,
    suffix: String,
    /// Fewest digits before the decimal separator.
    least_digits: usize,
    decimals: usize,
    /// Sizes of the digit groups from the right; the last repeats. Empty: no grouping.
    groups: Vec<usize>,
    percent: bool,
    abbreviate: bool,
    /// An exponent of this many digits, as in `0.00E+00`.
    exponent: Option<usize>,
    /// Whether any `0` or `#` was present; a section without digits is literal text.
    has_digits: bool,
}

/// How whole numbers in another notation are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Notation {
    Radix { base: u32, upper: bool },
    Roman { upper: bool },
}

/// A compiled number format with its separators.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NumberPattern {
    sections: Vec<Section>,
    notation: Option<Notation>,
    decimal_sep: String,
    thousand_sep: String,
}

impl NumberPattern {
    /// Compiles a format. Never fails: what is not a code is literal text.
    pub fn parse(format: &str, decimal_sep: &str, thousand_sep: &str) -> Self {
        let notation = parse_notation(format);
        let sections = match notation {
            Some(_) => Vec::new(),
            None => format
                .split(';')
                .map(|section| parse_section(section, decimal_sep, thousand_sep))
                .collect(),
        };
        Self {
            sections,
            notation,
            decimal_sep: decimal_sep.to_owned(),
            thousand_sep: thousand_sep.to_owned(),
        }
    }

    /// The text of a number.
    pub fn format(&self, num: f64, locale: &Locale) -> String {
        if !num.is_finite() {
            return String::new();
        }
        if let Some(notation) = self.notation {
            return notation.format(num);
        }
        let fallback = Section::default();
        let positive = self.sections.first().unwrap_or(&fallback);
        let (section, num, sign) = match (self.sections.as_slice(), num) {
            ([_, _, zero], 0.0) => (zero, 0.0, ""),
            ([_, negative, ..], n) if n < 0.0 => (negative, -n, ""),
            (_, n) if n < 0.0 => (positive, -n, "-"),
            (_, n) => (positive, n, ""),
        };
        if !section.has_digits {
            return if section.prefix.is_empty() && self.sections.len() <= 1 {
                format!("{sign}{}", number_text(num))
            } else {
                section.prefix.clone()
            };
        }
        let mut out = String::with_capacity(24);
        out.push_str(sign);
        out.push_str(&section.prefix);
        self.push_number(section, num, locale, &mut out);
        out.push_str(&section.suffix);
        // A number that rounds to nothing has no sign.
        if sign == "-" && !out.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
            out.remove(0);
        }
        out
    }

    /// Digits, separators and unit of a number that is not negative.
    fn push_number(&self, section: &Section, num: f64, locale: &Locale, out: &mut String) {
        if let Some(width) = section.exponent {
            let text = format!("{:.*e}", section.decimals.min(MOST_DECIMALS), num);
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let sign = if exponent < 0 { '-' } else { '+' };
            out.push_str(&digits.replace('.', &self.decimal_sep));
            out.push_str(&format!(
                "E{sign}{:0width$}",
                exponent.abs(),
                width = width.min(9)
            ));
            return;
        }
        let (num, unit) = if section.percent {
            (num * 100.0, "")
        } else if section.abbreviate {
            abbreviation(num, locale)
        } else {
            (num, "")
        };
        let digits = rounded(num, section.decimals);
        let (whole, decimals) = digits.split_once('.').unwrap_or((&digits, ""));
        let whole = if whole == "0" && section.least_digits == 0 {
            ""
        } else {
            whole
        };
        let padded = format!("{whole:0>w$}", w = section.least_digits.min(100));
        self.push_grouped(section, &padded, out);
        if !decimals.is_empty() {
            out.push_str(&self.decimal_sep);
            out.push_str(decimals);
        }
        out.push_str(unit);
    }

    fn push_grouped(&self, section: &Section, digits: &str, out: &mut String) {
        let Some(&last) = section.groups.last() else {
            out.push_str(digits);
            return;
        };
        let mut sizes = section
            .groups
            .iter()
            .copied()
            .chain(std::iter::repeat(last));
        let mut cuts = Vec::new();
        let mut at = digits.len();
        loop {
            let size = sizes.next().unwrap_or(last).max(1);
            if at <= size {
                break;
            }
            at -= size;
            cuts.push(at);
        }
        let mut from = 0;
        for cut in cuts.into_iter().rev() {
            out.push_str(&digits[from..cut]);
            out.push_str(&self.thousand_sep);
            from = cut;
        }
        out.push_str(&digits[from..]);
    }

    /// Reads a text written in this format: separators, prefix, suffix, sign and percent.
    pub fn read(&self, text: &str) -> Option<f64> {
        if let Some(notation) = self.notation {
            return notation.read(text);
        }
        let mut text = text.trim();
        let mut negative = false;
        if let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
            negative = true;
            text = inner.trim();
        }
        if let Some(rest) = text.strip_prefix('-') {
            negative = !negative;
            text = rest;
        }
        let mut percent = false;
        if let Some(section) = self.sections.first() {
            percent = section.percent && text.contains('%');
            text = text.strip_prefix(section.prefix.trim()).unwrap_or(text);
            text = text.strip_suffix(section.suffix.trim()).unwrap_or(text);
        }
        text = text.trim();
        if let Some(rest) = text.strip_prefix('-') {
            negative = !negative;
            text = rest.trim_start();
        }
        let number = read_number(text, &self.decimal_sep, &self.thousand_sep)?;
        let number = if percent { number / 100.0 } else { number };
        Some(if negative { -number } else { number })
    }

    /// Whether a text in this format can begin with something else than a digit or sign.
    pub fn begins_with(&self, first: char) -> bool {
        self.sections
            .iter()
            .any(|s| s.prefix.trim_start().starts_with(first))
    }
}

fn parse_notation(format: &str) -> Option<Notation> {
    let inner = format.strip_prefix('(')?;
    let (code, _) = inner.split_once(')')?;
    let upper = code.chars().any(char::is_uppercase);
    let radix = |base| Some(Notation::Radix { base, upper });
    match code.to_ascii_lowercase().as_str() {
        "bin" => radix(2),
        "oct" => radix(8),
        "hex" => radix(16),
        "rom" => Some(Notation::Roman { upper }),
        code => {
            let base: u32 = code.strip_prefix('r')?.parse().ok()?;
            (2..=36)
                .contains(&base)
                .then_some(Notation::Radix { base, upper })
        }
    }
}

fn parse_section(section: &str, decimal_sep: &str, thousand_sep: &str) -> Section {
    let is_digit = |c: char| c == '0' || c == '#';
    let (Some(first), Some(last)) = (section.find(is_digit), section.rfind(is_digit)) else {
        return Section {
            prefix: section.to_owned(),
            ..Section::default()
        };
    };
    // A decimal separator may open the number, as in `.00`.
    let first = if !decimal_sep.is_empty() && section[..first].ends_with(decimal_sep) {
        first - decimal_sep.len()
    } else {
        first
    };
    let mut digits = &section[first..=last];
    let mut suffix = &section[last + 1..];
    let mut exponent = None;
    if let Some(at) = digits.find("E+").or_else(|| digits.find("e+")) {
        exponent = Some(digits.len() - at - 2);
        digits = &digits[..at];
    }
    let (whole, decimals) = match (decimal_sep.is_empty(), digits.rfind(decimal_sep)) {
        (false, Some(at)) if decimal_sep != thousand_sep || !digits[..at].contains(decimal_sep) => {
            (&digits[..at], &digits[at + decimal_sep.len()..])
        }
        _ => (digits, ""),
    };
    let mut groups = Vec::new();
    if !thousand_sep.is_empty() {
        groups = whole
            .rsplit(thousand_sep)
            .map(|g| g.matches(is_digit).count())
            .collect();
        groups.pop();
    }
    let abbreviate = suffix.starts_with('A');
    if abbreviate {
        suffix = &suffix[1..];
    }
    Section {
        prefix: section[..first].to_owned(),
        suffix: suffix.to_owned(),
        least_digits: whole.matches('0').count(),
        decimals: decimals.matches(is_digit).count().min(MOST_DECIMALS),
        groups,
        percent: section.contains('%'),
        abbreviate,
        exponent,
        has_digits: true,
    }
}

/// `num` (not negative) with a fixed count of decimals, halves away from zero.
///
/// The number is first written with 15 significant digits, so that 1.005 counts as the half
/// it looks like rather than as the slightly smaller double it is.
fn rounded(num: f64, decimals: usize) -> String {
    let text = format!("{num:.*e}", SIGNIFICANT - 1);
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let Ok(exponent) = exponent.parse::<i32>() else {
        return text;
    };
    let mut digits: Vec<u8> = digits
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|b| b - b'0')
        .collect();
    // `keep` digits stay: those before the point and the decimals.
    let keep = exponent + 1 + i32::try_from(decimals).unwrap_or(i32::MAX / 2);
    let mut exponent = exponent;
    match usize::try_from(keep) {
        Err(_) => digits.clear(),
        Ok(keep) if keep < digits.len() => {
            let up = digits[keep] >= 5;
            digits.truncate(keep);
            if up {
                let mut at = keep;
                loop {
                    if at == 0 {
                        digits.insert(0, 1);
                        exponent += 1;
                        break;
                    }
                    at -= 1;
                    if digits[at] < 9 {
                        digits[at] += 1;
                        break;
                    }
                    digits[at] = 0;
                }
            }
        }
        Ok(_) => {}
    }
    if digits.iter().all(|d| *d == 0) {
        exponent = 0;
    }
    let digit_at = |place: i32| {
        usize::try_from(exponent - place)
            .ok()
            .and_then(|at| digits.get(at))
            .map_or('0', |d| char::from(b'0' + d))
    };
    let mut out: String = (0..=exponent.max(0)).rev().map(digit_at).collect();
    if decimals > 0 {
        out.push('.');
        out.extend((1..=i32::try_from(decimals).unwrap_or(0)).map(|place| digit_at(-place)));
    }
    out
}

/// The number divided by the greatest scale not above it, and the scale's name.
fn abbreviation(num: f64, locale: &Locale) -> (f64, &str) {
    let best = locale
        .abbreviations
        .iter()
        .filter(|(scale, _)| {
            let unit = 10f64.powi(*scale);
            num >= unit && (*scale > 0 || num < 1.0)
        })
        .max_by_key(|(scale, _)| *scale);
    match best {
        Some((scale, name)) if *scale > 0 => (num / 10f64.powi(*scale), name),
        Some((scale, name)) => (num * 10f64.powi(-*scale), name),
        None => (num, ""),
    }
}

/// Reads digits with optional groups, decimals and an exponent; no sign before the digits.
pub(crate) fn read_number(text: &str, decimal_sep: &str, thousand_sep: &str) -> Option<f64> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut group = 0;
    let mut grouped = false;
    loop {
        if let Some(c) = rest.bytes().next().filter(u8::is_ascii_digit) {
            plain.push(char::from(c));
            group += 1;
            rest = &rest[1..];
        } else if !thousand_sep.is_empty()
            && let Some(after) = strip_sep(rest, thousand_sep)
            && after.starts_with(|c: char| c.is_ascii_digit())
        {
            // The first group has one to three digits, the others three.
            if group == 0 || group > 3 || (grouped && group != 3) {
                return None;
            }
            grouped = true;
            group = 0;
            rest = after;
        } else {
            break;
        }
    }
    if grouped && group != 3 {
        return None;
    }
    let mut n_digits = plain.len();
    if !decimal_sep.is_empty()
        && let Some(after) = rest.strip_prefix(decimal_sep)
    {
        plain.push('.');
        let n = after.bytes().take_while(u8::is_ascii_digit).count();
        plain.push_str(&after[..n]);
        n_digits += n;
        rest = &after[n..];
    }
    if n_digits == 0 {
        return None;
    }
    if let Some(after) = rest.strip_prefix(['e', 'E']) {
        let signless = after.strip_prefix(['+', '-']).unwrap_or(after);
        let n = signless.bytes().take_while(u8::is_ascii_digit).count();
        if n == 0 || n > 4 {
            return None;
        }
        plain.push('e');
        plain.push_str(&after[..after.len() - signless.len() + n]);
        rest = &signless[n..];
    }
    if !rest.is_empty() {
        return None;
    }
    plain.parse::<f64>().ok().filter(|n| n.is_finite())
}

/// Strips a thousands separator; any kind of space stands for a space.
fn strip_sep<'t>(text: &'t str, sep: &str) -> Option<&'t str> {
    text.strip_prefix(sep).or_else(|| {
        let space = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}');
        (sep.chars().all(space) && text.starts_with(space)).then(|| text.trim_start_matches(space))
    })
}

impl Notation {
    fn format(self, num: f64) -> String {
        let whole = num.trunc();
        if whole.abs() >= 9e15 {
            return number_text(num);
        }
        let sign = if whole < 0.0 { "-" } else { "" };
        let n = whole.abs() as u64;
        let text = match self {
            Self::Radix { base, .. } => radix_text(n, base),
            Self::Roman { .. } if n == 0 || n > 3999 => number_text(n as f64),
            Self::Roman { .. } => roman_text(n),
        };
        let upper = match self {
            Self::Radix { upper, .. } | Self::Roman { upper } => upper,
        };
        format!(
            "{sign}{}",
            if upper {
                text.to_ascii_uppercase()
            } else {
                text
            }
        )
    }

    fn read(self, text: &str) -> Option<f64> {
        let text = text.trim();
        match self {
            Self::Radix { base, .. } => i64::from_str_radix(text, base).ok().map(|n| n as f64),
            Self::Roman { .. } => {
                let lower = text.to_ascii_lowercase();
                (1..=3999u64)
                    .find(|n| roman_text(*n) == lower)
                    .map(|n| n as f64)
            }
        }
    }
}

fn radix_text(mut n: u64, base: u32) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(n % u64::from(base)).unwrap_or(0);
        digits.push(char::from_digit(digit, base).unwrap_or('?'));
        n /= u64::from(base);
        if n == 0 {
            break;
        }
    }
    digits.into_iter().rev().collect()
}

fn roman_text(mut n: u64) -> String {
    let mut out = String::new();
    for (value, text) in [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ] {
        while n >= value {
            out.push_str(text);
            n -= value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(num: f64, format: &str, want: &str) {
        let locale = Locale::default();
        assert_eq!(
            NumberPattern::parse(format, ".", ",").format(num, &locale),
            want,
            "{format}"
        );
    }

    #[test]
    fn numbers_are_shown_by_their_pattern() {
        check(35_648.375, "#,##0.00", "35,648.38");
        check(35_648.0, "#,##0.##", "35,648.00");
        check(-1234.5, "#,##0", "-1,235");
        check(-0.001, "0.0", "0.0");
        check(1.005, "0.00", "1.01");
        check(999.999, "0.00", "1000.00");
        check(0.5, "#.0", ".5");
        check(123.0, "0000", "0123");
        check(1_248_912_567.0, "0000,0000,0000", "0012,4891,2567");
        check(0.1234, "0.0%", "12.3%");
        check(-5.0, "$ #,##0.00;($ #,##0.00)", "($ 5.00)");
        check(0.0, "0;-0;'-'", "'-'");
        check(1_234_567.0, "0.0A", "1.2M");
        check(199.0, "(hex)", "c7");
        check(199.0, "(HEX)", "C7");
        check(199.0, "(bin)", "11000111");
        check(1997.0, "(ROM)", "MCMXCVII");
        check(1e20, "0", "100000000000000000000");
        check(1234.5, "0.00E+00", "1.23E+03");
    }

    #[test]
    fn numbers_are_read_by_their_pattern() {
        for (text, format, want) in [
            ("35,648.375", "#,##0.###", Some(35_648.375)),
            ("12.5%", "0.0%", Some(0.125)),
            ("($ 5.00)", "$ #,##0.00;($ #,##0.00)", Some(-5.0)),
            ("$ 1,234.00", "$ #,##0.00", Some(1234.0)),
            ("1,23", "#,##0", None),
            ("c7", "(hex)", Some(199.0)),
            ("MCMXCVII", "(ROM)", Some(1997.0)),
            ("abc", "0", None),
            ("", "0", None),
        ] {
            assert_eq!(
                NumberPattern::parse(format, ".", ",").read(text),
                want,
                "{text}"
            );
        }
    }
}
