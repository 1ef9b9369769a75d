//! Random scripts: requests from the grammar, cut anywhere, with the phase changing at any step.
//!
//! Every client reads at once: where a flush has to wait, hyper can miss the wake-up for a pipelined request, so that what
//! it does depends on how often it is polled.
//!
//! A sample runs with the other tests. `GRACEFUL_ORACLE_CASES` says how many cases to run, and `GRACEFUL_ORACLE_SEED`,
//! which a failure prints, with which of them to begin.

use crate::{
    compare::{Case, check},
    request::{Framing, Lasting, Request, get},
    script::{Moment, Script, Step},
    settings::{FLAGS, Settings},
    transport::Transport,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};
use std::{
    env,
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// How many cases run by default.
const SAMPLE: u64 = 1000;
/// How many cases share a seed.
const BLOCK: u64 = 50;
/// The longest script of waits that a request can need: a late handler, a streamed response, a kept body.
const RELEASES: usize = 3;

/// A random script, before it is put together.
#[derive(Debug, Clone)]
struct Draft {
    requests: Vec<Request>,
    /// Where the byte stream is cut: at a boundary of the grammar, or anywhere.
    cuts: Vec<(bool, Index)>,
    releases: Vec<Index>,
    moments: Vec<(Index, Moment)>,
    half_close: bool,
    /// Which steps are joined with the step before.
    joins: Vec<bool>,
    flags: Vec<usize>,
    transport: Transport,
}

fn words() -> impl Strategy<Value = String> {
    let read = select(vec!["early", "half", "all", "keep", "keep-read"]);
    let late = select(vec!["", "", "/late"]);
    let response = select(vec!["len", "len", "chunk", "stream", "stream-len", "none"]);
    let close = prop_oneof![6 => Just(""), 1 => Just("/close")];
    let query = prop_oneof![4 => Just(""), 1 => Just("?query=0123456789012345678901234567890123456789")];
    (read, late, response, close, query)
        .prop_map(|(read, late, response, close, query)| format!("{read}{late}/{response}{close}{query}"))
}

fn framing() -> impl Strategy<Value = Framing> {
    use Framing::*;
    select(vec![None, None, Length, Length, Chunked, Trailer, Expect, ExpectChunked])
}

fn lasting() -> impl Strategy<Value = Lasting> {
    use Lasting::*;
    prop_oneof![8 => Just(Http11), 1 => Just(Http11Close), 1 => Just(Http10), 2 => Just(Http10KeepAlive)]
}

fn headers() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => Just(""),
        1 => Just("a: \t   \t        \t               1\r\n"),
        1 => Just("folded: 1\r\n 2\r\n"),
        1 => Just("in valid: 1\r\n"),
        2 => Just("connection: upgrade\r\nupgrade: echo\r\n"),
        1 => Just("Connection: Keep-Alive\r\n"),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![
        8 => Just("POST"),
        1 => Just("HEAD"),
        1 => Just("get"),
        1 => Just("M-2"),
        1 => Just("\r\nPOST"),
        1 => Just("POST "),
    ];
    let plain = (method, words(), framing(), lasting(), headers(), proptest::bool::weighted(0.1)).prop_map(
        |(method, words, framing, lasting, headers, bare_lf)| Request {
            method,
            words,
            framing,
            lasting,
            headers,
            bare_lf,
        },
    );
    // A body that nobody reads could become a part of the new protocol.
    let offer = prop_oneof![
        select(vec!["up", "late/up", "len"]).prop_map(|words| (words, Framing::None)),
        framing().prop_map(|framing| ("all/up", framing)),
    ];
    let upgrade = (offer, lasting()).prop_map(|((words, framing), lasting)| Request {
        framing,
        lasting,
        headers: "connection: upgrade\r\nupgrade: echo\r\n",
        ..get(words)
    });
    let connect = (select(vec!["up.x:1", "late.up.x:1", "len.x:1"]), lasting()).prop_map(|(words, lasting)| Request {
        method: "CONNECT",
        lasting,
        ..get(words)
    });
    prop_oneof![12 => plain, 1 => upgrade, 1 => connect]
}

fn moments() -> impl Strategy<Value = Vec<(Index, Moment)>> {
    let grace = |percents: std::ops::Range<u32>| (any::<Index>(), percents.prop_map(Moment::Grace));
    let drain = || (any::<Index>(), Just(Moment::Drain));
    prop_oneof![
        1 => Just(Vec::new()),
        2 => grace(0..50).prop_map(|first| vec![first]),
        2 => grace(50..95).prop_map(|second| vec![second]),
        3 => drain().prop_map(|drain| vec![drain]),
        1 => (grace(0..50), grace(50..95)).prop_map(|(first, second)| vec![first, second]),
        1 => (grace(0..95), drain()).prop_map(|(grace, drain)| vec![grace, drain]),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    (
        vec(request(), 1..=6),
        vec((proptest::bool::weighted(0.7), any::<Index>()), 0..8),
        vec(any::<Index>(), 0..6),
        moments(),
        proptest::bool::weighted(0.1),
        vec(proptest::bool::weighted(0.15), 0..30),
        vec(0..FLAGS.len(), 0..3),
        prop_oneof![9 => Just(Transport::Memory), 1 => Just(Transport::Tcp)],
    )
        .prop_map(|(requests, cuts, releases, moments, half_close, joins, flags, transport)| Draft {
            requests,
            cuts,
            releases,
            moments,
            half_close,
            joins,
            flags,
            transport,
        })
}

impl Draft {
    fn case(&self) -> Case {
        // `pipeline_flush` makes hyper lose what it has not flushed: see `compare::replay`.
        let flags = self.flags.iter().filter(|flag| FLAGS[**flag].name != "pipeline_flush");
        let toggled = flags.fold(0, |bits, flag| bits | 1 << flag);
        Case::new("a generated script", self.script()).over(self.transport).with(Settings(toggled))
    }

    fn script(&self) -> Script {
        let (mut bytes, mut ends, mut boundaries) = (Vec::new(), Vec::new(), vec![0]);
        for request in &self.requests {
            let start = bytes.len();
            bytes.extend(request.whole());
            let [first, _] = request.body();
            let head = request.head().len();
            boundaries.extend([start + head, start + head + first.len(), bytes.len()]);
            ends.push(bytes.len());
        }
        let cut = |(at_boundary, index): &(bool, Index)| match at_boundary {
            true => boundaries[index.index(boundaries.len())],
            false => index.index(bytes.len()),
        };
        let mut cuts: Vec<_> = self.cuts.iter().map(cut).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut steps: Vec<_> = cuts.windows(2).map(|ends| Step::Send(bytes[ends[0]..ends[1]].to_vec())).collect();
        for index in &self.releases {
            steps.insert(index.index(steps.len() + 1), Step::Release);
        }
        if self.half_close {
            steps.push(Step::HalfClose);
        }
        self.enter(&mut steps);
        steps.extend(vec![Step::Release; RELEASES * self.requests.len()]);
        Script::of(self.join(steps), ends)
    }

    /// Inserts the moments, in order.
    fn enter(&self, steps: &mut Vec<Step>) {
        let mut from = 0;
        for (index, moment) in &self.moments {
            let at = from + index.index(steps.len() + 1 - from);
            steps.insert(at, Step::Enter(*moment));
            from = at + 1;
        }
    }

    fn join(&self, steps: Vec<Step>) -> Vec<Step> {
        let mut joined: Vec<Step> = Vec::new();
        for (index, step) in steps.into_iter().enumerate() {
            // hyper gives up a request whose client half-closes, and the reads of the drain see that a moment earlier, so
            // a release in the same moment is a race.
            let joins = self.joins.get(index).copied().unwrap_or_default() && step != Step::HalfClose;
            match joined.last_mut() {
                Some(Step::Join(steps)) if joins => steps.push(step),
                Some(last) if joins => *last = Step::Join(vec![last.clone(), step]),
                _ => joined.push(step),
            }
        }
        joined
    }
}

/// Runs one block of cases.
fn run_block(seed: u64, cases: u64) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config { cases: cases as u32, failure_persistence: None, max_shrink_iters: 5000, ..Config::default() };
    let ran =
        TestRunner::new_with_rng(config, rng).run(&draft(), |draft| check(&draft.case()).map_err(TestCaseError::fail));
    ran.map_err(|error| match error {
        TestError::Fail(difference, _) => format!("GRACEFUL_ORACLE_SEED={seed} finds this again:\n{difference}"),
        TestError::Abort(reason) => format!("no cases: {reason}"),
    })
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

#[test]
fn generated_scripts_are_served_as_hyper_serves_them() {
    let chosen = setting("GRACEFUL_ORACLE_CASES");
    let cases = chosen.unwrap_or(SAMPLE);
    // The sample is the same in every run; a chosen number of cases is another one each time.
    let random = || chosen.map_or(0, |_| RandomState::new().hash_one(0) >> 1);
    let seed = setting("GRACEFUL_ORACLE_SEED").unwrap_or_else(random);
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let done = next.fetch_add(BLOCK, Relaxed);
            if done >= cases || failed.lock().unwrap().len() > 3 {
                return;
            }
            if let Err(problem) = run_block(seed + done / BLOCK, BLOCK.min(cases - done)) {
                failed.lock().unwrap().push(problem);
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(2, usize::from);
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
