//! Taking a named access type away: one used lately stays in quarantine, so that one licence
//! cannot be passed round among many people (DESIGN §3).

use satchel_base::{SubjectId, UnixMillis};

/// Seven days: how recent a use counts, and how long the quarantine lasts.
pub const QUARANTINE_MS: i64 = 7 * 86_400_000;

/// What becomes of a named access type that is taken from a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// It is free at once.
    Free,
    /// It stays occupied until then; only the same person may have it back before.
    Quarantined {
        /// First instant it is free.
        until: UnixMillis,
    },
}

/// Takes away at `now` an access type last used at `last_used`.
pub fn release(last_used: Option<UnixMillis>, now: UnixMillis) -> Release {
    match last_used {
        Some(used) if now.since_ms(used) < QUARANTINE_MS => Release::Quarantined {
            until: now.plus_ms(QUARANTINE_MS),
        },
        _ => Release::Free,
    }
}

/// May `who` get one of `total` licences at `now`, when `held` are assigned and `quarantined`
/// (holder, free from) are cooling down? Somebody's own quarantined licence is given back.
pub fn may_assign(
    who: &SubjectId,
    total: u64,
    held: u64,
    quarantined: &[(SubjectId, UnixMillis)],
    now: UnixMillis,
) -> bool {
    let cooling = quarantined
        .iter()
        .filter(|(holder, until)| holder != who && *until > now)
        .count() as u64;
    held.saturating_add(cooling) < total
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000_000_000);

    #[test]
    fn used_in_the_last_seven_days_is_quarantined_for_seven() {
        let until = NOW.plus_ms(QUARANTINE_MS);
        assert_eq!(
            release(Some(NOW.plus_ms(1 - QUARANTINE_MS)), NOW),
            Release::Quarantined { until }
        );
        assert_eq!(
            release(Some(NOW.plus_ms(-QUARANTINE_MS)), NOW),
            Release::Free
        );
        assert_eq!(release(None, NOW), Release::Free);
    }

    #[test]
    fn only_the_same_person_gets_a_quarantined_licence_back() {
        let ann = SubjectId::new("D", "ann");
        let bob = SubjectId::new("D", "bob");
        let cooling = [(ann.clone(), NOW.plus_ms(1))];
        assert!(may_assign(&ann, 1, 0, &cooling, NOW));
        assert!(!may_assign(&bob, 1, 0, &cooling, NOW));
        assert!(may_assign(&bob, 1, 0, &cooling, NOW.plus_ms(1)));
        assert!(!may_assign(&ann, 1, 1, &[], NOW));
    }
}
