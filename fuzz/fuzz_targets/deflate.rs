//! See `martlet_tests::fuzz::deflate`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| martlet_tests::fuzz::deflate(data));
