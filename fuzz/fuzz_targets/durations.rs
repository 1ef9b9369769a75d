//! The target `durations` of `tests/fuzz`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| graceful_tests_fuzz::durations(data));
