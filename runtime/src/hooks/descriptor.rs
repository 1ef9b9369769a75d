//! The descriptor of a shutdown hook, which the attribute emits, and what a hook may take and return.

use crate::{
    cause::Cause,
    hooks::state::{Provided, State},
    report::outcome::HookName,
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// The descriptor that `#[graceful::shutdown_hook]` adds to the binary for one function.
pub struct Hook {
    /// The function's name, or the `name` key.
    pub name: &'static str,
    /// The `order` key.
    pub order: i32,
    /// The `timeout` key.
    pub timeout: Option<Duration>,
    /// The package of the function.
    pub package: &'static str,
    /// The module of the function.
    pub module: &'static str,
    /// The file of the function.
    pub file: &'static str,
    /// The line of the function.
    pub line: u32,
    /// Reads the function's arguments and prepares its call.
    pub start: fn(&HookContext) -> Result<HookRun, MissingState>,
}

impl Hook {
    pub(crate) fn title(&self) -> HookName {
        HookName {
            name: self.name.into(),
            package: Some(self.package),
            file: self.file,
            line: self.line,
            order: self.order,
        }
    }
}

/// The hooks of every linked crate, in no order. The name becomes a section of the binary, global to the process: its
/// version suffix keeps two major versions of this crate apart.
#[linkme::distributed_slice]
pub static GRACEFUL_HOOKS_V1: [Hook];

/// Always present, so that an empty registry means broken linking (and because some linkers reject empty sections).
#[allow(unsafe_code)] // linkme's own link section; nothing here is unsafe
#[linkme::distributed_slice(GRACEFUL_HOOKS_V1)]
static SENTINEL: Hook = Hook {
    name: "",
    order: 0,
    timeout: None,
    package: "",
    module: "",
    file: "",
    line: 0,
    start: |_| Ok(HookRun::blocking(|| Ok(()))),
};

/// The hooks of every linked crate, in no order; `None` if linking is broken.
pub(crate) fn linked() -> Option<impl Iterator<Item = &'static Hook>> {
    // Miri does not support link sections.
    let all: &[Hook] = if cfg!(miri) { &[] } else { &GRACEFUL_HOOKS_V1 };
    let whole = cfg!(miri) || all.iter().any(|hook| hook.package.is_empty());
    whole.then(|| all.iter().filter(|hook| !hook.package.is_empty()))
}

/// A prepared call of a hook.
pub enum HookRun {
    /// An async hook: a task on the user's runtime.
    Future(Pin<Box<dyn Future<Output = Result<(), String>> + Send>>),
    /// A sync hook: a closure for the thread for hooks, or for the blocking pool of the user's runtime.
    Blocking(Box<dyn FnOnce() -> Result<(), String> + Send>),
}

impl HookRun {
    /// The call of an async hook.
    pub fn future(future: impl Future<Output = Result<(), String>> + Send + 'static) -> Self {
        Self::Future(Box::pin(future))
    }

    /// The call of a sync hook.
    pub fn blocking(call: impl FnOnce() -> Result<(), String> + Send + 'static) -> Self {
        Self::Blocking(Box::new(call))
    }
}

/// The type of a [`State`] that a hook takes and that was never provided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingState(pub &'static str);

impl fmt::Display for MissingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no `{}` was provided; call `ctx.provide(..)` with one in main", self.0)
    }
}

/// The shutdown, as a hook sees it.
///
/// ```
/// #[graceful::shutdown_hook(order = 1)]
/// fn copy(context: graceful::HookContext) {
///     for block in 0..100 {
///         if context.is_given_up() {
///             return; // the process exits without waiting for this hook
///         }
///         // copy the block
///         # let _ = block;
///     }
/// }
/// ```
#[derive(Clone)]
pub struct HookContext {
    pub(crate) cause: Cause,
    pub(crate) deadline: Instant,
    pub(crate) given_up: Arc<AtomicBool>,
    pub(crate) state: Arc<Provided>,
}

impl HookContext {
    /// Why the process shuts down.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// When this hook times out.
    pub fn deadline(&self) -> std::time::Instant {
        self.deadline.into_std()
    }

    /// The time until the [deadline](Self::deadline); zero after it.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether this hook has timed out. An async hook is cancelled then; a sync hook should return when this is true.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for HookContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookContext")
            .field("cause", &self.cause)
            .field("remaining", &self.remaining())
            .field("given_up", &self.is_given_up())
            .finish()
    }
}

/// What a hook may take as an argument: [`HookContext`] and [`State<T>`].
#[diagnostic::on_unimplemented(
    message = "a shutdown hook cannot take a `{Self}`",
    label = "not an argument of a hook",
    note = "a hook takes, in any order: `graceful::HookContext`, and `graceful::State<T>` for a `T` that main gave to `ctx.provide(..)`"
)]
pub trait FromHookContext: Sized {
    /// Reads the argument.
    ///
    /// # Errors
    /// The state was never provided.
    fn from_hook_context(context: &HookContext) -> Result<Self, MissingState>;
}

impl FromHookContext for HookContext {
    fn from_hook_context(context: &HookContext) -> Result<Self, MissingState> {
        Ok(context.clone())
    }
}

impl<T: Send + Sync + 'static> FromHookContext for State<T> {
    fn from_hook_context(context: &HookContext) -> Result<Self, MissingState> {
        context.state.get().ok_or(MissingState(std::any::type_name::<T>()))
    }
}

/// What a hook may return: `()`, or a `Result<(), E>` whose error can be displayed.
#[diagnostic::on_unimplemented(
    message = "a shutdown hook cannot return a `{Self}`",
    label = "not what a hook returns",
    note = "a hook returns `()`, or `Result<(), E>` where `E: Display`"
)]
pub trait HookReturn {
    /// The outcome, with the error's text.
    ///
    /// # Errors
    /// The hook failed.
    fn into_result(self) -> Result<(), String>;
}

impl HookReturn for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: fmt::Display> HookReturn for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        // The alternate form shows the whole chain of an error that has one (anyhow, eyre).
        self.map_err(|error| format!("{error:#}"))
    }
}
