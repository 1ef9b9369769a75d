//! Builds the programs of `app` and `plugin` in one configuration after the other, and compares the hooks and checks that
//! each lists and runs with those that its sources contain.
//!
//! The test builds the fast half. `cargo run -p graceful-links` builds all, and prints the table of `docs/proof.md`.

pub mod build;
pub mod configuration;
pub mod programs;
