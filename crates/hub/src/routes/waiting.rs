//! What a reload waits for, and its confirmation, by who owns the app.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use satchel_base::AppId;
use satchel_store::{App, User};
use serde::Deserialize;
use serde_json::{Value, json};

use super::session::malformed;
use crate::apps;
use crate::guard::Asker;
use crate::refusal::Refused;
use crate::reload;
use crate::rights::Rights;
use crate::sign_in::note_about;
use crate::state::HubState;

/// What is confirmed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// Names the waiting reload gave.
    names: Vec<String>,
}

/// The app, if `user` owns it. Whoever may not see it learns nothing; an editor who does not own
/// it may look at what waits, and not confirm it.
async fn own(state: &HubState, user: &User, id: String, confirms: bool) -> Result<App, Refused> {
    let rights = Rights::load(&state.store).await?;
    let app = state.store.app(&AppId::new(id)).await?;
    let app = app
        .filter(|app| apps::may_see(app, user, &rights))
        .ok_or_else(Refused::not_found)?;
    let is_owner = app.owner == user.id;
    if is_owner || !confirms && apps::may_edit(&app, user, &rights) {
        return Ok(app);
    }
    Err(Refused::new(
        StatusCode::FORBIDDEN,
        "app.not_yours",
        "only who owns the app confirms what its reload waits for",
        "Ask the owner of the app.",
    ))
}

/// What was noted when the reload stopped to wait.
fn noted(app: &App) -> Value {
    (app.pending.as_deref())
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| json!({}))
}

fn names(noted: &Value) -> Vec<String> {
    let all = noted["confirm"].as_array();
    (all.into_iter().flatten())
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// `GET /api/v1/apps/{app}/waiting`
pub(crate) async fn show(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(app): Path<String>,
) -> Result<Json<Value>, Refused> {
    let app = own(&state, asker.person()?, app, false).await?;
    let noted = noted(&app);
    let gains = noted.get("gains").cloned().unwrap_or_else(|| json!([]));
    Ok(Json(json!({ "confirm": names(&noted), "gains": gains })))
}

/// `POST /api/v1/apps/{app}/confirm` with `{ "names": ["gain:…"] }`; the next reload publishes.
pub(crate) async fn confirm(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(app): Path<String>,
    body: Result<Json<Confirmation>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    let user = asker.person()?;
    let app = own(&state, user, app, true).await?;
    let Json(Confirmation { names: wanted }) = body.map_err(|_| malformed())?;
    let waiting = names(&noted(&app));
    if wanted.is_empty() || !wanted.iter().all(|name| waiting.contains(name)) {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "app.not_waiting",
            "no reload of the app waits for this",
            "Look again at what it waits for; a newer reload may wait for something else.",
        ));
    }
    reload::confirm(&state.store, &app, &wanted)
        .await
        .map_err(|_| Refused::internal())?;
    let about = json!({ "confirmed": wanted });
    let id = app.id.as_str();
    note_about(&state, &user.id, "app.confirm", id, "ok", about).await?;
    Ok(StatusCode::NO_CONTENT)
}
