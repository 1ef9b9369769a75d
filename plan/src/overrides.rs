//! The environment variables that override a plan, as pure functions: the runtime reads the process's environment, the
//! checks of a manifest read the container's `env`.

use crate::{
    address::Health,
    duration,
    plan::{Plan, Unready},
};
use std::{fmt, time::Duration};

/// Every variable that the runtime reads.
///
/// ```
/// assert!(graceful_plan::overrides::NAMES.contains(&"GRACEFUL_GRACE"));
/// ```
pub const NAMES: [&str; 12] = [
    "GRACEFUL_GRACE",
    "GRACEFUL_DRAIN",
    "GRACEFUL_TERMINATION_GRACE_PERIOD",
    "GRACEFUL_PRE_STOP",
    "GRACEFUL_MARGIN",
    "GRACEFUL_QUIET",
    "GRACEFUL_GRACE_LIMIT",
    "GRACEFUL_HEALTH",
    "GRACEFUL_UNREADY",
    "GRACEFUL_PRINT",
    "GRACEFUL_PRESTOP_TOKEN",
    "GRACEFUL_TERMINATION_LOG",
];

/// A variable with a wrong value. `Display` names the variable, the problem and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideError {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with its value, and what to write instead.
    pub problem: String,
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.problem)
    }
}

impl std::error::Error for OverrideError {}

/// Applies the variables of the plan. `value` returns the value of a variable, `None` if it is not set.
///
/// The rules between settings and the budget are the caller's to check, with [`Plan::check_pairs`] and
/// [`Budget`](crate::Budget).
///
/// # Errors
/// The first variable whose value is wrong, or the first error of `value`. The variables before it are applied.
///
/// ```
/// use graceful_plan::{Plan, overrides};
/// use std::time::Duration;
/// let mut plan = Plan::DEFAULT;
/// let value = |name| Ok((name == "GRACEFUL_GRACE").then(|| "8s".to_owned()));
/// assert_eq!(overrides::apply(&mut plan, value), Ok(()));
/// assert_eq!(plan.grace, Duration::from_secs(8));
///
/// let value = |name| Ok((name == "GRACEFUL_GRACE").then(|| "8".to_owned()));
/// assert_eq!(overrides::apply(&mut plan, value).unwrap_err().name, "GRACEFUL_GRACE");
/// ```
pub fn apply(
    plan: &mut Plan,
    value: impl Fn(&'static str) -> Result<Option<String>, OverrideError>,
) -> Result<(), OverrideError> {
    let parsed = |name: &'static str| {
        value(name)?
            .map(|text| duration::parse(&text))
            .transpose()
            .map_err(|error| OverrideError { name, problem: error.to_string() })
    };
    let durations: [(&'static str, &mut Duration); 5] = [
        ("GRACEFUL_GRACE", &mut plan.grace),
        ("GRACEFUL_DRAIN", &mut plan.drain),
        ("GRACEFUL_TERMINATION_GRACE_PERIOD", &mut plan.termination_grace_period),
        ("GRACEFUL_PRE_STOP", &mut plan.pre_stop),
        ("GRACEFUL_MARGIN", &mut plan.margin),
    ];
    for (name, slot) in durations {
        if let Some(length) = parsed(name)? {
            *slot = length;
        }
    }
    plan.quiet = parsed("GRACEFUL_QUIET")?.or(plan.quiet);
    plan.grace_limit = parsed("GRACEFUL_GRACE_LIMIT")?.or(plan.grace_limit);
    if let Some(text) = value("GRACEFUL_HEALTH")? {
        plan.health = Health::parse(&text)
            .map_err(|error| OverrideError { name: "GRACEFUL_HEALTH", problem: error.to_string() })?;
    }
    if let Some(text) = value("GRACEFUL_UNREADY")? {
        plan.unready =
            one_of(&Unready::WORDS, &text).map_err(|problem| OverrideError { name: "GRACEFUL_UNREADY", problem })?;
    }
    Ok(())
}

/// The meaning of a word in a table of words.
///
/// # Errors
/// The value is not in the table; the error lists the words.
///
/// ```
/// use graceful_plan::{Unready, overrides::one_of};
/// assert_eq!(one_of(&Unready::WORDS, "never"), Ok(Unready::Never));
/// assert!(one_of(&Unready::WORDS, "later").is_err());
/// ```
pub fn one_of<T: Copy>(words: &[(&str, T)], value: &str) -> Result<T, String> {
    words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let allowed: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        format!("`{value}` is not a valid value; write {}", allowed.join(" or "))
    })
}
