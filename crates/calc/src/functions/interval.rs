//! Functions of calendar intervals: `MonthStart`, `InQuarter`, `YearName` and their kin.
//!
//! All take `(date, shift)`; the year functions take the first month of the year as third.

use satchel_data::Value;

use super::date::{dated, moment, rule};
use super::{Function, Run, function, num};
use crate::calendar::{civil, serial_day, shift_month, week_start};
use crate::eval::EvalContext;

pub(super) const FUNCTIONS: &[Function] = &[
    start("yearstart", |a, c| bound(a, c, year, End::First)),
    start("yearend", |a, c| bound(a, c, year, End::Last)),
    start("yearname", |a, c| name(a, c, year)),
    start("quarterstart", |a, c| bound(a, c, quarter, End::First)),
    start("quarterend", |a, c| bound(a, c, quarter, End::Last)),
    start("quartername", |a, c| name(a, c, quarter)),
    start("monthstart", |a, c| bound(a, c, month, End::First)),
    start("monthend", |a, c| bound(a, c, month, End::Last)),
    start("monthname", |a, c| name(a, c, month)),
    start("weekstart", |a, c| bound(a, c, week, End::First)),
    start("weekend", |a, c| bound(a, c, week, End::Last)),
    start("weekname", week_name),
    within("inyear", |a, c| contains(a, c, year, false)),
    within("inyeartodate", |a, c| contains(a, c, year, true)),
    within("inquarter", |a, c| contains(a, c, quarter, false)),
    within("inquartertodate", |a, c| contains(a, c, quarter, true)),
    within("inmonth", |a, c| contains(a, c, month, false)),
    within("inmonthtodate", |a, c| contains(a, c, month, true)),
    within("inweek", |a, c| contains(a, c, week, false)),
    within("inweektodate", |a, c| contains(a, c, week, true)),
    within("inday", |a, c| contains(a, c, day, false)),
    within("indaytotime", |a, c| contains(a, c, day, true)),
    function("yeartodate", 1, 4, |args, context| {
        let Some(at) = moment(args, 0, context) else {
            return Value::Null;
        };
        let shift = num(args, 1, context).unwrap_or(0.0) as i64;
        let first = num(args, 2, context).unwrap_or(1.0) as i64;
        let today = num(args, 3, context).unwrap_or(context.now).floor() as i64;
        let Some((from, _)) = year(today, shift, first, context) else {
            return Value::Null;
        };
        let date = civil(today);
        let to = serial_day(date.year + shift, date.month, date.day);
        Value::boolean((from..=to).contains(&at.day))
    }),
];

/// First day and the day after the last, of the interval `shift` after the one that holds a
/// day; the year begins with month `first`.
type Interval = fn(i64, i64, i64, &EvalContext<'_>) -> Option<(i64, i64)>;

enum End {
    First,
    Last,
}

const fn start(name: &'static str, run: Run) -> Function {
    function(name, 1, 4, run)
}

const fn within(name: &'static str, run: Run) -> Function {
    function(name, 3, 5, run)
}

fn months(day: i64, shift: i64, first: i64, length: i64) -> Option<(i64, i64)> {
    if shift.abs() > 100_000 {
        return None;
    }
    let date = civil(day);
    let back = (date.month - first).rem_euclid(length);
    let (y, m) = shift_month(date.year, date.month, shift * length - back);
    let (next_y, next_m) = shift_month(y, m, length);
    Some((serial_day(y, m, 1), serial_day(next_y, next_m, 1)))
}

fn year(day: i64, shift: i64, first: i64, _: &EvalContext<'_>) -> Option<(i64, i64)> {
    months(day, shift, first, 12)
}

fn quarter(day: i64, shift: i64, first: i64, _: &EvalContext<'_>) -> Option<(i64, i64)> {
    months(day, shift, first, 3)
}

fn month(day: i64, shift: i64, _: i64, _: &EvalContext<'_>) -> Option<(i64, i64)> {
    months(day, shift, 1, 1)
}

fn week(day: i64, shift: i64, _: i64, context: &EvalContext<'_>) -> Option<(i64, i64)> {
    let from = week_start(day, context.locale.first_week_day) + shift.clamp(-500_000, 500_000) * 7;
    Some((from, from + 7))
}

fn day(day: i64, shift: i64, _: i64, _: &EvalContext<'_>) -> Option<(i64, i64)> {
    let from = day + shift.clamp(-3_000_000, 3_000_000);
    Some((from, from + 1))
}

fn bound(args: &[Value], context: &EvalContext<'_>, interval: Interval, end: End) -> Value {
    let Some(at) = moment(args, 0, context) else {
        return Value::Null;
    };
    let shift = num(args, 1, context).unwrap_or(0.0) as i64;
    let first = num(args, 2, context).unwrap_or(1.0) as i64;
    let Some((from, next)) = interval(at.day, shift, first, context) else {
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

fn name(args: &[Value], context: &EvalContext<'_>, interval: Interval) -> Value {
    let Some(at) = moment(args, 0, context) else {
        return Value::Null;
    };
    let shift = num(args, 1, context).unwrap_or(0.0) as i64;
    let first = num(args, 2, context).unwrap_or(1.0) as i64;
    let Some((from, next)) = interval(at.day, shift, first, context) else {
        return Value::Null;
    };
    let (a, b) = (civil(from), civil(next - 1));
    let month = |m: i64| {
        context
            .locale
            .month_names
            .get((m - 1) as usize)
            .cloned()
            .unwrap_or_default()
    };
    let text = match next - from {
        360.. if a.year == b.year => a.year.to_string(),
        360.. => format!("{}-{}", a.year, b.year),
        32.. => format!("{}-{} {}", month(a.month), month(b.month), b.year),
        _ => format!("{} {}", month(a.month), a.year),
    };
    Value::dual(from as f64, text)
}

fn week_name(args: &[Value], context: &EvalContext<'_>) -> Value {
    let Some(at) = moment(args, 0, context) else {
        return Value::Null;
    };
    let shift = num(args, 1, context).unwrap_or(0.0) as i64;
    let Some((from, _)) = week(at.day, shift, 1, context) else {
        return Value::Null;
    };
    let (year, number) = rule(context.locale).week_of(from);
    Value::dual(from as f64, format!("{year}/{number:02}"))
}

/// `InX(date, base, shift [, first month])`.
fn contains(args: &[Value], context: &EvalContext<'_>, interval: Interval, to_date: bool) -> Value {
    let (Some(at), Some(base), Some(shift)) = (
        num(args, 0, context),
        num(args, 1, context),
        num(args, 2, context),
    ) else {
        return Value::Null;
    };
    let first = num(args, 3, context).unwrap_or(1.0) as i64;
    let Some(base_moment) = moment(args, 1, context) else {
        return Value::Null;
    };
    let (Some((from, next)), Some((unshifted, _))) = (
        interval(base_moment.day, shift as i64, first, context),
        interval(base_moment.day, 0, first, context),
    ) else {
        return Value::Null;
    };
    let end = if to_date {
        from as f64 + (base - unshifted as f64)
    } else {
        next as f64
    };
    let inside = at >= from as f64 && if to_date { at <= end } else { at < end };
    // A whole day given as the end counts to its last moment.
    let inside =
        inside || (to_date && base.fract() == 0.0 && at.floor() == end && at >= from as f64);
    Value::boolean(inside)
}
