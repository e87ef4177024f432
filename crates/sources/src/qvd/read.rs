//! A QVD file to columns with the dictionaries it came with.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use rayon::prelude::*;
use satchel_data::{Batch, Cells, Dict, FrameColumn, NULL_CODE, Value};
use satchel_script::{HostError, ReadRequest, RowSource, WholeSize};

use super::header::{FieldHeader, Header, MAX_HEADER_BYTES};
use super::symbols;

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
    is_done: bool,
}

/// Opens a QVD file.
pub(crate) fn open(file: File, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    Ok(Box::new(Rows::new(file, request)?))
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
            fields,
            header,
            reader,
            body,
            is_done: false,
        })
    }

    fn size(&self) -> WholeSize {
        let n_rows = self.header.n_records;
        let symbols: u64 = (self.fields.iter())
            .map(|f| f.length + SYMBOL_BYTES * f.n_symbols)
            .sum();
        WholeSize {
            n_rows,
            n_bytes: symbols + 4 * n_rows * self.fields.len() as u64,
        }
    }

    fn read_all(&mut self) -> Result<Vec<FrameColumn>, HostError> {
        self.is_done = true;
        let tables = self.read_symbols()?;
        let n_rows = self.header.n_records as usize;
        let mut codes: Vec<Vec<u32>> = self.fields.iter().map(|_| vec![0; n_rows]).collect();
        self.read_records(&mut codes)?;
        Ok((self.fields.iter().zip(tables).zip(codes))
            .map(|((field, values), codes)| column(&field.name, values, codes))
            .collect())
    }

    fn read_symbols(&mut self) -> Result<Vec<Vec<Value>>, HostError> {
        let mut blocks = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let mut block = vec![0; field.length as usize];
            (self.reader.seek(SeekFrom::Start(self.body + field.offset)))
                .and_then(|_| self.reader.read_exact(&mut block))
                .map_err(|error| unreadable(&self.path, &error))?;
            blocks.push(block);
        }
        (blocks.into_par_iter().zip(&self.fields))
            .map(|(block, field)| {
                symbols::parse(&block, field.n_symbols as usize).map_err(|why| {
                    let name = &field.name;
                    malformed(
                        &self.path,
                        &format!("the symbol table of field `{name}` {why}"),
                    )
                })
            })
            .collect()
    }

    fn read_records(&mut self, codes: &mut [Vec<u32>]) -> Result<(), HostError> {
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
            let bad = (codes.par_iter_mut().zip(&self.fields))
                .map(|(codes, field)| {
                    unpack(&block, record_bytes, field, &mut codes[start..start + n])
                        .map(|row| (start + row + 1, field))
                })
                .find_map_first(|bad| bad);
            if let Some((row, field)) = bad {
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
        let columns = (self.read_all()?.into_iter())
            .map(|column| Cells::Coded {
                values: column.dict.values().to_vec(),
                codes: column.codes,
            })
            .collect();
        Ok(Some(Batch {
            n_rows: self.header.n_records as usize,
            columns,
        }))
    }

    fn whole(&self) -> Option<WholeSize> {
        (!self.is_done && !self.fields.is_empty()).then(|| self.size())
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

/// The codes of one field of the records in `block`. The first record, from 0, whose code is
/// past the symbols, if one is.
fn unpack(
    block: &[u8],
    record_bytes: usize,
    field: &FieldHeader,
    codes: &mut [u32],
) -> Option<usize> {
    let mask = (1_u64 << field.bit_width) - 1;
    let shift = field.bit_offset % 8;
    let first = field.bit_offset as usize / 8;
    let mut bad = None;
    for (row, code) in codes.iter_mut().enumerate() {
        // Fields of no bits may lie past the end.
        let at = row * record_bytes + first;
        let word =
            (block.get(at..).and_then(<[u8]>::first_chunk)).map_or(0, |b| u64::from_le_bytes(*b));
        let stored = ((word >> shift) & mask) as i64 + field.bias;
        // Some writers store NULL as the code one past the values instead of below zero.
        *code = if stored < 0 || stored as u64 == field.n_symbols {
            NULL_CODE
        } else if (stored as u64) < field.n_symbols {
            stored as u32
        } else {
            bad = bad.or(Some(row));
            NULL_CODE
        };
    }
    bad
}

/// A column; values that are NULL (they were no numbers) leave the dictionary.
fn column(name: &str, values: Vec<Value>, mut codes: Vec<u32>) -> FrameColumn {
    let values = if values.iter().any(Value::is_null) {
        let mut kept = Vec::with_capacity(values.len());
        let map: Vec<u32> = (values.into_iter())
            .map(|value| {
                if value.is_null() {
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
    } else {
        values
    };
    FrameColumn {
        name: name.to_owned(),
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
