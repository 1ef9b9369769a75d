//! The duration grammar.

use graceful_plan::duration::{self, Pretty};
use std::time::Duration;

/// A duration that parses is one of the grammar, has the value that a second reading of the grammar finds, and its display
/// parses to the same milliseconds. A refusal shows the text and what to write.
pub fn durations(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let expected = read(text.trim());
    match duration::parse(text) {
        Ok(duration) => {
            let expected = expected.unwrap_or_else(|| panic!("{text:?} is not in the grammar, and parses"));
            let seconds = duration.as_secs_f64();
            assert!((seconds - expected).abs() <= 1e-8 + expected * 1e-12, "{text:?}: {seconds} s, not {expected} s");
            displays(duration);
        }
        Err(error) => {
            let longest = 1000.0 * 365.0 * 86400.0;
            assert!(expected.is_none_or(|seconds| seconds > longest * 0.999), "{text:?} is refused: {error}");
            let message = error.to_string();
            assert!(message.contains("; write "), "{text:?}: {message}");
        }
    }
}

fn displays(duration: Duration) {
    let shown = Pretty(duration).to_string();
    if !duration.subsec_nanos().is_multiple_of(1_000_000) && duration < Duration::from_millis(1) {
        return assert_eq!(shown, "<1ms");
    }
    let millis = Duration::from_millis(u64::try_from(duration.as_millis()).unwrap());
    assert_eq!(duration::parse(&shown), Ok(millis), "{shown}");
    assert_eq!(Pretty(millis).to_string(), shown);
}

/// The seconds of a text in the grammar.
fn read(text: &str) -> Option<f64> {
    let (mut rest, mut seconds) = (text, 0.0);
    for (unit, length) in [("h", 3600.0), ("m", 60.0), ("s", 1.0), ("ms", 0.001)] {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(end);
        let Some(behind) = behind.strip_prefix(unit) else { continue };
        if behind.starts_with(|c: char| !c.is_ascii_digit()) {
            continue; // another unit that begins like this one
        }
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(fraction) {
            return None;
        }
        seconds += number.parse::<f64>().ok()? * length;
        rest = behind;
    }
    (rest.is_empty() && !text.is_empty()).then_some(seconds)
}
