//! Selections put aside for a while: `StoreTempSelectionState`, `RestoreTempSelectionState`.
//!
//! They last as long as the session, or shorter if their maker says so.

use satchel_base::UnixMillis;
use serde_json::json;

use crate::content::StoredSelections;
use crate::doc::selection_methods::selections_changed;
use crate::doc::stored;
use crate::errors::{Code, RpcError};
use crate::session::Call;

type Done = Result<(), RpcError>;

/// The most states a session holds; a further one takes the place of the oldest.
const MAX_STATES: usize = 100;

/// Selections put aside.
#[derive(Clone, Debug)]
pub(crate) struct TempState {
    id: String,
    stored: StoredSelections,
    until: Option<UnixMillis>,
}

pub(crate) fn store(call: &mut Call<'_>) -> Done {
    let seconds = call.args.int(0, 0)?;
    let id = call.make_id();
    let now = call.state.host.now().utc;
    let doc = call.doc()?;
    let state = TempState {
        id: id.clone(),
        stored: stored::write_down(&doc.engine, doc.history.current()),
        until: (seconds > 0).then(|| now.plus_ms(seconds.saturating_mul(1000))),
    };
    if doc.temp_states.len() >= MAX_STATES {
        doc.temp_states.remove(0);
    }
    doc.temp_states.push(state);
    call.put("qId", json!(id));
    call.put("qReturn", true);
    Ok(())
}

pub(crate) fn restore(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let now = call.state.host.now().utc;
    let doc = call.doc()?;
    doc.refuse_if_modal()?;
    doc.temp_states
        .retain(|s| s.until.is_none_or(|until| now.0 < until.0));
    let found = doc.temp_states.iter().find(|s| s.id == id);
    let stored = found.map(|s| s.stored.clone());
    let stored = stored.ok_or_else(|| RpcError::about(Code::NotFound, id))?;
    let mut next = doc.history.current().clone();
    stored::read_into(&doc.engine, &mut next, &stored);
    doc.history.apply(next);
    call.put("qReturn", true);
    selections_changed(call);
    Ok(())
}
