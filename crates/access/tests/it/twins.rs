//! Rows against a naive outer join, twins byte for byte, canaries, and that rows never shrink
//! what another user sees.

use std::sync::Arc;

use proptest::prelude::*;
use satchel_access::{Decision, Rules, Subject, decide, fingerprint, mask, reduce};
use satchel_base::SubjectId;
use satchel_data::{AccessTable, AccessTables, Frame, ModelBuilder, Value, View};

use crate::support::show;

/// Tables of a tree of keys; K1 links three tables.
const SHAPES: [(&str, &[&str]); 5] = [
    ("A", &["K1", "K2", "R"]),
    ("B", &["K1", "S", "K3"]),
    ("C", &["K2", "T"]),
    ("D", &["K1", "W"]),
    ("E", &["K3", "V"]),
];
/// The fields that may be reduced: plain ones and keys.
pub const REDUCED: [&str; 5] = ["R", "S", "T", "K1", "K3"];

pub type Rows = Vec<Vec<Vec<u8>>>;

pub fn cases() -> ProptestConfig {
    let n = if std::env::var_os("SLOW").is_some() {
        10_000
    } else {
        256
    };
    ProptestConfig {
        cases: n,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

pub fn rows() -> impl Strategy<Value = Rows> {
    let table = |n: usize| prop::collection::vec(prop::collection::vec(0u8..4, n), 0..4);
    let tables: Vec<_> = SHAPES.iter().map(|(_, c)| table(c.len())).collect();
    tables
}

/// 0 is NULL.
fn cell(n: u8) -> Value {
    if n == 0 {
        Value::Null
    } else {
        Value::text(format!("V{n}"))
    }
}

fn frames(rows: &Rows) -> Vec<Frame> {
    let tables = SHAPES.iter().zip(rows).map(|((name, columns), rows)| {
        let mut frame = Frame::new(*name, columns.iter().copied());
        rows.iter()
            .for_each(|r| frame.push_row(&r.iter().map(|n| cell(*n)).collect::<Vec<_>>()));
        frame
    });
    tables.collect()
}

pub fn build(rows: &Rows) -> satchel_data::Model {
    frames(rows)
        .into_iter()
        .fold(ModelBuilder::new(), ModelBuilder::table)
        .build()
        .expect("small")
}

/// All rows of the full outer join: the value of each field and which row of each table.
/// A table's row joins where its shared fields are equal and not NULL; every part that finds
/// no partner stays alone.
fn outer_join(rows: &Rows) -> Vec<Vec<Option<usize>>> {
    let fits = |pick: &[Option<usize>]| {
        SHAPES.iter().enumerate().all(|(a, (_, ca))| {
            SHAPES[..a].iter().enumerate().all(|(b, (_, cb))| {
                let (Some(i), Some(j)) = (pick[a], pick[b]) else {
                    return true;
                };
                ca.iter()
                    .enumerate()
                    .all(|(x, f)| match cb.iter().position(|g| g == f) {
                        Some(y) => rows[a][i][x] == rows[b][j][y] && rows[a][i][x] != 0,
                        None => true,
                    })
            })
        })
    };
    // Connected through shared fields whose values are equal.
    let connected = |pick: &[Option<usize>]| {
        let used: Vec<usize> = (0..pick.len()).filter(|t| pick[*t].is_some()).collect();
        let mut reached: Vec<usize> = used.first().copied().into_iter().collect();
        for _ in 0..pick.len() {
            for t in &used {
                let joins = reached
                    .iter()
                    .any(|r| SHAPES[*r].1.iter().any(|f| SHAPES[*t].1.contains(f)));
                if !reached.contains(t) && joins {
                    reached.push(*t);
                }
            }
        }
        !used.is_empty() && reached.len() == used.len()
    };
    let mut picks = vec![vec![]];
    for table in rows {
        picks = picks
            .into_iter()
            .flat_map(|p: Vec<Option<usize>>| {
                (0..=table.len()).map(move |i| {
                    let mut p = p.clone();
                    p.push(i.checked_sub(1));
                    p
                })
            })
            .collect();
    }
    picks.retain(|p| fits(p) && connected(p));
    picks
}

/// The rows of each table that some joined row with a wanted value in every field contains.
fn naive(rows: &Rows, wanted: &[(usize, Vec<u8>)]) -> Vec<Vec<usize>> {
    let mut kept = vec![Vec::new(); rows.len()];
    for pick in outer_join(rows) {
        let good = wanted.iter().all(|(f, values)| {
            SHAPES.iter().enumerate().any(|(t, (_, columns))| {
                let at = columns.iter().position(|c| *c == REDUCED[*f]);
                matches!((at, pick[t]), (Some(c), Some(r)) if values.contains(&rows[t][r][c]))
            })
        });
        if good {
            for (t, row) in pick.iter().enumerate() {
                if let Some(row) = row
                    && !kept[t].contains(row)
                {
                    kept[t].push(*row);
                }
            }
        }
    }
    kept.iter_mut().for_each(|k| k.sort_unstable());
    kept
}

pub fn access(wanted: &[(usize, Vec<u8>)], extra: &[Vec<Value>]) -> AccessTables {
    let mut columns = vec!["ACCESS".to_owned(), "USERID".to_owned()];
    columns.extend(wanted.iter().map(|(f, _)| REDUCED[*f].to_owned()));
    let n = wanted.iter().map(|(_, v)| v.len()).max().unwrap_or(0);
    let mut rows: Vec<Vec<Value>> = (0..n)
        .map(|i| {
            let mut row = vec![Value::text("USER"), Value::text("D\\ann")];
            row.extend(
                wanted
                    .iter()
                    .map(|(_, v)| v.get(i).map_or(Value::Null, |n| cell(*n))),
            );
            row
        })
        .collect();
    rows.extend_from_slice(extra);
    AccessTables {
        tables: vec![AccessTable {
            name: "SA".into(),
            columns,
            rows,
        }],
    }
}

pub fn wanted() -> impl Strategy<Value = Vec<(usize, Vec<u8>)>> {
    let fields = prop::sample::subsequence((0..REDUCED.len()).collect::<Vec<_>>(), 1..4);
    fields.prop_flat_map(|fields| {
        let values = prop::sample::subsequence(vec![1u8, 2, 3], 1..4);
        fields
            .into_iter()
            .map(|f| (Just(f), values.clone()))
            .collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(cases())]

    // threat: T-13 T-14
    #[test]
    fn a_reduced_model_is_the_model_of_the_subjects_rows(rows in rows(), wanted in wanted()) {
        let model = Arc::new(build(&rows));
        let (rules, _) = Rules::read(&access(&wanted, &[]), &model);
        let decision = decide(&rules, &Subject::new(SubjectId::new("D", "ANN")));
        let kept = naive(&rows, &wanted);
        let masked = mask(&decision, model.clone());
        let reduced = reduce(&decision, &model);
        prop_assert_eq!(masked.is_ok(), reduced.is_ok());
        let carries = |t: usize| wanted.iter().any(|(f, _)| SHAPES[t].1.contains(&REDUCED[*f]));
        let any = (0..rows.len()).any(|t| carries(t) && !kept[t].is_empty());
        prop_assert_eq!(masked.is_ok(), any);
        let (Ok(masked), Ok(reduced)) = (masked, reduced) else { return Ok(()) };
        let own: Rows = kept.iter().zip(&rows).map(|(k, r)| k.iter().map(|i| r[*i].clone()).collect()).collect();
        prop_assert_eq!(reduced.model.to_snapshot(), build(&own).to_snapshot());
        prop_assert_eq!(show(&masked), show(&View::unrestricted(Arc::new(reduced.model))));
    }

    // threat: T-22
    #[test]
    fn a_row_for_somebody_else_changes_nothing(rows in rows(), wanted in wanted(), value in 1u8..4) {
        let model = build(&rows);
        let mut other = vec![Value::text("USER"), Value::text("D\\BO")];
        other.resize(2 + wanted.len(), cell(value));
        let ann = Subject::new(SubjectId::new("D", "ANN"));
        let before = decide(&Rules::read(&access(&wanted, &[]), &model).0, &ann);
        let after = decide(&Rules::read(&access(&wanted, &[other]), &model).0, &ann);
        prop_assert_eq!(fingerprint(&before), fingerprint(&after));
        prop_assert_eq!(before, after);
    }

    // threat: T-22
    #[test]
    fn a_row_more_never_takes_away(rows in rows(), wanted in wanted(), value in 1u8..4) {
        let model = build(&rows);
        let mut more = vec![Value::text("USER"), Value::text("D\\ANN")];
        more.resize(2 + wanted.len(), cell(value));
        let ann = Subject::new(SubjectId::new("D", "ANN"));
        let rows_of = |decision: &Decision| match reduce(decision, &model) {
            Ok(reduced) => reduced.tables.iter().map(|t| t.rows_out).collect(),
            Err(_) => vec![0; SHAPES.len()],
        };
        let before = rows_of(&decide(&Rules::read(&access(&wanted, &[]), &model).0, &ann));
        let after = rows_of(&decide(&Rules::read(&access(&wanted, &[more]), &model).0, &ann));
        prop_assert!(before.iter().zip(&after).all(|(b, a)| b <= a));
    }
}

// threat: T-13
#[test]
fn no_canary_of_a_hidden_row_or_field_is_in_the_bytes() {
    let mut frame = Frame::new("T", ["COUNTRY", "NAME", "SALARY"]);
    for (country, canary) in [("DE", "CANARY-1"), ("FR", "visible"), ("DE", "CANARY-2")] {
        frame.push_row(&[
            Value::text(country),
            Value::text(canary),
            Value::text(format!("CANARY-S-{canary}")),
        ]);
    }
    let model = ModelBuilder::new()
        .table(frame)
        .tag("SALARY", "CANARY-TAG")
        .build()
        .expect("small");
    let row = ["USER", "D\\ANN", "FR", "SALARY"].map(Value::text).to_vec();
    let columns = ["ACCESS", "USERID", "COUNTRY", "OMIT"]
        .map(str::to_owned)
        .to_vec();
    let tables = AccessTables {
        tables: vec![AccessTable {
            name: "SA".into(),
            columns,
            rows: vec![row],
        }],
    };
    let (rules, _) = Rules::read(&tables, &model);
    let reduced = reduce(
        &decide(&rules, &Subject::new(SubjectId::new("D", "ANN"))),
        &model,
    )
    .expect("granted");
    // Below 64 bytes nothing is compressed, so a search of the bytes is a search of the data.
    let bytes = reduced.model.to_snapshot();
    let has = |word: &[u8]| bytes.windows(word.len()).any(|w| w == word);
    assert!(has(b"visible"));
    assert!(!has(b"CANARY") && !has(b"SALARY") && !has(b"DE"));
    assert_eq!(reduced.n_withheld, 1);
}
