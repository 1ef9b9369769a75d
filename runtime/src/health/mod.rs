//! Probes: deciding them, responding to them, and the health server on a port of its own, until the process exits.
//!
//! May use: `report`, the [`Context`](crate::Context), and the protocol detection of `serve`. Nothing here changes the
//! phase; `/prestop` sends a request to the lifecycle.

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
