//! A subscriber that hears nothing.

use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

/// A subscriber that hears nothing, instead of a timeline on stderr for each run.
struct Silence;

impl Subscriber for Silence {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Silences the timelines.
pub(crate) fn silence() {
    let _ = tracing::subscriber::set_global_default(Silence);
}
