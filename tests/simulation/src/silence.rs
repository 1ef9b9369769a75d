//! Silences the log: without a subscriber the library writes it to stderr, for every run.

use tracing::{Event, Metadata, Subscriber, span};

/// Silences the log of this process; a second call has no effect.
pub fn silence() {
    let _ = tracing::subscriber::set_global_default(Silence);
}

/// A subscriber that takes nothing, so that the library does not write its log to stderr.
struct Silence;

impl Subscriber for Silence {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
