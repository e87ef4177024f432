//! The second factor beside a password: when a code is asked for, and whether it is taken.
//!
//! Wrong codes are counted for the account alone, wherever they come from: whoever gets as far
//! as being asked for one knows the password, so nobody else can be kept out by it.

use axum::http::StatusCode;
use satchel_contract::SecondFactor;
use satchel_gate::{Attributes, Condition, Typed, is_met, matching_step, typed};
use satchel_store::User;
use sha2::{Digest, Sha256};

use crate::refusal::Refused;
use crate::rights::of_user;
use crate::sign_in::{note, succeeded, throttle};
use crate::state::HubState;

/// Lets somebody on whose password was right: they have no second factor and need none, or the
/// code is right too.
pub(crate) async fn demand(
    state: &HubState,
    user: &User,
    code: Option<&str>,
    environment: &Attributes,
) -> Result<(), Refused> {
    let standing = state.store.second_factor_state(&user.id).await?;
    if standing.is_on {
        let Some(code) = code else {
            return Err(code_needed());
        };
        return take(state, user, code).await;
    }
    if standing.is_required || rule_requires(state, user, environment) {
        note(state, &user.id, "sign_in", "sign_in.second_factor_missing").await?;
        return Err(Refused::new(
            StatusCode::FORBIDDEN,
            "sign_in.second_factor_missing",
            "this hub asks you for a second factor, and you have not set one up yet",
            "Open the hub in a browser and sign in there: it leads you through.",
        ));
    }
    Ok(())
}

fn code_needed() -> Refused {
    Refused::new(
        StatusCode::UNAUTHORIZED,
        "sign_in.code_needed",
        "a code is needed beside the password",
        "Give the six digits your authenticator app shows now, or a recovery code.",
    )
}

/// Takes a code of the app or a recovery code; each is taken once.
pub(crate) async fn take(state: &HubState, user: &User, code: &str) -> Result<(), Refused> {
    let account = account(user);
    if let Err(refused) = throttle(state, &account, &account) {
        note(state, &user.id, "sign_in", &refused.error.code).await?;
        return Err(refused);
    }
    let factor = state.store.second_factor(&user.id).await?;
    let factor = factor.filter(|f| f.is_confirmed);
    let taken = match (factor, typed(code)) {
        (Some(factor), Some(Typed::App(code))) => {
            match matching_step(factor.secret.expose(), &code, state.now()) {
                Some(step) => state.store.take_step(&user.id, step).await?,
                None => false,
            }
        }
        (Some(_), Some(Typed::Recovery(code))) => {
            let taken = state
                .store
                .take_recovery_code(&user.id, &recovery_hash(&code))
                .await?;
            if taken {
                note(state, &user.id, "second_factor.recovery_code", "ok").await?;
            }
            taken
        }
        (None, _) | (_, None) => false,
    };
    if !taken {
        note(state, &user.id, "sign_in", "sign_in.code_wrong").await?;
        return Err(code_wrong());
    }
    succeeded(state, &account, &account);
    Ok(())
}

/// A first code for a secret that was proposed: its step, if it is right.
pub(crate) async fn first_step(state: &HubState, user: &User, code: &str) -> Result<u64, Refused> {
    let account = account(user);
    throttle(state, &account, &account)?;
    let factor = state.store.second_factor(&user.id).await?;
    let step = match (factor.filter(|f| !f.is_confirmed), typed(code)) {
        (Some(factor), Some(Typed::App(code))) => {
            matching_step(factor.secret.expose(), &code, state.now())
        }
        _ => None,
    };
    let step = step.ok_or_else(code_wrong)?;
    succeeded(state, &account, &account);
    Ok(step)
}

/// How a person's second factor stands; none for who has no password.
pub(crate) async fn standing(
    state: &HubState,
    user: &User,
) -> Result<Option<SecondFactor>, Refused> {
    if user.password_hash.is_none() || !state.sign_in.passwords {
        return Ok(None);
    }
    let standing = state.store.second_factor_state(&user.id).await?;
    Ok(Some(SecondFactor {
        on: standing.is_on,
        required: standing.is_required || may_require(state, user),
        recovery_codes: standing.n_recovery_codes,
    }))
}

/// Whether the rule of this hub requires a second factor here and now.
fn rule_requires(state: &HubState, user: &User, environment: &Attributes) -> bool {
    let Some(rule) = &state.sign_in.second_factor else {
        return false;
    };
    match rule.parse::<Condition>() {
        Ok(condition) => is_met(&condition, &of_user(user), environment),
        Err(_) => true,
    }
}

/// Whether a second factor must stay, as the rule would ask for it from somewhere.
fn may_require(state: &HubState, user: &User) -> bool {
    let Some(rule) = &state.sign_in.second_factor else {
        return false;
    };
    match rule.parse::<Condition>() {
        Ok(condition) => condition.may_hold_for(&of_user(user)),
        Err(_) => true,
    }
}

/// How attempts at codes are counted.
fn account(user: &User) -> String {
    format!("code {}", user.id)
}

/// Recovery codes have 80 bits, so a plain hash tells nothing.
pub(crate) fn recovery_hash(plain: &str) -> [u8; 32] {
    Sha256::digest(plain.as_bytes()).into()
}

fn code_wrong() -> Refused {
    Refused::new(
        StatusCode::UNAUTHORIZED,
        "sign_in.code_wrong",
        "the code is wrong, or was used already",
        "Wait for the next one and try again. If none works, set the phone's clock right.",
    )
}
