//! String functions. Positions count characters from 1; NULL arguments give NULL.

use satchel_data::Value;

use super::{Function, function, num, text};
use crate::eval::{EvalContext, LONG_TEXT};
use crate::hash::hash;

/// The longest text a function makes: 16 MiB, so that `Repeat` cannot exhaust memory.
const MAX_TEXT: usize = 16 << 20;

macro_rules! of_text {
    ($signature:literal, $doc:literal, $example:expr, $f:expr) => {
        function($signature, $doc, $example, |args, _| {
            let f: fn(&str) -> String = $f;
            text(args, 0).map_or(Value::Null, |t| Value::text(f(&t)))
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_text!(
        "Upper(text)",
        "The text in upper case.",
        ("Upper('abcD')", "'ABCD'"),
        |t| t.to_uppercase()
    ),
    of_text!(
        "Lower(text)",
        "The text in lower case.",
        ("Lower('abcD')", "'abcd'"),
        |t| t.to_lowercase()
    ),
    of_text!(
        "Capitalize(text)",
        "The text with each word beginning in upper case.",
        ("Capitalize('my little pony')", "'My Little Pony'"),
        capitalize
    ),
    of_text!(
        "Trim(text)",
        "The text without spaces before and after it.",
        ("Trim(' abc ')", "'abc'"),
        |t| t.trim_matches(' ').to_owned()
    ),
    of_text!(
        "LTrim(text)",
        "The text without spaces before it.",
        ("LTrim(' abc')", "'abc'"),
        |t| t.trim_start_matches(' ').to_owned()
    ),
    of_text!(
        "RTrim(text)",
        "The text without spaces after it.",
        ("RTrim('abc ')", "'abc'"),
        |t| t.trim_end_matches(' ').to_owned()
    ),
    function(
        "Len(text)",
        "The number of characters.",
        ("Len('Peter')", "5"),
        |args, _| text(args, 0).map_or(Value::Null, |t| Value::num(t.chars().count() as f64)),
    ),
    function(
        "Left(text, n)",
        "The first n characters.",
        ("Left('abcdef', 3)", "'abc'"),
        |args, context| slice(args, context, |n, k| (0, k.min(n))),
    ),
    function(
        "Right(text, n)",
        "The last n characters.",
        ("Right('abcdef', 2)", "'ef'"),
        |args, context| slice(args, context, |n, k| (n - k.min(n), n)),
    ),
    function(
        "Mid(text, start [, n])",
        "The n characters from a position on, or all.",
        ("Mid('abcdef', 3)", "'cdef'"),
        mid,
    ),
    function(
        "Index(text, part [, nth])",
        "Where the nth occurrence of a part begins, from the end for a negative n; 0 if there is none.",
        ("Index('abcdefg','cd')", "3"),
        index,
    ),
    function(
        "Replace(text, part, new_part)",
        "The text with every occurrence of a part replaced.",
        ("Replace('abccde','cc','xyz')", "'abxyzde'"),
        replace,
    ),
    function(
        "Repeat(text, n)",
        "The text n times.",
        ("Repeat(' * ', 4)", "' *  *  *  * '"),
        |args, context| match (text(args, 0), num(args, 1, context)) {
            (Some(t), Some(n)) if n >= 0.0 && t.len() as f64 * n <= MAX_TEXT as f64 => {
                Value::text(t.repeat(n as usize))
            }
            _ => Value::Null,
        },
    ),
    function(
        "PurgeChar(text, characters)",
        "The text without certain characters.",
        ("PurgeChar('a1b2c3','123')", "'abc'"),
        |args, _| filter(args, false),
    ),
    function(
        "KeepChar(text, characters)",
        "Only certain characters of the text.",
        ("KeepChar('a1b2c3','123')", "'123'"),
        |args, _| filter(args, true),
    ),
    function(
        "Chr(code)",
        "The character of a Unicode number.",
        ("Chr(65)", "'A'"),
        |args, context| {
            num(args, 0, context)
                .filter(|n| *n >= 1.0)
                .and_then(|n| char::from_u32(n as u32))
                .map_or(Value::Null, |c| Value::text(c.to_string()))
        },
    ),
    function(
        "Ord(text)",
        "The Unicode number of the first character.",
        ("Ord('A')", "65"),
        |args, _| {
            text(args, 0)
                .and_then(|t| t.chars().next())
                .map_or(Value::Null, |c| Value::num(f64::from(u32::from(c))))
        },
    ),
    function(
        "SubField(text, delimiter [, nth])",
        "The nth part of a delimited text, from the end for a negative n. Without n, a load makes a row of each part.",
        ("SubField('abc;cde;efg',';',2)", "'cde'"),
        subfield,
    ),
    function(
        "SubStringCount(text, part)",
        "How often a part occurs.",
        ("SubStringCount('abcdefgcdxyz','cd')", "2"),
        |args, _| match (text(args, 0), text(args, 1)) {
            (Some(t), Some(s)) if !s.is_empty() => Value::num(t.matches(&*s).count() as f64),
            (Some(_), Some(_)) => Value::num(0.0),
            _ => Value::Null,
        },
    ),
    function(
        "TextBetween(text, before, after [, nth])",
        "The text between two delimiters.",
        ("TextBetween('<abc>','<','>')", "'abc'"),
        text_between,
    ),
    function(
        "FindOneOf(text, characters [, nth])",
        "Where the nth of certain characters stands; 0 if none does.",
        ("FindOneOf('my example text string','et%s')", "4"),
        find_one_of,
    ),
    function(
        "Hash128(expression [, …])",
        "A hash of 128 bits over all values, as 22 characters.",
        ("Hash128('abc', 'xyz', 123)", "'*XRHHM^N`A#*+S<0[)!6R0'"),
        |args, _| Value::text(hash(args, 128)),
    ),
    function(
        "Hash160(expression [, …])",
        "A hash of 160 bits over all values, as 27 characters.",
        (
            "Hash160('abc', 'xyz', 123)",
            "'*XRHHM^N`A#*+S<0[)!6R?<HDG<'",
        ),
        |args, _| Value::text(hash(args, 160)),
    ),
    function(
        "Hash256(expression [, …])",
        "A hash of 256 bits over all values, as 43 characters.",
        (
            "Hash256('abc', 'xyz', 123)",
            "'*XRHHM^N`A#*+S<0[)!6R?<HDG=J`;AH?#H*?!V4$_8'",
        ),
        |args, _| Value::text(hash(args, 256)),
    ),
    function(
        "LevenshteinDist(text, other_text)",
        "How many characters must be put in, taken out or replaced to make one text the other.",
        ("LevenshteinDist('Kitten','Sitting')", "3"),
        |args, context| match (text(args, 0), text(args, 1)) {
            // The work is the product of the lengths.
            (Some(a), Some(b))
                if a.len().saturating_mul(b.len()) <= 1 << 24
                    && context.spend((a.len() * b.len()).saturating_sub(LONG_TEXT) as u64) =>
            {
                let chars = |t: &str| t.chars().collect::<Vec<char>>();
                Value::num(crate::suggest::edits(&chars(&a), &chars(&b)) as f64)
            }
            _ => Value::Null,
        },
    ),
    function(
        "Concatenate(text [, …])",
        "All texts joined.",
        ("Concatenate('a',1,null(),'b')", "'a1b'"),
        |args, _| Value::text(args.iter().map(Value::to_text).collect::<String>()),
    ),
];

fn capitalize(text: &str) -> String {
    let mut start = true;
    text.chars()
        .flat_map(|c| {
            let cased: Vec<char> = if start {
                c.to_uppercase().collect()
            } else {
                c.to_lowercase().collect()
            };
            start = !c.is_alphanumeric() && c != '\'';
            cased
        })
        .collect()
}

/// The characters between two positions made from the length and the second argument.
fn slice(
    args: &[Value],
    context: &EvalContext<'_>,
    range: fn(usize, usize) -> (usize, usize),
) -> Value {
    let (Some(t), Some(k)) = (text(args, 0), num(args, 1, context)) else {
        return Value::Null;
    };
    let n = t.chars().count();
    let (from, to) = range(n, k.max(0.0) as usize);
    Value::text(t.chars().skip(from).take(to - from).collect::<String>())
}

fn mid(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(t), Some(from)) = (text(args, 0), num(args, 1, context)) else {
        return Value::Null;
    };
    let count = match args.get(2) {
        Some(_) => match num(args, 2, context) {
            Some(n) => n.max(0.0) as usize,
            None => return Value::Null,
        },
        None => usize::MAX,
    };
    Value::text(
        t.chars()
            .skip((from - 1.0).max(0.0) as usize)
            .take(count)
            .collect::<String>(),
    )
}

/// `Index(text, part [, n])`: where the n-th occurrence begins; from the end if n < 0; 0 if
/// there is none.
fn index(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(t), Some(part)) = (text(args, 0), text(args, 1)) else {
        return Value::Null;
    };
    let nth = if args.len() > 2 {
        num(args, 2, context)
    } else {
        Some(1.0)
    };
    let Some(nth) = nth.map(|n| n as i64).filter(|n| *n != 0) else {
        return Value::Null;
    };
    if part.is_empty() {
        return Value::num(0.0);
    }
    let starts: Vec<usize> = t
        .char_indices()
        .enumerate()
        .filter(|(_, (byte, _))| t[*byte..].starts_with(&*part))
        .map(|(position, _)| position + 1)
        .collect();
    let at = if nth > 0 {
        starts.get(nth as usize - 1)
    } else {
        starts
            .len()
            .checked_sub(nth.unsigned_abs() as usize)
            .and_then(|i| starts.get(i))
    };
    Value::num(at.map_or(0.0, |p| *p as f64))
}

fn replace(args: &[Value], _: &EvalContext<'_>) -> Value {
    match (text(args, 0), text(args, 1), text(args, 2)) {
        (Some(t), Some(from), Some(to)) => {
            if from.is_empty() || t.matches(&*from).count() * to.len() > MAX_TEXT {
                return Value::text(t);
            }
            Value::text(t.replace(&*from, &to))
        }
        _ => Value::Null,
    }
}

fn filter(args: &[Value], keep: bool) -> Value {
    match (text(args, 0), text(args, 1)) {
        (Some(t), Some(set)) => {
            let set = characters(&set);
            let kept = |c: &char| set.binary_search(c).is_ok() == keep;
            Value::text(t.chars().filter(kept).collect::<String>())
        }
        _ => Value::Null,
    }
}

/// The distinct characters of a text, in order: it may be long.
fn characters(text: &str) -> Vec<char> {
    let mut all: Vec<char> = text.chars().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// `SubField(text, delimiter, n)`: the n-th part, from the end if n < 0. Without `n` the
/// load statement makes a row of each part; elsewhere it is the first.
fn subfield(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(t), Some(delimiter)) = (text(args, 0), text(args, 1)) else {
        return Value::Null;
    };
    let nth = if args.len() > 2 {
        num(args, 2, context)
    } else {
        Some(1.0)
    };
    let Some(nth) = nth.map(|n| n as i64).filter(|n| *n != 0) else {
        return Value::Null;
    };
    let parts: Vec<&str> = if delimiter.is_empty() {
        vec![&t]
    } else {
        t.split(&*delimiter).collect()
    };
    let at = if nth > 0 {
        parts.get(nth as usize - 1)
    } else {
        parts
            .len()
            .checked_sub(nth.unsigned_abs() as usize)
            .and_then(|i| parts.get(i))
    };
    at.map_or(Value::Null, |p| {
        crate::interpret::interpret(p, context.locale)
    })
}

fn text_between(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(t), Some(before), Some(after)) = (text(args, 0), text(args, 1), text(args, 2)) else {
        return Value::Null;
    };
    let nth = if args.len() > 3 {
        num(args, 3, context).unwrap_or(0.0)
    } else {
        1.0
    };
    let mut rest: &str = &t;
    for _ in 0..nth.max(0.0) as usize {
        match rest.find(&*before) {
            Some(at) => rest = &rest[at + before.len()..],
            None => return Value::Null,
        }
        if before.is_empty() {
            break;
        }
    }
    let end = if after.is_empty() {
        Some(rest.len())
    } else {
        rest.find(&*after)
    };
    end.map_or(Value::Null, |end| Value::text(&rest[..end]))
}

fn find_one_of(args: &[Value], context: &EvalContext<'_>) -> Value {
    let (Some(t), Some(set)) = (text(args, 0), text(args, 1)) else {
        return Value::Null;
    };
    let nth = if args.len() > 2 {
        num(args, 2, context).unwrap_or(1.0)
    } else {
        1.0
    };
    let set = characters(&set);
    let is_hit = |c: &char| set.binary_search(c).is_ok();
    let mut hits = t.chars().enumerate().filter(|(_, c)| is_hit(c));
    let at = hits.nth((nth as usize).saturating_sub(1));
    Value::num(at.map_or(0.0, |(i, _)| (i + 1) as f64))
}
