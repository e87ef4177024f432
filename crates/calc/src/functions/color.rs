//! Colour functions: duals whose number is 0xAARRGGBB and whose text is `RGB(r,g,b)` or
//! `ARGB(a,r,g,b)`.

use satchel_data::Value;

use super::{Function, function, num, num_or};
use crate::eval::EvalContext;

/// A function that gives one colour, whose opacity may be given.
macro_rules! named {
    ($name:literal, $doc:literal, $value:literal, $red:literal, $green:literal, $blue:literal) => {
        function(
            concat!($name, "([alpha])"),
            $doc,
            (concat!($name, "()"), $value),
            |args, context| match num_or(args, 0, context, 255.0) {
                Some(alpha) => color(byte(alpha), $red, $green, $blue),
                None => Value::Null,
            },
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    function(
        "RGB(red, green, blue)",
        "A colour of its red, green and blue parts, each 0 to 255.",
        ("RGB(255, 0, 128)", "RGB(255,0,128) (4294901888)"),
        |args, context| channels(args, context, 0),
    ),
    function(
        "ARGB(alpha, red, green, blue)",
        "A colour with an opacity: 0 is clear, 255 opaque.",
        ("ARGB(128, 255, 0, 0)", "ARGB(128,255,0,0) (2164195328)"),
        |args, context| channels(args, context, 1),
    ),
    function(
        "HSL(hue, saturation, luminosity)",
        "A colour of hue, saturation and luminosity, each 0 to 1.",
        ("HSL(0.5, 1, 0.5)", "RGB(0,255,255) (4278255615)"),
        |args, context| match (
            num(args, 0, context),
            num(args, 1, context),
            num(args, 2, context),
        ) {
            (Some(hue), Some(saturation), Some(luminosity)) => {
                hsl(hue, saturation.clamp(0.0, 1.0), luminosity.clamp(0.0, 1.0))
            }
            _ => Value::Null,
        },
    ),
    function(
        "Color(n)",
        "The nth colour of the palette of twelve, which begins again after the last.",
        ("Color(2)", "RGB(102,153,204) (4284914124)"),
        |args, context| match num(args, 0, context) {
            Some(n) if (1.0..1e9).contains(&n) => opaque(PALETTE[(n as usize - 1) % PALETTE.len()]),
            _ => Value::Null,
        },
    ),
    function(
        "SysColor(n)",
        "The colour of a part of a window, by its number in Windows.",
        ("SysColor(5)", "RGB(255,255,255) (4294967295)"),
        |args, context| {
            let n = num(args, 0, context).filter(|n| *n >= 0.0);
            n.and_then(|n| SYSTEM.get(n as usize))
                .map_or(Value::Null, |color| opaque(*color))
        },
    ),
    function(
        "ColorMix1(share, color_zero, color_one)",
        "A colour between two: the first at share 0, the second at 1.",
        (
            "ColorMix1(0.5, RGB(0,0,0), RGB(255,255,255))",
            "RGB(128,128,128) (4286611584)",
        ),
        |args, context| match (
            num(args, 0, context),
            number(args, 1, context),
            number(args, 2, context),
        ) {
            (Some(share), Some(zero), Some(one)) => between(zero, one, share),
            _ => Value::Null,
        },
    ),
    function(
        "ColorMix2(share, color_minus_one, color_one [, color_zero])",
        "A colour from one at share -1 to another at 1, by way of a third at 0 if given.",
        (
            "ColorMix2(-0.5, RGB(0,0,0), RGB(255,255,255))",
            "RGB(64,64,64) (4282400832)",
        ),
        |args, context| {
            let (Some(share), Some(minus_one), Some(one)) = (
                num(args, 0, context),
                number(args, 1, context),
                number(args, 2, context),
            ) else {
                return Value::Null;
            };
            match number(args, 3, context) {
                Some(zero) if share < 0.0 => between(zero, minus_one, -share),
                Some(zero) => between(zero, one, share),
                None => between(minus_one, one, (share + 1.0) / 2.0),
            }
        },
    ),
    function(
        "ColorMapHue(share)",
        "A colour on the way from red through yellow, green, cyan, blue and magenta back to red.",
        ("ColorMapHue(0.5)", "RGB(0,255,255) (4278255615)"),
        |args, context| {
            num(args, 0, context).map_or(Value::Null, |share| hsl(share.clamp(0.0, 1.0), 1.0, 0.5))
        },
    ),
    function(
        "ColorMapJet(share)",
        "A colour on the way from blue through cyan, yellow and orange to red.",
        ("ColorMapJet(0.5)", "RGB(128,255,128) (4286644096)"),
        |args, context| {
            num(args, 0, context).map_or(Value::Null, |share| {
                let share = share.clamp(0.0, 1.0);
                // Each channel rises, stays and falls around its own place.
                let channel = |centre: f64| {
                    ((1.5 - (4.0 * share - centre).abs()).clamp(0.0, 1.0) * 255.0).round() as u8
                };
                color(255, channel(3.0), channel(2.0), channel(1.0))
            })
        },
    ),
    named!("Black", "Black.", "RGB(0,0,0) (4278190080)", 0, 0, 0),
    named!(
        "White",
        "White.",
        "RGB(255,255,255) (4294967295)",
        255,
        255,
        255
    ),
    named!("Red", "Dark red.", "RGB(128,0,0) (4286578688)", 128, 0, 0),
    named!(
        "LightRed",
        "Bright red.",
        "RGB(255,0,0) (4294901760)",
        255,
        0,
        0
    ),
    named!(
        "Green",
        "Dark green.",
        "RGB(0,128,0) (4278222848)",
        0,
        128,
        0
    ),
    named!(
        "LightGreen",
        "Bright green.",
        "RGB(0,255,0) (4278255360)",
        0,
        255,
        0
    ),
    named!("Blue", "Dark blue.", "RGB(0,0,128) (4278190208)", 0, 0, 128),
    named!(
        "LightBlue",
        "Bright blue.",
        "RGB(0,0,255) (4278190335)",
        0,
        0,
        255
    ),
    named!(
        "Yellow",
        "Yellow.",
        "RGB(255,255,0) (4294967040)",
        255,
        255,
        0
    ),
    named!(
        "Cyan",
        "Dark cyan.",
        "RGB(0,128,128) (4278222976)",
        0,
        128,
        128
    ),
    named!(
        "LightCyan",
        "Bright cyan.",
        "RGB(0,255,255) (4278255615)",
        0,
        255,
        255
    ),
    named!(
        "Magenta",
        "Dark magenta.",
        "RGB(128,0,128) (4286578816)",
        128,
        0,
        128
    ),
    named!(
        "LightMagenta",
        "Bright magenta.",
        "RGB(255,0,255) (4294902015)",
        255,
        0,
        255
    ),
    named!(
        "Brown",
        "Brown.",
        "RGB(128,128,0) (4286611456)",
        128,
        128,
        0
    ),
    named!(
        "DarkGray",
        "Dark gray.",
        "RGB(128,128,128) (4286611584)",
        128,
        128,
        128
    ),
    named!(
        "LightGray",
        "Light gray.",
        "RGB(192,192,192) (4290822336)",
        192,
        192,
        192
    ),
];

/// The palette of twelve colours that charts use when nothing else is chosen.
const PALETTE: [u32; 12] = [
    0x332288, 0x6699cc, 0x88ccee, 0x44aa99, 0x117733, 0x999933, 0xddcc77, 0x661100, 0xcc6677,
    0xaa4466, 0x882255, 0xaa4499,
];

/// The colours of Windows as installed, by the number of `GetSysColor`; those of numbers that
/// are not used are black.
const SYSTEM: [u32; 31] = [
    0xc8c8c8, 0x000000, 0x99b4d1, 0xbfcddb, 0xf0f0f0, 0xffffff, 0x646464, 0x000000, 0x000000,
    0x000000, 0xb4b4b4, 0xf4f7fc, 0xababab, 0x0078d7, 0xffffff, 0xf0f0f0, 0xa0a0a0, 0x6d6d6d,
    0x000000, 0x000000, 0xffffff, 0x696969, 0xe3e3e3, 0x000000, 0xffffe1, 0x000000, 0x0066cc,
    0xb9d1ea, 0xd7e4f2, 0x0078d7, 0xf0f0f0,
];

fn color(alpha: u8, red: u8, green: u8, blue: u8) -> Value {
    let num = u32::from_be_bytes([alpha, red, green, blue]);
    let text = if alpha == 255 {
        format!("RGB({red},{green},{blue})")
    } else {
        format!("ARGB({alpha},{red},{green},{blue})")
    };
    Value::dual(f64::from(num), text)
}

fn opaque(rgb: u32) -> Value {
    let [_, red, green, blue] = rgb.to_be_bytes();
    color(255, red, green, blue)
}

fn byte(n: f64) -> u8 {
    n.clamp(0.0, 255.0) as u8
}

/// The channels of a colour given as a number.
fn number(args: &[Value], i: usize, context: &EvalContext<'_>) -> Option<[u8; 4]> {
    num(args, i, context).map(|n| (n as u32).to_be_bytes())
}

fn channels(args: &[Value], context: &EvalContext<'_>, first: usize) -> Value {
    let channel = |i: usize| num(args, i, context).map(byte);
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

/// A colour between two, channel by channel.
fn between(zero: [u8; 4], one: [u8; 4], share: f64) -> Value {
    let share = share.clamp(0.0, 1.0);
    let between = |i: usize| {
        (f64::from(zero[i]) + (f64::from(one[i]) - f64::from(zero[i])) * share).round() as u8
    };
    color(between(0), between(1), between(2), between(3))
}

/// A colour of hue, saturation and luminosity; the hue goes round.
fn hsl(hue: f64, saturation: f64, luminosity: f64) -> Value {
    let chroma = saturation * luminosity.min(1.0 - luminosity);
    let channel = |offset: f64| {
        let at = (offset + hue.rem_euclid(1.0) * 12.0) % 12.0;
        let part = luminosity - chroma * (at - 3.0).min(9.0 - at).clamp(-1.0, 1.0);
        (part * 255.0).round() as u8
    };
    color(255, channel(0.0), channel(8.0), channel(4.0))
}
