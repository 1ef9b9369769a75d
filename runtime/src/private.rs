//! Everything that macro expansions name. Not a public interface: the macros and this crate are pinned to one version.

pub use crate::{
    cause::Signal,
    checks::descriptor::{Check, CheckReturn, FromCheckContext, GRACEFUL_CHECKS_V1},
    context::Context,
    hooks::descriptor::{FromHookContext, GRACEFUL_HOOKS_V1, Hook, HookContext, HookReturn, HookRun, MissingState},
    lifecycle::{
        main_run::MainReturn,
        runtime_config::{Flavor, RuntimeConfig},
        startup::Main,
    },
    report::check_state::On,
};
pub use graceful_plan::{Health, Plan, Ready, Unready};
pub use linkme;
pub use std::{process::ExitCode, time::Duration};

use crate::{builder::Builder, hooks::registry};
use graceful_plan::Budget;
use std::future::Future;

/// The body of the generated `main`.
pub fn run<F, Fut>(main: Main, user_main: F) -> ExitCode
where
    F: FnOnce(Context) -> Fut,
    Fut: Future,
    Fut::Output: MainReturn,
{
    Builder::with(main).run(user_main)
}

/// The budget rule in a `const` evaluation, for plans whose durations are constant expressions.
pub const fn assert_budget(plan: &Plan) {
    assert!(
        Budget::fits(plan, Duration::ZERO),
        "pre_stop + grace + drain + margin is more than termination_grace_period: shorten one of them, or raise \
         termination_grace_period here and terminationGracePeriodSeconds in the pod's manifest"
    );
}

/// The body of the generated test: the budget rule with every hook that this binary links.
///
/// # Panics
/// The plan does not fit.
pub fn assert_plan(plan: &Plan) {
    let hooks = registry::linked();
    if let Err(error) = Budget::new(*plan, registry::budget_groups(&hooks)).check() {
        panic!("{error}");
    }
}
