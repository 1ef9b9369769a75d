//! Edits of a file's text, as mechanical fixes of findings: each changes a value in place or adds a line, so comments,
//! order and line ends stay.

use crate::{
    render::{New, Style, entry_in_flow, in_block, in_flow, quoted},
    source::Source,
    yaml::{Node, Value},
};
use std::ops::Range;

/// A replacement of bytes in a file's text.
///
/// ```
/// use graceful_deploy::{Check, Manifest};
/// let text = "kind: Deployment\nspec:\n  strategy: {type: Recreate}\n  template: {spec: {containers: [{name: app}]}}\n";
/// let manifests = [Manifest::parse("app.yaml", text).unwrap()];
/// let edit = &Check::new(&manifests).run()[0].edits[0];
/// assert_eq!((&text[edit.bytes.clone()], edit.text.as_str()), ("Recreate", "RollingUpdate"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// The file's name.
    pub file: String,
    /// The bytes in the file's text, without a byte order mark. Empty for what is added without a change of a value.
    pub bytes: Range<usize>,
    /// The new text.
    pub text: String,
}

/// Writes edits of one file. An edit is `None` where it would change more than one value: inside of an anchor that has
/// an alias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Editor<'a> {
    source: &'a Source,
    aliased: &'a [Range<usize>],
}

impl<'a> Editor<'a> {
    pub(crate) fn new(source: &'a Source, aliased: &'a [Range<usize>]) -> Self {
        Self { source, aliased }
    }

    /// The text of these bytes.
    pub(crate) fn text(self, bytes: Range<usize>) -> &'a str {
        self.source.text.get(bytes).unwrap_or_default()
    }

    /// Replaces bytes of the value that starts at `of`.
    pub(crate) fn change(self, of: usize, bytes: Range<usize>, text: impl Into<String>) -> Option<Edit> {
        let is_shared = self.aliased.iter().any(|range| range.contains(&of));
        let edit = Edit { file: self.source.name.to_string(), bytes, text: text.into() };
        (!is_shared).then_some(edit)
    }

    /// Replaces a scalar on one line. A text keeps the quotes of the old one.
    pub(crate) fn replace(self, old: &Node, new: New<'_>) -> Option<Edit> {
        let Value::Scalar(_, is_plain) = old.value else { return None };
        let bytes = old.at.bytes.start..old.end;
        let found = self.text(bytes.clone());
        if found.is_empty() || found.contains('\n') || (is_plain == found.starts_with(['"', '\''])) {
            return None; // A block scalar, or no text at all.
        }
        let text = match (new, is_plain) {
            (New::Text(text), false) if found.starts_with('\'') && !text.contains('\'') => format!("'{text}'"),
            (New::Text(text), false) => quoted(text),
            (new, _) => in_flow(new, false),
        };
        self.change(bytes.start, bytes, text)
    }

    /// Gives an entry of a map another key.
    pub(crate) fn rename(self, map: &Node, key: &str, to: &str) -> Option<Edit> {
        self.replace(map.entry(key)?.0, New::Text(to))
    }

    /// Adds an entry to a map, behind the first of these keys that the map has, or else at its end.
    pub(crate) fn insert(self, map: &Node, behind: &[&str], key: &str, value: New<'_>) -> Option<Edit> {
        let entries = map.entries();
        let find = |key: &&str| entries.iter().rfind(|(name, _)| name.text() == Some(key));
        let last = behind.iter().find_map(find).or(entries.last());
        let (Value::Map(_), Some((before, sibling))) = (&map.value, last) else { return None };
        let of = map.at.bytes.start;
        // The node of an alias stands at its anchor, before the key.
        let end = Some(sibling.end).filter(|_| sibling.at.bytes.start >= before.at.bytes.start);
        let indent = entries.first()?.0.at.column - 1;
        let is_json = self.text(before.at.bytes.clone()).starts_with('"');
        if map.is_flow {
            let entry = entry_in_flow(key, value, is_json);
            let start = before.at.bytes.start;
            // Where each entry has a line of its own, so has the new one.
            let separator = match self.text(of..start).rsplit_once('\n') {
                Some((_, indent)) if indent.trim().is_empty() => format!("{}{indent}", self.line_end()),
                _ => " ".to_owned(),
            };
            return match end {
                Some(end) => self.change(of, end.max(before.end)..end.max(before.end), format!(",{separator}{entry}")),
                None if separator == " " => self.change(of, of + 1..of + 1, format!("{entry}, ")),
                None => self.change(of, of + 1..of + 1, format!("{separator}{entry},")),
            };
        }
        let at = self.behind_line(end.unwrap_or(before.end).max(before.end), indent);
        let style = Style { is_json, step: step(map, indent), line_end: self.line_end() };
        let lines = in_block(key, value, indent, &style);
        self.change(of, at..at, lines)
    }

    /// Adds a document at the end of the file. JSON has no second document.
    pub(crate) fn append_document(self, document: &str) -> Option<Edit> {
        let text = self.source.text.trim();
        let is_open = text.rsplit('\n').next() == Some("---");
        let separator = if is_open { "" } else { "---\n" };
        (!text.starts_with(['{', '['])).then(|| self.append(&format!("{separator}{document}")))?
    }

    /// Adds lines at the end of the file.
    pub(crate) fn append(self, lines: &str) -> Option<Edit> {
        let (text, line_end) = (&*self.source.text, self.line_end());
        let mut new = if text.ends_with('\n') { String::new() } else { line_end.to_owned() };
        for line in lines.lines() {
            new += line;
            new += line_end;
        }
        self.change(text.len(), text.len()..text.len(), new)
    }

    fn line_end(self) -> &'static str {
        if self.source.text.split_inclusive('\n').next().is_some_and(|line| line.ends_with("\r\n")) {
            "\r\n"
        } else {
            "\n"
        }
    }

    /// The end of the line of a byte, behind the comments below it that are indented by more than `indent`: they belong
    /// to what ends there.
    fn behind_line(self, byte: usize, indent: usize) -> usize {
        let text = &*self.source.text;
        let end_of = |start: usize| {
            let line = text[start..].split('\n').next().unwrap_or_default();
            start + line.strip_suffix('\r').unwrap_or(line).len()
        };
        let (mut end, mut next) = (end_of(byte), byte);
        while let Some(newline) = text[next..].find('\n') {
            next += newline + 1;
            let line = &text[next..end_of(next)];
            let trimmed = line.trim_start();
            if trimmed.starts_with('#') && line.len() - trimmed.len() > indent {
                end = end_of(next);
            } else if !trimmed.is_empty() {
                break;
            }
        }
        end
    }
}

/// By how much the maps in this block map are indented.
fn step(map: &Node, indent: usize) -> usize {
    let first_key = |value: &Node| Some(value.entries().first()?.0.at.column - 1);
    let is_own = |key: &Node, value: &Node| !value.is_flow && value.at.bytes.start > key.at.bytes.start;
    let mut maps = map.entries().iter().filter(|(key, value)| is_own(key, value));
    maps.find_map(|(_, value)| first_key(value)?.checked_sub(indent)).filter(|step| *step > 0).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    /// The text after an insertion of `new: 1` into the map of the key `m`.
    fn inserted(text: &str, behind: &[&str], value: New<'_>) -> Option<String> {
        let source = Source::new("a.yaml", text).unwrap();
        let parsed = yaml::parse(&source).unwrap();
        let map = parsed.documents[0].get("m").unwrap();
        let edit = Editor::new(&source, &parsed.aliased).insert(map, behind, "new", value)?;
        let mut text = text.to_owned();
        text.replace_range(edit.bytes, &edit.text);
        Some(text)
    }

    #[test]
    fn an_entry_is_inserted_in_the_style_of_its_map() {
        let one = New::Number(1);
        for (text, behind, expected) in [
            ("m:\n  a: 1 # why\n  b: 2\n", &["a"][..], "m:\n  a: 1 # why\n  new: 1\n  b: 2\n"),
            ("m:\n  a: 1\n  b: 2", &[], "m:\n  a: 1\n  b: 2\n  new: 1"),
            ("m:\r\n    a: 1\r\nz: 2\r\n", &[], "m:\r\n    a: 1\r\n    new: 1\r\nz: 2\r\n"),
            (
                "m:\n  a:\n  - x\n  # end\n    # of a\nz: 2\n",
                &[],
                "m:\n  a:\n  - x\n  new: 1\n  # end\n    # of a\nz: 2\n",
            ),
            ("m:\n  a:\n    b: 1\n    # of a\n\nz: 2\n", &[], "m:\n  a:\n    b: 1\n    # of a\n  new: 1\n\nz: 2\n"),
            ("m:\n  a: |\n    text\n    # text\n\nz: 2\n", &[], "m:\n  a: |\n    text\n    # text\n  new: 1\n\nz: 2\n"),
            ("m:\n  a:\n  b:\n", &["a"], "m:\n  a:\n  new: 1\n  b:\n"),
            ("x: &x {y: 1}\nm:\n  a: *x # why\nz: 1\n", &[], "x: &x {y: 1}\nm:\n  a: *x # why\n  new: 1\nz: 1\n"),
            ("m: {a: 1, b: [2]}\n", &["a"], "m: {a: 1, new: 1, b: [2]}\n"),
            ("m: {a: 1, b: [2]}\n", &[], "m: {a: 1, b: [2], new: 1}\n"),
            ("m: {a: 1,}\n", &[], "m: {a: 1, new: 1,}\n"),
            ("x: &x 1\nm: {a: *x}\n", &[], "x: &x 1\nm: {new: 1, a: *x}\n"),
            ("{\n  \"m\": {\n    \"a\": 1\n  }\n}\n", &[], "{\n  \"m\": {\n    \"a\": 1,\n    \"new\": 1\n  }\n}\n"),
            ("{\"m\": {\"a\": {}}}", &[], "{\"m\": {\"a\": {}, \"new\": 1}}"),
        ] {
            assert_eq!(inserted(text, behind, one).as_deref(), Some(expected), "{text:?}");
        }
        let map = New::Map(&[("a", New::Map(&[("path", New::Text("/x")), ("port", New::Number(1))]))]);
        assert_eq!(
            inserted("m:\n  b: 1\n", &[], map).unwrap(),
            "m:\n  b: 1\n  new:\n    a:\n      path: /x\n      port: 1\n"
        );
        assert_eq!(
            inserted("\"m\":\n    \"b\":\n        \"c\": 1\n", &["x"], map).unwrap(),
            "\"m\":\n    \"b\":\n        \"c\": 1\n    \"new\":\n        \"a\":\n            \"path\": \"/x\"\n            \"port\": 1\n"
        );
        assert_eq!(inserted("m: {b: 1}", &[], map).unwrap(), "m: {b: 1, new: {a: {path: /x, port: 1}}}");
        assert_eq!(inserted("m: {}", &[], one), None);
    }

    #[test]
    fn a_value_that_an_alias_repeats_is_not_edited() {
        assert_eq!(inserted("m: &m\n  a: 1\nz: *m\n", &[], New::Number(1)), None);
        assert_eq!(inserted("x: &x {a: 1}\nm: *x\n", &[], New::Number(1)), None);
        assert_eq!(
            inserted("m: &m\n  a: 1\n", &[], New::Number(1)).as_deref(),
            Some("m: &m\n  a: 1\n  new: 1\n"),
            "an anchor without an alias"
        );
    }

    #[test]
    fn a_scalar_keeps_its_quotes() {
        for (text, new, expected) in [
            ("m: 20 # s", New::Number(30), Some("m: 30 # s")),
            ("m: '/a'", New::Text("/b"), Some("m: '/b'")),
            ("{\"m\": \"/a\"}", New::Text("/b"), Some("{\"m\": \"/b\"}")),
            ("m: /a", New::Text("/b"), Some("m: /b")),
            ("m: x", New::Text("[::]:80"), Some("m: \"[::]:80\"")),
            ("m: |\n  a\n", New::Text("b"), None),
            ("m:\n", New::Text("b"), None),
        ] {
            let source = Source::new("a.yaml", text).unwrap();
            let parsed = yaml::parse(&source).unwrap();
            let edit = Editor::new(&source, &[]).replace(parsed.documents[0].get("m").unwrap(), new);
            let found = edit.map(|edit| {
                let mut text = text.to_owned();
                text.replace_range(edit.bytes, &edit.text);
                text
            });
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_document_is_appended_in_the_style_of_the_file() {
        for (text, expected) in [
            ("a: 1\n", Some("a: 1\n---\nb: 2\n")),
            ("a: 1", Some("a: 1\n---\nb: 2\n")),
            ("a: 1\r\n---\r\n", Some("a: 1\r\n---\r\nb: 2\r\n")),
            ("{\"a\": 1}\n", None),
        ] {
            let source = Source::new("a.yaml", text).unwrap();
            let edit = Editor::new(&source, &[]).append_document("b: 2\n");
            assert_eq!(edit.map(|edit| format!("{text}{}", edit.text)).as_deref(), expected, "{text:?}");
        }
    }
}
