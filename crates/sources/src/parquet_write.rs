//! A table as a Parquet file: columns of plain numbers as numbers, all others as texts.

use std::fs::File;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use satchel_data::{Frame, FrameColumn, Value};

/// Rows a row group's slice: some megabytes in memory.
const SLICE_ROWS: usize = 65_536;

/// 2^53: whole numbers up to this are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes `table` to `file`.
pub(crate) fn write(file: &mut File, table: &Frame) -> Result<(), String> {
    let kinds: Vec<DataType> = table.columns.iter().map(kind).collect();
    let fields: Vec<Field> = (table.columns.iter().zip(&kinds))
        .map(|(column, kind)| Field::new(&column.name, kind.clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let mut writer =
        ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|e| e.to_string())?;
    let n_rows = table.n_rows();
    let mut start = 0;
    while start < n_rows {
        let end = (start + SLICE_ROWS).min(n_rows);
        let arrays = (table.columns.iter().zip(&kinds))
            .map(|(column, kind)| array(column, kind, start, end))
            .collect();
        let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(|e| e.to_string())?;
        writer.write(&batch).map_err(|e| e.to_string())?;
        start = end;
    }
    writer.close().map_err(|e| e.to_string())?;
    Ok(())
}

fn kind(column: &FrameColumn) -> DataType {
    let values = column.dict.values();
    if !values.iter().all(|v| matches!(v, Value::Num(_))) || values.is_empty() {
        return DataType::Utf8;
    }
    let is_whole = (values.iter())
        .filter_map(Value::as_num)
        .all(|n| n == n.trunc() && n.abs() < EXACT);
    if is_whole {
        DataType::Int64
    } else {
        DataType::Float64
    }
}

fn array(column: &FrameColumn, kind: &DataType, start: usize, end: usize) -> ArrayRef {
    let values = column.dict.values();
    let cells = column.codes[start..end]
        .iter()
        .map(|code| values.get(*code as usize));
    match kind {
        DataType::Int64 => Arc::new(Int64Array::from_iter(
            cells.map(|v| v.and_then(Value::as_num).map(|n| n as i64)),
        )),
        DataType::Float64 => Arc::new(Float64Array::from_iter(
            cells.map(|v| v.and_then(Value::as_num)),
        )),
        _ => {
            let texts: Vec<String> = values.iter().map(Value::to_text).collect();
            Arc::new(StringArray::from_iter(
                column.codes[start..end]
                    .iter()
                    .map(|code| texts.get(*code as usize)),
            ))
        }
    }
}
