//! The steps as text.

use super::{
    convert::Plan,
    step::{Action, apply},
};
use crate::style::{ADDED, FRAME, GOOD, REMOVED, STRONG, WARNING, paint};
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// The width of prose in characters.
const WIDTH: usize = 110;

/// A file as it is shown, and its text.
pub(crate) type File<'a> = (&'a str, &'a str);

/// All steps, each with its place, its reason, and a diff or what to do.
pub(crate) fn steps(plan: &Plan, files: &[File<'_>]) -> String {
    let mut text = String::new();
    let mut before = Vec::new();
    for (number, step) in plan.steps.iter().enumerate() {
        let kind = match step.action {
            Action::Mechanical(_) => paint(GOOD, "mechanical"),
            Action::ByHand(_) => paint(WARNING, "by hand"),
        };
        let title = paint(STRONG, format_args!("{}. {}: {}", number + 1, step.place, step.title));
        // Writing to a string does not fail.
        let _ = writeln!(text, "{title} [{kind}]\n{}", wrapped("why: ", &step.why));
        if let Action::ByHand(instead) = &step.action {
            let _ = writeln!(text, "{}", wrapped("do:  ", instead));
        }
        for (file, (name, content)) in files.iter().enumerate() {
            let old = apply(content, file, before.iter().copied());
            let new = apply(content, file, before.iter().copied().chain(step.edits()));
            text += &diff(name, &old, &new);
        }
        before.extend(step.edits());
        text.push('\n');
    }
    text
}

/// A paragraph behind a label.
fn wrapped(label: &str, text: &str) -> String {
    let (mut result, mut length) = (format!("   {label}"), label.len());
    for (number, word) in text.split_whitespace().enumerate() {
        let width = word.chars().count();
        if number > 0 && length + 1 + width > WIDTH {
            let _ = write!(result, "\n   {}", " ".repeat(label.len()));
            length = label.len();
        } else if number > 0 {
            result.push(' ');
            length += 1;
        }
        result += word;
        length += width;
    }
    result
}

/// The unified diff of a file; nothing if it does not change.
fn diff(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for (number, hunk) in diff.unified_diff().context_radius(2).iter_hunks().enumerate() {
        if number == 0 {
            let _ = writeln!(
                text,
                "{}\n{}",
                paint(STRONG, format_args!("--- {name}")),
                paint(STRONG, format_args!("+++ {name}"))
            );
        }
        let _ = writeln!(text, "{}", paint(FRAME, hunk.header()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches(['\r', '\n']);
            let _ = match change.tag() {
                ChangeTag::Insert => writeln!(text, "{}", paint(ADDED, format_args!("+{line}"))),
                ChangeTag::Delete => writeln!(text, "{}", paint(REMOVED, format_args!("-{line}"))),
                ChangeTag::Equal => writeln!(text, " {line}"),
            };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_wrapped_behind_its_label_and_a_diff_shows_lines_without_their_ends() {
        let text = wrapped("why: ", &"word ".repeat(40));
        assert!(text.lines().count() == 2 && text.lines().nth(1).unwrap().starts_with("        word"), "{text}");
        let lines = anstream::adapter::strip_str(&diff("f", "a\r\nb\r\n", "a\r\nc\r\n")).to_string();
        assert_eq!(lines, "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        assert_eq!(diff("f", "a\n", "a\n"), "");
    }
}
