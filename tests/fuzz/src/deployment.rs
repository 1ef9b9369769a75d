//! Manifests and Dockerfiles.

use graceful_deploy::{Check, Dockerfile, Facts, Finding, Fix, Fixed, Manifest, Unreadable, decode};
use graceful_plan::Plan;
use std::collections::BTreeMap;

const FILE: &str = "file";

/// A manifest. A refusal and every finding stand at a position of the file; fixes leave a manifest that has the findings
/// they report, none of them new, and to which they add nothing the second time.
pub fn manifests(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let facts = Facts::new(Plan::DEFAULT);
    match Manifest::parse(FILE, text) {
        Ok(manifest) => {
            let manifests = [manifest];
            let findings = Check::new(&manifests).facts(&facts).run();
            in_the_text(&findings, text);
            assert_eq!(findings, Check::new(&manifests).facts(&facts).run());
            in_the_text(&Check::new(&manifests).run(), text);
            in_the_text(&Check::new(&manifests).facts(&facts).container("app").run(), text);
            fixes(&findings, text, |text| Fix::new().manifest(FILE, text).facts(&facts).run());
        }
        Err(error) => refused(&error, text),
    }
}

/// A Dockerfile, alone. The same holds as of a manifest.
pub fn dockerfiles(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let facts = Facts::new(Plan::DEFAULT);
    match Dockerfile::parse(FILE, text) {
        Ok(dockerfile) => {
            in_the_text(&Check::new(&[]).dockerfile(&dockerfile).run(), text);
            let findings = Check::new(&[]).facts(&facts).dockerfile(&dockerfile).run();
            in_the_text(&findings, text);
            fixes(&findings, text, |text| Fix::new().dockerfile(FILE, text).facts(&facts).run());
        }
        Err(error) => refused(&error, text),
    }
}

fn text(data: &[u8]) -> Option<&str> {
    decode(FILE, data).map_err(|error| refused(&error, &String::from_utf8_lossy(data))).ok()
}

/// The position of an error is in the file, and its message is complete.
fn refused(error: &Unreadable, text: &str) {
    let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    assert!(error.file() == FILE && error.column() >= 1, "{error}");
    assert!((1..=lines + 1).contains(&error.line()), "{error}");
    assert!(!error.problem().is_empty() && !error.fix().is_empty(), "{error}");
}

/// Each finding has the position, the bytes and the line that it says, and its edits are of whole characters.
fn in_the_text(findings: &[Finding], text: &str) {
    let text = text.trim_start_matches('\u{feff}');
    for finding in findings {
        if finding.file == "-" {
            continue; // there is no file
        }
        assert_eq!(finding.file, FILE);
        assert!(text.get(finding.bytes.clone()).is_some(), "{finding:?}");
        let before = &text[..finding.bytes.start];
        let start = before.rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let line = text[start..].split(['\n', '\r']).next().unwrap_or_default();
        let ends = before.replace("\r\n", "\n").matches(['\n', '\r']).count();
        // In YAML a byte order mark at the beginning of a document has no width.
        let column = before[start..].chars().count() + 1;
        let marks = before[start..].matches('\u{feff}').count();
        assert_eq!(finding.line, ends + 1, "{finding:?}");
        assert!((column - marks..=column).contains(&finding.column), "{finding:?}");
        assert_eq!(finding.quoted, line.trim(), "{finding:?}");
        assert!(!finding.problem.is_empty() && !finding.fix.is_empty(), "{finding:?}");
        for edit in &finding.edits {
            assert!(edit.file == FILE && text.get(edit.bytes.clone()).is_some(), "{edit:?}");
        }
    }
}

/// The findings by their rule.
fn counted(findings: &[Finding]) -> BTreeMap<&str, usize> {
    findings.iter().fold(BTreeMap::new(), |mut counts, finding| {
        *counts.entry(finding.rule.id).or_default() += 1;
        counts
    })
}

fn fixes(findings: &[Finding], text: &str, fix: impl Fn(&str) -> Result<Fixed, Unreadable>) {
    let fixed = fix(text).unwrap();
    let (before, left) = (counted(findings), counted(&fixed.left));
    assert!(left.iter().all(|(rule, count)| before.get(rule) >= Some(count)), "{before:?} {left:?}");
    let Some((name, new)) = fixed.texts.first() else {
        return assert!(fixed.fixed.is_empty() && before == left);
    };
    assert!(fixed.texts.len() == 1 && name == FILE && !fixed.fixed.is_empty() && new != text);
    assert!(before.values().sum::<usize>() > left.values().sum::<usize>(), "{before:?} {left:?}");
    in_the_text(&fixed.left, new);
    let again = fix(new).unwrap();
    assert!(again.texts.is_empty() && again.left == fixed.left, "{new}\n{again:?}");
}
