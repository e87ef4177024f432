//! The router, built from the table of routes: each has its rule or does not exist.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post};
use satchel_gate::Route;

use crate::limits::ConnectionLimits;
use crate::peers::body_in_time;
use crate::state::HubState;
use crate::{guard, headers, routes, socket, web};

/// 64 KiB: the largest request of the API is an enrolment with two keys, some 3 KiB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Every route behind its guard, as it is and below each of `prefixes`.
pub(crate) fn build(
    state: Arc<HubState>,
    prefixes: &[String],
    limits: &ConnectionLimits,
) -> Router {
    let body = limits.body;
    let in_time =
        move |request: Request, next: Next| body_in_time(request, next, MAX_BODY_BYTES, body);
    let mut router = Router::new();
    for route in Route::ALL {
        let guarded =
            handler(route).route_layer(from_fn_with_state((state.clone(), route), guard::check));
        router = router.route(route.pattern().1, guarded.clone());
        match route {
            Route::Web => router = router.route("/", guarded),
            Route::Socket => {
                router = router
                    .route("/app", guarded.clone())
                    .route("/app/", guarded)
            }
            _ => {}
        }
    }
    let plain = router.clone();
    for prefix in prefixes {
        router = router.nest(&format!("/{prefix}"), plain.clone());
    }
    router
        .layer(from_fn(in_time))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(headers::add))
        .with_state(state)
}

/// What carries a route out. A new route does not compile until it has one.
fn handler(route: Route) -> MethodRouter<Arc<HubState>> {
    match route {
        Route::Health => get(async || "ok"),
        Route::Web => get(web::serve),
        Route::SignIn => post(routes::session::sign_in),
        Route::TokenSignIn => post(routes::embedding::with_bearer),
        Route::TicketSignIn => get(routes::embedding::redeem),
        Route::SignInWays => get(routes::providers::ways),
        Route::ProviderStart => get(routes::providers::start),
        Route::ProviderBack => get(routes::providers::back),
        Route::SecondFactorSetUp => post(routes::second_factor::set_up),
        Route::SecondFactorConfirm => post(routes::second_factor::confirm),
        Route::SecondFactorRemove => post(routes::second_factor::remove),
        Route::RecoveryCodes => post(routes::second_factor::recovery_codes),
        Route::PasskeyChallenge => post(routes::passkeys::sign_in_challenge),
        Route::PasskeySignIn => post(routes::passkeys::sign_in),
        Route::Passkeys => get(routes::passkeys::list),
        Route::PasskeyOptions => post(routes::passkeys::options),
        Route::AddPasskey => post(routes::passkeys::add),
        Route::RenamePasskey => post(routes::passkeys::rename),
        Route::RemovePasskey => delete(routes::passkeys::remove),
        Route::SignOut => post(routes::session::sign_out),
        Route::Me => get(routes::session::me),
        Route::Apps => get(routes::apps::list),
        Route::RulesExplain => get(routes::rules::explain),
        Route::Waiting => get(routes::waiting::show),
        Route::Confirm => post(routes::waiting::confirm),
        Route::Search => get(routes::search::search),
        Route::Enrol => post(routes::devices::enrol),
        Route::Challenge => post(routes::devices::challenge),
        Route::DeviceSignIn => post(routes::devices::sign_in),
        Route::Lease => post(routes::devices::lease),
        Route::LeaseKept => post(routes::devices::lease_kept),
        Route::ForgetRemembered => delete(routes::devices::forget),
        Route::DownloadPreview => get(routes::downloads::preview),
        Route::StartDownload => post(routes::downloads::start),
        Route::DownloadStatus => get(routes::downloads::status),
        Route::DownloadPackage => get(routes::downloads::package),
        Route::DeleteDownload => delete(routes::downloads::remove),
        Route::Export => get(routes::exports::fetch),
        Route::Socket => get(socket::open),
    }
}
