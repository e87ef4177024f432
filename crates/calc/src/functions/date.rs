//! Date and time functions on serial days: parts, construction, shifting.
//!
//! Week numbers and weekdays follow the locale's `FirstWeekDay`, `BrokenWeeks` and
//! `ReferenceDay`.

use satchel_data::Value;

use super::{Function, function, num};
use crate::calendar::{
    DAY_MS, Moment, WeekRule, civil, days_in_month, serial_day, shift_month, valid_day, weekday,
};
use crate::eval::EvalContext;

macro_rules! part {
    ($name:literal, $f:expr) => {
        function($name, 1, 1, |args, context| {
            let f: fn(Moment) -> i64 = $f;
            moment(args, 0, context).map_or(Value::Null, |m| whole(f(m)))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    part!("year", |m| civil(m.day).year),
    part!("day", |m| civil(m.day).day),
    part!("hour", Moment::hour),
    part!("minute", Moment::minute),
    part!("second", Moment::second),
    function("month", 1, 1, |args, context| {
        moment(args, 0, context).map_or(Value::Null, |m| {
            named(civil(m.day).month, 1, &context.locale.month_names)
        })
    }),
    function("weekday", 1, 2, |args, context| {
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
    }),
    function("week", 1, 4, |args, context| {
        match (moment(args, 0, context), rule(args, 1, context)) {
            (Some(m), Some(rule)) => whole(rule.week_of(m.day).1),
            _ => Value::Null,
        }
    }),
    function("weekyear", 1, 4, |args, context| {
        match (moment(args, 0, context), rule(args, 1, context)) {
            (Some(m), Some(rule)) => whole(rule.week_of(m.day).0),
            _ => Value::Null,
        }
    }),
    // Every year counts as a leap year, so that a date has the same number each year.
    function("daynumberofyear", 1, 2, |args, context| {
        day_number(args, context, 12)
    }),
    function("daynumberofquarter", 1, 2, |args, context| {
        day_number(args, context, 3)
    }),
    function("today", 0, 1, |_, context| {
        dated(context.now.floor(), context)
    }),
    function("now", 0, 1, |_, context| {
        let shown = context.locale.timestamp.format(context.now, context.locale);
        shown.map_or(Value::Null, |t| Value::dual(context.now, t))
    }),
    function("makedate", 1, 3, |args, context| {
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
    }),
    function("maketime", 1, 3, |args, context| {
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
    }),
    function("makeweekdate", 1, 6, |args, context| {
        match (
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
        }
    }),
    function("addmonths", 2, 3, |args, context| shifted(args, context, 1)),
    function("addyears", 2, 2, |args, context| shifted(args, context, 12)),
    function("daystart", 1, 3, |args, context| {
        day_start(args, context).map_or(Value::Null, |start| stamped(start, context))
    }),
    function("dayend", 1, 3, |args, context| {
        day_start(args, context).map_or(Value::Null, |start| {
            stamped(start + 1.0 - 1.0 / DAY_MS as f64, context)
        })
    }),
    // Shows the date; the number is where the day begins.
    function("dayname", 1, 3, |args, context| {
        day_start(args, context).map_or(Value::Null, |start| match dated(start.floor(), context) {
            Value::Null => Value::Null,
            day => Value::dual(start, day.to_text()),
        })
    }),
    function("age", 2, 2, |args, context| {
        match (moment(args, 0, context), moment(args, 1, context)) {
            (Some(at), Some(born)) => {
                let (a, b) = (civil(at.day), civil(born.day));
                whole(a.year - b.year - i64::from((a.month, a.day) < (b.month, b.day)))
            }
            _ => Value::Null,
        }
    }),
    function("networkdays", 2, super::ANY, |args, context| {
        match (moment(args, 0, context), moment(args, 1, context)) {
            (Some(from), Some(to)) => {
                let off = holidays(args, 2, context);
                let off = off.iter().filter(|d| (from.day..=to.day).contains(d));
                whole(work_days(from.day, to.day) - off.count() as i64)
            }
            _ => Value::Null,
        }
    }),
    function("lastworkdate", 2, super::ANY, |args, context| {
        work_date(args, context, 1)
    }),
    function("firstworkdate", 2, super::ANY, |args, context| {
        work_date(args, context, -1)
    }),
    function("setdateyear", 2, 2, |args, context| {
        let (Some(m), Some(year)) = (moment(args, 0, context), whole_arg(args, 1, context, 1))
        else {
            return Value::Null;
        };
        let date = civil(m.day);
        moved(m, year, date.month, date.day, context)
    }),
    function("setdateyearmonth", 3, 3, |args, context| {
        let (Some(m), Some(year), Some(month @ 1..=12)) = (
            moment(args, 0, context),
            whole_arg(args, 1, context, 1),
            whole_arg(args, 2, context, 1),
        ) else {
            return Value::Null;
        };
        moved(m, year, month, civil(m.day).day, context)
    }),
    function("utc", 0, 0, |_, context| {
        stamped(context.now - context.utc_offset, context)
    }),
    function("gmt", 0, 0, |_, context| {
        stamped(context.now - context.utc_offset, context)
    }),
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
