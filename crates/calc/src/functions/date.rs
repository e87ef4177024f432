//! Date and time functions on serial days: parts, construction, shifting.
//!
//! Week numbers and weekdays follow the locale's `FirstWeekDay`, `BrokenWeeks` and
//! `ReferenceDay`.

use satchel_data::Value;

use super::{Function, function, num, text};
use crate::calendar::{
    DAY_MS, Moment, WeekRule, civil, days_in_month, serial_day, shift_month, valid_day, weekday,
};
use crate::eval::EvalContext;
use crate::operators::truth;
use crate::zone::{self, Summer};

macro_rules! part {
    ($signature:literal, $doc:literal, $example:expr, $f:expr) => {
        function($signature, $doc, $example, |args, context| {
            let f: fn(Moment) -> i64 = $f;
            moment(args, 0, context).map_or(Value::Null, |m| whole(f(m)))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    part!(
        "Year(date)",
        "The year of a date.",
        ("Year('2012-10-12')", "2012"),
        |m| civil(m.day).year
    ),
    part!(
        "Day(date)",
        "The day of the month, 1 to 31.",
        ("Day('1971-10-12')", "12"),
        |m| civil(m.day).day
    ),
    part!(
        "Hour(time)",
        "The hour of a time, 0 to 23.",
        ("Hour('09:14:36')", "9"),
        Moment::hour
    ),
    part!(
        "Minute(time)",
        "The minute of a time, 0 to 59.",
        ("Minute('09:14:36')", "14"),
        Moment::minute
    ),
    part!(
        "Second(time)",
        "The second of a time, 0 to 59.",
        ("Second('09:14:36')", "36"),
        Moment::second
    ),
    function(
        "Month(date)",
        "The month, 1 to 12, shown by its name in `MonthNames`.",
        ("Month('2012-10-12')", "Oct (10)"),
        |args, context| {
            moment(args, 0, context).map_or(Value::Null, |m| {
                named(civil(m.day).month, 1, &context.locale.month_names)
            })
        },
    ),
    function(
        "WeekDay(date [, first_week_day])",
        "The day of the week, 0 to 6 from the first day of the week, shown by its name in `DayNames`.",
        ("WeekDay('1971-10-12')", "Tue (1)"),
        |args, context| {
            let (Some(m), Some(first)) = (
                moment(args, 0, context),
                whole_arg(args, 1, context, context.locale.first_week_day),
            ) else {
                return Value::Null;
            };
            let day = weekday(m.day);
            let number = (day - first).rem_euclid(7);
            match context.locale.day_names.get(day as usize) {
                Some(name) => Value::dual(number as f64, name.as_str()),
                None => whole(number),
            }
        },
    ),
    function(
        "Week(date [, first_week_day [, broken_weeks [, reference_day]]])",
        "The number of the week, by `FirstWeekDay`, `BrokenWeeks` and `ReferenceDay`.",
        ("Week('2012-10-12')", "41"),
        |args, context| match (moment(args, 0, context), rule(args, 1, context)) {
            (Some(m), Some(rule)) => whole(rule.week_of(m.day).1),
            _ => Value::Null,
        },
    ),
    function(
        "WeekYear(date [, first_week_day [, broken_weeks [, reference_day]]])",
        "The year the week belongs to.",
        ("WeekYear('1996-12-30')", "1997"),
        |args, context| match (moment(args, 0, context), rule(args, 1, context)) {
            (Some(m), Some(rule)) => whole(rule.week_of(m.day).0),
            _ => Value::Null,
        },
    ),
    // Every year counts as a leap year, so that a date has the same number each year.
    function(
        "DayNumberOfYear(date [, first_month])",
        "The day of the year; every year counts as a leap year, so that a date has one number.",
        ("DayNumberOfYear('2014-09-12')", "256"),
        |args, context| day_number(args, context, 12),
    ),
    function(
        "DayNumberOfQuarter(date [, first_month])",
        "The day of the quarter, counted as in a leap year.",
        ("DayNumberOfQuarter('2014-09-12')", "74"),
        |args, context| day_number(args, context, 3),
    ),
    function(
        "Today([timer_mode])",
        "The current date.",
        ("Today()", "2023-03-15 (45000)"),
        |_, context| dated(context.now.floor(), context),
    )
    .by_the_clock(),
    function(
        "Now([timer_mode])",
        "The current date and time.",
        ("Now()", "2023-03-15 12:00:00 (45000.5)"),
        |_, context| {
            let shown = context.locale.timestamp.format(context.now, context.locale);
            shown.map_or(Value::Null, |t| Value::dual(context.now, t))
        },
    )
    .by_the_clock(),
    function(
        "MakeDate(year [, month [, day]])",
        "A date of its parts; month and day are 1 if left out.",
        ("MakeDate(2012)", "2012-01-01 (40909)"),
        |args, context| {
            let part = |i: usize| {
                if args.len() > i {
                    num(args, i, context)
                } else {
                    Some(1.0)
                }
            };
            match (part(0), part(1), part(2)) {
                (Some(y), Some(m), Some(d)) => valid_day(y as i64, m as i64, d as i64)
                    .map_or(Value::Null, |day| dated(day as f64, context)),
                _ => Value::Null,
            }
        },
    ),
    function(
        "MakeTime(hour [, minute [, second]])",
        "A time of its parts.",
        ("MakeTime(22)", "22:00:00 (0.91666666666667)"),
        |args, context| {
            let part = |i: usize| {
                if args.len() > i {
                    num(args, i, context)
                } else {
                    Some(0.0)
                }
            };
            match (part(0), part(1), part(2)) {
                (Some(h), Some(m), Some(s))
                    if (0.0..24.0).contains(&h)
                        && (0.0..60.0).contains(&m)
                        && (0.0..60.0).contains(&s) =>
                {
                    let serial = (h.floor() * 3600.0 + m.floor() * 60.0 + s.floor()) / 86_400.0;
                    let shown = context.locale.time.format(serial, context.locale);
                    shown.map_or(Value::Null, |t| Value::dual(serial, t))
                }
                _ => Value::Null,
            }
        },
    ),
    function(
        "MakeWeekDate(year [, week [, weekday [, first_week_day [, broken_weeks [, reference_day]]]]])",
        "A date of year, week and weekday; weekday 0 is Monday.",
        ("MakeWeekDate(2014, 6, 6)", "2014-02-09 (41679)"),
        |args, context| match (
            whole_arg(args, 0, context, 1),
            whole_arg(args, 1, context, 1),
            whole_arg(args, 2, context, 0),
            rule(args, 3, context),
        ) {
            (Some(year @ 1..=9999), Some(week), Some(day), Some(rule)) => dated(
                (rule.first_week(year) + (week - 1) * 7 + day) as f64,
                context,
            ),
            _ => Value::Null,
        },
    ),
    function(
        "AddMonths(date, n [, mode])",
        "The date n months later; in a shorter month its last day. With mode 1, days from the 28th on keep their distance from the end of the month.",
        ("AddMonths('2003-01-29', 3)", "2003-04-29 (37740)"),
        |args, context| shifted(args, context, 1),
    ),
    function(
        "AddYears(date, n)",
        "The date n years later.",
        ("AddYears('2010-01-29', 3)", "2013-01-29 (41303)"),
        |args, context| shifted(args, context, 12),
    ),
    function(
        "DayStart(time [, period [, day_start]])",
        "The first moment of the day, or of the day so many periods later.",
        (
            "DayStart('2013-01-25 16:45:00')",
            "2013-01-25 00:00:00 (41299)",
        ),
        |args, context| {
            day_start(args, context).map_or(Value::Null, |start| stamped(start, context))
        },
    ),
    function(
        "DayEnd(time [, period [, day_start]])",
        "The last millisecond of the day, or of the day so many periods later.",
        (
            "DayEnd('2013-01-25 16:45:00')",
            "2013-01-25 23:59:59 (41299.999999988)",
        ),
        |args, context| {
            day_start(args, context).map_or(Value::Null, |start| {
                stamped(start + 1.0 - 1.0 / DAY_MS as f64, context)
            })
        },
    ),
    // Shows the date; the number is where the day begins.
    function(
        "DayName(time [, period [, day_start]])",
        "The first moment of the day, shown as its date.",
        ("DayName('2013-01-25 16:45:00')", "2013-01-25 (41299)"),
        |args, context| {
            day_start(args, context).map_or(Value::Null, |start| {
                match dated(start.floor(), context) {
                    Value::Null => Value::Null,
                    day => Value::dual(start, day.to_text()),
                }
            })
        },
    ),
    function(
        "Age(time, date_of_birth)",
        "Full years between a date of birth and a moment.",
        ("Age('2014-08-21','1988-07-07')", "26"),
        |args, context| match (moment(args, 0, context), moment(args, 1, context)) {
            (Some(at), Some(born)) => {
                let (a, b) = (civil(at.day), civil(born.day));
                whole(a.year - b.year - i64::from((a.month, a.day) < (b.month, b.day)))
            }
            _ => Value::Null,
        },
    ),
    function(
        "NetWorkDays(first_date, last_date [, holiday, …])",
        "Mondays to Fridays from one date to another, both included, less holidays.",
        ("NetWorkDays('2013-12-19','2014-01-07')", "14"),
        |args, context| match (moment(args, 0, context), moment(args, 1, context)) {
            (Some(from), Some(to)) => {
                let off = holidays(args, 2, context);
                let off = off.iter().filter(|d| (from.day..=to.day).contains(d));
                whole(work_days(from.day, to.day) - off.count() as i64)
            }
            _ => Value::Null,
        },
    ),
    function(
        "LastWorkDate(first_date, n_workdays [, holiday, …])",
        "The earliest date on which so many working days from the first date have passed.",
        ("LastWorkDate('2014-12-19', 9)", "2014-12-31 (42004)"),
        |args, context| work_date(args, context, 1),
    ),
    function(
        "FirstWorkDate(last_date, n_workdays [, holiday, …])",
        "The latest date on which to begin so many working days that end by the last date.",
        ("FirstWorkDate('2014-12-29', 9)", "2014-12-17 (41990)"),
        |args, context| work_date(args, context, -1),
    ),
    function(
        "SetDateYear(date, year)",
        "The same date in another year.",
        ("SetDateYear('2005-10-29', 2013)", "2013-10-29 (41576)"),
        |args, context| {
            let (Some(m), Some(year)) = (moment(args, 0, context), whole_arg(args, 1, context, 1))
            else {
                return Value::Null;
            };
            let date = civil(m.day);
            moved(m, year, date.month, date.day, context)
        },
    ),
    function(
        "SetDateYearMonth(date, year, month)",
        "The same day and time in another year and month.",
        (
            "SetDateYearMonth('2005-10-29', 2013, 3)",
            "2013-03-29 (41362)",
        ),
        |args, context| {
            let (Some(m), Some(year), Some(month @ 1..=12)) = (
                moment(args, 0, context),
                whole_arg(args, 1, context, 1),
                whole_arg(args, 2, context, 1),
            ) else {
                return Value::Null;
            };
            moved(m, year, month, civil(m.day).day, context)
        },
    ),
    function(
        "UTC()",
        "The current date and time in UTC.",
        ("UTC()", "2023-03-15 12:00:00 (45000.5)"),
        |_, context| stamped(context.now - context.utc_offset, context),
    )
    .by_the_clock(),
    function(
        "GMT()",
        "The current date and time in UTC.",
        ("GMT()", "2023-03-15 12:00:00 (45000.5)"),
        |_, context| stamped(context.now - context.utc_offset, context),
    )
    .by_the_clock(),
    function(
        "LocalTime([place [, ignore_summer_time]])",
        "The current date and time at a place: a name of Windows' or of the time zone database, or `GMT+hh:mm`.",
        ("LocalTime('Tokyo')", "2023-03-15 21:00:00 (45000.875)"),
        |args, context| at_place(args, 0, context.now - context.utc_offset, context),
    )
    .by_the_clock(),
    function(
        "ConvertToLocalTime(utc_time [, place [, ignore_summer_time]])",
        "The date and time at a place when it is a time in UTC.",
        ("ConvertToLocalTime('2007-11-10 23:59:00', 'Paris')", "2007-11-11 00:59:00 (39397.040972222)"),
        |args, context| match num(args, 0, context) {
            Some(utc) => at_place(args, 1, utc, context),
            None => Value::Null,
        },
    )
    .by_the_clock(),
    function(
        "TimeZone()",
        "The time zone of the hub, as the offset it has now.",
        ("TimeZone()", "'GMT+00:00'"),
        |_, context| {
            let minutes = (context.utc_offset * 1440.0).round() as i64;
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.abs();
            Value::text(format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60))
        },
    )
    .by_the_clock(),
];

pub(super) fn whole(n: i64) -> Value {
    Value::num(n as f64)
}

pub(super) fn moment(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<Moment> {
    num(args, i, context).and_then(Moment::of)
}

/// A whole number as an argument; `or` where it is missing or NULL, `None` if it is no number
/// or so large that no calendar reaches it.
pub(super) fn whole_arg(
    args: &[Value],
    i: usize,
    context: &EvalContext<'_>,
    or: i64,
) -> Option<i64> {
    match args.get(i) {
        None | Some(Value::Null) => Some(or),
        Some(_) => num(args, i, context)
            .filter(|n| n.abs() <= 3e6)
            .map(|n| n as i64),
    }
}

/// The week rule of the arguments from `i`: first day of the week, whether weeks are broken,
/// and reference day. What is missing comes from the locale; `None` for days out of range.
pub(super) fn rule(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<WeekRule> {
    let locale = context.locale;
    Some(WeekRule {
        first_week_day: whole_arg(args, i, context, locale.first_week_day)
            .filter(|n| (0..=6).contains(n))?,
        broken: whole_arg(args, i + 1, context, i64::from(locale.broken_weeks))? != 0,
        reference_day: whole_arg(args, i + 2, context, locale.reference_day)
            .filter(|n| (0..=7).contains(n))?
            .max(1),
    })
}

/// Where the day begins that is argument 1 days after the one that holds argument 0; days
/// begin at the fraction in argument 2.
fn day_start(args: &[Value], context: &EvalContext<'_>) -> Option<f64> {
    let at = num(args, 0, context)?;
    let shift = whole_arg(args, 1, context, 0)?;
    let begins = match args.get(2) {
        None | Some(Value::Null) => 0.0,
        Some(_) => num(args, 2, context).filter(|n| (-1.0..=1.0).contains(n))?,
    };
    let day = Moment::of(at - begins)?.day;
    Some((day + shift) as f64 + begins)
}

/// The number of a day in its year (of 12 months) or quarter (of 3), counted as in a leap year;
/// argument 1 is the first month of the year.
fn day_number(args: &[Value], context: &EvalContext<'_>, months: i64) -> Value {
    let (Some(m), Some(first @ 1..=12)) =
        (moment(args, 0, context), whole_arg(args, 1, context, 1))
    else {
        return Value::Null;
    };
    let date = civil(m.day);
    let back = (date.month - first).rem_euclid(months);
    let before: i64 = (1..=back)
        .map(|k| days_in_month(2000, (date.month - 1 - k).rem_euclid(12) + 1))
        .sum();
    whole(before + date.day)
}

/// Mondays to Fridays from `from` to `to`, both included; 0 if `to` is earlier.
fn work_days(from: i64, to: i64) -> i64 {
    if to < from {
        return 0;
    }
    let weeks = (to - from + 1) / 7;
    let rest = (from + weeks * 7..=to).filter(|d| weekday(*d) < 5).count();
    weeks * 5 + rest as i64
}

/// The working days among the arguments from `i`, each once.
fn holidays(args: &[Value], i: usize, context: &EvalContext<'_>) -> Vec<i64> {
    let mut days: Vec<i64> = (i..args.len())
        .filter_map(|i| moment(args, i, context))
        .map(|m| m.day)
        .filter(|d| weekday(*d) < 5)
        .collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// The day that makes a period of argument 1 working days, with argument 0 as the other end.
fn work_date(args: &[Value], context: &EvalContext<'_>, step: i64) -> Value {
    let (Some(m), Some(n)) = (moment(args, 0, context), whole_arg(args, 1, context, 0)) else {
        return Value::Null;
    };
    if n < 1 {
        return Value::Null;
    }
    let off = holidays(args, 2, context);
    // Whole weeks are skipped as far as no holiday can lie in them; the rest is walked.
    let walked = n.min(off.len() as i64 + 5);
    let weeks = if off.is_empty() { (n - walked) / 5 } else { 0 };
    if !off.is_empty() && n > 100_000 {
        return Value::Null;
    }
    let mut left = n - weeks * 5;
    let mut day = m.day + step * weeks * 7;
    loop {
        if weekday(day) < 5 && off.binary_search(&day).is_err() {
            left -= 1;
        }
        if left == 0 {
            return dated(day as f64, context);
        }
        day += step;
    }
}

/// A moment with another date: the last day of the month where the day does not exist.
fn moved(m: Moment, year: i64, month: i64, day: i64, context: &EvalContext<'_>) -> Value {
    if !(1..=9999).contains(&year) {
        return Value::Null;
    }
    let day = serial_day(year, month, day.min(days_in_month(year, month)));
    if m.ms == 0 {
        dated(day as f64, context)
    } else {
        stamped(day as f64 + m.ms as f64 / DAY_MS as f64, context)
    }
}

/// A serial day shown in the locale's date format.
pub(super) fn dated(serial: f64, context: &EvalContext<'_>) -> Value {
    let shown = context.locale.date.format(serial, context.locale);
    shown.map_or(Value::Null, |t| Value::dual(serial, t))
}

/// A moment shown in the locale's timestamp format.
pub(super) fn stamped(serial: f64, context: &EvalContext<'_>) -> Value {
    let shown = context.locale.timestamp.format(serial, context.locale);
    shown.map_or(Value::Null, |t| Value::dual(serial, t))
}

/// A moment in UTC at the place that argument `i` names, without summer time if the next
/// argument is true; without a place, in the local time of the context.
fn at_place(args: &[Value], i: usize, utc: f64, context: &EvalContext<'_>) -> Value {
    let summer = match args.get(i + 1) {
        Some(value) if truth(value, context.locale) => Summer::Ignored,
        _ => Summer::Counted,
    };
    let offset = match text(args, i) {
        None => Some(context.utc_offset),
        Some(place) => zone::offset(&place, utc, summer),
    };
    let Some(at) = offset.map(|offset| utc + offset) else {
        return Value::Null;
    };
    // A sum of days and parts of days has digits that no clock shows.
    stamped((at * DAY_MS as f64).round() / DAY_MS as f64, context)
}

/// A number with a name from a list whose first entry has the number `first`.
fn named(n: i64, first: i64, names: &[String]) -> Value {
    let name = usize::try_from(n - first).ok().and_then(|i| names.get(i));
    name.map_or(whole(n), |name| Value::dual(n as f64, name.as_str()))
}

/// The date `months × n` later; the last day of the month where the day does not exist. With
/// mode 1 a day from the 28th on keeps its distance from the end of the month.
fn shifted(args: &[Value], context: &EvalContext<'_>, months: i64) -> Value {
    let (Some(m), Some(n), Some(mode)) = (
        moment(args, 0, context),
        num(args, 1, context).filter(|n| n.abs() <= 200_000.0),
        whole_arg(args, 2, context, 0),
    ) else {
        return Value::Null;
    };
    let date = civil(m.day);
    let (year, month) = shift_month(date.year, date.month, n as i64 * months);
    let day = if mode == 1 && date.day >= 28 {
        days_in_month(year, month) - (days_in_month(date.year, date.month) - date.day)
    } else {
        date.day
    };
    moved(m, year, month, day, context)
}
