//! Findings as JSON, and as annotations of GitHub.

use graceful_deploy::{Edit, Finding, Rule, Severity};
use serde_json::{Value, json};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::places::tests::recreate;

    #[test]
    fn each_format_has_the_place_the_rule_and_the_fix() {
        let (findings, _) = recreate();
        let json: Value = serde_json::from_str(&json(&findings, &[])).unwrap();
        assert_eq!((&json["findings"][0]["line"], &json["findings"][0]["file"]), (&3.into(), &"a,b c.yaml".into()));
        assert_eq!(json["findings"][0]["edits"][0]["text"], "RollingUpdate");
        let github = github(&findings);
        assert!(github.contains(" file=a%2Cb c.yaml,line=3,col=20,title=strategy-recreate::"), "{github}");
        assert_eq!(github.lines().count(), 1);
    }
}
