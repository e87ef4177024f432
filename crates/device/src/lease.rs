//! How long downloads may be opened without the hub.
//!
//! A log-in yields a [`Grant`]; its hours run from the first launch after that log-in. The
//! device keeps the latest time it has ever seen (the high-water mark); a clock found more
//! than five minutes behind it closes everything until the next log-in.
//!
//! Pure: the caller passes the time and keeps the state. Rules: DESIGN §3 *Lease*,
//! `docs/formats/grant.md` §3. What this cannot prevent (an old disk image restored together
//! with the clock) is said there too.

use satchel_base::UnixMillis;
use satchel_contract::{Grant, HubIdentity, MAX_OFFLINE_HOURS, UNLAUNCHED_DAYS};
use satchel_sealed::{VerifyingKey, signed};
use serde::{Deserialize, Serialize};

use crate::utc_text;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Five minutes: what an honest clock may be corrected by without closing anything (DESIGN §3).
pub const CLOCK_SLACK_MS: i64 = 5 * 60_000;

/// What a device keeps about the lease of one account. Lives in the vault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseState {
    /// The grant of the last log-in; none before the first and after signing out.
    grant: Option<Grant>,
    /// When the client was first launched after that log-in.
    first_launch: Option<UnixMillis>,
    /// The latest time ever seen: by the clock, or signed by the hub.
    high_water: Option<UnixMillis>,
    /// The time the clock showed when it was found behind; a log-in clears it.
    found_behind: Option<UnixMillis>,
    /// When the newest grant ever accepted was issued; survives signing out, so that an
    /// older one cannot be played again.
    newest_issue: Option<UnixMillis>,
    /// The grants accepted that the time of issue alone would not keep from being played again.
    #[serde(default)]
    accepted: Vec<Accepted>,
    /// Hours that policy leaves of the grant's; set anew whenever the state is read.
    #[serde(default)]
    limit_hours: Option<u16>,
}

/// A grant that gave its hours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Accepted {
    id: String,
    issued_at: UnixMillis,
}

/// Time left: always positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remaining {
    /// Milliseconds until downloads close; at least 1.
    pub remaining_ms: i64,
    /// When they close.
    pub ends_at: UnixMillis,
}

/// Why downloads are closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// There was no log-in, or the user signed out.
    #[error("nobody is signed in, so downloaded apps are closed")]
    NotSignedIn,
    /// The hub's policy is zero hours.
    #[error("this hub does not allow downloaded apps to be opened without a connection")]
    OfflineNotAllowed,
    /// Thirty days passed between the log-in and the first launch.
    #[error("the log-in of {} was not used within {UNLAUNCHED_DAYS} days", utc_text(*issued_at))]
    NotLaunchedInTime {
        /// When the log-in was.
        issued_at: UnixMillis,
    },
    /// The hours are over.
    #[error("the time without contact to the hub ended on {}", utc_text(*ended_at))]
    Expired {
        /// When they ended.
        ended_at: UnixMillis,
    },
    /// The clock ran backwards.
    #[error(
        "the clock of this device showed {}, although it has already been {}",
        utc_text(*found),
        utc_text(*high_water)
    )]
    ClockBehind {
        /// The time the clock showed.
        found: UnixMillis,
        /// The latest time seen before.
        high_water: UnixMillis,
    },
    /// The grant is older than one this device has already had.
    #[error("the hub sent a grant older than one this device already had")]
    GrantTooOld,
    /// The grant is not signed by the pinned hub, or not readable.
    #[error("the grant is not one this hub has signed")]
    GrantNotGenuine,
    /// The grant is of another hub, user or device.
    #[error("the grant was made for another {of}")]
    GrantNotOurs {
        /// `hub`, `user` or `device`.
        of: &'static str,
    },
}

impl LeaseError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "lease.not_signed_in",
            Self::OfflineNotAllowed => "lease.offline_not_allowed",
            Self::NotLaunchedInTime { .. } => "lease.not_launched_in_time",
            Self::Expired { .. } => "lease.expired",
            Self::ClockBehind { .. } => "lease.clock_behind",
            Self::GrantTooOld => "lease.grant_too_old",
            Self::GrantNotGenuine => "lease.grant_not_genuine",
            Self::GrantNotOurs { .. } => "lease.grant_not_ours",
        }
    }

    /// What to do next, one sentence.
    pub const fn next(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "Sign in at the hub.",
            Self::OfflineNotAllowed => {
                "Open the app at the hub, or ask its administrator to allow downloads."
            }
            Self::NotLaunchedInTime { .. } | Self::Expired { .. } => {
                "Sign in at the hub again; your downloads are kept and open at once afterwards."
            }
            Self::ClockBehind { .. } => {
                "Set the clock right, then sign in at the hub; your downloads are kept."
            }
            Self::GrantTooOld => {
                "Ask the hub's administrator to check its clock; if it was set back on purpose, remove the hub from this device and add it again."
            }
            Self::GrantNotGenuine | Self::GrantNotOurs { .. } => {
                "Do not trust this connection: somebody may be between you and the hub. Tell its administrator."
            }
        }
    }
}

/// The grant in `envelope`, if the pinned hub signed it for this user on this device.
///
/// # Errors
/// [`LeaseError::GrantNotGenuine`] or [`LeaseError::GrantNotOurs`].
pub fn verify_grant(
    envelope: &[u8],
    hub: &HubIdentity,
    user: &satchel_base::SubjectId,
    device: &satchel_base::DeviceId,
) -> Result<Grant, LeaseError> {
    let key = pinned_key(hub).ok_or(LeaseError::GrantNotGenuine)?;
    let payload =
        signed::verify(&key, signed::GRANT, envelope).map_err(|_| LeaseError::GrantNotGenuine)?;
    let grant: Grant = serde_json::from_slice(payload).map_err(|_| LeaseError::GrantNotGenuine)?;
    if grant.hub != hub.id {
        Err(LeaseError::GrantNotOurs { of: "hub" })
    } else if grant.user != *user {
        Err(LeaseError::GrantNotOurs { of: "user" })
    } else if grant.device != *device {
        Err(LeaseError::GrantNotOurs { of: "device" })
    } else {
        Ok(grant)
    }
}

/// The key pinned for a hub; `None` if what is pinned is no key.
pub(crate) fn pinned_key(hub: &HubIdentity) -> Option<VerifyingKey> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(&hub.signing_key)
        .ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

impl LeaseState {
    /// A log-in: takes the grant and repairs the high-water mark by its signed time. The hours
    /// do not start yet.
    ///
    /// `now` is the device's clock. If that is behind the hub's by more than five minutes,
    /// everything stays closed, and the next [`Self::remaining`] says so.
    ///
    /// A grant gives its hours once: the one in force, taken again, changes nothing.
    ///
    /// # Errors
    /// [`LeaseError::GrantTooOld`] if it or a newer grant was accepted before; the state is
    /// unchanged.
    pub fn log_in(&mut self, grant: Grant, now: UnixMillis) -> Result<(), LeaseError> {
        if let Some(newest) = self.newest_issue
            && newest.since_ms(grant.issued_at) > CLOCK_SLACK_MS
        {
            return Err(LeaseError::GrantTooOld);
        }
        if self.accepted.iter().any(|accepted| accepted.id == grant.id) {
            return match &self.grant {
                Some(in_force) if *in_force == grant => Ok(()),
                _ => Err(LeaseError::GrantTooOld),
            };
        }
        let newest = self
            .newest_issue
            .map_or(grant.issued_at, |newest| newest.max(grant.issued_at));
        self.newest_issue = Some(newest);
        // Older ones are refused by their time of issue.
        self.accepted
            .retain(|accepted| newest.since_ms(accepted.issued_at) <= CLOCK_SLACK_MS);
        self.accepted.push(Accepted {
            id: grant.id.clone(),
            issued_at: grant.issued_at,
        });
        self.high_water = Some(grant.issued_at);
        self.found_behind = None;
        self.first_launch = None;
        self.grant = Some(grant);
        self.observe(now);
        Ok(())
    }

    /// Looks at the clock: raises the high-water mark, or notes that the clock ran backwards.
    /// To be called at every start and before every use.
    pub fn observe(&mut self, now: UnixMillis) {
        match self.high_water {
            Some(mark) if mark.since_ms(now) > CLOCK_SLACK_MS => {
                self.found_behind.get_or_insert(now);
            }
            Some(mark) => self.high_water = Some(mark.max(now)),
            None => self.high_water = Some(now),
        }
    }

    /// The client was started or unlocked: the hours start, if they have not yet and may.
    pub fn launch(&mut self, now: UnixMillis) {
        self.observe(now);
        if self.first_launch.is_none() && self.before_launch(now).is_ok() {
            self.first_launch = Some(self.time(now));
        }
    }

    /// Time left for opening downloads; starts the hours if nothing has (using data is a
    /// launch, however the client came to run).
    ///
    /// # Errors
    /// Why downloads are closed.
    pub fn open(&mut self, now: UnixMillis) -> Result<Remaining, LeaseError> {
        self.launch(now);
        self.remaining(now)
    }

    /// Time left, without changing anything. Before the first launch: what there would be if
    /// it were now.
    ///
    /// # Errors
    /// Why downloads are closed.
    pub fn remaining(&self, now: UnixMillis) -> Result<Remaining, LeaseError> {
        let mut seen = self.clone();
        seen.observe(now);
        let grant = seen.before_launch(now)?;
        let start = seen.first_launch.unwrap_or_else(|| seen.time(now));
        let hours = i64::from(seen.hours(grant));
        let ends_at = start.plus_ms(hours * HOUR_MS);
        let remaining_ms = ends_at.since_ms(seen.time(now));
        if remaining_ms > 0 {
            Ok(Remaining {
                remaining_ms,
                ends_at,
            })
        } else {
            Err(LeaseError::Expired { ended_at: ends_at })
        }
    }

    /// Policy leaves no more than these hours, of this grant and of later ones.
    pub fn limit(&mut self, hours: u16) {
        self.limit_hours = (hours < MAX_OFFLINE_HOURS).then_some(hours);
    }

    /// The user signed out: downloads close. What was seen of time is kept.
    pub fn sign_out(&mut self) {
        self.grant = None;
        self.first_launch = None;
    }

    /// The grant in force.
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }

    /// When the newest grant ever accepted was issued.
    pub fn newest_issue(&self) -> Option<UnixMillis> {
        self.newest_issue
    }

    /// When the hours started.
    pub fn first_launch(&self) -> Option<UnixMillis> {
        self.first_launch
    }

    /// The latest time ever seen.
    pub fn high_water(&self) -> Option<UnixMillis> {
        self.high_water
    }

    /// The lease as a screen shows it.
    pub fn view(&self, now: UnixMillis) -> LeaseView {
        let (status, left, error) = match self.remaining(now) {
            Ok(left) if self.first_launch.is_none() => (LeaseStatus::NotStarted, Some(left), None),
            Ok(left) => (LeaseStatus::Running, Some(left), None),
            Err(error) => (LeaseStatus::Closed, None, Some(error)),
        };
        let warning = match (status, left) {
            (LeaseStatus::Running, Some(left)) if left.remaining_ms <= 2 * HOUR_MS => {
                LeaseWarning::TwoHours
            }
            (LeaseStatus::Running, Some(left)) if left.remaining_ms <= 2 * DAY_MS => {
                LeaseWarning::TwoDays
            }
            _ => LeaseWarning::None,
        };
        LeaseView {
            status,
            warning,
            ends_at: left.map(|left| left.ends_at),
            remaining_ms: left.map_or(0, |left| left.remaining_ms),
            offline_hours: self.grant.as_ref().map_or(0, |grant| self.hours(grant)),
            code: error.as_ref().map(|error| error.code().to_owned()),
            message: error.as_ref().map(ToString::to_string),
            next: error.as_ref().map(|error| error.next().to_owned()),
        }
    }

    /// The grant, unless something other than its hours closes everything.
    fn before_launch(&self, now: UnixMillis) -> Result<&Grant, LeaseError> {
        if let Some(found) = self.found_behind {
            return Err(LeaseError::ClockBehind {
                found,
                high_water: self.high_water.unwrap_or(found),
            });
        }
        let grant = self.grant.as_ref().ok_or(LeaseError::NotSignedIn)?;
        if self.hours(grant) == 0 {
            return Err(LeaseError::OfflineNotAllowed);
        }
        if self.first_launch.is_none()
            && self.time(now).since_ms(grant.issued_at) >= UNLAUNCHED_DAYS * DAY_MS
        {
            return Err(LeaseError::NotLaunchedInTime {
                issued_at: grant.issued_at,
            });
        }
        Ok(grant)
    }

    /// The hours that count: the grant's, but no more than policy leaves.
    fn hours(&self, grant: &Grant) -> u16 {
        let limit = self.limit_hours.unwrap_or(MAX_OFFLINE_HOURS);
        grant.offline_hours.min(limit).min(MAX_OFFLINE_HOURS)
    }

    /// The time that counts: the clock, but never less than what was seen.
    fn time(&self, now: UnixMillis) -> UnixMillis {
        self.high_water.map_or(now, |mark| mark.max(now))
    }
}

/// Whether downloads open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeaseStatus {
    /// Logged in, the hours have not started.
    NotStarted,
    /// The hours run.
    Running,
    /// Closed; [`LeaseView::code`] says why.
    Closed,
}

/// When to say that the end is near (DESIGN §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LeaseWarning {
    /// More than two days left, or not running.
    None,
    /// Two days or less.
    TwoDays,
    /// Two hours or less.
    TwoHours,
}

/// What a screen needs to know about the lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseView {
    /// Whether downloads open.
    pub status: LeaseStatus,
    /// Whether to warn.
    pub warning: LeaseWarning,
    /// When they close (before the first launch: if it were now).
    pub ends_at: Option<UnixMillis>,
    /// Milliseconds left, 0 when closed.
    pub remaining_ms: i64,
    /// Hours of the grant, 0 without one.
    pub offline_hours: u16,
    /// Why closed: the code.
    pub code: Option<String>,
    /// Why closed: one sentence.
    pub message: Option<String>,
    /// What to do.
    pub next: Option<String>,
}
