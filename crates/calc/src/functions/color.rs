//! Colour functions: duals whose number is 0xAARRGGBB and whose text is `RGB(r,g,b)` or
//! `ARGB(a,r,g,b)`.

use satchel_data::Value;

use super::{Function, Run, function, num};
use crate::eval::EvalContext;

pub(super) const FUNCTIONS: &[Function] = &[
    function("rgb", 3, 3, |args, context| channels(args, context, 0)),
    function("argb", 4, 4, |args, context| channels(args, context, 1)),
    function("colormix1", 3, 3, mix),
    named("black", |_, _| color(255, 0, 0, 0)),
    named("white", |_, _| color(255, 255, 255, 255)),
    named("red", |_, _| color(255, 128, 0, 0)),
    named("lightred", |_, _| color(255, 255, 0, 0)),
    named("green", |_, _| color(255, 0, 128, 0)),
    named("lightgreen", |_, _| color(255, 0, 255, 0)),
    named("blue", |_, _| color(255, 0, 0, 128)),
    named("lightblue", |_, _| color(255, 0, 0, 255)),
    named("yellow", |_, _| color(255, 255, 255, 0)),
    named("cyan", |_, _| color(255, 0, 128, 128)),
    named("magenta", |_, _| color(255, 128, 0, 128)),
    named("brown", |_, _| color(255, 128, 128, 0)),
    named("darkgray", |_, _| color(255, 128, 128, 128)),
    named("lightgray", |_, _| color(255, 192, 192, 192)),
];

const fn named(name: &'static str, run: Run) -> Function {
    function(name, 0, 0, run)
}

fn color(alpha: u8, red: u8, green: u8, blue: u8) -> Value {
    let num = u32::from_be_bytes([alpha, red, green, blue]);
    let text = if alpha == 255 {
        format!("RGB({red},{green},{blue})")
    } else {
        format!("ARGB({alpha},{red},{green},{blue})")
    };
    Value::dual(f64::from(num), text)
}

fn channels(args: &[Value], context: &EvalContext<'_>, first: usize) -> Value {
    let channel = |i: usize| num(args, i, context).map(|n| n.clamp(0.0, 255.0) as u8);
    let alpha = if first == 0 { Some(255) } else { channel(0) };
    match (
        alpha,
        channel(first),
        channel(first + 1),
        channel(first + 2),
    ) {
        (Some(a), Some(r), Some(g), Some(b)) => color(a, r, g, b),
        _ => Value::Null,
    }
}

/// `ColorMix1(share, zero, one)`: a colour between two, channel by channel.
fn mix(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(share), Some(zero), Some(one)) = (
        num(args, 0, context),
        num(args, 1, context),
        num(args, 2, context),
    ) else {
        return Value::Null;
    };
    let (zero, one) = ((zero as u32).to_be_bytes(), (one as u32).to_be_bytes());
    let share = share.clamp(0.0, 1.0);
    let between = |i: usize| {
        (f64::from(zero[i]) + (f64::from(one[i]) - f64::from(zero[i])) * share).round() as u8
    };
    color(between(0), between(1), between(2), between(3))
}
