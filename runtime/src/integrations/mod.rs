//! One thin file for each framework, each behind a feature of its own.

#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "axum")]
pub mod axum;
