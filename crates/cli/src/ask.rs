//! `satchel ask`.

use satchel_data::Model;
use satchel_device::utc_text;
use satchel_qix::AppImage;
use serde_json::json;

use crate::answer::{Question, answer};
use crate::args::Ask;
use crate::context::Context;
use crate::output::{Failure, Output, duration_text};

/// A quarter of a terabyte would be a forged header; 8 GiB is more than a laptop's share.
const MAX_MODEL_BYTES: u64 = 8 << 30;

/// Opens a download and answers one question from it; the hub is not needed.
pub fn ask(context: &mut Context, asked: &Ask) -> Result<Output, Failure> {
    let hub = context.signed_in_hub()?;
    let entry = context.client.find_download(&hub.url, &asked.app)?;
    let opened = context.client.open(&hub.url, &entry.app)?;
    let damaged = |error: &dyn std::fmt::Display| {
        Failure::new(
            "app.damaged",
            format!("the downloaded app cannot be read: {error}"),
            "Update the client, or download the app again.",
        )
    };
    let image = AppImage::decode(&opened.payload).map_err(|error| damaged(&error))?;
    drop(opened.payload);
    let model =
        Model::from_snapshot(&image.snapshot, MAX_MODEL_BYTES).map_err(|error| damaged(&error))?;
    let question = Question {
        measures: asked.measures.clone(),
        by: asked.by.clone(),
        selections: asked.select.clone(),
        max_rows: asked.limit,
        // Serial days count from 30 December 1899.
        now: context.client.now().0 as f64 / 86_400_000.0 + 25_569.0,
    };
    let answer = answer(model, &question)?;
    let manifest = &opened.manifest;
    let mut json = answer.to_json();
    if let Some(members) = json.as_object_mut() {
        members.insert("app".into(), json!(manifest.app));
        members.insert("data_as_of".into(), json!(manifest.data_as_of));
        members.insert("remaining_ms".into(), json!(opened.remaining.remaining_ms));
    }
    Ok(Output {
        text: format!(
            "{}\n{} · data as of {} · opens for {} more",
            answer.to_text(),
            manifest.title,
            utc_text(manifest.data_as_of),
            duration_text(opened.remaining.remaining_ms)
        ),
        json,
    })
}
