//! What `#[graceful::main]` says, checked.

use super::{durations::Durations, values as own};
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

/// The attribute and the signature, checked: ready for expansion.
pub(crate) struct MainFn {
    pub(crate) settings: Settings,
    /// Where the argument's type stands, if `main` takes one.
    pub(crate) argument: Option<Span>,
}

/// What stands in the attribute; `None` where the default holds.
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
        // A `main` without a context has no handle to say when it is ready.
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
                "`worker_threads` has no meaning with `flavor = \"current_thread\"`, which has no workers",
                "remove `worker_threads`, or write `flavor = \"multi_thread\"`",
            );
        }
        let blocking = args.value("max_blocking_threads");
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
        }
    }
}

fn check_function(function: &Function, errors: &mut Diagnostics) {
    let signature = &function.signature;
    function.check(&MAIN, MAIN.function, errors);
    if signature.ident != "main" {
        errors.on(
            &signature.ident,
            format!("{} starts the process, and this function is called `{}`", MAIN.shown, signature.ident),
            format!("call it `main`, as in `{}`", MAIN.function),
        );
    }
    // A `const fn` has its error already, which shows the whole signature.
    if signature.asyncness.is_none() && signature.constness.is_none() {
        errors.at(
            signature.fn_token.span,
            format!("{} needs an `async` function, to run on the tokio runtime that it starts", MAIN.shown),
            // Such an attribute has run by now, and has left a function that is not async any more.
            format!("write `{}`, with no `#[tokio::main]` or the like above it", MAIN.function),
        );
    }
    for attr in function.other_mains() {
        let other = format!("#[{}]", item::text(attr.path()));
        errors.on(
            attr,
            format!("`{other}` starts a runtime, and so does {}", MAIN.shown),
            format!("remove `{other}`; `flavor` and `worker_threads` are keys of {} too", MAIN.shown),
        );
    }
    for extra in function.arguments().skip(1) {
        errors.on(
            extra,
            "`main` takes nothing or one `graceful::Context`, and this is one argument more",
            format!("remove it, as in `{}`", MAIN.function),
        );
    }
}
