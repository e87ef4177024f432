//! Files for load scripts, in the formats scripts name, inside allowed folders only.
//!
//! [`FileHost`] is the [`Host`](satchel_script::Host) of a script on an operating system.
//! A script names files as `lib://folder/path` or relative to the app's folder; whatever
//! leads out of those, by `..` or by a symbolic link, is refused (`source.outside_root`).
//! Codes: `source.not_found`, `source.outside_root`, `source.unknown_folder`,
//! `source.format_not_supported`, `source.malformed`, `source.bad_encoding`, `source.cannot_read`,
//! `source.cannot_write`, `source.unknown_table`, `source.too_large`, `source.no_positions`.
//! Queries to databases are in [`sql`], files of web sites in [`web`], those of S3-compatible
//! stores in [`object`].

mod codepage;
mod delimited;
mod dif;
mod excel;
mod files;
mod fixed;
mod grid;
mod html;
mod json;
mod kml;
mod listing;
mod markup;
mod moment;
mod named_grid;
pub mod object;
mod parquet_read;
mod parquet_write;
mod qvd;
mod qvx;
mod roots;
pub mod sql;
mod store;
pub mod web;
mod xml;

pub use files::FileHost;
pub use roots::Roots;
