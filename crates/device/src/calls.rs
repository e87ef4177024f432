//! Requests to the hub and the reading of its answers, without sending them: a browser sends
//! them its own way. The protocol is `satchel_contract`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use satchel_base::{AppId, DeviceId, leaving_no_trace};
use satchel_contract::{
    ApiError, Challenge, DeviceSignIn, Enrol, ErrorBody, Holding, SignIn, StartDownload,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ports::{HubRequest, HubResponse, Method};
use crate::{Account, DeviceError, HubFailure};

fn request(method: Method, path: String, cookie: Option<&str>) -> HubRequest {
    HubRequest {
        method,
        path,
        body: None,
        cookie: cookie.map(str::to_owned),
        range_from: None,
    }
}

fn with_body(mut request: HubRequest, body: &impl Serialize) -> HubRequest {
    request.body =
        Some(serde_json::to_vec(body).expect("contract types are plain structs and serialise"));
    request
}

/// Asks who is signed in; also used to see whether a hub answers at all.
pub fn me(cookie: Option<&str>) -> HubRequest {
    request(Method::Get, "/api/v1/me".into(), cookie)
}

/// Signs in with a password, and a code of the second factor if one was asked for.
pub fn sign_in(user: &str, password: &str, code: Option<&str>) -> HubRequest {
    let body = SignIn {
        user: user.to_owned(),
        password: password.to_owned(),
        code: code.map(str::to_owned),
    };
    with_body(request(Method::Post, "/api/v1/sign-in".into(), None), &body)
}

/// Ends the session.
pub fn sign_out(cookie: &str) -> HubRequest {
    request(Method::Post, "/api/v1/sign-out".into(), Some(cookie))
}

/// Enrols this device.
pub fn enrol(cookie: &str, enrol: &Enrol) -> HubRequest {
    let base = request(Method::Post, "/api/v1/devices".into(), Some(cookie));
    with_body(base, enrol)
}

/// Asks for a number to sign.
pub fn challenge(device: &DeviceId) -> HubRequest {
    let path = format!("/api/v1/devices/{device}/challenge");
    request(Method::Post, path, None)
}

/// Signs in by the device's key.
///
/// # Errors
/// [`DeviceError::AccountDamaged`].
pub fn device_sign_in(account: &Account, challenge: &Challenge) -> Result<HubRequest, DeviceError> {
    let message = device_sign_in_message(&account.hub.id, &account.device, &challenge.nonce);
    let signature = leaving_no_trace(|| {
        let key = account.signing_key()?;
        Some(key.sign(message.as_bytes()))
    });
    let signature = signature.ok_or(DeviceError::AccountDamaged)?;
    let body = DeviceSignIn {
        nonce: challenge.nonce.clone(),
        signature: STANDARD.encode(signature),
    };
    let path = format!("/api/v1/devices/{}/sign-in", account.device);
    Ok(with_body(request(Method::Post, path, None), &body))
}

/// What a device signs to sign in (see `satchel_contract::DeviceSignIn`).
pub fn device_sign_in_message(hub: &str, device: &DeviceId, nonce: &str) -> String {
    format!("satchel device sign-in v1\n{hub}\n{device}\n{nonce}")
}

/// Asks for a fresh grant; `again` if the hub said that a newer one is kept than `account` has.
pub fn lease(cookie: &str, account: &Account, again: bool) -> HubRequest {
    let path = format!("/api/v1/devices/{}/lease", account.device);
    let base = request(Method::Post, path, Some(cookie));
    with_body(base, &holding(account, again))
}

/// Says that the newest grant of `account` is written down.
pub fn lease_kept(cookie: &str, account: &Account) -> HubRequest {
    let path = format!("/api/v1/devices/{}/lease/kept", account.device);
    let base = request(Method::Post, path, Some(cookie));
    with_body(base, &holding(account, false))
}

fn holding(account: &Account, again: bool) -> Holding {
    Holding {
        held: account.lease.newest_issue(),
        again,
    }
}

/// Makes the hub forget the remembered log-in.
pub fn forget(cookie: &str, device: &DeviceId) -> HubRequest {
    let path = format!("/api/v1/devices/{device}/remembered");
    request(Method::Delete, path, Some(cookie))
}

/// Lists apps.
pub fn apps(cookie: &str) -> HubRequest {
    request(Method::Get, "/api/v1/apps".into(), Some(cookie))
}

/// What a download would hold.
pub fn preview(cookie: &str, app: &AppId) -> HubRequest {
    let path = format!("/api/v1/apps/{app}/download-preview");
    request(Method::Get, path, Some(cookie))
}

/// Starts a download; `again` as for [`lease`].
pub fn start_download(cookie: &str, app: &AppId, account: &Account, again: bool) -> HubRequest {
    let path = format!("/api/v1/apps/{app}/downloads");
    let body = StartDownload {
        device: account.device.clone(),
        holding: holding(account, again),
    };
    with_body(request(Method::Post, path, Some(cookie)), &body)
}

/// How far a download is.
pub fn download(cookie: &str, download: &str) -> HubRequest {
    let path = format!("/api/v1/downloads/{download}");
    request(Method::Get, path, Some(cookie))
}

/// The package's bytes from `from` on.
pub fn package(cookie: &str, download: &str, from: u64) -> HubRequest {
    let path = format!("/api/v1/downloads/{download}/package");
    HubRequest {
        range_from: (from > 0).then_some(from),
        ..request(Method::Get, path, Some(cookie))
    }
}

/// Tells the hub that a download is complete here or not wanted any more.
pub fn end_download(cookie: &str, download: &str) -> HubRequest {
    let path = format!("/api/v1/downloads/{download}");
    request(Method::Delete, path, Some(cookie))
}

/// The answer, or the hub's refusal in its own words.
///
/// # Errors
/// [`HubFailure::Refused`] for a status of 400 and above, [`DeviceError::BadAnswer`] for
/// anything that cannot be read.
pub fn answer<T: DeserializeOwned>(to: &str, response: &HubResponse) -> Result<T, DeviceError> {
    refusal(response)?;
    serde_json::from_slice(&response.body).map_err(|_| DeviceError::BadAnswer { to: to.to_owned() })
}

/// Whether the hub refused.
///
/// # Errors
/// [`HubFailure::Refused`].
pub fn refusal(response: &HubResponse) -> Result<(), HubFailure> {
    if response.status < 400 {
        return Ok(());
    }
    let error = serde_json::from_slice::<ErrorBody>(&response.body).map_or_else(
        |_| ApiError {
            code: format!("http.{}", response.status),
            message: format!("the hub answered with status {}", response.status),
            next: "Check the address; if it is right, tell the hub's administrator.".into(),
        },
        |body| body.error,
    );
    Err(HubFailure::Refused {
        status: response.status,
        error,
    })
}
