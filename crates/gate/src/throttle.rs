//! Slowing down people who guess passwords, without letting them lock anybody out.
//!
//! Two limits, both tied to the address the attempts come from: each pair of account and
//! address backs off after a few failures, and each address has a budget of failures over
//! all accounts. There is no limit on an account alone: it would let anybody who knows a
//! name keep its owner out. Attempts are charged when they begin and given back when they
//! succeed, so that a thousand attempts at once are one attempt too many, not one by one.

use std::collections::HashMap;
use std::net::IpAddr;

use satchel_base::UnixMillis;

/// Failures a pair of account and address has free: typing errors.
const FREE_FAILURES: u32 = 4;

/// The wait after the first failure beyond the free ones; it doubles with each further one.
const FIRST_WAIT_MS: i64 = 2_000;

/// The longest wait of a pair: a person who is locked out by a shared address gets a try
/// every quarter of an hour at least.
const LONGEST_WAIT_MS: i64 = 15 * 60_000;

/// A pair without failures for a day starts afresh.
const FORGET_PAIR_MS: i64 = 24 * 3_600_000;

/// Failures an address may make at once, over all accounts: an office behind one address
/// on a Monday morning.
const ADDRESS_BURST: i64 = 60;

/// One failure more every six seconds.
const ADDRESS_REFILL_MS: i64 = 6_000;

/// Entries kept of each kind, about 10 MB; beyond, the stalest go first.
const MAX_ENTRIES: usize = 50_000;

/// Whether an attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Check the password, then report [`Throttle::succeeded`] if it was right.
    Allowed,
    /// Do not even look at the password.
    Wait {
        /// When the next attempt is allowed.
        until: UnixMillis,
    },
}

/// The memory of attempts. One per hub.
#[derive(Debug, Default)]
pub struct Throttle {
    pairs: HashMap<(String, String), Pair>,
    addresses: HashMap<String, Bucket>,
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    failures: u32,
    last: UnixMillis,
    blocked_until: UnixMillis,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// When the bucket would be full again if nothing more is taken out of it.
    full_at: UnixMillis,
}

impl Throttle {
    /// An attempt to log in as `account` from `address` (see [`address_key`]) begins. It
    /// counts as a failure until [`Self::succeeded`] takes that back.
    pub fn begin(&mut self, account: &str, address: &str, now: UnixMillis) -> Attempt {
        let key = (account.to_owned(), address.to_owned());
        let pair = self
            .pairs
            .get(&key)
            .copied()
            .filter(|p| (0..FORGET_PAIR_MS).contains(&now.since_ms(p.last)));
        let full_at = self
            .addresses
            .get(address)
            .map_or(now, |b| b.full_at.max(now))
            .plus_ms(ADDRESS_REFILL_MS);
        let address_free_at = full_at.plus_ms(-ADDRESS_BURST * ADDRESS_REFILL_MS);
        let pair_free_at = pair.map_or(now, |p| p.blocked_until);
        let until = address_free_at.max(pair_free_at);
        if until > now {
            return Attempt::Wait { until };
        }
        let failures = pair.map_or(0, |p| p.failures).saturating_add(1);
        let blocked_until = match failures.checked_sub(FREE_FAILURES) {
            None | Some(0) => now,
            Some(beyond) => now.plus_ms(wait_ms(beyond)),
        };
        make_room(&mut self.pairs, |p| p.last);
        make_room(&mut self.addresses, |b| b.full_at);
        self.pairs.insert(
            key,
            Pair {
                failures,
                last: now,
                blocked_until,
            },
        );
        self.addresses
            .insert(address.to_owned(), Bucket { full_at });
        Attempt::Allowed
    }

    /// The attempt that began was right: the pair starts afresh, and the address gets back
    /// what this attempt took from its budget (and no more).
    pub fn succeeded(&mut self, account: &str, address: &str) {
        self.pairs.remove(&(account.to_owned(), address.to_owned()));
        if let Some(bucket) = self.addresses.get_mut(address) {
            bucket.full_at = bucket.full_at.plus_ms(-ADDRESS_REFILL_MS);
        }
    }
}

/// The key under which attempts from `address` are counted: the address itself, or for IPv6
/// its first 64 bits, which is what one subscriber gets.
pub fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}::/64", s[0], s[1], s[2], s[3])
        }
    }
}

fn wait_ms(beyond_free: u32) -> i64 {
    FIRST_WAIT_MS
        .checked_shl(beyond_free.saturating_sub(1).min(20))
        .unwrap_or(LONGEST_WAIT_MS)
        .min(LONGEST_WAIT_MS)
}

/// Makes room for one more entry by dropping the stalest tenth.
fn make_room<K: Clone + Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V>,
    age: impl Fn(&V) -> UnixMillis,
) {
    if map.len() < MAX_ENTRIES {
        return;
    }
    let mut ages: Vec<UnixMillis> = map.values().map(&age).collect();
    let (_, cut, _) = ages.select_nth_unstable(MAX_ENTRIES / 10);
    let cut = *cut;
    map.retain(|_, v| age(v) > cut);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T: UnixMillis = UnixMillis(1_000_000_000_000);

    // threat: T-34
    #[test]
    fn a_pair_backs_off_after_the_free_failures() {
        let mut throttle = Throttle::default();
        for _ in 0..=FREE_FAILURES {
            assert_eq!(throttle.begin("ann", "a", T), Attempt::Allowed);
        }
        let until = T.plus_ms(FIRST_WAIT_MS);
        assert_eq!(throttle.begin("ann", "a", T), Attempt::Wait { until });
        assert_eq!(throttle.begin("ann", "a", until), Attempt::Allowed);
        let until = until.plus_ms(2 * FIRST_WAIT_MS);
        assert_eq!(
            throttle.begin("ann", "a", until.plus_ms(-1)),
            Attempt::Wait { until }
        );
    }

    // threat: T-34
    #[test]
    fn a_victim_elsewhere_is_not_locked_out() {
        let mut throttle = Throttle::default();
        for i in 0..100_000i64 {
            throttle.begin("ann", &format!("10.0.{}.{}", i % 200, i % 7), T.plus_ms(i));
        }
        assert_eq!(
            throttle.begin("ann", "home", T.plus_ms(100_000)),
            Attempt::Allowed
        );
    }

    // threat: T-34
    #[test]
    fn an_address_that_tries_many_accounts_runs_dry() {
        let mut throttle = Throttle::default();
        let allowed = (0..10_000)
            .filter(|i| throttle.begin(&format!("user{i}"), "a", T) == Attempt::Allowed)
            .count();
        assert_eq!(allowed as i64, ADDRESS_BURST);
        assert_eq!(
            throttle.begin("x", "a", T.plus_ms(ADDRESS_REFILL_MS)),
            Attempt::Allowed
        );
    }

    #[test]
    fn success_is_free() {
        let mut throttle = Throttle::default();
        for _ in 0..10_000 {
            assert_eq!(throttle.begin("ann", "a", T), Attempt::Allowed);
            throttle.succeeded("ann", "a");
        }
    }

    // threat: T-34
    #[test]
    fn memory_is_bounded() {
        let mut throttle = Throttle::default();
        for i in 0..120_000i64 {
            throttle.begin("ann", &format!("a{i}"), T.plus_ms(i));
        }
        assert!(throttle.pairs.len() <= MAX_ENTRIES);
        assert!(throttle.addresses.len() <= MAX_ENTRIES);
    }

    #[test]
    fn ipv6_counts_by_subscriber() {
        let key = |a: &str| address_key(a.parse().expect("an address"));
        assert_eq!(key("2001:db8:1:2:3:4:5:6"), key("2001:db8:1:2::1"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:10.0.0.1"), "10.0.0.1");
    }

    proptest! {
        /// However attempts are spread, one pair gets few and one address not many more than
        /// its budget within an hour.
        // threat: T-34
        #[test]
        fn few_guesses_pass(gaps in prop::collection::vec(0i64..60_000, 1..2_000)) {
            let mut throttle = Throttle::default();
            let mut now = T;
            let mut passed = 0u32;
            for gap in gaps {
                now = now.plus_ms(gap);
                if now.since_ms(T) > 3_600_000 { break; }
                if throttle.begin("ann", "a", now) == Attempt::Allowed { passed += 1; }
            }
            // 5 free, then waits of 2 s, 4 s … 15 min: at most 9 doublings and 3 full waits.
            prop_assert!(passed <= 18, "{} attempts passed", passed);
        }
    }
}
