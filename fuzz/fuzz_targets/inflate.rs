//! See `martlet_tests::fuzz::inflate`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| martlet_tests::fuzz::inflate(data));
