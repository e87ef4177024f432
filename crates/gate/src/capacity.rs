//! Pools that are used up: Analyzer capacity in units of six minutes, Login in passes of
//! sixty (DESIGN §3).
//!
//! The store counts what is used inside one transaction, asks here, and writes down the
//! unit or pass that begins.

use satchel_base::UnixMillis;

use crate::calendar::month_bounds;

/// A unit of Analyzer capacity: six minutes from the activity that began it.
pub const CAPACITY_UNIT_MS: i64 = 6 * 60_000;

/// A login pass: sixty minutes from the log-in that began it, whether used or not.
pub const LOGIN_PASS_MS: i64 = 60 * 60_000;

/// A used pass is back in the pool 28 days after it began.
pub const LOGIN_PASS_RETURN_MS: i64 = 28 * 86_400_000;

/// Passes one token is good for.
pub const PASSES_PER_TOKEN: u64 = 10;

/// What an activity under Analyzer capacity does to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapacityUse {
    /// The person's running unit covers it until then.
    Running {
        /// First instant the unit no longer covers.
        until: UnixMillis,
    },
    /// A new unit begins now and covers until then.
    Begins {
        /// First instant the unit no longer covers.
        until: UnixMillis,
    },
    /// No unit is left this month.
    Exhausted {
        /// When the pool is full again: the first of the next month, UTC.
        again_at: UnixMillis,
    },
}

/// An activity at `now`. `last_began` is when the person's latest unit began, `used` how many
/// units of the whole pool began in the calendar month of `now`, `quota` how many there are.
pub fn touch_capacity(
    last_began: Option<UnixMillis>,
    used: u64,
    quota: u64,
    now: UnixMillis,
) -> CapacityUse {
    if let Some(began) = last_began
        && covers(began, CAPACITY_UNIT_MS, now)
    {
        return CapacityUse::Running {
            until: began.plus_ms(CAPACITY_UNIT_MS),
        };
    }
    if used >= quota {
        return CapacityUse::Exhausted {
            again_at: month_bounds(now).1,
        };
    }
    CapacityUse::Begins {
        until: now.plus_ms(CAPACITY_UNIT_MS),
    }
}

/// What a log-in or activity under Login access does to the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassUse {
    /// The person's running pass covers it until then.
    Running {
        /// First instant the pass no longer covers.
        until: UnixMillis,
    },
    /// A new pass begins now and covers until then.
    Begins {
        /// First instant the pass no longer covers.
        until: UnixMillis,
    },
    /// No pass is left.
    Exhausted {
        /// When the first one comes back; absent if there are no tokens at all.
        again_at: Option<UnixMillis>,
    },
}

/// An activity at `now`. `last_began` is when the person's latest pass began, `out` how many
/// passes of the pool began within the last [`LOGIN_PASS_RETURN_MS`], `oldest_out` when the
/// oldest of these began, `tokens` how many tokens there are.
pub fn touch_pass(
    last_began: Option<UnixMillis>,
    out: u64,
    oldest_out: Option<UnixMillis>,
    tokens: u64,
    now: UnixMillis,
) -> PassUse {
    if let Some(began) = last_began
        && covers(began, LOGIN_PASS_MS, now)
    {
        return PassUse::Running {
            until: began.plus_ms(LOGIN_PASS_MS),
        };
    }
    if out >= tokens.saturating_mul(PASSES_PER_TOKEN) {
        return PassUse::Exhausted {
            again_at: oldest_out.map(|began| began.plus_ms(LOGIN_PASS_RETURN_MS)),
        };
    }
    PassUse::Begins {
        until: now.plus_ms(LOGIN_PASS_MS),
    }
}

/// A span that began in the future (the clock was set back) covers nothing: it would be
/// endless otherwise.
fn covers(began: UnixMillis, length_ms: i64, now: UnixMillis) -> bool {
    (0..length_ms).contains(&now.since_ms(began))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T: UnixMillis = UnixMillis(1_706_745_600_000); // 2024-02-01T00:00:00Z

    #[test]
    fn a_unit_lasts_six_minutes() {
        let until = T.plus_ms(CAPACITY_UNIT_MS);
        assert_eq!(touch_capacity(None, 0, 1, T), CapacityUse::Begins { until });
        assert_eq!(
            touch_capacity(Some(T), 1, 1, T.plus_ms(CAPACITY_UNIT_MS - 1)),
            CapacityUse::Running { until }
        );
        assert_eq!(
            touch_capacity(Some(T), 1, 1, until),
            CapacityUse::Exhausted {
                again_at: UnixMillis(1_709_251_200_000) // 2024-03-01T00:00:00Z
            }
        );
    }

    #[test]
    fn minute_sixty_one_is_a_new_pass() {
        let end = T.plus_ms(LOGIN_PASS_MS);
        assert_eq!(
            touch_pass(Some(T), 1, Some(T), 1, end.plus_ms(-1)),
            PassUse::Running { until: end }
        );
        assert_eq!(
            touch_pass(Some(T), 1, Some(T), 1, end),
            PassUse::Begins {
                until: end.plus_ms(LOGIN_PASS_MS)
            }
        );
    }

    #[test]
    fn ten_passes_to_a_token_and_back_after_28_days() {
        assert!(matches!(
            touch_pass(None, 9, Some(T), 1, T),
            PassUse::Begins { .. }
        ));
        assert_eq!(
            touch_pass(None, 10, Some(T), 1, T),
            PassUse::Exhausted {
                again_at: Some(T.plus_ms(28 * 86_400_000))
            }
        );
        assert_eq!(
            touch_pass(None, 0, None, 0, T),
            PassUse::Exhausted { again_at: None }
        );
    }

    proptest! {
        /// Whatever a person does, a pool of `quota` units is never used more than that a month,
        /// and activity is only refused when the pool is empty.
        #[test]
        fn the_pool_is_never_overdrawn(
            quota in 0u64..6,
            steps in prop::collection::vec((0i64..900_000, 0usize..3), 1..60),
        ) {
            let mut now = T;
            let mut last: [Option<UnixMillis>; 3] = [None; 3];
            let mut used = 0u64;
            for (wait, who) in steps {
                now = now.plus_ms(wait);
                match touch_capacity(last[who], used, quota, now) {
                    CapacityUse::Begins { .. } => { used += 1; last[who] = Some(now); }
                    CapacityUse::Running { until } => prop_assert!(now < until),
                    CapacityUse::Exhausted { again_at } => {
                        prop_assert_eq!(used, quota);
                        prop_assert!(again_at > now);
                    }
                }
                prop_assert!(used <= quota);
            }
        }
    }
}
