//! Parquet files of other writers: every type and compression that people have.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    DictionaryArray, DurationSecondArray, FixedSizeBinaryArray, Float32Array, Float64Array,
    Int8Array, Int32Array, Int64Array, RecordBatch, StringArray, StructArray,
    Time32MillisecondArray, Time64NanosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, UInt64Array,
};
use arrow_schema::Field;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::{folder, load, show};

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, compression: Compression) {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[track_caller]
fn check(array: impl arrow_array::Array + 'static, want: &str) {
    let folder = folder();
    let path = folder.path().join("app/t.parquet");
    write(
        &path,
        vec![("A", Arc::new(array))],
        Compression::UNCOMPRESSED,
    );
    let script = "T: LOAD A, Num(A) AS N FROM [t.parquet] (parquet);";
    let got = match load(folder.path(), script) {
        Ok(result) => show(&result),
        Err(failure) => format!(
            "{}: {}",
            failure.problems[0].code, failure.problems[0].message
        ),
    };
    assert_eq!(got, format!("A|N/{want}"));
}

#[test]
fn numbers_of_every_width() {
    check(Int8Array::from(vec![Some(-3), None]), "-3|-3/-|-");
    check(
        UInt64Array::from(vec![u64::MAX]),
        "1.844674407371e+19|1.844674407371e+19",
    );
    check(Float32Array::from(vec![0.5, f32::NAN]), "0.5|0.5/-|-");
    check(BooleanArray::from(vec![true, false]), "-1|-1/0|0");
    let decimal = Decimal128Array::from(vec![Some(12_345), Some(-1), Some(10), None]);
    check(
        decimal.with_precision_and_scale(9, 2).unwrap(),
        "123.45|123.45/-0.01|-0.01/0.1|0.1/-|-",
    );
    let decimal = Decimal128Array::from(vec![99_999_999_999_999_999_999_999_999_i128]);
    check(
        decimal.with_precision_and_scale(38, 10).unwrap(),
        "1e+16|1e+16",
    );
    let large = arrow_buffer::i256::from_i128(5);
    let decimal = Decimal256Array::from(vec![large]);
    check(decimal.with_precision_and_scale(50, 1).unwrap(), "0.5|0.5");
}

#[test]
fn days_and_times_show_iso_text() {
    check(
        Date32Array::from(vec![Some(19_753), Some(-1), None]),
        "2024-01-31|45322/1969-12-31|25568/-|-",
    );
    let instant = 1_706_729_400_i64;
    let at = "2024-01-31 19:30:00|45322.8125";
    check(TimestampMillisecondArray::from(vec![instant * 1000]), at);
    check(
        TimestampMicrosecondArray::from(vec![instant * 1_000_000]).with_timezone("UTC"),
        at,
    );
    check(
        TimestampNanosecondArray::from(vec![instant * 1_000_000_000]).with_timezone("+02:00"),
        at,
    );
    check(
        Time32MillisecondArray::from(vec![43_200_500]),
        "12:00:00.500|0.50000578703704",
    );
    check(
        Time64NanosecondArray::from(vec![3_600_000_000_000]),
        "01:00:00|0.041666666666667",
    );
    check(
        DurationSecondArray::from(vec![90_000]),
        "25:00:00|1.0416666666667",
    );
}

#[test]
fn texts_in_all_their_forms() {
    check(
        StringArray::from(vec![Some("é"), Some(""), None]),
        "é|-/|-/-|-",
    );
    check(
        BinaryArray::from(vec![Some("old".as_bytes()), None]),
        "old|-/-|-",
    );
    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("x"), None, Some("x")].into_iter().collect();
    check(dictionary, "x|-/-|-/x|-");
    let uuid: Vec<u8> = (0..16).collect();
    check(
        FixedSizeBinaryArray::try_from_iter([uuid].into_iter()).unwrap(),
        "00010203-0405-0607-0809-0a0b0c0d0e0f|-",
    );
}

#[test]
fn every_compression_reads() {
    let folder = folder();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..10_000));
    for compression in [
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
    ] {
        write(
            &folder.path().join("app/t.parquet"),
            vec![("A", numbers.clone())],
            compression,
        );
        let script = "T: LOAD Sum(A) AS S, Count(A) AS C FROM [t.parquet] (parquet);";
        let result = load(folder.path(), script).unwrap();
        assert_eq!(show(&result), "S|C/49995000|10000", "{compression:?}");
    }
}

#[test]
fn structs_are_columns_and_lists_are_refused() {
    let folder = folder();
    let path = folder.path().join("app/t.parquet");
    let member = |name: &str, array: ArrayRef| {
        (
            Arc::new(Field::new(name, array.data_type().clone(), true)),
            array,
        )
    };
    let inner = StructArray::from(vec![member(
        "z",
        Arc::new(Float64Array::from(vec![0.5, 1.5])) as ArrayRef,
    )]);
    let home = StructArray::from((
        vec![
            member(
                "city",
                Arc::new(StringArray::from(vec!["Lund", "Oslo"])) as ArrayRef,
            ),
            member("at", Arc::new(inner) as ArrayRef),
        ],
        arrow_array::Array::nulls(&Int32Array::from(vec![Some(1), None]))
            .unwrap()
            .buffer()
            .clone(),
    ));
    let mut list = ListBuilder::new(Int64Builder::new());
    list.append_value([Some(1), Some(2)]);
    list.append_value([]);
    write(
        &path,
        vec![
            ("id", Arc::new(Int32Array::from(vec![1, 2]))),
            ("home", Arc::new(home)),
            ("list", Arc::new(list.finish())),
        ],
        Compression::UNCOMPRESSED,
    );
    let script = "T: LOAD id, [home/city] AS city, [home/at/z] AS z FROM [t.parquet] (parquet);";
    assert_eq!(
        show(&load(folder.path(), script).unwrap()),
        "id|city|z/1|Lund|0.5/2|-|-"
    );
    let failure = load(folder.path(), "T: LOAD * FROM [t.parquet] (parquet);").unwrap_err();
    assert_eq!(
        failure.problems[0].message,
        "column `list` holds lists, which is not supported"
    );
}
