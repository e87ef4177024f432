//! Masking and physical reduction answer alike; the builder's numbering is canonical.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use satchel_data::{BitSet, FieldId, FieldKind, Model, TableId, Value, View};

use crate::support::{Plan, cases, masks, model, plan, show};

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_mask_and_a_reduced_model_answer_alike(plan in plan(), bits in prop::collection::vec(any::<bool>(), 40), omit in prop::collection::vec(any::<bool>(), 6)) {
        let model = Arc::new(model(&plan));
        let keep = masks(&model, &bits);
        let omit: Vec<FieldId> = (0..model.fields().len() as u32)
            .map(FieldId)
            .filter(|f| model.field(*f).kind == FieldKind::Data && omit.get(f.index()) == Some(&true))
            .collect();
        let reduced = View::unrestricted(Arc::new(model.retain(&keep, &omit)));
        let masked = View::restricted(model, keep, &omit);
        prop_assert_eq!(show(&masked), show(&reduced));
    }

    #[test]
    fn keeping_everything_changes_nothing(plan in plan()) {
        let model = model(&plan);
        let all = vec![None; model.tables().len()];
        prop_assert_eq!(model.retain(&all, &[]).to_snapshot(), model.to_snapshot());
    }

    #[test]
    fn numbering_is_by_first_appearance_and_keys_find_their_rows(plan in plan()) {
        let model = model(&plan);
        for (t, table) in model.tables().iter().enumerate() {
            for (c, column) in table.columns.iter().enumerate() {
                let mut rows: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
                for row in 0..table.n_rows {
                    rows.entry(column.codes.at(row)).or_default().push(row as u32);
                }
                let symbols = &model.field(column.field).symbols;
                for code in 0..=symbols.len() as u32 {
                    let want = if code == symbols.null_code() { &[][..] } else { rows.get(&code).map_or(&[][..], Vec::as_slice) };
                    let found = model.key_index(TableId(t as u32), c).rows(code);
                    prop_assert_eq!(found.iter().collect::<Vec<u32>>(), want);
                }
            }
        }
        for field in model.fields().iter().filter(|f| f.kind == FieldKind::Data) {
            let in_synthetic = field.columns.iter().any(|(t, _)| model.table(*t).name.starts_with('$'));
            let mut next = 0;
            for (table, at) in field.columns.iter().filter(|_| !in_synthetic) {
                for code in model.table(*table).columns[*at].codes.to_vec() {
                    if code != field.symbols.null_code() {
                        prop_assert!(code <= next);
                        next += u32::from(code == next);
                    }
                }
            }
        }
        for (a, one) in model.tables().iter().enumerate() {
            for two in &model.tables()[a + 1..] {
                let shared = one.columns.iter().filter(|c| two.column_of(c.field).is_some()).count();
                prop_assert!(shared <= 1, "{} and {}", one.name, two.name);
            }
        }
        prop_assert!(Model::from_snapshot(&model.to_snapshot(), 1 << 24).is_ok());
    }
}

/// The value a row of `plan` has is still found through keys, whatever was made of them.
#[test]
fn a_spelling_of_a_hidden_row_does_not_show() {
    let rows = vec![
        vec![Value::dual(1.0, "01")],
        vec![Value::num(1.0)],
        vec![Value::dual(1.0, "001")],
    ];
    let model = Arc::new(model(&vec![(vec![0], rows)]));
    let text = |keep: [bool; 3]| {
        let view = View::restricted(model.clone(), vec![Some(keep.into_iter().collect())], &[]);
        view.text(FieldId(0), 0).into_owned()
    };
    assert_eq!(text([true, true, true]), "01");
    assert_eq!(text([false, true, true]), "1");
    assert_eq!(text([false, false, true]), "001");
}

#[test]
fn a_synthetic_key_shows_no_spelling_of_a_hidden_row() {
    let date = |text: &str| vec![Value::dual(1.0, text), Value::num(7.0)];
    let one = (vec![0, 1], vec![date("CANARY"), date("seen")]);
    let two = (
        vec![0, 1, 2],
        vec![vec![Value::num(2.0), Value::num(2.0), Value::num(2.0)]],
    );
    let model = Arc::new(model(&vec![one, two]));
    assert_eq!(model.notes().len(), 1);
    let keep = vec![Some([false, true].into_iter().collect())];
    let bytes = model.retain(&keep, &[]).to_snapshot();
    assert!(!bytes.windows(6).any(|w| w == b"CANARY"));
    let shown = show(&View::restricted(model, keep, &[]));
    assert!(!shown.contains("CANARY") && shown.contains("seen"));
}

proptest! {
    #![proptest_config(cases())]

    /// Order, numbering and texts of synthetic tables follow the visible rows as well.
    #[test]
    fn a_view_is_the_model_of_its_rows_synthetic_keys_included(plan in plan(), bits in prop::collection::vec(any::<bool>(), 40)) {
        let whole = Arc::new(model(&plan));
        // Which table a loop loosens depends on their lengths; a view keeps the whole's choice.
        prop_assume!(whole.tables().iter().all(|t| !t.loose));
        let mut bits = bits.iter().copied().cycle();
        let keep: Vec<Vec<bool>> = plan.iter().map(|(_, rows)| bits.by_ref().take(rows.len()).collect()).collect();
        let own: Plan = plan.iter().zip(&keep).map(|((columns, rows), keep)| {
            let rows = rows.iter().zip(keep).filter(|(_, k)| **k).map(|(r, _)| r.clone()).collect();
            (columns.clone(), rows)
        }).collect();
        let masks = closed(&whole, &keep);
        let twin = model(&own);
        prop_assert_eq!(whole.retain(&masks, &[]).to_snapshot(), twin.to_snapshot());
        prop_assert_eq!(show(&View::restricted(whole, masks, &[])), show(&View::unrestricted(Arc::new(twin))));
    }
}

/// The kept rows of the loaded tables, and those of synthetic tables that they lead to.
fn closed(model: &Model, keep: &[Vec<bool>]) -> Vec<Option<BitSet>> {
    let mut masks: Vec<BitSet> = model
        .tables()
        .iter()
        .enumerate()
        .map(|(t, table)| {
            let kept = keep
                .get(t)
                .cloned()
                .unwrap_or_else(|| vec![false; table.n_rows]);
            kept.into_iter().collect()
        })
        .collect();
    // A synthetic table's own key is its last column; each row has another code of it.
    for _ in 0..model.tables().len() {
        for (t, table) in model.tables().iter().enumerate().skip(keep.len()) {
            let own = table.columns.last().expect("a key");
            for row in 0..table.n_rows {
                let code = own.codes.at(row);
                let led_to = model.tables().iter().enumerate().any(|(o, other)| {
                    let at = other.column_of(own.field).filter(|_| o != t);
                    at.is_some_and(|at| {
                        masks[o]
                            .iter()
                            .any(|r| other.columns[at].codes.at(r) == code)
                    })
                });
                if led_to {
                    masks[t].insert(row);
                }
            }
        }
    }
    masks.into_iter().map(Some).collect()
}
