//! The hub: TLS, HTTP, the QIX socket, reload jobs, downloads; the binary `satchel-hub`.
//!
//! What may be done is decided in `gate` and `access`, what is known is in `store`; this room
//! carries requests between them and the engine. Routes come from `gate::Route`: a route that
//! is not there does not exist, and every one passes through [`guard`].

mod apps;
pub mod cli;
mod data_image;
mod guard;
mod headers;
mod housekeeping;
mod qix_host;
mod refusal;
mod reload;
mod router;
mod routes;
mod serve;
mod sessions;
mod sign_in;
mod socket;
mod state;
mod system;
mod web;

pub use serve::{Serve, ServeError, Served, serve};
pub use state::HubState;
pub use system::{SystemClock, SystemEntropy};
