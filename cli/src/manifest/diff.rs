//! A unified diff.

use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// The lines of context around a change.
const CONTEXT: usize = 3;

/// The change of a file as a unified diff, which `patch` and `git apply` read.
pub(crate) fn diff(file: &str, old: &str, new: &str, colored: bool) -> String {
    let paint = |code: &str, line: &str| match colored {
        true => format!("\u{1b}[{code}m{line}\u{1b}[0m"),
        false => line.to_owned(),
    };
    let diff = TextDiff::from_lines(old, new);
    let mut text = paint("1", &format!("--- {file}")) + "\n" + &paint("1", &format!("+++ {file}")) + "\n";
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", paint("36", &hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let line = change.value().strip_suffix('\n').unwrap_or(change.value());
            text += &match change.tag() {
                ChangeTag::Equal => format!(" {line}"),
                ChangeTag::Delete => paint("31", &format!("-{line}")),
                ChangeTag::Insert => paint("32", &format!("+{line}")),
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
        assert_eq!(
            diff("x.yaml", old, new, false),
            "--- x.yaml\n+++ x.yaml\n@@ -2,5 +2,5 @@\n b\n c\n d\n-e\n+E\n f\n\\ No newline at end of file\n"
        );
        assert!(diff("x.yaml", old, new, true).contains("\u{1b}[32m+E\u{1b}[0m\n"));
    }
}
