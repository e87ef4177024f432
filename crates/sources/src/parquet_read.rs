//! Parquet files to batches.
//!
//! Dates and timestamps become serial numbers that show ISO text, until a script formats them.
//!
//! The library that reads them panics on some files that are damaged. That must not end the
//! hub, so each of its steps is fenced in ([`fenced`]) and ends the reading like any other flaw.

use std::fs::File;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use rustc_hash::FxHashMap;
use satchel_data::{Batch, Cells, NULL_CODE, Value};
use satchel_script::{HostError, ReadRequest, RowSource};

/// Days from 1899-12-30 to 1970-01-01.
const EPOCH_SERIAL: f64 = 25_569.0;

/// Rows a batch: some megabytes in memory.
const BATCH_ROWS: usize = 65_536;

struct Rows {
    columns: Vec<String>,
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
            .filter(|(_, f)| names.contains(&f.name().as_str()))
            .map(|(i, _)| i)
            .collect();
        if !roots.is_empty() {
            let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
            builder = builder.with_projection(mask);
        }
    }
    let reader = fenced(|| builder.with_batch_size(BATCH_ROWS).build()).map_err(malformed)?;
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    for field in schema.fields() {
        if !is_supported(field.data_type()) {
            return Err(HostError::new(
                "source.format_not_supported",
                format!(
                    "column `{}` has the type {}, which is not supported",
                    field.name(),
                    field.data_type()
                ),
            )
            .with_hint("name the other columns in the LOAD instead of *"));
        }
    }
    Ok(Box::new(Rows {
        columns: schema.fields().iter().map(|f| f.name().clone()).collect(),
        reader: Some(reader),
        row: 0,
    }))
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
                Some(Batch {
                    n_rows: batch.num_rows(),
                    columns: batch.columns().iter().map(cells).collect(),
                })
            }),
            None => Ok(None),
        });
        let batch = next.map_err(|error| {
            HostError::new(
                "source.malformed",
                format!("the file cannot be read after row {}: {error}", self.row),
            )
        })?;
        if let Some(batch) = &batch {
            self.row += batch.n_rows;
            self.reader = Some(reader);
        }
        Ok(batch)
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
        | DataType::Timestamp(..)
        | DataType::Decimal128(..) => true,
        DataType::Dictionary(_, value) => matches!(
            value.as_ref(),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
        ),
        _ => false,
    }
}

fn cells(array: &ArrayRef) -> Cells {
    match array.data_type() {
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
        DataType::Decimal128(_, scale) => {
            let unit = 10_f64.powi(i32::from(*scale));
            primitive::<Decimal128Type, _>(array, |n| n, move |n| Value::num(n as f64 / unit))
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
            let values = cells(array.values());
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
    }
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

/// Days since 1970 as a serial number that shows ISO text.
fn serial(days: f64, with_time: bool) -> Value {
    let number = days + EPOCH_SERIAL;
    let milliseconds = (days * 86_400_000.0).round();
    if !(-1e15..1e15).contains(&milliseconds) {
        return Value::num(number);
    }
    let milliseconds = milliseconds as i64;
    let (year, month, day) = civil(milliseconds.div_euclid(86_400_000));
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    if with_time {
        let rest = milliseconds.rem_euclid(86_400_000);
        let (seconds, fraction) = (rest / 1000, rest % 1000);
        text += &format!(
            " {:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        if fraction > 0 {
            text += &format!(".{fraction:03}");
        }
    }
    Value::dual(number, text)
}

/// The date that is `days` after 1970-01-01 in the Gregorian calendar.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March, so that the leap day is a year's last; eras are 400 years.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
