//! A table as a QVD file.

use std::io::{BufWriter, Write};

use rustc_hash::FxHashMap;
use satchel_data::{Frame, FrameColumn, NULL_CODE, SymbolKey};

use super::header::{FieldHeader, Header};
use super::symbols;

/// The bias of fields with NULLs: NULL is stored as 0 and the first value as 2.
const NULL_BIAS: i64 = -2;

/// A column ready to be written.
struct Packed {
    field: FieldHeader,
    symbols: Vec<u8>,
    /// What is stored for each code of the column, and for NULL.
    stored: Vec<u32>,
    null: u32,
}

/// Writes `table` to `out`; `created` is the time in UTC, as text.
pub(crate) fn write(out: impl Write, table: &Frame, created: String) -> Result<(), String> {
    let mut header = Header {
        table: table.name.clone(),
        created,
        n_records: table.n_rows() as u64,
        ..Header::default()
    };
    let mut packed = Vec::with_capacity(table.columns.len());
    let mut bits = 0;
    for column in &table.columns {
        let mut column = pack(column)?;
        column.field.bit_offset = bits;
        column.field.offset = header.offset;
        bits += column.field.bit_width;
        header.offset += column.field.length;
        header.fields.push(column.field.clone());
        packed.push(column);
    }
    // A record of no bytes would hide how many there are from some readers.
    let record_bytes = bits.div_ceil(8).max(1) as usize;
    header.record_bytes = record_bytes as u64;
    header.length = header.record_bytes * header.n_records;

    let mut out = BufWriter::with_capacity(1 << 20, out);
    let mut written = || -> std::io::Result<()> {
        out.write_all(header.to_xml().as_bytes())?;
        out.write_all(&[0])?;
        for column in &packed {
            out.write_all(&column.symbols)?;
        }
        // Codes are set as eight bytes, so some more than a record are needed.
        let mut record = vec![0; record_bytes + 8];
        for row in 0..table.n_rows() {
            record.fill(0);
            for (column, packed) in table.columns.iter().zip(&packed) {
                let code = column.codes.get(row).copied().unwrap_or(NULL_CODE);
                let stored = (packed.stored.get(code as usize))
                    .copied()
                    .unwrap_or(packed.null);
                let at = packed.field.bit_offset as usize / 8;
                let word = u64::from(stored) << (packed.field.bit_offset % 8);
                for (byte, more) in record[at..].iter_mut().zip(word.to_le_bytes()) {
                    *byte |= more;
                }
            }
            out.write_all(&record[..record_bytes])?;
        }
        out.flush()
    };
    written().map_err(|e| e.to_string())
}

/// Symbols in order of first appearance; those that no row has are left out, and of several
/// texts of one number the first stays.
fn pack(column: &FrameColumn) -> Result<Packed, String> {
    let values = column.dict.values();
    let mut of_code: Vec<u32> = vec![NULL_CODE; values.len()];
    let mut known: FxHashMap<SymbolKey, u32> = FxHashMap::default();
    let mut symbols = Vec::new();
    let mut has_null = false;
    let mut kinds = [0_usize; 3];
    for code in &column.codes {
        let Some(value) = values.get(*code as usize) else {
            has_null = true;
            continue;
        };
        if of_code[*code as usize] != NULL_CODE {
            continue;
        }
        let Some(key) = SymbolKey::of(value) else {
            has_null = true;
            continue;
        };
        let next = known.len() as u32;
        let symbol = *known.entry(key).or_insert(next);
        of_code[*code as usize] = symbol;
        if symbol == next {
            if !symbols::push(&mut symbols, value) {
                return Err(format!(
                    "field `{}` has a text with a NUL character, which QVD files cannot hold",
                    column.name
                ));
            }
            kinds[match value.as_num() {
                None => 0,
                Some(n) if n == n.trunc() => 1,
                Some(_) => 2,
            }] += 1;
        }
    }
    let n_symbols = known.len() as u32;
    let bias = if has_null { NULL_BIAS } else { 0 };
    let shift = if has_null { 2 } else { 0 };
    let most = (n_symbols + shift).saturating_sub(1);
    let stored = (of_code.into_iter())
        .map(|c| if c == NULL_CODE { 0 } else { c + shift })
        .collect();
    Ok(Packed {
        field: FieldHeader {
            name: column.name.clone(),
            bit_width: if n_symbols == 0 {
                0
            } else {
                32 - most.leading_zeros()
            },
            bias,
            n_symbols: n_symbols.into(),
            length: symbols.len() as u64,
            tags: tags(kinds, &symbols),
            ..FieldHeader::default()
        },
        symbols,
        stored,
        null: 0,
    })
}

/// How many symbols are texts, whole and other numbers.
fn tags([texts, whole, other]: [usize; 3], symbols: &[u8]) -> Vec<&'static str> {
    let mut out = Vec::new();
    if texts == 0 && whole + other > 0 {
        out.push("$numeric");
        if other == 0 {
            out.push("$integer");
        }
    } else if texts > 0 && whole + other == 0 {
        if symbols.is_ascii() {
            out.push("$ascii");
        }
        out.push("$text");
    }
    out
}
