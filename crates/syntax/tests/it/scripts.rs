use std::fmt::Write as _;

use expect_test::{Expect, expect};
use satchel_syntax::{
    Item, ItemKind, LoadField, LoadSource, StatementKind, parse_script, parse_statement,
};

fn outline(items: &[Item], text: &str, depth: usize, out: &mut String) {
    for item in items {
        let pad = "  ".repeat(depth);
        match &item.kind {
            ItemKind::Statement => {
                let shown = item.span.text(text).replace('\n', "⏎");
                let _ = writeln!(out, "{pad}{shown}");
            }
            ItemKind::Include { path, required } => {
                let _ = writeln!(out, "{pad}include {} {required}", path.text(text));
            }
            ItemKind::If {
                branches,
                otherwise,
            } => {
                for b in branches {
                    let _ = writeln!(out, "{pad}if <{}>", b.condition.text(text));
                    outline(&b.body, text, depth + 1, out);
                }
                if let Some(body) = otherwise {
                    let _ = writeln!(out, "{pad}else");
                    outline(body, text, depth + 1, out);
                }
            }
            ItemKind::For {
                variable,
                from,
                to,
                step,
                body,
            } => {
                let _ = writeln!(
                    out,
                    "{pad}for {} <{}> <{}> <{}>",
                    variable.text,
                    from.text(text),
                    to.text(text),
                    step.map_or("", |s| s.text(text))
                );
                outline(body, text, depth + 1, out);
            }
            ItemKind::ForEach {
                variable,
                list,
                body,
            } => {
                let _ = writeln!(out, "{pad}each {} <{}>", variable.text, list.text(text));
                outline(body, text, depth + 1, out);
            }
            ItemKind::Do { head, body, tail } => {
                let show = |c: &Option<satchel_syntax::Condition>| {
                    c.map_or(String::new(), |c| {
                        format!("{} {}", c.holds, c.span.text(text))
                    })
                };
                let _ = writeln!(out, "{pad}do <{}> <{}>", show(head), show(tail));
                outline(body, text, depth + 1, out);
            }
            ItemKind::Sub {
                name,
                parameters,
                body,
            } => {
                let _ = writeln!(out, "{pad}sub {} {parameters:?}", name.text);
                outline(body, text, depth + 1, out);
            }
            ItemKind::Call { name, arguments } => {
                let _ = writeln!(out, "{pad}call {} <{}>", name.text, arguments.text(text));
            }
            ItemKind::Exit { target, condition } => {
                let condition = condition.map_or("", |c| c.span.text(text));
                let _ = writeln!(out, "{pad}exit {target:?} <{condition}>");
            }
            ItemKind::Switch {
                subject,
                cases,
                otherwise,
            } => {
                let _ = writeln!(out, "{pad}switch <{}>", subject.text(text));
                for c in cases {
                    let _ = writeln!(out, "{pad}case <{}>", c.condition.text(text));
                    outline(&c.body, text, depth + 1, out);
                }
                if let Some(body) = otherwise {
                    let _ = writeln!(out, "{pad}default");
                    outline(body, text, depth + 1, out);
                }
            }
        }
    }
}

#[track_caller]
fn check(text: &str, want: Expect) {
    let (script, diagnostics) = parse_script(text);
    let mut out = String::new();
    outline(&script.items, text, 0, &mut out);
    for d in diagnostics {
        let _ = writeln!(out, "{}", d.render("s", text));
    }
    want.assert_eq(&out);
}

#[test]
fn statements_end_at_semicolons_outside_quotes_and_comments() {
    check(
        "///$tab Main\nT: LOAD a FROM [lib://x;y] (txt); // c ; d\nTRACE it's; SET v = 'a;b';\nLOAD * INLINE [\nA\n'\n]; STORE t INTO lib://d/t.csv (txt)",
        expect![[r#"
            T: LOAD a FROM [lib://x;y] (txt)
            TRACE it's
            SET v = 'a;b'
            LOAD * INLINE [⏎A⏎'⏎]
            STORE t INTO lib://d/t.csv (txt)
        "#]],
    );
}

#[test]
fn blocks_nest() {
    check(
        "$(must_include=[lib://a/b.qvs])\nIF a = 'then' AND\n b THEN\n  FOR i = 1 TO n(2) STEP -1\n TRACE a;\n NEXT i\nELSEIF c THEN EXIT SCRIPT WHEN x\nELSE\n DO WHILE a\n EXIT DO;\n LOOP UNTIL b;\nEND IF\nSUB s(a, b)\n FOR EACH f IN 'x',\n 'y'\n  CALL t($(f), g(1));\n NEXT\nENDSUB\nSWITCH a\nCASE 1, 2\n x = 1;\nDEFAULT\n LET y = 2;\nEND SWITCH; Case: LOAD 1 AUTOGENERATE 1;",
        expect![[r#"
            include [lib://a/b.qvs] true
            if <a = 'then' AND
             b>
              for i <1> <n(2)> <-1>
                TRACE a
            if <c>
              exit Script <x>
            else
              do <true a> <false b>
                exit Do <>
            sub s ["a", "b"]
              each f <'x',
             'y'>
                call t <$(f), g(1)>
            switch <a>
            case <1, 2>
              x = 1
            default
              LET y = 2
            Case: LOAD 1 AUTOGENERATE 1
        "#]],
    );
}

#[test]
fn broken_blocks_are_reported_and_passed() {
    check(
        "IF a THEN\nTRACE 1;\nNEXT\nFOR i = 1\nNEXT\nEND SUB;\nTRACE 2;",
        expect![[r#"
            if <a>
              TRACE 1
            error[script.unexpected_block_end]: `NEXT` without a block it belongs to
             --> s:3:1
              |
            3 | NEXT
              | ^^^^
            error[script.bad_for]: this FOR is incomplete
             --> s:4:1
              |
            4 | FOR i = 1
              | ^^^
              = hint: write FOR i = 1 TO 10 [STEP 2]
            error[script.unclosed_block]: this FOR is never closed
             --> s:4:1
              |
            4 | FOR i = 1
              | ^^^
              = hint: put `NEXT` where the block ends
            warning[script.unclosed_block]: this IF is never closed
             --> s:1:1
              |
            1 | IF a THEN
              | ^^
              = hint: put `END IF` where it ends; it reaches to the end
        "#]],
    );
}

#[test]
fn a_load_keeps_names_source_and_clauses() {
    let (statement, diagnostics) = parse_statement(
        "[My T]: LEFT JOIN (x) LOAD DISTINCT *, a, [b c] AS \"d\", Sum(e)*2 FROM lib://x/y.csv \
         (txt, codepage is 1252, embedded labels, delimiter is '\\t', msq, header is 2 lines) \
         WHERE a > 1 AND Exists(b) WHILE IterNo() < 3 GROUP BY a, b ORDER BY a DESC, b",
    );
    assert_eq!(diagnostics, []);
    assert_eq!(
        statement.label.as_ref().map(|l| l.text.as_str()),
        Some("My T")
    );
    let StatementKind::Load(load) = statement.kind else {
        panic!("not a load");
    };
    let names: Vec<_> = load
        .fields
        .iter()
        .map(|f| match f {
            LoadField::Star(_) => "*",
            LoadField::Column { name, .. } => name.text.as_str(),
        })
        .collect();
    assert_eq!(names, ["*", "a", "d", "Sum(e)*2"]);
    let LoadSource::File { path, format } = &load.source else {
        panic!("not a file");
    };
    assert_eq!(path.text, "lib://x/y.csv");
    assert_eq!(format.delimiter.as_deref(), Some("\t"));
    assert_eq!(format.header_lines, 2);
    assert!(load.filter.is_some() && load.repeat.is_some());
    assert_eq!((load.group_by.len(), load.order_by.len()), (2, 2));
    assert!(load.order_by[0].descending);
}

#[track_caller]
fn check_statement(text: &str, want: Expect) {
    let (statement, diagnostics) = parse_statement(text);
    let mut out = match statement.kind {
        StatementKind::Nothing => String::new(),
        kind => format!("{kind:?}").chars().take(60).collect::<String>() + "\n",
    };
    for d in diagnostics {
        let _ = writeln!(out, "{}", d.render("s", text));
    }
    want.assert_eq(&out);
}

#[test]
fn mistakes_in_statements_say_what_to_do() {
    check_statement(
        "LOD * FROM x",
        expect![[r#"
            error[script.unknown_statement]: `LOD` does not begin a statement
             --> s:1:1
              |
            1 | LOD * FROM x
              | ^^^
              = hint: statements begin with LOAD, SET, LET, DROP, STORE, IF, FOR …; is a `;` missing or too many before it?
        "#]],
    );
    check_statement(
        "DROP TABLE a\nLOAD b",
        expect![[r#"
            DropTables([Name { text: "a", span: Span { start: 11, end: 1
            error[script.unexpected_token]: the statement ends before `LOAD`
             --> s:2:1
              |
            2 | LOAD b
              | ^^^^
              = hint: is a `;` missing before it?
        "#]],
    );
    check_statement(
        "LOAD a, FROM x (txt, foo)",
        expect![[r#"
            Load(Load { distinct: false, fields: [Column { expr: Expr { 
            warning[script.trailing_comma]: expected a field after the comma, found `FROM`
             --> s:1:9
              |
            1 | LOAD a, FROM x (txt, foo)
              |         ^^^^
              = hint: remove the comma before it
            error[script.unknown_format_option]: `foo` is not an option of a file format
             --> s:1:22
              |
            1 | LOAD a, FROM x (txt, foo)
              |                      ^^^
              = hint: options are txt, qvd, ooxml, parquet, utf8, codepage is 1252, embedded labels, no labels, delimiter is ',', msq, no quotes, header is 2 lines
        "#]],
    );
    check_statement(
        "STORE a TO b",
        expect![[r#"
            error[script.unexpected_token]: expected INTO or FROM, found `TO`
             --> s:1:9
              |
            1 | STORE a TO b
              |         ^^
              = hint: write STORE Table INTO [lib://folder/file.csv] (txt)
        "#]],
    );
    check_statement(
        "LEFT JOIN (a) TRACE x",
        expect![[r#"
            error[script.unexpected_token]: a prefix must stand before LOAD, found `TRACE`
             --> s:1:1
              |
            1 | LEFT JOIN (a) TRACE x
              | ^^^^^^^^^^^^^
              = hint: write the prefix, then LOAD, in one statement
        "#]],
    );
}

#[test]
fn set_keeps_raw_text_and_other_statements_parse() {
    for (text, want) in [
        (
            "SET ThousandSep=',';".trim_end_matches(';'),
            "Set { name: Name { text: \"ThousandSep\"",
        ),
        ("SET x = it's", "Set {"),
        ("LET [a b] = 1+1", "Let {"),
        ("y = 2", "Let {"),
        ("DROP FIELDS a, b FROM t", "DropFields {"),
        ("RENAME FIELDS USING m", "RenameFields(Using("),
        ("RENAME TABLE a TO b, c TO d", "RenameTables(Pairs("),
        ("STORE * FROM a INTO [x.csv] (txt)", "Store("),
        (
            "STORE a, b AS c FROM t INTO 'x.parquet' (parquet)",
            "Store(",
        ),
        ("SECTION ACCESS", "SectionAccess"),
        ("QUALIFY *", "Qualify([Name { text: \"*\""),
        ("UNQUALIFY a, %*", "Unqualify("),
        ("TAG FIELDS a, b WITH '$key'", "Tag {"),
        ("COMMENT FIELD a WITH 'x'", "Comment {"),
        ("SLEEP 10", "Sleep("),
        ("BINARY x.qvf", "Binary("),
        ("LIB CONNECT TO 'x'", "Connect("),
        ("SQL SELECT it's FROM x", "Select(\"SELECT it's FROM x\")"),
        ("NULLASVALUE *", "NullAsValue("),
        ("REM it's nothing", "Remark"),
    ] {
        let (statement, diagnostics) = parse_statement(text);
        assert_eq!(diagnostics, [], "{text}");
        let shown = format!("{:?}", statement.kind);
        assert!(shown.starts_with(want), "{text}: {shown}");
    }
}

#[test]
fn a_script_is_checked_without_running_it() {
    let text =
        "SET a = 1;\nIF a = THEN\n DROP x;\n $(any) thing;\nEND IF\nSUB s\n LOAD 1+ AS a;\nEND SUB";
    let codes: Vec<_> = (satchel_syntax::check_script(text).iter())
        .map(|d| {
            let (line, column) = satchel_syntax::line_col(text, d.span.start as usize);
            format!("{line}:{column} {}", d.code)
        })
        .collect();
    assert_eq!(
        codes,
        [
            "2:7 expr.unexpected_end",
            "3:7 script.unexpected_token",
            "7:13 script.unexpected_token"
        ]
    );
}

#[test]
fn what_the_world_writes_is_read() {
    for text in [
        "DIRECTORY ../My data/of 2024;\nLOAD a FROM x.csv (txt);",
        "vA = 1\nvB = vA + 1\nIF vB = 2 THEN\n vC = 3\nELSEIF vB = 3 THEN\n vC = 4\nEND IF",
        "SUB s\n $(vWork)\nEND SUB\nCALL s;",
        "[there is nothing to load];",
        "STORE T INTO [lib://a/b].qvd;",
        "TRACE a;\u{200b}\n\u{2060}TRACE b;",
        "IF a = 1; TRACE x; END IF",
        "LOAD Dual(a, b) AS L^1, c AS d-e RESIDENT t;",
        "EXIT SCRIPT;\nand then some notes (",
    ] {
        let wrong: Vec<_> = (satchel_syntax::check_script(text).into_iter())
            .filter(|d| d.is_error())
            .map(|d| d.render("s", text))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn an_unfinished_assignment_goes_on_in_the_next_line() {
    let (script, diagnostics) =
        satchel_syntax::parse_script("a = 1 +\n 2\nb = 3\n * 4\nc = f(5,\n 6)\nd = 7;");
    assert_eq!(diagnostics, []);
    let text = "a = 1 +\n 2\nb = 3\n * 4\nc = f(5,\n 6)\nd = 7;";
    let items: Vec<&str> = script.items.iter().map(|i| i.span.text(text)).collect();
    assert_eq!(
        items,
        ["a = 1 +\n 2", "b = 3\n * 4", "c = f(5,\n 6)", "d = 7"]
    );
}
