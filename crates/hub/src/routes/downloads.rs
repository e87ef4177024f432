//! Downloads: what one would hold, preparing it, fetching it in parts.

use std::io::{Read, Seek, SeekFrom};
use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use satchel_access::{Decision, Reduced, reduce};
use satchel_base::{AppId, ByteSize, DeviceId, UnixMillis};
use satchel_contract::policy::Key;
use satchel_contract::{
    ApiError, Download, DownloadPreview, DownloadState, Manifest, StartDownload, TableRows,
};
use satchel_gate::Action;
use satchel_qix::AppImage;
use satchel_sealed::package::{Binding, package_bytes, seal};
use satchel_sealed::{DevicePublicKey, signed};
use satchel_store::{App, Device, PackageRecord, User};
use serde_json::json;
use tokio::runtime::Handle;

use crate::apps;
use crate::guard::Asker;
use crate::housekeeping;
use crate::refusal::Refused;
use crate::rights::Rights;
use crate::routes::devices::{heed_holding, own_device};
use crate::routes::session::malformed;
use crate::sign_in::note_about;
use crate::state::HubState;
use crate::system::{SystemEntropy, make_uuid};

/// A prepared package is kept a day.
const KEEP_MS: i64 = 24 * 3_600_000;

/// Packages prepared for one person at a time.
const MAX_PREPARING: u64 = 3;

/// Bytes read from the disk at a time while a package is sent.
const SEND_BYTES: usize = 256 * 1024;

/// `GET /api/v1/apps/{app}/download-preview`
pub(crate) async fn preview(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(app): Path<String>,
) -> Result<Json<DownloadPreview>, Refused> {
    let user = asker.person()?.clone();
    let app = visible(&state, &user, app).await?;
    let rights = Rights::load(&state.store).await?;
    let permit = state
        .computing
        .clone()
        .acquire_owned()
        .await
        .map_err(|_| Refused::internal())?;
    let now = state.now();
    let preview = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        // As long as those of any device and any grant.
        let id = make_uuid();
        let made = Made::of(&state, &app, &user, &rights, (&id, &id), now)?;
        let binding = made.binding();
        let envelope = made.envelope(&state)?;
        let size = package_bytes(&binding, envelope.len(), made.payload.len() as u64);
        Ok(DownloadPreview {
            tables: made.manifest.tables,
            fields_withheld: made.manifest.fields_withheld,
            size: ByteSize(size),
        })
    });
    let preview: Result<DownloadPreview, Refused> =
        preview.await.map_err(|_| Refused::internal())?;
    Ok(Json(preview?))
}

/// `POST /api/v1/apps/{app}/downloads`
pub(crate) async fn start(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(app): Path<String>,
    body: Result<Json<StartDownload>, JsonRejection>,
) -> Result<(StatusCode, Json<Download>), Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let user = asker.person()?.clone();
    let app = visible(&state, &user, app).await?;
    if !state.lets(&user.id, Key::AllowDownloads) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "policy.no_downloads",
            "policy does not allow you to download apps",
            "Open the app at the hub.",
        ));
    }
    let device = own_device(&state, &user.id, body.device.as_str().to_owned()).await?;
    heed_holding(&state, &device, body.holding).await?;
    housekeeping::note_failures(&state).await?;
    if state.store.n_preparing(&user.id).await? >= MAX_PREPARING {
        let mut refused = Refused::new(
            StatusCode::TOO_MANY_REQUESTS,
            "download.too_many",
            "three of your downloads are being prepared already",
            "Wait until one of them is ready.",
        );
        refused.retry_after = Some(5);
        return Err(refused);
    }
    let grant = state.store.latest_grant(&device.id).await?.ok_or_else(|| {
        Refused::new(
            StatusCode::CONFLICT,
            "lease.none",
            "this device holds no grant",
            "Sign in on the device again.",
        )
    })?;
    let (id, now) = (make_uuid(), state.now());
    state
        .store
        .begin_download(
            &id,
            &app.id,
            &user.id,
            &device.id,
            now,
            now.plus_ms(KEEP_MS),
        )
        .await?;
    note_about(
        &state,
        &user.id,
        "download.start",
        app.id.as_str(),
        "ok",
        json!({ "device": device.id }),
    )
    .await?;
    let job = Job {
        state: state.clone(),
        user,
        app,
        device,
        grant: grant.id,
        id: id.clone(),
        now,
    };
    tokio::spawn(job.run());
    let download = Download {
        id,
        state: DownloadState::Preparing,
        size: None,
        blake3: None,
        manifest: None,
        error: None,
    };
    Ok((StatusCode::CREATED, Json(download)))
}

/// `GET /api/v1/downloads/{download}`
pub(crate) async fn status(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<Json<Download>, Refused> {
    let found = state
        .store
        .download(&id, &asker.person()?.id, state.now())
        .await?;
    let mut download = found.ok_or_else(Refused::not_found)?.to_wire();
    let failures = &state.unnoted_failures;
    let failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = failures.get(&id) {
        download.state = DownloadState::Failed;
        download.error = Some(error.clone());
    }
    Ok(Json(download))
}

/// `DELETE /api/v1/downloads/{download}`
pub(crate) async fn remove(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let user = asker.person()?;
    if !state.store.remove_download(&id, &user.id).await? {
        return Err(Refused::not_found());
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/downloads/{download}/package`; `Range: bytes=N-` and `bytes=N-M`.
pub(crate) async fn package(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let user = asker.person()?.clone();
    let found = state.store.download(&id, &user.id, state.now()).await?;
    let found = found.ok_or_else(Refused::not_found)?;
    own_device(&state, &user.id, found.device.as_str().to_owned()).await?;
    // Rights may have shrunk since it was prepared.
    let app = visible(&state, &user, found.app.as_str().to_owned()).await?;
    let package = found.package.ok_or_else(|| {
        Refused::new(
            StatusCode::CONFLICT,
            "download.not_ready",
            "the package is not ready yet",
            "Ask again in a moment.",
        )
    })?;
    let (shared, subject) = (state.clone(), apps::subject(&user));
    let still = tokio::task::spawn_blocking(move || {
        let loaded = shared.apps.load(&shared, &app).ok()?;
        let decision = loaded.decide(&subject);
        Some(fingerprint_of(&loaded, &decision))
    })
    .await
    .map_err(|_| Refused::internal())?;
    if still.as_deref() != Some(package.manifest.access_fingerprint.as_str()) {
        return Err(Refused::new(
            StatusCode::GONE,
            "download.outdated",
            "what you may see has changed since this package was made",
            "Download the app again.",
        ));
    }
    let (mut file, size) = state.store.blobs().open_file(&package.blob)?;
    let range = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    let (status, first, last) = match range.map(|r| parse_range(r, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((first, last))) => (StatusCode::PARTIAL_CONTENT, first, last),
        Some(None) => {
            let mut refused = Refused::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "download.bad_range",
                "the package has no such bytes",
                "Begin the download anew.",
            )
            .into_response();
            if let Ok(value) = HeaderValue::from_str(&format!("bytes */{size}")) {
                refused.headers_mut().insert(header::CONTENT_RANGE, value);
            }
            return Ok(refused);
        }
    };
    file.seek(SeekFrom::Start(first))
        .map_err(|_| Refused::internal())?;
    let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<bytes::Bytes>>(2);
    tokio::task::spawn_blocking(move || {
        let mut left = last - first;
        while left > 0 {
            let mut part = vec![0; SEND_BYTES.min(usize::try_from(left).unwrap_or(SEND_BYTES))];
            let read = file
                .read_exact(&mut part)
                .map(|()| bytes::Bytes::from(part));
            let failed = read.is_err();
            left -= read.as_ref().map_or(0, |p| p.len() as u64);
            if sender.blocking_send(read).is_err() || failed {
                break;
            }
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|part| (part, receiver))
    });
    let mut response = (status, Body::from_stream(stream)).into_response();
    let mut set = |name, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/octet-stream".into());
    set(header::CONTENT_LENGTH, (last - first).to_string());
    set(header::ACCEPT_RANGES, "bytes".into());
    set(header::CACHE_CONTROL, "no-store".into());
    if status == StatusCode::PARTIAL_CONTENT {
        set(
            header::CONTENT_RANGE,
            format!("bytes {first}-{}/{size}", last - 1),
        );
    }
    Ok(response)
}

/// First byte and the one after the last of a single range, or none if it cannot be met.
fn parse_range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first: u64 = first.trim().parse().ok()?;
    let last: u64 = match last.trim() {
        "" => size,
        last => last.parse::<u64>().ok()?.saturating_add(1).min(size),
    };
    (first < last).then_some((first, last))
}

/// The app if this person may see it and carry it on a device, and it has data.
async fn visible(state: &HubState, user: &User, id: String) -> Result<App, Refused> {
    let app = state.store.app(&AppId::new(id)).await?;
    let rights = Rights::load(&state.store).await?;
    let app = app
        .filter(|a| apps::may_see(a, user, &rights) && a.data.is_some())
        .ok_or_else(Refused::not_found)?;
    if !rights.may(user, Action::AccessOffline, &app) {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "access.not_offline",
            "you may open this app at the hub, but not carry it on a device",
            "Ask the administrator of this hub if you need it without a connection.",
        ));
    }
    Ok(app)
}

fn fingerprint_of(loaded: &apps::LoadedApp, decision: &Decision) -> String {
    if loaded.rules.has_section_access() {
        satchel_access::fingerprint(decision)
    } else {
        String::new()
    }
}

fn reduce_for(
    loaded: &apps::LoadedApp,
    subject: &satchel_access::Subject,
) -> Result<Reduced, Refused> {
    let decision = loaded.decide(subject);
    let mut reduced = reduce(&decision, &loaded.model).map_err(|_| Refused::access_denied())?;
    reduced.fingerprint = fingerprint_of(loaded, &decision);
    Ok(reduced)
}

fn rows(reduced: &Reduced) -> Vec<TableRows> {
    let row = |t: &satchel_access::TableCount| TableRows {
        name: t.table.clone(),
        rows_in: t.rows_in,
        rows_out: t.rows_out,
    };
    reduced.tables.iter().map(row).collect()
}

/// Preparing one package.
struct Job {
    state: Arc<HubState>,
    user: Arc<User>,
    app: App,
    device: Device,
    grant: String,
    id: String,
    now: UnixMillis,
}

impl Job {
    async fn run(self) {
        let (state, id) = (self.state.clone(), self.id.clone());
        let (user, app, device) = (
            self.user.id.clone(),
            self.app.id.clone(),
            self.device.id.clone(),
        );
        let reload = self.app.reload;
        let prepared = match self.prepare().await {
            Ok(package) => {
                let about = json!({ "device": device, "bytes": package.size });
                match state.store.finish_download(&id, &package).await {
                    Ok(_) => {
                        let noted = state
                            .store
                            .note_device_app(&device, &app, reload, state.now())
                            .await;
                        noted.map_err(Refused::from).map(|()| about)
                    }
                    Err(error) => Err(Refused::from(error)),
                }
            }
            Err(refused) => Err(refused),
        };
        let (outcome, about) = match prepared {
            Ok(about) => ("ok".to_owned(), about),
            Err(refused) => {
                let error: ApiError = refused.error;
                if let Err(unnoted) = state.store.fail_download(&id, &error).await {
                    tracing::error!(error = %unnoted, "a failed download could not be noted");
                    let failures = &state.unnoted_failures;
                    failures
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(id, error.clone());
                }
                (error.code, json!({ "device": device }))
            }
        };
        let entry = note_about(
            &state,
            &user,
            "download.prepared",
            app.as_str(),
            &outcome,
            about,
        )
        .await;
        if entry.is_err() {
            tracing::error!(
                app.id = app.as_str(),
                "an event could not be written to the audit log"
            );
        }
    }

    async fn prepare(self) -> Result<PackageRecord, Refused> {
        let permit = self
            .state
            .computing
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Refused::internal())?;
        let rights = Rights::load(&self.state.store).await?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            self.seal(&rights)
        })
        .await
        .map_err(|_| Refused::internal())?
    }

    fn seal(self, rights: &Rights) -> Result<PackageRecord, Refused> {
        let broken = |_| Refused::internal();
        let state = &self.state;
        let ids = (self.device.id.as_str(), self.grant.as_str());
        let made = Made::of(state, &self.app, &self.user, rights, ids, self.now)?;
        let device_key =
            DevicePublicKey::from_bytes(&self.device.kem_key).map_err(|_| Refused::internal())?;
        let bytes = seal(
            &made.binding(),
            &made.envelope(state)?,
            &made.payload,
            &device_key,
            &state.signing_key,
            &mut SystemEntropy,
        )
        .map_err(broken)?;
        let blob = state.store.blobs().put(&bytes)?;
        Ok(PackageRecord {
            blob,
            size: ByteSize(bytes.len() as u64),
            manifest: made.manifest,
        })
    }
}

/// What goes into a package, before it is sealed.
struct Made {
    manifest: Manifest,
    payload: Vec<u8>,
}

impl Made {
    /// The app as this person carries it on `device` by `grant`. Blocks.
    fn of(
        state: &HubState,
        app: &App,
        user: &User,
        rights: &Rights,
        (device, grant): (&str, &str),
        now: UnixMillis,
    ) -> Result<Self, Refused> {
        let loaded = state
            .apps
            .load(state, app)
            .map_err(|_| Refused::internal())?;
        let reduced = reduce_for(&loaded, &apps::subject(user))?;
        let manifest = Manifest {
            app: app.id.clone(),
            title: app.title.clone(),
            data_as_of: app.data_as_of.unwrap_or(now),
            reload: app.reload,
            hub: state.store.hub().id.clone(),
            user: user.id.clone(),
            device: DeviceId::new(device),
            sealed_at: now,
            tables: rows(&reduced),
            fields_withheld: reduced.n_withheld as u32,
            access_fingerprint: reduced.fingerprint.clone(),
            grant: grant.to_owned(),
        };
        let mut meta = apps::meta(app, user, rights);
        // On a device nothing is edited or reloaded.
        meta.may_edit = false;
        meta.may_reload = false;
        let mut content = apps::content(state, app, false).map_err(|_| Refused::internal())?;
        apps::add_variables(&mut content, &loaded.variables);
        apps::add_own_bookmarks(state, &Handle::current(), app, user, &mut content);
        // A bookmark must not carry values past the reduction.
        let engine = loaded
            .engine(&apps::subject(user))
            .map_err(|_| Refused::internal())?;
        content.restrict_bookmarks(&engine);
        let payload = AppImage {
            meta,
            content,
            snapshot: reduced.model.to_snapshot(),
        }
        .encode()
        .map_err(|_| Refused::internal())?;
        Ok(Self { manifest, payload })
    }

    /// Whom the package is for.
    fn binding(&self) -> Binding {
        Binding {
            hub: self.manifest.hub.clone(),
            user: self.manifest.user.as_str().to_owned(),
            device: self.manifest.device.as_str().to_owned(),
            app: self.manifest.app.as_str().to_owned(),
        }
    }

    /// The manifest, signed.
    fn envelope(&self, state: &HubState) -> Result<Vec<u8>, Refused> {
        let json = serde_json::to_vec(&self.manifest).map_err(|_| Refused::internal())?;
        signed::sign(&state.signing_key, signed::MANIFEST, &json).map_err(|_| Refused::internal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_inside_the_package() {
        assert_eq!(parse_range("bytes=0-", 10), Some((0, 10)));
        assert_eq!(parse_range("bytes=4-7", 10), Some((4, 8)));
        assert_eq!(parse_range("bytes=4-99", 10), Some((4, 10)));
        assert_eq!(parse_range("bytes=10-", 10), None);
        assert_eq!(parse_range("bytes=-5", 10), None);
        assert_eq!(parse_range("bytes=7-3", 10), None);
        assert_eq!(parse_range("bytes=18446744073709551615-", 10), None);
    }
}
