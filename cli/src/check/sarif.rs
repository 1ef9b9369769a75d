//! Findings in SARIF 2.1.0, for code scanning.

use super::places::Places;
use graceful_deploy::{Edit, Finding, Rule, Severity};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::{collections::BTreeMap, ops::Range};

/// What a path keeps in a URI reference (RFC 3986). A colon in its first segment would end a scheme.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The findings with their places, and the mechanical fixes as replacements.
pub(crate) fn sarif(findings: &[Finding], places: &Places) -> String {
    let result = |finding: &Finding| {
        let mut result = json!({
            "ruleId": finding.rule.id,
            "level": level(finding.rule.severity),
            "message": { "text": format!("{}; {}", finding.problem, finding.fix) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": uri(&finding.file) },
                "region": region(places, &finding.file, &finding.bytes),
            } }],
        });
        if !finding.edits.is_empty() {
            result["fixes"] =
                json!([{ "description": { "text": finding.fix }, "artifactChanges": changes(finding, places) }]);
        }
        result
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

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "note",
    }
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id, "shortDescription": { "text": rule.summary }, "fullDescription": { "text": rule.why },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

/// The edits of a finding, by file.
fn changes(finding: &Finding, places: &Places) -> Vec<Value> {
    let mut files: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for Edit { file, bytes, text, .. } in &finding.edits {
        let replacement = json!({ "deletedRegion": region(places, file, bytes), "insertedContent": { "text": text } });
        files.entry(file).or_default().push(replacement);
    }
    let change =
        |(file, replacements)| json!({ "artifactLocation": { "uri": uri(file) }, "replacements": replacements });
    files.into_iter().map(change).collect()
}

fn region(places: &Places, file: &str, bytes: &Range<usize>) -> Value {
    let ((line, column), (end_line, end_column)) =
        (places.position(file, bytes.start), places.position(file, bytes.end));
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

fn uri(file: &str) -> String {
    utf8_percent_encode(&file.replace('\\', "/"), PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::places::tests::recreate;

    #[test]
    fn a_result_has_the_place_and_the_fix_as_a_replacement() {
        let (findings, places) = recreate();
        let sarif: Value = serde_json::from_str(&sarif(&findings, &places)).unwrap();
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "strategy-recreate");
        let place = &result["locations"][0]["physicalLocation"];
        let region = json!({ "startLine": 3, "startColumn": 20, "endLine": 3, "endColumn": 28 });
        assert_eq!((&place["artifactLocation"]["uri"], &place["region"]), (&"a%2Cb%20c.yaml".into(), &region));
        let change = &result["fixes"][0]["artifactChanges"][0];
        assert_eq!(change["artifactLocation"], place["artifactLocation"]);
        assert_eq!(
            change["replacements"],
            json!([{ "deletedRegion": region, "insertedContent": { "text": "RollingUpdate" } }])
        );
    }

    #[test]
    fn the_paths_of_windows_are_uri_references() {
        assert_eq!(uri(r"deploy\web_1.yaml"), "deploy/web_1.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
