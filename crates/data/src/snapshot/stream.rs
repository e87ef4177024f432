//! Parts as one Arrow IPC stream behind a versioned frame.
//!
//! The frame is `SATCHSNP`, the version (u16) and a reserved zero (6 bytes). The stream has
//! one schema, one record batch and an end mark; [`read`] checks every length in the message
//! headers itself before the Arrow reader sees the bytes.

use std::sync::{Arc, OnceLock};

use arrow_array::{
    Array, ArrayRef, LargeBinaryArray, RecordBatch, StringArray, UInt8Array, UInt32Array,
    UInt64Array,
};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_ipc::{MessageHeader, root_as_message};
use arrow_schema::{DataType, Field, Schema};

use super::parts::{NewPart, Part};
use super::{SNAPSHOT_VERSION, SnapshotError, damaged};

const MAGIC: &[u8; 8] = b"SATCHSNP";

/// Magic, version and reserved bytes: 16, so that the stream stays 8-byte aligned.
const FRAME_BYTES: usize = 16;

/// Parts below this stay as they are: LZ4 would not pay.
const MIN_COMPRESSED_BYTES: usize = 64;

fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::UInt8, false),
        Field::new("arg", DataType::UInt32, false),
        Field::new("width", DataType::UInt8, false),
        Field::new("count", DataType::UInt64, false),
        Field::new("name", DataType::Utf8, false),
        Field::new("raw_bytes", DataType::UInt64, false),
        Field::new("codec", DataType::UInt8, false),
        Field::new("data", DataType::LargeBinary, false),
    ]))
}

pub(crate) fn write(parts: Vec<NewPart>) -> Vec<u8> {
    let packed: Vec<(u8, Vec<u8>)> = parts
        .iter()
        .map(|p| {
            if p.data.len() >= MIN_COMPRESSED_BYTES {
                let small = lz4_flex::block::compress(&p.data);
                if small.len() < p.data.len() {
                    return (1, small);
                }
            }
            (0, Vec::new())
        })
        .collect();
    let data = parts
        .iter()
        .zip(&packed)
        .map(|(p, (codec, small))| if *codec == 1 { small } else { &p.data }.as_slice());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt8Array::from_iter_values(
            parts.iter().map(|p| p.kind as u8),
        )),
        Arc::new(UInt32Array::from_iter_values(parts.iter().map(|p| p.arg))),
        Arc::new(UInt8Array::from_iter_values(parts.iter().map(|p| p.width))),
        Arc::new(UInt64Array::from_iter_values(parts.iter().map(|p| p.count))),
        Arc::new(StringArray::from_iter_values(parts.iter().map(|p| &p.name))),
        Arc::new(UInt64Array::from_iter_values(
            parts.iter().map(|p| p.data.len() as u64),
        )),
        Arc::new(UInt8Array::from_iter_values(packed.iter().map(|p| p.0))),
        Arc::new(LargeBinaryArray::from_iter_values(data)),
    ];
    let batch = RecordBatch::try_new(schema(), columns).expect("columns are as in the schema");
    let mut out = frame();
    let mut writer = StreamWriter::try_new(&mut out, &schema()).expect("writes into memory");
    writer.write(&batch).expect("writes into memory");
    writer.finish().expect("writes into memory");
    drop(writer);
    out
}

fn frame() -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&SNAPSHOT_VERSION.to_le_bytes());
    out.resize(FRAME_BYTES, 0);
    out
}

/// The record batch behind the frame.
#[derive(Debug)]
pub(crate) struct Parts(RecordBatch);

impl Parts {
    fn column<T: 'static>(&self, at: usize) -> Result<&T, SnapshotError> {
        self.0
            .columns()
            .get(at)
            .and_then(|c| c.as_any().downcast_ref::<T>())
            .ok_or_else(|| damaged("not the columns of a snapshot"))
    }
}

/// Keeps the batch alive beside the parts that borrow from it.
#[derive(Debug)]
pub(crate) struct Loaded {
    batch: Parts,
}

impl Loaded {
    pub fn parts(&self) -> Result<Vec<Part<'_>>, SnapshotError> {
        let b = &self.batch;
        let (kind, arg) = (b.column::<UInt8Array>(0)?, b.column::<UInt32Array>(1)?);
        let (width, count) = (b.column::<UInt8Array>(2)?, b.column::<UInt64Array>(3)?);
        let (name, raw) = (b.column::<StringArray>(4)?, b.column::<UInt64Array>(5)?);
        let (codec, data) = (b.column::<UInt8Array>(6)?, b.column::<LargeBinaryArray>(7)?);
        Ok((0..b.0.num_rows())
            .map(|i| Part {
                kind: kind.value(i),
                arg: arg.value(i),
                width: width.value(i),
                count: count.value(i),
                name: name.value(i),
                raw_bytes: raw.value(i),
                codec: codec.value(i),
                data: data.value(i),
            })
            .collect())
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Loaded, SnapshotError> {
    let Some((head, stream)) = bytes.split_at_checked(FRAME_BYTES) else {
        return Err(SnapshotError::NotASnapshot);
    };
    if head[..8] != *MAGIC {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = u16::from_le_bytes([head[8], head[9]]);
    if version > SNAPSHOT_VERSION {
        return Err(SnapshotError::TooNew {
            found: version,
            supported: SNAPSHOT_VERSION,
        });
    }
    if head != frame() {
        return Err(damaged("unknown frame"));
    }
    check_stream(stream)?;
    let mut decoder = StreamDecoder::new();
    let mut rest = Buffer::from(stream);
    let batch = decoder
        .decode(&mut rest)
        .ok()
        .flatten()
        .ok_or_else(|| damaged("the Arrow stream does not decode"))?;
    if batch.columns().iter().any(|c| c.null_count() > 0) {
        return Err(damaged("a part lacks a property"));
    }
    Ok(Loaded {
        batch: Parts(batch),
    })
}

/// Where Arrow's numbers may lie in a stream, in bytes; its reader panics at others.
const ALIGNMENT: usize = 8;

/// Bytes of one number in each buffer of [`schema`]'s columns: which parts are there, then the
/// numbers; for texts where each ends before the bytes. Arrow's reader panics at part of one.
const UNITS: [usize; 18] = [1, 1, 1, 4, 1, 1, 1, 8, 1, 4, 1, 1, 8, 1, 1, 1, 8, 1];

/// The schema message our own writer makes; nothing else is accepted.
fn schema_bytes() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let mut out = Vec::new();
        let writer = StreamWriter::try_new(&mut out, &schema()).expect("writes into memory");
        drop(writer);
        out
    })
}

/// Whether `stream` is our schema, one record batch whose buffers all lie within its body and
/// whose counts agree, and an end mark.
fn check_stream(stream: &[u8]) -> Result<(), SnapshotError> {
    let rest = stream
        .strip_prefix(schema_bytes())
        .ok_or_else(|| damaged("not the schema of a snapshot"))?;
    let broken = || damaged("a message is cut short");
    let (mark, rest) = rest.split_at_checked(8).ok_or_else(broken)?;
    if mark[..4] != [0xff; 4] {
        return Err(broken());
    }
    let size = u32::from_le_bytes([mark[4], mark[5], mark[6], mark[7]]) as usize;
    if !size.is_multiple_of(ALIGNMENT) {
        return Err(damaged("a message is not aligned"));
    }
    let (header, rest) = rest.split_at_checked(size).ok_or_else(broken)?;
    let message = root_as_message(header).map_err(|_| damaged("a message header is damaged"))?;
    if message.header_type() != MessageHeader::RecordBatch {
        return Err(damaged("not a record batch"));
    }
    let batch = message
        .header_as_record_batch()
        .ok_or_else(|| damaged("not a record batch"))?;
    let body = usize::try_from(message.bodyLength()).map_err(|_| broken())?;
    let (body, rest) = rest.split_at_checked(body).ok_or_else(broken)?;
    if *rest != [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] {
        return Err(damaged("something follows the record batch"));
    }
    if batch.compression().is_some() || batch.variadicBufferCounts().is_some() {
        return Err(damaged("unknown encoding of a record batch"));
    }
    let rows = usize::try_from(batch.length()).map_err(|_| broken())?;
    if rows > body.len() {
        return Err(damaged("more parts than bytes"));
    }
    let (Some(nodes), Some(buffers)) = (batch.nodes(), batch.buffers()) else {
        return Err(damaged("a record batch without columns"));
    };
    if nodes.len() != schema().fields().len()
        || nodes
            .iter()
            .any(|n| n.length() != batch.length() || n.null_count() != 0)
    {
        return Err(damaged("columns of different lengths"));
    }
    if buffers.len() != UNITS.len() {
        return Err(damaged("columns of another kind"));
    }
    for (buffer, unit) in buffers.iter().zip(UNITS) {
        let start = usize::try_from(buffer.offset()).map_err(|_| broken())?;
        let len = usize::try_from(buffer.length()).map_err(|_| broken())?;
        if start.checked_add(len).is_none_or(|end| end > body.len()) {
            return Err(damaged("a column lies outside its record batch"));
        }
        if !start.is_multiple_of(ALIGNMENT) || !len.is_multiple_of(unit) {
            return Err(damaged("a column is not aligned"));
        }
    }
    Ok(())
}
