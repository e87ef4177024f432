use std::io::Cursor;

use proptest::prelude::*;
use satchel_data::{Frame, Value};
use satchel_script::{HostError, ReadRequest, RowSource};

use super::header::Header;
use super::read::Rows;
use super::write::write;

fn bytes_of(table: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, table, "2024-01-02 03:04:05".to_owned()).unwrap();
    out
}

fn read(bytes: Vec<u8>) -> Result<Frame, HostError> {
    let request = ReadRequest {
        path: "t.qvd".into(),
        ..ReadRequest::default()
    };
    let mut rows = Rows::new(Cursor::new(bytes), &request)?;
    let mut columns = Vec::new();
    if rows.whole().is_some() {
        columns = rows.take_whole()?;
    }
    Ok(Frame {
        name: "T".into(),
        columns,
    })
}

fn table(names: &[String], rows: &[Vec<Value>]) -> Frame {
    let mut frame = Frame::new("T", names.to_vec());
    for row in rows {
        frame.push_row(row);
    }
    frame
}

fn rows_of(frame: &Frame) -> Vec<Vec<Value>> {
    (0..frame.n_rows())
        .map(|row| frame.columns.iter().map(|c| c.value(row)).collect())
        .collect()
}

/// A small table with every kind of symbol.
fn sample() -> Frame {
    table(
        &[
            "N".into(),
            "T & <x>".into(),
            "D".into(),
            "One".into(),
            "Null".into(),
        ],
        &[
            vec![
                Value::num(1.0),
                Value::text("a"),
                Value::dual(45_293.0, "2024-01-02"),
                Value::num(7.0),
                Value::Null,
            ],
            vec![
                Value::num(2.5),
                Value::text("é"),
                Value::dual(0.5, "12:00"),
                Value::num(7.0),
                Value::Null,
            ],
            vec![
                Value::Null,
                Value::text(""),
                Value::num(-3e9),
                Value::num(7.0),
                Value::Null,
            ],
        ],
    )
}

/// The sample with one part of its header replaced.
fn with(old: &str, new: &str) -> Vec<u8> {
    let bytes = bytes_of(&sample());
    let end = bytes.iter().position(|b| *b == 0).unwrap();
    let xml = std::str::from_utf8(&bytes[..end]).unwrap();
    assert!(xml.contains(old), "{old} is not in {xml}");
    let mut out = xml.replacen(old, new, 1).into_bytes();
    out.extend_from_slice(&bytes[end..]);
    out
}

#[test]
fn broken_files_say_what_is_wrong() {
    let good = bytes_of(&sample());
    let end = good.iter().position(|b| *b == 0).unwrap();
    let mut kind = good.clone();
    kind[end + 1] = 9;
    for (bytes, want) in [
        (Vec::new(), "there is no header"),
        (b"A,B\n1,2\n".to_vec(), "there is no header"),
        (b"A\0B".to_vec(), "no complete QvdTableHeader"),
        (good[..good.len() - 1].to_vec(), "but has only"),
        (good[..end + 4].to_vec(), "but has only"),
        (with("<Fields>", "<Fields"), "is not XML"),
        (
            with("<TableName>T<", "<TableName>&boom;<"),
            "the entity `&boom;`",
        ),
        (with("<BitWidth>2<", "<BitWidth>63<"), "has 63 bits"),
        (with("<BitWidth>2<", "<BitWidth>4294967295<"), "bits"),
        (
            with("<BitWidth>2<", "<BitWidth>-1<"),
            "BitWidth in the header is `-1`",
        ),
        (with("<Bias>-2<", "<Bias>9<"), "past its"),
        (
            with("<NoOfSymbols>3<", "<NoOfSymbols>2000000000<"),
            "announces 2000000000 values",
        ),
        (
            with("<NoOfSymbols>3<", "<NoOfSymbols>18446744073709551615<"),
            "values in",
        ),
        (
            with("<NoOfSymbols>2<", "<NoOfSymbols>1<"),
            "more than the 1 values",
        ),
        (
            with("<NoOfSymbols>2<", "<NoOfSymbols>3<"),
            "is cut off in value 3 of 3",
        ),
        (
            with("<NoOfRecords>3<", "<NoOfRecords>4000000000<"),
            "announces 4000000000 rows",
        ),
        (
            with("<NoOfRecords>3<", "<NoOfRecords>18446744073709551615<"),
            "rows",
        ),
        (
            with("<Offset>0<", "<Offset>18446744073709551615<"),
            "has its values in bytes",
        ),
        (
            with("<Compression>", "<Compression>zip"),
            "it is compressed",
        ),
        (kind, "unknown kind 9 at value 1 of 2"),
    ] {
        let error = read(bytes).err().expect(want);
        assert_eq!(error.code, "source.malformed");
        assert!(error.message.contains(want), "{want}: {}", error.message);
    }
}

#[test]
fn headers_come_back() {
    let bytes = bytes_of(&sample());
    let end = bytes.iter().position(|b| *b == 0).unwrap();
    let header = Header::parse(std::str::from_utf8(&bytes[..end]).unwrap()).unwrap();
    let names: Vec<&str> = header.fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["N", "T & <x>", "D", "One", "Null"]);
    assert_eq!(header.created, "2024-01-02 03:04:05");
    let widths: Vec<u32> = header.fields.iter().map(|f| f.bit_width).collect();
    assert_eq!(widths, [2, 2, 2, 0, 0]);
    assert_eq!((header.n_records, header.record_bytes), (3, 1));
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-5i32..5).prop_map(|n| Value::num(f64::from(n))),
        any::<i32>().prop_map(|n| Value::num(f64::from(n))),
        any::<f64>().prop_map(Value::num),
        "[a-c]{0,2}".prop_map(Value::text),
        "[^\\x00]{0,9}".prop_map(Value::text),
        (-5i32..5).prop_map(|n| Value::dual(f64::from(n), format!("<{n}>"))),
        any::<f64>().prop_map(|n| Value::dual(n, format!("<{n}>"))),
    ]
}

/// One symbol shows one text: the first in row order.
fn with_first_texts(mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    for column in 0..rows.first().map_or(0, Vec::len) {
        for row in 0..rows.len() {
            let first = (0..row).find(|r| rows[*r][column].same_symbol(&rows[row][column]));
            if let Some(first) = first {
                rows[row][column] = rows[first][column].clone();
            }
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if std::env::var("SLOW").is_ok() { 20_000 } else { 300 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_written_is_read(rows in (1usize..6).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(value(), n), 1..40))) {
        let names: Vec<String> = (0..rows[0].len()).map(|i| format!("F{i}")).collect();
        let back = read(bytes_of(&table(&names, &rows))).unwrap();
        prop_assert_eq!(rows_of(&back), with_first_texts(rows));
    }

    // threat: T-31
    #[test]
    fn any_damage_ends(at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), cuts in any::<bool>()) {
        let mut bytes = bytes_of(&sample());
        for (at, byte) in at {
            let i = at.index(bytes.len());
            bytes[i] = byte;
        }
        if cuts {
            bytes.truncate(cut.index(bytes.len()));
        }
        match read(bytes) {
            Ok(frame) => prop_assert!(frame.n_rows() < 100),
            Err(error) => prop_assert!(error.code == "source.malformed"),
        }
    }
}
