//! Only a test: `tests/golden.rs`.
