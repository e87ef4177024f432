//! See `satchel_fuzz::qix_frames`.
#![no_main]

libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    match satchel_fuzz::mutate_frames(&data[..size], seed) {
        Some(text) if text.len() <= max_size => {
            data[..text.len()].copy_from_slice(text.as_bytes());
            text.len()
        }
        _ => libfuzzer_sys::fuzzer_mutate(data, size, max_size),
    }
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| satchel_fuzz::qix_frames(bytes));
