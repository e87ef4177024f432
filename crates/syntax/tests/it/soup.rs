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
];

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
    fn any_text_never_panics(text in ".{0,200}") {
        everything(&text);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        everything(&String::from_utf8_lossy(&bytes));
    }
}
