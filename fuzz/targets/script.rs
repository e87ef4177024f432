//! See `satchel_fuzz::script`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| satchel_fuzz::script(bytes));
