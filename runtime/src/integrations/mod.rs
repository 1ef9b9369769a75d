//! Other frameworks and tools: one file or folder for each, each behind a feature of its own.
//!
//! May use: `report`, `drain`, `serve`, `health` and the [`Context`](crate::Context). No integration uses another.

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

use crate::report::timeline::Entry;

/// Counts an entry of the timeline if the feature `metrics` is on. Calls the user's recorder.
#[cfg_attr(not(feature = "metrics"), expect(unused_variables))]
pub(crate) fn count(entry: &Entry) {
    #[cfg(feature = "metrics")]
    metrics::count(entry);
}
