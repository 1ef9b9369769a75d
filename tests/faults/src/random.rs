//! A cell for each seed.

use crate::{
    cell::{Cell, HOOK_TIMEOUT, Runtime, Times},
    fault::Fault,
    moment::Moment,
};
use fastrand::Rng;
use graceful_tests::Signal;
use std::time::Duration;

/// The cell of a seed: a moment, one to three faults that go together, a plan, signals and a load.
pub fn cell(seed: u64) -> Cell {
    let mut random = Rng::with_seed(seed);
    let moment = Moment::ALL[random.usize(..Moment::ALL.len())];
    let possible: Vec<_> = Fault::ALL.iter().filter(|fault| fault.moments().contains(&moment)).copied().collect();
    let mut faults = Vec::new();
    for _ in 0..random.usize(1..=3) {
        let fault = possible[random.usize(..possible.len())];
        if faults.iter().all(|other: &Fault| fault.goes_with(*other)) {
            faults.push(fault);
        }
    }
    let mut millis = |range: std::ops::RangeInclusive<u64>| Duration::from_millis(random.u64(range));
    let (grace, drain, margin) = (millis(1..=800), millis(50..=1500), millis(2000..=3000));
    let times = Times { grace, drain, margin, period: grace + drain + HOOK_TIMEOUT + margin + millis(500..=2000) };
    let pause = millis(0..=60);
    Cell {
        moment,
        faults,
        runtime: Runtime::ALL[random.usize(..Runtime::ALL.len())],
        times,
        first: [Signal::TERM, Signal::TERM, Signal::INT, Signal::HUP][random.usize(..4)],
        pause,
        clients: random.usize(0..=6),
        held: random.usize(0..=4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_its_cell() {
        assert!((0..1000).all(|seed| cell(seed) == cell(seed)));
        assert!((0..1000).any(|seed| cell(seed) != cell(0)));
    }

    #[test]
    fn a_thousand_seeds_have_every_fault_at_each_of_its_moments() {
        let cells: Vec<_> = (0..3000).map(cell).collect();
        for fault in Fault::ALL {
            for moment in fault.moments() {
                assert!(cells.iter().any(|cell| cell.has(*fault) && cell.moment == *moment), "{fault} at {moment}");
            }
        }
    }
}
