//! See `martlet_tests::fuzz::utf8`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| martlet_tests::fuzz::utf8(data));
