//! QVX files: an XML header that tells how each field is written, a NUL byte, then the rows.
//!
//! Rules: the description of the format in the QVX SDK. Blobs and files in blocks are refused.

use satchel_data::Value;
use satchel_script::{HostError, ReadRequest, RowSource};

use crate::codepage::decode;
use crate::grid::Grid;
use crate::markup::{Element, parse};
use crate::moment;

/// Begins a row, in files that have separators.
const ROW: u8 = 0x1e;
/// Ends the file, in files that have separators.
const END: u8 = 0x1c;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Real,
    Decimal,
    Text,
    Dual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Fixed,
    Counted,
    ZeroTerminated,
    Special,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nulls {
    Never,
    /// A byte says so, and the value follows all the same.
    FlagAndData,
    /// A byte says so instead of the value.
    Flag,
    ZeroLength,
}

/// What a number shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Plain,
    Moment,
    Interval,
}

#[derive(Debug)]
struct Field {
    name: String,
    kind: Kind,
    extent: Extent,
    nulls: Nulls,
    is_big_endian: bool,
    codepage: String,
    n_bytes: usize,
    decimals: i32,
    shown: Shown,
}

/// Opens the file whose content is `bytes`.
pub(crate) fn open(bytes: Vec<u8>, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let path = &request.path;
    let end =
        memchr::memchr(0, &bytes).ok_or_else(|| malformed(path, "no NUL byte ends its header"))?;
    let header = decode(bytes[..end].to_vec(), Some("utf8"))?;
    let header = parse(&header, path)?;
    if header.name != "QvxTableHeader" {
        return Err(malformed(path, "it has no QvxTableHeader"));
    }
    let text = |name| child_text(&header, name);
    if !matches!(text("BlockSize"), "" | "0" | "1") {
        return Err(malformed(
            path,
            "its rows are in blocks, which is not supported",
        ));
    }
    let has_separators = text("UsesSeparatorByte") == "true" || text("UsesSeparatorByte") == "1";
    let fields = header.child("Fields").map_or(&[][..], |f| &f.children[..]);
    let fields: Vec<Field> = (fields.iter().filter(|f| f.name == "QvxFieldHeader"))
        .map(|f| field(f).map_err(|why| malformed(path, &why)))
        .collect::<Result<_, _>>()?;
    if fields.is_empty() {
        return Err(malformed(path, "it has no fields"));
    }
    let mut rest = &bytes[end + 1..];
    let mut grid = Grid::default();
    let mut row = 0;
    loop {
        match rest.first() {
            None if has_separators => {
                return Err(malformed(
                    path,
                    &format!("it ends without its end mark after row {row}"),
                ));
            }
            None => break,
            Some(&END) if has_separators => break,
            Some(&ROW) if has_separators => rest = &rest[1..],
            Some(_) if has_separators => {
                return Err(malformed(
                    path,
                    &format!("row {} does not begin as rows do", row + 1),
                ));
            }
            Some(_) => {}
        }
        let before = rest.len();
        grid.reach(row);
        for (column, field) in fields.iter().enumerate() {
            let cell = value(field, &mut rest).ok_or_else(|| {
                malformed(
                    path,
                    &format!(
                        "field `{}` of row {} is cut off or damaged",
                        field.name,
                        row + 1
                    ),
                )
            })?;
            grid.put(row, column, cell)?;
        }
        if rest.len() == before {
            return Err(malformed(path, "its rows have no length"));
        }
        row += 1;
    }
    let names = fields.into_iter().map(|f| f.name).collect();
    Ok(grid.with_names(names, request))
}

fn child_text<'a>(element: &'a Element, name: &str) -> &'a str {
    element.child(name).map_or("", |c| c.text.trim())
}

fn field(header: &Element) -> Result<Field, String> {
    let text = |name| child_text(header, name);
    let name = text("FieldName").to_owned();
    let unknown = |what: &str, found: &str| Err(format!("field `{name}` has the {what} `{found}`"));
    let kind = match text("Type") {
        "QVX_SIGNED_INTEGER" => Kind::Signed,
        "QVX_UNSIGNED_INTEGER" => Kind::Unsigned,
        "QVX_IEEE_REAL" => Kind::Real,
        "QVX_PACKED_BCD" => Kind::Decimal,
        "QVX_TEXT" => Kind::Text,
        "QVX_QV_DUAL" => Kind::Dual,
        other => return unknown("type", other),
    };
    let extent = match text("Extent") {
        "QVX_FIX" => Extent::Fixed,
        "QVX_COUNTED" => Extent::Counted,
        "QVX_ZERO_TERMINATED" => Extent::ZeroTerminated,
        "QVX_QV_SPECIAL" => Extent::Special,
        other => return unknown("extent", other),
    };
    let nulls = match text("NullRepresentation") {
        "" | "QVX_NULL_NEVER" => Nulls::Never,
        "QVX_NULL_FLAG_WITH_UNDEFINED_DATA" => Nulls::FlagAndData,
        "QVX_NULL_FLAG_SUPPRESS_DATA" => Nulls::Flag,
        "QVX_NULL_ZERO_LENGTH" => Nulls::ZeroLength,
        other => return unknown("way to write NULL", other),
    };
    let n_bytes: usize = match text("ByteWidth") {
        "" => 0,
        number => number
            .parse()
            .map_err(|_| format!("field `{name}` has the width `{number}`"))?,
    };
    let fits = match (kind, extent) {
        (Kind::Dual, Extent::Special) => true,
        (Kind::Text, Extent::Fixed | Extent::ZeroTerminated) => true,
        (_, Extent::Counted) => matches!(n_bytes, 1 | 2 | 4 | 8),
        (Kind::Signed | Kind::Unsigned, Extent::Fixed) => matches!(n_bytes, 1..=8),
        (Kind::Real, Extent::Fixed) => matches!(n_bytes, 4 | 8),
        (Kind::Decimal, Extent::Fixed) => matches!(n_bytes, 1..=16),
        _ => false,
    };
    if !fits {
        return Err(format!(
            "field `{name}` is of type {} in {n_bytes} bytes with extent {}",
            text("Type"),
            text("Extent")
        ));
    }
    let shown = match header
        .child("FieldFormat")
        .map_or("", |f| child_text(f, "Type"))
    {
        "DATE" | "TIME" | "TIMESTAMP" => Shown::Moment,
        "INTERVAL" => Shown::Interval,
        _ => Shown::Plain,
    };
    Ok(Field {
        kind,
        extent,
        nulls,
        is_big_endian: matches!(text("BigEndian"), "true" | "1"),
        codepage: match text("CodePage") {
            "" => "utf8".to_owned(),
            number => number.to_owned(),
        },
        n_bytes,
        decimals: text("FixPointDecimals").parse().unwrap_or(0),
        shown,
        name,
    })
}

/// The next value of `field`; `None` if it is cut off.
fn value(field: &Field, rest: &mut &[u8]) -> Option<Value> {
    let mut is_null = false;
    if matches!(field.nulls, Nulls::Flag | Nulls::FlagAndData) {
        is_null = take(rest, 1)?[0] != 0;
        if is_null && field.nulls == Nulls::Flag {
            return Some(Value::Null);
        }
    }
    let found = match field.extent {
        Extent::Special => dual(field, rest)?,
        Extent::Fixed => of_bytes(field, take(rest, field.n_bytes)?)?,
        Extent::Counted => {
            let n = whole(take(rest, field.n_bytes)?, field.is_big_endian);
            let bytes = take(rest, usize::try_from(n).ok()?)?;
            if bytes.is_empty() && field.nulls == Nulls::ZeroLength {
                return Some(Value::Null);
            }
            of_bytes(field, bytes)?
        }
        Extent::ZeroTerminated => {
            let bytes = terminated(field, rest)?;
            if bytes.is_empty() && field.nulls == Nulls::ZeroLength {
                return Some(Value::Null);
            }
            of_bytes(field, bytes)?
        }
    };
    Some(if is_null { Value::Null } else { found })
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
    let (bytes, after) = rest.split_at_checked(n)?;
    *rest = after;
    Some(bytes)
}

/// Up to the zero, which takes two bytes in UTF-16.
fn terminated<'a>(field: &Field, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let width = if is_wide(field) { 2 } else { 1 };
    let at = match width {
        1 => memchr::memchr(0, rest)?,
        _ => 2 * rest.chunks_exact(2).position(|pair| pair == [0, 0])?,
    };
    let bytes = take(rest, at)?;
    take(rest, width)?;
    Some(bytes)
}

fn is_wide(field: &Field) -> bool {
    matches!(field.codepage.as_str(), "1200" | "1201")
}

/// A byte that says what follows: a number, a text, both or neither.
fn dual(field: &Field, rest: &mut &[u8]) -> Option<Value> {
    let kind = take(rest, 1)?[0];
    let number = match kind & 3 {
        1 => Some(signed(take(rest, 4)?, field.is_big_endian) as f64),
        2 => Some(real(take(rest, 8)?, field.is_big_endian)?),
        0 => None,
        _ => return None,
    };
    let text = match kind & !3 {
        4 => Some(text_of(field, terminated(field, rest)?)?),
        0 => None,
        _ => return None,
    };
    Some(match (number, text) {
        (Some(number), Some(text)) => Value::dual(number, text),
        (Some(number), None) => shown(field, number),
        (None, Some(text)) => Value::text(text),
        (None, None) => Value::Null,
    })
}

fn of_bytes(field: &Field, bytes: &[u8]) -> Option<Value> {
    let number = match field.kind {
        Kind::Text => return Some(Value::text(text_of(field, bytes)?)),
        Kind::Signed if (1..=8).contains(&bytes.len()) => {
            scaled(field, signed(bytes, field.is_big_endian) as f64)
        }
        Kind::Unsigned if (1..=8).contains(&bytes.len()) => {
            scaled(field, whole(bytes, field.is_big_endian) as f64)
        }
        Kind::Real => real(bytes, field.is_big_endian)?,
        Kind::Decimal => scaled(field, decimal(bytes)?),
        _ => return None,
    };
    Some(shown(field, number))
}

fn text_of(field: &Field, bytes: &[u8]) -> Option<String> {
    let text = decode(bytes.to_vec(), Some(&field.codepage)).ok()?;
    // Texts of fixed width are filled up.
    Some(match field.extent {
        Extent::Fixed => text.trim_end_matches(['\0', ' ']).to_owned(),
        _ => text,
    })
}

fn shown(field: &Field, number: f64) -> Value {
    match field.shown {
        Shown::Plain => Value::num(number),
        Shown::Moment => moment::of_serial(number),
        Shown::Interval => moment::interval(number),
    }
}

fn scaled(field: &Field, number: f64) -> f64 {
    match field.decimals {
        0 => number,
        n => number / 10_f64.powi(n.clamp(-300, 300)),
    }
}

/// Up to eight bytes without a sign.
fn whole(bytes: &[u8], is_big_endian: bool) -> u64 {
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    if is_big_endian {
        bytes.iter().fold(0, add)
    } else {
        bytes.iter().rev().fold(0, add)
    }
}

fn signed(bytes: &[u8], is_big_endian: bool) -> i64 {
    let unused = 64 - 8 * bytes.len().clamp(1, 8) as u32;
    ((whole(bytes, is_big_endian) << unused) as i64) >> unused
}

fn real(bytes: &[u8], is_big_endian: bool) -> Option<f64> {
    let bits = whole(bytes, is_big_endian);
    match bytes.len() {
        4 => Some(f64::from(f32::from_bits(bits as u32))),
        8 => Some(f64::from_bits(bits)),
        _ => None,
    }
}

/// Two digits a byte, the sign in the last half: D is negative.
fn decimal(bytes: &[u8]) -> Option<f64> {
    let halves = bytes.iter().flat_map(|b| [b >> 4, b & 15]);
    let mut number = 0.0;
    let n = bytes.len() * 2;
    for (i, half) in halves.enumerate() {
        match half {
            0..=9 => number = number * 10.0 + f64::from(half),
            0xb | 0xd if i + 1 == n => number = -number,
            0xa | 0xc | 0xe | 0xf if i + 1 == n => {}
            _ => return None,
        }
    }
    Some(number)
}

fn malformed(path: &str, why: &str) -> HostError {
    HostError::new(
        "source.malformed",
        format!("`{path}` is not a readable QVX file: {why}"),
    )
    .with_hint("was it written completely, and is it a QVX file?")
}
