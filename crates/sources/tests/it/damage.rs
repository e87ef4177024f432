//! Damaged and hostile files end in a problem with a code, never in a panic, and in bounded
//! time and memory.

use std::io::{Cursor, Write as _};

use satchel_base::{Budget, CancelToken, Limits};
use satchel_script::{Settings, run};
use satchel_sources::{FileHost, Roots};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::corpus::samples;
use super::folder;

/// Codes a file's content may give.
const CODES: [&str; 11] = [
    "source.not_found",
    "source.no_positions",
    "source.malformed",
    "source.bad_encoding",
    "source.too_large",
    "source.unknown_table",
    "source.format_not_supported",
    "source.cannot_read",
    "script.unknown_field",
    "script.too_many_rows",
    "script.too_many_bytes",
];

/// What is wrong with loading `bytes` as the file `name` of `script` , if it is.
fn problem(name: &str, bytes: &[u8], script: &str) -> Option<String> {
    let folder = folder();
    let path = folder.path().join("app").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
    let mut host = FileHost::new(Roots::new(folder.path().join("app")), |_| {});
    let limits = Limits {
        rows: 1_000_000,
        bytes: 200 << 20,
    };
    let budget = Budget::new(limits, CancelToken::default());
    let settings = Settings::default();
    let failure = run("t.qvs", script, &mut host, &settings, &budget).err()?;
    let problem = &failure.problems[0];
    Some(format!("{}: {}", problem.code, problem.message))
}

#[track_caller]
fn check(name: &str, bytes: &[u8], script: &str, want: &str) {
    let got = problem(name, bytes, script).unwrap_or_default();
    assert!(got.starts_with(want), "{got}");
}

/// SplitMix64: the same damage every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

fn damaged(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    const WORTH_TRYING: [u8; 12] = [
        0, 1, 0x7f, 0x80, 0xff, b'"', b'<', b'>', b'&', b'\n', b'9', b'-',
    ];
    let mut out = bytes.to_vec();
    for _ in 0..1 + dice.below(6) {
        let at = dice.below(out.len());
        match dice.below(6) {
            0 => out.truncate(at),
            1 if at < out.len() => out[at] = dice.below(256) as u8,
            2 if at < out.len() => out[at] ^= 1 << dice.below(8),
            3 => {
                let end = (at + dice.below(64)).min(out.len());
                out.drain(at..end);
            }
            4 => {
                let end = (at + dice.below(64)).min(out.len());
                let again = out[at..end].to_vec();
                let to = dice.below(out.len());
                out.splice(to..to, again);
            }
            _ if at < out.len() => out[at] = WORTH_TRYING[dice.below(WORTH_TRYING.len())],
            _ => {}
        }
    }
    out
}

// threat: T-31
#[test]
fn every_damaged_sample_ends() {
    let n_tries = if std::env::var("SLOW").is_ok() {
        3_000
    } else {
        60
    };
    let samples = samples();
    assert!(samples.len() > 10);
    for (i, (name, bytes, script)) in samples.iter().enumerate() {
        // Only what this file makes of the script counts.
        if script.contains("FOR EACH") {
            continue;
        }
        let mut dice = Dice(i as u64);
        for n in 0..n_tries {
            let bytes = damaged(bytes, &mut dice);
            if let Some(problem) = problem(name, &bytes, script) {
                let known = CODES.iter().any(|code| problem.starts_with(code));
                assert!(known, "{name}, try {n}: {problem}");
            }
        }
    }
}

fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, body) in parts {
        zip.start_file(*path, SimpleFileOptions::default()).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const ROOT: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const RELS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/s.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;

fn workbook(sheet: &[u8]) -> Vec<u8> {
    zip(&[
        ("_rels/.rels", ROOT.as_bytes()),
        ("xl/_rels/workbook.xml.rels", RELS.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/worksheets/s.xml", sheet),
    ])
}

const LOAD_SHEET: &str = "T: LOAD * FROM [b.xlsx] (ooxml, no labels);";

// threat: T-31
#[test]
fn a_part_that_inflates_without_end_is_refused() {
    let mut sheet = b"<worksheet><sheetData><row r=\"1\"><c r=\"A1\"><v>".to_vec();
    sheet.resize(200 << 20, b' ');
    let bomb = workbook(&sheet);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    check(
        "b.xlsx",
        &bomb,
        LOAD_SHEET,
        "source.malformed: `b.xlsx` is not a readable spreadsheet: a part of",
    );
}

// threat: T-31
#[test]
fn cells_far_apart_take_no_memory_between_them() {
    let far = workbook(
        b"<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row>\
          <row r=\"1048576\"><c r=\"B1048576\"><v>2</v></c></row></sheetData></worksheet>",
    );
    check("b.xlsx", &far, LOAD_SHEET, "script.too_many_rows");
    let outside = workbook(
        b"<worksheet><sheetData><row r=\"1\"><c r=\"ZZZZ4294967295\"><v>1</v></c></row></sheetData></worksheet>",
    );
    check("b.xlsx", &outside, LOAD_SHEET, "source.malformed");
}

// threat: T-31
#[test]
fn an_old_workbook_cannot_announce_more_than_a_sheet_holds() {
    let (name, good, script) = samples().into_iter().find(|(n, ..)| n == "o.xls").unwrap();
    assert_eq!(problem(&name, &good, &script), None);
    // The record that tells the dimensions of a sheet: kind 0x0200, 14 bytes.
    let at = good.windows(4).position(|w| w == [0, 2, 14, 0]).unwrap();
    let mut huge = good.clone();
    huge[at + 4..at + 16].copy_from_slice(&[0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 255, 255]);
    check(&name, &huge, &script, "source.malformed");
}

/// The problem of a script on files, with so many bytes of memory.
fn problem_within(n_bytes: u64, files: &[(&str, &[u8])], script: &str) -> String {
    let folder = folder();
    for (name, bytes) in files {
        std::fs::write(folder.path().join("app").join(name), bytes).unwrap();
    }
    let mut host = FileHost::new(Roots::new(folder.path().join("app")), |_| {});
    let limits = Limits {
        rows: 1_000_000,
        bytes: n_bytes,
    };
    let budget = Budget::new(limits, CancelToken::default());
    match run("t.qvs", script, &mut host, &Settings::default(), &budget) {
        Ok(_) => String::new(),
        Err(failure) => failure.problems[0].code.to_owned(),
    }
}

#[test]
fn a_file_read_as_a_whole_asks_for_memory_first() {
    let large = vec![b' '; 3 << 20];
    for (name, format) in [
        ("a.csv", "txt"),
        ("a.fix", "fix"),
        ("a.dif", "dif"),
        ("a.json", "json"),
        ("a.xml", "XmlSimple"),
        ("a.kml", "kml"),
        ("a.html", "html"),
        ("a.qvx", "qvx"),
        ("a.xlsx", "ooxml"),
    ] {
        let script = format!("SET ErrorMode=0;\nLOAD * FROM [{name}] ({format});");
        let problem = problem_within(2 << 20, &[(name, &large)], &script);
        assert_eq!(problem, "script.too_many_bytes", "{name}");
    }
}

#[test]
fn the_memory_of_a_file_that_was_read_is_free_again() {
    let mut small = b"[".to_vec();
    for n in 0..20_000 {
        small.extend(format!("{{\"n\":{}}},", n % 7).bytes());
    }
    small.extend(b"{\"n\":1}]");
    let once = "LOAD * FROM [a.json] (json) WHERE n > 99;\n";
    // Each takes 640 KB while it is read, and 80 KB for its rows.
    let problem = problem_within(4 << 20, &[("a.json", &small)], &once.repeat(20));
    assert_eq!(problem, "");
}
