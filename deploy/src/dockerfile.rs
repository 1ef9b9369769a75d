//! Dockerfiles: `ENTRYPOINT`, `CMD` and `STOPSIGNAL` of the last stage, with what it inherits from the stages before.

use crate::{
    edit::{Edit, Editor},
    silence::Silence,
    source::{At, Source, Unreadable, line_ends},
    yaml::Comment,
};
use std::collections::HashMap;

/// A parsed Dockerfile.
///
/// ```
/// use graceful_deploy::Dockerfile;
/// let dockerfile = Dockerfile::parse("Dockerfile", "FROM scratch\nENTRYPOINT [\"/app\"]\n").unwrap();
/// assert_eq!(dockerfile.name(), "Dockerfile");
/// ```
#[derive(Debug, Clone)]
pub struct Dockerfile {
    pub(crate) source: Source,
    pub(crate) last: Stage,
    pub(crate) silences: Vec<Silence>,
}

/// What a stage sets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stage {
    pub(crate) entrypoint: Option<Command>,
    pub(crate) cmd: Option<Command>,
    pub(crate) stop_signal: Option<Command>,
}

/// An instruction with its words: those of the exec form, or one text of the shell form.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) at: At,
    pub(crate) words: Vec<String>,
    pub(crate) is_shell_form: bool,
}

/// A logical line: an instruction with its continuation lines.
struct Instruction {
    at: At,
    text: String,
}

impl Dockerfile {
    /// Parses a file's text; `name` stands in findings.
    ///
    /// # Errors
    /// The text has more than 4 MiB, or no `FROM`.
    ///
    /// ```
    /// let error = graceful_deploy::Dockerfile::parse("Dockerfile", "kind: Pod").unwrap_err();
    /// assert!(error.problem().contains("no `FROM`"));
    /// ```
    pub fn parse(name: &str, text: &str) -> Result<Self, Unreadable> {
        let source = Source::new(name, text)?;
        let (instructions, comments) = instructions(&source);
        let (mut stages, mut last): (HashMap<String, Stage>, Option<(String, Stage)>) = (HashMap::new(), None);
        for instruction in &instructions {
            let (keyword, rest) = instruction.text.split_once(char::is_whitespace).unwrap_or((&instruction.text, ""));
            let rest = rest.trim();
            if keyword.eq_ignore_ascii_case("FROM") {
                if let Some((name, stage)) = last.take() {
                    stages.insert(name, stage);
                }
                let mut words = rest.split_whitespace().filter(|word| !word.starts_with("--"));
                let base = words.next().unwrap_or_default().to_ascii_lowercase();
                let name = words.nth(1).map_or_else(|| stages.len().to_string(), str::to_ascii_lowercase);
                last = Some((name, stages.get(&base).cloned().unwrap_or_default()));
            }
            let Some((_, stage)) = &mut last else { continue };
            let command = || Command {
                at: instruction.at.clone(),
                is_shell_form: exec_form(rest).is_none(),
                words: exec_form(rest).unwrap_or_else(|| vec![rest.to_owned()]),
            };
            match keyword.to_ascii_uppercase().as_str() {
                "ENTRYPOINT" => stage.entrypoint = Some(command()),
                "CMD" => stage.cmd = Some(command()),
                "STOPSIGNAL" => stage.stop_signal = Some(command()),
                _ => {}
            }
        }
        let Some((_, last)) = last else {
            return Err(Unreadable::new(
                name,
                (1, 1),
                "not a Dockerfile: it has no `FROM`",
                "pass the path of a Dockerfile",
            ));
        };
        let silences = Silence::all(&source, &comments);
        Ok(Self { source, last, silences })
    }

    /// What writes edits of this file.
    pub(crate) fn editor(&self) -> Editor<'_> {
        Editor::new(&self.source, &[])
    }

    /// Replaces what follows the keyword of an instruction that stands on one line.
    pub(crate) fn replace(&self, instruction: &Command, text: &str) -> Option<Edit> {
        let bytes = instruction.at.bytes.clone();
        let found = self.editor().text(bytes.clone());
        let rest = found.split_once(char::is_whitespace)?.1.trim_start();
        let start = bytes.end - rest.len();
        (!found.contains('\n')).then(|| self.editor().change(start, start..bytes.end, text))?
    }

    /// Adds an instruction to the last stage.
    pub(crate) fn append(&self, instruction: &str) -> Option<Edit> {
        self.editor().append(instruction)
    }

    /// The file's name.
    ///
    /// ```
    /// # let dockerfile = graceful_deploy::Dockerfile::parse("Dockerfile", "FROM scratch").unwrap();
    /// assert_eq!(dockerfile.name(), "Dockerfile");
    /// ```
    pub fn name(&self) -> &str {
        &self.source.name
    }
}

/// The logical lines without comments and here-documents; and the comments.
fn instructions(source: &Source) -> (Vec<Instruction>, Vec<Comment>) {
    let (mut instructions, mut comments): (Vec<Instruction>, Vec<Comment>) = (Vec::new(), Vec::new());
    let (mut escape, mut is_open) = ('\\', false);
    let (mut next, mut number) = (0, 1);
    let mut here: Vec<String> = Vec::new();
    for line in source.text.split_inclusive('\n') {
        let begin = (next, number);
        next += line.len();
        number += line_ends(line);
        let trimmed = line.trim();
        if let Some(end) = here.first() {
            if trimmed == end {
                here.remove(0);
            }
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        let start = begin.0 + line.len() - line.trim_start().len();
        let end = start + trimmed.len();
        if let Some(text) = trimmed.strip_prefix('#') {
            let directive = text.split_once('=').filter(|(key, _)| key.trim().eq_ignore_ascii_case("escape"));
            if let (Some((_, value)), true) = (directive, instructions.is_empty()) {
                escape = value.trim().chars().next().unwrap_or(escape);
            }
            let at = source.at_from(begin, start..end);
            comments.push(Comment { text: text.trim().to_owned(), at, is_alone: true });
            continue;
        }
        let (text, continues) = match trimmed.strip_suffix(escape) {
            Some(text) => (text, true),
            None => (trimmed, false),
        };
        match instructions.last_mut().filter(|_| is_open) {
            Some(instruction) => {
                instruction.text.push(' ');
                instruction.text.push_str(text);
                instruction.at.bytes.end = end;
            }
            None => instructions.push(Instruction { at: source.at_from(begin, start..end), text: text.to_owned() }),
        }
        is_open = continues;
        if let Some(instruction) = instructions.last().filter(|_| !is_open) {
            here = here_documents(&instruction.text);
        }
    }
    (instructions, comments)
}

/// The end words of the here-documents that an instruction opens.
fn here_documents(text: &str) -> Vec<String> {
    let takes = ["RUN", "COPY", "ADD"]
        .iter()
        .any(|keyword| text.get(..keyword.len()).is_some_and(|start| start.eq_ignore_ascii_case(keyword)));
    if !takes {
        return Vec::new();
    }
    let words = text.split("<<").skip(1).filter(|rest| !rest.starts_with('<'));
    let words = words.map(|rest| rest.trim_start_matches('-').trim_start_matches(['"', '\'']));
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    words.map(name).filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}

/// The words of a JSON list of strings. Docker takes everything else as the shell form.
fn exec_form(text: &str) -> Option<Vec<String>> {
    let mut chars = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim().chars().peekable();
    let mut words = Vec::new();
    while chars.peek().is_some() {
        if chars.next() != Some('"') {
            return None;
        }
        let mut word = String::new();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => match chars.next()? {
                    'n' => word.push('\n'),
                    't' => word.push('\t'),
                    'u' => {
                        let digits: String = chars.by_ref().take(4).collect();
                        word.push(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?);
                    }
                    other => word.push(other),
                },
                other => word.push(other),
            }
        }
        words.push(word);
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        match chars.next() {
            None => break,
            Some(',') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            Some(_) => return None,
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(text: &str) -> Stage {
        Dockerfile::parse("Dockerfile", text).unwrap().last
    }

    #[test]
    fn the_exec_form_is_a_json_list_and_all_else_the_shell_form() {
        assert_eq!(exec_form(r#"["/app", "a \"b\"", "\u0041"]"#).unwrap(), ["/app", "a \"b\"", "A"]);
        assert_eq!(exec_form("[]").unwrap(), Vec::<String>::new());
        for text in ["['/app']", "/app", r#"["/app""#, r#"["/app" "b"]"#, "[/app]"] {
            assert!(exec_form(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_last_stage_inherits_from_the_stages_it_builds_on() {
        let stage = last("FROM a AS base\nENTRYPOINT [\"/app\"]\nFROM base\nCMD [\"x\"]");
        assert!(stage.entrypoint.is_some() && stage.cmd.is_some());
        assert!(last("FROM a AS base\nENTRYPOINT [\"/app\"]\nFROM other").entrypoint.is_none());
    }

    #[test]
    fn continuations_comments_and_here_documents_are_read() {
        let stage =
            last("FROM a\nRUN <<EOF\nCMD no\nEOF\nENTRYPOINT [ \\\n# why\n  \"/app\" \\\r\n]\nHEALTHCHECK CMD x\n");
        let entrypoint = stage.entrypoint.unwrap();
        assert_eq!((entrypoint.words, entrypoint.at.line), (vec!["/app".to_owned()], 5));
        assert!(stage.cmd.is_none());
        let stage = last("# escape=`\nFROM a\nCMD C:\\app.exe `\n  --port 1\n");
        assert_eq!(stage.cmd.unwrap().words, ["C:\\app.exe  --port 1"]);
    }
}
