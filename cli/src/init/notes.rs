//! What a conversion leaves to the user: signal handlers, tasks, probe routes, servers that are not converted.

use super::{
    source::{Kind, Source, Token, range},
    step::{Action, Edit, Step},
    survey::Survey,
};
use syn::{ItemFn, Stmt};

/// How many places a step shows.
const SHOWN: usize = 5;

/// Something in the code that the user decides on.
struct Pattern {
    /// Sequences of tokens, any of which matches.
    tokens: &'static [&'static str],
    title: &'static str,
    why: &'static str,
    instead: &'static str,
    /// A word whose presence in the program shows that this was done.
    done: &'static str,
}

const PATTERNS: [Pattern; 8] = [
    Pattern {
        tokens: &["ctrl_c (", "SignalKind ::"],
        title: "a signal handler of tokio",
        why: "`#[graceful::main]` handles SIGINT and SIGTERM; code that also waits for them acts at the signal, before the \
              load balancers have removed the pod",
        instead: "remove the handler. Where code must stop, await `ctx.draining()` in its place (`ctx.terminating()` \
                  resolves at the signal itself); what runs at the end is a `#[graceful::shutdown_hook(order = 1)]`",
        done: "",
    },
    Pattern {
        tokens: &["signal_hook ::", "signal_hook_tokio ::", "Signals :: new (", "flag :: register ("],
        title: "a signal handler of signal-hook",
        why: "`#[graceful::main]` handles SIGINT and SIGTERM",
        instead: "remove the handler for SIGINT and SIGTERM: await `ctx.draining()`, or write a \
                  `#[graceful::shutdown_hook(order = 1)]`. Handlers of other signals stay",
        done: "",
    },
    Pattern {
        tokens: &["ctrlc :: set_handler (", "ctrlc :: try_set_handler ("],
        title: "a signal handler of ctrlc",
        why: "`#[graceful::main]` handles SIGINT and SIGTERM",
        instead: "remove `ctrlc`: its code is a `#[graceful::shutdown_hook(order = 1)]`, and loops that check its flag \
                  await `ctx.draining()`, or check `ctx.phase()`",
        done: "",
    },
    Pattern {
        tokens: &["process :: exit ("],
        title: "an exit in the middle",
        why: "`process::exit` ends the process without drain and hooks",
        instead: "return from `main`, or call `graceful::context().shutdown(\"reason\")`; before the program serves, it may \
                  stay",
        done: "",
    },
    Pattern {
        tokens: &["tokio :: spawn (", "tokio :: task :: spawn (", "task :: spawn ("],
        title: "background tasks",
        why: "the drain does not wait for tasks of `tokio::spawn`; they are dropped at the exit",
        instead: "`ctx.spawn(\"name\", future)` for those whose work must end (elsewhere \
                  `graceful::context().spawn(..)`); an endless one ends when `ctx.draining()` resolves",
        done: "",
    },
    Pattern {
        tokens: &[". serve_connection (", ". serve_connection_with_upgrades ("],
        title: "an accept loop on hyper",
        why: "a loop that stops accepting at the signal refuses requests that load balancers still send",
        instead: "replace the loop by `graceful::serve(listener, service).await`, with `http2` as a feature and \
                  `graceful::with_handshake` for TLS",
        done: "",
    },
    Pattern {
        tokens: &["HttpServer :: new ("],
        title: "a server of actix-web",
        why: "it keeps its own accept loop and handles signals itself",
        instead: "`.disable_signals()`, and `handle.stop(true)` once `ctx.draining()` resolves; the repository has \
                  examples/frameworks/actix.rs",
        done: "disable_signals",
    },
    Pattern {
        tokens: &["poem :: Server :: new (", "rocket :: build (", "warp :: serve ("],
        title: "a server of another framework",
        why: "it keeps its own accept loop",
        instead: "call `ctx.ready()` and give the server `ctx.draining()` as its shutdown signal; the repository has \
                  examples/frameworks",
        done: "",
    },
];

/// The paths of probes.
const PROBES: [&str; 11] = [
    "/healthz",
    "/readyz",
    "/livez",
    "/startupz",
    "/health",
    "/ready",
    "/live",
    "/liveness",
    "/readiness",
    "/health/live",
    "/health/ready",
];

/// The steps that are left to the user. Code that the edits replace is not looked at.
pub(crate) fn steps(survey: &Survey<'_>, edits: &[Edit]) -> Vec<Step> {
    let mut steps = Vec::new();
    for pattern in &PATTERNS {
        if survey
            .sources
            .iter()
            .any(|source| source.tokens.iter().any(|token| !token.text.is_empty() && token.text == pattern.done))
        {
            continue;
        }
        let places = places(survey, edits, |tokens| pattern.tokens.iter().any(|text| is_at(tokens, text)));
        steps.extend(step(survey, &places, pattern.title, pattern.why, pattern.instead));
    }
    let routes = places(survey, edits, |tokens| {
        let path = tokens.get(3).map_or("", |token| token.text.trim_matches('"'));
        is_at(tokens, ". route (") && PROBES.contains(&path)
    });
    let why = "the health server responds to /livez, /readyz, /startupz and /healthz on port 8081, also while the runtime \
               is blocked, and /readyz turns to 503 at the signal";
    let instead = "point the pod's probes at port 8081 and remove the route; or merge \
                   `graceful::axum::health_router()` to have the probes on the port of the traffic; checks of \
                   dependencies are `#[graceful::health_check]` functions";
    steps.extend(step(survey, &routes, "a probe route", why, instead));
    let ports = places(survey, edits, |tokens| {
        let literal = tokens.first().filter(|token| token.kind == Kind::Literal);
        literal.is_some_and(|token| token.text == "8081" || token.text.trim_end_matches('"').ends_with(":8081"))
    });
    let why = "the health server of `graceful` listens on port 8081 by default";
    let instead = "choose another port for it: `#[graceful::main(health = 9000)]`, and in the pod's probes";
    steps.extend(step(survey, &ports, "port 8081 is in use", why, instead));
    steps
}

/// The places at which the check of the rest of the tokens succeeds.
fn places(survey: &Survey<'_>, edits: &[Edit], check: impl Fn(&[Token]) -> bool) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (file, source) in survey.sources.iter().enumerate() {
        for (number, token) in source.tokens.iter().enumerate() {
            let at = token.range.start;
            let is_replaced = edits.iter().any(|edit| edit.file == file && edit.range.contains(&at));
            if !is_replaced
                && check(&source.tokens[number..])
                && !survey.is_use(file, at)
                && !survey.is_test(file, at)
                && !places.iter().any(|(of, other)| *of == file && source.line(*other) == source.line(at))
            {
                places.push((file, at));
            }
        }
    }
    places
}

/// Whether the tokens begin with these texts, separated by spaces.
fn is_at(tokens: &[Token], texts: &str) -> bool {
    let mut tokens = tokens.iter();
    texts.split(' ').all(|text| tokens.next().is_some_and(|token| token.text == text))
}

fn step(survey: &Survey<'_>, places: &[(usize, usize)], title: &str, why: &str, instead: &str) -> Option<Step> {
    let (file, at) = *places.first()?;
    let place = |(file, at): &(usize, usize)| survey.sources[*file].place(*at);
    let mut title = title.to_owned();
    if let [_, more @ ..] = places
        && !more.is_empty()
    {
        let mut shown: Vec<_> = more.iter().take(SHOWN - 1).map(place).collect();
        if more.len() >= SHOWN {
            shown.push(format!("{} more", more.len() + 1 - SHOWN));
        }
        title += &format!(" ({} places: also {})", places.len(), shown.join(", "));
    }
    let action = Action::ByHand(instead.to_owned());
    Some(Step { place: survey.sources[file].place(at), title, why: why.to_owned(), action })
}

/// The code of `main` behind the statement that serves.
pub(crate) fn cleanup(source: &Source, main: &ItemFn, server: usize) -> Option<Step> {
    let behind = main.block.stmts.iter().filter(|statement| range(*statement).start > server);
    let first = behind.filter(|statement| !contains(statement, server)).find(|statement| works(source, statement))?;
    Some(Step {
        place: source.place(range(first).start),
        title: "code behind the server".to_owned(),
        why: "it runs after the drain, but not if the drain deadline passes or `main` panics; hooks run then, too, in order \
              and each with a deadline"
            .to_owned(),
        action: Action::ByHand(
            "move it to `#[graceful::shutdown_hook(order = 1)] async fn name(value: graceful::State<T>)`, and pass \
             what it uses by `ctx.provide(value)` in `main(ctx: graceful::Context)`"
                .to_owned(),
        ),
    })
}

fn contains(statement: &Stmt, at: usize) -> bool {
    range(statement).contains(&at)
}

/// Whether the statement does more than to log or to return `Ok(())`.
fn works(source: &Source, statement: &Stmt) -> bool {
    let tokens = source.tokens_in(&range(statement));
    let text: String = tokens.iter().map(|token| token.text.as_str()).collect();
    let is_result = matches!(text.trim_end_matches(';').trim_start_matches("return"), "Ok(())" | "()" | "");
    let name = tokens.iter().position(|token| token.text == "!").and_then(|at| tokens.get(at.checked_sub(1)?));
    let is_log = matches!(statement, Stmt::Macro(_))
        && name.is_some_and(|name| {
            ["println", "eprintln", "info", "debug", "warn", "error", "trace"].contains(&name.text.as_str())
        });
    !is_result && !is_log
}
