//! What every room needs and none owns: identities, sizes, times, secrets, budgets.
//!
//! This room does no I/O and reads no clock, entropy or environment: time and randomness
//! enter as values through [`Clock`] and [`Entropy`], which only edge rooms implement.

mod budget;
mod id;
mod key_bytes;
mod secret;
mod time;
mod time_text;
mod wildcard;

pub use budget::{Budget, CancelToken, Held, Limits, Stop};
pub use id::{AppId, DeviceId, SubjectId};
pub use key_bytes::{KeyBytes, leaving_no_trace};
pub use secret::Secret;
pub use time::{ByteSize, Clock, Entropy, UnixMillis};
pub use time_text::utc_text;
pub use wildcard::{matches_wildcard, matches_wildcard_while};
