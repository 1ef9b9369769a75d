//! The validated `#[graceful::main]`.

use super::{deployment::Deployment, durations::Durations, values as own};
use crate::{
    args::{Args, MAIN},
    diagnostics::Diagnostics,
    item::{self, Function},
    paths::Paths,
    values,
};
use graceful_plan::{Health, Ready, Unready};
use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;

/// The validated attribute and signature, ready for expansion.
pub(crate) struct MainFn {
    pub(crate) settings: Settings,
    /// The span of the argument's type, if `main` takes an argument.
    pub(crate) argument: Option<Span>,
}

/// The attribute's settings; `None` for the default.
pub(crate) struct Settings {
    pub(crate) paths: Paths,
    pub(crate) durations: Durations,
    pub(crate) health: Option<Health>,
    pub(crate) ready: Option<Ready>,
    pub(crate) unready: Option<Unready>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) init: Option<bool>,
    pub(crate) flavor: Flavor,
    pub(crate) worker_threads: Option<usize>,
    pub(crate) max_blocking_threads: Option<usize>,
    pub(crate) hooks_from: Vec<Ident>,
    pub(crate) deployment: Deployment,
}

/// The signals that can start a shutdown, named as the runtime's `Signal` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Interrupt,
    Terminate,
    Hangup,
    Quit,
    User1,
    User2,
}

impl Signal {
    const WORDS: [(&'static str, Self); 6] = [
        ("SIGINT", Self::Interrupt),
        ("SIGTERM", Self::Terminate),
        ("SIGHUP", Self::Hangup),
        ("SIGQUIT", Self::Quit),
        ("SIGUSR1", Self::User1),
        ("SIGUSR2", Self::User2),
    ];

    /// The name of this value in [`WORDS`](Self::WORDS).
    #[cfg(feature = "manifest")]
    pub(crate) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, signal)| *signal == self).map_or("", |(word, _)| word)
    }
}

/// The kinds of tokio runtime, named as the runtime's `Flavor` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavor {
    MultiThread,
    CurrentThread,
}

impl Flavor {
    const WORDS: [(&'static str, Self); 2] =
        [("multi_thread", Self::MultiThread), ("current_thread", Self::CurrentThread)];
}

impl MainFn {
    pub(crate) fn new(settings: Settings, function: &Function, errors: &mut Diagnostics) -> Self {
        check_function(function, errors);
        let argument = function.arguments().next().map(|argument| argument.ty.span());
        // A `main` without a context can't call `ctx.ready()`.
        let ready = settings.ready.or(argument.is_none().then_some(Ready::OnStart));
        Self { settings: Settings { ready, ..settings }, argument }
    }
}

impl Settings {
    pub(crate) fn new(mut args: Args, errors: &mut Diagnostics) -> Self {
        let durations = Durations::new(&mut args, errors);
        let crate_path = args.value("crate").and_then(|given| Paths::parse(&given.value, errors));
        let health = args.value("health").and_then(|given| own::health(&given, errors));
        let ready = args.value("ready").and_then(|given| values::word(&given, &Ready::WORDS, errors));
        let unready = args.value("unready").and_then(|given| values::word(&given, &Unready::WORDS, errors));
        let signals = args.value("signals").and_then(|given| own::signals(&given, &Signal::WORDS, errors));
        let flavor = args.value("flavor").and_then(|given| values::word(&given, &Flavor::WORDS, errors));
        let workers = args.value("worker_threads");
        let worker_threads = workers.as_ref().and_then(|given| values::positive(given, errors));
        if let Some(workers) = workers.filter(|_| flavor == Some(Flavor::CurrentThread) && worker_threads.is_some()) {
            errors.on(
                workers.name,
                "`worker_threads` has no effect with `flavor = \"current_thread\"`, which has no worker threads",
                "remove `worker_threads`, or write `flavor = \"multi_thread\"`",
            );
        }
        let blocking = args.value("max_blocking_threads");
        let deployment = Deployment::new(&mut args, cfg!(feature = "manifest"), errors);
        let hooks_from = args.list("hooks_from").and_then(|given| own::crates(given, errors));
        Self {
            paths: crate_path.unwrap_or_default(),
            durations,
            health,
            ready,
            unready,
            init: args.value("init").and_then(|given| values::boolean(&given, errors)),
            signals: signals.unwrap_or_else(|| vec![Signal::Interrupt, Signal::Terminate]),
            flavor: flavor.unwrap_or(Flavor::MultiThread),
            worker_threads,
            max_blocking_threads: blocking.and_then(|given| values::positive(&given, errors)),
            hooks_from: hooks_from.unwrap_or_default(),
            deployment,
        }
    }
}

fn check_function(function: &Function, errors: &mut Diagnostics) {
    let signature = &function.signature;
    function.check(&MAIN, MAIN.function, errors);
    if signature.ident != "main" {
        errors.on(
            &signature.ident,
            format!("{} goes on `main`, and this function is named `{}`", MAIN.shown, signature.ident),
            format!("rename the function to `main`, as in `{}`", MAIN.function),
        );
    }
    // The error of a `const fn` already shows the whole signature.
    if signature.asyncness.is_none() && signature.constness.is_none() {
        errors.at(
            signature.fn_token.span,
            format!(
                "{} needs an `async` function, which runs on the tokio runtime that the attribute starts",
                MAIN.shown
            ),
            // An attribute such as `#[tokio::main]` above this one expands first and removes `async`.
            format!("write `{}`, without `#[tokio::main]` or a similar attribute above it", MAIN.function),
        );
    }
    for attr in function.other_mains() {
        let other = format!("#[{}]", item::text(attr.path()));
        errors.on(
            attr,
            format!("`{other}` starts a runtime, and so does {}", MAIN.shown),
            format!("remove `{other}`; {} has the keys `flavor` and `worker_threads` too", MAIN.shown),
        );
    }
    for extra in function.arguments().skip(1) {
        errors.on(
            extra,
            "`main` takes no argument or one `graceful::Context`, and this is an additional argument",
            format!("remove the argument, as in `{}`", MAIN.function),
        );
    }
}
