//! Current selections.

use satchel_engine::DEFAULT_STATE;
use serde_json::{Value, json};

use crate::errors::RpcError;
use crate::layout::Env;
use crate::layout::column::state_counts;
use crate::layout::cube_def::state_of;

/// How many selected values are named before only their number is told.
const THRESHOLD: usize = 6;

/// `qSelectionObject`.
pub(crate) fn layout(env: &Env<'_>, inherited: &str, value: &Value) -> Result<Value, RpcError> {
    let state = match state_of(value, inherited) {
        state if state.is_empty() => DEFAULT_STATE.to_owned(),
        state => state,
    };
    let doc = env.doc;
    let view = doc.engine.view();
    let selections = doc
        .history
        .current()
        .state(&state)
        .cloned()
        .unwrap_or_default();
    let mut list = Vec::new();
    for (at, (field, selection)) in selections.fields().enumerate() {
        if !view.is_visible(field) {
            continue;
        }
        let states = doc.engine.field_states(&selections, field, env.budget)?;
        let total = view.cardinality(field);
        let counts = states.counts(total);
        let n = selection.codes.count();
        let name = &view.model().field(field).name;
        let texts: Vec<String> = selection
            .codes
            .iter()
            .take(THRESHOLD)
            .map(|code| view.text(field, code as u32).into_owned())
            .collect();
        let summary = if n > THRESHOLD {
            format!("{n} of {total}")
        } else {
            texts.join(", ")
        };
        let named: Vec<Value> = if n > THRESHOLD {
            Vec::new()
        } else {
            texts.iter().map(|t| json!({ "qName": t })).collect()
        };
        list.push(json!({
            "qField": name,
            "qReadableName": name,
            "qTotal": total,
            "qSelectedCount": n,
            "qSelected": summary,
            "qSelectedFieldSelectionInfo": named,
            "qNotSelectedFieldSelectionInfo": [],
            "qSelectionThreshold": THRESHOLD,
            "qRangeInfo": [],
            "qSortIndex": at,
            "qLocked": selection.locked,
            "qOneAndOnlyOne": false,
            "qIsNum": view.facts(field).tags.iter().any(|t| t == "$numeric"),
            "qStateCounts": state_counts(&counts),
            "qDimensionReferences": [],
        }));
    }
    Ok(json!({
        "qBackCount": doc.history.n_back(),
        "qForwardCount": doc.history.n_forward(),
        "qStateName": state,
        "qSelections": list,
    }))
}
