use proptest::prelude::*;
use satchel_base::{Budget, CancelToken, Limits};
use satchel_data::{Model, Value};
use satchel_script::{LoadResult, Settings, run};

use crate::host::Files;

fn load(script: &str) -> LoadResult {
    let limits = Limits {
        rows: 100_000,
        bytes: 20 << 20,
    };
    let budget = Budget::new(limits, CancelToken::default());
    run(
        "t",
        script,
        &mut Files::default(),
        &Settings::default(),
        &budget,
    )
    .unwrap_or_else(|f| panic!("{}", f.problems[0].rendered))
}

fn rows(model: &Model, name: &str) -> Vec<Vec<String>> {
    let table = model.tables().iter().find(|t| t.name == name).unwrap();
    let mut out: Vec<Vec<String>> = (0..table.n_rows)
        .map(|row| {
            (table.columns.iter())
                .map(|c| {
                    let value = model.fields()[c.field.index()]
                        .symbols
                        .value(c.codes.at(row));
                    if value.is_null() {
                        "-".into()
                    } else {
                        Value::to_text(&value)
                    }
                })
                .collect()
        })
        .collect();
    out.sort();
    out
}

fn inline(rows: &[(u8, u8)], second: &str) -> String {
    let body: String = rows.iter().map(|(a, b)| format!("{a},{b}\n")).collect();
    format!("LOAD * INLINE [\nK,{second}\n{body}];")
}

/// The join as nested loops.
fn naive(
    left: &[(u8, u8)],
    right: &[(u8, u8)],
    all_left: bool,
    all_right: bool,
) -> Vec<Vec<String>> {
    let mut out = Vec::new();
    for (k, a) in left {
        let mut found = false;
        for (_, b) in right.iter().filter(|(r, _)| r == k) {
            out.push(vec![k.to_string(), a.to_string(), b.to_string()]);
            found = true;
        }
        if !found && all_left {
            out.push(vec![k.to_string(), a.to_string(), "-".into()]);
        }
    }
    for (k, b) in right {
        if all_right && !left.iter().any(|(l, _)| l == k) {
            out.push(vec![k.to_string(), "-".into(), b.to_string()]);
        }
    }
    out.sort();
    out
}

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: if std::env::var("SLOW").is_ok() {
            n * 20
        } else {
            n
        },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

const WORDS: &[&str] = &[
    "LOAD",
    "*",
    ",",
    "RESIDENT A",
    "INLINE [\na,b\n1,2\n3,x]",
    "(",
    ")",
    "=",
    "'x'",
    ";",
    ";",
    "\n",
    "IF 1 THEN",
    "ELSE",
    "END IF",
    "FOR i = 1 TO 3",
    "NEXT",
    "DO WHILE i < 5",
    "LOOP",
    "SUB s",
    "END SUB",
    "CALL s",
    "EXIT SCRIPT",
    "SET v =",
    "LET w =",
    "DROP TABLE A",
    "DROP FIELD a",
    "STORE A INTO x (txt)",
    "JOIN",
    "LEFT",
    "KEEP",
    "MAPPING",
    "CONCATENATE",
    "WHERE",
    "WHILE IterNo() < 3",
    "GROUP BY a",
    "ORDER BY a DESC",
    "AS",
    "a",
    "b",
    "A:",
    "1",
    "+",
    "&",
    "$(v)",
    "$(=1+1)",
    "Sum(a)",
    "Peek('a')",
    "Previous(a)",
    "Exists(a)",
    "AUTOGENERATE 3",
    "RecNo()",
    "SECTION ACCESS;",
    "SECTION APPLICATION;",
    "QUALIFY *",
    "RENAME FIELD a TO b",
    "DISTINCT",
    "FIRST 2",
    "ApplyMap('m', a)",
    "i = i + 1;",
];

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn joins_equal_nested_loops(
        left in prop::collection::vec((0u8..5, 0u8..9), 1..8),
        right in prop::collection::vec((0u8..5, 0u8..9), 1..8),
    ) {
        for (prefix, all_left, all_right) in [
            ("INNER", false, false),
            ("LEFT", true, false),
            ("RIGHT", false, true),
            ("OUTER", true, true),
        ] {
            let script = format!("T: {} {prefix} JOIN (T) {}", inline(&left, "A"), inline(&right, "B"));
            prop_assert_eq!(rows(&load(&script).model, "T"), naive(&left, &right, all_left, all_right));
        }
    }

    #[test]
    fn groups_sum_as_by_hand(data in prop::collection::vec((0u8..5, 0u8..9), 1..20)) {
        let script = format!(
            "T: {} G: NOCONCATENATE LOAD K, Sum(A) AS S, Count(A) AS N RESIDENT T GROUP BY K; DROP TABLE T;",
            inline(&data, "A")
        );
        let mut want: Vec<Vec<String>> = (0u8..5)
            .filter(|k| data.iter().any(|(d, _)| d == k))
            .map(|k| {
                let of: Vec<u32> = data.iter().filter(|(d, _)| *d == k).map(|(_, a)| u32::from(*a)).collect();
                vec![k.to_string(), of.iter().sum::<u32>().to_string(), of.len().to_string()]
            })
            .collect();
        want.sort();
        prop_assert_eq!(rows(&load(&script).model, "G"), want);
    }

    #[test]
    fn a_filter_by_column_equals_a_filter_by_row(data in prop::collection::vec((0u8..5, 0u8..9), 1..20)) {
        // `RecNo() > 0` is always true and makes every row be computed on its own.
        let t = inline(&data, "A");
        let fast = format!("S: {t} T: NOCONCATENATE LOAD K, A*2 AS B, K&A AS C RESIDENT S WHERE A > 3; DROP TABLE S;");
        let slow = fast.replace("WHERE A > 3", "WHERE A > 3 AND RecNo() > 0");
        let (fast, slow) = (load(&fast), load(&slow));
        if fast.model.tables().is_empty() {
            prop_assert!(slow.model.tables().is_empty());
        } else {
            prop_assert_eq!(rows(&fast.model, "T"), rows(&slow.model, "T"));
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn any_script_ends(words in prop::collection::vec(prop::sample::select(WORDS), 0..40)) {
        let script = words.join(" ");
        let limits = Limits { rows: 20_000, bytes: 4 << 20 };
        let budget = Budget::new(limits, CancelToken::default());
        match run("t", &script, &mut Files::default(), &Settings::default(), &budget) {
            Ok(_) => {}
            Err(failure) => prop_assert!(!failure.problems.is_empty()),
        }
    }
}
