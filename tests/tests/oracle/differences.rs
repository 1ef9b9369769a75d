//! Every difference between `serve` and bare hyper that is allowed, with its reason.

use crate::{
    compare::{Comparison, Kind, Problem},
    driver::End,
    recording::Seen,
};

/// An allowed difference.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    /// Whether a problem of a comparison is this difference.
    is_it: fn(&Comparison<'_>, &Problem) -> bool,
}

/// The allowed differences.
pub(crate) const DIFFERENCES: [Difference; 5] = [
    Difference {
        name: "a FIN instead of a reset",
        reason: "hyper drops a socket with unread bytes, and the kernel resets it, which can destroy the response in \
                 the client's buffer; `serve` sends FIN and reads on for a moment (lingering close)",
        is_it: |comparison, problem| {
            let (serve, hyper) = (comparison.serve.end, comparison.hyper.end);
            problem.kind == Kind::End
                && hyper.is_some_and(|(end, _)| end == End::Reset)
                && serve.is_some_and(|(end, _)| end == End::Fin)
                && serve.map(|(_, at)| at) == hyper.map(|(_, at)| at)
        },
    },
    Difference {
        name: "a body that is read after its response",
        reason: "the request is over for hyper's `graceful_shutdown`: it closes at once if the response said close, \
                 though a task still reads the body. And hyper reports the end of such a body with the next request \
                 or with the end of the connection only, which lingering delays",
        is_it: |comparison, problem| {
            let (serve, hyper) = (&comparison.serve.seen, &comparison.hyper.seen);
            let same = |(serve, hyper): (&Seen, &Seen)| {
                let cut = Seen {
                    body: serve.body.clone(),
                    body_end: serve.body_end.clone(),
                    trailers: serve.trailers.clone(),
                    ..hyper.clone()
                };
                let kept = hyper.line.contains("keep-read") && hyper.body.starts_with(&serve.body);
                serve == hyper || (kept && serve == &cut && (comparison.in_a_drain() || serve.body == hyper.body))
            };
            problem.kind == Kind::Requests
                && (comparison.in_a_drain() || serve.len() == hyper.len())
                && serve.len() <= hyper.len()
                && serve.iter().zip(hyper).all(same)
        },
    },
    Difference {
        name: "half a head that was pipelined",
        reason: "hyper closes an idle connection without a look at its buffer (`Conn::disable_keep_alive`), so the \
                 first bytes of a head that came before the response to the request before was complete are dropped at \
                 the drain. RFC 9112 §9.3.2 has clients retry",
        is_it: |comparison, problem| {
            let missed = comparison.serve.seen.len();
            problem.kind == Kind::Missed && comparison.serve.end.is_some() && comparison.was_half_pipelined(missed)
        },
    },
    Difference {
        name: "a request that is pipelined behind a body that is kept after its response",
        reason: "between its response and the end of its body, the request before is over for `serve` and not idle for \
                 hyper, whose `graceful_shutdown` then ends the connection behind that body. RFC 9112 §9.3.2 has \
                 clients retry",
        is_it: |comparison, problem| {
            let kept = comparison.serve.seen.last().is_some_and(|last| last.line.contains("/keep"));
            problem.kind == Kind::Missed && kept && comparison.serve.end.is_some()
        },
    },
    Difference {
        name: "the end of an idle connection whose upgrade was declined",
        reason: "hyper keeps a declined upgrade until its connection ends, and hands the connection to it, that is, to \
                 nobody: the stream is dropped without a shutdown, so TLS ends without `close_notify`, and unread \
                 bytes reset it. Bare hyper does the same where the client closes such a connection",
        is_it: |comparison, problem| {
            let offers = |seen: &Seen| seen.headers.iter().any(|header| header.starts_with("upgrade:"));
            problem.kind == Kind::End
                && comparison.in_a_drain()
                && comparison.serve.end.is_some()
                && comparison.serve.seen.iter().any(|seen| offers(seen) || seen.method == "CONNECT")
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
