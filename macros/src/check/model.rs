//! What `#[graceful::health_check]` says, checked.

use crate::{
    args::{Args, Given},
    diagnostics::Diagnostics,
    item::Function,
    paths::Paths,
    values::{self, Length},
};
use graceful_plan::duration::Pretty;
use proc_macro2::{Literal, Span};
use std::time::Duration;
use syn::{Expr, ext::IdentExt};

/// What is wrong with a duration of zero, and what to write.
pub(crate) const PERIOD_OF_ZERO: (&str, &str) =
    ("a check with no period would run all the time", "write for example `period = \"10s\"`, which is the default");
pub(crate) const TIMEOUT_OF_ZERO: (&str, &str) =
    ("a check with no time can't find out anything", "write for example `timeout = \"1s\"`, which is the default");

/// The attribute, checked: ready for expansion.
pub(crate) struct Settings {
    pub(crate) paths: Paths,
    /// `None`: the function's name.
    pub(crate) name: Option<Literal>,
    pub(crate) on: On,
    pub(crate) period: Length,
    pub(crate) timeout: Length,
    pub(crate) failures: u32,
}

/// The probes that a check can fail, named as the runtime's `On` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Readiness,
    Liveness,
    Startup,
}

impl On {
    const WORDS: [(&'static str, Self); 3] =
        [("readiness", Self::Readiness), ("liveness", Self::Liveness), ("startup", Self::Startup)];

    /// Where the probe is answered.
    fn route(self) -> &'static str {
        match self {
            Self::Readiness => "/readyz",
            Self::Liveness => "/livez",
            Self::Startup => "/startupz",
        }
    }
}

impl Settings {
    const PERIOD: Duration = Duration::from_secs(10);
    const TIMEOUT: Duration = Duration::from_secs(1);
    const FAILURES: u32 = 3;

    /// Where a value has an error, its default stands in.
    pub(crate) fn new(mut args: Args, function: Option<&Function>, errors: &mut Diagnostics) -> Self {
        let on = args.value("on").and_then(|given| values::word(&given, &On::WORDS, errors)).unwrap_or(On::Readiness);
        let name_is_broken = args.is_broken("name");
        let name = match args.value("name") {
            Some(given) => name(&given, on, errors),
            None => {
                if let Some(function) = function.filter(|_| !name_is_broken) {
                    check_function_name(function, on, errors);
                }
                None
            }
        };
        let period = Written::new("period", PERIOD_OF_ZERO, &mut args, errors);
        let timeout = Written::new("timeout", TIMEOUT_OF_ZERO, &mut args, errors);
        check_timeout(&timeout, &period, errors);
        let failures = args.value("failures").and_then(|given| values::positive(&given, errors));
        let paths = args.value("crate").and_then(|given| Paths::parse(&given.value, errors));
        Self {
            paths: paths.unwrap_or_default(),
            name,
            on,
            period: period.or(Self::PERIOD),
            timeout: timeout.or(Self::TIMEOUT),
            failures: failures.unwrap_or(Self::FAILURES),
        }
    }
}

/// A duration as far as it was written.
enum Written {
    No,
    /// It has its error already.
    Wrong,
    Length(Length),
}

impl Written {
    fn new(key: &str, of_zero: (&str, &str), args: &mut Args, errors: &mut Diagnostics) -> Self {
        let wrong = args.is_broken(key);
        match args.value(key).map(|given| values::length(given, errors)) {
            Some(Some(length)) if values::not_zero(Some(&length), of_zero, errors) => Self::Length(length),
            None if !wrong => Self::No,
            _ => Self::Wrong,
        }
    }

    /// The length, if it is known here: where it stands, or that it is the default.
    fn known(&self, default: Duration) -> Option<(Duration, Option<Span>)> {
        match self {
            Self::No => Some((default, None)),
            Self::Wrong => None,
            Self::Length(length) => length.literal().map(|(length, span)| (length, Some(span))),
        }
    }

    fn or(self, default: Duration) -> Length {
        match self {
            Self::Length(length) => length,
            Self::No | Self::Wrong => Length::Literal(default, Span::call_site()),
        }
    }
}

/// A run must be over before the next one is due.
fn check_timeout(timeout: &Written, period: &Written, errors: &mut Diagnostics) {
    let (Some((timeout, timeout_at)), Some((period, period_at))) =
        (timeout.known(Settings::TIMEOUT), period.known(Settings::PERIOD))
    else {
        return;
    };
    if timeout > period {
        let default = |at: Option<Span>| if at.is_some() { "" } else { ", the default" };
        let problem = format!(
            "the `timeout` ({}{}) is longer than the `period` ({}{}): the next run would be due before this one is over",
            Pretty(timeout),
            default(timeout_at),
            Pretty(period),
            default(period_at),
        );
        let fix = format!("write `timeout = \"{}\"`, or `period = \"{}\"`", Pretty(period), Pretty(timeout));
        errors.at(timeout_at.or(period_at).unwrap_or_else(Span::call_site), problem, fix);
    }
}

/// A name that can stand in a URL as it is.
fn name(given: &Given<Expr>, on: On, errors: &mut Diagnostics) -> Option<Literal> {
    let token = values::text(given, errors)?;
    let text = values::string(&given.value).unwrap_or_default();
    match problem(&text) {
        None => Some(token),
        Some(problem) => {
            errors.on(
                &given.value,
                format!(
                    "`{text}` can't be a check's name: it is a part of the URL `{}/NAME`, and {problem}",
                    on.route()
                ),
                format!("write `name = \"{}\"`", cleaned(&text)),
            );
            None
        }
    }
}

fn check_function_name(function: &Function, on: On, errors: &mut Diagnostics) {
    let ident = &function.signature.ident;
    let text = ident.unraw().to_string();
    if let Some(problem) = problem(&text) {
        errors.on(
            ident,
            format!(
                "a check is called like its function, and `{text}` can't be a check's name: it is a part of the URL `{}/NAME`, and {problem}",
                on.route()
            ),
            format!("give it another name, such as `name = \"{}\"`", cleaned(&text)),
        );
    }
}

fn problem(name: &str) -> Option<&'static str> {
    if !name.chars().all(is_plain) {
        Some("only the letters a-z and A-Z, digits, `-`, `_` and `.` can stand there as they are")
    } else if name.chars().all(|c| c == '.') {
        Some("dots alone mean a folder there")
    } else {
        None
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// The name with `-` for what can't stand in it.
fn cleaned(name: &str) -> String {
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().filter(|word| word.chars().any(|c| c != '.')).collect();
    if words.is_empty() { "db".to_owned() } else { words.join("-") }
}
