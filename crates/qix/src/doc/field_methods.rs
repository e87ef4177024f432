//! Methods of a field in a state.

use satchel_data::{FieldId, Value};
use satchel_engine::{Locks, Select, SelectError, Toggle};
use serde_json::{Value as Json, json};

use crate::doc::Doc;
use crate::doc::selection_methods::{known_state, selections_changed};
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::session::Call;

type Done = Result<(), RpcError>;

pub(crate) fn get_field(call: &mut Call<'_>) -> Done {
    let name = call.args.text(0)?;
    let state = call.args.text(1)?;
    let doc = call.doc()?;
    let state = known_state(doc, state)?;
    if doc.engine.field(&name).is_none() {
        return Err(RpcError::about(Code::NotFound, name));
    }
    let target = Target::Field {
        name: name.clone(),
        state,
    };
    call.put_object(target, "", &name);
    Ok(())
}

/// The field behind the handle. It may have gone with a reload.
fn this<'a>(call: &'a mut Call<'_>) -> Result<(&'a mut Doc, FieldId, String), RpcError> {
    let Some(Target::Field { name, state }) = call.target.clone() else {
        return Err(Code::MethodNotFound.into());
    };
    let doc = call.doc()?;
    let field = doc.engine.field(&name);
    let field = field.ok_or(RpcError::about(Code::NotFound, name))?;
    Ok((doc, field, state))
}

pub(crate) fn get_cardinal(call: &mut Call<'_>) -> Done {
    let (doc, field, _) = this(call)?;
    let n = doc.engine.view().cardinality(field);
    call.put("qReturn", n);
    Ok(())
}

pub(crate) fn get_nx_properties(call: &mut Call<'_>) -> Done {
    this(call)?;
    call.put("qProperties", json!({"qOneAndOnlyOne": false}));
    Ok(())
}

pub(crate) fn get_and_mode(call: &mut Call<'_>) -> Done {
    this(call)?;
    call.put("qReturn", false);
    Ok(())
}

/// Whether locks are overridden: `qSoftLock` is true.
pub(crate) fn locks(soft: bool) -> Locks {
    if soft {
        Locks::Override
    } else {
        Locks::Respect
    }
}

/// Selects in a field of a state and drops what then contradicts. Whether it was possible: a
/// locked field says no.
pub(crate) fn select(
    call: &mut Call<'_>,
    state: &str,
    field: FieldId,
    what: &Select,
    locks: Locks,
) -> Result<bool, RpcError> {
    let budget = call.budget.clone();
    let doc = call.doc()?;
    let mut next = doc.history.current().clone();
    match doc
        .engine
        .select(&mut next, state, field, what, locks, &budget)
    {
        Ok(changed) => {
            if changed && !matches!(what, Select::Clear) {
                doc.engine
                    .drop_conflicts(&mut next, state, field, &budget)
                    .map_err(select_error)?;
            }
            if changed {
                doc.history.apply(next);
                selections_changed(call);
            }
            Ok(true)
        }
        Err(SelectError::Locked) => Ok(false),
        Err(error) => Err(select_error(error)),
    }
}

pub(crate) fn select_error(error: SelectError) -> RpcError {
    match error {
        SelectError::Stop(stop) => stop.into(),
        error => RpcError::about(Code::InvalidParameters, error.to_string()),
    }
}

fn run(call: &mut Call<'_>, what: &Select, soft: bool) -> Done {
    call.doc()?.refuse_if_modal()?;
    let (_, field, state) = this(call)?;
    let done = select(call, &state, field, what, locks(soft))?;
    call.put("qReturn", done);
    Ok(())
}

fn toggle(flip: bool) -> Toggle {
    if flip { Toggle::Flip } else { Toggle::Replace }
}

pub(crate) fn select_values(call: &mut Call<'_>) -> Done {
    let list = call.args.list(0)?;
    let flip = call.args.flag(1)?;
    let soft = call.args.flag(2)?;
    let values = list.iter().map(field_value).collect();
    run(call, &Select::Values(values, toggle(flip)), soft)
}

/// A value as clients name it: by number if `qIsNumeric`, else by text.
fn field_value(value: &Json) -> Value {
    let number = value.get("qNumber").and_then(Json::as_f64);
    if value.get("qIsNumeric") == Some(&Json::Bool(true))
        && let Some(n) = number
    {
        return Value::num(n);
    }
    Value::text(
        value
            .get("qText")
            .and_then(Json::as_str)
            .unwrap_or_default(),
    )
}

pub(crate) fn low_level_select(call: &mut Call<'_>) -> Done {
    let elements = elements(&call.args.ints(0)?);
    let flip = call.args.flag(1)?;
    let soft = call.args.flag(2)?;
    run(call, &Select::Elements(elements, toggle(flip)), soft)
}

/// Element numbers; negative ones (totals, NULL) name no value.
pub(crate) fn elements(numbers: &[i64]) -> Vec<u32> {
    numbers
        .iter()
        .filter_map(|n| u32::try_from(*n).ok())
        .collect()
}

pub(crate) fn select_match(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let soft = call.args.flag(1)?;
    run(call, &Select::Search(text, Toggle::Replace), soft)
}

pub(crate) fn toggle_select(call: &mut Call<'_>) -> Done {
    let text = call.args.text(0)?;
    let soft = call.args.flag(1)?;
    run(call, &Select::Search(text, Toggle::Flip), soft)
}

pub(crate) fn select_possible(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(0)?;
    run(call, &Select::Possible, soft)
}

pub(crate) fn select_excluded(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(0)?;
    run(call, &Select::Excluded, soft)
}

pub(crate) fn select_alternative(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(0)?;
    run(call, &Select::Alternative, soft)
}

pub(crate) fn select_all(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(0)?;
    run(call, &Select::All, soft)
}

pub(crate) fn clear(call: &mut Call<'_>) -> Done {
    run(call, &Select::Clear, false)
}

pub(crate) fn clear_all_but_this(call: &mut Call<'_>) -> Done {
    let soft = call.args.flag(0)?;
    call.doc()?.refuse_if_modal()?;
    let (doc, field, state) = this(call)?;
    let mut next = doc.history.current().clone();
    if let Some(state) = next.state_mut(&state) {
        let others: Vec<FieldId> = state
            .fields()
            .filter(|(f, s)| *f != field && (soft || !s.locked))
            .map(|(f, _)| f)
            .collect();
        for other in others {
            state.remove(other);
        }
    }
    doc.history.apply(next);
    call.put("qReturn", true);
    selections_changed(call);
    Ok(())
}

pub(crate) fn lock(call: &mut Call<'_>) -> Done {
    set_locked(call, true)
}

pub(crate) fn unlock(call: &mut Call<'_>) -> Done {
    set_locked(call, false)
}

fn set_locked(call: &mut Call<'_>, locked: bool) -> Done {
    let (doc, field, state) = this(call)?;
    let mut next = doc.history.current().clone();
    let done = next
        .state_mut(&state)
        .is_some_and(|s| s.set_locked(field, locked));
    if done {
        doc.history.apply(next);
        selections_changed(call);
    }
    call.put("qReturn", done);
    Ok(())
}
