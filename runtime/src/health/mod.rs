//! The health server: probes are answered here, apart from the traffic, until the process exits.
//!
//! May use: `checks`, the [`Context`](crate::Context), and the protocol detection of `serve`.

pub(crate) mod response;
pub(crate) mod prestop;
#[cfg(feature = "tonic")]
pub(crate) mod grpc;
#[cfg(feature = "tonic")]
pub(crate) mod rewind;
pub(crate) mod server;
