//! A source file of the program: its text, its items and its tokens, with their places in the text.

use proc_macro2::{Delimiter, LineColumn, Spacing, Span, TokenStream, TokenTree};
use std::{ops::Range, path::PathBuf};

const BOM: char = '\u{feff}';

/// The limit of groups within groups: the parser calls itself for each.
const DEEPEST: usize = 100;

/// A parsed file.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// The path as messages show it.
    pub(crate) name: String,
    /// The text without a byte order mark. All places refer to it.
    pub(crate) text: String,
    pub(crate) has_bom: bool,
    pub(crate) file: syn::File,
    /// All tokens in order, those inside of macros and groups included.
    pub(crate) tokens: Vec<Token>,
}

/// A token; `::`, `=>` and `->` are one.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Punct,
    Literal,
    Group,
}

impl Source {
    /// Parses a file.
    ///
    /// # Errors
    /// `FILE:LINE:COLUMN: MESSAGE` for a file that is not Rust.
    pub(crate) fn parse(path: PathBuf, name: String, text: &str) -> Result<Self, String> {
        let (text, has_bom) = text.strip_prefix(BOM).map_or((text, false), |rest| (rest, true));
        let problem = |at: LineColumn, what: String| format!("{name}:{}:{}: {what}", at.line, at.column + 1);
        // To the lexer a shebang is spaces of the same length.
        let is_shebang = text.starts_with("#!") && !text[2..].trim_start().starts_with('[');
        let lexed: Result<TokenStream, _> = match text.find('\n') {
            Some(end) if is_shebang => format!("{}{}", " ".repeat(end), &text[end..]).parse(),
            _ => text.parse(),
        };
        let stream = lexed.map_err(|error| problem(error.span().start(), "not a Rust token".to_owned()))?;
        let mut tokens = Vec::new();
        if let Err(span) = flatten(stream.clone(), DEEPEST, &mut tokens) {
            return Err(problem(span.start(), format!("more than {DEEPEST} groups are nested")));
        }
        let file = syn::parse2(stream.clone()).map_err(|error| {
            // An unexpected end has no token of its own.
            let end = text.chars().filter(|c| *c == '\n').count();
            let start = error.span().start();
            let is_end = stream.is_empty() || (start.line, start.column) == (1, 0) && end > 0;
            let at = if is_end { LineColumn { line: end.max(1), column: 0 } } else { start };
            problem(at, error.to_string())
        })?;
        Ok(Self { path, name, text: text.to_owned(), has_bom, file, tokens })
    }

    /// The line of this place, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }

    /// `FILE:LINE`.
    pub(crate) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.name, self.line(at))
    }

    /// The text of this range.
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        &self.text[range]
    }

    /// The line ending of this file.
    pub(crate) fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// The whitespace before the first token of the line.
    pub(crate) fn indent(&self, at: usize) -> &str {
        let line = &self.text[self.text[..at].rfind('\n').map_or(0, |end| end + 1)..at];
        &line[..line.len() - line.trim_start().len()]
    }

    /// The range with the rest of its lines, where that is whitespace.
    pub(crate) fn whole_lines(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.text[..range.start].rfind('\n').map_or(0, |end| end + 1);
        let end = self.text[range.end..].find('\n').map_or(self.text.len(), |end| range.end + end + 1);
        let is_alone = self.text[start..range.start].trim().is_empty() && self.text[range.end..end].trim().is_empty();
        if is_alone { start..end } else { range.clone() }
    }

    /// The lines of an item, with the comments right above it and one of the blank lines around it.
    pub(crate) fn item_lines(&self, range: &Range<usize>) -> Range<usize> {
        let mut lines = self.whole_lines(range);
        let above = |start: usize| self.text[..start].lines().next_back().unwrap_or_default();
        while above(lines.start).trim_start().starts_with("//") && !above(lines.start).trim_start().starts_with("//!") {
            lines.start = self.text[..lines.start - 1].rfind('\n').map_or(0, |end| end + 1);
        }
        self.with_blank_line(lines)
    }

    /// These lines, with one blank line where two would meet, or where one would begin or end the file.
    pub(crate) fn with_blank_line(&self, lines: Range<usize>) -> Range<usize> {
        if lines.start == 0 && self.text[lines.end..].lines().next().is_some_and(|below| below.trim().is_empty()) {
            let end = self.text[lines.end..].find('\n').map_or(self.text.len(), |end| lines.end + end + 1);
            return 0..end;
        }
        let below = self.text[lines.end..].lines().next().unwrap_or_default();
        let above = self.text[..lines.start].lines().next_back();
        match above.filter(|above| above.trim().is_empty() && below.trim().is_empty()) {
            Some(_) => self.text[..lines.start - 1].rfind('\n').map_or(0, |end| end + 1)..lines.end,
            None => lines,
        }
    }

    /// The tokens that lie in this range.
    pub(crate) fn tokens_in(&self, range: &Range<usize>) -> &[Token] {
        let start = self.tokens.partition_point(|token| token.range.start < range.start);
        let end = self.tokens.partition_point(|token| token.range.start < range.end);
        &self.tokens[start..end.max(start)]
    }

    /// Whether there is a comment between the tokens of this range. Doc comments are tokens.
    pub(crate) fn has_comment(&self, range: &Range<usize>) -> bool {
        let mut at = range.start;
        for token in self.tokens_in(range) {
            if token.range.start > at && !self.text[at..token.range.start].trim().is_empty() {
                return true;
            }
            at = at.max(token.range.end);
        }
        at < range.end && !self.text[at..range.end].trim().is_empty()
    }
}

/// The place of a node in the text.
pub(crate) fn range(node: &impl syn::spanned::Spanned) -> Range<usize> {
    node.span().byte_range()
}

/// Appends the tokens of the stream.
///
/// # Errors
/// The place of a group that is nested too deep.
fn flatten(stream: TokenStream, depth: usize, tokens: &mut Vec<Token>) -> Result<(), Span> {
    let mut is_joint = false;
    for tree in stream {
        let was_joint = std::mem::take(&mut is_joint);
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(Token::new(open, Kind::Group, group.span_open()));
                flatten(group.stream(), depth.checked_sub(1).ok_or_else(|| group.span_open())?, tokens)?;
                tokens.push(Token::new(close, Kind::Group, group.span_close()));
            }
            TokenTree::Ident(word) => tokens.push(Token::new(&word.to_string(), Kind::Word, word.span())),
            TokenTree::Literal(one) => tokens.push(Token::new(&one.to_string(), Kind::Literal, one.span())),
            TokenTree::Punct(punct) => {
                let token = Token::new(&punct.as_char().to_string(), Kind::Punct, punct.span());
                match tokens.last_mut().filter(|last| was_joint && last.joins(&token)) {
                    Some(last) => {
                        last.text += &token.text;
                        last.range.end = token.range.end;
                    }
                    None => {
                        tokens.push(token);
                        is_joint = punct.spacing() == Spacing::Joint;
                    }
                }
            }
        }
    }
    Ok(())
}

impl Token {
    fn new(text: &str, kind: Kind, span: Span) -> Self {
        Self { text: text.to_owned(), kind, range: span.byte_range() }
    }

    /// Whether both are one token to the reader.
    fn joins(&self, next: &Self) -> bool {
        matches!((self.text.as_str(), next.text.as_str()), (":", ":") | ("=" | "-", ">"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Source, String> {
        Source::parse(PathBuf::new(), "src/main.rs".to_owned(), text)
    }

    #[test]
    fn places_are_bytes_of_the_text_with_any_line_ending_and_script() {
        for newline in ["\n", "\r\n"] {
            let text = ["#!/usr/bin/env rust", "// größer", "fn main() { tokio::spawn(\"ä\"); }", ""].join(newline);
            let source = parse(&format!("{BOM}{text}")).unwrap();
            assert!(source.has_bom && source.newline() == newline);
            for token in &source.tokens {
                assert_eq!(source.slice(token.range.clone()), token.text);
            }
            let path = source.tokens.iter().find(|token| token.text == "::").unwrap();
            assert_eq!(source.place(path.range.start), "src/main.rs:3");
        }
    }

    #[test]
    fn a_comment_between_tokens_is_found_and_one_in_a_string_is_none() {
        let source = parse("fn main() { a(\"// no\"); }").unwrap();
        assert!(!source.has_comment(&(0..source.text.len())));
        let source = parse("fn main() { a(); /* yes */ }").unwrap();
        assert!(source.has_comment(&(0..source.text.len())));
    }

    #[test]
    fn a_file_that_is_not_rust_is_named_with_line_and_column() {
        let nested = |depth| format!("fn main() {{ {}{} }}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(DEEPEST - 1)).is_ok());
        assert!(parse(&nested(100_000)).err().unwrap().ends_with("more than 100 groups are nested"));
        for (text, place) in [
            ("fn main() {\n    let = 1;\n}\n", "src/main.rs:2:9: "),
            ("fn main() {\n", "src/main.rs:1:"),
            ("fn", "src/main.rs:1:"),
        ] {
            let error = parse(text).err().unwrap();
            assert!(error.starts_with(place), "{error}");
        }
    }
}
