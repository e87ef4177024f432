//! The JSON-RPC API of an analytics engine as a state machine: text frames in, text frames
//! out, no sockets and no clock.
//!
//! A [`Session`] is what one user has open, on one connection or several. It reads a frame,
//! computes on the engine its [`Host`] opened, and gives exactly one reply a request, in order;
//! what a request changed for other connections is handed out beside it. Everything a client sends is
//! untrusted: a frame leads to a reply or an error, never to a panic. Rights are the host's
//! business; a session only sees the view and content it was given.
//!
//! Rules: reference qix (measured against unmodified clients).

mod content;
mod doc;
mod errors;
mod export;
mod frame;
mod glance;
mod global;
mod handles;
mod host;
mod image;
mod layout;
mod object;
mod params;
mod patch;
mod router;
mod session;
mod wire;

pub use content::{
    AppContent, Bookmark, Entity, EntityMeta, ObjectTree, Properties, StoredField,
    StoredSelections, StoredState, StoredVariable,
};
pub use errors::{Code, RpcError};
pub use export::{ExportCell, ExportFile, ExportKind, ExportRows};
pub use glance::{Glance, Urgent, glance};
pub use global::progress_reply;
pub use host::{
    Host, Now, OpenApp, OpenFailure, OpenMode, Refusal, ReloadProgress, Reloaded, UserInfo,
};
pub use image::{AppImage, AppMeta, ImageError, StreamRef};
pub use router::{MethodInfo, methods};
pub use session::{Answer, ConnectionId, Greeting, Session, SessionConfig};
