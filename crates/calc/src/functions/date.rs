//! Date and time functions on serial days: parts, construction, shifting.
//!
//! Week numbers and weekdays follow the locale's `FirstWeekDay`, `BrokenWeeks` and
//! `ReferenceDay`.

use satchel_data::Value;

use super::{Function, function, num};
use crate::calendar::{
    Moment, WeekRule, civil, days_in_month, serial_day, shift_month, valid_day, weekday,
};
use crate::eval::EvalContext;
use crate::locale::Locale;

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
        let first = num(args, 1, context).map_or(context.locale.first_week_day, |n| n as i64);
        moment(args, 0, context).map_or(Value::Null, |m| {
            let day = weekday(m.day);
            let name = context
                .locale
                .day_names
                .get(day as usize)
                .cloned()
                .unwrap_or_default();
            Value::dual((day - first).rem_euclid(7) as f64, name)
        })
    }),
    function("week", 1, 4, |args, context| {
        moment(args, 0, context).map_or(Value::Null, |m| {
            whole(rule(context.locale).week_of(m.day).1)
        })
    }),
    function("weekyear", 1, 4, |args, context| {
        moment(args, 0, context).map_or(Value::Null, |m| {
            whole(rule(context.locale).week_of(m.day).0)
        })
    }),
    function("daynumberofyear", 1, 2, |args, context| {
        moment(args, 0, context).map_or(Value::Null, |m| {
            // Every year counts as a leap year, so that a date has the same number each year.
            let date = civil(m.day);
            let day = serial_day(2000, date.month, date.day) - serial_day(2000, 1, 1) + 1;
            whole(day)
        })
    }),
    function("daynumberofquarter", 1, 2, |args, context| {
        moment(args, 0, context).map_or(Value::Null, |m| {
            let date = civil(m.day);
            let first = (date.month - 1) / 3 * 3 + 1;
            whole(serial_day(2000, date.month, date.day) - serial_day(2000, first, 1) + 1)
        })
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
    function("makeweekdate", 1, 3, |args, context| {
        let part = |i: usize, or| {
            if args.len() > i {
                num(args, i, context)
            } else {
                Some(or)
            }
        };
        match (part(0, 1.0), part(1, 1.0), part(2, 0.0)) {
            (Some(y), Some(w), Some(d)) if (1.0..=9999.0).contains(&y) => {
                let first = rule(context.locale).first_week(y as i64);
                dated((first + (w as i64 - 1) * 7 + d as i64) as f64, context)
            }
            _ => Value::Null,
        }
    }),
    function("addmonths", 2, 3, |args, context| shifted(args, context, 1)),
    function("addyears", 2, 2, |args, context| shifted(args, context, 12)),
    function("daystart", 1, 3, |args, context| {
        let shift = num(args, 1, context).unwrap_or(0.0);
        moment(args, 0, context).map_or(Value::Null, |m| stamped(m.day as f64 + shift, context))
    }),
    function("dayend", 1, 3, |args, context| {
        let shift = num(args, 1, context).unwrap_or(0.0);
        moment(args, 0, context).map_or(Value::Null, |m| {
            stamped(m.day as f64 + shift + 86_399_999.0 / 86_400_000.0, context)
        })
    }),
    function("dayname", 1, 3, |args, context| {
        let shift = num(args, 1, context).unwrap_or(0.0);
        moment(args, 0, context).map_or(Value::Null, |m| dated(m.day as f64 + shift, context))
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
            (Some(from), Some(to)) if to.day - from.day < 100_000 => {
                let holidays: Vec<i64> = (2..args.len())
                    .filter_map(|i| moment(args, i, context))
                    .map(|m| m.day)
                    .collect();
                let days = (from.day..=to.day)
                    .filter(|d| weekday(*d) < 5 && !holidays.contains(d))
                    .count();
                Value::num(days as f64)
            }
            _ => Value::Null,
        }
    }),
];

pub(super) fn whole(n: i64) -> Value {
    Value::num(n as f64)
}

pub(super) fn moment(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<Moment> {
    num(args, i, context).and_then(Moment::of)
}

pub(super) fn rule(locale: &Locale) -> WeekRule {
    WeekRule {
        first_week_day: locale.first_week_day,
        broken: locale.broken_weeks,
        reference_day: locale.reference_day,
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

/// The date `months × n` later; the last day of the month where the day does not exist.
fn shifted(args: &[Value], context: &EvalContext<'_>, months: i64) -> Value {
    let (Some(serial), Some(m), Some(n)) = (
        num(args, 0, context),
        moment(args, 0, context),
        num(args, 1, context),
    ) else {
        return Value::Null;
    };
    if n.abs() > 200_000.0 {
        return Value::Null;
    }
    let date = civil(m.day);
    let (year, month) = shift_month(date.year, date.month, n as i64 * months);
    if !(1..=9999).contains(&year) {
        return Value::Null;
    }
    let day = serial_day(year, month, date.day.min(days_in_month(year, month)));
    let time = serial - serial.floor();
    if time == 0.0 {
        dated(day as f64, context)
    } else {
        stamped(day as f64 + time, context)
    }
}
