//! The checked files, and the places of findings in them.

use graceful_deploy::Finding;
use std::ops::Range;

/// The names and the texts of the checked files, without a byte order mark.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<(String, String)>);

impl Places {
    pub(crate) fn add(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()));
    }

    fn text(&self, file: &str) -> &str {
        self.0.iter().find(|(name, _)| name == file).map_or("", |(_, text)| text)
    }

    /// The first line of a finding, and the part of it that the finding is about.
    pub(super) fn line(&self, finding: &Finding) -> (&str, Range<usize>) {
        let (text, Range { start, end }) = (self.text(&finding.file), finding.bytes.clone());
        let Some((before, after)) = text.split_at_checked(start) else { return ("", 0..0) };
        let from = before.rfind('\n').map_or(0, |newline| newline + 1);
        let to = start + after.find('\n').unwrap_or(after.len());
        let line = text[from..to].trim_end();
        let (start, end) = ((start - from).min(line.len()), end.saturating_sub(from).min(line.len()));
        // A place without a length is marked at its first character.
        let first = line[start..].chars().next().map_or(0, char::len_utf8);
        (line, start..end.max(start + first))
    }

    /// The line and the column of a byte, both from 1, the column in characters.
    pub(super) fn position(&self, file: &str, byte: usize) -> (usize, usize) {
        let text = self.text(file);
        let before = text.get(..byte).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use graceful_deploy::{Check, Manifest};

    pub(crate) const NAME: &str = "a,b c.yaml";

    /// One finding, and the file that it is about.
    pub(crate) fn recreate() -> (Vec<Finding>, Places) {
        let text = "\u{feff}kind: Deployment\nspec:\n  strategy: {type: Recreate}\n  template: {spec: {containers: [{name: app}]}}\n";
        let manifests = [Manifest::parse(NAME, text).unwrap()];
        let findings = Check::new(&manifests).run();
        let mut places = Places::default();
        places.add(NAME, text);
        (findings.into_iter().filter(|finding| finding.rule.id == "strategy-recreate").collect(), places)
    }

    #[test]
    fn a_finding_of_several_lines_is_marked_on_its_first_one() {
        let (mut findings, places) = recreate();
        let finding = &mut findings[0];
        let line = "  strategy: {type: Recreate}";
        assert_eq!(places.line(finding), (line, 19..27));
        finding.bytes.end += 30;
        assert_eq!(places.line(finding), (line, 19..28));
        finding.bytes = 25..25;
        assert_eq!(places.line(finding), (line, 2..3));
        finding.bytes = 1000..1001;
        assert_eq!(places.line(finding), ("", 0..0));
        assert_eq!((places.position(NAME, 25), places.position(NAME, 0)), ((3, 3), (1, 1)));
    }
}
