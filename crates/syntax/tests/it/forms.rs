use satchel_syntax::{
    FormatSpec, Labels, LoadSource, PrefixKind, Quotes, RecordSize, StatementKind, check_script,
    parse_statement,
};

/// Every statement and prefix of the language, in the forms its reference gives.
const FORMS: &str = r"
ALIAS ID_N AS NameID, b AS c;
AUTONUMBER *; AUTONUMBER a, [b c] USING 'n'; AUTONUMBER %* USING counter;
BINARY [lib://Apps/other.qvf]; BINARY other.qvf;
COMMENT FIELD Alpha WITH 'a text'; COMMENT FIELDS Alpha USING M; COMMENT FIELDS USING M;
COMMENT TABLE T WITH 'text'; COMMENT TABLES USING M; COMMENT Alpha WITH 'x';
CONNECT TO 'Nwind'; ODBC CONNECT TO [x;DBQ=y] (userid is sa, password is y);
OLEDB CONNECT32 TO [Provider=x]; LIB CONNECT TO 'My Data'; LIB CONNECT TO [My Data (x)];
CUSTOM CONNECT TO 'Provider=x'; DISCONNECT;
Calendar: DECLARE FIELD DEFINITION TAGGED '$date' PARAMETERS first = 1 FIELDS Year($1) AS Year TAGGED ('$numeric', '$y'), Month($1) AS Month TAGGED '$m', Day($1, first) AS Day GROUPS Year, Month TYPE drilldown AS G;
C2: DECLARE FIELD DEFINITION USING Calendar WITH first = 4;
[autoCalendar]: DECLARE FIELD DEFINITION Tagged ('$date') FIELDS Dual(Year($1), YearStart($1)) AS [Year] Tagged ('$axis', '$year');
DERIVE FIELDS FROM FIELDS OrderDate, [Ship Date] USING Calendar;
DERIVE FIELDS FROM EXPLICIT TAGS '$date', '$timestamp' USING Calendar;
DERIVE FIELDS FROM IMPLICIT TAG USING Calendar;
DIRECT QUERY DIMENSION a MEASURE b FROM t WHERE c = 'x';
DIRECTORY; DIRECTORY lib://DataFiles/; DIRECTORY c:\userfiles\data;
DROP FIELD A; DROP FIELDS A, B; DROP FIELD A FROM X; DROP FIELDS A, B FROM X, Y;
DROP TABLE A; DROP TABLES A, [B c];
EXECUTE cmd.exe /C dir \x; FLUSHLOG;
FORCE CAPITALIZATION; FORCE CASE UPPER; FORCE CASE LOWER; FORCE CASE MIXED;
LET x = 1 + 2; LET y =; z = 'a'; LET [a b] = Today();
LOOSEN TABLE A; LOOSEN TABLES A, B;
MAP Country USING M; MAP A, B, C* USING X; MAP * USING M; UNMAP Country; UNMAP *;
NULLASNULL A, B; NULLASVALUE *; QUALIFY *; QUALIFY B, '*x'; UNQUALIFY *; UNQUALIFY '%*';
REM it's a remark ** with anything; RENAME FIELD a TO b; RENAME FIELDS USING M;
RENAME TABLE a TO b; RENAME TABLES USING M;
SEARCH INCLUDE *; SEARCH EXCLUDE [*ID], x; SECTION ACCESS; SECTION APPLICATION;
SELECT * FROM T WHERE a = 'b;c'; SQL SELECT a, b FROM T; SQL EXEC proc 1, 'x';
SQLCOLUMNS; SQLTABLES; SQLTYPES; SET a = b; SET x = 'it''s'; SET v = $1 + [x];
SLEEP 1000; STAR IS *; STAR IS %; STAR IS; STORE T INTO x.qvd;
STORE * FROM T INTO [lib://a/x.qvd] (qvd); STORE a, b AS c FROM T INTO 'x.txt' (txt, delimiter is '|');
TAG FIELD a WITH '$x'; TAG FIELDS a, b WITH '$x', 'y'; TAG FIELDS USING M; TAG a WITH 'x'; TAG FIELDS a USING M;
UNTAG FIELD a WITH '$x'; TRACE it's; TRACE ==== RENAME [x]; TRACE;
ADD LOAD a FROM x.csv; ADD ONLY LOAD a FROM x.csv; T: REPLACE ONLY LOAD a FROM x.csv; REPLACE MAP a USING m;
BUFFER LOAD * FROM x.log; BUFFER (incremental) LOAD * FROM x.log; BUFFER (stale after 7 days) SELECT * FROM T;
CONCATENATE LOAD a FROM x.csv; CONCATENATE (T) LOAD a FROM x.csv; CONCATENATE ([T x]) SQL SELECT a FROM T;
CROSSTABLE (Month, Sales) LOAD * FROM x.csv; CROSSTABLE ([A b], 'D', 2) LOAD * FROM x.csv; CROSSTABLE (A, B) SELECT * FROM t;
FIRST 10 LOAD * FROM x.csv; FIRST (1) SQL SELECT * FROM T;
GENERIC LOAD * FROM x.csv; GENERIC SQL SELECT * FROM t;
HIERARCHY (NodeID, ParentID, NodeName, ParentName, NodeName, PathName, '\', Depth) LOAD * FROM x.csv;
HIERARCHY (NodeID, ParentID, NodeName, , , 'Path') LOAD * FROM x.csv;
HIERARCHYBELONGSTO (NodeID, ParentID, NodeName, AncestorID, AncestorName, DepthDiff) LOAD * FROM x.csv;
INNER JOIN INTERVALMATCH (Time, Line) LOAD Start, End, Line RESIDENT O; INTERVALMATCH (T) LOAD a, b RESIDENT c;
LEFT JOIN LOAD a RESIDENT T; RIGHT JOIN (T) LOAD a RESIDENT T; OUTER JOIN (T) LOAD a RESIDENT T; JOIN (T) SELECT * FROM x;
LEFT KEEP (T) LOAD a RESIDENT T; INNER KEEP LOAD a RESIDENT T; RIGHT KEEP LOAD a RESIDENT T;
MAPPING LOAD a, b FROM x.csv; M: MAPPING SELECT a, b FROM t;
MERGE (Seq, vSeq) ON Key, Other CONCATENATE (T) LOAD op, Key, Seq FROM x.csv; MERGE ONLY ON Key LOAD * FROM x.csv;
NOCONCATENATE T2: LOAD * RESIDENT T; NOCONCATENATE LOAD DISTINCT a RESIDENT T;
SAMPLE 0.15 SQL SELECT * FROM T; SAMPLE (0.15) LOAD * FROM x.csv; SEMANTIC LOAD * FROM x.csv;
WHEN a = 1 LOAD b FROM x.csv; UNLESS a = 1 DROP TABLE T; DROP TABLE T WHEN a = 1; TRACE x;
LOAD *, a + 1 AS b; LOAD a; SQL SELECT a FROM t;
LOAD a FROM_FIELD (T, f) (txt, no labels); LOAD * EXTENSION Plugin.Load(T{a, b});
LOAD @1, @2:5 AS c FROM x.txt (fix, codepage is 1252); LOAD RecNo() AS r AUTOGENERATE (10) WHILE IterNo() < 3;
LOAD * INLINE [a,b]; LOAD * INLINE 'a,b'; LOAD * INLINE [a|b] (delimiter is '|');
LOAD Group, Order FROM x.csv WHERE Group > 1 GROUP BY Group ORDER BY Order DESC;
IF a = 1 THEN TRACE x; ELSEIF b THEN; TRACE y; ELSE TRACE z; END IF
FOR i = 1 TO 10 STEP 2; TRACE x; NEXT i
FOR EACH f IN FILELIST('lib://a/*.csv'), 'x' 
EXIT FOR WHEN f = 'x';
NEXT f;
DO WHILE a < 3
EXIT DO UNLESS a;
LOOP UNTIL b;
SUB s(a, b)
EXIT SUB
END SUB
CALL s('x', v);
SWITCH x
CASE 1, 'a'
TRACE one;
DEFAULT
TRACE other;
END SWITCH
$(must_include=lib://a/b.qvs); $(include=lib://a/c.qvs)
EXIT SCRIPT WHEN x = 1;
";

#[test]
fn every_form_of_the_reference_parses() {
    // What parses, and is told about, but is another thing here.
    let told = [
        "script.direct_query_loads",
        "script.extension_not_available",
    ];
    let wrong: Vec<String> = (check_script(FORMS).into_iter())
        .filter(|d| d.is_error() || !told.contains(&d.code))
        .map(|d| d.render("forms", FORMS))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn format(text: &str) -> FormatSpec {
    let text = format!("LOAD * FROM [x] {text}");
    let (statement, diagnostics) = parse_statement(&text);
    let is_told = |d: &satchel_syntax::Diagnostic| d.code == "script.filters_not_supported";
    assert!(diagnostics.iter().all(is_told), "{text}: {diagnostics:?}");
    match statement.kind {
        StatementKind::Load(load) => match load.source {
            LoadSource::File { format, .. } => format,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn formats_of_every_kind_of_file_parse() {
    let text = format(
        "(txt, codepage is 28591, no eof, embedded labels, delimiter is \\t, msq, header is 2 lines, comment is #)",
    );
    assert_eq!(text.delimiter.as_deref(), Some("\t"));
    assert_eq!((text.header_lines, text.no_eof), (2, true));
    assert_eq!(text.quotes, Some(Quotes::Modern));
    let excel = format("(ooxml, embedded labels, header is 3 lines, table is [My Sheet])");
    assert_eq!(excel.table.map(|t| t.text).as_deref(), Some("My Sheet"));
    let old = format("(biff, no labels, table is Sheet1$)");
    assert_eq!(old.table.map(|t| t.text).as_deref(), Some("Sheet1$"));
    assert_eq!(old.labels, Some(Labels::None));
    let fix = format("(fix, utf8, record is 132, header is 20, tab is 8)");
    assert_eq!(fix.record, Some(RecordSize::Bytes(132)));
    assert_eq!((fix.header_bytes, fix.tab_size), (20, Some(8)));
    assert_eq!(
        format("(fix, record is line)").record,
        Some(RecordSize::Lines(1))
    );
    assert_eq!(
        format("(fix, record is 3 lines)").record,
        Some(RecordSize::Lines(3))
    );
    let html = format("(html, codepage is 1252, embedded labels, table is @1)");
    assert_eq!(html.table.map(|t| t.text).as_deref(), Some("@1"));
    let xml = format("(XmlSimple, table is [feed/entry])");
    assert_eq!(xml.table.map(|t| t.text).as_deref(), Some("feed/entry"));
    let json = format("(json, table is Root/Rows/Row)");
    assert_eq!(json.table.map(|t| t.text).as_deref(), Some("Root/Rows/Row"));
    let steps = format(
        "(biff, embedded labels, table is [S$], filters(Remove(Col, Pos(Top, 1)), Replace(1, top, StrCnd(null))))",
    );
    assert!(steps.filters.is_some());
    for plain in [
        "(qvd)",
        "(qvx)",
        "(kml, table is [x])",
        "(dif, explicit labels)",
        "(parquet)",
        "(URL is 'https://x.test/y', txt)",
        "(ansi, txt, delimiter is spaces)",
        "(UTF-8, txt)",
        "()",
    ] {
        format(plain);
    }
}

#[test]
fn a_label_may_follow_its_prefixes() {
    let (statement, diagnostics) = parse_statement("LEFT JOIN (A) B: LOAD c RESIDENT d");
    assert_eq!(diagnostics, []);
    assert_eq!(statement.label.map(|l| l.text).as_deref(), Some("B"));
    assert!(matches!(statement.prefixes[0].kind, PrefixKind::Join(..)));
}

#[test]
fn words_of_prefixes_may_be_variables_and_labels() {
    for text in [
        "first = 1",
        "Add: LOAD a RESIDENT b",
        "LET replace = 2",
        "join = 'x'",
        "map = 1",
    ] {
        let (_, diagnostics) = parse_statement(text);
        assert_eq!(diagnostics, [], "{text}");
    }
}

#[test]
fn incomplete_prefixes_say_how_they_are_written() {
    for text in [
        "CROSSTABLE (A) LOAD * FROM x",
        "CROSSTABLE LOAD * FROM x",
        "INTERVALMATCH LOAD a, b FROM x",
        "HIERARCHY (a, b) LOAD * FROM x",
        "HIERARCHYBELONGSTO (a, b, c, d) LOAD * FROM x",
        "MERGE LOAD * FROM x",
    ] {
        let (_, diagnostics) = parse_statement(text);
        assert_eq!(diagnostics[0].code, "script.bad_prefix", "{text}");
        assert!(diagnostics[0].hint.is_some());
    }
}

#[test]
fn a_comma_after_the_last_argument_is_passed_over() {
    let (expr, diagnostics) = satchel_syntax::parse_expression("If(a, b,)");
    assert_eq!(diagnostics, []);
    let satchel_syntax::ExprKind::Call(call) = expr.kind else {
        panic!("not a call");
    };
    assert_eq!(call.args.len(), 2);
    let (_, diagnostics) = satchel_syntax::parse_expression("If(a,,b)");
    assert_eq!(diagnostics[0].code, "expr.unexpected_token");
}
