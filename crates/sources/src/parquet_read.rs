//! Parquet files to batches.
//!
//! Dates, times and timestamps become serial numbers that show ISO text, until a script formats
//! them; a timestamp with a zone is the time in UTC. A struct gives a column `outer/inner` for
//! each of its members; lists and maps are refused, as they are tables of their own.
//!
//! The library that reads them panics on some files that are damaged. That must not end the
//! hub, so each of its steps is fenced in ([`fenced`]) and ends the reading like any other flaw.

use std::fs::File;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, Field, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use rustc_hash::FxHashMap;
use satchel_data::{Batch, Cells, NULL_CODE, Value};
use satchel_script::{HostError, ReadRequest, RowSource};

use crate::moment::{self, serial};

/// Rows a batch: some megabytes in memory.
const BATCH_ROWS: usize = 65_536;

struct Rows {
    columns: Vec<String>,
    path: String,
    /// None once it broke.
    reader: Option<ParquetRecordBatchReader>,
    row: usize,
}

/// Opens a Parquet file.
pub(crate) fn open(file: File, request: &ReadRequest) -> Result<Box<dyn RowSource>, HostError> {
    let malformed = |error: String| {
        HostError::new(
            "source.malformed",
            format!("`{}` is not a readable Parquet file: {error}", request.path),
        )
        .with_hint("was it written completely, and is it Parquet?")
    };
    let mut builder =
        fenced(|| ParquetRecordBatchReaderBuilder::try_new(file)).map_err(malformed)?;
    if let Some(wanted) = &request.wanted {
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let roots: Vec<usize> = (builder.schema().fields().iter().enumerate())
            .filter(|(_, f)| (names.iter()).any(|n| is_column_of(n, f.name())))
            .map(|(i, _)| i)
            .collect();
        if !roots.is_empty() {
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
    }
    let reader = fenced(|| builder.with_batch_size(BATCH_ROWS).build()).map_err(malformed)?;
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    let mut columns = Vec::new();
    for field in schema.fields() {
        push_names(field, "", &mut columns)?;
    }
    Ok(Box::new(Rows {
        columns,
        path: request.path.clone(),
        reader: Some(reader),
        row: 0,
    }))
}

/// Whether the column `name` is the field `root` or within it.
fn is_column_of(name: &str, root: &str) -> bool {
    name.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The columns that `field` gives.
fn push_names(field: &Field, outer: &str, out: &mut Vec<String>) -> Result<(), HostError> {
    let name = match outer {
        "" => field.name().clone(),
        outer => format!("{outer}/{}", field.name()),
    };
    let why = match field.data_type() {
        DataType::Struct(members) => {
            return (members.iter()).try_for_each(|member| push_names(member, &name, out));
        }
        kind if is_supported(kind) => {
            out.push(name);
            return Ok(());
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => "holds lists".to_owned(),
        DataType::Map(..) => "holds maps".to_owned(),
        other => format!("has the type {other}"),
    };
    Err(HostError::new(
        "source.format_not_supported",
        format!("column `{name}` {why}, which is not supported"),
    )
    .with_hint("name the other columns in the LOAD instead of *"))
}

impl RowSource for Rows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn next_batch(&mut self) -> Result<Option<Batch>, HostError> {
        let Some(mut reader) = self.reader.take() else {
            return Ok(None);
        };
        let next = fenced(|| match reader.next() {
            Some(batch) => batch.map(|batch: RecordBatch| {
                let mut columns = Vec::new();
                for array in batch.columns() {
                    push_cells(array, &mut columns);
                }
                Some((batch.num_rows(), columns))
            }),
            None => Ok(None),
        });
        let batch = next.map_err(|error| {
            HostError::new(
                "source.malformed",
                format!(
                    "`{}` cannot be read after row {}: {error}",
                    self.path, self.row
                ),
            )
        })?;
        let Some((n_rows, columns)) = batch else {
            return Ok(None);
        };
        if let Some(at) = columns.iter().position(Option::is_none) {
            let name = self.columns.get(at).map_or("", String::as_str);
            return Err(HostError::new(
                "source.malformed",
                format!(
                    "column `{name}` of `{}` holds bytes that are no text",
                    self.path
                ),
            )
            .with_hint("name the other columns in the LOAD instead of *"));
        }
        self.row += n_rows;
        self.reader = Some(reader);
        Ok(Some(Batch {
            n_rows,
            columns: columns.into_iter().flatten().collect(),
        }))
    }
}

/// Does `step`; what went wrong, in words, if it failed or panicked. Nothing that `step` used
/// may be used again then.
fn fenced<T, E: std::fmt::Display>(step: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("its contents contradict each other".to_owned()),
    }
}

fn is_supported(kind: &DataType) -> bool {
    match kind {
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Date32
        | DataType::Date64
        | DataType::Float16
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(16)
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Timestamp(..)
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => true,
        DataType::Dictionary(_, value) => is_supported(value),
        _ => false,
    }
}

/// The cells of a column, or of the members of a struct; `None` for bytes that are no text.
fn push_cells(array: &ArrayRef, out: &mut Vec<Option<Cells>>) {
    let Some(outer) = array.as_struct_opt() else {
        out.push(cells(array));
        return;
    };
    let first = out.len();
    for member in outer.columns() {
        push_cells(member, out);
    }
    if outer.null_count() == 0 {
        return;
    }
    for cells in out[first..].iter_mut().flatten() {
        if let Cells::Coded { codes, .. } = cells {
            for (row, code) in codes.iter_mut().enumerate() {
                if outer.is_null(row) {
                    *code = NULL_CODE;
                }
            }
        }
    }
}

fn cells(array: &ArrayRef) -> Option<Cells> {
    Some(match array.data_type() {
        DataType::Boolean => {
            let array = array.as_boolean();
            coded(
                (0..array.len()).map(|i| array.is_valid(i).then(|| array.value(i))),
                Value::boolean,
            )
        }
        DataType::Int8 => numbers::<Int8Type>(array, f64::from),
        DataType::Int16 => numbers::<Int16Type>(array, f64::from),
        DataType::Int32 => numbers::<Int32Type>(array, f64::from),
        DataType::Int64 => numbers::<Int64Type>(array, |n| n as f64),
        DataType::UInt8 => numbers::<UInt8Type>(array, f64::from),
        DataType::UInt16 => numbers::<UInt16Type>(array, f64::from),
        DataType::UInt32 => numbers::<UInt32Type>(array, f64::from),
        DataType::UInt64 => numbers::<UInt64Type>(array, |n| n as f64),
        DataType::Float32 => floats::<Float32Type>(array, f64::from),
        DataType::Float64 => floats::<Float64Type>(array, |n| n),
        DataType::Float16 => floats::<Float16Type>(array, f64::from),
        DataType::Decimal32(_, scale) => {
            let scale = *scale;
            primitive::<Decimal32Type, _>(array, |n| n, move |n| decimal(&n.to_string(), scale))
        }
        DataType::Decimal64(_, scale) => {
            let scale = *scale;
            primitive::<Decimal64Type, _>(array, |n| n, move |n| decimal(&n.to_string(), scale))
        }
        DataType::Decimal128(_, scale) => {
            let scale = *scale;
            primitive::<Decimal128Type, _>(array, |n| n, move |n| decimal(&n.to_string(), scale))
        }
        DataType::Decimal256(_, scale) => {
            let scale = *scale;
            primitive::<Decimal256Type, _>(array, |n| n, move |n| decimal(&n.to_string(), scale))
        }
        DataType::Time32(unit) => match unit {
            TimeUnit::Second => primitive::<Time32SecondType, _>(
                array,
                |n| n,
                |n| moment::time(f64::from(n) / 86_400.0),
            ),
            _ => primitive::<Time32MillisecondType, _>(
                array,
                |n| n,
                |n| moment::time(f64::from(n) / 86_400e3),
            ),
        },
        DataType::Time64(unit) => match unit {
            TimeUnit::Microsecond => primitive::<Time64MicrosecondType, _>(
                array,
                |n| n,
                |n| moment::time(n as f64 / 86_400e6),
            ),
            _ => primitive::<Time64NanosecondType, _>(
                array,
                |n| n,
                |n| moment::time(n as f64 / 86_400e9),
            ),
        },
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => primitive::<DurationSecondType, _>(
                array,
                |n| n,
                |n| moment::interval(n as f64 / 86_400.0),
            ),
            TimeUnit::Millisecond => primitive::<DurationMillisecondType, _>(
                array,
                |n| n,
                |n| moment::interval(n as f64 / 86_400e3),
            ),
            TimeUnit::Microsecond => primitive::<DurationMicrosecondType, _>(
                array,
                |n| n,
                |n| moment::interval(n as f64 / 86_400e6),
            ),
            TimeUnit::Nanosecond => primitive::<DurationNanosecondType, _>(
                array,
                |n| n,
                |n| moment::interval(n as f64 / 86_400e9),
            ),
        },
        // Older writers do not say that their bytes are texts.
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            texts(array.iter())?
        }
        DataType::LargeBinary => {
            let array = array.as_binary::<i64>();
            texts(array.iter())?
        }
        DataType::BinaryView => {
            let array = array.as_binary_view();
            texts(array.iter())?
        }
        // UUID is the type of this length.
        DataType::FixedSizeBinary(_) => {
            let array = array.as_fixed_size_binary();
            coded(array.iter(), |bytes| Value::text(uuid(bytes)))
        }
        DataType::Date32 => {
            primitive::<Date32Type, _>(array, |n| n, |n| serial(f64::from(n), false))
        }
        DataType::Date64 => {
            primitive::<Date64Type, _>(array, |n| n, |n| serial(n as f64 / 86_400_000.0, false))
        }
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => primitive::<TimestampSecondType, _>(
                array,
                |n| n,
                |n| serial(n as f64 / 86_400.0, true),
            ),
            TimeUnit::Millisecond => primitive::<TimestampMillisecondType, _>(
                array,
                |n| n,
                |n| serial(n as f64 / 86_400_000.0, true),
            ),
            TimeUnit::Microsecond => primitive::<TimestampMicrosecondType, _>(
                array,
                |n| n,
                |n| serial(n as f64 / 86_400e6, true),
            ),
            TimeUnit::Nanosecond => primitive::<TimestampNanosecondType, _>(
                array,
                |n| n,
                |n| serial(n as f64 / 86_400e9, true),
            ),
        },
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            coded(array.iter(), Value::text)
        }
        DataType::LargeUtf8 => {
            let array = array.as_string::<i64>();
            coded(array.iter(), Value::text)
        }
        DataType::Utf8View => {
            let array = array.as_string_view();
            coded(array.iter(), Value::text)
        }
        DataType::Dictionary(..) => {
            let array = array.as_any_dictionary();
            let values = cells(array.values())?;
            let keys = array.normalized_keys();
            let (value_codes, values) = match values {
                Cells::Coded { codes, values } => (codes, values),
                _ => (Vec::new(), Vec::new()),
            };
            let codes = (keys.iter().enumerate())
                .map(|(row, key)| {
                    if array.keys().is_null(row) {
                        NULL_CODE
                    } else {
                        value_codes.get(*key).copied().unwrap_or(NULL_CODE)
                    }
                })
                .collect();
            Cells::Coded { codes, values }
        }
        _ => Cells::Coded {
            codes: vec![NULL_CODE; array.len()],
            values: Vec::new(),
        },
    })
}

fn texts<'a>(cells: impl Iterator<Item = Option<&'a [u8]>>) -> Option<Cells> {
    let texts: Vec<Option<&str>> = cells
        .map(|cell| cell.map(std::str::from_utf8).transpose().ok())
        .collect::<Option<_>>()?;
    Some(coded(texts.into_iter(), Value::text))
}

/// A whole number of the smallest units as a number; the nearest there is.
fn decimal(digits: &str, scale: i8) -> Value {
    let exact = format!("{digits}e{}", -i32::from(scale));
    exact.parse().map_or(Value::Null, Value::num)
}

fn uuid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out += &format!("{byte:02x}");
    }
    out
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef, number: fn(T::Native) -> f64) -> Cells
where
    T::Native: Hash + Eq,
{
    primitive::<T, _>(array, |n| n, move |n| Value::num(number(n)))
}

fn floats<T: ArrowPrimitiveType>(array: &ArrayRef, number: fn(T::Native) -> f64) -> Cells {
    primitive::<T, _>(
        array,
        move |n| number(n).to_bits(),
        |bits| Value::num(f64::from_bits(bits)),
    )
}

fn primitive<T: ArrowPrimitiveType, K: Hash + Eq + Copy>(
    array: &ArrayRef,
    key: impl Fn(T::Native) -> K,
    value: impl Fn(K) -> Value,
) -> Cells {
    let array: &PrimitiveArray<T> = array.as_primitive::<T>();
    coded(array.iter().map(|n| n.map(&key)), value)
}

/// Codes for cells, and a value for each distinct one.
fn coded<K: Hash + Eq + Copy>(
    cells: impl Iterator<Item = Option<K>>,
    value: impl Fn(K) -> Value,
) -> Cells {
    let mut known: FxHashMap<K, u32> = FxHashMap::default();
    let mut values = Vec::new();
    let codes = cells
        .map(|cell| match cell {
            None => NULL_CODE,
            Some(cell) => *known.entry(cell).or_insert_with(|| {
                values.push(value(cell));
                values.len() as u32 - 1
            }),
        })
        .collect();
    Cells::Coded { codes, values }
}
