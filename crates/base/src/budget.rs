//! How much a request may cost, and how it is stopped.
//!
//! Pure rooms cannot read a clock, so time is enforced from outside: the edge room that
//! started the work cancels its [`CancelToken`] when time is up or the user gives up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// Ends running work from outside. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicU8>);

const CANCELLED: u8 = 1;
const TIME_IS_UP: u8 = 2;

impl CancelToken {
    /// Asks the work to stop at its next [`Budget::check`].
    pub fn cancel(&self) {
        self.end(CANCELLED);
    }

    /// The same, because the time for the work is over.
    pub fn time_is_up(&self) {
        self.end(TIME_IS_UP);
    }

    /// The first reason counts.
    fn end(&self, reason: u8) {
        let _ = self.0.compare_exchange(0, reason, Relaxed, Relaxed);
    }

    /// Whether somebody asked, or the time is over.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Relaxed) != 0
    }
}

/// The most a piece of work may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rows that may be visited or produced, over the whole work.
    pub rows: u64,
    /// Bytes that may be held for intermediate and final results, over the whole work.
    pub bytes: u64,
}

impl Limits {
    /// For work whose size the program itself decides (tests, reloads by an owner).
    pub const UNLIMITED: Self = Self {
        rows: u64::MAX,
        bytes: u64::MAX,
    };

    /// For one interactive request: two billion row visits and 2 GiB of results, about ten
    /// seconds of one core and a tenth of a small server's memory.
    pub const INTERACTIVE: Self = Self {
        rows: 2_000_000_000,
        bytes: 2 << 30,
    };
}

/// Why work was stopped before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The caller cancelled.
    #[error("the calculation was cancelled")]
    Cancelled,
    /// It took longer than it may.
    #[error("the calculation took longer than it may")]
    TimeIsUp,
    /// More rows than [`Limits::rows`].
    #[error("the calculation visits more than {limit} rows")]
    TooManyRows {
        /// The limit that was passed.
        limit: u64,
    },
    /// More bytes than [`Limits::bytes`].
    #[error("the result needs more than {limit} bytes")]
    TooManyBytes {
        /// The limit that was passed.
        limit: u64,
    },
}

/// What is left of the limits for one piece of work. Shared between its threads.
#[derive(Clone, Debug)]
pub struct Budget {
    cancel: CancelToken,
    limits: Limits,
    rows: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Budget {
    /// A fresh budget that `cancel` can end.
    pub fn new(limits: Limits, cancel: CancelToken) -> Self {
        Self {
            cancel,
            limits,
            rows: Arc::default(),
            bytes: Arc::default(),
        }
    }

    /// No limits and nobody to cancel.
    pub fn unlimited() -> Self {
        Self::new(Limits::UNLIMITED, CancelToken::default())
    }

    /// The token that ends this work.
    pub fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// To be called at least once in every 100,000 rows of work.
    ///
    /// # Errors
    /// [`Stop::Cancelled`] or [`Stop::TimeIsUp`] if the token was told so.
    pub fn check(&self) -> Result<(), Stop> {
        match self.cancel.0.load(Relaxed) {
            0 => Ok(()),
            TIME_IS_UP => Err(Stop::TimeIsUp),
            _ => Err(Stop::Cancelled),
        }
    }

    /// Books `n` row visits, before they are made.
    ///
    /// # Errors
    /// [`Stop::TooManyRows`] if that passes the limit, [`Stop::Cancelled`] as [`Self::check`].
    pub fn charge_rows(&self, n: u64) -> Result<(), Stop> {
        self.check()?;
        let used = self.rows.fetch_add(n, Relaxed).saturating_add(n);
        if used > self.limits.rows {
            return Err(Stop::TooManyRows {
                limit: self.limits.rows,
            });
        }
        Ok(())
    }

    /// Whether all that was booked so far was there: for work that books without looking.
    ///
    /// # Errors
    /// As [`Self::charge_rows`].
    pub fn settle(&self) -> Result<(), Stop> {
        self.charge_rows(0)
    }

    /// Books `n` bytes, before they are allocated.
    ///
    /// # Errors
    /// [`Stop::TooManyBytes`] if that passes the limit, [`Stop::Cancelled`] as [`Self::check`].
    pub fn charge_bytes(&self, n: u64) -> Result<(), Stop> {
        self.check()?;
        let used = self.bytes.fetch_add(n, Relaxed).saturating_add(n);
        if used > self.limits.bytes {
            return Err(Stop::TooManyBytes {
                limit: self.limits.bytes,
            });
        }
        Ok(())
    }

    /// Books `n` bytes for as long as what comes back lives: for what is held on the way and
    /// is no part of the result.
    ///
    /// # Errors
    /// As [`Self::charge_bytes`].
    pub fn hold_bytes(&self, n: u64) -> Result<Held, Stop> {
        self.charge_bytes(n)?;
        Ok(Held {
            bytes: self.bytes.clone(),
            n,
        })
    }
}

/// Bytes that are booked until this is dropped.
#[derive(Debug)]
pub struct Held {
    bytes: Arc<AtomicU64>,
    n: u64,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.bytes.fetch_sub(self.n, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_run_out() {
        let budget = Budget::new(
            Limits {
                rows: 10,
                bytes: 10,
            },
            CancelToken::default(),
        );
        assert_eq!(budget.charge_rows(10), Ok(()));
        assert_eq!(budget.charge_rows(1), Err(Stop::TooManyRows { limit: 10 }));
    }

    #[test]
    fn what_was_held_is_free_again() {
        let limits = Limits { rows: 0, bytes: 10 };
        let budget = Budget::new(limits, CancelToken::default());
        let held = budget.hold_bytes(8).unwrap();
        let other = budget.clone();
        drop(held);
        let _held = other.hold_bytes(8).unwrap();
        assert!(budget.hold_bytes(3).is_err());
    }

    #[test]
    fn cancel_reaches_clones() {
        let budget = Budget::unlimited();
        let other = budget.clone();
        budget.cancel_token().cancel();
        assert_eq!(other.check(), Err(Stop::Cancelled));
        budget.cancel_token().time_is_up();
        assert_eq!(other.check(), Err(Stop::Cancelled), "the first reason");
    }

    #[test]
    fn time_that_is_up_says_so() {
        let budget = Budget::unlimited();
        budget.cancel_token().time_is_up();
        assert_eq!(budget.charge_rows(1), Err(Stop::TimeIsUp));
    }
}
