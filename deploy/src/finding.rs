//! What is reported.

use crate::{
    edit::Edit,
    rule::Rule,
    source::{At, Source},
};
use std::{fmt, ops::Range};

/// A violated rule, with its place. `Display` shows `file:line:column: severity: problem; fix [rule]`.
///
/// ```
/// use graceful_deploy::{Check, Manifest};
/// let text = "kind: Deployment\nspec:\n  strategy: {type: Recreate}\n  template: {spec: {containers: [{name: app}]}}\n";
/// let manifests = [Manifest::parse("app.yaml", text).unwrap()];
/// let findings = Check::new(&manifests).run();
/// assert_eq!((findings[0].rule.id, findings[0].line, findings[0].quoted.as_str()), ("strategy-recreate", 3, "strategy: {type: Recreate}"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes in the file's text, without a byte order mark, that the finding is about.
    pub bytes: Range<usize>,
    /// The line's text, without white space around it.
    pub quoted: String,
    /// What is wrong, in one sentence.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
    /// The mechanical fix, as edits that belong together; empty if a person must decide.
    pub edits: Vec<Edit>,
}

impl Finding {
    /// Sets the mechanical fix, if there is one.
    pub(crate) fn mechanical(&mut self, edits: impl IntoIterator<Item = Option<Edit>>) {
        self.edits = edits.into_iter().collect::<Option<_>>().unwrap_or_default();
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, file, line, column, problem, fix, .. } = self;
        // A sum of several lines ends with a line end.
        let separator = if problem.contains('\n') { "\n" } else { "; " };
        write!(f, "{file}:{line}:{column}: {}: {problem}{separator}{fix} [{}]", rule.severity, rule.id)
    }
}

/// Collects findings.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn add(
        &mut self,
        rule: &'static Rule,
        (source, at): (&Source, &At),
        problem: impl Into<String>,
        fix: impl Into<String>,
    ) -> &mut Finding {
        self.0.push_mut(Finding {
            rule,
            file: source.name.to_string(),
            line: at.line,
            column: at.column,
            bytes: at.bytes.clone(),
            quoted: source.line(at.line).to_owned(),
            problem: problem.into(),
            fix: fix.into(),
            edits: Vec::new(),
        })
    }

    /// The findings by file and position, each once.
    pub(crate) fn sorted(mut self, files: &[&str]) -> Vec<Finding> {
        let file = |finding: &Finding| files.iter().position(|name| *name == finding.file);
        self.0.sort_by_key(|finding| (file(finding), finding.line, finding.column, finding.rule.id));
        self.0.dedup();
        self.0
    }

    /// Removes the findings that `allowed` accepts.
    pub(crate) fn remove(&mut self, allowed: impl FnMut(&Finding) -> bool) {
        let mut allowed = allowed;
        self.0.retain(|finding| !allowed(finding));
    }
}
