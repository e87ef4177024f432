//! `satchel ask`.

use satchel_base::Clock as _;
use satchel_device::utc_text;
use satchel_device_native::SystemClock;
use serde_json::json;

use crate::answer::{Question, answer};
use crate::args::Ask;
use crate::carried::Carried;
use crate::context::Context;
use crate::output::{Failure, Output, duration_text};

/// Opens a download and answers one question from it; the hub is not needed.
pub fn ask(context: &mut Context, asked: &Ask) -> Result<Output, Failure> {
    let hub = context.signed_in_hub()?;
    let entry = context.client.find_download(&hub.url, &asked.app)?;
    let opened = context.client.open(&hub.url, &entry.app)?;
    let (manifest, remaining) = (opened.manifest.clone(), opened.remaining);
    let Carried { model, .. } = Carried::read(opened)?;
    let now = context.client.now();
    let utc_offset = f64::from(SystemClock.local_offset_minutes(now)) / 1440.0;
    let question = Question {
        measures: asked.measures.clone(),
        by: asked.by.clone(),
        selections: asked.select.clone(),
        max_rows: asked.limit,
        // Serial days count from 30 December 1899.
        now: now.0 as f64 / 86_400_000.0 + 25_569.0 + utc_offset,
        utc_offset,
    };
    let answer = answer(model, &question)?;
    let mut json = answer.to_json();
    if let Some(members) = json.as_object_mut() {
        members.insert("app".into(), json!(manifest.app));
        members.insert("data_as_of".into(), json!(manifest.data_as_of));
        members.insert("remaining_ms".into(), json!(remaining.remaining_ms));
    }
    Ok(Output {
        text: format!(
            "{}\n{} · data as of {} · opens for {} more",
            answer.to_text(),
            manifest.title,
            utc_text(manifest.data_as_of),
            duration_text(remaining.remaining_ms)
        ),
        json,
    })
}
