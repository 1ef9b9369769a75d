//! Each target runs over its committed corpus and over mutations of it, which a seed decides.
//!
//! `GRACEFUL_FUZZ_MUTATIONS` says how many mutations a target gets, and `GRACEFUL_FUZZ_SEED`, which a failure prints, with
//! which of them to begin.
#![allow(clippy::unwrap_used)]

use graceful_tests_fuzz::TARGETS;
use std::{
    env, fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// How many mutations each target gets.
const MUTATIONS: u64 = 2000;
/// The longest input, so that a mutation takes as long as an entry.
const LONGEST: usize = 4096;
/// The longest time that an input may take, on a machine that does other things, too.
const SLOWEST: Duration = Duration::from_secs(20);

/// How many panics there were in tasks and elsewhere: tokio catches those of its tasks.
static PANICS: AtomicU64 = AtomicU64::new(0);

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The inputs of a corpus, by name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz().join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut inputs: Vec<_> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())
        })
        .collect();
    inputs.sort();
    inputs
}

/// The words of a dictionary of libFuzzer.
fn dictionary(target: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(fuzz().join("dictionaries").join(format!("{target}.dict"))).unwrap();
    let word = |line: &str| {
        let (mut word, mut rest) = (Vec::new(), line.trim_matches('"').as_bytes());
        while let Some((first, behind)) = rest.split_first() {
            (word, rest) = match rest.strip_prefix(b"\\x") {
                Some(code) => {
                    let code_text = std::str::from_utf8(&code[..2]).unwrap();
                    ([&word[..], &[u8::from_str_radix(code_text, 16).unwrap()]].concat(), &code[2..])
                }
                None => ([&word[..], &[*first]].concat(), behind),
            };
        }
        word
    };
    text.lines().filter(|line| line.starts_with('"')).map(word).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

/// One to four changes of an input.
fn mutated(random: &mut Random, inputs: &[(String, Vec<u8>)], words: &[Vec<u8>]) -> Vec<u8> {
    let mut input = inputs[random.below(inputs.len())].1.clone();
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let until = (at + 1 + random.below(16)).min(input.len());
        match random.below(6) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 if at < input.len() => drop(input.drain(at..until)),
            2 if at < input.len() => {
                let again = input[at..until].to_vec();
                drop(input.splice(at..at, again));
            }
            3 => {
                let other = &inputs[random.below(inputs.len())].1;
                let from = random.below(other.len() + 1);
                input.truncate(at);
                input.extend(&other[from..]);
            }
            4 => input.insert(at, random.below(256) as u8),
            _ => {
                let word = words[random.below(words.len())].clone();
                drop(input.splice(at..at, word));
            }
        }
    }
    input.truncate(LONGEST);
    input
}

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is not a number")))
}

fn run(name: &str, of: &str, input: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(target, _)| *target == name).unwrap();
    let began = Instant::now();
    let panics = PANICS.load(Relaxed);
    let ended = panic::catch_unwind(AssertUnwindSafe(|| target(input)));
    let shown = || format!("{name}, {of}: {}", input.escape_ascii());
    assert!(ended.is_ok() && PANICS.load(Relaxed) == panics, "{}", shown());
    assert!(began.elapsed() < SLOWEST, "{:?}: {}", began.elapsed(), shown());
}

/// One target at a time, because panics are counted by the process.
fn replay(name: &str) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Relaxed);
        before(panic);
    }));
    let (inputs, words) = (corpus(name), dictionary(name));
    assert!(!inputs.is_empty() && !words.is_empty());
    for (file, input) in &inputs {
        run(name, file, input);
    }
    let first = setting("GRACEFUL_FUZZ_SEED").unwrap_or(0);
    for seed in first..first + setting("GRACEFUL_FUZZ_MUTATIONS").unwrap_or(MUTATIONS) {
        let input = mutated(&mut Random(seed), &inputs, &words);
        run(name, &format!("GRACEFUL_FUZZ_SEED={seed}"), &input);
    }
}

#[test]
fn the_attributes_take_any_tokens() {
    replay("attributes");
}

#[test]
fn dockerfiles_may_contain_anything() {
    replay("dockerfiles");
}

#[test]
fn durations_may_be_any_text() {
    replay("durations");
}

#[test]
fn the_environment_may_be_anything() {
    replay("environment");
}

#[test]
fn the_health_server_takes_any_bytes() {
    replay("health");
}

#[test]
fn manifests_may_contain_anything() {
    replay("manifests");
}

#[test]
fn prestop_needs_its_token_whatever_the_bytes() {
    replay("prestop");
}
