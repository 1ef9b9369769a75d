//! Every difference between `serve` and bare hyper that is allowed, with its reason.

use crate::compare::Comparison;

/// An allowed difference.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    /// Whether a problem of a comparison is this difference.
    is_it: fn(&Comparison<'_>, &str) -> bool,
}

/// The allowed differences.
pub(crate) const DIFFERENCES: [Difference; 0] = [];

pub(crate) fn allow(comparison: &Comparison<'_>, problem: &str) -> bool {
    DIFFERENCES.iter().any(|difference| (difference.is_it)(comparison, problem))
}

#[test]
fn each_difference_has_a_name_and_a_reason() {
    assert!(DIFFERENCES.iter().all(|difference| !difference.name.is_empty() && !difference.reason.is_empty()));
}
