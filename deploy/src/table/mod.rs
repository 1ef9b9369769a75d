//! Every rule, in the order of the documentation.

pub(crate) mod files;
pub(crate) mod probes;
pub(crate) mod rollout;
pub(crate) mod signals;
pub(crate) mod termination;

use crate::rule::Rule;

/// Every rule, in the order of the documentation.
///
/// ```
/// assert!(graceful_deploy::rules().count() > 40);
/// ```
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [termination::ALL, probes::ALL, signals::ALL, rollout::ALL, files::ALL].into_iter().flatten().copied()
}

/// The rule of an id.
///
/// ```
/// assert!(graceful_deploy::rule("strategy-recreate").is_some());
/// assert!(graceful_deploy::rule("strategy").is_none());
/// ```
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

/// The rule whose id an unknown id most likely misspells, if one is similar enough.
///
/// ```
/// assert_eq!(graceful_deploy::similar_rule("strategy-create").unwrap().id, "strategy-recreate");
/// assert!(graceful_deploy::similar_rule("x").is_none());
/// ```
pub fn similar_rule(id: &str) -> Option<&'static Rule> {
    // The measure and the limit by which clap finds the name of an option.
    let similarity = |rule: &Rule| strsim::jaro(id, rule.id);
    rules().filter(|rule| similarity(rule) > 0.7).max_by(|one, other| similarity(one).total_cmp(&similarity(other)))
}
