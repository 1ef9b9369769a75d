//! Whether the user may do what a rehearsal needs, asked before it begins.

use super::kubectl::{CALL, Kubectl, failed};
use crate::exit_code::{ExitCode, Failure};
use std::fmt;
use tokio::task::JoinSet;

/// A right: a verb, a resource with its group, and a subresource or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Right(pub(crate) &'static str, pub(crate) &'static str, pub(crate) &'static str);

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(verb, resource, subresource) = self;
        write!(f, "{verb} {resource}")?;
        if subresource.is_empty() { Ok(()) } else { write!(f, "/{subresource}") }
    }
}

/// Asks for every right.
///
/// # Errors
/// A right is missing, or `kubectl` fails.
pub(crate) async fn check(kubectl: &Kubectl, rights: Vec<Right>) -> Result<(), Failure> {
    let mut questions = JoinSet::new();
    for right in rights {
        let kubectl = kubectl.clone();
        questions.spawn(async move {
            let Right(verb, resource, subresource) = right;
            let subresource = format!("--subresource={subresource}");
            let called = kubectl.call(&["auth", "can-i", verb, resource, &subresource], "", CALL).await?;
            match called.stdout.split_whitespace().next() {
                Some("yes") => Ok(None),
                Some("no") => Ok(Some(right)),
                _ => Err(failed(&format!("auth can-i {right}"), &called.error)),
            }
        });
    }
    let mut missing = Vec::new();
    while let Some(answer) = questions.join_next().await {
        if let Ok(answer) = answer {
            missing.extend(answer?.map(|right| right.to_string()));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    missing.sort();
    let message = format!("no right to {}; ask for a role that allows it (kubectl auth can-i)", missing.join(", "));
    Err(Failure::new(ExitCode::Kubernetes, message))
}
