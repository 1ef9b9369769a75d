//! The validated `#[graceful::health_check]`.

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

/// Problem and fix of a `period` of zero.
pub(crate) const PERIOD_OF_ZERO: (&str, &str) =
    ("a check with a period of zero would run without pause", "write for example `period = \"10s\"`, the default");
/// Problem and fix of a `timeout` of zero.
pub(crate) const TIMEOUT_OF_ZERO: (&str, &str) =
    ("a check with a timeout of zero has no time to run", "write for example `timeout = \"1s\"`, the default");

/// The validated attribute, ready for expansion.
pub(crate) struct Settings {
    pub(crate) paths: Paths,
    /// `None` for the function's name.
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

    /// The path of the probe.
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

    /// Validates the arguments. A value with an error is replaced by its default.
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

/// A duration key of the attribute.
enum Written {
    No,
    /// The key is present and its error is reported.
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

    /// The duration of a literal or of the default, with the span of a literal.
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

/// Reports an error for a `timeout` longer than the `period`: a run must end before the next one is due.
fn check_timeout(timeout: &Written, period: &Written, errors: &mut Diagnostics) {
    let (Some((timeout, timeout_at)), Some((period, period_at))) =
        (timeout.known(Settings::TIMEOUT), period.known(Settings::PERIOD))
    else {
        return;
    };
    if timeout > period {
        let default = |at: Option<Span>| if at.is_some() { "" } else { ", the default" };
        let problem = format!(
            "the `timeout` ({}{}) is longer than the `period` ({}{}): the next run would be due before this run ends",
            Pretty(timeout),
            default(timeout_at),
            Pretty(period),
            default(period_at),
        );
        let fix = format!("write `timeout = \"{}\"`, or `period = \"{}\"`", Pretty(period), Pretty(timeout));
        errors.at(timeout_at.or(period_at).unwrap_or_else(Span::call_site), problem, fix);
    }
}

/// Parses a name that needs no escape in a URL.
fn name(given: &Given<Expr>, on: On, errors: &mut Diagnostics) -> Option<Literal> {
    let token = values::text(given, errors)?;
    let text = values::string(&given.value).unwrap_or_default();
    match problem(&text) {
        None => Some(token),
        Some(problem) => {
            errors.on(
                &given.value,
                format!(
                    "`{text}` can't be the name of a check: the name is part of the URL `{}/NAME`, and {problem}",
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
                "a check is named after its function, and `{text}` can't be the name of a check: the name is part of the URL `{}/NAME`, and {problem}",
                on.route()
            ),
            format!("set another name, such as `name = \"{}\"`", cleaned(&text)),
        );
    }
}

fn problem(name: &str) -> Option<&'static str> {
    if !name.chars().all(is_plain) {
        Some("only the letters a-z and A-Z, digits, `-`, `_` and `.` need no escape there")
    } else if name.chars().all(|c| c == '.') {
        Some("a path segment of dots alone means a directory")
    } else {
        None
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// The name with `-` in place of invalid characters.
fn cleaned(name: &str) -> String {
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().filter(|word| word.chars().any(|c| c != '.')).collect();
    if words.is_empty() { "db".to_owned() } else { words.join("-") }
}
