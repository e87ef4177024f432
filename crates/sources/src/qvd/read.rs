//! A QVD file to columns with the dictionaries it came with.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use rayon::prelude::*;
use satchel_data::{Batch, Cells, Dict, FrameColumn, NULL_CODE, Value};
use satchel_script::{HostError, QvdInfo, ReadRequest, RowSource, WholeSize};

use super::header::{FieldHeader, Header, MAX_HEADER_BYTES};
use super::symbols;
use crate::moment;

/// 4 MiB: records read at a time; they stay in the caches while each field is unpacked.
const BLOCK_BYTES: usize = 4 << 20;

/// What a value costs in memory beside its text, generously.
const SYMBOL_BYTES: u64 = 64;

/// A file whose header was read and checked.
pub(super) struct Rows<R> {
    path: String,
    columns: Vec<String>,
    /// The fields that are wanted.
    fields: Vec<FieldHeader>,
    header: Header,
    reader: R,
    /// Where the bytes behind the header begin.
    body: u64,
    /// By wanted field, once they were asked for.
    symbols: Vec<Option<Vec<Value>>>,
    /// The records that are kept, if not all are.
    kept: Option<Kept>,
    is_done: bool,
}

/// Records by number.
struct Kept {
    bits: Vec<u64>,
    n_rows: usize,
}

impl Kept {
    /// Those of the `n` records from `start` on, counted from `start`.
    fn within(&self, start: usize, n: usize) -> Vec<u32> {
        (0..n)
            .filter(|i| self.bits[(start + i) / 64] >> ((start + i) % 64) & 1 == 1)
            .map(|i| i as u32)
            .collect()
    }
}

/// Opens a QVD file.
pub(crate) fn open(file: File, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    Ok(Box::new(Rows::new(file, request)?))
}

/// What the head of a QVD file says; `None` if it is none.
pub(crate) fn info(file: File) -> Option<QvdInfo> {
    let rows = Rows::new(file, &ReadRequest::default()).ok()?;
    Some(QvdInfo {
        created: moment::serial_of(&rows.header.created),
        table: rows.header.table,
        n_rows: rows.header.n_records,
        fields: rows.columns,
    })
}

impl<R: Read + Seek> Rows<R> {
    pub(super) fn new(mut reader: R, request: &ReadRequest) -> Result<Self, HostError> {
        let path = request.path.clone();
        let malformed = |why: String| malformed(&path, &why);
        let n_bytes = (reader.seek(SeekFrom::End(0)))
            .and_then(|n| reader.rewind().map(|()| n))
            .map_err(|error| unreadable(&path, &error))?;
        let xml = read_header(&mut reader, &path)?;
        let body = xml.len() as u64 + 1;
        let xml = String::from_utf8(xml)
            .map_err(|_| malformed("the header is not valid UTF-8".to_owned()))?;
        let header = Header::parse(&xml).map_err(malformed)?;
        header.check(n_bytes - body).map_err(malformed)?;
        let fields: Vec<FieldHeader> = (header.fields.iter())
            .filter(|f| (request.wanted.as_ref()).is_none_or(|w| w.contains(&f.name)))
            .cloned()
            .collect();
        Ok(Self {
            columns: fields.iter().map(|f| f.name.clone()).collect(),
            path,
            header,
            reader,
            body,
            symbols: vec![None; fields.len()],
            kept: None,
            fields,
            is_done: false,
        })
    }

    fn size(&self) -> WholeSize {
        let n_rows = self.n_rows() as u64;
        let symbols: u64 = (self.fields.iter())
            .map(|f| f.length + SYMBOL_BYTES * f.n_symbols)
            .sum();
        WholeSize {
            n_rows,
            n_bytes: symbols + 4 * n_rows * self.fields.len() as u64,
        }
    }

    /// How many rows there are to read.
    fn n_rows(&self) -> usize {
        let all = self.header.n_records as usize;
        self.kept.as_ref().map_or(all, |kept| kept.n_rows)
    }

    fn read_all(&mut self) -> Result<Vec<FrameColumn>, HostError> {
        self.is_done = true;
        let wanted: Vec<usize> = (0..self.fields.len()).collect();
        self.read_symbols(&wanted)?;
        let n_rows = self.n_rows();
        let mut codes: Vec<Vec<u32>> = (self.fields.iter())
            .map(|_| Vec::with_capacity(n_rows))
            .collect();
        let kept = self.kept.take();
        let fields = std::mem::take(&mut self.fields);
        self.for_each_block(|block, record_bytes, start, n| {
            let rows = kept.as_ref().map(|kept| kept.within(start, n));
            (codes.par_iter_mut().zip(&fields))
                .filter_map(|(codes, field)| {
                    let bad = match &rows {
                        None => unpack(block, record_bytes, field, 0..n, codes),
                        Some(rows) => {
                            let rows = rows.iter().map(|row| *row as usize);
                            unpack(block, record_bytes, field, rows, codes)
                        }
                    };
                    bad.map(|row| (start + row + 1, field))
                })
                .find_map_first(Some)
        })?;
        let symbols: Vec<Vec<Value>> = (self.symbols.iter_mut())
            .map(|values| values.take().unwrap_or_default())
            .collect();
        Ok((fields.into_par_iter().zip(symbols).zip(codes))
            .map(|((field, values), codes)| column(field.name, values, codes))
            .collect())
    }

    /// Reads the symbols of those of the fields `wanted` that were not read yet.
    fn read_symbols(&mut self, wanted: &[usize]) -> Result<(), HostError> {
        let mut blocks = Vec::new();
        for i in wanted.iter().filter(|i| self.symbols[**i].is_none()) {
            let field = &self.fields[*i];
            let mut block = vec![0; field.length as usize];
            (self.reader.seek(SeekFrom::Start(self.body + field.offset)))
                .and_then(|_| self.reader.read_exact(&mut block))
                .map_err(|error| unreadable(&self.path, &error))?;
            blocks.push((*i, block));
        }
        let read: Vec<(usize, Vec<Value>)> = (blocks.into_par_iter())
            .map(|(i, block)| {
                let field = &self.fields[i];
                let values = symbols::parse(&block, field.n_symbols as usize).map_err(|why| {
                    let name = &field.name;
                    malformed(
                        &self.path,
                        &format!("the symbol table of field `{name}` {why}"),
                    )
                })?;
                Ok((i, values))
            })
            .collect::<Result<_, HostError>>()?;
        for (i, values) in read {
            self.symbols[i] = Some(values);
        }
        Ok(())
    }

    /// Hands blocks of records to `each`: the bytes, how long a record is, which the first is
    /// and how many there are. What it gives back is a record, from 1, with a code past the
    /// symbols of a field.
    fn for_each_block<'f>(
        &mut self,
        mut each: impl FnMut(&[u8], usize, usize, usize) -> Option<(usize, &'f FieldHeader)>,
    ) -> Result<(), HostError> {
        let record_bytes = self.header.record_bytes as usize;
        let n_rows = self.header.n_records as usize;
        let block_rows = BLOCK_BYTES
            .checked_div(record_bytes)
            .unwrap_or(n_rows)
            .max(1);
        // Codes are read as eight bytes, so some must follow the last record.
        let mut block = vec![0; block_rows.min(n_rows) * record_bytes + 8];
        (self.reader)
            .seek(SeekFrom::Start(self.body + self.header.offset))
            .map_err(|error| unreadable(&self.path, &error))?;
        let mut start = 0;
        while start < n_rows {
            let n = block_rows.min(n_rows - start);
            (self.reader.read_exact(&mut block[..n * record_bytes]))
                .map_err(|error| unreadable(&self.path, &error))?;
            if let Some((row, field)) = each(&block, record_bytes, start, n) {
                let (name, n) = (&field.name, field.n_symbols);
                return Err(malformed(
                    &self.path,
                    &format!("row {row} names a value of field `{name}` past its {n} values"),
                ));
            }
            start += n;
        }
        Ok(())
    }
}

impl<R: Read + Seek> RowSource for Rows<R> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        if self.is_done {
            return Ok(None);
        }
        let n_rows = self.n_rows();
        let columns = (self.read_all()?.into_iter())
            .map(|column| Cells::Coded {
                values: column.dict.values().to_vec(),
                codes: column.codes,
            })
            .collect();
        Ok(Some(Batch { n_rows, columns }))
    }

    fn whole(&self) -> Option<WholeSize> {
        (!self.is_done && !self.fields.is_empty()).then(|| self.size())
    }

    fn symbols(&mut self, column: usize) -> Result<Option<&[Value]>, HostError> {
        self.read_symbols(&[column])?;
        Ok(self.symbols[column].as_deref())
    }

    fn keep_rows(&mut self, column: usize, keep: &[bool]) -> Result<WholeSize, HostError> {
        let field = self.fields[column].clone();
        let mut kept = Kept {
            bits: vec![0; (self.header.n_records as usize).div_ceil(64)],
            n_rows: 0,
        };
        let mut codes = Vec::new();
        self.for_each_block(|block, record_bytes, start, n| {
            codes.clear();
            let bad = unpack(block, record_bytes, &field, 0..n, &mut codes);
            for (row, code) in codes.iter().enumerate() {
                let at = (*code as usize).min(keep.len().saturating_sub(1));
                if keep.get(at) == Some(&true) {
                    kept.bits[(start + row) / 64] |= 1 << ((start + row) % 64);
                    kept.n_rows += 1;
                }
            }
            bad.map(|row| (start + row + 1, &field))
        })?;
        self.kept = Some(kept);
        Ok(self.size())
    }

    fn take_whole(&mut self) -> Result<Vec<FrameColumn>, HostError> {
        self.read_all()
    }
}

/// Up to the NUL byte, which is not in the result. The reader stands anywhere behind it.
fn read_header(reader: &mut impl Read, path: &str) -> Result<Vec<u8>, HostError> {
    let mut out = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        let n = reader
            .read(&mut piece)
            .map_err(|error| unreadable(path, &error))?;
        if let Some(end) = memchr::memchr(0, &piece[..n]) {
            out.extend_from_slice(&piece[..end]);
            return Ok(out);
        }
        if n == 0 || out.len() + n > MAX_HEADER_BYTES {
            return Err(malformed(
                path,
                "there is no header that a NUL byte ends where one should be",
            ));
        }
        out.extend_from_slice(&piece[..n]);
    }
}

/// Appends the codes of one field in the records `rows` of `block`. The first of those records
/// whose code is past the symbols, if one is.
fn unpack(
    block: &[u8],
    record_bytes: usize,
    field: &FieldHeader,
    rows: impl Iterator<Item = usize>,
    codes: &mut Vec<u32>,
) -> Option<usize> {
    let mask = (1_u64 << field.bit_width) - 1;
    let shift = field.bit_offset % 8;
    let first = field.bit_offset as usize / 8;
    let mut bad = None;
    codes.extend(rows.map(|row| {
        // Fields of no bits may lie past the end.
        let at = row * record_bytes + first;
        let word =
            (block.get(at..).and_then(<[u8]>::first_chunk)).map_or(0, |b| u64::from_le_bytes(*b));
        let stored = ((word >> shift) & mask) as i64 + field.bias;
        // Some writers store NULL as the code one past the values instead of below zero.
        if stored < 0 || stored as u64 == field.n_symbols {
            NULL_CODE
        } else if (stored as u64) < field.n_symbols {
            stored as u32
        } else {
            bad = bad.or(Some(row));
            NULL_CODE
        }
    }));
    bad
}

/// A column. Values that are NULL (they were no numbers) or in no row leave the dictionary.
fn column(name: String, values: Vec<Value>, mut codes: Vec<u32>) -> FrameColumn {
    let mut is_used = vec![false; values.len()];
    for code in &codes {
        if let Some(used) = is_used.get_mut(*code as usize) {
            *used = true;
        }
    }
    let stays = |(value, used): (&Value, &bool)| *used && !value.is_null();
    let values = if values.iter().zip(&is_used).all(stays) {
        values
    } else {
        let mut kept = Vec::new();
        let map: Vec<u32> = (values.into_iter().zip(&is_used))
            .map(|(value, used)| {
                if !stays((&value, used)) {
                    return NULL_CODE;
                }
                kept.push(value);
                kept.len() as u32 - 1
            })
            .collect();
        for code in &mut codes {
            *code = map.get(*code as usize).copied().unwrap_or(NULL_CODE);
        }
        kept
    };
    FrameColumn {
        name,
        dict: Dict::from_distinct(values),
        codes,
    }
}

fn malformed(path: &str, why: &str) -> HostError {
    HostError::new(
        "source.malformed",
        format!("`{path}` is not a readable QVD file: {why}"),
    )
    .with_hint("was it written completely, and is it a QVD file? Store it again if it can be")
}

fn unreadable(path: &str, error: &std::io::Error) -> HostError {
    HostError::new(
        "source.cannot_read",
        format!("cannot read `{path}`: {error}"),
    )
}
