//! Access types: which may use which route, from a browser and from a device.

use satchel_contract::AccessType;

use crate::route::{Audience, Route};

/// What the request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// A browser looking at the hub's pages.
    Browser,
    /// The native client. Access types that may not connect from a device may not use it.
    Device,
}

impl Client {
    /// The name in rules.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Device => "native",
        }
    }
}

/// What an administrator decided for the whole hub.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Policy {
    /// Whether people who are not signed in may see apps in a browser. Never on a device.
    pub anonymous_viewing: bool,
    /// Whom refusals tell people to ask: `Ann (ann@example.org)`; empty means "the administrator of this hub".
    pub contact: String,
}

/// What kind of refusal it is; the hub turns it into a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// Signing in would help (401).
    SignInFirst,
    /// It would not (403).
    Forbidden,
}

/// Why a request is refused, in words a person can act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind it is.
    pub kind: RefusalKind,
    /// Stable code.
    pub code: &'static str,
    /// Which type the person has and which would do, one sentence.
    pub message: String,
    /// Whom to ask, one sentence.
    pub next: String,
}

/// May somebody with `have` use `route` from `via`?
///
/// # Errors
/// The [`Refusal`] to show, naming the type the person has and the types that would do.
pub fn decide(route: Route, have: AccessType, via: Client, policy: &Policy) -> Result<(), Refusal> {
    let audience = route.audience();
    if audience == Audience::Everyone {
        return Ok(());
    }
    if have == AccessType::Anonymous {
        let may =
            audience == Audience::Viewers && via == Client::Browser && policy.anonymous_viewing;
        return if may {
            Ok(())
        } else {
            Err(sign_in_first(route))
        };
    }
    if audience == Audience::SignedIn {
        return Ok(());
    }
    let needs_device_type = audience == Audience::Devices || via == Client::Device;
    if have == AccessType::None {
        return Err(no_type(route, needs_device_type, policy));
    }
    if needs_device_type && !have.may_use_device() {
        return Err(not_on_device(route, have, policy));
    }
    match have {
        AccessType::Professional
        | AccessType::Analyzer
        | AccessType::User
        | AccessType::AnalyzerCapacity
        | AccessType::Login => Ok(()),
        _ => Err(no_type(route, needs_device_type, policy)),
    }
}

fn sign_in_first(route: Route) -> Refusal {
    Refusal {
        kind: RefusalKind::SignInFirst,
        code: "session.required",
        message: format!("you must be signed in to {}", route.deed()),
        next: "Sign in, then try again.".into(),
    }
}

fn no_type(route: Route, needs_device_type: bool, policy: &Policy) -> Refusal {
    Refusal {
        kind: RefusalKind::Forbidden,
        code: "access_type.none",
        message: format!(
            "you have no access type; to {} you need {} access",
            route.deed(),
            if needs_device_type {
                "Professional, Analyzer or User"
            } else {
                "Professional, Analyzer, User, Analyzer capacity or Login"
            }
        ),
        next: format!("Ask {} to assign you one.", whom(policy)),
    }
}

fn not_on_device(route: Route, have: AccessType, policy: &Policy) -> Refusal {
    Refusal {
        kind: RefusalKind::Forbidden,
        code: "access_type.not_on_device",
        message: format!(
            "{} access may not {}{}; Professional, Analyzer or User access may",
            have.title(),
            route.deed(),
            // "connect a device from a device" says it twice.
            if route == Route::Enrol {
                ""
            } else {
                " from a device"
            }
        ),
        next: format!(
            "Use the hub in a browser, or ask {} for one of these access types.",
            whom(policy)
        ),
    }
}

fn whom(policy: &Policy) -> &str {
    if policy.contact.is_empty() {
        "the administrator of this hub"
    } else {
        &policy.contact
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line per audience: who may, from a browser and from a device.
    fn allowed(audience: Audience, via: Client, policy: &Policy) -> Vec<AccessType> {
        let route = *Route::ALL
            .iter()
            .find(|r| r.audience() == audience)
            .expect("each audience has a route");
        AccessType::ALL
            .into_iter()
            .filter(|t| decide(route, *t, via, policy).is_ok())
            .collect()
    }

    // threat: T-07
    #[test]
    fn the_table() {
        use AccessType::*;
        let closed = Policy::default();
        let open = Policy {
            anonymous_viewing: true,
            ..Policy::default()
        };
        let all = AccessType::ALL.to_vec();
        let named = vec![Professional, Analyzer, User];
        let viewers = vec![Professional, Analyzer, User, AnalyzerCapacity, Login];
        let mut viewers_and_anonymous = viewers.clone();
        viewers_and_anonymous.push(Anonymous);
        let mut signed_in = viewers.clone();
        signed_in.push(None);

        for policy in [&closed, &open] {
            for via in [Client::Browser, Client::Device] {
                assert_eq!(allowed(Audience::Everyone, via, policy), all);
                assert_eq!(allowed(Audience::SignedIn, via, policy), signed_in);
                assert_eq!(allowed(Audience::Devices, via, policy), named);
            }
            assert_eq!(allowed(Audience::Viewers, Client::Device, policy), named);
        }
        assert_eq!(
            allowed(Audience::Viewers, Client::Browser, &closed),
            viewers
        );
        assert_eq!(
            allowed(Audience::Viewers, Client::Browser, &open),
            viewers_and_anonymous
        );
    }

    #[test]
    fn a_refusal_names_what_you_have_what_would_do_and_whom_to_ask() {
        let policy = Policy {
            contact: "Ann (ann@example.org)".into(),
            ..Policy::default()
        };
        let refusal = decide(
            Route::StartDownload,
            AccessType::Login,
            Client::Browser,
            &policy,
        )
        .expect_err("login access may not download");
        assert_eq!(refusal.code, "access_type.not_on_device");
        assert_eq!(
            refusal.message,
            "Login access may not download apps from a device; Professional, Analyzer or User access may"
        );
        assert_eq!(
            refusal.next,
            "Use the hub in a browser, or ask Ann (ann@example.org) for one of these access types."
        );
        let message = |have, via| {
            let refused = decide(Route::Enrol, have, via, &policy);
            refused.expect_err("no device for them").message
        };
        assert_eq!(
            message(AccessType::Login, Client::Device),
            "Login access may not connect a device; Professional, Analyzer or User access may"
        );
        assert_eq!(
            message(AccessType::None, Client::Device),
            "you have no access type; to connect a device you need Professional, Analyzer or User access"
        );
    }
}
