//! The client as one state machine over the ports: hubs, vault, log-in, downloads, opening.
//!
//! Every change is saved before the call returns; a kill leaves the state before or after.
//! Several processes may use one state folder: whatever is changed is read anew and written
//! while no other one writes ([`crate::ports::Storage::lock`]), and never over the network.
//! A browser, whose ports are asynchronous, uses the parts instead ([`crate::calls`],
//! [`crate::LeaseState`], [`crate::VaultFile`], [`crate::Catalogue`]).

mod download;
mod policy;
mod sign_in;
mod watch;

use satchel_base::{AppId, Clock, Entropy, UnixMillis, leaving_no_trace};
use satchel_contract::Manifest;

use crate::downloads::is_package_file;
use crate::ports::{HubPort, Storage};
use crate::state::{self, HUBS_FILE, VAULT_FILE};
use crate::{
    Account, DeviceError, Entry, HubEntry, HubFailure, HubList, KdfCost, Lock, Managed, Remaining,
    StorageError, VaultBody, VaultError, VaultFile, VaultKey, calls, find_named,
};

pub use download::DownloadEvent;
pub use sign_in::{Credentials, DeviceName, SignedIn};

/// The client of one device.
pub struct Client<'a> {
    storage: Box<dyn Storage + 'a>,
    hub: Box<dyn HubPort + 'a>,
    clock: Box<dyn Clock + 'a>,
    entropy: Box<dyn Entropy + 'a>,
    hubs: HubList,
    vault: Option<VaultFile>,
    lock: Lock,
    managed: Managed,
}

/// An app opened from this device.
#[derive(Debug)]
pub struct Opened {
    /// What was kept, for whom, as of when; verified.
    pub manifest: Manifest,
    /// The payload.
    pub payload: Vec<u8>,
    /// Time left.
    pub remaining: Remaining,
}

impl<'a> Client<'a> {
    /// Reads the state, having ended a wipe that began; files left over by a kill are removed
    /// once the vault is open.
    ///
    /// # Errors
    /// [`DeviceError::Storage`], [`VaultError::Damaged`], [`VaultError::TooNew`].
    pub fn load(
        mut storage: Box<dyn Storage + 'a>,
        hub: Box<dyn HubPort + 'a>,
        clock: Box<dyn Clock + 'a>,
        entropy: Box<dyn Entropy + 'a>,
    ) -> Result<Self, DeviceError> {
        if state::is_wiping(&*storage)? {
            let _alone = storage.lock()?;
            state::finish_wipe(&mut *storage)?;
        }
        let hubs = read_hubs(&*storage)?;
        let vault = storage
            .read(VAULT_FILE)?
            .map(|bytes| VaultFile::from_json(&bytes))
            .transpose()?;
        Ok(Self {
            storage,
            hub,
            clock,
            entropy,
            hubs,
            vault,
            lock: Lock::default(),
            managed: Managed::default(),
        })
    }

    /// The present time of this device's clock.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// The hubs.
    pub fn hubs(&self) -> &HubList {
        &self.hubs
    }

    /// The hub named, or the only one there is.
    ///
    /// # Errors
    /// [`DeviceError::NoSuchHub`], [`DeviceError::HubUrl`].
    pub fn resolve_hub(&self, named: Option<&str>) -> Result<HubEntry, DeviceError> {
        let (found, url) = match named {
            Some(text) => {
                let url = HubList::normal_url(text)?;
                (self.hubs.find(&url), url)
            }
            None => (self.hubs.hubs.first(), "-".to_owned()),
        };
        let found = found.cloned().ok_or(DeviceError::NoSuchHub { url })?;
        self.managed.check_hub(&found.url)?;
        Ok(found)
    }

    /// Whether a hub answers over a connection that passes every check. Any HTTP answer will
    /// do: what matters is the certificate.
    ///
    /// # Errors
    /// [`HubFailure::Unreachable`] with the check that failed.
    pub fn check_hub(&mut self, entry: &HubEntry) -> Result<(), DeviceError> {
        self.managed.check_hub(&entry.url)?;
        self.hub.send(entry, &calls::me(None))?;
        Ok(())
    }

    /// Adds a hub after checking it.
    ///
    /// # Errors
    /// As [`Self::check_hub`]; then nothing is added.
    pub fn add_hub(&mut self, entry: HubEntry) -> Result<(), DeviceError> {
        self.check_hub(&entry)?;
        let _alone = self.storage.lock()?;
        let mut hubs = read_hubs(&*self.storage)?;
        hubs.add(entry);
        self.save_hubs(hubs)
    }

    /// Removes a hub with its account, its downloads and the CA added for it. Needs the vault
    /// open if there is one. Once it is off the list it is gone: the rest follows now or, if
    /// this process dies, as soon as the vault is open again.
    ///
    /// # Errors
    /// [`DeviceError::NoSuchHub`], [`VaultError::Locked`].
    pub fn remove_hub(&mut self, url: &str) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        self.read_again()?;
        if self.vault.is_some() {
            self.lock.key(self.clock.now())?;
        }
        let mut hubs = read_hubs(&*self.storage)?;
        if !hubs.remove(url) {
            return Err(DeviceError::NoSuchHub {
                url: url.to_owned(),
            });
        }
        self.save_hubs(hubs)?;
        self.let_hubs_leave()
    }

    /// Removes what belongs to hubs that are no longer listed.
    fn let_hubs_leave(&mut self) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        let mut hubs = read_hubs(&*self.storage)?;
        if hubs.leaving.is_empty() {
            return Ok(());
        }
        let leaving = std::mem::take(&mut hubs.leaving);
        if self.vault.is_some() {
            self.update(|body| {
                let leaves = |url: &str| leaving.iter().any(|hub| hub.url == url);
                body.accounts.retain(|account| !leaves(&account.url));
                Ok(())
            })?;
        }
        for ca in leaving.into_iter().filter_map(|hub| hub.ca) {
            if !hubs.hubs.iter().any(|hub| hub.ca.as_ref() == Some(&ca)) {
                self.storage.remove(&ca)?;
            }
        }
        self.save_hubs(hubs)
    }

    /// Whether there is a vault, that is, whether anybody ever signed in.
    pub fn has_vault(&self) -> bool {
        self.vault.is_some()
    }

    /// The vault's file, to see which slots it has.
    pub fn vault(&self) -> Option<&VaultFile> {
        self.vault.as_ref()
    }

    /// Makes the vault, open, with one slot. If there is one and it is not open, it is opened
    /// by this protection: another process may have made it meanwhile.
    ///
    /// # Errors
    /// [`VaultError`], [`DeviceError::Storage`].
    pub fn make_vault(&mut self, protection: Protection<'_>) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        self.read_again()?;
        if self.vault.is_some() {
            return match protection {
                _ if self.lock.peek(self.clock.now()).is_ok() => Ok(()),
                Protection::Pin(pin) => self.unlock_with_pin(pin),
                Protection::OutsideKey { name, key } => self.unlock_with_key(name, key),
            };
        }
        self.check_protection(&protection)?;
        // What is left to leave had its account in no vault, least of all in this one.
        self.let_hubs_leave()?;
        let entropy = &mut *self.entropy;
        let (mut file, key) = VaultFile::make(entropy);
        match protection {
            Protection::Pin(pin) => file.set_pin(&key, pin, KdfCost::STANDARD, entropy)?,
            Protection::OutsideKey { name, key: kek } => {
                file.set_outside_key(&key, name, kek, entropy);
            }
        }
        let pin_chars = match protection {
            Protection::Pin(pin) => Some(policy::chars(pin)),
            Protection::OutsideKey { .. } => None,
        };
        let body = VaultBody {
            pin_chars,
            ..VaultBody::default()
        };
        self.lock.unlock(
            key,
            self.clock.now(),
            crate::policy::idle_ms(&self.managed.policy()),
        );
        self.vault = Some(file);
        let saved = self.save(&body);
        if saved.is_err() {
            self.vault = None;
            self.lock.lock();
        }
        saved
    }

    /// Unlocks with a PIN; that is a launch. One process at a time tries, so that every try
    /// counts.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn unlock_with_pin(&mut self, pin: &str) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        self.read_again()?;
        // Fewer tries than the vault was told last, if this device is told so now.
        let managed = self
            .managed
            .policy()
            .number(satchel_contract::policy::Key::PinTries);
        let vault = self.vault.as_mut().ok_or(VaultError::NoPin)?;
        vault.limit_tries(vault.tries().min(managed));
        let counted = vault.count_try();
        self.storage.write(VAULT_FILE, &vault.to_json())?;
        counted?;
        let tried = vault.try_pin(pin);
        self.storage.write(VAULT_FILE, &vault.to_json())?;
        self.unlocked(tried?)?;
        self.update(|body| {
            body.pin_chars = Some(policy::chars(pin));
            Ok(())
        })
    }

    /// Unlocks with a key kept outside; that is a launch.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`].
    pub fn unlock_with_key(&mut self, name: &str, kek: &[u8; 32]) -> Result<(), DeviceError> {
        let vault = self.vault.as_ref().ok_or(VaultError::WrongKey)?;
        let key = vault.open_with(name, kek)?;
        self.unlocked(key)
    }

    /// Goes on with a key taken from [`Self::session_key`] earlier; that is a launch.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if it is not this vault's key.
    pub fn unlock_with_session(&mut self, key: VaultKey) -> Result<(), DeviceError> {
        let vault = self.vault.as_ref().ok_or(VaultError::Locked)?;
        vault.load_body(&key)?;
        self.unlocked(key)
    }

    /// The vault's key, for keeping in memory between two runs of a command.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn session_key(&mut self) -> Result<&VaultKey, DeviceError> {
        Ok(self.lock.key(self.clock.now())?)
    }

    /// Drops the key.
    pub fn lock(&mut self) {
        self.lock.lock();
    }

    /// The accounts, with lease and downloads.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn accounts(&mut self) -> Result<Vec<Account>, DeviceError> {
        if self.vault.is_none() {
            return Ok(Vec::new());
        }
        Ok(self.body()?.accounts)
    }

    /// The download that `named` means, as [`find_named`] reads it.
    ///
    /// # Errors
    /// [`DeviceError::NotDownloaded`], [`DeviceError::Ambiguous`].
    pub fn find_download(&mut self, url: &str, named: &str) -> Result<Entry, DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, url)?;
        let entries = &account.downloads.entries;
        let found = find_named(
            entries,
            named,
            |entry| entry.app.as_str(),
            |entry| &entry.manifest.title,
        )?;
        found.cloned().ok_or_else(|| DeviceError::NotDownloaded {
            app: named.to_owned(),
        })
    }

    /// Opens a download: lock, lease, signatures, binding, in that order.
    ///
    /// # Errors
    /// The first of them that fails.
    pub fn open(&mut self, url: &str, app: &AppId) -> Result<Opened, DeviceError> {
        let now = self.clock.now();
        let before = self.body()?;
        let allowed = self.check_use(&before, account_of(&before, url)?);
        let (opened, account) = self.update(|body| {
            let account = body.account_mut(url).ok_or_else(|| not_signed_in(url))?;
            // Saved even when it is refused: the mark and a clock found behind must survive.
            Ok((account.lease.open(now), account.clone()))
        })?;
        allowed?;
        let remaining = opened?;
        let entry = account
            .downloads
            .entry(app)
            .ok_or_else(|| DeviceError::NotDownloaded {
                app: app.as_str().to_owned(),
            })?;
        let bytes = self
            .storage
            .read(&entry.file)?
            .ok_or_else(|| DeviceError::NotDownloaded {
                app: app.as_str().to_owned(),
            })?;
        let hub_key = account.hub_key().ok_or(DeviceError::AccountDamaged)?;
        let binding = account.binding(app);
        let opened = leaving_no_trace(|| {
            let kem_key = account.kem_key().ok_or(DeviceError::AccountDamaged)?;
            satchel_sealed::package::open(&bytes, &binding, &hub_key, &kem_key)
                .map_err(DeviceError::from)
        })?;
        let manifest = download::verified_manifest(&account, app, &opened.header)?;
        Ok(Opened {
            manifest,
            payload: opened.payload,
            remaining,
        })
    }

    /// Removes the download of an app; whether there was one.
    ///
    /// # Errors
    /// [`VaultError::Locked`], [`DeviceError::Storage`].
    pub fn remove_download(&mut self, url: &str, app: &AppId) -> Result<bool, DeviceError> {
        self.update(|body| {
            let account = body.account_mut(url).ok_or_else(|| not_signed_in(url))?;
            let removed = account.downloads.forget(app);
            account.downloads.abandon(app);
            Ok(removed.is_some())
        })
    }

    /// Notes that everything is to be removed, without removing it: for a caller that has
    /// something of its own to remove before [`Self::wipe`].
    ///
    /// # Errors
    /// [`DeviceError::Storage`].
    pub fn begin_wipe(&mut self) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        Ok(state::begin_wipe(&mut *self.storage)?)
    }

    /// Removes everything: keys first, so that a kill in between leaves only files that nothing
    /// can open any more. If it is interrupted, the next start goes on with it.
    ///
    /// # Errors
    /// [`DeviceError::Storage`]; calling again goes on.
    pub fn wipe(&mut self) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        self.lock.lock();
        state::begin_wipe(&mut *self.storage)?;
        state::finish_wipe(&mut *self.storage)?;
        self.vault = None;
        self.hubs = HubList::default();
        Ok(())
    }

    fn unlocked(&mut self, key: VaultKey) -> Result<(), DeviceError> {
        let now = self.clock.now();
        self.lock
            .unlock(key, now, crate::policy::idle_ms(&self.managed.policy()));
        self.let_hubs_leave()?;
        self.update(|body| {
            for account in &mut body.accounts {
                account.lease.launch(now);
            }
            Ok(())
        })
    }

    /// Changes what is in the vault, as it is now, and removes files it no longer names.
    /// Nothing is saved if `change` fails. Never to be called around a request to a hub.
    fn update<T>(
        &mut self,
        change: impl FnOnce(&mut VaultBody) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        let _alone = self.storage.lock()?;
        let mut body = self.body()?;
        let changed = change(&mut body)?;
        self.save(&body)?;
        self.remove_orphans(&body)?;
        Ok(changed)
    }

    /// What is in the vault now, whoever wrote it; that counts as a use.
    fn body(&mut self) -> Result<VaultBody, DeviceError> {
        self.read_again()?;
        let key = self.lock.key(self.clock.now())?;
        let vault = self.vault.as_ref().ok_or(VaultError::Locked)?;
        let bytes = vault.load_body(key)?;
        let mut body: VaultBody =
            serde_json::from_slice(&bytes).map_err(|_| VaultError::Damaged)?;
        self.keep_to_policy(&mut body);
        Ok(body)
    }

    /// Whatever needed the body counted as a use when it was read; writing does not count again.
    fn save(&mut self, body: &VaultBody) -> Result<(), DeviceError> {
        let key = self.lock.peek(self.clock.now())?;
        let mut vault = self.vault.clone().ok_or(VaultError::Locked)?;
        let bytes = zeroize::Zeroizing::new(
            serde_json::to_vec(body).expect("plain structs of strings and numbers serialise"),
        );
        vault.save_body(key, &bytes, &mut *self.entropy);
        let lock = self.managed.with_all_hubs(body).policy;
        vault.limit_tries(lock.number(satchel_contract::policy::Key::PinTries));
        self.storage.write(VAULT_FILE, &vault.to_json())?;
        self.vault = Some(vault);
        Ok(())
    }

    fn save_hubs(&mut self, hubs: HubList) -> Result<(), DeviceError> {
        let bytes = serde_json::to_vec_pretty(&hubs).expect("plain structs of strings serialise");
        self.storage.write(HUBS_FILE, &bytes)?;
        self.hubs = hubs;
        self.list_managed_hubs();
        Ok(())
    }

    /// Removes package files that no catalogue names.
    fn remove_orphans(&mut self, body: &VaultBody) -> Result<(), DeviceError> {
        for name in self.storage.list()? {
            let belongs = body
                .accounts
                .iter()
                .any(|account| account.downloads.files().any(|file| file == name));
            if is_package_file(&name) && !belongs {
                self.storage.remove(&name)?;
            }
        }
        Ok(())
    }
}

/// How a new vault is opened.
#[derive(Clone, Copy)]
pub enum Protection<'p> {
    /// By a PIN.
    Pin(&'p str),
    /// By a key kept outside.
    OutsideKey {
        /// The keystore's name.
        name: &'p str,
        /// The key.
        key: &'p [u8; 32],
    },
}

fn read_hubs(storage: &dyn Storage) -> Result<HubList, DeviceError> {
    let Some(bytes) = storage.read(HUBS_FILE)? else {
        return Ok(HubList::default());
    };
    let hubs = serde_json::from_slice(&bytes).map_err(|_| StorageError::Failed {
        name: HUBS_FILE.into(),
        action: "read",
        reason: "it is not a list of hubs".into(),
    })?;
    Ok(hubs)
}

fn not_signed_in(url: &str) -> DeviceError {
    DeviceError::NotSignedIn {
        url: url.to_owned(),
    }
}

fn account_of<'b>(body: &'b VaultBody, url: &str) -> Result<&'b Account, DeviceError> {
    body.account(url).ok_or_else(|| not_signed_in(url))
}

/// Whether the hub says that the session is over.
fn is_session_over(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::Hub(HubFailure::Refused { status: 401, .. })
    )
}

/// Whether the hub says that this device keeps a newer grant than it came with.
fn is_stale(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::Hub(HubFailure::Refused { error, .. }) if error.code == "lease.stale"
    )
}

/// Whether the hub says that this device is revoked.
fn is_revoked(error: &DeviceError) -> bool {
    matches!(
        error,
        DeviceError::Hub(HubFailure::Refused { error, .. }) if error.code == "device.revoked"
    )
}
