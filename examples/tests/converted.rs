//! Programs that `cargo graceful init` has converted compile, without a warning about what it left unused.
//! Their formatting is that of their users.
#![deny(unused)]
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

#[rustfmt::skip]
#[path = "../../cli/tests/init/axum_graceful_shutdown/after/src/main.rs"]
mod axum_graceful_shutdown;
#[rustfmt::skip]
#[path = "../../cli/tests/init/axum_plain/after/src/main.rs"]
mod axum_plain;
#[rustfmt::skip]
#[path = "../../cli/tests/init/macro_heavy_main/after/src/main.rs"]
mod macro_heavy_main;
#[rustfmt::skip]
#[path = "../../cli/tests/init/tokio_main/after/src/main.rs"]
mod tokio_main;
#[rustfmt::skip]
#[path = "../../cli/tests/init/tokio_main_with_flavor/after/src/main.rs"]
mod tokio_main_with_flavor;
#[rustfmt::skip]
#[path = "../../cli/tests/init/tonic/after/src/main.rs"]
mod tonic_server;
