//! Runs the user's `main`, concurrently with the lifecycle.

use crate::{context::Context, hooks::call, phase::Phase, report::outcome::MainResult, shared::Request};
use graceful_plan::Ready;
use std::{future::Future, panic::AssertUnwindSafe, task::Poll};

/// What `main` may return.
#[diagnostic::on_unimplemented(
    message = "main cannot return a `{Self}`",
    label = "not what a graceful main returns",
    note = "main returns `()`, `Result<(), E>`, `ExitCode` or `Result<ExitCode, E>`, where `E: Debug`"
)]
pub trait MainReturn {
    /// The result, as the report shows it.
    fn into_result(self) -> MainResult;
}

impl MainReturn for () {
    fn into_result(self) -> MainResult {
        MainResult::Returned(0)
    }
}

impl MainReturn for std::process::ExitCode {
    fn into_result(self) -> MainResult {
        // An `ExitCode` does not expose its number, but it compares.
        MainResult::Returned((0..=u8::MAX).find(|&code| Self::from(code) == self).unwrap_or(1))
    }
}

impl<T: MainReturn, E: std::fmt::Debug> MainReturn for Result<T, E> {
    fn into_result(self) -> MainResult {
        match self {
            Ok(value) => value.into_result(),
            Err(error) => MainResult::Failed(format!("{error:?}")),
        }
    }
}

/// Runs `main` until it returns, panics, or is cut because the hooks begin; reports to the lifecycle which it was.
pub(crate) async fn drive<F, Fut>(context: Context, main: F)
where
    F: FnOnce(Context) -> Fut,
    Fut: Future,
    Fut::Output: MainReturn,
{
    let cut = context.reached(Phase::Hooks);
    if context.0.plan.ready == Ready::OnStart {
        context.ready();
    }
    let argument = context.clone();
    let mut main = Box::pin(async move { main(argument).await.into_result() });
    let main_or_panic = std::future::poll_fn(|cx| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| main.as_mut().poll(cx)));
        polled.unwrap_or_else(|panic| Poll::Ready(MainResult::Panicked(call::panic_message(&*panic))))
    });
    let result = tokio::select! {
        biased;
        result = main_or_panic => result,
        () = cut => MainResult::Cut,
    };
    // A panic while the values of `main` are dropped must not prevent the hooks.
    let dropped = std::panic::catch_unwind(AssertUnwindSafe(|| drop(main)));
    let result = match dropped {
        Err(panic) if matches!(result, MainResult::Returned(_)) => MainResult::Panicked(call::panic_message(&*panic)),
        _ => result,
    };
    context.0.request(Request::Main(result));
}
