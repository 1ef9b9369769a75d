//! What a rule is. The tables in `table` hold the rules; ids, severities and the documentation come from them.

use std::fmt;

/// A rule with everything that is said about it.
///
/// ```
/// let rule = graceful_deploy::rule("termination-grace-period-too-short").unwrap();
/// assert_eq!(rule.severity, graceful_deploy::Severity::Error);
/// assert!(graceful_deploy::rules().any(|other| other.id == rule.id));
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The id, stable, in words.
    pub id: &'static str,
    /// The group, which is a heading in the documentation.
    pub group: Group,
    /// How severe a finding is.
    pub severity: Severity,
    /// What the rule needs besides the manifests.
    pub needs: Needs,
    /// What the rule finds, in one sentence.
    pub summary: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// The place that the examples belong to.
    pub place: Place,
    /// The keys of the program's attribute that the examples assume; empty for the defaults.
    pub program: &'static str,
    /// An example with exactly this finding.
    pub wrong: &'static str,
    /// The same without a finding.
    pub right: &'static str,
    /// What the mechanical fix changes, and when there is one; `None` if a person must always decide.
    pub mechanical: Option<&'static str>,
}

/// How severe a finding is.
///
/// ```
/// use graceful_deploy::Severity;
/// assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Hint);
/// assert_eq!(Severity::Error.to_string(), "error");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Most likely not intended; nothing fails for certain.
    Hint,
    /// Requests can fail in a rollout, an eviction or a restart.
    Warning,
    /// Manifest and program contradict each other: the shutdown or the probes do not work as planned.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The groups of rules.
///
/// ```
/// assert_eq!(graceful_deploy::Group::Termination.title(), "Termination");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// How long the pod has.
    Termination,
    /// How the kubelet sees the process.
    Probes,
    /// How the signal reaches the process.
    Signals,
    /// How pods are replaced.
    Rollout,
    /// What is checked: containers, comments.
    Files,
}

impl Group {
    /// The heading in the documentation.
    ///
    /// ```
    /// assert_eq!(graceful_deploy::Group::Files.title(), "Files and comments");
    /// ```
    pub fn title(self) -> &'static str {
        match self {
            Self::Termination => "Termination",
            Self::Probes => "Probes",
            Self::Signals => "Signals",
            Self::Rollout => "Rollout",
            Self::Files => "Files and comments",
        }
    }
}

/// What a rule needs besides the manifests.
///
/// ```
/// use graceful_deploy::{Needs, rule};
/// assert_eq!(rule("pre-stop-not-in-plan").unwrap().needs, Needs::Program);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Nothing; what is known about the program makes some rules more exact.
    Nothing,
    /// The facts of the program.
    Program,
}

/// The place of an example.
///
/// ```
/// use graceful_deploy::{Place, rule};
/// assert_eq!(rule("dockerfile-shell-form").unwrap().place, Place::Dockerfile);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Keys of the container.
    Container,
    /// Keys of the pod's `spec`.
    Pod,
    /// Keys of the Deployment's `spec`.
    Spec,
    /// A whole document beside the Deployment.
    Document,
    /// A whole manifest in place of the Deployment.
    Manifest,
    /// A Dockerfile.
    Dockerfile,
}

/// The only element, if there is one.
pub(crate) const fn optional(texts: &[&'static str]) -> Option<&'static str> {
    match texts {
        [text] => Some(text),
        _ => None,
    }
}

/// Defines rules as constants, and `ALL` with every one of them.
macro_rules! rules {
    ($group:ident: $($name:ident { $id:literal, $severity:ident, $needs:ident, $place:ident, $program:literal,
        $summary:literal, $why:literal, wrong: $wrong:literal, right: $right:literal $(, mechanical: $mechanical:literal)? })*) => {
        $(pub(crate) static $name: $crate::rule::Rule = $crate::rule::Rule {
            id: $id,
            group: $crate::rule::Group::$group,
            severity: $crate::rule::Severity::$severity,
            needs: $crate::rule::Needs::$needs,
            summary: $summary,
            why: $why,
            place: $crate::rule::Place::$place,
            program: $program,
            wrong: $wrong,
            right: $right,
            mechanical: $crate::rule::optional(&[$($mechanical)?]),
        };)*
        pub(crate) static ALL: &[&$crate::rule::Rule] = &[$(&$name),*];
    };
}
pub(crate) use rules;
