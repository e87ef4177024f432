//! What is fuzzed: every reader of bytes that come from outside. Each function takes any
//! bytes and must return; a panic, a hang or an exhausted memory is the finding.

mod conversation;
mod files;
mod grammar;
mod mutate;

pub use conversation::{conversation, qix_frames, unanswered};
pub use files::{csv, parquet};
pub use mutate::mutate_frames;

use satchel_base::{Budget, CancelToken, Limits};

/// A small part of what a hub allows, so that what does not ask for its budget is found out.
fn budget() -> Budget {
    let limits = Limits {
        rows: 2_000_000,
        bytes: 64 << 20,
    };
    Budget::new(limits, CancelToken::default())
}

/// A package, opened as its owner would and checked without keys.
pub fn package(bytes: &[u8]) {
    let hub = satchel_sealed::SigningKey::from_seed(&[1; 32]).verifying_key();
    let device = satchel_sealed::DeviceSecretKey::from_seed(&[3; 32]);
    let header = satchel_sealed::package::inspect(bytes);
    let checked = satchel_sealed::package::verify(bytes, &hub);
    let Ok(header) = header else {
        assert!(checked.is_err(), "what has no header cannot be whole");
        return;
    };
    let opened = satchel_sealed::package::open(bytes, &header.binding, &hub, &device);
    assert!(opened.is_err() || checked.is_ok(), "what opens is signed");
}

/// A signed document.
pub fn signed(bytes: &[u8]) {
    let hub = satchel_sealed::SigningKey::from_seed(&[1; 32]).verifying_key();
    let _ = satchel_sealed::signed::payload_unverified(bytes);
    let _ = satchel_sealed::signed::verify(&hub, satchel_sealed::signed::GRANT, bytes);
}

/// An expression.
pub fn expression(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (_, diagnostics) = satchel_syntax::parse_expression(&text);
    for diagnostic in diagnostics {
        assert!(diagnostic.span.end as usize <= text.len());
        let _ = diagnostic.render("expression", &text);
    }
}

/// A load script: read, then run with few rows and no files.
pub fn script(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (_, diagnostics) = satchel_syntax::parse_script(&text);
    for diagnostic in diagnostics {
        assert!(diagnostic.span.end as usize <= text.len());
        let _ = diagnostic.render("script", &text);
    }
    let limits = Limits {
        rows: 20_000,
        bytes: 16 << 20,
    };
    let budget = Budget::new(limits, CancelToken::default());
    let _ = files::run(&text, &budget);
}

/// The stored model of an app. What opens is whole: every cell of it can be read, and it is
/// written again as a model that opens.
pub fn snapshot(bytes: &[u8]) {
    use satchel_data::{Model, View};
    let Ok(model) = Model::from_snapshot(bytes, 64 << 20) else {
        return;
    };
    let again = Model::from_snapshot(&model.to_snapshot(), u64::MAX);
    assert!(again.is_ok(), "a model that was read can be written");
    let view = View::unrestricted(std::sync::Arc::new(model));
    for field in view.fields() {
        let _ = view.facts(field);
        for elem in 0..view.cardinality(field) as u32 {
            let code = view.code_of(field, elem).expect("below the cardinality");
            let _ = view.text(field, code);
        }
    }
    for table in view.tables() {
        let table = view.model().table(table);
        for column in &table.columns {
            for row in 0..table.n_rows.min(10_000) {
                let _ = view.elem_of(column.field, column.codes.at(row));
            }
        }
    }
}

/// A small model as it is stored: the seed of [`snapshot`], made anew with `UPDATE=1`.
pub fn small_snapshot() -> Vec<u8> {
    let script = "A: LOAD * INLINE [K, N, T\n1, 1.5, a\n2, , A\n3, 7, b];\n\
                  B: LOAD K, If(K = 2, Null(), Dual('d' & K, K)) AS D INLINE [K\n1\n2\n4];";
    let loaded = files::run(script, &Budget::unlimited()).expect("the script is right");
    loaded.model.to_snapshot()
}
