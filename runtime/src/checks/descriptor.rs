//! The descriptor of a health check, which the attribute emits, and what a check may take and return.

use crate::{
    context::Context,
    error::StartError,
    hooks::{
        descriptor::{HookRun, MissingState},
        state::State,
    },
    report::check_state::On,
};
use std::{fmt, time::Duration};

/// The descriptor that `#[graceful::health_check]` adds to the binary for one function.
pub struct Check {
    /// The function's name, or the `name` key.
    pub name: &'static str,
    /// The `on` key.
    pub on: On,
    /// The `period` key.
    pub period: Duration,
    /// The `timeout` key.
    pub timeout: Duration,
    /// The `failures` key.
    pub failures: u32,
    /// The package of the function.
    pub package: &'static str,
    /// The module of the function.
    pub module: &'static str,
    /// The file of the function.
    pub file: &'static str,
    /// The line of the function.
    pub line: u32,
    /// Reads the function's arguments and prepares its call.
    pub start: fn(&Context) -> Result<HookRun, MissingState>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} check {} ({} {}:{})", self.on, self.name, self.package, self.file, self.line)
    }
}

/// The checks of every linked crate, in no order.
#[linkme::distributed_slice]
pub static GRACEFUL_CHECKS_V1: [Check];

/// Always present, because some linkers reject empty sections.
#[allow(unsafe_code)] // linkme's own link section; nothing here is unsafe
#[linkme::distributed_slice(GRACEFUL_CHECKS_V1)]
static SENTINEL: Check = Check {
    name: "",
    on: On::Liveness,
    period: Duration::MAX,
    timeout: Duration::MAX,
    failures: 0,
    package: "",
    module: "",
    file: "",
    line: 0,
    start: |_| Ok(HookRun::blocking(|| Ok(()))),
};

/// The checks of every linked crate, by name.
///
/// # Errors
/// Two checks of one name.
pub(crate) fn linked() -> Result<Vec<&'static Check>, StartError> {
    // Miri does not support link sections.
    let all: &[Check] = if cfg!(miri) { &[] } else { &GRACEFUL_CHECKS_V1 };
    let mut checks: Vec<_> = all.iter().filter(|check| !check.package.is_empty()).collect();
    checks.sort_unstable_by_key(|check| (check.name, check.package, check.file, check.line));
    match checks.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(StartError::DuplicateCheck { first: pair[0].to_string(), second: pair[1].to_string() }),
        None => Ok(checks),
    }
}

/// What a health check may take as an argument: [`State<T>`] and [`Context`].
#[diagnostic::on_unimplemented(
    message = "a health check cannot take a `{Self}`",
    label = "not an argument of a check",
    note = "a check takes, in any order: `graceful::State<T>` for a `T` that main gives to `ctx.provide(..)`, and `graceful::Context`"
)]
pub trait FromCheckContext: Sized {
    /// Reads the argument.
    ///
    /// # Errors
    /// The state has not been provided.
    fn from_check_context(context: &Context) -> Result<Self, MissingState>;
}

impl FromCheckContext for Context {
    fn from_check_context(context: &Context) -> Result<Self, MissingState> {
        Ok(context.clone())
    }
}

impl<T: Send + Sync + 'static> FromCheckContext for State<T> {
    fn from_check_context(context: &Context) -> Result<Self, MissingState> {
        context.state().ok_or(MissingState(std::any::type_name::<T>()))
    }
}

/// What a health check may return: `()`, `bool`, or a `Result<(), E>` whose error can be displayed.
#[diagnostic::on_unimplemented(
    message = "a health check cannot return a `{Self}`",
    label = "not what a check returns",
    note = "a check returns `Result<(), E>` where `E: Display`, `bool`, or `()` if it fails by panicking or timing out"
)]
pub trait CheckReturn {
    /// The outcome, with the error's text.
    ///
    /// # Errors
    /// The check has failed.
    fn into_result(self) -> Result<(), String>;
}

impl CheckReturn for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl CheckReturn for bool {
    fn into_result(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("it returned false".to_owned()) }
    }
}

impl<E: fmt::Display> CheckReturn for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:#}"))
    }
}
