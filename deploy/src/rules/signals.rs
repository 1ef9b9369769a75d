//! Checks how the signal reaches the process.

use crate::{
    dockerfile::{Command, Dockerfile},
    facts::Facts,
    finding::Findings,
    source::{At, Source},
    subject::Subject,
    table::signals::*,
    yaml::Node,
};

const SHELLS: [&str; 6] = ["sh", "bash", "ash", "dash", "zsh", "ksh"];
const INITS: [&str; 3] = ["tini", "dumb-init", "catatonit"];

/// A word of a command with its place.
type Word<'a> = (String, (&'a Source, &'a At));

pub(crate) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let (command, args) = (subject.container.get("command"), subject.container.get("args"));
    let image = subject.dockerfile.filter(|_| command.is_none());
    let mut words = Vec::new();
    if let Some(dockerfile) = image {
        words.extend(of_image(dockerfile, args.is_none(), findings));
    }
    for item in [command, args].into_iter().flatten().flat_map(Node::items) {
        words.extend(item.text().map(|text| (text.to_owned(), subject.at(item))));
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
            findings.add(
                &SHELL_FORM,
                (&dockerfile.source, &command.at),
                "the shell form makes a shell PID 1, which does not forward signals to the program",
                "write the exec form, a list in double quotes: [\"/app\"]",
            );
        }
        return Vec::new();
    }
    let of =
        |command: &'a Command| command.words.iter().map(move |word| (word.clone(), (&dockerfile.source, &command.at)));
    entrypoint.into_iter().chain(cmd).flat_map(of).collect()
}

/// Checks the words that the container starts.
fn launch(words: &[Word<'_>], has_init: bool, findings: &mut Findings) {
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let Some((first, place)) = words.first() else { return };
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
        let own = words.iter().skip(1).take_while(|(word, _)| word.starts_with('-') && word != "--").count();
        // These forward the signal to the shell's children, too.
        to_group = base(first) == "dumb-init" || words[1..=own].iter().any(|(word, _)| word == "-g");
        words = &words[own + 1..];
        words = &words[usize::from(words.first().is_some_and(|(word, _)| word == "--"))..];
    }
    let Some(((shell, _), rest)) = words.split_first() else { return };
    if to_group || !SHELLS.contains(&base(shell).as_str()) {
        return;
    }
    let is_flag = |word: &str| word.starts_with(['-', '+']);
    let flags = rest.iter().take_while(|(word, _)| is_flag(word)).count();
    let runs_text = rest[..flags].iter().any(|(word, _)| !word.starts_with("--") && word.contains('c'));
    // `sh -o pipefail -c ..`: the option's name stands between two flags.
    let script =
        match rest.iter().position(|(word, _)| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
        {
            Some(at) => rest.get(at + 1),
            None if runs_text => rest.get(flags),
            None => None,
        };
    if let Some((script, place)) = script.filter(|(script, _)| !has_exec(script)) {
        let last = script.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        let last = last.rsplit(['&', ';']).next().unwrap_or_default().trim();
        findings.add(
            &SHELL,
            *place,
            "a shell starts the program without `exec` and does not forward signals to it",
            format!("write `exec` before the program: `exec {last}`, or start it without a shell"),
        );
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
        return refuse_signal(signal.text().unwrap_or_default(), subject.at(signal), subject.facts, findings);
    }
    match subject.dockerfile.and_then(|dockerfile| Some((dockerfile, dockerfile.last.stop_signal.as_ref()?))) {
        Some((dockerfile, signal)) => {
            let text = signal.words.first().map_or("", String::as_str);
            refuse_signal(text, (&dockerfile.source, &signal.at), subject.facts, findings);
        }
        None => refuse_signal("SIGTERM", subject.container_at(), subject.facts, findings),
    }
}

/// Reports a signal that the program does not handle. Without facts, only one that no program can.
fn refuse_signal(text: &str, place: (&Source, &At), facts: Option<&Facts>, findings: &mut Findings) {
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
            findings.add(&STOP_SIGNAL, place, problem, fix);
        }
        None if signal == "SIGKILL" || signal == "SIGSTOP" => {
            findings.add(&STOP_SIGNAL, place, format!("no process can handle {signal}"), "write SIGTERM");
        }
        None => {}
    }
}
