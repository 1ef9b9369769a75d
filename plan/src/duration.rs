//! The duration grammar: `"5s"`, `"1m30s"`, `"500ms"`, `"1.5s"`.
//!
//! A duration is one or more numbers, each with a unit: `h`, `m`, `s` or `ms`, each at most once, the longest
//! first. A number may have one decimal point. Bare numbers and white space are errors, because guessing the unit
//! of a bare number can make a grace period a thousand times too long.

use crate::error::{DurationError, Problem};
use std::{fmt, time::Duration};

/// Units with their length in nanoseconds, longest first.
const UNITS: [(&str, u128); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// The longest duration that is accepted: a thousand years, so that sums never overflow.
const LONGEST: u128 = 1_000 * 365 * 24 * 3_600_000_000_000;

/// Parses a duration.
///
/// # Errors
/// The text is not in the grammar; the error says what to write instead.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(graceful_plan::duration::parse("1m30s"), Ok(Duration::from_secs(90)));
/// assert_eq!(graceful_plan::duration::parse("1.5s"), Ok(Duration::from_millis(1500)));
/// assert!(graceful_plan::duration::parse("5").is_err());
/// ```
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    nanos(text.trim())
        .map(|n| Duration::new((n / 1_000_000_000) as u64, (n % 1_000_000_000) as u32))
        .map_err(|problem| DurationError { text: text.trim().to_owned(), problem })
}

fn nanos(text: &str) -> Result<u128, Problem> {
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    if text.starts_with('-') {
        return Err(Problem::Negative);
    }
    if text.contains(char::is_whitespace) {
        return Err(Problem::Space);
    }
    let (mut rest, mut total, mut units) = (text, 0u128, &UNITS[..]);
    while !rest.is_empty() {
        let (number, behind) = split(rest, |c| c.is_ascii_digit() || c == '.');
        if number.is_empty() {
            return Err(Problem::NoNumber);
        }
        let (unit, behind) = split(behind, |c| !c.is_ascii_digit() && c != '.' && c != '-');
        if unit.is_empty() {
            return Err(if behind.starts_with('-') { Problem::Negative } else { Problem::NoUnit(number.to_owned()) });
        }
        let length = match UNITS.iter().find(|(name, _)| *name == unit) {
            Some((_, length)) => *length,
            None => return Err(Problem::UnknownUnit(number.to_owned(), unit.to_owned())),
        };
        units = match units.iter().position(|(name, _)| *name == unit) {
            Some(at) => &units[at + 1..],
            None => return Err(Problem::Order(unit.to_owned())),
        };
        total += scaled(number, length)?;
        if total > LONGEST {
            return Err(Problem::Overflow);
        }
        rest = behind;
    }
    Ok(total)
}

/// The value of a decimal number times the length of its unit, in nanoseconds, rounded down.
fn scaled(number: &str, length: u128) -> Result<u128, Problem> {
    let (whole, fraction) = match number.split_once('.') {
        None => (number, "0"),
        Some((whole, fraction)) if !whole.is_empty() && !fraction.is_empty() && !fraction.contains('.') => {
            (whole, fraction)
        }
        Some(_) => return Err(Problem::BadNumber(number.to_owned())),
    };
    let whole: u64 = whole.parse().map_err(|_| Problem::Overflow)?;
    // Digits after the 15th decimal place are below a nanosecond in every unit.
    let places = &fraction[..fraction.len().min(15)];
    let numerator: u128 = places.parse().map_err(|_| Problem::Overflow)?;
    Ok(u128::from(whole) * length + numerator * length / 10u128.pow(places.len() as u32))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Displays a duration in the grammar of [`parse`], rounded down to the millisecond. A non-zero duration below one
/// millisecond is displayed as `<1ms`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(graceful_plan::duration::Pretty(Duration::from_secs(90)).to_string(), "1m30s");
/// assert_eq!(graceful_plan::duration::Pretty(Duration::from_millis(1500)).to_string(), "1.5s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pretty(pub Duration);

impl fmt::Display for Pretty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        if millis == 0 {
            return f.pad(if self.0.is_zero() { "0s" } else { "<1ms" });
        }
        if millis < 1000 {
            return f.pad(&format!("{millis}ms"));
        }
        let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
        let mut text = String::new();
        if hours > 0 {
            text += &format!("{hours}h");
        }
        if minutes > 0 {
            text += &format!("{minutes}m");
        }
        if rest > 0 {
            let fraction = format!(".{:03}", rest % 1000);
            text += &format!("{}{}s", rest / 1000, fraction.trim_end_matches('0').trim_end_matches('.'));
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parses_every_form_of_the_grammar() {
        for (text, millis) in [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("0s", 0),
            ("2h", 7_200_000),
            ("1h2m3s4ms", 3_723_004),
            (" 5s ", 5_000),
            ("0.25m", 15_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn every_mistake_says_what_to_write_instead() {
        for (text, message) in [
            ("", "the duration is empty; write a number and a unit, such as `5s`"),
            ("  ", "the duration is empty; write a number and a unit, such as `5s`"),
            ("30", "`30` has no unit; write `30s` for seconds (units: ms, s, m, h)"),
            ("1m30", "`30` has no unit; write `30s` for seconds (units: ms, s, m, h)"),
            ("5 s", "`5 s` contains a space; write it without spaces, such as `1m30s`"),
            ("5sec", "`sec` is not a unit; write `5s` (units: ms, s, m, h)"),
            ("5S", "`S` is not a unit; write `5s` (units: ms, s, m, h)"),
            ("5d", "`d` is not a unit; write for example `5s` (units: ms, s, m, h)"),
            ("-5s", "`-5s` is negative; write a duration of zero or more, such as `0s` or `5s`"),
            ("s", "`s` does not start with a number; write a number and a unit, such as `5s`"),
            ("1.2.3s", "`1.2.3` is not a number; write digits with at most one point between them, such as `1.5s`"),
            ("1.s", "`1.` is not a number; write digits with at most one point between them, such as `1.5s`"),
            ("30s1m", "`m` is misplaced in `30s1m`; write each unit once, the longest first, such as `1m30s`"),
            ("1s1s", "`s` is misplaced in `1s1s`; write each unit once, the longest first, such as `1m30s`"),
            (
                "99999999999999999999s",
                "`99999999999999999999s` is too long for a duration; write less than a thousand years, such as `30s`",
            ),
            (
                "9999999999h",
                "`9999999999h` is too long for a duration; write less than a thousand years, such as `30s`",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn displayed_durations_parse_back(millis in 0u64..100_000_000_000) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse(&Pretty(duration).to_string()), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,12}|[-0-9.hms ]{0,12}") {
            let _ = parse(&text).map_err(|e| e.to_string());
        }
    }
}
