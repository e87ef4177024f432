//! The hub: TLS, HTTP, the QIX socket, reload jobs, downloads; the binary `satchel-hub`.
//!
//! What may be done is decided in `gate` and `access`, what is known is in `store`; this room
//! carries requests between them and the engine. Routes come from `gate::Route`: a route that
//! is not there does not exist, and every one passes through [`guard`].

mod access_tests;
mod apps;
mod chart_fields;
pub mod cli;
mod connections;
mod data_image;
mod direct;
mod embedding;
mod exports;
mod gain_approval;
mod guard;
mod headers;
mod housekeeping;
mod language;
mod limits;
mod outgoing;
mod passkeys;
mod peers;
mod policy;
mod provider;
mod qix_host;
mod refusal;
mod reload;
mod rights;
mod router;
mod routes;
mod script_host;
mod script_place;
mod second_factor;
mod serve;
mod sessions;
mod sign_in;
mod socket;
mod state;
mod system;
mod web;

pub use limits::{ConnectionLimits, ReloadLimits};
pub use serve::{Direct, Serve, ServeError, Served, serve};
pub use state::HubState;
pub use system::{SystemClock, SystemEntropy};
