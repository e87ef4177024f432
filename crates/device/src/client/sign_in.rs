//! Signing in and out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_base::leaving_no_trace;
use satchel_contract::policy::Key;
use satchel_contract::{Challenge, Enrol, Enrolled, Lease, Me};
use serde::de::DeserializeOwned;

use super::{Client, Protection, account_of, is_revoked, is_session_over, is_stale, not_signed_in};
use crate::account::NewKeys;
use crate::policy::{take_policy, verify_policy};
use crate::ports::HubRequest;
use crate::{Account, DeviceError, HubEntry, PolicyRefusal, calls, verify_grant};

/// The result of a log-in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Who, and what they may do.
    pub me: Me,
    /// Whether this device was enrolled by it.
    pub newly_enrolled: bool,
    /// Whether the device may sign in again by itself.
    pub remembered: bool,
    /// Titles of apps removed because the rights to them are gone.
    pub removed: Vec<String>,
}

/// What a person signs in with.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `DIRECTORY\name`, or a name of the hub's own directory.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
    /// A code of the second factor, if the hub asked for one (`sign_in.code_needed`).
    pub code: Option<&'a str>,
}

/// What a device tells the hub about itself.
#[derive(Clone, Debug)]
pub struct DeviceName {
    /// What the person calls it.
    pub name: String,
    /// `linux`, `macos`, …
    pub platform: String,
    /// `satchel 0.1.0`.
    pub client: String,
}

impl Client<'_> {
    /// Signs in with a password, enrols this device if it is not yet, and takes the grant.
    ///
    /// A vault that exists must be open; if there is none, one is made with `protection`, but
    /// only after the hub accepted the password.
    ///
    /// # Errors
    /// The hub's refusal, [`DeviceError::IdentityChanged`], [`DeviceError::OtherUser`], a
    /// [`crate::LeaseError`] if the grant is not genuine.
    pub fn sign_in(
        &mut self,
        hub: &HubEntry,
        with: Credentials<'_>,
        remember: bool,
        device: &DeviceName,
        protection: Protection<'_>,
    ) -> Result<SignedIn, DeviceError> {
        if self.has_vault() {
            self.body()?;
        }
        if !self.has_vault() {
            // Before the hub is asked anything.
            self.check_protection(&protection)?;
        }
        let (me, cookie) = self.check_password(hub, with)?;
        self.make_vault(protection)?;
        self.signed_in(hub, me, cookie, Some((remember, device)))
    }

    /// Asks the hub whether a password is right, without keeping anything.
    fn check_password(
        &mut self,
        hub: &HubEntry,
        with: Credentials<'_>,
    ) -> Result<(Me, String), DeviceError> {
        let request = calls::sign_in(with.user, with.password, with.code);
        let response = self.hub.send(hub, &request)?;
        let me: Me = calls::answer("sign-in", &response)?;
        let cookie = response.cookie.ok_or_else(|| DeviceError::BadAnswer {
            to: "sign-in".into(),
        })?;
        Ok((me, cookie))
    }

    /// Signs in by this device's key, if the log-in was remembered.
    ///
    /// # Errors
    /// [`DeviceError::NotSignedIn`] if it was not; the hub's refusal.
    pub fn sign_in_remembered(&mut self, hub: &HubEntry) -> Result<SignedIn, DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, &hub.url)?;
        if !account.remembered {
            return Err(not_signed_in(&hub.url));
        }
        let policy = self.managed.with_hub_of(account).policy;
        if !policy.is_on(Key::AllowRemember) {
            return Err(PolicyRefusal::NoRemember.into());
        }
        let response = self.hub.send(hub, &calls::challenge(&account.device))?;
        let challenge: Challenge = calls::answer("challenge", &response)?;
        let request = calls::device_sign_in(account, &challenge)?;
        let response = self.hub.send(hub, &request)?;
        let me: Me = self.obey(hub, calls::answer("sign-in", &response))?;
        let cookie = response.cookie.ok_or_else(|| DeviceError::BadAnswer {
            to: "sign-in".into(),
        })?;
        self.signed_in(hub, me, cookie, None)
    }

    /// Signs out: at the hub, if it can be reached, and on this device in any case. Downloads
    /// stay, closed. The answer is whether the hub was told.
    ///
    /// # Errors
    /// [`crate::VaultError::Locked`], [`DeviceError::NotSignedIn`].
    pub fn sign_out(&mut self, hub: &HubEntry) -> Result<bool, DeviceError> {
        let (cookie, device, was_remembered) = self.update(|body| {
            let account = body
                .account_mut(&hub.url)
                .ok_or_else(|| not_signed_in(&hub.url))?;
            account.lease.sign_out();
            let was_remembered = std::mem::take(&mut account.remembered);
            Ok((
                account.cookie.take(),
                account.device.clone(),
                was_remembered,
            ))
        })?;
        let Some(cookie) = cookie else {
            return Ok(false);
        };
        let mut told = true;
        if was_remembered {
            let forgotten = self.hub.send(hub, &calls::forget(&cookie, &device));
            told &= forgotten.is_ok_and(|response| response.status < 400);
        }
        let ended = self.hub.send(hub, &calls::sign_out(&cookie));
        told &= ended.is_ok_and(|response| response.status < 400);
        Ok(told)
    }

    /// Sends a request as the account's user; signs in again by the device's key if the
    /// session is over and the log-in was remembered.
    pub(super) fn ask<T: DeserializeOwned>(
        &mut self,
        hub: &HubEntry,
        what: &str,
        request: impl Fn(&str, &Account) -> HubRequest,
    ) -> Result<T, DeviceError> {
        match self.ask_once(hub, what, &request) {
            Err(error) if is_session_over(&error) => {}
            Err(DeviceError::NotSignedIn { .. }) => {}
            other => return other,
        }
        self.sign_in_remembered(hub)?;
        self.ask_once(hub, what, &request)
    }

    fn ask_once<T: DeserializeOwned>(
        &mut self,
        hub: &HubEntry,
        what: &str,
        request: impl Fn(&str, &Account) -> HubRequest,
    ) -> Result<T, DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, &hub.url)?;
        let cookie = account
            .cookie
            .as_deref()
            .ok_or_else(|| not_signed_in(&hub.url))?;
        let response = self.hub.send(hub, &request(cookie, account))?;
        self.obey(hub, calls::answer(what, &response))
    }

    /// If the hub says that this device is revoked, its account goes: keys first, then the
    /// downloads that only they opened.
    fn obey<T>(
        &mut self,
        hub: &HubEntry,
        answer: Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        if answer.as_ref().is_err_and(is_revoked) {
            self.update(|body| {
                body.accounts.retain(|account| account.url != hub.url);
                Ok(())
            })?;
        }
        answer
    }

    /// A session is there: enrol or renew, and take the grant.
    fn signed_in(
        &mut self,
        hub: &HubEntry,
        me: Me,
        cookie: String,
        enrolment: Option<(bool, &DeviceName)>,
    ) -> Result<SignedIn, DeviceError> {
        let body = self.body()?;
        let known = body.account(&hub.url).map(|a| a.device.clone());
        if let Some(account) = body.account(&hub.url) {
            if account.hub.id != me.hub.id || account.hub.signing_key != me.hub.signing_key {
                return Err(DeviceError::IdentityChanged {
                    url: hub.url.clone(),
                });
            }
            if account.user != me.user {
                return Err(DeviceError::OtherUser {
                    user: account.user.as_str().to_owned(),
                });
            }
        }
        let renewed = match &known {
            Some(_) => self.renew(hub, &body, &cookie)?,
            None => None,
        };
        let now = self.clock.now();
        let enrolled = match (&renewed, enrolment) {
            (Some(_), _) => None,
            (None, Some((remember, device))) => {
                Some(self.enrol(hub, &me, &cookie, remember, device, now)?)
            }
            (None, None) => return Err(not_signed_in(&hub.url)),
        };
        // A log-in that is not to be remembered ends an earlier one that was. The other way
        // round needs a new enrolment, which would cost the downloads: the choice stays.
        let forgets = enrolment.is_some_and(|(remember, _)| !remember);
        if let Some(account) = body.account(&hub.url)
            && renewed.is_some()
            && forgets
            && account.remembered
        {
            let response = self
                .hub
                .send(hub, &calls::forget(&cookie, &account.device))?;
            calls::refusal(&response)?;
        }
        let signed_in = self.update(|body| {
            let mut removed = Vec::new();
            let newly_enrolled = enrolled.is_some();
            if body.account(&hub.url).map(|a| &a.device) != known.as_ref() {
                // Another process enrolled, signed out for good or was told to go meanwhile.
                return Err(not_signed_in(&hub.url));
            }
            if let Some(account) = enrolled {
                // What the old keys opened, the new ones cannot.
                let old = body.account(&hub.url).into_iter();
                let old = old.flat_map(|old| &old.downloads.entries);
                removed.extend(old.map(|entry| entry.manifest.title.clone()));
                body.accounts.retain(|account| account.url != hub.url);
                body.accounts.push(account);
            }
            let account = body
                .account_mut(&hub.url)
                .ok_or_else(|| not_signed_in(&hub.url))?;
            if let Some(lease) = renewed {
                take_grant(account, &lease.grant, now)?;
                hear_policy(account, lease.policy.as_deref())?;
                for app in &lease.revoked {
                    if let Some(entry) = account.downloads.entry(app) {
                        removed.push(entry.manifest.title.clone());
                    }
                    account.downloads.forget(app);
                    account.downloads.abandon(app);
                }
            }
            if forgets {
                account.remembered = false;
            }
            account.cookie = Some(cookie.clone());
            account.name.clone_from(&me.name);
            let remembered = account.remembered;
            let signed_in = SignedIn {
                me,
                newly_enrolled,
                remembered,
                removed,
            };
            Ok((signed_in, calls::lease_kept(&cookie, account)))
        });
        let (signed_in, kept) = signed_in?;
        // Last of all, once it is written down. If the hub does not hear it, it hears of the
        // grant at the next renewal.
        let _ = self.hub.send(hub, &kept);
        Ok(signed_in)
    }

    /// A fresh grant for the device as it is enrolled; `None` if the hub no longer knows it.
    fn renew(
        &mut self,
        hub: &HubEntry,
        body: &crate::VaultBody,
        cookie: &str,
    ) -> Result<Option<Lease>, DeviceError> {
        let account = account_of(body, &hub.url)?;
        let mut response = self.hub.send(hub, &calls::lease(cookie, account, false))?;
        let refused = calls::refusal(&response).map_err(DeviceError::from);
        if refused.is_err_and(|error| is_stale(&error)) {
            // Another process of this device may have renewed meanwhile; if none did, there is
            // another copy of these files.
            let body = self.body()?;
            let account = account_of(&body, &hub.url)?;
            response = self.hub.send(hub, &calls::lease(cookie, account, true))?;
        }
        if response.status == 404 || response.status == 410 {
            return Ok(None);
        }
        self.obey(hub, calls::answer("lease", &response)).map(Some)
    }

    fn enrol(
        &mut self,
        hub: &HubEntry,
        me: &Me,
        cookie: &str,
        remember: bool,
        device: &DeviceName,
        now: satchel_base::UnixMillis,
    ) -> Result<Account, DeviceError> {
        leaving_no_trace(|| self.enrol_with_new_keys(hub, me, cookie, remember, device, now))
    }

    fn enrol_with_new_keys(
        &mut self,
        hub: &HubEntry,
        me: &Me,
        cookie: &str,
        remember: bool,
        device: &DeviceName,
        now: satchel_base::UnixMillis,
    ) -> Result<Account, DeviceError> {
        let keys = NewKeys::make(&mut *self.entropy);
        let enrol = Enrol {
            name: device.name.clone(),
            platform: device.platform.clone(),
            kem_key: STANDARD.encode(keys.kem.public_key().to_bytes()),
            signing_key: STANDARD.encode(keys.signing.verifying_key().to_bytes()),
            remember: remember
                && me.may_remember
                && self.managed.policy().is_on(Key::AllowRemember),
            client: device.client.clone(),
        };
        let response = self.hub.send(hub, &calls::enrol(cookie, &enrol))?;
        let enrolled: Enrolled = calls::answer("enrolment", &response)?;
        if enrolled.hub.id != me.hub.id || enrolled.hub.signing_key != me.hub.signing_key {
            return Err(DeviceError::IdentityChanged {
                url: hub.url.clone(),
            });
        }
        let mut account = Account::new(
            hub.url.clone(),
            enrolled.hub,
            (me.user.clone(), me.name.clone()),
            enrolled.device,
            enrol.remember,
            &keys,
        );
        take_grant(&mut account, &enrolled.grant, now)?;
        hear_policy(&mut account, enrolled.policy.as_deref())?;
        Ok(account)
    }
}

/// Verifies a grant by the pinned key and starts the lease by it.
fn take_grant(
    account: &mut Account,
    grant: &str,
    now: satchel_base::UnixMillis,
) -> Result<(), DeviceError> {
    let envelope = STANDARD
        .decode(grant)
        .map_err(|_| crate::LeaseError::GrantNotGenuine)?;
    let grant = verify_grant(&envelope, &account.hub, &account.user, &account.device)?;
    account.lease.log_in(grant, now)?;
    Ok(())
}

/// Verifies the hub's policy by the pinned key and keeps it.
fn hear_policy(account: &mut Account, sent: Option<&str>) -> Result<(), DeviceError> {
    let sent = match sent {
        None => None,
        Some(text) => {
            let envelope = STANDARD
                .decode(text)
                .map_err(|_| PolicyRefusal::NotGenuine)?;
            Some(verify_policy(&envelope, &account.hub, &account.user)?)
        }
    };
    take_policy(&mut account.policy, sent)?;
    if let Some(held) = &account.policy
        && !held.policy.is_on(Key::AllowRemember)
    {
        account.remembered = false;
    }
    Ok(())
}
