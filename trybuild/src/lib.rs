//! Empty: the cases are in `fail` and `pass`, the test is `tests/compile.rs`.
