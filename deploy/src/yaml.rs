//! YAML (and JSON, which is a part of it) as nodes with positions, within limits.
//!
//! Invariants: an alias shares its anchor's node, so a document takes memory in proportion to its text; the depth and
//! the size after the expansion of aliases are bounded, so every walk over a document ends soon.

use crate::source::{At, Source, Unreadable};
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, options};
use std::{collections::HashMap, ops::Range, sync::Arc};

/// The deepest nesting, aliases included.
pub(crate) const DEEPEST: usize = 64;
/// The most nodes of a document, with every alias replaced by its anchor's nodes.
pub(crate) const MOST_NODES: usize = 500_000;

/// A value with its position.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: At,
    /// The byte behind the value's last one. `at` has the first one.
    pub(crate) end: usize,
    /// Whether a list or map stands in brackets.
    pub(crate) is_flow: bool,
    depth: usize,
    size: usize,
}

#[derive(Debug)]
pub(crate) enum Value {
    /// A text; whether it stands without quotes.
    Scalar(String, bool),
    List(Vec<Arc<Node>>),
    Map(Vec<(Arc<Node>, Arc<Node>)>),
}

impl Node {
    /// The text of a scalar. A plain `null`, `~` or nothing is no text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text, plain) if !(*plain && matches!(text.as_str(), "" | "~" | "null")) => Some(text),
            _ => None,
        }
    }

    /// The number of a scalar without quotes.
    pub(crate) fn number(&self) -> Option<u64> {
        match &self.value {
            Value::Scalar(text, true) => text.parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(&self.value, Value::Scalar(text, true) if text == "true")
    }

    /// The elements of a list; none of another value.
    pub(crate) fn items(&self) -> &[Arc<Node>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; none of another value.
    pub(crate) fn entries(&self) -> &[(Arc<Node>, Arc<Node>)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key, its own or one from a merge key (`<<`).
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value. Of two equal keys the last one counts, as in Kubernetes' own parser.
    pub(crate) fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        let own = self.entries().iter().rev().find(|(name, _)| name.text() == Some(key));
        let own = own.map(|(name, value)| (&**name, &**value));
        own.or_else(|| {
            let (_, merged) = self.entries().iter().find(|(name, _)| name.text() == Some("<<"))?;
            merged.entry(key).or_else(|| merged.items().iter().find_map(|map| map.entry(key)))
        })
    }

    /// The value below several keys.
    pub(crate) fn path(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The texts of a list.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.items().iter().filter_map(|item| item.text()).collect()
    }
}

/// A comment with its position, without the `#`.
#[derive(Debug, Clone)]
pub(crate) struct Comment {
    pub(crate) text: String,
    pub(crate) at: At,
    /// Whether nothing but the comment stands on its line.
    pub(crate) is_alone: bool,
}

/// What a file has.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) documents: Vec<Arc<Node>>,
    pub(crate) comments: Vec<Comment>,
    /// The bytes of the values that an alias repeats.
    pub(crate) aliased: Vec<Range<usize>>,
}

/// A collection that is not complete yet.
struct Open {
    anchor: usize,
    at: At,
    is_map: bool,
    is_flow: bool,
    /// The end of the last child, an alias included.
    end: usize,
    children: Vec<Arc<Node>>,
}

/// The documents and comments of a file.
pub(crate) fn parse(source: &Source) -> Result<Parsed, Unreadable> {
    let options = options! {
        max_buffered_comment_events: 100_000,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let refused =
        |at: &At, problem: String, fix: &str| Unreadable::new(&source.name, (at.line, at.column), problem, fix);
    let mut parsed = Parsed::default();
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Arc<Node>> = HashMap::new();
    for next in Parser::new_from_str_with_options(&source.text, options) {
        let (event, span) = next.map_err(|error| {
            let place = (error.marker().line().max(1), error.marker().col() + 1);
            let (problem, fix) = explained(&error);
            Unreadable::new(&source.name, place, problem, fix)
        })?;
        let bytes = span.byte_range().unwrap_or_default();
        let mut end = source.trimmed_end(bytes.clone());
        let at = At { line: span.start.line().max(1), column: span.start.col() + 1, bytes };
        let (anchor, node) = match event {
            Event::DocumentStart(..) => {
                anchors.clear();
                continue;
            }
            Event::Comment(text, _) => {
                let is_alone = is_first_on_its_line(&source.text, at.bytes.start);
                parsed.comments.push(Comment { text: text.trim().to_owned(), at, is_alone });
                continue;
            }
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar(text.into_owned(), style == ScalarStyle::Plain);
                (anchor, Arc::new(Node { value, at, end, is_flow: false, depth: 0, size: 1 }))
            }
            Event::SequenceStart(style, anchor, _) | Event::MappingStart(style, anchor, _) => {
                let (is_map, is_flow) = (matches!(event, Event::MappingStart(..)), style == StructureStyle::Flow);
                open.push(Open { anchor, at, is_map, is_flow, end, children: Vec::new() });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(complete) => {
                    // The end of a block collection is the begin of what follows it.
                    end = if complete.is_flow { end } else { complete.end };
                    (complete.anchor, closed(complete, end))
                }
                None => continue,
            },
            Event::Alias(id) => match anchors.get(&id) {
                Some(node) => {
                    parsed.aliased.push(node.at.bytes.start..node.end);
                    (0, Arc::clone(node))
                }
                None => {
                    let problem = "an alias stands inside of its own anchor".to_owned();
                    return Err(refused(&at, problem, "write the value out"));
                }
            },
            _ => continue,
        };
        if node.size > MOST_NODES {
            let problem = format!("the aliases of this value expand to more than {MOST_NODES} values");
            return Err(refused(&node.at, problem, "write the values out, without anchors inside of anchors"));
        }
        if node.depth + open.len() > DEEPEST {
            let problem = format!("the value is nested more than {DEEPEST} levels deep");
            return Err(refused(&node.at, problem, "check the manifest for a mistake in its brackets or aliases"));
        }
        if anchor != 0 {
            anchors.insert(anchor, Arc::clone(&node));
        }
        match open.last_mut() {
            Some(parent) => {
                parent.children.push(node);
                parent.end = parent.end.max(end);
            }
            None => parsed.documents.push(node),
        }
    }
    Ok(parsed)
}

fn closed(Open { at, is_map, is_flow, children, .. }: Open, end: usize) -> Arc<Node> {
    let size = children.iter().fold(1usize, |sum, child| sum.saturating_add(child.size));
    let depth = children.iter().map(|child| child.depth + 1).max().unwrap_or(0);
    let value = if is_map {
        let mut children = children.into_iter();
        let mut entries = Vec::new();
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            entries.push((key, value));
        }
        Value::Map(entries)
    } else {
        Value::List(children)
    };
    Arc::new(Node { value, at, end, is_flow, depth, size })
}

/// Whether nothing but white space stands before a byte on its line.
fn is_first_on_its_line(text: &str, byte: usize) -> bool {
    let before = text.get(..byte).unwrap_or_default();
    before.bytes().rev().take_while(|byte| !b"\r\n".contains(byte)).all(|byte| byte == b' ' || byte == b'\t')
}

/// The problem and the fix of the parser's error.
fn explained(error: &granit_parser::ScanError) -> (String, &'static str) {
    use granit_parser::ErrorKind;
    let info = error.info();
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => (
            format!("the value is nested more than {DEEPEST} levels deep"),
            "check the manifest for a mistake in its brackets",
        ),
        ErrorKind::TabInIndentation => {
            ("a tab indents this line".to_owned(), "indent with spaces; YAML allows no tabs")
        }
        _ if info.contains("tab") => (format!("not YAML: {info}"), "indent with spaces; YAML allows no tabs"),
        _ => (format!("not YAML: {info}"), "check the line and the one above it"),
    }
}
