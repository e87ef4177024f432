//! Selections written down by value, and read back into whatever data there is now.

use std::sync::Arc;

use satchel_base::Budget;
use satchel_data::Value;
use satchel_engine::{DEFAULT_STATE, Engine, Locks, Select, Selections, StateSelections, Toggle};
use serde_json::Value as Json;

use crate::content::{StoredField, StoredSelections, StoredState};
use crate::wire::number::num;

/// All selections of all states, by value.
pub(crate) fn write_down(engine: &Engine, selections: &Selections) -> StoredSelections {
    let view = engine.view();
    let states = selections
        .state_names()
        .filter_map(|name| {
            let state = selections.state(name)?;
            let fields: Vec<StoredField> = state
                .fields()
                .map(|(field, selection)| StoredField {
                    field: view.model().field(field).name.clone(),
                    values: selection
                        .codes
                        .iter()
                        .map(|code| {
                            let code = code as u32;
                            let n = view.num(field, code);
                            if n.is_nan() {
                                Json::from(view.text(field, code).as_ref())
                            } else {
                                num(n)
                            }
                        })
                        .collect(),
                    locked: selection.locked,
                })
                .collect();
            Some(StoredState {
                state: name.to_owned(),
                fields,
            })
        })
        .collect();
    StoredSelections {
        states,
        variables: Vec::new(),
    }
}

/// Sets the selections of the states in `stored`; fields and values that are no longer there
/// are left out.
pub(crate) fn read_into(engine: &Engine, selections: &mut Selections, stored: &StoredSelections) {
    for state in &stored.states {
        let name = if state.state.is_empty() {
            DEFAULT_STATE
        } else {
            &state.state
        };
        if selections.state(name).is_none() {
            continue;
        }
        let next = Arc::new(state_of(engine, state));
        selections.set_state(name, next);
    }
}

/// What of `stored` there is in this engine's view: a bookmark must not tell its reader of
/// values they may not see.
pub(crate) fn visible(engine: &Engine, stored: &StoredSelections) -> StoredSelections {
    let mut found = Selections::new();
    for state in &stored.states {
        if !state.state.is_empty() && state.state != DEFAULT_STATE {
            found.add_state(&state.state);
        }
    }
    read_into(engine, &mut found, stored);
    let mut visible = write_down(engine, &found);
    visible.variables = stored.variables.clone();
    visible
}

/// The selections of one stored state.
pub(crate) fn state_of(engine: &Engine, state: &StoredState) -> StateSelections {
    let mut scratch = Selections::new();
    for stored in &state.fields {
        let Some(field) = engine.field(&stored.field) else {
            continue;
        };
        let values = stored
            .values
            .iter()
            .filter_map(|v| match v {
                Json::Number(n) => n.as_f64().map(Value::num),
                Json::String(text) => Some(Value::text(text.as_str())),
                _ => None,
            })
            .collect();
        // Selecting values by name reads symbols only; there is nothing to stop.
        let done = engine.select(
            &mut scratch,
            DEFAULT_STATE,
            field,
            &Select::Values(values, Toggle::Replace),
            Locks::Override,
            &Budget::unlimited(),
        );
        if done.is_ok()
            && stored.locked
            && let Some(state) = scratch.state_mut(DEFAULT_STATE)
        {
            state.set_locked(field, true);
        }
    }
    (*scratch.default_state()).clone()
}
