//! Keeping an app open: looking at lock and lease again and again while it is in use.
//!
//! Another run of the client may lock, sign out, download or wipe meanwhile, so everything is
//! read anew. Rules: DESIGN §3 *Lease* and *Lock*.

use satchel_base::UnixMillis;

use super::{Client, account_of, not_signed_in};
use crate::state::VAULT_FILE;
use crate::{Account, DeviceError, VaultError, VaultFile};

/// A minute: how much of the time seen a kill may make this device forget.
const SAVE_EVERY_MS: i64 = 60_000;

impl Client<'_> {
    /// The account at `url` as it stands now, its lease having looked at the clock. Not a use:
    /// the idle time of the lock runs on. Whether downloads are open says
    /// [`crate::LeaseState::remaining`].
    ///
    /// # Errors
    /// [`VaultError::Locked`] once the idle time is over or the vault is another one;
    /// [`DeviceError::NotSignedIn`] if the account is gone.
    pub fn watch(&mut self, url: &str) -> Result<Account, DeviceError> {
        let _alone = self.storage.lock()?;
        self.read_again()?;
        let now = self.clock.now();
        let mut body = {
            let key = self.lock.peek(now)?;
            let vault = self.vault.as_ref().ok_or(VaultError::Locked)?;
            let bytes = vault.load_body(key)?;
            serde_json::from_slice::<crate::VaultBody>(&bytes).map_err(|_| VaultError::Damaged)?
        };
        self.keep_to_policy(&mut body);
        self.check_use(&body, account_of(&body, url)?)?;
        let account = body.account_mut(url).ok_or_else(|| not_signed_in(url))?;
        let seen = account.lease.high_water();
        let was_open = account.lease.remaining(seen.unwrap_or(now)).is_ok();
        account.lease.observe(now);
        let is_open = account.lease.remaining(now).is_ok();
        if was_open != is_open || is_due(seen, account.lease.high_water()) {
            self.save(&body)?;
        }
        account_of(&body, url).cloned()
    }

    /// Somebody used what is open: the idle time starts anew.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn touch(&mut self) -> Result<(), DeviceError> {
        self.lock.key(self.clock.now())?;
        Ok(())
    }

    /// Takes over what another run of the client wrote. A vault that is gone locks this one.
    ///
    /// # Errors
    /// [`DeviceError::Storage`], [`VaultError::Damaged`].
    pub fn read_again(&mut self) -> Result<(), DeviceError> {
        let bytes = self.storage.read(VAULT_FILE)?;
        self.vault = bytes
            .map(|bytes| VaultFile::from_json(&bytes))
            .transpose()?;
        if self.vault.is_none() {
            self.lock.lock();
        }
        Ok(())
    }
}

fn is_due(before: Option<UnixMillis>, after: Option<UnixMillis>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => after.since_ms(before) >= SAVE_EVERY_MS,
        (before, after) => before != after,
    }
}
