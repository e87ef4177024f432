//! See `satchel_fuzz::package`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| satchel_fuzz::package(bytes));
