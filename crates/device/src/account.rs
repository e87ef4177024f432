//! What the vault's body holds: one account for each hub signed in to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_base::{DeviceId, Entropy, KeyBytes, SubjectId};
use satchel_contract::HubIdentity;
use satchel_sealed::package::Binding;
use satchel_sealed::{DeviceSecretKey, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::{Catalogue, LeaseState};

/// A person's enrolment at one hub, with everything that hangs on it.
///
/// Written into the vault only. `Debug` shows no secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    /// The hub's address.
    pub url: String,
    /// The hub as pinned at enrolment.
    pub hub: HubIdentity,
    /// Who enrolled.
    pub user: SubjectId,
    /// Their name as the hub shows it.
    pub name: String,
    /// This device's id at the hub.
    pub device: DeviceId,
    /// Whether this device may sign in again by its key.
    pub remembered: bool,
    /// What the hub's administrator lets this person's devices do.
    #[serde(default)]
    pub policy: Option<crate::policy::HeldPolicy>,
    /// The lease.
    #[serde(default)]
    pub lease: LeaseState,
    /// The downloads.
    #[serde(default)]
    pub downloads: Catalogue,
    /// The session cookie of the last log-in (`name=value`); lapses at the hub.
    #[serde(default)]
    pub(crate) cookie: Option<String>,
    keys: AccountKeys,
}

/// Seeds of the device's keys, base64.
#[derive(Clone, Serialize, Deserialize)]
struct AccountKeys {
    kem_seed: String,
    signing_seed: String,
}

impl Drop for AccountKeys {
    fn drop(&mut self) {
        self.kem_seed.zeroize();
        self.signing_seed.zeroize();
    }
}

/// New keys of a device, before the hub knows them.
pub(crate) struct NewKeys {
    pub kem: DeviceSecretKey,
    pub signing: SigningKey,
}

impl NewKeys {
    pub fn make(entropy: &mut dyn Entropy) -> Self {
        Self {
            kem: DeviceSecretKey::make(entropy),
            signing: SigningKey::make(entropy),
        }
    }
}

impl Account {
    /// An account just enrolled, not logged in yet.
    pub(crate) fn new(
        url: String,
        hub: HubIdentity,
        (user, name): (SubjectId, String),
        device: DeviceId,
        remembered: bool,
        keys: &NewKeys,
    ) -> Self {
        Self {
            url,
            hub,
            user,
            name,
            device,
            remembered,
            policy: None,
            lease: LeaseState::default(),
            downloads: Catalogue::default(),
            cookie: None,
            keys: AccountKeys {
                kem_seed: STANDARD.encode(keys.kem.seed().as_slice()),
                signing_seed: STANDARD.encode(keys.signing.seed().as_slice()),
            },
        }
    }

    /// The key that opens this account's packages.
    pub fn kem_key(&self) -> Option<DeviceSecretKey> {
        seed(&self.keys.kem_seed).map(|seed| DeviceSecretKey::from_seed(seed.expose()))
    }

    /// The key this device signs in with.
    pub fn signing_key(&self) -> Option<SigningKey> {
        seed(&self.keys.signing_seed).map(|seed| SigningKey::from_seed(seed.expose()))
    }

    /// The hub's pinned key.
    pub fn hub_key(&self) -> Option<VerifyingKey> {
        crate::lease::pinned_key(&self.hub)
    }

    /// What a package of `app` must say it is.
    pub fn binding(&self, app: &satchel_base::AppId) -> Binding {
        Binding {
            hub: self.hub.id.clone(),
            user: self.user.as_str().to_owned(),
            device: self.device.as_str().to_owned(),
            app: app.as_str().to_owned(),
        }
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("url", &self.url)
            .field("user", &self.user)
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

fn seed(text: &str) -> Option<KeyBytes> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    KeyBytes::from_slice(&bytes)
}

/// What is in the vault.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct VaultBody {
    /// At most one account for each hub.
    #[serde(default)]
    pub accounts: Vec<Account>,
    /// Characters of the PIN, for a policy that demands more; in here, as it helps to guess.
    #[serde(default)]
    pub pin_chars: Option<u32>,
}

impl VaultBody {
    /// The account at the hub of that address.
    pub fn account(&self, url: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.url == url)
    }

    /// The same, to change.
    pub fn account_mut(&mut self, url: &str) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.url == url)
    }
}
