//! Findings for people: each with its line and what to write instead.

use super::places::Places;
use crate::style::{BAD, FRAME, HINT, STRONG, WARNING};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use graceful_deploy::{Finding, Rule, Severity};
use std::fmt::Write;

const RENDERER: Renderer =
    Renderer::styled().error(BAD).warning(WARNING).note(HINT).emphasis(STRONG).line_num(FRAME).context(FRAME);

/// Findings with their lines, and a summary. `fix_command` is the command that edits a file.
pub(crate) fn text(
    findings: &[Finding],
    places: &Places,
    skipped: &[&'static Rule],
    fix_command: impl Fn(&str) -> Option<String>,
) -> String {
    let mut text = String::new();
    for finding in findings {
        let (line, marked) = places.line(finding);
        let mut group =
            Group::with_title(level(finding.rule.severity).primary_title(&finding.problem).id(finding.rule.id));
        if !line.trim().is_empty() {
            let snippet = Snippet::source(line).line_start(finding.line).path(&finding.file);
            group = group.element(snippet.annotation(AnnotationKind::Primary.span(marked)));
        }
        group = group.element(Level::NOTE.with_name("fix").message(&finding.fix));
        if let Some(command) = finding.edits.first().and_then(|edit| fix_command(&edit.file)) {
            group = group.element(Level::NOTE.no_name().message(format!("`{command}` does this")));
        }
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}\n", RENDERER.render(&[group]));
    }
    let count = |severity| findings.iter().filter(|finding| finding.rule.severity == severity).count();
    let (errors, warnings, hints) = (count(Severity::Error), count(Severity::Warning), count(Severity::Hint));
    let plural = |count, noun| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let counts = [plural(errors, "error"), plural(warnings, "warning"), plural(hints, "hint")];
    let _ = writeln!(text, "{}", counts.join(", "));
    if !skipped.is_empty() {
        let ids: Vec<_> = skipped.iter().map(|rule| rule.id).collect();
        let _ = writeln!(
            text,
            "{} rules need the program and were skipped; name it with --bin, --example or --exe: {}",
            ids.len(),
            ids.join(", ")
        );
    }
    text
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::NOTE.with_name("hint"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::places::tests::{NAME, recreate};

    #[test]
    fn a_finding_shows_its_line_as_it_stands_the_marked_part_and_the_fix() {
        let (findings, places) = recreate();
        let styled = text(&findings, &places, &[], |file| Some(format!("fix {file}")));
        assert!(styled.contains("\u{1b}["), "{styled}");
        let plain = anstream::adapter::strip_str(&styled).to_string();
        assert_eq!(
            plain,
            format!(
                "warning[strategy-recreate]: the strategy Recreate stops every pod before it starts a new one
 --> {NAME}:3:20
  |
3 |   strategy: {{type: Recreate}}
  |                    ^^^^^^^^
  |
  = fix: write `strategy: {{type: RollingUpdate}}`
  = `fix {NAME}` does this

0 errors, 1 warning, 0 hints
"
            )
        );
    }

    #[test]
    fn a_finding_without_a_file_has_no_line() {
        let facts = graceful_deploy::Facts::new(graceful_plan::Plan::DEFAULT);
        let findings = graceful_deploy::Check::new(&[]).facts(&facts).run();
        let plain = anstream::adapter::strip_str(&text(&findings, &Places::default(), &[], |_| None)).to_string();
        assert!(plain.starts_with("error[container-not-found]: ") && !plain.contains("-->"), "{plain}");
    }
}
