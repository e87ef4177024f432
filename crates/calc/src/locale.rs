//! The number interpretation variables: how numbers, dates and weeks are read and written.
//!
//! A script sets them with `SET DateFormat='…'` and so on; [`Locale::set`] takes the name and
//! text as written. Formats are compiled when set, so reading and writing values is fast.

use crate::date_pattern::DatePattern;
use crate::number_pattern::NumberPattern;

/// The variables, in the order in which they are documented.
const VARIABLES: [&str; 16] = [
    "BrokenWeeks",
    "DateFormat",
    "DayNames",
    "DecimalSep",
    "FirstWeekDay",
    "LongDayNames",
    "LongMonthNames",
    "MoneyDecimalSep",
    "MoneyFormat",
    "MoneyThousandSep",
    "MonthNames",
    "NumericalAbbreviation",
    "ReferenceDay",
    "ThousandSep",
    "TimeFormat",
    "TimestampFormat",
];

/// The 16 number interpretation variables. [`Locale::default`] is US English with ISO weeks,
/// which is what functions use when a script sets nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Locale {
    pub(crate) broken_weeks: bool,
    pub(crate) first_week_day: i64,
    pub(crate) reference_day: i64,
    pub(crate) decimal_sep: String,
    pub(crate) thousand_sep: String,
    pub(crate) money_decimal_sep: String,
    pub(crate) money_thousand_sep: String,
    pub(crate) money: NumberPattern,
    pub(crate) date: DatePattern,
    pub(crate) time: DatePattern,
    pub(crate) timestamp: DatePattern,
    pub(crate) month_names: Vec<String>,
    pub(crate) long_month_names: Vec<String>,
    pub(crate) day_names: Vec<String>,
    pub(crate) long_day_names: Vec<String>,
    pub(crate) abbreviations: Vec<(i32, String)>,
    /// The texts of variables whose compiled form cannot be turned back: formats, names.
    texts: [String; 16],
}

impl Default for Locale {
    fn default() -> Self {
        let mut locale = Self {
            broken_weeks: false,
            first_week_day: 0,
            reference_day: 4,
            decimal_sep: String::new(),
            thousand_sep: String::new(),
            money_decimal_sep: String::new(),
            money_thousand_sep: String::new(),
            money: NumberPattern::default(),
            date: DatePattern::parse(""),
            time: DatePattern::parse(""),
            timestamp: DatePattern::parse(""),
            month_names: Vec::new(),
            long_month_names: Vec::new(),
            day_names: Vec::new(),
            long_day_names: Vec::new(),
            abbreviations: Vec::new(),
            texts: Default::default(),
        };
        for (name, text) in [
            ("ThousandSep", ","),
            ("DecimalSep", "."),
            ("MoneyThousandSep", ","),
            ("MoneyDecimalSep", "."),
            ("MoneyFormat", "$#,##0.00;-$#,##0.00"),
            ("TimeFormat", "h:mm:ss TT"),
            ("DateFormat", "M/D/YYYY"),
            ("TimestampFormat", "M/D/YYYY h:mm:ss[.fff] TT"),
            ("FirstWeekDay", "0"),
            ("BrokenWeeks", "0"),
            ("ReferenceDay", "4"),
            (
                "MonthNames",
                "Jan;Feb;Mar;Apr;May;Jun;Jul;Aug;Sep;Oct;Nov;Dec",
            ),
            (
                "LongMonthNames",
                "January;February;March;April;May;June;July;August;September;October;November;\
                 December",
            ),
            ("DayNames", "Mon;Tue;Wed;Thu;Fri;Sat;Sun"),
            (
                "LongDayNames",
                "Monday;Tuesday;Wednesday;Thursday;Friday;Saturday;Sunday",
            ),
            (
                "NumericalAbbreviation",
                "3:k;6:M;9:G;12:T;15:P;18:E;21:Z;24:Y;-3:m;-6:μ;-9:n;-12:p;-15:f;-18:a;-21:z;-24:y",
            ),
        ] {
            locale.set(name, text);
        }
        locale
    }
}

impl Locale {
    /// Sets a variable by its name (without regard to case). Returns `false`, and changes
    /// nothing, if the name is not one of the 16. A text that makes no sense for the variable,
    /// such as a week that begins on day 9, leaves the value but is reported by [`Locale::get`].
    pub fn set(&mut self, name: &str, text: &str) -> bool {
        let Some(index) = VARIABLES.iter().position(|v| v.eq_ignore_ascii_case(name)) else {
            return false;
        };
        let number = || text.trim().parse::<i64>().ok();
        let names = || {
            text.split(';')
                .map(|n| n.trim().to_owned())
                .filter(|n| !n.is_empty())
        };
        match VARIABLES[index] {
            "BrokenWeeks" => {
                if let Some(n) = number() {
                    self.broken_weeks = n != 0;
                }
            }
            "FirstWeekDay" => {
                if let Some(n) = number().filter(|n| (0..=6).contains(n)) {
                    self.first_week_day = n;
                }
            }
            "ReferenceDay" => {
                // 0 means broken weeks' own rule, which is that of 1 January.
                if let Some(n) = number().filter(|n| (0..=7).contains(n)) {
                    self.reference_day = n.max(1);
                }
            }
            "DecimalSep" => text.clone_into(&mut self.decimal_sep),
            "ThousandSep" => text.clone_into(&mut self.thousand_sep),
            "MoneyDecimalSep" => text.clone_into(&mut self.money_decimal_sep),
            "MoneyThousandSep" => text.clone_into(&mut self.money_thousand_sep),
            "DateFormat" => self.date = DatePattern::parse(text),
            "TimeFormat" => self.time = DatePattern::parse(text),
            "TimestampFormat" => self.timestamp = DatePattern::parse(text),
            "MonthNames" => self.month_names = names().collect(),
            "LongMonthNames" => self.long_month_names = names().collect(),
            "DayNames" => self.day_names = names().collect(),
            "LongDayNames" => self.long_day_names = names().collect(),
            "NumericalAbbreviation" => {
                self.abbreviations = text
                    .split(';')
                    .filter_map(|pair| {
                        let (scale, name) = pair.split_once(':')?;
                        Some((scale.trim().parse().ok()?, name.to_owned()))
                    })
                    .collect();
            }
            _ => {}
        }
        text.clone_into(&mut self.texts[index]);
        if VARIABLES[index].starts_with("Money") {
            self.money = NumberPattern::parse(
                &self.texts[8],
                &self.money_decimal_sep,
                &self.money_thousand_sep,
            );
        }
        true
    }

    /// The text of a variable by its name (without regard to case).
    pub fn get(&self, name: &str) -> Option<&str> {
        let index = VARIABLES
            .iter()
            .position(|v| v.eq_ignore_ascii_case(name))?;
        Some(&self.texts[index])
    }

    /// The names of the 16 variables.
    pub fn variables() -> &'static [&'static str] {
        &VARIABLES
    }
}

/// The name at an index, if there is one.
pub(crate) fn name_at(names: &[String], index: i64) -> Option<String> {
    names.get(usize::try_from(index).ok()?).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_set_by_name_and_read_back() {
        let mut locale = Locale::default();
        assert!(locale.set("DATEFORMAT", "YYYY-MM-DD"));
        assert_eq!(locale.get("dateformat"), Some("YYYY-MM-DD"));
        assert!(!locale.set("CollationLocale", "en-US"));
        assert!(
            Locale::variables()
                .iter()
                .all(|name| locale.get(name).is_some())
        );
    }

    #[test]
    fn a_week_cannot_begin_on_day_nine() {
        let mut locale = Locale::default();
        assert!(locale.set("FirstWeekDay", "9"));
        assert_eq!(locale.first_week_day, 0);
    }
}
