//! A unified diff.

use crate::style::{ADDED, HINT, REMOVED, STRONG, paint};
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// The lines of context around a change.
const CONTEXT: usize = 3;

/// The change of a file as a unified diff, which `patch` and `git apply` read.
pub(crate) fn diff(file: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut text = paint(STRONG, format_args!("--- {file}\n+++ {file}")) + "\n";
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", paint(HINT, hunk.header()));
        for change in hunk.iter_changes() {
            let line = change.value().strip_suffix('\n').unwrap_or(change.value());
            text += &match change.tag() {
                ChangeTag::Equal => format!(" {line}"),
                ChangeTag::Delete => paint(REMOVED, format_args!("-{line}")),
                ChangeTag::Insert => paint(ADDED, format_args!("+{line}")),
            };
            text += if change.missing_newline() { "\n\\ No newline at end of file\n" } else { "\n" };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_has_the_lines_around_a_change() {
        let old = "a\nb\nc\nd\ne\nf";
        let new = "a\nb\nc\nd\nE\nf";
        let styled = diff("x.yaml", old, new);
        assert!(styled.contains("\u{1b}["), "{styled:?}");
        assert_eq!(
            anstream::adapter::strip_str(&styled).to_string(),
            "--- x.yaml\n+++ x.yaml\n@@ -2,5 +2,5 @@\n b\n c\n d\n-e\n+E\n f\n\\ No newline at end of file\n"
        );
    }
}
