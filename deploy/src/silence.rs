//! Comments that allow a finding where it stands: `# graceful: allow(RULE) because REASON`.

use crate::{
    source::{At, Source, lines},
    table,
    yaml::Comment,
};

/// A comment that starts with `graceful:`.
#[derive(Debug, Clone)]
pub(crate) struct Silence {
    pub(crate) at: At,
    /// The line whose findings are allowed.
    pub(crate) line: usize,
    /// The rules, or what is wrong with the comment.
    pub(crate) allows: Result<Vec<String>, &'static str>,
}

impl Silence {
    /// The comments of a file that allow a finding, or try to.
    pub(crate) fn all(source: &Source, comments: &[Comment]) -> Vec<Self> {
        let lines: Vec<&str> = lines(&source.text).collect();
        let found = comments.iter().filter_map(|comment| {
            let rest = comment.text.strip_prefix("graceful:")?.trim();
            let line = if comment.is_alone { below(&lines, comment.at.line) } else { comment.at.line };
            Some(Self { at: comment.at.clone(), line, allows: parse(rest) })
        });
        found.collect()
    }

    /// Whether the comment allows this rule on this line.
    pub(crate) fn covers(&self, rule: &str, line: usize) -> bool {
        self.line == line && self.allows.as_ref().is_ok_and(|rules| rules.iter().any(|allowed| allowed == rule))
    }

    /// The names that are no rules.
    pub(crate) fn unknown(&self) -> impl Iterator<Item = &str> {
        self.allows.iter().flatten().map(String::as_str).filter(|name| table::rule(name).is_none())
    }
}

/// The next line that is not a comment.
fn below(lines: &[&str], comment: usize) -> usize {
    let is_comment = |line: &&&str| line.trim_start().starts_with('#');
    comment + 1 + lines.iter().skip(comment).take_while(is_comment).count()
}

fn parse(text: &str) -> Result<Vec<String>, &'static str> {
    const FORM: &str = "the comment is not in the form `graceful: allow(RULE) because REASON`";
    let rest = text.strip_prefix("allow").map(str::trim_start).and_then(|rest| rest.strip_prefix('(')).ok_or(FORM)?;
    let (rules, reason) = rest.split_once(')').ok_or(FORM)?;
    let rules: Vec<String> =
        rules.split(',').map(|rule| rule.trim().to_owned()).filter(|rule| !rule.is_empty()).collect();
    if rules.is_empty() {
        return Err("the comment names no rule");
    }
    match reason.trim().strip_prefix("because") {
        Some(reason) if !reason.trim().is_empty() => Ok(rules),
        _ => Err("the comment gives no reason"),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_comment_names_rules_and_a_reason() {
        assert_eq!(parse("allow(a, b) because of c").unwrap(), ["a", "b"]);
        for (text, said) in [
            ("allow(a)", "no reason"),
            ("allow(a) because", "no reason"),
            ("allow() because x", "names no rule"),
            ("allow a because x", "form"),
            ("ignore(a) because x", "form"),
            ("allow(a because x", "form"),
        ] {
            assert!(parse(text).unwrap_err().contains(said), "{text}");
        }
    }
}
