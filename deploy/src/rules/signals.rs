//! Checks how the signal reaches the process.

use crate::{
    dockerfile::{Command, Dockerfile},
    edit::{Edit, Editor},
    facts::Facts,
    finding::Findings,
    render::New,
    shell::{last_command, plain_words},
    source::{At, Source},
    subject::Subject,
    table::signals::*,
    yaml::Node,
};
use std::ops::Range;

const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "ksh"];
const INITS: [&str; 3] = ["tini", "dumb-init", "catatonit"];

/// A word of a command.
struct Word<'a> {
    text: String,
    place: (&'a Source, &'a At),
    editor: Editor<'a>,
    /// The bytes of the word, or of the instruction that has it.
    bytes: Range<usize>,
}

impl Word<'_> {
    /// Writes `exec` before the last command of a script, if the script stands in the file as it is.
    fn with_exec(&self) -> Option<Edit> {
        let last = self.text[last_command(&self.text)?..].trim_end();
        let found = self.editor.text(self.bytes.clone());
        let at = found.rfind(last)?;
        let word = last.split_whitespace().next()?;
        let is_alone = found.matches(last).count() == 1;
        let is_last = found[at + last.len()..].trim_matches(['"', '\'']).is_empty();
        let at = self.bytes.start + at;
        (is_alone || is_last)
            .then(|| self.editor.change(self.bytes.start, at..at + word.len(), format!("exec {word}")))?
    }
}

pub(crate) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let (command, args) = (subject.container.get("command"), subject.container.get("args"));
    let image = subject.dockerfile.filter(|_| command.is_none());
    let mut words = Vec::new();
    if let Some(dockerfile) = image {
        words.extend(of_image(dockerfile, args.is_none(), findings));
    }
    for item in [command, args].into_iter().flatten().flat_map(Node::items) {
        words.extend(item.text().map(|text| Word {
            text: text.to_owned(),
            place: subject.at(item),
            editor: subject.editor(),
            bytes: item.at.bytes.start..item.end,
        }));
    }
    launch(&words, subject.plan.is_some_and(|plan| plan.init), findings);
    stop_signal(subject, findings);
    if let Some(shared) = subject.workload.pod.get("shareProcessNamespace").filter(|shared| shared.is_true()) {
        findings.add(
            &SHARED_PIDS,
            subject.at(shared),
            "the containers share their process namespace, so the program is not PID 1",
            "remove `shareProcessNamespace: true`; a debugger can use `kubectl debug --target`",
        );
    }
}

/// Checks a Dockerfile without a manifest that names it.
pub(crate) fn check_image(dockerfile: &Dockerfile, facts: Option<&Facts>, findings: &mut Findings) {
    let words = of_image(dockerfile, true, findings);
    launch(&words, facts.is_some_and(|facts| facts.plan.init), findings);
    if let Some(signal) = &dockerfile.last.stop_signal {
        refuse_signal(
            signal.words.first().map_or("", String::as_str),
            (&dockerfile.source, &signal.at),
            facts,
            findings,
            |right| dockerfile.replace(signal, right),
        );
    }
}

/// The words that the image starts; reports a shell form.
fn of_image<'a>(dockerfile: &'a Dockerfile, with_cmd: bool, findings: &mut Findings) -> Vec<Word<'a>> {
    let stage = &dockerfile.last;
    let shell = |command: &&Command| command.is_shell_form;
    let entrypoint = stage.entrypoint.as_ref();
    // A shell-form ENTRYPOINT ignores CMD.
    let cmd = stage.cmd.as_ref().filter(|_| with_cmd && !entrypoint.is_some_and(|command| command.is_shell_form));
    if let Some(command) = entrypoint.filter(shell).or(cmd.filter(shell)) {
        let script = command.words.first().map_or("", String::as_str);
        if !script.is_empty() && !has_exec(script) {
            findings
                .add(
                    &SHELL_FORM,
                    (&dockerfile.source, &command.at),
                    "the shell form makes a shell PID 1, which does not forward signals to the program",
                    "write the exec form, a list in double quotes: [\"/app\"]",
                )
                .mechanical([with_exec(dockerfile, command, script)]);
        }
        return Vec::new();
    }
    let of = |command: &'a Command| {
        command.words.iter().map(move |word| Word {
            text: word.clone(),
            place: (&dockerfile.source, &command.at),
            editor: dockerfile.editor(),
            bytes: command.at.bytes.clone(),
        })
    };
    entrypoint.into_iter().chain(cmd).flat_map(of).collect()
}

/// Writes the exec form, or `exec` where the words need a shell.
fn with_exec(dockerfile: &Dockerfile, command: &Command, script: &str) -> Option<Edit> {
    let (entrypoint, cmd) = (&dockerfile.last.entrypoint, &dockerfile.last.cmd);
    match entrypoint {
        // A CMD in the shell form is no sensible argument.
        Some(entrypoint) if !entrypoint.is_shell_form => return None,
        // The exec form would take CMD as arguments, which the shell form ignores.
        Some(_) if cmd.is_some() => {}
        _ => {
            if let Some(words) = plain_words(script) {
                return dockerfile.replace(command, &format!("[\"{}\"]", words.join("\", \"")));
            }
        }
    }
    let (before, last) = script.split_at(last_command(script)?);
    dockerfile.replace(command, &format!("{before}exec {last}"))
}

/// Checks the words that the container starts.
fn launch(words: &[Word<'_>], has_init: bool, findings: &mut Findings) {
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let Some(Word { text: first, place, .. }) = words.first() else { return };
    let (mut words, mut to_group) = (words, false);
    if INITS.contains(&base(first).as_str()) {
        if has_init {
            findings.add(
                &INIT_TWICE,
                *place,
                format!("`{}` starts a program with `init = true`", base(first)),
                format!("remove `{}`, or `init = true`", base(first)),
            );
        }
        let own = words.iter().skip(1).take_while(|word| word.text.starts_with('-') && word.text != "--").count();
        // These forward the signal to the shell's children, too.
        to_group = base(first) == "dumb-init" || words[1..=own].iter().any(|word| word.text == "-g");
        words = &words[own + 1..];
        words = &words[usize::from(words.first().is_some_and(|word| word.text == "--"))..];
    }
    let Some((Word { text: shell, .. }, rest)) = words.split_first() else { return };
    if to_group || !SHELLS.contains(&base(shell).as_str()) {
        return;
    }
    let is_flag = |word: &str| word.starts_with(['-', '+']);
    let flags = rest.iter().take_while(|word| is_flag(&word.text)).count();
    let runs_text = rest[..flags].iter().any(|word| !word.text.starts_with("--") && word.text.contains('c'));
    // `sh -o pipefail -c ..`: the option's name stands between two flags.
    let script = match rest
        .iter()
        .position(|Word { text, .. }| text.starts_with('-') && !text.starts_with("--") && text.ends_with('c'))
    {
        Some(at) => rest.get(at + 1),
        None if runs_text => rest.get(flags),
        None => None,
    };
    if let Some(script) = script.filter(|script| !has_exec(&script.text)) {
        let last = script.text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let last = last.rsplit(['&', ';']).next().unwrap_or_default().trim();
        findings
            .add(
                &SHELL,
                script.place,
                "a shell starts the program without `exec` and does not forward signals to it",
                format!("write `exec` before the program: `exec {last}`, or start it without a shell"),
            )
            .mechanical([script.with_exec()]);
    }
}

/// Whether a script replaces the shell, or handles signals itself.
fn has_exec(script: &str) -> bool {
    script.split(['\n', ';', '&', '|', '{', '(']).map(str::trim_start).any(|command| {
        let command = ["then ", "else ", "do "].iter().find_map(|word| command.strip_prefix(word)).unwrap_or(command);
        command.starts_with("exec ") || command.starts_with("trap ")
    })
}

fn stop_signal(subject: &Subject<'_>, findings: &mut Findings) {
    if let Some(signal) = subject.container.path(&["lifecycle", "stopSignal"]) {
        let text = signal.text().unwrap_or_default();
        let write = |right: &str| subject.editor().replace(signal, New::Text(right));
        return refuse_signal(text, subject.at(signal), subject.facts, findings, write);
    }
    match subject.dockerfile.and_then(|dockerfile| Some((dockerfile, dockerfile.last.stop_signal.as_ref()?))) {
        Some((dockerfile, signal)) => {
            let text = signal.words.first().map_or("", String::as_str);
            let write = |right: &str| dockerfile.replace(signal, right);
            refuse_signal(text, (&dockerfile.source, &signal.at), subject.facts, findings, write);
        }
        None => {
            let write = |right: &str| subject.dockerfile?.append(&format!("STOPSIGNAL {right}"));
            refuse_signal("SIGTERM", subject.container_at(), subject.facts, findings, write);
        }
    }
}

/// Reports a signal that the program does not handle. Without facts, only one that no program can. `write` writes
/// another signal.
fn refuse_signal(
    text: &str,
    place: (&Source, &At),
    facts: Option<&Facts>,
    findings: &mut Findings,
    write: impl FnOnce(&str) -> Option<Edit>,
) {
    let text = text.trim().trim_matches('"').to_ascii_uppercase();
    if text.is_empty() || text.contains('$') {
        return;
    }
    let named = match text.as_str() {
        "1" => "HUP",
        "2" => "INT",
        "3" => "QUIT",
        "9" => "KILL",
        "10" => "USR1",
        "12" => "USR2",
        "15" => "TERM",
        other => other.strip_prefix("SIG").unwrap_or(other),
    };
    let signal = format!("SIG{named}");
    match facts {
        Some(facts) if facts.signals.contains(&signal) => {}
        Some(facts) => {
            let problem = format!(
                "the container is stopped with {signal}, and the program's signals are {}",
                facts.signals.join(", ")
            );
            let first = facts.signals.iter().find(|name| *name == "SIGTERM").or(facts.signals.first());
            let fix = match first {
                Some(first) => format!("stop it with {first}, or write `signals = [\"{signal}\"]` in the program"),
                None => format!("write `signals = [\"{signal}\"]` in the program"),
            };
            findings.add(&STOP_SIGNAL, place, problem, fix).mechanical([first.and_then(|first| write(first))]);
        }
        None if signal == "SIGKILL" || signal == "SIGSTOP" => {
            findings
                .add(&STOP_SIGNAL, place, format!("no process can handle {signal}"), "write SIGTERM")
                .mechanical([write("SIGTERM")]);
        }
        None => {}
    }
}
