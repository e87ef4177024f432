//! A reload that shows people much more than the last one waits until somebody approves that.

use std::sync::Arc;

use satchel_access::{GainLimits, Rules, Subject, gains};
use satchel_data::Model;
use satchel_store::{App, Store};
use serde::{Deserialize, Serialize};

use crate::apps::subject;
use crate::data_image::{DataImage, MAX_DATA_BYTES};
use crate::reload::{Folders, ReloadError};

/// How much more people may see without an approval, as it is kept with an app.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Limits {
    /// Whether gains wait at all.
    pub on: bool,
    /// People who are admitted and were denied.
    pub people: usize,
    /// Hundredths of a table's rows that one person sees more.
    pub rows: f64,
    /// Fields one person sees that were withheld from them.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = GainLimits::default();
        Self {
            on: true,
            people: limits.people,
            rows: limits.rows,
            fields: limits.fields,
        }
    }
}

/// Gains that wait for an approval.
pub(crate) struct Waiting {
    /// What is to be confirmed. It names these gains over that reload, and no others.
    pub key: String,
    /// Who sees what more.
    pub gains: Vec<String>,
}

/// What the new data shows people beyond the limits of the app; nothing where the app had no
/// section access before, or has none now (removing it is confirmed by itself).
pub(crate) async fn beyond(
    store: &Store,
    app: &App,
    folders: &Folders,
    rules: &Rules,
    model: &Arc<Model>,
) -> Result<Option<Waiting>, ReloadError> {
    let limits = folders.gain_limits;
    let guarded = limits.on && app.access_fingerprint.is_some() && rules.has_section_access();
    let (true, Some(blob)) = (guarded, &app.data) else {
        return Ok(None);
    };
    let users = store.users().await?;
    let bytes = store.blobs().read(blob)?;
    let image = DataImage::decode(&bytes).map_err(|_| ReloadError::Content)?;
    let old =
        Model::from_snapshot(&image.snapshot, MAX_DATA_BYTES).map_err(|_| ReloadError::Content)?;
    let old = Arc::new(old);
    let (before, _) = Rules::read(&image.access, &old);
    let mut people: Vec<Subject> = Vec::new();
    let named = before.named_subjects().into_iter();
    for person in (users.iter().map(subject)).chain(named.chain(rules.named_subjects())) {
        if !people.iter().any(|p| p.user == person.user) {
            people.push(person);
        }
    }
    let limits = GainLimits {
        people: limits.people,
        rows: limits.rows,
        fields: limits.fields,
    };
    let found = gains((&before, &old), (rules, model), &people, &limits);
    if found.is_empty() {
        return Ok(None);
    }
    let gains: Vec<String> = found.iter().map(ToString::to_string).collect();
    let mut hash = blake3::Hasher::new();
    hash.update(&app.reload.to_le_bytes());
    for gain in &gains {
        hash.update(gain.as_bytes());
        hash.update(b"\n");
    }
    let key = format!("gain:{}", &hash.finalize().to_hex()[..12]);
    Ok(Some(Waiting { key, gains }))
}
