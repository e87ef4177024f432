//! The list of apps.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use satchel_contract::{AppList, StreamEntry};

use crate::apps;
use crate::guard::Asker;
use crate::refusal::Refused;
use crate::rights::Rights;
use crate::state::HubState;

/// `GET /api/v1/apps`
pub(crate) async fn list(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
) -> Result<Json<AppList>, Refused> {
    let rights = Rights::load(&state.store).await?;
    let streams = &rights.streams;
    let all = state.store.apps().await?;
    // Who is not signed in sees, where that is allowed at all, what is for everybody.
    let Some(user) = asker.user else {
        let open = |id: &String| {
            streams
                .iter()
                .any(|s| s.id == *id && s.audience.iter().any(|a| a == "*"))
        };
        let shown: Vec<_> = all
            .iter()
            .filter(|a| a.stream.as_ref().is_some_and(open))
            .collect();
        return Ok(Json(AppList {
            streams: streams
                .iter()
                .filter(|s| shown.iter().any(|a| a.stream.as_ref() == Some(&s.id)))
                .map(|s| StreamEntry {
                    id: s.id.clone(),
                    name: s.name.clone(),
                })
                .collect(),
            apps: shown
                .into_iter()
                .map(|a| apps::entry(a, None, &rights, false))
                .collect(),
        }));
    };
    let shown = all.iter().filter(|a| apps::may_see(a, &user, &rights));
    Ok(Json(AppList {
        streams: streams
            .iter()
            .filter(|s| rights.may_see_stream(&user, s))
            .map(|s| StreamEntry {
                id: s.id.clone(),
                name: s.name.clone(),
            })
            .collect(),
        apps: shown
            .map(|a| apps::entry(a, Some(&user), &rights, asker.access.may_use_device()))
            .collect(),
    }))
}
