//! Random scripts: requests from the grammar, cut anywhere, with the phase changing at any step. Some of them are broken:
//! bytes are removed, repeated and inserted, so that their framing is whatever hyper makes of it.
//!
//! Every client reads at once: where a flush has to wait, hyper can miss the wake-up for a pipelined request, so that what
//! it does depends on how often it is polled.
//!
//! A sample runs with the other tests. `GRACEFUL_ORACLE_CASES` says how many cases to run, and `GRACEFUL_ORACLE_SEED`,
//! which a failure prints, with which of them to begin. The example `oracle` (`long.rs`) runs them for a given time.

use crate::{
    compare::{Case, check},
    request::{Framing, Lasting, Request, SMUGGLED, get},
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
#[cfg(test)]
use std::{
    env,
    hash::{BuildHasher, RandomState},
};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

/// How many cases run by default.
#[cfg(test)]
const SAMPLE: u64 = 1000;
/// How many cases share a seed.
pub(crate) const BLOCK: u64 = 50;
/// The longest script of waits that a request can need: a late handler, a streamed response, a kept body.
const RELEASES: usize = 3;

/// A random script, before it is put together.
#[derive(Debug, Clone)]
struct Draft {
    requests: Vec<Request>,
    /// How the byte stream is broken.
    faults: Vec<(Index, Fault)>,
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

/// What happens to the bytes at one place.
#[derive(Debug, Clone)]
enum Fault {
    Insert(&'static [u8]),
    Overwrite(u8),
    /// So many bytes are missing.
    Remove(usize),
    /// So many bytes come twice.
    Repeat(usize),
}

/// What decides how a message is framed, or looks as if it did.
const TOKENS: [&[u8]; 30] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b",",
    b";a=\"b\"",
    b"\xff",
    b"\r\n\r\n",
    b"\r\n ",
    b"0\r\n\r\n",
    b"0\r\na: b\r\n\r\n",
    b"5\r\nabcde\r\n",
    b"ffffffffffffffff\r\n",
    b"HTTP/1.0",
    b"HTTP/1.1",
    b"\r\nhost: y",
    b"\r\nContent-Length: 0",
    b"\r\ncontent-length: 5",
    b"\r\ncontent-length: +5",
    b"\r\ncontent-length: 5, 5",
    b"\r\nTransfer-Encoding: chunked",
    b"\r\ntransfer-encoding: gzip, chunked",
    b"\r\ntransfer-encoding : chunked",
    b"\r\nconnection: close",
    b"\r\nconnection: keep-alive",
    b"\r\nexpect: 100-continue",
    SMUGGLED.as_bytes(),
];

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => select(&TOKENS[..]).prop_map(Fault::Insert),
        1 => any::<u8>().prop_map(Fault::Overwrite),
        1 => (1usize..20).prop_map(Fault::Remove),
        1 => (1usize..40).prop_map(Fault::Repeat),
    ]
}

impl Fault {
    fn apply(&self, bytes: &mut Vec<u8>, at: usize) {
        let until = |length: &usize| (at + length).min(bytes.len());
        match self {
            Self::Insert(token) => drop(bytes.splice(at..at, token.iter().copied())),
            Self::Overwrite(byte) => bytes[at] = *byte,
            Self::Remove(length) => drop(bytes.drain(at..until(length))),
            Self::Repeat(length) => {
                let twice = bytes[at..until(length)].to_vec();
                bytes.splice(at..at, twice);
            }
        }
    }
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
        prop_oneof![2 => Just(Vec::new()), 1 => vec((any::<Index>(), fault()), 1..4)],
        vec((proptest::bool::weighted(0.7), any::<Index>()), 0..8),
        vec(any::<Index>(), 0..6),
        moments(),
        proptest::bool::weighted(0.1),
        vec(proptest::bool::weighted(0.15), 0..30),
        vec(0..FLAGS.len(), 0..3),
        prop_oneof![9 => Just(Transport::Memory), 1 => Just(Transport::Tcp)],
    )
        .prop_map(|(requests, faults, cuts, releases, moments, half_close, joins, flags, transport)| Draft {
            requests,
            faults,
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
        for (index, fault) in &self.faults {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                fault.apply(&mut bytes, at);
            }
        }
        if !self.faults.is_empty() {
            ends.clear(); // where the requests end is what hyper makes of them
            boundaries.retain(|boundary| *boundary <= bytes.len());
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
            // a release in the same moment is a race. Over sockets, so is a release with the bytes of a body that it drops.
            let is_race = self.transport != Transport::Memory
                && joined.last().is_some_and(|last| {
                    (step.releases() && last.uses_the_socket()) || (step.uses_the_socket() && last.releases())
                });
            let joins = self.joins.get(index).copied().unwrap_or_default() && step != Step::HalfClose && !is_race;
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

/// Runs blocks of cases on so many threads, for as long as `goes_on` says so of the number of cases that have begun.
/// Returns the failures, and how many cases have run.
pub(crate) fn run_blocks(seed: u64, threads: usize, goes_on: impl Fn(u64) -> Option<u64> + Sync) -> (Vec<String>, u64) {
    const MOST_FAILURES: usize = 4;
    let (next, ran, failed) = (AtomicU64::new(0), AtomicU64::new(0), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let done = next.fetch_add(BLOCK, Relaxed);
            let Some(cases) = goes_on(done).filter(|_| failed.lock().unwrap().len() < MOST_FAILURES) else { return };
            if let Err(problem) = run_block(seed + done / BLOCK, cases) {
                failed.lock().unwrap().push(problem);
            }
            ran.fetch_add(cases, Relaxed);
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    (failed.into_inner().unwrap(), ran.into_inner())
}

#[cfg(test)]
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
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let (failed, _) = run_blocks(seed, threads, |done| (done < cases).then(|| BLOCK.min(cases - done)));
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
