use proptest::prelude::*;
use satchel_syntax::{
    Item, ItemKind, expand_dollar, parse_expression, parse_script, parse_statement,
};

const WORDS: &[&str] = &[
    "LOAD",
    "*",
    ",",
    "FROM",
    "RESIDENT",
    "INLINE",
    "[a,b\n1,2]",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "=",
    "'x'",
    "\"y\"",
    "[",
    "]",
    "'",
    "\"",
    "`",
    ";",
    "\n",
    " ",
    "IF",
    "THEN",
    "ELSE",
    "ELSEIF",
    "END",
    "FOR",
    "EACH",
    "IN",
    "TO",
    "STEP",
    "NEXT",
    "DO",
    "WHILE",
    "UNTIL",
    "LOOP",
    "SUB",
    "CALL",
    "EXIT",
    "SCRIPT",
    "SWITCH",
    "CASE",
    "DEFAULT",
    "SET",
    "LET",
    "DROP",
    "TABLE",
    "FIELD",
    "STORE",
    "INTO",
    "(txt, utf8, delimiter is ',')",
    "JOIN",
    "LEFT",
    "KEEP",
    "MAPPING",
    "CONCATENATE",
    "WHERE",
    "GROUP",
    "ORDER",
    "BY",
    "AS",
    "A",
    "B:",
    "1",
    "2.5",
    "+",
    "-",
    "&",
    "$(x)",
    "$(",
    "$(=1)",
    "//",
    "/*",
    "*/",
    "///$tab T",
    "Sum(",
    "TOTAL",
    "DISTINCT",
    "P(",
    "$1",
    "REM",
    "TRACE",
    "SECTION",
    "ACCESS",
    "QUALIFY",
    "é",
    "🦀",
    "\u{feff}",
    "WHEN",
    "UNLESS",
    "$(include=a.qvs)",
    "::",
    "@1",
    "CROSSTABLE (",
    "GENERIC",
    "INTERVALMATCH (a",
    "HIERARCHY (a,b,,",
    "MERGE ON",
    "BUFFER (stale",
    "FIRST",
    "SAMPLE",
    "ADD ONLY",
    "DECLARE FIELD DEFINITION",
    "TAGGED",
    "PARAMETERS",
    "FIELDS",
    "DERIVE",
    "USING",
    "WITH",
    "MAP",
    "STAR IS",
    "FORCE",
    "CONNECT TO",
    "SQL",
    "FROM_FIELD",
    "filters(",
    "table is",
    "record is",
];

/// Statements of the kind real scripts are made of, to cut, swap and repeat.
const REAL: &str = r"///$tab Main
SET DateFormat='DD.MM.YYYY'; LET vToday = Date(Today(), 'YYYY-MM-DD');
$(must_include=lib://Scripts/lib.qvs);
Sales: // the facts
LOAD *, Year(Date) & '-' & Num(Month(Date), '00') AS YearMonth, If(IsNull(x), 'none', x) AS [X y];
LOAD OrderID, Date(Date#(d, 'YYYYMMDD')) AS Date, Amount FROM [lib://Data/$(vName)_*.qvd] (qvd) WHERE NOT Exists(OrderID);
LEFT JOIN (Sales) LOAD OrderID, Sum(Amount) AS Total RESIDENT Sales GROUP BY OrderID;
M: MAPPING LOAD * INLINE [ k, v
1, 'one; two'
] (delimiter is ',');
FOR EACH vFile IN FileList('lib://Data/*.csv')
  IF FileSize('$(vFile)') > 0 THEN
    CONCATENATE (Sales) LOAD * FROM [$(vFile)] (txt, utf8, embedded labels, delimiter is ';', msq);
  ELSE TRACE it's empty: $(vFile);
  END IF
NEXT vFile
SUB Save(t, p) STORE $(t) INTO [$(p)/$(t).qvd] (qvd); DROP TABLE $(t); END SUB
CALL Save('Sales', 'lib://Out');
SECTION ACCESS; LOAD * INLINE [ACCESS, USERID
ADMIN, A\B]; SECTION APPLICATION;
";

fn everything(text: &str) {
    let (_, diagnostics) = parse_expression(text);
    for d in diagnostics {
        d.render("e", text);
    }
    let (_, diagnostics) = parse_statement(text);
    for d in diagnostics {
        d.render("s", text);
    }
    let (script, diagnostics) = parse_script(text);
    for d in diagnostics {
        d.render("s", text);
    }
    in_order(&script.items, text);
    let mut lookup =
        |name: &str, args: &[String]| (name != "none").then(|| format!("{name}{}", args.concat()));
    let expanded = expand_dollar(text, &mut lookup);
    let end = expanded.text.len();
    let span = expanded.source_span(satchel_syntax::Span::new(end / 2, end));
    assert!(span.end as usize <= text.len());
}

/// Items do not overlap, and each statement's span is text.
fn in_order(items: &[Item], text: &str) {
    let mut last = 0;
    for item in items {
        assert!(item.span.start >= last);
        assert!(
            text.get(item.span.start as usize..item.span.end as usize)
                .is_some()
        );
        last = item.span.end;
        match &item.kind {
            ItemKind::If {
                branches,
                otherwise,
            } => {
                for branch in branches {
                    in_order(&branch.body, text);
                }
                in_order(otherwise.as_deref().unwrap_or_default(), text);
            }
            ItemKind::For { body, .. }
            | ItemKind::ForEach { body, .. }
            | ItemKind::Do { body, .. }
            | ItemKind::Sub { body, .. } => in_order(body, text),
            _ => {}
        }
    }
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: if std::env::var("SLOW").is_ok() {
            20_000
        } else {
            256
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn words_in_any_order_never_panic(
        words in prop::collection::vec((prop::sample::select(WORDS), any::<bool>()), 0..60)
    ) {
        let text: String = words
            .iter()
            .map(|(w, spaced)| if *spaced { format!("{w} ") } else { (*w).to_owned() })
            .collect();
        everything(&text);
    }

    #[test]
    fn mutated_scripts_never_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..3u8), 1..6)
    ) {
        let mut text = REAL.to_owned();
        for (from, to, how) in cuts {
            let at = |i: prop::sample::Index, text: &str| {
                let mut n = i.index(text.len() + 1);
                while !text.is_char_boundary(n) {
                    n -= 1;
                }
                n
            };
            let (a, b) = (at(from, &text), at(to, &text));
            let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 200));
            let b = (a..=b).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(a);
            let part = text[a..b].to_owned();
            match how {
                0 => text.replace_range(a..b, ""),
                1 => text.insert_str(b, &part),
                _ => text.insert_str(a, ["'", "(", ";", "]", "$(", "/*"][part.len() % 6]),
            }
            if text.is_empty() {
                text.push(';');
            }
        }
        everything(&text);
    }

    #[test]
    fn any_text_never_panics(text in ".{0,200}") {
        everything(&text);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&String::from_utf8_lossy(&bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Names lie in the text, and a layout changes blanks at the beginning of lines only.
    #[test]
    fn names_and_layouts_of_any_text_are_sound(words in prop::collection::vec(prop::sample::select(vec![
        "LOAD", "a", "[b c]", "RESIDENT", "T", ":", ";", "\n", "IF", "THEN", "ELSE", "END IF", "SUB", "s", "END SUB",
        "CALL", "$(", "v", ")", "(", "SET", "=", "LET", "INLINE", "[x,y\n1,2]", "'q'", "FOR", "i", "TO", "1", "NEXT",
        "//c\n", "/*d*/", "é", "SWITCH", "CASE", "DROP TABLE", ",", "  ",
    ]), 0..60)) {
        let text = words.join(" ");
        let (script, _) = satchel_syntax::parse_script(&text);
        for name in satchel_syntax::names(&script, &text) {
            prop_assert!(text.get(name.span.start as usize..name.span.end as usize).is_some());
        }
        let laid_out = satchel_syntax::format_script(&text, "  ");
        let bare = |t: &str| t.lines().map(|l| l.trim_start_matches([' ', '\t']).to_owned()).collect::<Vec<_>>();
        prop_assert_eq!(bare(&laid_out), bare(&text));
        prop_assert_eq!(satchel_syntax::format_script(&laid_out, "  "), laid_out);
    }
}
