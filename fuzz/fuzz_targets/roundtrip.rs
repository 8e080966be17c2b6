//! See `martlet_tests::fuzz::roundtrip`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| martlet_tests::fuzz::roundtrip(data));
