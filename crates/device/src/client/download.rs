//! Fetching packages: prepared by the hub, streamed into a file, checked, put in place.

use satchel_base::{AppId, UnixMillis, leaving_no_trace};
use satchel_contract::{AppList, Download, DownloadPreview, DownloadState, Manifest};
use satchel_sealed::package::{Header, Reader};
use satchel_sealed::{DeviceSecretKey, OpenError, VerifyingKey, signed};

use super::{Client, account_of, is_stale, not_signed_in};
use crate::downloads::{PACKAGE_PREFIX, PART_PREFIX};
use crate::{Account, DeviceError, Entry, HubEntry, HubFailure, Partial, calls};

/// Four: bridges a lift or a tunnel; a longer gap is the user's to judge.
const TRIES_WITHOUT_PROGRESS: u32 = 4;
/// A quarter of a second between looks at a download the hub prepares.
const POLL_MS: u64 = 250;
/// 256 KiB are collected before they are written.
const WRITE_BYTES: usize = 256 * 1024;

/// How far a download is, for a progress bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadEvent {
    /// Another process of this client fetches the same app.
    Waiting,
    /// The hub reduces and seals.
    Preparing,
    /// Bytes come in.
    Fetching {
        /// Bytes here.
        received: u64,
        /// Bytes in all.
        size: u64,
    },
    /// The connection broke; it is tried again.
    Interrupted,
    /// Everything is here and is being checked.
    Checking,
}

impl Client<'_> {
    /// The apps at a hub.
    ///
    /// # Errors
    /// The hub's refusal, [`DeviceError::NotSignedIn`].
    pub fn apps(&mut self, hub: &HubEntry) -> Result<AppList, DeviceError> {
        self.ask(hub, "apps", |cookie, _| calls::apps(cookie))
    }

    /// What a download would hold.
    ///
    /// # Errors
    /// As [`Self::apps`].
    pub fn preview(&mut self, hub: &HubEntry, app: &AppId) -> Result<DownloadPreview, DeviceError> {
        self.ask(hub, "download-preview", |cookie, _| {
            calls::preview(cookie, app)
        })
    }

    /// Downloads an app, or goes on with a download that was broken off. If another process
    /// fetches the same app, waits for it: what that one fetched is the answer, or, if it
    /// failed, its work is gone on with.
    ///
    /// # Errors
    /// Whatever ends it; what was fetched stays for the next call, unless it is damaged or the
    /// disk is full.
    pub fn download(
        &mut self,
        hub: &HubEntry,
        app: &AppId,
        progress: &mut dyn FnMut(DownloadEvent),
    ) -> Result<Entry, DeviceError> {
        self.check_use_at(hub)?;
        let work = work_on(hub, app);
        let held = self.held(hub, app)?;
        let _claim = loop {
            match self.storage.claim(&work)? {
                Some(claim) => break claim,
                None => {
                    progress(DownloadEvent::Waiting);
                    self.hub.pause_ms(POLL_MS);
                }
            }
        };
        let now = self.held(hub, app)?;
        if let Some(fetched) = now
            && held.is_none_or(|held| held.file != fetched.file)
        {
            return Ok(fetched);
        }
        let partial = match self.resumable(hub, app)? {
            Some(partial) => partial,
            None => self.prepare(hub, app, progress)?,
        };
        let fetched = self.fetch_all(hub, &partial, progress);
        if fetched.as_ref().is_err_and(DeviceError::is_full) {
            // What is there of it must not keep the apps that are whole from being opened.
            let _ = self.storage.remove(&partial.file);
        }
        fetched?;
        progress(DownloadEvent::Checking);
        self.put_in_place(hub, &partial)
    }

    /// The complete download of an app.
    fn held(&mut self, hub: &HubEntry, app: &AppId) -> Result<Option<Entry>, DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, &hub.url)?;
        Ok(account.downloads.entry(app).cloned())
    }

    /// A download begun earlier that the hub still has, unchanged.
    fn resumable(&mut self, hub: &HubEntry, app: &AppId) -> Result<Option<Partial>, DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, &hub.url)?;
        let Some(partial) = account.downloads.partial(app).cloned() else {
            return Ok(None);
        };
        let there: Result<Download, _> = self.ask(hub, "download", |cookie, _| {
            calls::download(cookie, &partial.download)
        });
        match there {
            Ok(download) if download.blake3.as_deref() == Some(&partial.blake3) => {
                Ok(Some(partial))
            }
            Ok(_) => self.abandon(hub, app).map(|()| None),
            Err(DeviceError::Hub(HubFailure::Refused {
                status: 403 | 404 | 410,
                ..
            })) => self.abandon(hub, app).map(|()| None),
            Err(error) => Err(error),
        }
    }

    fn abandon(&mut self, hub: &HubEntry, app: &AppId) -> Result<(), DeviceError> {
        self.update(|body| {
            if let Some(account) = body.account_mut(&hub.url) {
                account.downloads.abandon(app);
            }
            Ok(())
        })
    }

    /// Lets the hub prepare a package, and notes it.
    fn prepare(
        &mut self,
        hub: &HubEntry,
        app: &AppId,
        progress: &mut dyn FnMut(DownloadEvent),
    ) -> Result<Partial, DeviceError> {
        let start = |again| {
            move |cookie: &str, account: &Account| {
                calls::start_download(cookie, app, account, again)
            }
        };
        let started = match self.ask(hub, "downloads", start(false)) {
            // Asked again with what is kept now.
            Err(error) if is_stale(&error) => self.ask(hub, "downloads", start(true)),
            started => started,
        };
        let mut download: Download = started?;
        while download.state == DownloadState::Preparing {
            progress(DownloadEvent::Preparing);
            self.hub.pause_ms(POLL_MS);
            let id = download.id.clone();
            download = self.ask(hub, "download", |cookie, _| calls::download(cookie, &id))?;
        }
        let bad_answer = || DeviceError::BadAnswer {
            to: "download".into(),
        };
        if download.state != DownloadState::Ready {
            return Err(download
                .error
                .map_or_else(bad_answer, DeviceError::DownloadFailed));
        }
        // The id becomes part of a file name and of paths.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if download.id.is_empty() || download.id.len() > 64 || !download.id.chars().all(plain) {
            return Err(bad_answer());
        }
        let partial = Partial {
            app: app.clone(),
            file: format!("{PART_PREFIX}{}", download.id),
            size: download.size.ok_or_else(bad_answer)?,
            blake3: download.blake3.ok_or_else(bad_answer)?.to_lowercase(),
            download: download.id,
        };
        self.update(|body| {
            let account = body
                .account_mut(&hub.url)
                .ok_or_else(|| not_signed_in(&hub.url))?;
            account.downloads.begin(partial.clone());
            Ok(partial)
        })
    }

    /// Fetches what is missing, trying again when the connection breaks.
    fn fetch_all(
        &mut self,
        hub: &HubEntry,
        partial: &Partial,
        progress: &mut dyn FnMut(DownloadEvent),
    ) -> Result<(), DeviceError> {
        let size = partial.size.0;
        let mut tries_left = TRIES_WITHOUT_PROGRESS;
        let mut reason = String::from("the answer ended early");
        loop {
            let received = self.storage.len(&partial.file)?.unwrap_or(0);
            if received == size {
                return Ok(());
            }
            if received > size {
                self.storage.remove(&partial.file)?;
                continue;
            }
            if tries_left == 0 {
                return Err(DeviceError::DownloadInterrupted {
                    received,
                    size,
                    reason,
                });
            }
            let outcome = self.fetch_some(hub, partial, received, progress);
            let now = self.storage.len(&partial.file)?.unwrap_or(0);
            tries_left = if now > received {
                TRIES_WITHOUT_PROGRESS
            } else {
                tries_left - 1
            };
            match outcome {
                Ok(()) => {}
                Err(DeviceError::Hub(HubFailure::Unreachable(error)))
                    if !error.code.starts_with("tls.") =>
                {
                    reason = error.message;
                    progress(DownloadEvent::Interrupted);
                    self.hub
                        .pause_ms(POLL_MS << (TRIES_WITHOUT_PROGRESS - tries_left));
                }
                Err(DeviceError::Hub(HubFailure::Refused { status: 401, .. })) => {
                    self.sign_in_remembered(hub)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One request for the bytes from `from` on.
    fn fetch_some(
        &mut self,
        hub: &HubEntry,
        partial: &Partial,
        from: u64,
        progress: &mut dyn FnMut(DownloadEvent),
    ) -> Result<(), DeviceError> {
        let body = self.body()?;
        let account = account_of(&body, &hub.url)?;
        let cookie = account
            .cookie
            .as_deref()
            .ok_or_else(|| not_signed_in(&hub.url))?;
        let request = calls::package(cookie, &partial.download, from);
        let size = partial.size.0;
        let storage = &mut self.storage;
        let mut received = from;
        let mut waiting = Vec::new();
        let mut restarted = from == 0;
        let outcome = self.hub.fetch(hub, &request, &mut |status, bytes| {
            if status == 200 && !restarted {
                // The hub ignored the range and sends everything again.
                storage.remove(&partial.file)?;
                received = 0;
            }
            restarted = true;
            // More than announced is cut off here; the checksum then decides.
            let room = usize::try_from(size - received).unwrap_or(usize::MAX);
            let bytes = &bytes[..bytes.len().min(room)];
            received += bytes.len() as u64;
            waiting.extend_from_slice(bytes);
            if waiting.len() >= WRITE_BYTES {
                storage.append(&partial.file, &waiting)?;
                waiting.clear();
                progress(DownloadEvent::Fetching { received, size });
            }
            Ok(())
        });
        if !waiting.is_empty() {
            storage.append(&partial.file, &waiting)?;
        }
        progress(DownloadEvent::Fetching { received, size });
        calls::refusal(&outcome?)?;
        Ok(())
    }

    /// Checks a complete package and makes it the download of its app.
    fn put_in_place(&mut self, hub: &HubEntry, partial: &Partial) -> Result<Entry, DeviceError> {
        let account = account_of(&self.body()?, &hub.url)?.clone();
        let manifest = match self.check_package(&account, partial) {
            Ok(manifest) => manifest,
            Err(error @ DeviceError::Storage(_)) => return Err(error),
            Err(error) => {
                self.abandon(hub, &partial.app)?;
                return Err(error);
            }
        };
        let entry = Entry {
            app: partial.app.clone(),
            file: format!("{PACKAGE_PREFIX}{}", partial.download),
            size: partial.size,
            manifest,
            downloaded_at: self.now(),
        };
        // From here on nobody else may look for files that belong to nothing.
        let alone = self.storage.lock()?;
        let now = account_of(&self.body()?, &hub.url)?.clone();
        if now.downloads.partial(&partial.app) != Some(partial) {
            // Another process put it in place, removed it, or began anew.
            return match now.downloads.entry(&partial.app) {
                Some(held) if held.file == entry.file => Ok(held.clone()),
                _ => Err(DeviceError::DownloadDamaged {
                    app: partial.app.clone(),
                }),
            };
        }
        if let Some(held) = now.downloads.entry(&partial.app)
            && held.manifest.reload > entry.manifest.reload
        {
            let error = DeviceError::OlderDownload {
                app: partial.app.clone(),
                held: held.manifest.reload,
                sent: entry.manifest.reload,
            };
            self.abandon(hub, &partial.app)?;
            return Err(error);
        }
        self.storage.rename(&partial.file, &entry.file)?;
        self.update(|body| {
            let account = body
                .account_mut(&hub.url)
                .ok_or_else(|| not_signed_in(&hub.url))?;
            account.downloads.complete(entry.clone());
            Ok(())
        })?;
        drop(alone);
        // The hub may forget it now; if it does not hear this, it forgets by itself.
        if let Some(cookie) = now.cookie.as_deref() {
            let _ = self
                .hub
                .send(hub, &calls::end_download(cookie, &partial.download));
        }
        Ok(entry)
    }

    /// Checksum, signatures, binding, and that this device's key really opens every chunk.
    fn check_package(&self, account: &Account, partial: &Partial) -> Result<Manifest, DeviceError> {
        let hub_key = account.hub_key().ok_or(DeviceError::AccountDamaged)?;
        leaving_no_trace(|| {
            let kem_key = account.kem_key().ok_or(DeviceError::AccountDamaged)?;
            self.check_package_with(account, partial, &hub_key, &kem_key)
        })
    }

    fn check_package_with(
        &self,
        account: &Account,
        partial: &Partial,
        hub_key: &VerifyingKey,
        kem_key: &DeviceSecretKey,
    ) -> Result<Manifest, DeviceError> {
        let binding = account.binding(&partial.app);
        let mut hasher = blake3::Hasher::new();
        let mut reader = Reader::opening(&binding, hub_key, kem_key);
        let mut outcome: Result<(), OpenError> = Ok(());
        self.storage.read_pieces(&partial.file, &mut |piece| {
            hasher.update(piece);
            if outcome.is_ok() {
                outcome = reader.push(piece, &mut |_| {});
            }
        })?;
        if hasher.finalize().to_hex().as_str() != partial.blake3 {
            return Err(DeviceError::DownloadDamaged {
                app: partial.app.clone(),
            });
        }
        outcome?;
        let header = reader.finish()?;
        verified_manifest(account, &partial.app, &header)
    }
}

/// The name of fetching an app from a hub, which tells neither.
fn work_on(hub: &HubEntry, app: &AppId) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("satchel device download claim v1");
    hasher
        .update(hub.url.as_bytes())
        .update(b"\0")
        .update(app.as_str().as_bytes());
    hasher.finalize().to_hex()[..24].to_owned()
}

/// The manifest in a verified header, itself verified and about this very package.
pub(super) fn verified_manifest(
    account: &Account,
    app: &AppId,
    header: &Header,
) -> Result<Manifest, DeviceError> {
    let key = account.hub_key().ok_or(DeviceError::AccountDamaged)?;
    let payload = signed::verify(&key, signed::MANIFEST, &header.manifest)?;
    let manifest: Manifest = serde_json::from_slice(payload)
        .map_err(|_| DeviceError::Package(OpenError::Field { field: "manifest" }))?;
    if manifest.hub != account.hub.id {
        Err(OpenError::WrongHub.into())
    } else if manifest.user != account.user {
        Err(OpenError::WrongUser.into())
    } else if manifest.device != account.device {
        Err(OpenError::WrongDevice.into())
    } else if manifest.app != *app {
        Err(OpenError::WrongApp.into())
    } else {
        Ok(manifest)
    }
}

/// When the data of a manifest was loaded, for lists.
impl Entry {
    /// When its data was loaded.
    pub fn data_as_of(&self) -> UnixMillis {
        self.manifest.data_as_of
    }
}
