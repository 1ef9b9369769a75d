//! Findings as text, and in the formats of other tools.

use crate::style::{BAD, FRAME, HINT, STRONG, WARNING, paint};
use graceful_deploy::{Edit, Finding, Rule, Severity};
use serde_json::{Value, json};
use std::fmt::Write;

/// Findings with the quoted line, and a summary. `fix_command` is the command that edits a file.
pub(crate) fn text(
    findings: &[Finding],
    skipped: &[&'static Rule],
    fix_command: impl Fn(&str) -> Option<String>,
) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding { rule, file, line, column, quoted, problem, fix, .. } = finding;
        let margin = " ".repeat(line.to_string().len());
        // Writing to a string does not fail.
        let severity = match rule.severity {
            Severity::Error => BAD,
            Severity::Warning => WARNING,
            Severity::Hint => HINT,
        };
        let name = paint(severity, format_args!("{}[{}]", rule.severity, rule.id));
        let _ = writeln!(text, "{name}{}", paint(STRONG, format_args!(": {problem}")));
        let [arrow, bar, equals] = ["-->", "|", "="].map(|frame| paint(FRAME, frame));
        let number = paint(FRAME, line);
        let _ = writeln!(text, "{margin}{arrow} {file}:{line}:{column}\n{margin} {bar}");
        let _ = writeln!(text, "{number} {bar} {quoted}\n{margin} {bar}");
        let _ = writeln!(text, "{margin} {equals} {}: {fix}", paint(STRONG, "fix"));
        if let Some(command) = finding.edits.first().and_then(|edit| fix_command(&edit.file)) {
            let _ = writeln!(text, "{margin} {equals} `{command}` does this");
        }
        text.push('\n');
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

/// One JSON object.
pub(crate) fn json(findings: &[Finding], skipped: &[&'static Rule]) -> String {
    let edit =
        |edit: &Edit| json!({ "file": edit.file, "start": edit.bytes.start, "end": edit.bytes.end, "text": edit.text });
    let finding = |finding: &Finding| {
        json!({
            "rule": finding.rule.id, "severity": finding.rule.severity.to_string(), "file": finding.file,
            "line": finding.line, "column": finding.column, "quoted": finding.quoted,
            "problem": finding.problem, "fix": finding.fix,
            "edits": finding.edits.iter().map(edit).collect::<Vec<_>>(),
        })
    };
    let findings: Vec<Value> = findings.iter().map(finding).collect();
    let skipped: Vec<_> = skipped.iter().map(|rule| rule.id).collect();
    format!("{:#}\n", json!({ "findings": findings, "skipped": skipped }))
}

/// Annotations of GitHub Actions.
pub(crate) fn github(findings: &[Finding]) -> String {
    let command = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "notice",
    };
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let line = |finding: &Finding| {
        format!(
            "::{} file={},line={},col={},title={}::{}\n",
            command(finding.rule.severity),
            property(&finding.file),
            finding.line,
            finding.column,
            property(finding.rule.id),
            escape(&format!("{}; {}", finding.problem, finding.fix)),
        )
    };
    findings.iter().map(line).collect()
}

fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// SARIF 2.1.0, for code scanning.
pub(crate) fn sarif(findings: &[Finding]) -> String {
    let level = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "note",
    };
    let rule = |rule: &Rule| {
        json!({
            "id": rule.id, "shortDescription": { "text": rule.summary }, "fullDescription": { "text": rule.why },
            "defaultConfiguration": { "level": level(rule.severity) },
        })
    };
    let result = |finding: &Finding| {
        json!({
            "ruleId": finding.rule.id,
            "level": level(finding.rule.severity),
            "message": { "text": format!("{}; {}", finding.problem, finding.fix) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": finding.file },
                "region": { "startLine": finding.line, "startColumn": finding.column },
            } }],
        })
    };
    let rules: Vec<Value> = graceful_deploy::rules().map(rule).collect();
    let results: Vec<Value> = findings.iter().map(result).collect();
    let driver = json!({ "name": "cargo-graceful", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    format!(
        "{:#}\n",
        json!({
            "version": "2.1.0",
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "runs": [{ "tool": { "driver": driver }, "results": results, "columnKind": "unicodeCodePoints" }],
        })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use graceful_deploy::{Check, Manifest};

    fn findings() -> Vec<Finding> {
        let text =
            "kind: Deployment\nspec:\n  strategy: {type: Recreate}\n  template: {spec: {containers: [{name: app}]}}\n";
        let manifests = [Manifest::parse("a,b.yaml", text).unwrap()];
        Check::new(&manifests).run().into_iter().filter(|finding| finding.rule.id == "strategy-recreate").collect()
    }

    #[test]
    fn each_format_has_the_place_the_rule_and_the_fix() {
        let findings = findings();
        let styled = text(&findings, &[], |file| Some(format!("fix {file}")));
        assert!(styled.contains("\u{1b}["), "{styled}");
        let text = anstream::adapter::strip_str(&styled).to_string();
        assert!(text.contains("[strategy-recreate]: ") && text.contains(" --> a,b.yaml:3:"), "{text}");
        assert!(text.contains("3 | strategy: {type: Recreate}\n") && text.contains(" = fix: "), "{text}");
        assert!(text.contains("\n  = `fix a,b.yaml` does this\n"), "{text}");
        let json: Value = serde_json::from_str(&json(&findings, &[])).unwrap();
        assert_eq!((&json["findings"][0]["line"], &json["findings"][0]["file"]), (&3.into(), &"a,b.yaml".into()));
        assert_eq!(json["findings"][0]["edits"][0]["text"], "RollingUpdate");
        let github = github(&findings);
        assert!(github.contains(" file=a%2Cb.yaml,line=3,col=") && github.lines().count() == 1, "{github}");
        let sarif: Value = serde_json::from_str(&sarif(&findings)).unwrap();
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "strategy-recreate");
        assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 3);
    }
}
