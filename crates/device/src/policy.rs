//! What administrators let this device do: the hub's signed document and the device's managed
//! configuration, merged, and where the client keeps to them.
//!
//! What a hub says counts for what came from it; what it says about the lock counts for the
//! whole device. Rules: `docs/formats/policy.md`, keys: `satchel_contract::policy`.

use satchel_base::{SubjectId, UnixMillis};
use satchel_contract::policy::{Effective, Key};
use satchel_contract::{HubIdentity, Policy, PolicyDocument};
use satchel_sealed::signed;
use serde::{Deserialize, Serialize};

use crate::{Account, CLOCK_SLACK_MS, VaultBody};

/// The hub's document, as an account keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPolicy {
    /// When it was signed.
    pub issued_at: UnixMillis,
    /// What it says.
    pub policy: Policy,
}

/// What this device was told from outside, before anybody unlocks it.
#[derive(Clone, Debug, Default)]
pub struct Managed {
    /// Sources, each with the name people know it by.
    pub sources: Vec<(String, Policy)>,
    /// The client's own version, `1.2.3`; empty if it is not to be asked.
    pub client_version: String,
}

/// Something policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyRefusal {
    /// `require_lock`
    #[error("policy demands that this device is locked by a PIN")]
    LockRequired,
    /// `pin_length`
    #[error("policy demands a PIN of at least {least} characters")]
    PinTooShort {
        /// Characters.
        least: u32,
    },
    /// `allow_downloads`
    #[error("policy does not allow downloads on this device")]
    NoDownloads,
    /// `allow_remember`
    #[error("policy does not allow this device to remember the log-in")]
    NoRemember,
    /// `hubs_locked`
    #[error("policy does not allow the hub {url} on this device")]
    HubNotAllowed {
        /// The hub.
        url: String,
    },
    /// `minimum_client`
    #[error("policy demands version {least} of this client or newer")]
    ClientTooOld {
        /// The version.
        least: String,
    },
    /// The document is not signed by the pinned hub, not for this person, or not readable.
    #[error("the policy is not one this hub has signed for this person")]
    NotGenuine,
    /// The document is older than the one held.
    #[error("the hub sent a policy older than one this device already has")]
    TooOld,
}

impl PolicyRefusal {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LockRequired => "policy.lock_required",
            Self::PinTooShort { .. } => "policy.pin_too_short",
            Self::NoDownloads => "policy.no_downloads",
            Self::NoRemember => "policy.no_remember",
            Self::HubNotAllowed { .. } => "policy.hub_not_allowed",
            Self::ClientTooOld { .. } => "policy.client_too_old",
            Self::NotGenuine => "policy.not_genuine",
            Self::TooOld => "policy.too_old",
        }
    }

    /// What to do next, one sentence.
    pub const fn next(&self) -> &'static str {
        match self {
            Self::LockRequired => "Set a PIN: satchel pin set",
            Self::PinTooShort { .. } => "Choose a longer PIN: satchel pin set",
            Self::NoDownloads => "Open the app at the hub.",
            Self::NoRemember => "Sign in with your password.",
            Self::HubNotAllowed { .. } => {
                "Ask whoever manages this device; satchel policy shows what holds."
            }
            Self::ClientTooOld { .. } => "Update the client.",
            Self::NotGenuine => {
                "Do not trust this connection: somebody may be between you and the hub. Tell its administrator."
            }
            Self::TooOld => {
                "Ask the hub's administrator to check its clock; if it was set back on purpose, remove the hub from this device and add it again."
            }
        }
    }
}

/// The document in `envelope`, if the pinned hub signed it for this person.
///
/// # Errors
/// [`PolicyRefusal::NotGenuine`].
pub fn verify_policy(
    envelope: &[u8],
    hub: &HubIdentity,
    user: &SubjectId,
) -> Result<HeldPolicy, PolicyRefusal> {
    let key = crate::lease::pinned_key(hub).ok_or(PolicyRefusal::NotGenuine)?;
    let payload =
        signed::verify(&key, signed::POLICY, envelope).map_err(|_| PolicyRefusal::NotGenuine)?;
    let document: PolicyDocument =
        serde_json::from_slice(payload).map_err(|_| PolicyRefusal::NotGenuine)?;
    if document.hub != hub.id || document.user != *user {
        return Err(PolicyRefusal::NotGenuine);
    }
    Ok(HeldPolicy {
        issued_at: document.issued_at,
        policy: document.policy.as_said_by_a_hub(),
    })
}

/// Takes a newer document. One that is missing leaves the one held, so that leaving it out
/// loosens nothing.
///
/// # Errors
/// [`PolicyRefusal::TooOld`]; the one held stays.
pub fn take_policy(
    held: &mut Option<HeldPolicy>,
    sent: Option<HeldPolicy>,
) -> Result<(), PolicyRefusal> {
    let Some(sent) = sent else { return Ok(()) };
    if let Some(held) = held
        && held.issued_at.since_ms(sent.issued_at) > CLOCK_SLACK_MS
    {
        return Err(PolicyRefusal::TooOld);
    }
    // Within the slack of clocks, the newer of the two stays.
    if held
        .as_ref()
        .is_none_or(|held| sent.issued_at >= held.issued_at)
    {
        *held = Some(sent);
    }
    Ok(())
}

impl Managed {
    /// What managed configuration alone says.
    pub fn policy(&self) -> Policy {
        Effective::of(self.sources.clone()).policy
    }

    /// What holds for what came from an account's hub.
    pub fn with_hub_of(&self, account: &Account) -> Effective {
        let mut sources = self.sources.clone();
        if let Some(held) = &account.policy {
            sources.push((account.url.clone(), held.policy.clone()));
        }
        Effective::of(sources)
    }

    /// What holds for the lock, of which there is one: what any source says.
    pub fn with_all_hubs(&self, body: &VaultBody) -> Effective {
        let mut sources = self.sources.clone();
        for account in &body.accounts {
            if let Some(held) = &account.policy {
                sources.push((account.url.clone(), held.policy.clone()));
            }
        }
        Effective::of(sources)
    }

    /// Whether this client is new enough.
    pub(crate) fn check_version(&self, policy: &Policy) -> Result<(), PolicyRefusal> {
        if self.client_version.is_empty() || policy.admits_client(&self.client_version) {
            return Ok(());
        }
        let least = policy
            .text(Key::MinimumClient)
            .unwrap_or_default()
            .to_owned();
        Err(PolicyRefusal::ClientTooOld { least })
    }

    /// Whether a hub may be used at all.
    pub(crate) fn check_hub(&self, url: &str) -> Result<(), PolicyRefusal> {
        let policy = self.policy();
        match policy.only_hubs() {
            Some(only) if !only.iter().any(|hub| hub == url) => Err(PolicyRefusal::HubNotAllowed {
                url: url.to_owned(),
            }),
            _ => self.check_version(&policy),
        }
    }
}

/// Minutes without use after which the device locks, in milliseconds.
pub(crate) fn idle_ms(policy: &Policy) -> i64 {
    i64::from(policy.number(Key::IdleMinutes)) * 60_000
}
