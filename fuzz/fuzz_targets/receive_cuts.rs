//! See `martlet_tests::fuzz::receive_cuts`.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| martlet_tests::fuzz::receive_cuts(data));
