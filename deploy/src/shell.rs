//! Scripts of a shell, as far as a mechanical fix must understand them. Everything else is `None`.

/// Words that are no program: what a shell runs itself, and tools that prepare a start or follow it.
const NO_PROGRAMS: [&str; 44] = [
    ".", ":", "[", "alias", "bg", "break", "cat", "cd", "chmod", "chown", "command", "continue", "cp", "date", "echo",
    "env", "eval", "exec", "exit", "export", "false", "fg", "kill", "ln", "local", "ls", "mkdir", "mv", "printf",
    "read", "return", "rm", "set", "shift", "sleep", "source", "tail", "test", "time", "touch", "trap", "true",
    "ulimit", "wait",
];
/// Words that begin or continue a compound command.
const KEYWORDS: [&str; 17] = [
    "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then", "until",
    "while", "{",
];

/// The byte where the last command begins, if the script is a sequence of simple commands, and the last one can be the
/// program.
pub(crate) fn last_command(script: &str) -> Option<usize> {
    let mut starts = vec![0];
    let (mut quote, mut before) = (None, ' ');
    let mut chars = script.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => {}
            (_, '\\' | '`') => return None,
            (_, '$') if next == Some('(') => return None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '|' | '(' | ')') => return None,
            (None, '<') if next == Some('<') => return None,
            (None, '{') if before != '$' => return None,
            (None, '#') if before.is_whitespace() || before == ';' => return None,
            (None, '&') if next == Some('&') && before != '>' => {
                chars.next();
                starts.push(at + 2);
            }
            (None, '&') => return None,
            (None, ';' | '\n') => starts.push(at + 1),
            (None, _) => {}
        }
        before = c;
    }
    let ends = starts.iter().skip(1).copied().chain([script.len() + 1]);
    let commands: Vec<_> = starts.iter().zip(ends).map(|(start, end)| (*start, &script[*start..end - 1])).collect();
    let first_word = |command: &str| command.split_whitespace().next().unwrap_or_default().to_owned();
    if quote.is_some() || commands.iter().any(|(_, command)| KEYWORDS.contains(&first_word(command).as_str())) {
        return None;
    }
    let (start, last) = commands.iter().rfind(|(_, command)| !command.trim().is_empty())?;
    let is_program = |word: &str| !word.contains(['=', '>', '<']) && !NO_PROGRAMS.contains(&word);
    is_program(&first_word(last)).then(|| start + last.len() - last.trim_start().len())
}

/// The words of a single command without anything that a shell would change.
pub(crate) fn plain_words(script: &str) -> Option<Vec<&str>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _./:=,@%+-".contains(c);
    (script.chars().all(is_plain) && last_command(script) == Some(0)).then(|| script.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_command_of_a_sequence_of_simple_commands_is_found() {
        for (script, last) in [
            ("./app", "./app"),
            ("node server.js --port $PORT", "node server.js --port $PORT"),
            ("./migrate && ./app", "./app"),
            ("set -e\n./migrate\n./app \"${A:-b; c}\"\n", "./app \"${A:-b; c}\"\n"),
            ("export A=1; /app > /log 2>/dev/null", "/app > /log 2>/dev/null"),
            ("./app 'a | b' ; ", "./app 'a | b' ; "),
        ] {
            assert_eq!(last_command(script).map(|at| &script[at..]), Some(last), "{script}");
        }
    }

    #[test]
    fn a_script_that_is_more_than_a_sequence_is_left_alone() {
        for script in [
            "",
            " ",
            "./app | tee log",
            "./app || exit 1",
            "./proxy & ./app",
            "./app 2>&1",
            "if x; then ./app; fi",
            "(./app)",
            "{ ./app; }",
            "./app $(cat args)",
            "./app \"$(cat args)\"",
            "./app `cat args`",
            "./app \\\n --port 1",
            "./app # why",
            "./app <<E\nE",
            "./app; sleep 5",
            "cd /srv",
            "A=1 ./app",
            "> log ./app",
            "./app 'open",
            "for f in *; do ./app; done",
        ] {
            assert_eq!(last_command(script), None, "{script}");
        }
    }

    #[test]
    fn words_are_plain_if_no_shell_changes_them() {
        assert_eq!(plain_words("/app --port 3000 --at=a,b").unwrap(), ["/app", "--port", "3000", "--at=a,b"]);
        for script in ["/app $PORT", "/app *.txt", "/app 'a b'", "A=1 /app", "cd /srv", "~/app", "/a; /b", ""] {
            assert_eq!(plain_words(script), None, "{script}");
        }
    }
}
