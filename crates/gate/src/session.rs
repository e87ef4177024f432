//! Sessions: how long they live and how many a person may have.

use satchel_base::UnixMillis;
use satchel_contract::AccessType;

/// Half an hour without a request ends a session.
pub const SESSION_IDLE_MS: i64 = 30 * 60_000;

/// Twelve hours after the log-in a session ends, used or not.
pub const SESSION_ABSOLUTE_MS: i64 = 12 * 3_600_000;

/// Sessions a named access type may have at a time (DESIGN §3).
pub const MAX_PARALLEL_SESSIONS: usize = 5;

/// What a session is at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It may be used.
    Live,
    /// Nothing was asked for too long.
    Idle,
    /// It is too old.
    TooOld,
}

/// The state at `now` of a session that began at `began` and was last used at `last_seen`.
/// A clock that went backwards makes no session younger: a session from the future is too old.
pub fn session_state(began: UnixMillis, last_seen: UnixMillis, now: UnixMillis) -> SessionState {
    /// A clock stepped by a time server may go back this much without ending sessions.
    const CLOCK_SLACK_MS: i64 = 5 * 60_000;
    let age = now.since_ms(began);
    let idle = now.since_ms(last_seen);
    if !(-CLOCK_SLACK_MS..SESSION_ABSOLUTE_MS).contains(&age) {
        SessionState::TooOld
    } else if idle >= SESSION_IDLE_MS {
        SessionState::Idle
    } else {
        SessionState::Live
    }
}

/// Which of a person's live sessions must end so that one more may begin: the ones idle
/// longest. `last_seen` is when each was last used; the answer holds positions in it.
///
/// Ending the oldest instead of refusing the newest keeps the promise of at most five and
/// locks nobody out who lost a cookie.
pub fn sessions_to_end(have: AccessType, last_seen: &[UnixMillis]) -> Vec<usize> {
    let limit = match have {
        AccessType::Professional | AccessType::Analyzer | AccessType::User => MAX_PARALLEL_SESSIONS,
        // Pools are limited by their units and passes; this bounds the table only.
        _ => 20,
    };
    let mut order: Vec<usize> = (0..last_seen.len()).collect();
    order.sort_by_key(|&i| last_seen[i]);
    order.truncate((last_seen.len() + 1).saturating_sub(limit));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat: T-35
    #[test]
    fn idle_and_absolute_limits() {
        let t = UnixMillis(1_000_000_000_000);
        let live = |age: i64, idle: i64| session_state(t.plus_ms(-age), t.plus_ms(-idle), t);
        assert_eq!(live(0, 0), SessionState::Live);
        assert_eq!(
            live(SESSION_IDLE_MS, SESSION_IDLE_MS - 1),
            SessionState::Live
        );
        assert_eq!(live(SESSION_IDLE_MS, SESSION_IDLE_MS), SessionState::Idle);
        assert_eq!(live(SESSION_ABSOLUTE_MS - 1, 0), SessionState::Live);
        assert_eq!(live(SESSION_ABSOLUTE_MS, 0), SessionState::TooOld);
        assert_eq!(live(-3_600_000, -3_600_000), SessionState::TooOld);
    }

    #[test]
    fn a_sixth_session_ends_the_one_idle_longest() {
        let seen: Vec<_> = [5, 1, 4, 2, 3].map(UnixMillis).to_vec();
        assert_eq!(sessions_to_end(AccessType::Analyzer, &seen), vec![1]);
        assert_eq!(
            sessions_to_end(AccessType::Analyzer, &seen[..4]),
            Vec::<usize>::new()
        );
        assert_eq!(
            sessions_to_end(AccessType::Login, &seen),
            Vec::<usize>::new()
        );
    }
}
