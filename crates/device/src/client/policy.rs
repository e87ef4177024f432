//! Keeping to policy, and the ways to unlock, which policy has a say in.

use satchel_contract::Policy;
use satchel_contract::policy::{Effective, Key};

use super::{Client, account_of};
use crate::policy::{Managed, PolicyRefusal, idle_ms};
use crate::{Account, DeviceError, HubEntry, KdfCost, VaultBody, VaultError};

impl Client<'_> {
    /// Takes over what this device is told from outside. Hubs it names are in the list.
    pub fn manage(&mut self, managed: Managed) {
        self.managed = managed;
        self.list_managed_hubs();
    }

    /// What managed configuration says.
    pub fn managed(&self) -> &Managed {
        &self.managed
    }

    /// What holds for a hub and what came from it, and who decided it.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn policy(&mut self, url: &str) -> Result<Effective, DeviceError> {
        if self.vault.is_none() {
            return Ok(Effective::of(self.managed.sources.clone()));
        }
        let body = self.body()?;
        Ok(match body.account(url) {
            Some(account) => self.managed.with_hub_of(account),
            None => Effective::of(self.managed.sources.clone()),
        })
    }

    /// Milliseconds without use after which this device locks.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn idle_ms(&mut self) -> Result<i64, DeviceError> {
        if self.vault.is_none() {
            return Ok(idle_ms(&self.managed.policy()));
        }
        let body = self.body()?;
        Ok(idle_ms(&self.managed.with_all_hubs(&body).policy))
    }

    /// Sets or changes the PIN, which then is the only way in. Nothing that was downloaded is
    /// encrypted anew.
    ///
    /// # Errors
    /// [`PolicyRefusal::PinTooShort`], [`VaultError::PinLength`], [`VaultError::Locked`].
    pub fn set_pin(&mut self, pin: &str) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        let mut body = self.body()?;
        check_pin_length(
            &self.managed.with_all_hubs(&body).policy,
            pin.chars().count(),
        )?;
        let key = self.lock.key(self.clock.now())?;
        let mut vault = self.vault.clone().ok_or(VaultError::Locked)?;
        vault.set_pin(key, pin, KdfCost::STANDARD, &mut *self.entropy)?;
        // A key lying beside it would make the PIN a mere question.
        vault.remove_outside_keys();
        body.pin_chars = Some(chars(pin));
        self.write_vault(vault, &body)
    }

    /// Puts a key kept outside in the PIN's place.
    ///
    /// # Errors
    /// [`PolicyRefusal::LockRequired`], [`VaultError::Locked`].
    pub fn replace_pin(&mut self, name: &str, kek: &[u8; 32]) -> Result<(), DeviceError> {
        let _alone = self.storage.lock()?;
        let mut body = self.body()?;
        if self
            .managed
            .with_all_hubs(&body)
            .policy
            .is_on(Key::RequireLock)
        {
            return Err(PolicyRefusal::LockRequired.into());
        }
        let key = self.lock.key(self.clock.now())?;
        let mut vault = self.vault.clone().ok_or(VaultError::Locked)?;
        vault.set_outside_key(key, name, kek, &mut *self.entropy);
        vault.remove_pin();
        body.pin_chars = None;
        self.write_vault(vault, &body)
    }

    /// Vault and body in one write.
    fn write_vault(
        &mut self,
        vault: crate::VaultFile,
        body: &VaultBody,
    ) -> Result<(), DeviceError> {
        let before = self.vault.replace(vault);
        let saved = self.save(body);
        if saved.is_err() {
            self.vault = before;
        }
        saved
    }

    /// Whether downloads of an account may be fetched and opened.
    pub(super) fn check_use(
        &self,
        body: &VaultBody,
        account: &Account,
    ) -> Result<(), PolicyRefusal> {
        let effective = self.managed.with_hub_of(account).policy;
        self.managed.check_version(&effective)?;
        if !effective.is_on(Key::AllowDownloads) {
            return Err(PolicyRefusal::NoDownloads);
        }
        let lock = self.managed.with_all_hubs(body).policy;
        let has_pin = self.vault.as_ref().is_some_and(|vault| vault.has_pin());
        let has_key = self
            .vault
            .as_ref()
            .is_some_and(|vault| vault.has_outside_key("file"));
        if lock.is_on(Key::RequireLock) && (!has_pin || has_key) {
            return Err(PolicyRefusal::LockRequired);
        }
        if has_pin {
            let length = body.pin_chars.map_or(0, |chars| chars as usize);
            check_pin_length(&lock, length.max(crate::vault::MIN_PIN_CHARS))?;
        }
        Ok(())
    }

    /// [`Self::check_use`] for a hub, before it is asked anything.
    pub(super) fn check_use_at(&mut self, hub: &HubEntry) -> Result<(), DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, &hub.url)?;
        Ok(self.check_use(&body, account)?)
    }

    /// Whether a new vault may be protected that way.
    pub(super) fn check_protection(
        &self,
        protection: &super::Protection<'_>,
    ) -> Result<(), PolicyRefusal> {
        let policy = self.managed.policy();
        match protection {
            super::Protection::Pin(pin) => check_pin_length(&policy, pin.chars().count()),
            super::Protection::OutsideKey { name: "file", .. }
                if policy.is_on(Key::RequireLock) =>
            {
                Err(PolicyRefusal::LockRequired)
            }
            super::Protection::OutsideKey { .. } => Ok(()),
        }
    }

    /// Makes what was read keep to policy: hours of leases, idle time.
    pub(super) fn keep_to_policy(&mut self, body: &mut VaultBody) {
        for account in &mut body.accounts {
            let policy = self.managed.with_hub_of(account).policy;
            let hours = u16::try_from(policy.number(Key::MaxOfflineHours)).unwrap_or(u16::MAX);
            account.lease.limit(hours);
        }
        let lock = self.managed.with_all_hubs(body).policy;
        self.lock.set_idle_ms(idle_ms(&lock));
    }

    /// Puts hubs of managed configuration into the list, in memory.
    pub(super) fn list_managed_hubs(&mut self) {
        let policy = self.managed.policy();
        for url in policy.list(Key::Hubs).unwrap_or_default() {
            let normal = crate::HubList::normal_url(url);
            if let Ok(url) = normal
                && self.hubs.find(&url).is_none()
            {
                self.hubs.hubs.push(HubEntry { url, ca: None });
            }
        }
    }
}

pub(super) fn chars(pin: &str) -> u32 {
    u32::try_from(pin.chars().count()).unwrap_or(u32::MAX)
}

fn check_pin_length(policy: &Policy, chars: usize) -> Result<(), PolicyRefusal> {
    let least = policy.number(Key::PinLength);
    // What nobody demands is the vault's own to say.
    if policy.get(Key::PinLength).is_some() && chars < least as usize {
        return Err(PolicyRefusal::PinTooShort { least });
    }
    Ok(())
}
