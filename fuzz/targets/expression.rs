//! See `satchel_fuzz::expression`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| satchel_fuzz::expression(bytes));
