//! Values as the text of YAML or JSON.

/// A value to write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum New<'a> {
    Number(u64),
    Text(&'a str),
    Bool(bool),
    Map(&'a [(&'a str, New<'a>)]),
}

/// A text in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A text as a scalar, in quotes where YAML would read something else.
pub(crate) fn scalar(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '%');
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let is_word = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if starts_well && text.chars().all(is_safe) && !is_word.contains(&text.to_ascii_lowercase().as_str()) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

pub(crate) fn in_flow(value: New<'_>, is_json: bool) -> String {
    match value {
        New::Number(number) => number.to_string(),
        New::Bool(value) => value.to_string(),
        New::Text(text) if is_json => quoted(text),
        New::Text(text) => scalar(text),
        New::Map(entries) => {
            let entries: Vec<_> = entries.iter().map(|(key, value)| entry_in_flow(key, *value, is_json)).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

pub(crate) fn entry_in_flow(key: &str, value: New<'_>, is_json: bool) -> String {
    let key = if is_json { quoted(key) } else { scalar(key) };
    format!("{key}: {}", in_flow(value, is_json))
}

/// How a block map is written.
pub(crate) struct Style {
    /// Whether keys and texts have double quotes.
    pub(crate) is_json: bool,
    /// By how much a map is indented in another one.
    pub(crate) step: usize,
    pub(crate) line_end: &'static str,
}

/// The lines of an entry of a block map, each behind a line end.
pub(crate) fn in_block(key: &str, value: New<'_>, indent: usize, style: &Style) -> String {
    let name = if style.is_json { quoted(key) } else { scalar(key) };
    let start = format!("{}{}{name}:", style.line_end, " ".repeat(indent));
    match value {
        New::Map(entries) => {
            let lines = entries.iter().map(|(key, value)| in_block(key, *value, indent + style.step, style));
            start + &lines.collect::<String>()
        }
        value => format!("{start} {}", in_flow(value, style.is_json)),
    }
}
