//! The lock: whether the vault's key is in memory, and for how long it stays there unused.

use satchel_base::UnixMillis;

use crate::{VaultError, VaultKey};

/// Fifteen minutes without use, unless policy says otherwise.
pub const DEFAULT_IDLE_MS: i64 = 15 * 60_000;

/// Holds the vault's key while the device is unlocked.
#[derive(Debug, Default)]
pub struct Lock {
    unlocked: Option<Unlocked>,
}

#[derive(Debug)]
struct Unlocked {
    key: VaultKey,
    last_used: UnixMillis,
    idle_ms: i64,
}

impl Lock {
    /// Unlocks: `key` came out of the vault. It is dropped after `idle_ms` without use.
    pub fn unlock(&mut self, key: VaultKey, now: UnixMillis, idle_ms: i64) {
        self.unlocked = Some(Unlocked {
            key,
            last_used: now,
            idle_ms,
        });
    }

    /// Another idle time, counted from the last use.
    pub fn set_idle_ms(&mut self, idle_ms: i64) {
        if let Some(unlocked) = &mut self.unlocked {
            unlocked.idle_ms = idle_ms;
        }
    }

    /// Drops the key at once.
    pub fn lock(&mut self) {
        self.unlocked = None;
    }

    /// The key, and the idle time starts anew. After the idle time, or when the clock was set
    /// back behind the last use, the key is dropped instead.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn key(&mut self, now: UnixMillis) -> Result<&VaultKey, VaultError> {
        self.tick(now);
        let unlocked = self.unlocked.as_mut().ok_or(VaultError::Locked)?;
        unlocked.last_used = unlocked.last_used.max(now);
        Ok(&unlocked.key)
    }

    /// The key for something nobody asked for, such as a timer's look at the lease: the idle
    /// time runs on.
    ///
    /// # Errors
    /// [`VaultError::Locked`].
    pub fn peek(&mut self, now: UnixMillis) -> Result<&VaultKey, VaultError> {
        self.tick(now);
        let unlocked = self.unlocked.as_ref().ok_or(VaultError::Locked)?;
        Ok(&unlocked.key)
    }

    /// Drops the key if its time is over; to be called by a timer as well, so that it does not
    /// stay until the next use. Whether the device is locked now.
    pub fn tick(&mut self, now: UnixMillis) -> bool {
        let over = self.unlocked.as_ref().is_some_and(|unlocked| {
            let idle = now.since_ms(unlocked.last_used);
            idle >= unlocked.idle_ms || idle < -crate::CLOCK_SLACK_MS
        });
        if over {
            self.unlocked = None;
        }
        self.unlocked.is_none()
    }
}

#[cfg(test)]
mod tests {
    use satchel_base::KeyBytes;

    use super::*;

    fn unlocked(idle_ms: i64) -> Lock {
        let mut lock = Lock::default();
        lock.unlock(
            VaultKey::new(KeyBytes::copied(&[7; 32])),
            UnixMillis(1_000),
            idle_ms,
        );
        lock
    }

    // threat: T-02
    #[test]
    fn idle_time_drops_the_key() {
        let mut lock = unlocked(500);
        assert!(lock.key(UnixMillis(1_499)).is_ok());
        assert!(lock.key(UnixMillis(1_998)).is_ok());
        assert!(matches!(
            lock.key(UnixMillis(2_498)),
            Err(VaultError::Locked)
        ));
        assert!(matches!(lock.key(UnixMillis(0)), Err(VaultError::Locked)));
    }

    // threat: T-02
    #[test]
    fn a_timer_does_not_keep_it_open() {
        let mut lock = unlocked(500);
        assert!(lock.peek(UnixMillis(1_400)).is_ok());
        assert!(lock.peek(UnixMillis(1_499)).is_ok());
        assert!(matches!(
            lock.peek(UnixMillis(1_500)),
            Err(VaultError::Locked)
        ));
    }

    // threat: T-02
    #[test]
    fn a_clock_set_back_locks() {
        let mut lock = unlocked(500);
        assert!(!lock.tick(UnixMillis(900)));
        assert!(lock.tick(UnixMillis(1_000 - crate::CLOCK_SLACK_MS - 1)));
    }

    // threat: T-02
    #[test]
    fn locking_is_immediate() {
        let mut lock = unlocked(500);
        lock.lock();
        assert!(matches!(
            lock.key(UnixMillis(1_000)),
            Err(VaultError::Locked)
        ));
    }
}
