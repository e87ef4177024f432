//! `satchel policy`.

use satchel_contract::policy::{Effective, Key, definition};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::output::{Failure, Output};

/// Shows what holds for the hub in use, who decided it, and what this client makes of it.
pub fn show(context: &mut Context) -> Result<Output, Failure> {
    let hub = context.hub().ok();
    // What the hub says lies in the vault; without it, managed configuration is shown.
    let is_open = context.client.has_vault() && context.unlock().is_ok();
    let effective = match (&hub, is_open) {
        (Some(hub), true) => context.client.policy(&hub.url)?,
        _ => Effective::of(context.client.managed().sources.clone()),
    };
    let is_whole = is_open || !context.client.has_vault();
    let mut text = String::new();
    let mut values = Map::new();
    for key in Key::all() {
        let about = definition(key);
        let deciding = effective.decided_by(key);
        let by = if deciding.is_empty() {
            "built in".to_owned()
        } else {
            deciding.join(", ")
        };
        text.push_str(&format!(
            "{:<20} {:<12} {by}\n",
            about.name,
            effective.shown(key)
        ));
        if effective.policy.get(key).is_some() {
            text.push_str(&format!("{:<20} {}\n", "", about.native));
        }
        values.insert(
            about.name.to_owned(),
            json!({
                "value": effective.policy.get(key),
                "shown": effective.shown(key),
                "decided_by": deciding,
                "client": about.native,
            }),
        );
    }
    for name in effective.policy.unknown() {
        text.push_str(&format!("{name:<20} not known to this version, ignored\n"));
    }
    if !is_whole {
        text.push_str("This device is locked: what the hub says is not shown.\n");
    }
    Ok(Output {
        text: text.trim_end().to_owned(),
        json: json!({
            "hub": hub.map(|hub| hub.url),
            "policy": Value::Object(values),
            "unknown": effective.policy.unknown(),
            "locked": !is_whole,
        }),
    })
}
