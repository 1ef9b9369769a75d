//! When each phase ends: pure arithmetic on the plan and on the moment when the shutdown began.

use crate::shared::{Shared, Window};
use std::time::Duration;
use tokio::time::Instant;

/// Starts the clock of the shutdown; `None` if it runs already.
pub(crate) fn start_clock(shared: &Shared) -> Option<Window> {
    let (began, allowance) = (Instant::now(), bounded(shared.plan.allowance()));
    let window = Window { began, deadline: began + allowance };
    shared.window.set(window).ok().map(|()| window)
}

/// When grace ends, as far as is known yet: later if traffic arrives and the plan waits for quiet.
pub(crate) fn end_of_grace(shared: &Shared) -> Instant {
    let (plan, began) = (&shared.plan, began(shared));
    let earliest = began + bounded(plan.grace);
    match plan.quiet {
        None => earliest,
        Some(quiet) => (shared.last_traffic() + bounded(quiet)).clamp(earliest, began + bounded(plan.longest_grace())),
    }
}

/// When a drain that begins now is cut.
pub(crate) fn end_of_drain(shared: &Shared) -> Instant {
    (Instant::now() + bounded(shared.plan.drain)).min(end_of_hooks(shared))
}

/// When everything, hooks included, is cut.
pub(crate) fn end_of_hooks(shared: &Shared) -> Instant {
    shared.window.get().map_or_else(Instant::now, |window| window.deadline)
}

fn began(shared: &Shared) -> Instant {
    shared.window.get().map_or_else(Instant::now, |window| window.began)
}

/// A length that can be added to an instant: a const plan may say `Duration::MAX`.
fn bounded(length: Duration) -> Duration {
    length.min(Duration::from_secs(100 * 365 * 24 * 3600))
}
