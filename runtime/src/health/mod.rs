//! The health server: probes are answered here, apart from the traffic, until the process exits.
//!
//! May use: `checks`, the [`Context`](crate::Context), and the protocol detection of `serve`.

pub(crate) mod probe;
pub(crate) mod decision;
pub(crate) mod response;
pub(crate) mod service;
pub(crate) mod prestop;
#[cfg(feature = "tonic")]
pub(crate) mod grpc;
#[cfg(feature = "tonic")]
pub(crate) mod rewind;
pub(crate) mod listener;
pub(crate) mod server;
