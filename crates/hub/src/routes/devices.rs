//! Devices: enrolment, remembered log-ins, leases.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use satchel_base::{DeviceId, SubjectId, UnixMillis};
use satchel_contract::policy::Key;
use satchel_contract::{
    AccessType, Challenge, DeviceSignIn, Enrol, Enrolled, Grant, Holding, Lease,
};
use satchel_gate::{Action, address_key, offline_hours};
use satchel_sealed::{DevicePublicKey, VerifyingKey, signed};
use satchel_store::{Device, NewDevice};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::apps::{self, OpenError};
use crate::guard::{Asker, tell_revoked};
use crate::refusal::Refused;
use crate::rights::Rights;
use crate::routes::session::{answer, client, malformed};
use crate::sign_in::{self, note_about};
use crate::state::{HubState, base64, from_base64};
use crate::system::{make_uuid, random};

/// Devices a person may have enrolled at a time.
const MAX_DEVICES: u64 = 10;

/// A challenge is good for a minute.
const CHALLENGE_MS: i64 = 60_000;

/// `POST /api/v1/devices`
pub(crate) async fn enrol(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    body: Result<Json<Enrol>, JsonRejection>,
) -> Result<Json<Enrolled>, Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let user = asker.person()?;
    let kem_key = from_base64(&body.kem_key).filter(|k| DevicePublicKey::from_bytes(k).is_ok());
    let signing_key =
        from_base64(&body.signing_key).filter(|k| VerifyingKey::from_bytes(k).is_ok());
    let (Some(kem_key), Some(signing_key)) = (kem_key, signing_key) else {
        return Err(Refused::bad_request(
            "device.bad_key",
            "the device's keys are not what the hub takes",
            "Update the client, then enrol the device again.",
        ));
    };
    let short = |text: &str, most: usize| (1..=most).contains(&text.chars().count());
    if !short(&body.name, 80) || !short(&body.platform, 20) || !short(&body.client, 80) {
        return Err(malformed());
    }
    if state.store.n_devices(&user.id).await? >= MAX_DEVICES {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "device.too_many",
            "you have ten devices enrolled, and that is the most",
            "Ask the administrator to revoke one you no longer use.",
        ));
    }
    let device = DeviceId::new(make_uuid());
    let remember = body.remember && state.lets(&user.id, Key::AllowRemember);
    let new = NewDevice {
        id: device.clone(),
        user: user.id.clone(),
        name: body.name,
        platform: body.platform,
        client: body.client,
        kem_key,
        signing_key,
        remember,
    };
    state.store.enrol_device(&new, state.now()).await?;
    bind(&state, &asker, &device).await?;
    let about = json!({ "platform": new.platform, "remember": remember });
    note_about(
        &state,
        &user.id,
        "device.enrol",
        device.as_str(),
        "ok",
        about,
    )
    .await?;
    let grant = issue_grant(&state, &user.id, &device, asker.access).await?;
    Ok(Json(Enrolled {
        device,
        hub: state.identity(),
        grant,
        policy: Some(state.policy_document(&user.id)?),
    }))
}

/// `POST /api/v1/devices/{device}/challenge`: the same answer whether the device exists or not.
pub(crate) async fn challenge(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path(device): Path<String>,
) -> Result<Json<Challenge>, Refused> {
    sign_in::throttle(&state, &device, &address_key(address.ip()))?;
    let nonce = random::<32>();
    let device = DeviceId::new(device);
    if state.store.device(&device).await?.is_some() {
        let now = state.now();
        let hash = Sha256::digest(nonce).into();
        state
            .store
            .put_challenge(hash, &device, now.plus_ms(CHALLENGE_MS), now)
            .await?;
    }
    Ok(Json(Challenge {
        nonce: base64(&nonce),
    }))
}

/// `POST /api/v1/devices/{device}/sign-in`
pub(crate) async fn sign_in(
    State(state): State<Arc<HubState>>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(device): Path<String>,
    body: Result<Json<DeviceSignIn>, JsonRejection>,
) -> Result<Response, Refused> {
    let Json(body) = body.map_err(|_| malformed())?;
    let refused = || {
        Refused::new(
            StatusCode::UNAUTHORIZED,
            "sign_in.not_remembered",
            "this device is not remembered here",
            "Sign in with your password.",
        )
    };
    let id = DeviceId::new(device);
    let known = state.store.device(&id).await?;
    let nonce = from_base64(&body.nonce).filter(|n| n.len() == 32);
    let signature = from_base64(&body.signature).filter(|s| s.len() == 64);
    let (Some(known), Some(nonce), Some(signature)) = (known, nonce, signature) else {
        return Err(refused());
    };
    let taken = state
        .store
        .take_challenge(Sha256::digest(&nonce).into(), &id, state.now())
        .await?;
    let message = format!(
        "satchel device sign-in v1\n{}\n{}\n{}",
        state.store.hub().id,
        id.as_str(),
        body.nonce
    );
    let right = VerifyingKey::from_bytes(&known.signing_key)
        .is_ok_and(|key| key.verifies(message.as_bytes(), &signature));
    // The signature shows that it is this device: it hears of its revocation first.
    if taken && right && known.revoked_at.is_some() {
        return Err(tell_revoked(&state, &known.user, &id).await);
    }
    let usable =
        known.remember && known.revoked_at.is_none() && state.lets(&known.user, Key::AllowRemember);
    if !(taken && right && usable) {
        note_about(
            &state,
            &known.user,
            "device.sign_in",
            id.as_str(),
            "sign_in.not_remembered",
            json!({}),
        )
        .await?;
        return Err(refused());
    }
    let user = state.store.user(&known.user).await?.ok_or_else(refused)?;
    sign_in::succeeded(&state, id.as_str(), &address_key(address.ip()));
    let begun = sign_in::begin(&state, &user, client(&headers), "device.sign_in").await?;
    state.store.bind_session(begun.token, &id).await?;
    Ok(answer(begun))
}

/// `POST /api/v1/devices/{device}/lease`
pub(crate) async fn lease(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(device): Path<String>,
    body: Bytes,
) -> Result<Json<Lease>, Refused> {
    let user = asker.person()?.clone();
    let device = own_device(&state, &user.id, device).await?;
    bind(&state, &asker, &device.id).await?;
    let holding = match body.as_ref() {
        b"" => Holding::default(),
        body => serde_json::from_slice(body).map_err(|_| malformed())?,
    };
    heed_holding(&state, &device, holding).await?;
    let mut revoked = Vec::new();
    let rights = Rights::load(&state.store).await?;
    for id in state.store.device_apps(&device.id).await? {
        let gone = match state.store.app(&id).await? {
            Some(app)
                if apps::may_see(&app, &user, &rights)
                    && rights.may(&user, Action::AccessOffline, &app) =>
            {
                let (shared, subject) = (state.clone(), apps::subject(&user));
                tokio::task::spawn_blocking(move || {
                    match shared.apps.load(&shared, &app) {
                        Ok(loaded) => matches!(loaded.engine(&subject), Err(OpenError::Denied)),
                        // What cannot be read now is not taken away.
                        Err(_) => false,
                    }
                })
                .await
                .map_err(|_| Refused::internal())?
            }
            _ => true,
        };
        if gone {
            revoked.push(id);
        }
    }
    let grant = issue_grant(&state, &user.id, &device.id, asker.access).await?;
    note_about(
        &state,
        &user.id,
        "device.lease",
        device.id.as_str(),
        "ok",
        json!({}),
    )
    .await?;
    Ok(Json(Lease {
        grant,
        now: state.now(),
        revoked,
        policy: Some(state.policy_document(&user.id)?),
    }))
}

/// `POST /api/v1/devices/{device}/lease/kept`: a device says that the newest grant is written
/// down; from now on nothing older may come from it.
pub(crate) async fn lease_kept(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(device): Path<String>,
    body: Result<Json<Holding>, JsonRejection>,
) -> Result<StatusCode, Refused> {
    let Json(holding) = body.map_err(|_| malformed())?;
    let device = own_device(&state, &asker.person()?.id, device).await?;
    if let Some(held) = not_later(&state, holding.held) {
        state.store.note_kept_grant(&device.id, held).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A time at which a grant can have been issued; a device may not say what would stop it later.
fn not_later(state: &HubState, held: Option<UnixMillis>) -> Option<UnixMillis> {
    held.filter(|held| *held <= state.now())
}

/// Looks at what a device holds. A grant is kept for good once the device said so: who comes
/// with an older one, having looked again, is a copy made before, or a backup put back. Then
/// nobody can tell which of the two is the device, and both are stopped.
///
/// # Errors
/// `lease.stale` for who has not looked again, `device.revoked` for a copy.
pub(crate) async fn heed_holding(
    state: &HubState,
    device: &Device,
    holding: Holding,
) -> Result<(), Refused> {
    let (Some(held), kept) = (not_later(state, holding.held), device.kept_grant) else {
        return Ok(());
    };
    match kept {
        Some(kept) if held < kept && !holding.again => Err(Refused::new(
            StatusCode::CONFLICT,
            "lease.stale",
            "this device keeps a newer grant than the one it came with",
            "Look at what the device keeps, and ask again.",
        )),
        Some(kept) if held < kept => {
            state.store.stop_copies(&device.id, state.now()).await?;
            tracing::warn!(
                device.id = %device.id, user.id = %device.user,
                "a device's files are in use twice; both copies were stopped"
            );
            let about = json!({ "held": held, "kept": kept });
            let id = device.id.as_str();
            note_about(
                state,
                &device.user,
                "device.copied",
                id,
                "device.revoked",
                about,
            )
            .await?;
            Err(Refused::device_copied())
        }
        _ => Ok(state.store.note_kept_grant(&device.id, held).await?),
    }
}

/// `DELETE /api/v1/devices/{device}/remembered`
pub(crate) async fn forget(
    State(state): State<Arc<HubState>>,
    Extension(asker): Extension<Asker>,
    Path(device): Path<String>,
) -> Result<StatusCode, Refused> {
    let user = asker.person()?;
    state
        .store
        .forget_remembered(&DeviceId::new(device), &user.id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// From now on the asker's session is the device's.
async fn bind(state: &HubState, asker: &Asker, device: &DeviceId) -> Result<(), Refused> {
    if let Some(token) = asker.token {
        state.store.bind_session(token, device).await?;
    }
    Ok(())
}

/// The device, if it is this person's and not revoked.
pub(crate) async fn own_device(
    state: &HubState,
    user: &SubjectId,
    id: String,
) -> Result<Device, Refused> {
    let device = state
        .store
        .device(&DeviceId::new(id))
        .await?
        .filter(|d| d.user == *user);
    let device = device.ok_or_else(Refused::not_found)?;
    if device.revoked_at.is_some() {
        return Err(tell_revoked(state, user, &device.id).await);
    }
    Ok(device)
}

/// A signed grant for a log-in or renewal now, recorded, base64.
pub(crate) async fn issue_grant(
    state: &HubState,
    user: &SubjectId,
    device: &DeviceId,
    access_type: AccessType,
) -> Result<String, Refused> {
    let grant = Grant {
        id: make_uuid(),
        hub: state.store.hub().id.clone(),
        user: user.clone(),
        device: device.clone(),
        issued_at: state.now(),
        offline_hours: offline_hours(state.policy_hours(user), access_type),
        access_type,
    };
    state.store.record_grant(&grant).await?;
    let payload = serde_json::to_vec(&grant).map_err(|_| Refused::internal())?;
    let envelope = signed::sign(&state.signing_key, signed::GRANT, &payload)
        .map_err(|_| Refused::internal())?;
    Ok(base64(&envelope))
}
