//! Search over the titles of sheets and objects, in the apps this person may open.
//!
//! Only titles the author wrote as plain text are looked at: a title that is an expression
//! would have to be calculated in every app. An app whose section access does not admit the
//! person is passed over, so that a hit tells nothing about an app they cannot open.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Uri;
use axum::{Extension, Json};
use satchel_contract::{SearchHit, SearchHits};
use satchel_qix::{AppContent, Entity, ObjectTree};
use satchel_store::{App, User};

use crate::apps;
use crate::guard::Asker;
use crate::refusal::Refused;
use crate::rights::Rights;
use crate::state::HubState;

/// More hits than a person reads; they go on typing instead.
const MAX_HITS: usize = 50;

/// `GET /api/v1/search?q=…`
pub(crate) async fn search(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    uri: Uri,
) -> Result<Json<SearchHits>, Refused> {
    let user = asker.person()?.clone();
    let wanted = words(uri.query().unwrap_or_default());
    if wanted.is_empty() {
        return Ok(Json(SearchHits { hits: Vec::new() }));
    }
    let rights = Rights::load(&state.store).await?;
    let mut seen = state.store.apps().await?;
    seen.retain(|app| apps::may_see(app, &user, &rights));
    let permit = state.computing.clone().acquire_owned().await;
    let permit = permit.map_err(|_| Refused::internal())?;
    let hits = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut hits = Vec::new();
        for app in &seen {
            hits.extend(hits_in(&state, app, &user, &wanted));
            hits.truncate(MAX_HITS);
        }
        hits
    });
    let hits = hits.await.map_err(|_| Refused::internal())?;
    Ok(Json(SearchHits { hits }))
}

/// The value of `q`, in lower case; empty if there is none.
fn words(query: &str) -> String {
    form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "q")
        .map(|(_, value)| value.trim().to_lowercase())
        .unwrap_or_default()
}

fn hits_in(state: &HubState, app: &App, user: &User, wanted: &str) -> Vec<SearchHit> {
    let Ok(content) = apps::content(state, app, false) else {
        return Vec::new();
    };
    let hits = matching(app, &content, wanted);
    let admitted = |app| {
        let loaded = state.apps.load(state, app).ok()?;
        loaded.engine(&apps::subject(user)).ok()
    };
    if hits.is_empty() || admitted(app).is_none() {
        return Vec::new();
    }
    hits
}

/// Sheets first, then the objects on them; each once.
fn matching(app: &App, content: &AppContent, wanted: &str) -> Vec<SearchHit> {
    let hit = |sheet: &Entity, object: Option<&Entity>, title: &str| SearchHit {
        app: app.id.clone(),
        sheet: sheet.id().to_owned(),
        object: object.map(|o| o.id().to_owned()),
        title: title.to_owned(),
    };
    let fits = |title: &str| title.to_lowercase().contains(wanted);
    let is_sheet = |tree: &&ObjectTree| tree.object.kind() == "sheet";
    let mut sheets = Vec::new();
    let mut objects = Vec::new();
    for sheet in content.objects.iter().filter(is_sheet) {
        if let Some(title) = meta_title(&sheet.object).filter(|t| fits(t)) {
            sheets.push(hit(&sheet.object, None, title));
        }
        let on_it = sheet.children.iter().chain(
            content
                .objects
                .iter()
                .filter(|root| is_cell_of(&sheet.object, root.object.id())),
        );
        for tree in on_it {
            if let Some(title) = plain_title(&tree.object).filter(|t| fits(t)) {
                objects.push(hit(&sheet.object, Some(&tree.object), title));
            }
        }
    }
    sheets.extend(objects);
    sheets
}

fn meta_title(sheet: &Entity) -> Option<&str> {
    sheet.properties.get("qMetaDef")?.get("title")?.as_str()
}

/// The title of an object, unless it is an expression or empty.
fn plain_title(object: &Entity) -> Option<&str> {
    let title = object.properties.get("title")?.as_str()?;
    (!title.is_empty() && !title.starts_with('=')).then_some(title)
}

fn is_cell_of(sheet: &Entity, id: &str) -> bool {
    let cells = sheet.properties.get("cells").and_then(|c| c.as_array());
    cells.is_some_and(|cells| {
        cells
            .iter()
            .any(|cell| cell.get("name").and_then(|n| n.as_str()) == Some(id))
    })
}
