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
         termination_grace_period in the program and terminationGracePeriodSeconds in the pod's manifest"
    );
}

/// The rules of manifests and Dockerfiles in the generated test, with every hook that this binary links. Warnings and
/// hints are printed.
///
/// # Panics
/// A file can't be read, or has a finding of severity error.
#[cfg(feature = "manifest")]
pub fn assert_deployment(
    plan: &Plan,
    signals: &[Signal],
    manifests: &[(&str, &str)],
    container: Option<&str>,
    dockerfile: Option<(&str, &str)>,
) {
    use graceful_deploy::{Check, Dockerfile, Facts, Manifest, Severity, Unreadable};
    fn or_panic<T>(result: Result<T, Unreadable>) -> T {
        result.unwrap_or_else(|error| panic!("{error}"))
    }
    let manifests: Vec<_> = manifests.iter().map(|(name, text)| or_panic(Manifest::parse(name, text))).collect();
    let dockerfile = dockerfile.map(|(name, text)| or_panic(Dockerfile::parse(name, text)));
    let mut facts = Facts::new(*plan);
    facts.signals = signals.iter().map(|signal| signal.name().to_owned()).collect();
    facts.hooks = Some(registry::budget_groups(&registry::linked()));
    // With the feature `tonic`, the program may add services.
    facts.grpc_services = (!cfg!(feature = "tonic")).then(Vec::new);
    let mut check = Check::new(&manifests).facts(&facts);
    if let Some(container) = container {
        check = check.container(container);
    }
    if let Some(dockerfile) = &dockerfile {
        check = check.dockerfile(dockerfile);
    }
    let (errors, others): (Vec<_>, Vec<_>) =
        check.run().into_iter().partition(|finding| finding.rule.severity == Severity::Error);
    others.iter().for_each(|finding| eprintln!("{finding}"));
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
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
