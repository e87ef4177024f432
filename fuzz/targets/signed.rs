//! See `satchel_fuzz::signed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| satchel_fuzz::signed(bytes));
