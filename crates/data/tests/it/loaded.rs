//! From a model back to the tables it was loaded from.

use proptest::prelude::*;
use satchel_data::{Frame, ModelBuilder, Value};

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

#[test]
fn a_dictionary_that_repeats_itself_gives_each_value_once() {
    let values = vec![
        Value::text("a"),
        Value::text("a"),
        Value::Null,
        Value::num(1.0),
        Value::num(1.0),
        Value::text(""),
    ];
    for values in [values.clone(), values[..2].to_vec(), values[2..5].to_vec()] {
        let mut column = satchel_data::FrameColumn::new("F");
        column.codes = (0..values.len() as u32).collect();
        column.dict = satchel_data::Dict::from_distinct(values.clone());
        let mut frame = Frame::new("T", Vec::<String>::new());
        frame.columns.push(column);
        let model = ModelBuilder::new().table(frame).build().unwrap();
        let field = &model.fields()[0];
        let codes = &model.tables()[0].columns[0].codes;
        let shown: Vec<Value> = (0..values.len())
            .map(|r| field.symbols.value(codes.at(r)))
            .collect();
        assert_eq!(shown, values);
        let mut distinct: Vec<Value> = Vec::new();
        for value in values.iter().filter(|v| !v.is_null()) {
            if !distinct.contains(value) {
                distinct.push(value.clone());
            }
        }
        assert_eq!(field.symbols.len(), distinct.len());
    }
}
