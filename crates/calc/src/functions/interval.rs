//! Functions of calendar intervals: `MonthStart`, `InQuarter`, `YearName` and their kin.
//!
//! All take `(date, period)`, the `In…` functions `(date, base, period)`. What begins the
//! interval follows: the first month of the year, the first day of the week (0 is Monday), or
//! for `InDay` the fraction of a day at which days begin.

use satchel_data::Value;

use super::date::{dated, moment, rule, whole_arg};
use super::{Function, Run, function, num};
use crate::calendar::{Moment, civil, days_in_month, serial_day, shift_month, week_start};
use crate::eval::EvalContext;

/// A function whose first argument is a number of months that divides the year.
macro_rules! months_run {
    ($f:expr) => {
        |args, context| {
            let f: fn(i64, &[Value], &EvalContext<'_>) -> Value = $f;
            match whole_arg(args, 0, context, 1) {
                Some(n @ (1 | 2 | 3 | 4 | 6)) => f(n, &args[1..], context),
                _ => Value::Null,
            }
        }
    };
}
pub(super) const FUNCTIONS: &[Function] = &[
    start("yearstart", |a, c| bound(a, c, YEAR, End::First)),
    start("yearend", |a, c| bound(a, c, YEAR, End::Last)),
    start("yearname", |a, c| name(a, c, YEAR)),
    start("quarterstart", |a, c| bound(a, c, QUARTER, End::First)),
    start("quarterend", |a, c| bound(a, c, QUARTER, End::Last)),
    start("quartername", |a, c| name(a, c, QUARTER)),
    function("monthstart", 1, 2, |a, c| bound(a, c, MONTH, End::First)),
    function("monthend", 1, 2, |a, c| bound(a, c, MONTH, End::Last)),
    function("monthname", 1, 2, |a, c| name(a, c, MONTH)),
    start("weekstart", |a, c| bound(a, c, Unit::Week, End::First)),
    start("weekend", |a, c| bound(a, c, Unit::Week, End::Last)),
    function("weekname", 1, 5, week_name),
    start("lunarweekstart", |a, c| {
        bound(a, c, Unit::LunarWeek, End::First)
    }),
    start("lunarweekend", |a, c| {
        bound(a, c, Unit::LunarWeek, End::Last)
    }),
    start("lunarweekname", lunar_week_name),
    function(
        "monthsstart",
        2,
        4,
        months_run!(|n, a, c| bound(a, c, Unit::Months(n), End::First)),
    ),
    function(
        "monthsend",
        2,
        4,
        months_run!(|n, a, c| bound(a, c, Unit::Months(n), End::Last)),
    ),
    function(
        "monthsname",
        2,
        4,
        months_run!(|n, a, c| name(a, c, Unit::Months(n))),
    ),
    within("inyear", |a, c| contains(a, c, YEAR, false)),
    within("inyeartodate", |a, c| contains(a, c, YEAR, true)),
    within("inquarter", |a, c| contains(a, c, QUARTER, false)),
    within("inquartertodate", |a, c| contains(a, c, QUARTER, true)),
    function("inmonth", 3, 3, |a, c| contains(a, c, MONTH, false)),
    function("inmonthtodate", 3, 3, |a, c| contains(a, c, MONTH, true)),
    function(
        "inmonths",
        4,
        5,
        months_run!(|n, a, c| contains(a, c, Unit::Months(n), false)),
    ),
    function(
        "inmonthstodate",
        4,
        5,
        months_run!(|n, a, c| contains(a, c, Unit::Months(n), true)),
    ),
    within("inweek", |a, c| contains(a, c, Unit::Week, false)),
    within("inweektodate", |a, c| contains(a, c, Unit::Week, true)),
    within("inlunarweek", |a, c| contains(a, c, Unit::LunarWeek, false)),
    within("inlunarweektodate", |a, c| {
        contains(a, c, Unit::LunarWeek, true)
    }),
    within("inday", |a, c| in_day(a, c, false)),
    within("indaytotime", |a, c| in_day(a, c, true)),
    function("yeartodate", 1, 4, year_to_date),
];

/// A kind of calendar interval.
#[derive(Clone, Copy)]
enum Unit {
    /// So many months, counted from the first month of the year.
    Months(i64),
    Week,
    /// Weeks counted from 1 January, the last one shorter than seven days.
    LunarWeek,
}

const YEAR: Unit = Unit::Months(12);
const QUARTER: Unit = Unit::Months(3);
const MONTH: Unit = Unit::Months(1);

enum End {
    First,
    Last,
}

const fn start(name: &'static str, run: Run) -> Function {
    function(name, 1, 3, run)
}

const fn within(name: &'static str, run: Run) -> Function {
    function(name, 3, 4, run)
}

impl Unit {
    /// First day and the day after the last, of the interval `shift` after the one that holds
    /// `day`. `first` is the first month of the year or day of the week, if given.
    fn around(
        self,
        day: i64,
        shift: i64,
        first: Option<i64>,
        context: &EvalContext<'_>,
    ) -> Option<(i64, i64)> {
        let date = civil(day);
        match self {
            Self::Months(length) => {
                let first = first.unwrap_or(1);
                if !(1..=12).contains(&first) || shift.abs() > 200_000 {
                    return None;
                }
                let back = (date.month - first).rem_euclid(length);
                let (y, m) = shift_month(date.year, date.month, shift * length - back);
                let (next_y, next_m) = shift_month(y, m, length);
                Some((serial_day(y, m, 1), serial_day(next_y, next_m, 1)))
            }
            Self::Week => {
                let first = first.unwrap_or(context.locale.first_week_day);
                if !(0..=6).contains(&first) {
                    return None;
                }
                let from = week_start(day, first) + shift * 7;
                Some((from, from + 7))
            }
            Self::LunarWeek => {
                let day = day + shift * 7;
                let year = Moment::of(day as f64).map(|m| civil(m.day).year)?;
                let january = serial_day(year, 1, 1);
                let from = january + (day - january).div_euclid(7) * 7;
                Some((from, (from + 7).min(serial_day(year + 1, 1, 1))))
            }
        }
    }

    /// The day that is as far into the shifted interval as `day` is into its own.
    fn shifted(self, day: i64, shift: i64) -> i64 {
        match self {
            Self::Months(length) => {
                let date = civil(day);
                let (y, m) = shift_month(date.year, date.month, shift * length);
                serial_day(y, m, date.day.min(days_in_month(y, m)))
            }
            Self::Week | Self::LunarWeek => day + shift * 7,
        }
    }
}

/// The optional argument that says where intervals begin; `None` if it makes no sense.
fn first_arg(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<Option<i64>> {
    match args.get(i) {
        None | Some(Value::Null) => Some(None),
        Some(_) => whole_arg(args, i, context, 0).map(Some),
    }
}

/// The interval that `(date [, period [, first]])` mean.
fn interval(args: &[Value], context: &EvalContext<'_>, unit: Unit) -> Option<(i64, i64)> {
    let at = moment(args, 0, context)?;
    let shift = whole_arg(args, 1, context, 0)?;
    unit.around(at.day, shift, first_arg(args, 2, context)?, context)
}

fn bound(args: &[Value], context: &EvalContext<'_>, unit: Unit, end: End) -> Value {
    let Some((from, next)) = interval(args, context, unit) else {
        return Value::Null;
    };
    match end {
        End::First => dated(from as f64, context),
        // The last millisecond of the interval, shown as its date.
        End::Last => match dated((next - 1) as f64, context) {
            Value::Null => Value::Null,
            day => Value::dual(next as f64 - 1.0 / 86_400_000.0, day.to_text()),
        },
    }
}

fn name(args: &[Value], context: &EvalContext<'_>, unit: Unit) -> Value {
    let Some((from, next)) = interval(args, context, unit) else {
        return Value::Null;
    };
    let (a, b) = (civil(from), civil(next - 1));
    if a.year < 1 || b.year > 9999 {
        return Value::Null;
    }
    let month = |m: i64| {
        let names = &context.locale.month_names;
        crate::locale::name_at(names, m - 1).unwrap_or_else(|| m.to_string())
    };
    let text = match unit {
        Unit::Months(12) if a.year == b.year => a.year.to_string(),
        Unit::Months(12) => format!("{}-{}", a.year, b.year),
        Unit::Months(1) => format!("{} {}", month(a.month), a.year),
        _ => format!("{}-{} {}", month(a.month), month(b.month), b.year),
    };
    Value::dual(from as f64, text)
}

/// `WeekName(date [, period [, first day [, broken [, reference day]]]])`: year and number.
fn week_name(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(at), Some(shift), Some(rule)) = (
        moment(args, 0, context),
        whole_arg(args, 1, context, 0),
        rule(args, 2, context),
    ) else {
        return Value::Null;
    };
    let Some(at) = Moment::of((at.day + shift * 7) as f64) else {
        return Value::Null;
    };
    let (year, number) = rule.week_of(at.day);
    let mut from = week_start(at.day, rule.first_week_day);
    if rule.broken {
        // A week that spans two years is two weeks; they must not be one symbol.
        from = from.max(serial_day(year, 1, 1));
    }
    Value::dual(from as f64, format!("{year}/{number:02}"))
}

fn lunar_week_name(args: &[Value], context: &EvalContext<'_>) -> Value {
    let Some((from, _)) = interval(args, context, Unit::LunarWeek) else {
        return Value::Null;
    };
    let year = civil(from).year;
    let number = (from - serial_day(year, 1, 1)) / 7 + 1;
    Value::dual(from as f64, format!("{year}/{number:02}"))
}

/// `InX(date, base, period [, first])`. To date means up to the last moment of the base date.
fn contains(args: &[Value], context: &EvalContext<'_>, unit: Unit, to_date: bool) -> Value {
    let (Some(at), Some(base), Some(shift), Some(first)) = (
        moment(args, 0, context),
        moment(args, 1, context),
        whole_arg(args, 2, context, 0),
        first_arg(args, 3, context),
    ) else {
        return Value::Null;
    };
    let Some((from, next)) = unit.around(base.day, shift, first, context) else {
        return Value::Null;
    };
    let end = if to_date {
        unit.shifted(base.day, shift) + 1
    } else {
        next
    };
    Value::boolean((from..end).contains(&at.day))
}

/// `InDay(time, base, period [, day start])`; to time means up to the very moment of the base.
fn in_day(args: &[Value], context: &EvalContext<'_>, to_time: bool) -> Value {
    let (Some(at), Some(base), Some(shift)) = (
        num(args, 0, context),
        num(args, 1, context),
        whole_arg(args, 2, context, 0),
    ) else {
        return Value::Null;
    };
    let begins = match args.get(3) {
        None | Some(Value::Null) => 0.0,
        Some(_) => match num(args, 3, context) {
            Some(n) if (-1.0..=1.0).contains(&n) => n,
            _ => return Value::Null,
        },
    };
    let (Some(at), Some(base)) = (Moment::of(at - begins), Moment::of(base - begins)) else {
        return Value::Null;
    };
    let same_day = at.day == base.day + shift;
    Value::boolean(same_day && (!to_time || at.ms <= base.ms))
}

/// `YearToDate(date [, year offset [, first month [, today]]])`.
fn year_to_date(args: &[Value], context: &EvalContext<'_>) -> Value {
    let today = match args.get(3) {
        None | Some(Value::Null) => Moment::of(context.now),
        Some(_) => moment(args, 3, context),
    };
    let (Some(at), Some(shift), Some(first), Some(today)) = (
        moment(args, 0, context),
        whole_arg(args, 1, context, 0),
        first_arg(args, 2, context),
        today,
    ) else {
        return Value::Null;
    };
    match YEAR.around(today.day, shift, first, context) {
        Some((from, _)) => {
            Value::boolean((from..=YEAR.shifted(today.day, shift)).contains(&at.day))
        }
        None => Value::Null,
    }
}
