//! Whether a future of the user does nothing but wait for signals.

use super::{
    source::{Kind, Source, Token, range},
    survey::Survey,
};
use std::{collections::BTreeSet, ops::Range};
use syn::Expr;

/// Signals by the names under which tokio waits for them. A signal of Windows has no name here.
const SIGNALS: [(&str, &str); 11] = [
    ("ctrl_c", "SIGINT"),
    ("interrupt", "SIGINT"),
    ("terminate", "SIGTERM"),
    ("hangup", "SIGHUP"),
    ("quit", "SIGQUIT"),
    ("user_defined1", "SIGUSR1"),
    ("user_defined2", "SIGUSR2"),
    ("ctrl_break", ""),
    ("ctrl_close", ""),
    ("ctrl_logoff", ""),
    ("ctrl_shutdown", ""),
];

/// Words that may stand beside the names of signals.
const HARMLESS: &str = "_ async await let mut move if else match return fn pub crate tokio signal unix windows std future \
     futures ready pending expect unwrap recv ok Ok Err Some None map map_err drop SignalKind cfg not any all target_os \
     is_err is_ok select biased pin allow inline Result io Error Box dyn ref time Duration from_secs from_millis";

/// Macros that only print.
const PRINTING: &str = "println eprintln print eprint info warn error debug trace";

/// A future that waits for signals and does nothing else.
#[derive(Debug)]
pub(crate) struct SignalWait {
    /// The signals, by their names of Unix.
    pub(crate) signals: BTreeSet<&'static str>,
    /// The function that makes the future, as the number of its file and its place there.
    pub(crate) function: Option<(usize, String)>,
}

/// Checks a future that is given to a server as its shutdown signal.
///
/// # Errors
/// What else the future does, or why that is unknown.
pub(crate) fn wait(survey: &Survey<'_>, file: usize, expr: &Expr) -> Result<SignalWait, String> {
    match expr {
        Expr::Async(block) => {
            let signals = only_waits(survey, file, &range(&block.block))?;
            Ok(SignalWait { signals, function: None })
        }
        Expr::Call(call) if call.args.is_empty() => {
            let Expr::Path(path) = &*call.func else { return Err("the shutdown signal is not a function".to_owned()) };
            let Some(name) = path.path.segments.last() else { return Err("the call has no name".to_owned()) };
            let mut functions = survey.named(&name.ident);
            match (functions.next(), functions.next()) {
                (Some((of, function)), None) => {
                    let signals = only_waits(survey, *of, &range(&function.block))?;
                    Ok(SignalWait { signals, function: Some((*of, name.ident.to_string())) })
                }
                (None, _) => Err(format!("`{}` is not in the binary's files", name.ident)),
                _ => Err(format!("there are several functions `{}`", name.ident)),
            }
        }
        _ => Err(format!("`{}` is not a function without arguments", shown(&survey.sources[file], &range(expr)))),
    }
}

/// The text of a range on one line.
pub(crate) fn shown(source: &Source, range: &Range<usize>) -> String {
    source.slice(range.clone()).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The signals that the code waits for.
fn only_waits(survey: &Survey<'_>, file: usize, range: &Range<usize>) -> Result<BTreeSet<&'static str>, String> {
    let source = &survey.sources[file];
    let is_function = |word: &str| survey.functions.iter().any(|(_, function)| function.sig.ident == word);
    let tokens = source.tokens_in(range);
    let own = own_names(tokens);
    let (mut signals, mut at) = (BTreeSet::new(), 0);
    let mut waits = false;
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at + 1).map(|token| token.text.as_str());
        at += 1;
        if token.kind != Kind::Word {
            continue;
        }
        let word = token.text.as_str();
        if next == Some("!") && PRINTING.split(' ').any(|name| name == word) {
            at = end_of_group(tokens, at + 1);
        } else if let Some((_, name)) = SIGNALS.iter().find(|(name, _)| *name == word && !is_function(word)) {
            // `let ctrl_c = ..` names a variable.
            waits |= next == Some("(");
            signals.extend((next == Some("(") && !name.is_empty()).then_some(*name));
        } else if word == "sleep" {
            let line = source.place(token.range.start);
            return Err(format!("{line} sleeps before the shutdown: that time is the key `grace`"));
        } else if !own.contains(word) && !HARMLESS.split_whitespace().any(|harmless| harmless == word) {
            let line = source.place(token.range.start);
            return Err(format!("{line} does more than to wait for a signal: `{word}`"));
        }
    }
    if waits { Ok(signals) } else { Err("it waits for no signal".to_owned()) }
}

/// The names that the code binds itself, and the words of log macros' paths.
fn own_names(tokens: &[Token]) -> BTreeSet<&str> {
    let mut own = BTreeSet::new();
    for window in tokens.windows(3) {
        let [first, second, third] = [&window[0], &window[1], &window[2]];
        match (first.text.as_str(), second.text.as_str(), third.text.as_str()) {
            ("let", "mut", name) | ("let", name, _) if second.kind == Kind::Word => drop(own.insert(name)),
            ("|", name, "|") | ("Err" | "Ok" | "Some", "(", name) if name != "_" => drop(own.insert(name)),
            ("tracing" | "log", "::", _) => drop(own.insert(first.text.as_str())),
            _ => {}
        }
    }
    own
}

/// The number of the token behind the group that begins at this token.
fn end_of_group(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0;
    for (number, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "(" | "[" | "{" if token.kind == Kind::Group => depth += 1,
            ")" | "]" | "}" if token.kind == Kind::Group => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return number + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn waits(text: &str) -> Result<BTreeSet<&'static str>, String> {
        let text = format!("async fn f() {{ {text} }} async fn quit() {{}}");
        let sources = [Source::parse(PathBuf::new(), "main.rs".to_owned(), &text).unwrap()];
        let survey = Survey::new(&sources);
        only_waits(&survey, 0, &range(&survey.functions[0].1.block))
    }

    #[test]
    fn waiting_for_signals_is_told_from_everything_else() {
        let both = "let ctrl_c = async { tokio::signal::ctrl_c().await.expect(\"installed\") };
             #[cfg(unix)] let terminate = async { signal::unix::signal(SignalKind::terminate()).unwrap().recv().await; };
             #[cfg(not(unix))] let terminate = std::future::pending::<()>();
             tokio::select! { _ = ctrl_c => {}, () = terminate => tracing::info!(\"going {} down\", 1 + f()) }";
        assert_eq!(waits(both).unwrap(), ["SIGINT", "SIGTERM"].into());
        assert_eq!(waits("if let Err(error) = ctrl_c().await { eprintln!(\"{error}\") }").unwrap(), ["SIGINT"].into());
        assert_eq!(waits("signal(SignalKind::hangup()).unwrap().recv().await").unwrap(), ["SIGHUP"].into());
        for (text, said) in [
            ("ctrl_c().await; READY.store(false, Relaxed)", "`READY`"),
            ("ctrl_c().await; sleep(Duration::from_secs(5)).await", "`grace`"),
            ("tokio::select! { _ = ctrl_c() => {}, _ = stop.changed() => {} }", "`stop`"),
            ("std::future::pending::<()>().await", "waits for no signal"),
            ("rx.await", "`rx`"),
            ("quit().await", "`quit`"),
        ] {
            let error = waits(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
