//! Every cell of the matrix, and the sample of it that the tests run.

use crate::{
    cell::{Cell, Runtime},
    fault::Fault,
    moment::Moment,
};

/// Every fault at each of its moments on every runtime.
pub fn cells() -> Vec<Cell> {
    let of_fault = |fault: Fault| fault.moments().iter().map(move |moment| (*moment, fault));
    let pairs = Fault::ALL.iter().flat_map(|fault| of_fault(*fault));
    pairs.flat_map(|(moment, fault)| Runtime::ALL.map(|runtime| Cell::new(moment, vec![fault], runtime))).collect()
}

/// Each fault once, at moments and on runtimes in turn.
pub fn sample() -> Vec<Cell> {
    let cell = |(at, fault): (usize, &Fault)| {
        let moments = fault.moments();
        Cell::new(moments[at % moments.len()], vec![*fault], Runtime::ALL[at % Runtime::ALL.len()])
    };
    Fault::ALL.iter().enumerate().map(cell).collect()
}

/// The cell of the matrix with these names: moment, fault and runtime.
pub fn named(moment: &str, fault: &str, runtime: &str) -> Option<Cell> {
    let faults: Option<Vec<_>> = fault.split('+').map(Fault::of_name).collect();
    Some(Cell::new(Moment::of_name(moment)?, faults?, Runtime::of_name(runtime)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_every_fault_moment_and_runtime() {
        let sample = sample();
        assert!(Fault::ALL.iter().all(|fault| sample.iter().any(|cell| cell.has(*fault))));
        assert!(Moment::ALL.iter().all(|moment| sample.iter().any(|cell| cell.moment == *moment)));
        assert!(Runtime::ALL.iter().all(|runtime| sample.iter().any(|cell| cell.runtime == *runtime)));
    }

    #[test]
    fn names_are_those_of_the_cells() {
        for cell in cells() {
            let fault = cell.faults[0].name();
            assert_eq!(named(cell.moment.name(), fault, cell.runtime.name()), Some(cell));
        }
    }
}
