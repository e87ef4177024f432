//! Who may do what, and by which rule, for those who administer or audit that.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use satchel_base::SubjectId;
use satchel_contract::{RuleAnswer, RuleName};
use satchel_gate::{Action, Attributes, Place, Resource};

use super::session::malformed;
use crate::guard::Asker;
use crate::refusal::Refused;
use crate::rights::Rights;
use crate::state::HubState;

/// `GET /api/v1/rules/explain?user=…&action=…&resource=app:…&in=hub`
pub(crate) async fn explain(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    RawQuery(query): RawQuery,
) -> Result<Json<RuleAnswer>, Refused> {
    let rights = Rights::load(&state.store).await?;
    let rules = Resource {
        kind: "Rule".into(),
        id: String::new(),
        attributes: Attributes::default(),
        container: None,
    };
    if !rights.is_allowed(asker.person()?, Action::Read, &rules, Place::Admin) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "rules.not_yours",
            "you may not see who may do what",
            "Ask a security or audit administrator of this hub.",
        ));
    }
    let query = query.unwrap_or_default();
    let value = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    let action: Option<Action> = value("action").and_then(|a| a.parse().ok());
    let place = match value("in").as_deref() {
        None | Some("hub") => Place::Hub,
        Some("admin") => Place::Admin,
        Some(_) => return Err(malformed()),
    };
    let (Some(user), Some(action), Some(resource)) = (value("user"), action, value("resource"))
    else {
        return Err(malformed());
    };
    let user = state.store.user(&SubjectId::parse(&user)).await?;
    let user = user.ok_or_else(Refused::not_found)?;
    let on = rights.find(&state.store, &resource).await?;
    let on = on.ok_or_else(Refused::not_found)?;
    let by = rights.why(&user, action, &on, place);
    Ok(Json(RuleAnswer {
        allowed: !by.is_empty(),
        rules: by
            .into_iter()
            .map(|rule| RuleName {
                name: rule.name.clone(),
                description: rule.description.clone(),
            })
            .collect(),
    }))
}
