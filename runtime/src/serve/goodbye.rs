//! Which answers ask their client to move to another replica, so that not all clients move at once.

use crate::context::Context;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
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
        self.next_after(context.since_shutdown().unwrap_or_default(), context.0.plan.grace)
    }

    fn next_after(&self, passed: Duration, grace: Duration) -> bool {
        self.number() * grace.as_secs_f64() / 2.0 <= passed.as_secs_f64()
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
    fn ever_more_answers_say_goodbye_over_the_first_half_of_grace_and_all_of_them_in_the_second() {
        let (goodbyes, grace) = (Goodbyes::default(), Duration::from_secs(8));
        for (after, of_a_hundred) in [(0, 0), (1, 25), (2, 50), (3, 75), (4, 100), (7, 100), (9, 100)] {
            let said = (0..100).filter(|_| goodbyes.next_after(Duration::from_secs(after), grace)).count();
            assert!(said.abs_diff(of_a_hundred) <= 2, "{said} of 100 after {after} s");
        }
    }

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
