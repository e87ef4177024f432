//! From a model back to the tables it was loaded from.

use proptest::prelude::*;
use satchel_data::{Frame, ModelBuilder};

use crate::support::{cases, frames, model, plan};

/// Number and text of every cell, columns by name.
fn cells(frame: &Frame) -> Vec<(String, Vec<(Option<u64>, String)>)> {
    let mut out: Vec<_> = (frame.columns.iter())
        .map(|column| {
            let cells = (0..frame.n_rows())
                .map(|row| {
                    let value = column.value(row);
                    (value.as_num().map(f64::to_bits), value.to_text())
                })
                .collect();
            (column.name.clone(), cells)
        })
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_model_gives_back_what_was_loaded(plan in plan()) {
        let loaded = frames(&plan);
        let model = model(&plan);
        let back = model.to_frames();
        let names = |frames: &[Frame]| frames.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        prop_assert_eq!(names(&back), names(&loaded));
        for (a, b) in back.iter().zip(&loaded) {
            prop_assert_eq!(cells(a), cells(b));
        }
        let again = (back.into_iter())
            .fold(ModelBuilder::new(), ModelBuilder::table)
            .tag("F0", "$first")
            .build()
            .expect("small");
        let fields = |model: &satchel_data::Model| {
            (model.fields().iter())
                .map(|f| format!("{} {:?} {:?} {:?}", f.name, f.kind, f.symbols, f.spellings))
                .collect::<Vec<_>>()
        };
        prop_assert_eq!(fields(&again), fields(&model));
        prop_assert_eq!(again.notes().len(), model.notes().len());
    }
}
