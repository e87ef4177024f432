//! Whether a spreadsheet announces more than it can be meant to hold: looked at before the
//! library reads it, which asks for memory as a file says.

use std::fs::File;
use std::io::{Read, Seek};

use zip::ZipArchive;

/// A part that inflates to less is harmless, whatever the ratio.
const HARMLESS_BYTES: u64 = 64 << 20;

/// Sheets compress to a tenth to a thirtieth; what compresses better than this is made to.
const MOST_RATIO: u64 = 200;

/// All parts together.
const MOST_BYTES: u64 = 8 << 30;

/// A workbook with hundreds of sheets and pictures has some thousands.
const MOST_PARTS: usize = 20_000;

/// Cells of all sheets together, as rectangles from the first to the last cell: the library
/// keeps them so, at 32 bytes a cell.
const MOST_CELLS: u64 = 32 << 20;

/// Inflates every part once, without keeping it. The sizes a zip archive announces prove
/// nothing.
pub(super) fn check_zip(file: &mut File) -> Result<(), String> {
    {
        let mut archive = ZipArchive::new(&mut *file).map_err(|e| e.to_string())?;
        if archive.len() > MOST_PARTS {
            return Err(format!("it has {} parts", archive.len()));
        }
        let mut total = 0;
        let mut piece = vec![0; 64 << 10];
        for i in 0..archive.len() {
            let mut part = archive.by_index(i).map_err(|e| e.to_string())?;
            let packed = part.compressed_size();
            // Deflate makes at most 1032 bytes of one.
            if packed.saturating_mul(1032) <= HARMLESS_BYTES {
                continue;
            }
            let most = HARMLESS_BYTES.max(packed.saturating_mul(MOST_RATIO));
            let mut n_bytes = 0;
            loop {
                let n = part.read(&mut piece).map_err(|e| e.to_string())? as u64;
                if n == 0 {
                    break;
                }
                n_bytes += n;
                total += n;
                if n_bytes > most || total > MOST_BYTES {
                    return Err(format!(
                        "a part of {packed} bytes inflates to more than {n_bytes}, as no sheet does"
                    ));
                }
            }
        }
    }
    file.rewind().map_err(|e| e.to_string())
}

/// Follows the records of every sheet and adds up what they span.
pub(super) fn check_biff(file: &mut File) -> Result<(), String> {
    let mut stream = Vec::new();
    {
        let mut book = cfb::CompoundFile::open(&mut *file).map_err(|e| e.to_string())?;
        if book.exists("/EncryptedPackage") {
            return Err("it is protected by a password".to_owned());
        }
        let name = ["/Workbook", "/Book"]
            .into_iter()
            .find(|name| book.is_stream(name));
        let name = name.ok_or("it holds no workbook")?;
        let mut from = book.open_stream(name).map_err(|e| e.to_string())?;
        from.read_to_end(&mut stream).map_err(|e| e.to_string())?;
    }
    file.rewind().map_err(|e| e.to_string())?;
    let mut n_cells: u64 = 0;
    for (kind, data) in Records(&stream) {
        match (kind, u32_at(data, 0)) {
            (BOUND_SHEET, Some(at)) => {
                let sheet = (stream.get(at as usize..)).ok_or("a sheet begins behind its end")?;
                n_cells = n_cells.saturating_add(span_of(sheet)?);
                if n_cells > MOST_CELLS {
                    return Err(format!("its sheets span more than {MOST_CELLS} cells"));
                }
            }
            (EOF, _) => break,
            _ => {}
        }
    }
    Ok(())
}

const EOF: u16 = 0x000a;
const BOF: u16 = 0x0809;
const BOUND_SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;

/// Records that are a cell or several in a row: they begin with row and column.
const CELLS: [u16; 8] = [
    0x0203, 0x0204, 0x00d6, 0x0205, 0x027e, 0x00fd, 0x00bd, 0x0006,
];

/// How many cells the records of a sheet span, and announce to.
fn span_of(sheet: &[u8]) -> Result<u64, String> {
    let (mut rows, mut columns, mut announced) = (0, 0, 0_u64);
    let mut depth = 0_u32;
    for (kind, data) in Records(sheet) {
        match kind {
            BOF => depth += 1,
            // Charts within a sheet have an end of their own.
            EOF if depth > 1 => depth -= 1,
            EOF => break,
            DIMENSIONS => {
                // With 32-bit rows since Excel 97, with 16-bit rows before.
                let (first, last, left, right) = if data.len() >= 14 {
                    (
                        u32_at(data, 0),
                        u32_at(data, 4),
                        u16_at(data, 8),
                        u16_at(data, 10),
                    )
                } else {
                    let wide = |at| u16_at(data, at).map(u32::from);
                    (wide(0), wide(2), u16_at(data, 4), u16_at(data, 6))
                };
                let (Some(first), Some(last), Some(left), Some(right)) = (first, last, left, right)
                else {
                    return Err("a record is cut off".to_owned());
                };
                if last < first || right < left || last > 1 << 16 || right > 256 {
                    return Err(format!(
                        "a sheet announces rows {first} to {last} and columns {left} to {right}"
                    ));
                }
                announced += (u64::from(last - first) + 1) * (u64::from(right - left) + 1);
            }
            _ if CELLS.contains(&kind) => {
                let (Some(row), Some(column)) = (u16_at(data, 0), u16_at(data, 2)) else {
                    return Err("a record is cut off".to_owned());
                };
                // A record of several cells ends with the last column.
                let last = if kind == 0x00bd {
                    u16_at(data, data.len().saturating_sub(2)).unwrap_or(column)
                } else {
                    column
                };
                if column > 255 || last > 255 {
                    return Err(format!(
                        "a sheet has a cell in column {}",
                        u32::from(column.max(last)) + 1
                    ));
                }
                rows = rows.max(u64::from(row) + 1);
                columns = columns.max(u64::from(last.max(column)) + 1);
            }
            _ => {}
        }
    }
    Ok(announced.max(rows * columns))
}

/// The records of a stream: kind and data. What is cut off ends it.
struct Records<'a>(&'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = u16_at(self.0, 0)?;
        let n_bytes = usize::from(u16_at(self.0, 2)?);
        let data = self.0.get(4..4 + n_bytes)?;
        self.0 = &self.0[4 + n_bytes..];
        Some((kind, data))
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?
        .first_chunk()
        .map(|b| u16::from_le_bytes(*b))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?
        .first_chunk()
        .map(|b| u32::from_le_bytes(*b))
}
