//! Errors of settings. Each message ends with the fix.

use std::fmt;

/// The text is not a duration. `Display` names the problem and what to write instead.
///
/// ```
/// let err = graceful_plan::duration::parse("30").unwrap_err();
/// assert_eq!(err.to_string(), "`30` has no unit; write `30s` for seconds (units: ms, s, m, h)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationError {
    pub(crate) text: String,
    pub(crate) problem: Problem,
}

impl DurationError {
    /// What is wrong with the text.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// The kinds of [`DurationError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Empty, or white space only.
    Empty,
    /// A minus sign.
    Negative,
    /// The text does not start with a digit.
    NoNumber,
    /// A number without a unit; holds the number.
    NoUnit(String),
    /// A unit that is not in the grammar; holds the number before it and the unit.
    UnknownUnit(String, String),
    /// More digits or a larger sum than a duration can hold.
    Overflow,
    /// A number such as `1.2.3` or `1.`; holds the number.
    BadNumber(String),
    /// Units that do not descend, such as `30s1m` or `1s1s`; holds the misplaced unit.
    Order(String),
    /// White space inside the text.
    Space,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: &str = "(units: ms, s, m, h)";
        let text = &self.text;
        match &self.problem {
            Problem::Empty => write!(f, "the duration is empty; write a number and a unit, such as `5s`"),
            Problem::Negative => {
                write!(f, "`{text}` is negative; write a duration of zero or more, such as `0s` or `5s`")
            }
            Problem::NoNumber => {
                write!(f, "`{text}` does not start with a number; write a number and a unit, such as `5s`")
            }
            Problem::NoUnit(number) => write!(f, "`{number}` has no unit; write `{number}s` for seconds {UNITS}"),
            Problem::UnknownUnit(number, unit) => match suggested_unit(unit) {
                Some(known) => write!(f, "`{unit}` is not a unit; write `{number}{known}` {UNITS}"),
                None => write!(f, "`{unit}` is not a unit; write for example `{number}s` {UNITS}"),
            },
            Problem::Overflow => {
                write!(f, "`{text}` is too long for a duration; write less than a thousand years, such as `30s`")
            }
            Problem::BadNumber(number) => write!(
                f,
                "`{number}` is not a number; write digits with at most one point between them, such as `1.5s`"
            ),
            Problem::Order(unit) => {
                write!(f, "`{unit}` is misplaced in `{text}`; write each unit once, the longest first, such as `1m30s`")
            }
            Problem::Space => write!(f, "`{text}` contains a space; write it without spaces, such as `1m30s`"),
        }
    }
}

/// The unit that another common spelling most likely stands for.
fn suggested_unit(unit: &str) -> Option<&'static str> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "ms" | "msec" | "msecs" | "milli" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        _ => return None,
    })
}

impl std::error::Error for DurationError {}

/// The text is not an address for the health server. `Display` says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError {
    pub(crate) text: String,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not an address for the health server; write `[::]:8081`, `0.0.0.0:8081`, a port alone such as `8081`, or `off`",
            self.text
        )
    }
}

impl std::error::Error for AddressError {}

/// The plan does not fit into the termination grace period.
///
/// `Display` shows the sum line by line and ends with what to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetError {
    pub(crate) arithmetic: String,
    pub(crate) fix: String,
}

impl BudgetError {
    /// The sum, line by line.
    pub fn arithmetic(&self) -> &str {
        &self.arithmetic
    }

    /// What to change so that the plan fits.
    pub fn fix(&self) -> &str {
        &self.fix
    }
}

impl fmt::Display for BudgetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the shutdown does not fit into the termination grace period:\n{}\n{}", self.arithmetic, self.fix)
    }
}

impl std::error::Error for BudgetError {}
