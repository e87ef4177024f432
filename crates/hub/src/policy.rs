//! What this hub lets a person's devices do, and the document that says so.
//!
//! Three sources, merged so that none loosens another: the hub's own switches, what an
//! administrator set for everybody, and what they set for one person.

use satchel_base::SubjectId;
use satchel_contract::policy::{Effective, Key, Value, definition};
use satchel_contract::{MAX_OFFLINE_HOURS, Policy, PolicyDocument, PolicyLine};
use satchel_sealed::signed;
use satchel_store::Settings;

use crate::refusal::Refused;
use crate::state::{HubState, base64};

/// What holds for a person, and who decided it.
pub(crate) fn effective(settings: &Settings, user: &SubjectId) -> Effective {
    let mut sources = vec![
        ("this hub's switches".to_owned(), switches(settings)),
        ("everybody".to_owned(), settings.policy.as_said_by_a_hub()),
    ];
    if let Some(policy) = settings.policies.get(user.as_str()) {
        sources.push((user.as_str().to_owned(), policy.as_said_by_a_hub()));
    }
    Effective::of(sources)
}

/// What somebody decided, key by key, to be shown to the person.
pub(crate) fn lines(settings: &Settings, user: &SubjectId) -> Vec<PolicyLine> {
    let effective = effective(settings, user);
    let line = |(key, _)| {
        let about = definition(key);
        PolicyLine {
            key: about.name.to_owned(),
            title: about.title.to_owned(),
            value: effective.shown(key),
            decided_by: effective
                .decided_by(key)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    };
    effective.policy.said().map(line).collect()
}

/// The switches that are older than policies, as a policy; silent where they allow everything.
fn switches(settings: &Settings) -> Policy {
    let mut policy = Policy::default();
    let mut set = |key, value| {
        // Each of these values is one that its key takes.
        let _ = policy.set(key, value);
    };
    if settings.offline_hours < MAX_OFFLINE_HOURS {
        set(
            Key::MaxOfflineHours,
            Value::Number(settings.offline_hours.into()),
        );
    }
    if !settings.may_remember {
        set(Key::AllowRemember, Value::Switch(false));
    }
    if !settings.may_export {
        set(Key::AllowExport, Value::Switch(false));
    }
    policy
}

impl HubState {
    /// Whether a switch is on for a person.
    pub(crate) fn lets(&self, user: &SubjectId, key: Key) -> bool {
        effective(&self.settings(), user).policy.is_on(key)
    }

    /// Hours of a grant before the access type is asked.
    pub(crate) fn policy_hours(&self, user: &SubjectId) -> u16 {
        let hours = effective(&self.settings(), user)
            .policy
            .number(Key::MaxOfflineHours);
        u16::try_from(hours).unwrap_or(MAX_OFFLINE_HOURS)
    }

    /// The signed document for a person, base64.
    pub(crate) fn policy_document(&self, user: &SubjectId) -> Result<String, Refused> {
        let document = PolicyDocument {
            hub: self.store.hub().id.clone(),
            user: user.clone(),
            issued_at: self.now(),
            policy: effective(&self.settings(), user).policy,
        };
        let payload = serde_json::to_vec(&document).map_err(|_| Refused::internal())?;
        let envelope = signed::sign(&self.signing_key, signed::POLICY, &payload)
            .map_err(|_| Refused::internal())?;
        Ok(base64(&envelope))
    }

    /// Refuses a client that is older than policy allows; `client` is what it calls itself,
    /// `satchel/1.2.3`.
    pub(crate) fn check_client_version(
        &self,
        user: &SubjectId,
        client: Option<&str>,
    ) -> Result<(), Refused> {
        let policy = effective(&self.settings(), user).policy;
        let version = client.and_then(|name| name.rsplit(['/', ' ']).next());
        if policy.admits_client(version.unwrap_or_default()) {
            return Ok(());
        }
        let least = policy.text(Key::MinimumClient).unwrap_or_default();
        Err(Refused::new(
            axum::http::StatusCode::FORBIDDEN,
            "policy.client_too_old",
            &format!("policy demands version {least} of the client or newer"),
            "Update the client.",
        ))
    }
}
