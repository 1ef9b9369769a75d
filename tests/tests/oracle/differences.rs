//! Every difference between `serve` and bare hyper that is allowed, with its reason.

use crate::{
    compare::{Comparison, Kind, Problem},
    recording::{BodyEnd, Seen},
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
pub(crate) const DIFFERENCES: [Difference; 2] = [
    Difference {
        name: "a FIN instead of a reset",
        reason: "hyper drops a socket with unread bytes, and the kernel resets it, which can destroy the response in \
                 the client's buffer; `serve` sends FIN and reads on for a moment (lingering close)",
        is_it: |comparison, problem| {
            let (serve, hyper) = (comparison.serve.end, comparison.hyper.end);
            problem.kind == Kind::End
                && hyper.is_some_and(|(end, _)| end == End::Reset)
                && serve.is_some_and(|(end, _)| end == End::Fin)
                && (comparison.in_a_drain() || serve.map(|(_, at)| at) == hyper.map(|(_, at)| at))
        },
    },
    Difference {
        name: "the end of a body that is read after its response",
        reason: "hyper reports the end of such a body with the next request, though all of the body has arrived and \
                 the connection is idle; closing that connection in the drain ends the body with an error instead, as \
                 it does where the client closes it",
        is_it: |comparison, problem| {
            let (serve, hyper) = (&comparison.serve.seen, &comparison.hyper.seen);
            let same = |(serve, hyper): (&Seen, &Seen)| {
                let kept = matches!(serve.body_end, BodyEnd::Failed(_)) && hyper.body_end == BodyEnd::Whole;
                serve == hyper || (kept && serve == &Seen { body_end: serve.body_end.clone(), ..hyper.clone() })
            };
            problem.kind == Kind::Requests
                && comparison.in_a_drain()
                && serve.len() <= hyper.len()
                && serve.iter().zip(hyper).all(same)
        },
    },
];

pub(crate) fn allow(comparison: &Comparison<'_>, problem: &Problem) -> bool {
    DIFFERENCES.iter().any(|difference| (difference.is_it)(comparison, problem))
}

#[test]
fn each_difference_has_a_name_and_a_reason() {
    assert!(DIFFERENCES.iter().all(|difference| !difference.name.is_empty() && !difference.reason.is_empty()));
}
