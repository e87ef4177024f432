//! The handlers of the API, a file for each group of routes.

pub(crate) mod apps;
pub(crate) mod devices;
pub(crate) mod downloads;
pub(crate) mod embedding;
pub(crate) mod exports;
pub(crate) mod passkeys;
pub(crate) mod providers;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod second_factor;
pub(crate) mod session;
pub(crate) mod waiting;
