//! What the room promises: files to tables and back, and nothing outside its folders.

use std::fs;
use std::path::Path;

use satchel_base::Budget;
use satchel_script::{Failure, LoadResult, Settings, run};
use satchel_sources::{FileHost, Roots};
use tempfile::TempDir;

fn load(folder: &Path, script: &str) -> Result<LoadResult, Failure> {
    let roots = Roots::new(folder.join("app")).with("Data", folder.join("data"));
    let mut host = FileHost::new(roots, |_| {});
    run(
        "t.qvs",
        script,
        &mut host,
        &Settings::default(),
        &Budget::unlimited(),
    )
}

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("app")).unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    folder
}

/// The first table, rows separated by `/`, cells by `|`, NULL as `-`.
fn show(result: &LoadResult) -> String {
    let model = &result.model;
    let table = &model.tables()[0];
    let mut out: Vec<String> = vec![
        (table.columns.iter())
            .map(|c| model.fields()[c.field.index()].name.clone())
            .collect::<Vec<_>>()
            .join("|"),
    ];
    for row in 0..table.n_rows {
        let cells: Vec<String> = (table.columns.iter())
            .map(|c| {
                let value = model.fields()[c.field.index()]
                    .symbols
                    .value(c.codes.at(row));
                if value.is_null() {
                    "-".into()
                } else {
                    value.to_text()
                }
            })
            .collect();
        out.push(cells.join("|"));
    }
    out.join("/")
}

#[track_caller]
fn check(bytes: &[u8], load_tail: &str, want: &str) {
    let folder = folder();
    fs::write(folder.path().join("data/f.csv"), bytes).unwrap();
    let got = match load(folder.path(), &format!("T: LOAD {load_tail};")) {
        Ok(result) => show(&result),
        Err(failure) => format!(
            "{}: {}",
            failure.problems[0].code, failure.problems[0].message
        ),
    };
    assert_eq!(got, want);
}

const FILE: &str = "* FROM [lib://data/f.csv]";

#[test]
fn delimited_text_reads_in_all_its_forms() {
    check(
        b"A,B\n1,x\n\n2,\r\n3",
        &format!("{FILE} (txt)"),
        "A|B/1|x/2|/3|-",
    );
    check(
        b"\xef\xbb\xbfA;B\n1;\"x;\"\"y\nz\"\n",
        &format!("{FILE} (txt, delimiter is ';', msq)"),
        "A|B/1|x;\"y\nz",
    );
    check(
        b"A,B\n\"1,x\n",
        &format!("{FILE} (txt, no quotes)"),
        "A|B/\"1|x",
    );
    check(
        b"top\nA\tB\n1\t2\n",
        &format!("{FILE} (txt, header is 1 lines, delimiter is '\\t')"),
        "A|B/1|2",
    );
    check(
        b"1,2\n3,4\n",
        &format!("{FILE} (txt, no labels)"),
        "@1|@2/1|2/3|4",
    );
    check(
        b"A\n\x80\xe9\n",
        &format!("{FILE} (txt, codepage is 1252)"),
        "A/\u{20ac}\u{e9}",
    );
    check(
        b"A\n\x80\xe9\n",
        &format!("{FILE} (txt, codepage is 28591)"),
        "A/\u{80}\u{e9}",
    );
    check(b"A\n\xe9\n", &format!("{FILE} (txt)"), "A/\u{e9}");
    check(b"\xff\xfeA\0\n\0\x42\0", &format!("{FILE} (txt)"), "A/B");
    check(
        b"A,B,C\n1,2,3\n",
        "C, A FROM [lib://DATA/f.csv] (txt)",
        "C|A/3|1",
    );
    check(b"A,A,B\n1,2,3\n", &format!("{FILE} (txt)"), "A|A1|B/1|2|3");
    check(b"A\nx", &format!("{FILE}"), "A/x");
    check(
        b"A,B\n#no\n1,2",
        &format!("{FILE} (txt, comment is '#')"),
        "A|B/1|2",
    );
    check(
        b"A||B\n1||2",
        &format!("{FILE} (txt, delimiter is '||')"),
        "A|B/1|2",
    );
}

#[test]
fn malformed_text_names_the_row() {
    check(
        b"A,B\n1,2\n1,2,3\n",
        &format!("{FILE} (txt)"),
        "source.malformed: row 3 has 3 cells, and there are 2 columns",
    );
    check(
        b"A,B\n1,\"2\"\n1,2,3\n",
        &format!("{FILE} (txt)"),
        "source.malformed: row 3 has 3 cells, and there are 2 columns",
    );
    check(
        b"A\n1\n\"x\n",
        &format!("{FILE} (txt)"),
        "source.malformed: in row 3 a quote is never closed",
    );
    check(
        b"A\n1\n\xff\n",
        &format!("{FILE} (txt, utf8)"),
        "source.bad_encoding: line 3 is not valid UTF-8",
    );
    check(
        b"A\n",
        &format!("{FILE} (txt, codepage is 37)"),
        "source.bad_encoding: codepage `37` is not supported",
    );
    check(b"A\n1,,\n", &format!("{FILE} (txt)"), "A/1");
    check(
        b"A\n",
        &format!("{FILE} (qvd)"),
        "source.malformed: `lib://data/f.csv` is not a readable QVD file: there is no header \
         that a NUL byte ends where one should be",
    );
}

#[test]
fn many_pieces_equal_one() {
    let folder = folder();
    // About five megabytes: several pieces for the fast way, one for the quoted way.
    let mut plain = String::from("N,Word,Long\n");
    for n in 0..200_000 {
        plain += &format!("{n},w{},a longer text {}\n", n % 7, n % 1000);
    }
    let quoted = plain.replacen("w0", "\"w0\"", 1);
    fs::write(folder.path().join("data/p.csv"), &plain).unwrap();
    fs::write(folder.path().join("data/q.csv"), &quoted).unwrap();
    let fast = load(folder.path(), "T: LOAD * FROM [lib://data/p.csv] (txt);")
        .ok()
        .unwrap();
    let slow = load(folder.path(), "T: LOAD * FROM [lib://data/q.csv] (txt);")
        .ok()
        .unwrap();
    assert_eq!(fast.model.tables()[0].n_rows, 200_000);
    assert_eq!(show(&fast), show(&slow));
    assert_eq!(
        format!("{}/", show(&fast))
            .replace('|', ",")
            .replace('/', "\n"),
        plain
    );
}

#[test]
fn stored_tables_come_back() {
    for kind in ["(txt)", "(parquet)", "(qvd)", "(txt, delimiter is ';')"] {
        let folder = folder();
        let script = format!(
            "T: LOAD *, If(A=2, Null(), A/4) AS Q INLINE [\nA,B,D\n1,\"x,;\"\"y\",2024-01-31\n2,,01\n];\n\
             STORE T INTO [lib://Data/sub/t.out] {kind};\nSTORE B, A AS Z FROM T INTO [u.out] {kind};\nDROP TABLE T;\n\
             U: LOAD * FROM [lib://Data/sub/t.out] {kind};\nV: LOAD Z FROM u.out {kind};"
        );
        let result =
            load(folder.path(), &script).unwrap_or_else(|f| panic!("{}", f.problems[0].rendered));
        let null = if kind.starts_with("(txt") { "" } else { "-" };
        assert_eq!(
            show(&result),
            format!("A|B|D|Q/1|x,;\"y|2024-01-31|0.25/2||01|{null}")
        );
        assert_eq!(result.model.tables()[1].n_rows, 2);
        let names: Vec<_> = fs::read_dir(folder.path().join("app"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["u.out"]);
    }
}

#[test]
fn qvd_keeps_numbers_and_texts() {
    let folder = folder();
    let script = "T: LOAD Dual(Name, Id) AS D, Date(45000 + Id) AS Day, If(Id=2, Null(), Name) AS N
        INLINE [\nId,Name\n1,one\n2,two\n3,three\n];
        STORE T INTO [t.qvd] (qvd); DROP TABLE T;
        K: LOAD 'one' AS Known AUTOGENERATE 1;
        U: LOAD D AS E, Day, N FROM [t.qvd] (qvd);
        V: NOCONCATENATE LOAD Num(D) AS Number, N AS Known FROM [t.qvd] (qvd) WHERE Exists(Known, N);";
    let result =
        load(folder.path(), script).unwrap_or_else(|f| panic!("{}", f.problems[0].rendered));
    let model = &result.model;
    let table = |name: &str| {
        let t = model.tables().iter().find(|t| t.name == name).unwrap();
        let cells: Vec<String> = (t.columns.iter())
            .flat_map(|c| {
                let symbols = &model.fields()[c.field.index()].symbols;
                (0..t.n_rows).map(|row| format!("{:?}", symbols.value(c.codes.at(row))))
            })
            .collect();
        cells.join(" ")
    };
    assert_eq!(
        table("U"),
        "Dual { num: 1.0, text: \"one\" } Dual { num: 2.0, text: \"two\" } \
         Dual { num: 3.0, text: \"three\" } Dual { num: 45001.0, text: \"3/16/2023\" } \
         Dual { num: 45002.0, text: \"3/17/2023\" } Dual { num: 45003.0, text: \"3/18/2023\" } \
         Text(\"one\") Null Text(\"three\")"
    );
    assert_eq!(table("V"), "Num(1.0) Text(\"one\")");
}

#[test]
fn broken_parquet_is_an_error() {
    let folder = folder();
    load(
        folder.path(),
        "T: LOAD RecNo() AS N AUTOGENERATE 1000; STORE T INTO [t.parquet] (parquet);",
    )
    .ok()
    .unwrap();
    let good = fs::read(folder.path().join("app/t.parquet")).unwrap();
    for (name, bytes) in [
        ("cut", good[..good.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("text", b"A,B\n1,2\n".to_vec()),
        // The library that reads it panics; found by fuzzing.
        (
            "levels",
            include_bytes!("../../../../fuzz/seeds/parquet/levels_contradict").to_vec(),
        ),
        (
            "flipped",
            good.iter()
                .enumerate()
                .map(|(i, b)| if i == 40 { b ^ 0xff } else { *b })
                .collect(),
        ),
    ] {
        fs::write(folder.path().join("app/b.parquet"), bytes).unwrap();
        match load(folder.path(), "LOAD * FROM [b.parquet] (parquet);") {
            Err(failure) => assert_eq!(failure.problems[0].code, "source.malformed", "{name}"),
            // A flipped bit in the data may still be valid Parquet.
            Ok(_) => assert_eq!(name, "flipped"),
        }
    }
}

// threat: T-25
#[test]
fn nothing_outside_the_folders_is_touched() {
    let folder = folder();
    let secret = folder.path().join("secret.csv");
    fs::write(&secret, "S\nx\n").unwrap();
    fs::create_dir(folder.path().join("elsewhere")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, folder.path().join("app/link.csv")).unwrap();
        std::os::unix::fs::symlink(
            folder.path().join("elsewhere"),
            folder.path().join("app/out"),
        )
        .unwrap();
    }
    let absolute = secret.display().to_string();
    for (path, code) in [
        ("../secret.csv", "source.outside_root"),
        ("lib://Data/../secret.csv", "source.outside_root"),
        ("..\\secret.csv", "source.outside_root"),
        (absolute.as_str(), "source.outside_root"),
        ("C:/secret.csv", "source.outside_root"),
        ("lib://Other/secret.csv", "source.unknown_folder"),
        ("lib://../secret.csv", "source.unknown_folder"),
        ("https://example.org/a.csv", "source.format_not_supported"),
        ("gone.csv", "source.not_found"),
        ("lib://Data/", "source.format_not_supported"),
        #[cfg(unix)]
        ("link.csv", "source.outside_root"),
    ] {
        let failure = load(folder.path(), &format!("LOAD * FROM [{path}];"))
            .err()
            .unwrap();
        assert_eq!(failure.problems[0].code, code, "{path}");
    }
    for path in [
        "../new.csv",
        "/tmp/new.csv",
        #[cfg(unix)]
        "out/new.csv",
    ] {
        let script = format!("T: LOAD 1 AS A AUTOGENERATE 1; STORE T INTO [{path}] (txt);");
        let failure = load(folder.path(), &script).err().unwrap();
        assert_eq!(failure.problems[0].code, "source.outside_root", "{path}");
    }
    let failure = load(folder.path(), "$(must_include=../secret.csv)")
        .err()
        .unwrap();
    assert_eq!(failure.problems[0].code, "source.outside_root");
    let failure = load(
        folder.path(),
        "DIRECTORY ..;\nLOAD * FROM secret.csv (txt);",
    )
    .err()
    .unwrap();
    assert_eq!(failure.problems[0].code, "source.outside_root");
}

// threat: T-25
#[test]
fn masks_list_files_in_order_and_never_leave_the_folders() {
    let folder = folder();
    let data = folder.path().join("data");
    for (name, text) in [("b.csv", "x\n2\n"), ("a.csv", "x\n1\n"), ("c.txt", "y\n")] {
        fs::write(data.join(name), text).unwrap();
    }
    fs::create_dir(data.join("sub")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), data.join("out")).unwrap();
    let script = "T: LOAD x FROM [lib://Data/*.csv] (txt, embedded labels);
        FOR EACH f IN FileList('lib://Data/*.csv'), DirList('lib://Data/s*')
          LET all = all & f & FileSize(f) & ' ';
        NEXT";
    let result = load(folder.path(), script).unwrap();
    assert_eq!(show(&result), "x/1/2");
    let all = result.variables.iter().find(|(n, _)| n == "all").unwrap();
    assert_eq!(
        all.1.to_text(),
        "lib://Data/a.csv4 lib://Data/b.csv4 lib://Data/sub "
    );
    for (mask, code) in [
        ("lib://Data/../*", "source.outside_root"),
        ("lib://Data/out/*", "source.outside_root"),
        ("lib://Data/*/x.csv", "source.mask_in_folder"),
        ("lib://None/*", "source.unknown_folder"),
    ] {
        let script = format!("FOR EACH f IN FileList('{mask}')\nNEXT");
        let failure = load(folder.path(), &script).unwrap_err();
        assert_eq!(failure.problems[0].code, code, "{mask}");
    }
}

// threat: T-25
#[cfg(unix)]
#[test]
fn functions_about_files_see_nothing_outside() {
    let folder = folder();
    let data = folder.path().join("data");
    load(
        folder.path(),
        "T: LOAD 1 AS A AUTOGENERATE 1; STORE T INTO [t.qvd] (qvd);",
    )
    .unwrap();
    let secret = folder.path().join("secret.qvd");
    fs::rename(folder.path().join("app/t.qvd"), &secret).unwrap();
    std::os::unix::fs::symlink(&secret, data.join("link.qvd")).unwrap();
    std::os::unix::fs::symlink(folder.path(), data.join("out")).unwrap();
    for path in [
        "lib://Data/link.qvd",
        "lib://Data/out/secret.qvd",
        "lib://Data/../secret.qvd",
        "../secret.qvd",
        "..\\secret.qvd",
        &secret.display().to_string(),
    ] {
        let script = format!(
            "LET n = IsNull(FileSize('{path}')) + IsNull(FileTime('{path}')) + IsNull(QvdCreateTime('{path}'))
                + IsNull(QvdNoOfRecords('{path}')) + IsNull(QvdNoOfFields('{path}'))
                + IsNull(QvdFieldName('{path}', 1)) + IsNull(QvdTableName('{path}'));"
        );
        let result = load(folder.path(), &script).unwrap();
        let n = result.variables.iter().find(|(n, _)| n == "n").unwrap();
        assert_eq!(n.1.to_text(), "-7", "{path}");
        for kind in [
            "qvd", "txt", "ooxml", "xml", "json", "fix", "parquet", "qvx",
        ] {
            let script = format!("T: LOAD @1:2 FROM [{path}] ({kind});");
            let failure = load(folder.path(), &script).unwrap_err();
            assert_eq!(failure.problems[0].code, "source.outside_root", "{path}");
        }
    }
}

mod corpus;
mod damage;
mod filters;
mod parquet;

/// Where others take a QVD file over as it is, case and stars of access tables with it.
#[test]
fn access_tables_from_qvd_are_those_of_other_sources() {
    let folder = folder();
    let rows = "LOAD * INLINE [
Access, UserId, Region
user, corp\\ann, north
user, corp\\bob, *
admin, *,
]";
    let stored = format!("SA: {rows};\nSTORE SA INTO sa.qvd (qvd);\nDROP TABLE SA;");
    load(folder.path(), &stored).unwrap();
    let of = |source: &str| {
        let script = format!(
            "SECTION ACCESS;\nSA: {source};\nSECTION APPLICATION;\nT: LOAD 'NORTH' AS REGION AUTOGENERATE 1;"
        );
        load(folder.path(), &script).unwrap().access
    };
    let direct = of("LOAD * FROM sa.qvd (qvd)");
    assert_eq!(direct, of(rows));
    assert_eq!(
        direct,
        of("LOAD Access, UserId, Region & '' AS Region FROM sa.qvd (qvd)")
    );
    assert_eq!(direct.tables[0].rows[1][1].to_text(), "CORP\\BOB");
}
