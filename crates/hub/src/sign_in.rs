//! Checking passwords and beginning sessions.

use std::net::IpAddr;
use std::sync::PoisonError;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::http::{HeaderValue, StatusCode};
use satchel_base::SubjectId;
use satchel_contract::policy::Key;
use satchel_contract::{Me, SignIn};
use satchel_gate::{Attempt, Client, PASSWORD_COST, address_key, offline_hours};
use satchel_store::{AuditEvent, TokenHash, User};

use crate::guard::{COOKIE, hash};
use crate::refusal::Refused;
use crate::rights::circumstances;
use crate::second_factor;
use crate::state::{HubState, base64};
use crate::system::random;

/// A session that has just begun.
pub(crate) struct Begun {
    pub me: Me,
    pub token: TokenHash,
    pub cookie: HeaderValue,
}

fn argon2() -> Argon2<'static> {
    let cost = PASSWORD_COST;
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
        .expect("the cost is within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The hash of a new password, in PHC form.
pub(crate) fn hash_password(password: &str) -> String {
    argon2()
        .hash_password_with_salt(password.as_bytes(), &random::<16>())
        .expect("a salt of 16 bytes is within argon2's limits")
        .to_string()
}

/// Checks a password and begins a session. Unknown people, people without a password and
/// wrong passwords get the same answer after the same work.
pub(crate) async fn with_password(
    state: &HubState,
    body: SignIn,
    client: Client,
    address: IpAddr,
) -> Result<Begun, Refused> {
    let user = right_password(state, &body.user, body.password, address).await?;
    let environment = circumstances(state, client, address);
    second_factor::demand(state, &user, body.code.as_deref(), &environment).await?;
    begin(state, &user, client, "sign_in").await
}

/// The person, if the password is theirs.
pub(crate) async fn right_password(
    state: &HubState,
    name: &str,
    password: String,
    address: IpAddr,
) -> Result<User, Refused> {
    if !state.sign_in.passwords {
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "sign_in.no_passwords",
            "passwords are not taken at this hub",
            "Open the hub in a browser and sign in the way it offers there.",
        ));
    }
    let id = SubjectId::parse(name);
    let address = address_key(address);
    if let Err(refused) = throttle(state, id.as_str(), &address) {
        note(state, &id, "sign_in", &refused.error.code).await?;
        return Err(refused);
    }
    let user = state.store.user(&id).await?;
    let right = check(state, user.as_ref(), password).await?;
    let Some(user) = user.filter(|_| right) else {
        note(state, &id, "sign_in", "sign_in.failed").await?;
        return Err(Refused::new(
            StatusCode::UNAUTHORIZED,
            "sign_in.failed",
            "user name or password is wrong",
            "Check both and try again.",
        ));
    };
    succeeded(state, id.as_str(), &address);
    Ok(user)
}

/// Counts an attempt to sign in; refuses it if there were too many. `address` is a key as
/// [`address_key`] makes it.
pub(crate) fn throttle(state: &HubState, account: &str, address: &str) -> Result<(), Refused> {
    let now = state.now();
    let attempt = state
        .throttle
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .begin(account, address, now);
    let Attempt::Wait { until } = attempt else {
        return Ok(());
    };
    let mut refused = Refused::new(
        StatusCode::TOO_MANY_REQUESTS,
        "sign_in.throttled",
        "too many attempts to sign in from here",
        "Wait a little, then try again.",
    );
    refused.retry_after = u64::try_from(until.since_ms(now) / 1000 + 1).ok();
    Err(refused)
}

/// Takes back what [`throttle`] counted: the attempt was right.
pub(crate) fn succeeded(state: &HubState, account: &str, address: &str) {
    state
        .throttle
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .succeeded(account, address);
}

async fn check(state: &HubState, user: Option<&User>, password: String) -> Result<bool, Refused> {
    /// What an unknown person's password is compared with: no password gives this hash.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2F0Y2hlbHNhdGNoZWw$\
                          AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let known = user.and_then(|u| u.password_hash.clone());
    let is_known = known.is_some();
    let against = known.unwrap_or_else(|| NOBODY.to_owned());
    let _permit = state
        .hashing
        .acquire()
        .await
        .map_err(|_| Refused::internal())?;
    let right = tokio::task::spawn_blocking(move || {
        argon2()
            .verify_password(password.as_bytes(), against.as_str())
            .is_ok()
    })
    .await
    .map_err(|_| Refused::internal())?;
    Ok(right && is_known)
}

/// Begins a session for somebody whose log-in was right.
pub(crate) async fn begin(
    state: &HubState,
    user: &User,
    client: Client,
    action: &'static str,
) -> Result<Begun, Refused> {
    let access = state.store.assigned_type(&user.id).await?;
    if client == Client::Device {
        satchel_gate::decide(satchel_gate::Route::Enrol, access, client, &state.policy())?;
    }
    let token = base64(&random::<32>());
    let now = state.now();
    state
        .store
        .begin_session(hash(&token), &user.id, client, access, now)
        .await?;
    note(state, &user.id, action, "ok").await?;
    let cookie = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax");
    let cookie = HeaderValue::from_str(&cookie).map_err(|_| Refused::internal())?;
    Ok(Begun {
        me: me(state, user, access).await?,
        token: hash(&token),
        cookie,
    })
}

/// The person as clients see them.
pub(crate) async fn me(
    state: &HubState,
    user: &User,
    access: satchel_contract::AccessType,
) -> Result<Me, Refused> {
    Ok(Me {
        user: user.id.clone(),
        name: user.display_name.clone(),
        email: user.email.clone(),
        access_type: access,
        may_use_device: access.may_use_device(),
        hub: state.identity(),
        offline_hours: offline_hours(state.policy_hours(&user.id), access),
        may_remember: state.lets(&user.id, Key::AllowRemember),
        second_factor: second_factor::standing(state, user).await?,
        policy: crate::policy::lines(&state.settings(), &user.id),
    })
}

/// An entry of the audit log about what a person did.
pub(crate) async fn note(
    state: &HubState,
    who: &SubjectId,
    action: &'static str,
    outcome: &str,
) -> Result<(), Refused> {
    note_about(state, who, action, "", outcome, serde_json::Value::Null).await
}

/// As [`note`], with what it was done to and more.
pub(crate) async fn note_about(
    state: &HubState,
    who: &SubjectId,
    action: &'static str,
    object: &str,
    outcome: &str,
    detail: serde_json::Value,
) -> Result<(), Refused> {
    let event = AuditEvent {
        at: state.now(),
        actor: who.as_str().to_owned(),
        action,
        object: object.to_owned(),
        outcome: outcome.to_owned(),
        detail,
    };
    Ok(state.store.audit(&event).await?)
}
