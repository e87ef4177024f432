//! Laws: reading undoes writing, the block form equals the scalar one, nothing panics.

use proptest::prelude::*;
use satchel_calc::{
    Accumulator, EvalContext, FunctionDoc, FunctionKind, Locale, Mode, RowValues, Scope, compile,
    eval, format_date, format_number, function_docs, function_names, interpret_number,
};
use satchel_data::Value;
use satchel_syntax::parse_expression;

#[expect(
    clippy::disallowed_methods,
    reason = "a test may ask how long it may take"
)]
fn cases() -> ProptestConfig {
    let slow = std::env::var_os("SLOW").is_some();
    ProptestConfig {
        cases: if slow { 50_000 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

struct Letters;

impl Scope for Letters {
    fn field(&self, name: &str) -> Option<u32> {
        ["A", "B", "C"]
            .iter()
            .position(|field| *field == name)
            .and_then(|at| u32::try_from(at).ok())
    }

    fn is_grouped(&self, slot: u32) -> bool {
        slot == 0
    }
}

struct Row(Vec<Value>);

impl RowValues for Row {
    fn field(&self, slot: u32) -> Value {
        self.0.get(slot as usize).cloned().unwrap_or(Value::Null)
    }

    fn agg(&self, index: usize) -> Value {
        self.0.get(index % 3).cloned().unwrap_or(Value::Null)
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        (-1e6..1e6f64).prop_map(Value::num),
        any::<f64>().prop_map(Value::num),
        (-50i32..50).prop_map(|n| Value::num(f64::from(n))),
        "[ -~åÅ€]{0,8}".prop_map(Value::text),
        (0..60_000i32).prop_map(|n| Value::dual(f64::from(n), format!("d{n}"))),
    ]
}

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "A", "B", "C", "null()", "''", "'abc;d'", "-1", "1e300"
        ])
        .prop_map(str::to_owned),
        (-100i32..50_000).prop_map(|n| n.to_string()),
        (-9.0..9.0f64).prop_map(|n| format!("{n:.3}")),
        prop::sample::select(vec![
            "'2013-01-25'",
            "'2013-01-25 16:45'",
            "'YYYY-MM-DD'",
            "'#,##0.00'",
            "'hh:mm:ss TT'",
            "'99'",
            "'1;2'",
            "'[[[[[['",
            "'0.00E+00'",
            "'(hex)'",
            "'𝒳'",
            "'[[[0,0],[4,0],[4,2],[0,0]]]'",
            "'mercator'",
            "'Paris'",
        ])
        .prop_map(str::to_owned),
    ]
}

/// Expressions over every function and operator, with whatever arguments.
fn expression() -> impl Strategy<Value = String> {
    let names = function_names();
    leaf().prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            4 => (prop::sample::select(names.clone()), prop::collection::vec(inner.clone(), 0..8))
                .prop_map(|(name, args)| format!("{name}({})", args.join(","))),
            2 => (inner.clone(), prop::sample::select(vec![
                    "+", "-", "*", "/", "^", "&", "=", "<>", "<", ">=", " and ", " or ", " xor ",
                    " like ", " precedes ", " follows ", " bitand ", " << ", " >> ",
                ]), inner.clone())
                .prop_map(|(a, op, b)| format!("({a}{op}{b})")),
            1 => inner.clone().prop_map(|a| format!("if({a},{a},-({a}))")),
            1 => (prop::sample::select(vec!["Sum", "Max", "Concat", "Only"]), inner)
                .prop_map(|(name, a)| format!("{name}({a})")),
        ]
    })
}

fn aggregations() -> Vec<FunctionDoc> {
    let mut docs = function_docs();
    docs.retain(|doc| doc.kind == FunctionKind::Aggregation);
    docs
}

/// Arithmetic over fields and numbers.
fn arithmetic() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["A", "B", "C"]).prop_map(str::to_owned),
        (-20i32..20).prop_map(|n| n.to_string()),
        (-9.0..9.0f64).prop_map(|n| format!("{n:.2}")),
    ];
    leaf.prop_recursive(5, 40, 2, |inner| {
        prop_oneof![
            6 => (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "^"]), inner.clone())
                .prop_map(|(a, op, b)| format!("({a}{op}{b})")),
            1 => inner.prop_map(|a| format!("(-{a})")),
        ]
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_formatted_number_reads_as_itself(num in -1e9..1e9f64, decimals in 0usize..7) {
        let locale = Locale::default();
        let rounded: f64 = format!("{num:.decimals$}").parse().unwrap();
        let format = if decimals == 0 {
            "#,##0".to_owned()
        } else {
            format!("#,##0.{}", "0".repeat(decimals))
        };
        let text = format_number(rounded, &format, &locale);
        prop_assert_eq!(interpret_number(&text, &locale), Some(rounded), "{}", text);
    }

    #[test]
    fn a_formatted_date_reads_as_itself(day in -600_000i32..2_900_000, format in 0usize..4) {
        let format = ["YYYY-MM-DD", "DD.MM.YYYY", "M/D/YYYY", "D MMM YYYY"][format];
        let mut locale = Locale::default();
        locale.set("DateFormat", format);
        let serial = f64::from(day);
        let text = format_date(serial, format, &locale).unwrap();
        prop_assert_eq!(interpret_number(&text, &locale), Some(serial), "{}", text);
    }

    #[test]
    fn a_formatted_moment_reads_as_itself(day in 0i32..60_000, ms in 0i32..86_400_000) {
        let mut locale = Locale::default();
        locale.set("TimestampFormat", "YYYY-MM-DD hh:mm:ss.fff");
        let serial = f64::from(day) + f64::from(ms) / 86_400_000.0;
        let text = format_date(serial, "YYYY-MM-DD hh:mm:ss.fff", &locale).unwrap();
        let read = interpret_number(&text, &locale).unwrap();
        prop_assert!((read - serial).abs() < 1e-9, "{} {} {}", text, read, serial);
    }

    #[test]
    fn no_expression_panics(text in expression(), values in prop::collection::vec(value(), 3)) {
        let locale = Locale::default();
        let row = Row(values);
        let (tree, _) = parse_expression(&text);
        for mode in [Mode::Row, Mode::Group, Mode::Chart] {
            let (program, _) = compile(&tree, mode, &Letters);
            let context = EvalContext::new(&locale, 45_000.5);
            let value = eval(&program, &row, &context);
            // The same again: compiled formats keep no state of a row.
            prop_assert_eq!(&value, &eval(&program, &row, &context));
            if let Some(num) = value.as_num() {
                prop_assert!(num.is_finite(), "{} is {}", text, num);
            }
        }
    }

    #[test]
    fn no_aggregation_panics(
        doc in prop::sample::select(aggregations()),
        distinct in any::<bool>(),
        n_args in 0usize..6,
        rows in prop::collection::vec(prop::collection::vec(value(), 6), 0..12),
    ) {
        let locale = Locale::default();
        let (name, _) = doc.signature.split_once('(').unwrap();
        let args = ["A", "B", "C", "0.5", "A-B", "'mercator'"][..n_args].join(",");
        let distinct = if distinct { "DISTINCT " } else { "" };
        let (tree, _) = parse_expression(&format!("{name}({distinct}{args})"));
        let (program, _) = compile(&tree, Mode::Group, &Letters);
        let context = EvalContext::new(&locale, 45_000.5);
        for agg in &program.aggs {
            let mut accumulator = Accumulator::new(agg.kind, agg.distinct);
            for row in &rows {
                let row = Row(row.clone());
                let args: Vec<Value> = agg.args.iter().map(|a| eval(a, &row, &context)).collect();
                accumulator.push(&args);
            }
            if let Some(num) = accumulator.finish().as_num() {
                prop_assert!(num.is_finite(), "{}", doc.signature);
            }
        }
    }

    #[test]
    fn compiled_formats_follow_the_locale(n in -1e6..1e6f64) {
        let (tree, _) = parse_expression("num(A,'#.##0,0')&num(A,'#,##0.0')");
        let (program, _) = compile(&tree, Mode::Row, &Letters);
        let row = Row(vec![Value::num(n)]);
        let english = Locale::default();
        let mut german = Locale::default();
        german.set("DecimalSep", ",");
        german.set("ThousandSep", ".");
        for locale in [&english, &german, &english] {
            let want = format!(
                "{}{}",
                format_number(n, "#.##0,0", locale),
                format_number(n, "#,##0.0", locale)
            );
            let value = eval(&program, &row, &EvalContext::new(locale, 0.0));
            prop_assert_eq!(value.to_text(), want);
        }
    }

    #[test]
    fn blocks_equal_rows(
        text in arithmetic(),
        rows in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![Just(f64::NAN), -1e3..1e3f64, (-3i32..3).prop_map(f64::from)],
                3,
            ),
            0..20,
        ),
    ) {
        let locale = Locale::default();
        let (tree, problems) = parse_expression(&text);
        prop_assert!(problems.is_empty());
        let (program, problems) = compile(&tree, Mode::Row, &Letters);
        prop_assert!(problems.is_empty());
        // Deep nesting is left to the general evaluator.
        if let Some(numeric) = program.as_numeric() {
            let columns: Vec<Vec<f64>> = numeric
                .slots()
                .iter()
                .map(|slot| rows.iter().map(|row| row[*slot as usize]).collect())
                .collect();
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            let mut out = vec![0.0; rows.len()];
            numeric.eval_batch(&columns, &mut out);
            for (row, got) in rows.iter().zip(&out) {
                let values = row.iter().map(|n| Value::num(*n)).collect();
                let want = eval(&program, &Row(values), &EvalContext::new(&locale, 0.0));
                let same = match want.as_num() {
                    Some(want) => want == *got,
                    None => got.is_nan(),
                };
                prop_assert!(same, "{}: {:?} is {:?}, in blocks {}", text, row, want, got);
            }
        }
    }
}
