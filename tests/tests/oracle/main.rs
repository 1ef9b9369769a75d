//! The oracle suite: whatever a client sends to `graceful::serve`, in whatever pieces and phases, is executed and
//! responded to as bare hyper does it, but for `Connection: close`.
//!
//! A script runs against both servers (`run.rs`), and the two runs are compared (`compare.rs`). `matrix.rs` has the
//! cross product of requests, handlers, phases and transports, `smuggling.rs` one test for each form of abuse, and
//! `generated.rs` random scripts: `GRACEFUL_ORACLE_CASES=100000 cargo test --release -p graceful-tests --test oracle
//! generated`.
#![allow(clippy::unwrap_used)]

mod compare;
mod conformance;
mod conversations;
mod differences;
mod driver;
mod generated;
mod handler;
mod heads;
mod lingering;
mod matrix;
mod oddities;
mod process;
mod recording;
mod request;
mod run;
mod script;
mod settings;
mod silence;
mod smuggling;
mod timeouts;
mod transport;
