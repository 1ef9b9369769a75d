//! Which answers ask their client to move to another replica, so that not all clients move at once.

use crate::context::Context;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::time::Instant;

/// A sequence of decisions during grace: spread evenly, and the same in every run.
///
/// Steps of the golden ratio fill the unit interval evenly from the first few on, whatever the share is that says
/// goodbye; a random number would do so only on the average.
#[derive(Debug, Default)]
pub(crate) struct Goodbyes(AtomicU64);

impl Goodbyes {
    /// The next number of the sequence, from 0 to 1.
    fn number(&self) -> f64 {
        self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Relaxed) as f64 / u64::MAX as f64
    }

    /// Whether the next answer says goodbye: ever more likely over the first half of grace, certain from then on.
    pub(crate) fn next(&self, context: &Context) -> bool {
        let half = context.0.plan.grace.as_secs_f64() / 2.0;
        let passed = context.since_shutdown().unwrap_or_default().as_secs_f64();
        self.number() * half <= passed
    }

    /// From when on every answer says goodbye: half of grace. None before the shutdown.
    pub(crate) fn farewell(&self, context: &Context) -> Option<Instant> {
        context.0.window.get().map(|window| window.began + context.0.plan.grace / 2)
    }

    /// A moment in the grace period, evenly spread over those who ask; a past one if grace is over.
    #[cfg(feature = "http2")]
    pub(crate) fn moment(&self, context: &Context) -> Instant {
        let began = context.0.window.get().map_or_else(Instant::now, |window| window.began);
        began + context.0.plan.grace.mul_f64(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_few_answers_in_a_row_are_spread_evenly() {
        let goodbyes = Goodbyes::default();
        let numbers: Vec<_> = (0..1000).map(|_| goodbyes.number()).collect();
        for window in numbers.windows(20) {
            let below_half = window.iter().filter(|number| **number < 0.5).count();
            assert!((8..=12).contains(&below_half), "{below_half} of 20");
        }
    }
}
