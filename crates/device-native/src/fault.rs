//! Points at which tests end this process or let the disk fail.
//!
//! Without the feature `faults`, which only tests turn on, every point is nothing. With it,
//! `SATCHEL_FAULT` says what happens at the nth point this process comes to:
//! `die@N` ends it there and then, as `kill -9` would; `fail@N` fails that one step; `full@N`
//! lets every step that needs room fail from there on, as a full disk does.

use std::fs::File;
use std::io;

/// What a step is about to need of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Room: it creates or grows a file.
    Grow,
    /// No room: it renames, removes or makes durable.
    Other,
}

/// Comes to a point.
///
/// # Errors
/// Those a test asked for.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn point(_: Step) -> io::Result<()> {
    Ok(())
}

/// Writes everything, with a point in the middle.
///
/// # Errors
/// Those of the file, and those a test asked for.
#[cfg(not(feature = "faults"))]
#[inline]
pub fn write_all(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    io::Write::write_all(file, bytes)
}

#[cfg(feature = "faults")]
pub use armed::{point, write_all};

#[cfg(feature = "faults")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    use super::{File, Step, io};

    enum Fault {
        Die,
        Fail,
        Full,
    }

    static COME_TO: AtomicU64 = AtomicU64::new(0);

    fn asked() -> Option<&'static (Fault, u64)> {
        static ASKED: OnceLock<Option<(Fault, u64)>> = OnceLock::new();
        let read = || {
            let text = std::env::var("SATCHEL_FAULT").ok()?;
            let (what, at) = text.split_once('@').expect("WHAT@N");
            let fault = match what {
                "die" => Fault::Die,
                "fail" => Fault::Fail,
                "full" => Fault::Full,
                other => panic!("no fault is called {other}"),
            };
            Some((fault, at.parse().expect("a number")))
        };
        ASKED.get_or_init(read).as_ref()
    }

    /// Comes to a point.
    ///
    /// # Errors
    /// Those a test asked for.
    pub fn point(step: Step) -> io::Result<()> {
        let Some((fault, at)) = asked() else {
            return Ok(());
        };
        let here = COME_TO.fetch_add(1, SeqCst) + 1;
        match fault {
            // Nothing is unwound, flushed or dropped.
            Fault::Die if here == *at => std::process::abort(),
            Fault::Fail if here == *at => Err(io::Error::other("a fault of the disk")),
            Fault::Full if here >= *at && step == Step::Grow => {
                Err(io::ErrorKind::StorageFull.into())
            }
            _ => Ok(()),
        }
    }

    /// Writes everything, with a point in the middle.
    ///
    /// # Errors
    /// Those of the file, and those a test asked for.
    pub fn write_all(file: &mut File, bytes: &[u8]) -> io::Result<()> {
        if asked().is_none() {
            return io::Write::write_all(file, bytes);
        }
        let (first, second) = bytes.split_at(bytes.len() / 2);
        io::Write::write_all(file, first)?;
        point(Step::Grow)?;
        io::Write::write_all(file, second)
    }
}
