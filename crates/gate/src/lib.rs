//! Decisions about who may do what at the hub, as pure functions and state machines.
//!
//! This room reads no clock and keeps nothing: the hub and the store hand in times and
//! counts, and act on the answers. Every decision fails closed. Rules: DESIGN §3 (access
//! types, lease, credentials); threats 5, 7, 27, 28, 34 and 35 of the security reference.

mod access;
mod address;
mod calendar;
mod capacity;
mod claims;
mod grant;
mod origin;
mod passkey;
mod password;
mod quarantine;
mod role;
mod route;
mod rules;
mod second_factor;
mod session;
mod throttle;
mod token;

pub use access::{Client, Policy, Refusal, RefusalKind, decide};
pub use address::AddressRange;
pub use calendar::month_bounds;
pub use capacity::{
    CAPACITY_UNIT_MS, CapacityUse, LOGIN_PASS_MS, LOGIN_PASS_RETURN_MS, PASSES_PER_TOKEN, PassUse,
    touch_capacity, touch_pass,
};
pub use claims::{ClaimProblem, Claimed, Mapping, claimed, is_name};
pub use grant::offline_hours;
pub use origin::{Provenance, is_own_request, is_socket_origin};
pub use passkey::{
    Attested, Ceremony, CeremonyKind, PASSKEY_ALGORITHMS, PasskeyProblem, check_assertion,
    check_registration, may_follow, rp_id, signed_bytes,
};
pub use password::{HashCost, MIN_PASSWORD_CHARS, PASSWORD_COST, PasswordProblem, check_password};
pub use quarantine::{QUARANTINE_MS, Release, may_assign, release};
pub use role::Role;
pub use route::{Audience, Method, Route};
pub use rules::{
    Action, Attributes, Condition, ConditionError, Place, Request, Resource, Rule, RuleKind,
    allowed_by, is_allowed, is_met, shipped_rules,
};
pub use second_factor::{
    CODE_SECRET_BYTES, N_RECOVERY_CODES, RECOVERY_BYTES, Typed, enrolment_uri, matching_step,
    spell_recovery, spell_secret, typed,
};
pub use session::{
    MAX_PARALLEL_SESSIONS, SESSION_ABSOLUTE_MS, SESSION_IDLE_MS, SessionState, session_state,
    sessions_to_end,
};
pub use throttle::{Attempt, Throttle, address_key};
pub use token::{Expected, TokenProblem, check_token};
