//! Every difference between `serve` and bare hyper that is allowed, with its reason.

use crate::{
    compare::{Comparison, Kind, Problem},
    run::End,
};

/// An allowed difference.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    /// Whether a problem of a comparison is this difference.
    is_it: fn(&Comparison<'_>, &Problem) -> bool,
}

/// The allowed differences.
pub(crate) const DIFFERENCES: [Difference; 1] = [Difference {
    name: "a FIN instead of a reset",
    reason: "hyper drops a socket with unread bytes, and the kernel resets it, which can destroy the response in the \
             client's buffer; `serve` sends FIN and reads on for a moment (lingering close)",
    is_it: |comparison, problem| {
        let (serve, hyper) = (comparison.serve.end, comparison.hyper.end);
        let fin = |end: Option<(End, usize)>| end.map(|(end, at)| (if end == End::Reset { End::Fin } else { end }, at));
        let at = |end: Option<(End, usize)>| if comparison.in_a_drain() { end.map(|(end, _)| (end, 0)) } else { end };
        problem.kind == Kind::End && hyper != fin(hyper) && at(serve) == at(fin(hyper))
    },
}];

pub(crate) fn allow(comparison: &Comparison<'_>, problem: &Problem) -> bool {
    DIFFERENCES.iter().any(|difference| (difference.is_it)(comparison, problem))
}

#[test]
fn each_difference_has_a_name_and_a_reason() {
    assert!(DIFFERENCES.iter().all(|difference| !difference.name.is_empty() && !difference.reason.is_empty()));
}
