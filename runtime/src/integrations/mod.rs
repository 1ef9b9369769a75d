//! One thin file for each framework, each behind a feature of its own.

#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(all(feature = "systemd", unix))]
pub mod systemd;
#[cfg(feature = "tonic")]
pub mod tonic;
