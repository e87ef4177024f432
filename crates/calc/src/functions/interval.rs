//! Functions of calendar intervals: `MonthStart`, `InQuarter`, `YearName` and their kin.
//!
//! All take `(date, period)`, the `In…` functions `(date, base, period)`. What begins the
//! interval follows: the first month of the year, the first day of the week (0 is Monday), or
//! for `InDay` the fraction of a day at which days begin.

use satchel_data::Value;

use super::date::{dated, moment, rule, whole_arg};
use super::{Function, function, num};
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
    function(
        "YearStart(date [, period [, first_month]])",
        "The first moment of the year, shown as a date.",
        ("YearStart('2001-10-19')", "2001-01-01 (36892)"),
        |a, c| bound(a, c, YEAR, End::First),
    ),
    function(
        "YearEnd(date [, period [, first_month]])",
        "The last millisecond of the year, shown as a date.",
        ("YearEnd('2001-10-19')", "2001-12-31 (37256.999999988)"),
        |a, c| bound(a, c, YEAR, End::Last),
    ),
    function(
        "YearName(date [, period [, first_month]])",
        "The first moment of the year, shown as its name.",
        ("YearName('2001-10-19')", "2001 (36892)"),
        |a, c| name(a, c, YEAR),
    ),
    function(
        "QuarterStart(date [, period [, first_month]])",
        "The first moment of the quarter, shown as a date.",
        ("QuarterStart('2005-10-29')", "2005-10-01 (38626)"),
        |a, c| bound(a, c, QUARTER, End::First),
    ),
    function(
        "QuarterEnd(date [, period [, first_month]])",
        "The last millisecond of the quarter, shown as a date.",
        ("QuarterEnd('2005-10-29')", "2005-12-31 (38717.999999988)"),
        |a, c| bound(a, c, QUARTER, End::Last),
    ),
    function(
        "QuarterName(date [, period [, first_month]])",
        "The first moment of the quarter, shown as its months and year.",
        ("QuarterName('2013-10-29')", "Oct-Dec 2013 (41548)"),
        |a, c| name(a, c, QUARTER),
    ),
    function(
        "MonthStart(date [, period])",
        "The first moment of the month, shown as a date.",
        ("MonthStart('2001-10-19')", "2001-10-01 (37165)"),
        |a, c| bound(a, c, MONTH, End::First),
    ),
    function(
        "MonthEnd(date [, period])",
        "The last millisecond of the month, shown as a date.",
        ("MonthEnd('2012-02-19')", "2012-02-29 (40968.999999988)"),
        |a, c| bound(a, c, MONTH, End::Last),
    ),
    function(
        "MonthName(date [, period])",
        "The first moment of the month, shown as month and year.",
        ("MonthName('2013-10-19')", "Oct 2013 (41548)"),
        |a, c| name(a, c, MONTH),
    ),
    function(
        "WeekStart(date [, period [, first_week_day]])",
        "The first moment of the week, shown as a date.",
        ("WeekStart('2013-01-12')", "2013-01-07 (41281)"),
        |a, c| bound(a, c, Unit::Week, End::First),
    ),
    function(
        "WeekEnd(date [, period [, first_week_day]])",
        "The last millisecond of the week, shown as a date.",
        ("WeekEnd('2013-01-10')", "2013-01-13 (41287.999999988)"),
        |a, c| bound(a, c, Unit::Week, End::Last),
    ),
    function(
        "WeekName(date [, period [, first_week_day [, broken_weeks [, reference_day]]]])",
        "The first moment of the week, shown as year and number.",
        ("WeekName('2013-01-12')", "2013/02 (41281)"),
        week_name,
    ),
    function(
        "LunarWeekStart(date [, period [, first_week_day]])",
        "The first moment of the lunar week, shown as a date; lunar weeks are counted from 1 January.",
        ("LunarWeekStart('2013-01-12')", "2013-01-08 (41282)"),
        |a, c| bound(a, c, Unit::LunarWeek, End::First),
    ),
    function(
        "LunarWeekEnd(date [, period [, first_week_day]])",
        "The last millisecond of the lunar week, shown as a date.",
        ("LunarWeekEnd('2013-01-12')", "2013-01-14 (41288.999999988)"),
        |a, c| bound(a, c, Unit::LunarWeek, End::Last),
    ),
    function(
        "LunarWeekName(date [, period [, first_week_day]])",
        "The first moment of the lunar week, shown as year and number.",
        ("LunarWeekName('2013-01-12')", "2013/02 (41282)"),
        lunar_week_name,
    ),
    function(
        "MonthsStart(n_months, date [, period [, first_month]])",
        "The first moment of the period of 1, 2, 3, 4 or 6 months, shown as a date.",
        ("MonthsStart(4, '2013-10-19')", "2013-09-01 (41518)"),
        months_run!(|n, a, c| bound(a, c, Unit::Months(n), End::First)),
    ),
    function(
        "MonthsEnd(n_months, date [, period [, first_month]])",
        "The last millisecond of the period of 1, 2, 3, 4 or 6 months, shown as a date.",
        ("MonthsEnd(4, '2013-07-19')", "2013-08-31 (41517.999999988)"),
        months_run!(|n, a, c| bound(a, c, Unit::Months(n), End::Last)),
    ),
    function(
        "MonthsName(n_months, date [, period [, first_month]])",
        "The first moment of the period of 1, 2, 3, 4 or 6 months, shown as its months and year.",
        ("MonthsName(4, '2013-10-19')", "Sep-Dec 2013 (41518)"),
        months_run!(|n, a, c| name(a, c, Unit::Months(n))),
    ),
    function(
        "InYear(date, base_date, period [, first_month])",
        "Whether a date is in the year of the base date, or so many periods later.",
        ("InYear('2013-01-25','2013-01-01',0)", "-1"),
        |a, c| contains(a, c, YEAR, false),
    ),
    function(
        "InYearToDate(date, base_date, period [, first_month])",
        "Whether a date is in the year of the base date, up to that date.",
        ("InYearToDate('2013-01-25','2013-02-01',0)", "-1"),
        |a, c| contains(a, c, YEAR, true),
    ),
    function(
        "InQuarter(date, base_date, period [, first_month])",
        "Whether a date is in the quarter of the base date, or so many periods later.",
        ("InQuarter('2013-01-25','2013-01-01',0)", "-1"),
        |a, c| contains(a, c, QUARTER, false),
    ),
    function(
        "InQuarterToDate(date, base_date, period [, first_month])",
        "Whether a date is in the quarter of the base date, up to that date.",
        ("InQuarterToDate('2013-01-25','2013-01-31',0)", "-1"),
        |a, c| contains(a, c, QUARTER, true),
    ),
    function(
        "InMonth(date, base_date, period)",
        "Whether a date is in the month of the base date, or so many periods later.",
        ("InMonth('2013-01-25','2013-01-01',0)", "-1"),
        |a, c| contains(a, c, MONTH, false),
    ),
    function(
        "InMonthToDate(date, base_date, period)",
        "Whether a date is in the month of the base date, up to that date.",
        ("InMonthToDate('2013-01-25','2013-01-25',0)", "-1"),
        |a, c| contains(a, c, MONTH, true),
    ),
    function(
        "InMonths(n_months, date, base_date, period [, first_month])",
        "Whether a date is in the same period of 1, 2, 3, 4 or 6 months as the base date.",
        ("InMonths(4,'2013-01-25','2013-04-25',0)", "-1"),
        months_run!(|n, a, c| contains(a, c, Unit::Months(n), false)),
    ),
    function(
        "InMonthsToDate(n_months, date, base_date, period [, first_month])",
        "Whether a date is in the same period of months as the base date, up to that date.",
        ("InMonthsToDate(4,'2013-01-25','2013-04-25',0)", "-1"),
        months_run!(|n, a, c| contains(a, c, Unit::Months(n), true)),
    ),
    function(
        "InWeek(date, base_date, period [, first_week_day])",
        "Whether a date is in the week of the base date, or so many periods later.",
        ("InWeek('2006-01-12','2006-01-14',0)", "-1"),
        |a, c| contains(a, c, Unit::Week, false),
    ),
    function(
        "InWeekToDate(date, base_date, period [, first_week_day])",
        "Whether a date is in the week of the base date, up to that date.",
        ("InWeekToDate('2006-01-12','2006-01-12',0)", "-1"),
        |a, c| contains(a, c, Unit::Week, true),
    ),
    function(
        "InLunarWeek(date, base_date, period [, first_week_day])",
        "Whether a date is in the lunar week of the base date, or so many periods later.",
        ("InLunarWeek('2013-01-12','2013-01-14',0)", "-1"),
        |a, c| contains(a, c, Unit::LunarWeek, false),
    ),
    function(
        "InLunarWeekToDate(date, base_date, period [, first_week_day])",
        "Whether a date is in the lunar week of the base date, up to that date.",
        ("InLunarWeekToDate('2013-01-12','2013-01-13',0)", "-1"),
        |a, c| contains(a, c, Unit::LunarWeek, true),
    ),
    function(
        "InDay(time, base_time, period [, day_start])",
        "Whether a time is in the day of the base time, or so many periods later.",
        ("InDay('2006-01-12 12:23:00','2006-01-12 00:00:00',0)", "-1"),
        |a, c| in_day(a, c, false),
    ),
    function(
        "InDayToTime(time, base_time, period [, day_start])",
        "Whether a time is in the day of the base time, up to that time.",
        (
            "InDayToTime('2006-01-12 12:23:00','2006-01-12 23:59:00',0)",
            "-1",
        ),
        |a, c| in_day(a, c, true),
    ),
    function(
        "YearToDate(date [, year_offset [, first_month [, today]]])",
        "Whether a date is in the current year, up to today.",
        ("YearToDate('2023-03-15')", "-1"),
        year_to_date,
    )
    .by_the_clock(),
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
