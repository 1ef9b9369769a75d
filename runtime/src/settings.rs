//! The plan with the environment's overrides, checked; and the printed plan.

use crate::{
    cause::Signal,
    checks::descriptor::Check,
    error::StartError,
    hooks::{descriptor::Hook, registry},
};
use graceful_plan::{
    Budget, Plan,
    duration::Pretty,
    overrides::{self, OverrideError},
};
use serde_json::{Value, json};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// Settings that have passed every check.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) plan: Plan,
    pub(crate) termination_log: Option<PathBuf>,
    pub(crate) prestop_token: Option<String>,
    pub(crate) print_plan: bool,
    /// Warnings for the log.
    pub(crate) warnings: Vec<String>,
}

impl Settings {
    /// Applies the environment to the plan and checks the result against the budget, hooks included.
    ///
    /// # Errors
    /// The first wrong variable, or an exceeded budget.
    pub(crate) fn resolve(
        mut plan: Plan,
        hooks: &[&Hook],
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, StartError> {
        let text = |name: &'static str| match variable(name).map(OsString::into_string) {
            None => Ok(None),
            Some(Ok(text)) => Ok(Some(text)),
            Some(Err(_)) => Err(OverrideError { name, problem: "the value is not UTF-8".into() }),
        };
        overrides::apply(&mut plan, text)?;
        let mut warnings = Vec::new();
        if plan.health.is_loopback() {
            warnings.push(format!("the health server listens on {}, where the kubelet cannot probe it", plan.health));
        }
        let print_plan = match text("GRACEFUL_PRINT")?.as_deref() {
            None | Some("") => false,
            Some(value) => overrides::one_of(&[("plan", true)], value)
                .map_err(|problem| StartError::Environment { name: "GRACEFUL_PRINT", problem })?,
        };
        plan.check_pairs().map_err(StartError::Plan)?;
        Budget::new(plan, registry::budget_groups(hooks)).check().map_err(StartError::Budget)?;
        let prestop_token = match text("GRACEFUL_PRESTOP_TOKEN")? {
            Some(token) if token.is_empty() => {
                let problem = "the token is empty; set one that is hard to guess, or unset it".to_owned();
                return Err(StartError::Environment { name: "GRACEFUL_PRESTOP_TOKEN", problem });
            }
            token => token,
        };
        let termination_log = variable("GRACEFUL_TERMINATION_LOG").map(PathBuf::from);
        Ok(Self { plan, termination_log, prestop_token, print_plan, warnings })
    }
}

/// The effective plan with every linked hook and check, as `GRACEFUL_PRINT=plan` prints it. Durations are texts in the
/// grammar of the attributes.
pub(crate) fn printed(package: &str, plan: &Plan, signals: &[Signal], hooks: &[&Hook], checks: &[&Check]) -> String {
    let length = |duration: Duration| Value::from(Pretty(duration).to_string());
    let budget = Budget::new(*plan, registry::budget_groups(hooks));
    let hooks: Vec<_> = hooks
        .iter()
        .map(|hook| {
            json!({
                "name": hook.name,
                "order": hook.order,
                "timeout": hook.timeout.map(length),
                "crate": hook.package,
                "module": hook.module,
                "file": hook.file,
                "line": hook.line,
            })
        })
        .collect();
    let checks: Vec<_> = checks
        .iter()
        .map(|check| {
            json!({
                "name": check.name,
                "on": check.on.name(),
                "period": length(check.period),
                "timeout": length(check.timeout),
                "failures": check.failures,
                "crate": check.package,
                "module": check.module,
                "file": check.file,
                "line": check.line,
            })
        })
        .collect();
    let signals: Vec<_> = signals.iter().map(|signal| signal.name()).collect();
    let plan = json!({
        "package": package,
        "grace": length(plan.grace),
        "quiet": plan.quiet.map(length),
        "grace_limit": plan.grace_limit.map(length),
        "drain": length(plan.drain),
        "termination_grace_period": length(plan.termination_grace_period),
        "pre_stop": length(plan.pre_stop),
        "margin": length(plan.margin),
        "health": plan.health.to_string(),
        "ready": plan.ready.word(),
        "unready": plan.unready.word(),
        "liveness_heartbeat": plan.liveness_heartbeat.map(length),
        "init": plan.init,
        "signals": signals,
        "grpc_health": cfg!(feature = "tonic"),
        "needed": length(budget.needed()),
        "left": budget.check().ok().map(length),
        "hooks": hooks,
        "checks": checks,
    });
    format!("{plan:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use graceful_plan::Unready;

    fn resolve(variables: &[(&str, &str)]) -> Result<Settings, String> {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value));
        Settings::resolve(Plan::DEFAULT, &[], find).map_err(|error| error.to_string())
    }

    #[test]
    fn every_override_is_applied() {
        let settings = resolve(&[
            ("GRACEFUL_GRACE", "8s"),
            ("GRACEFUL_DRAIN", "2s"),
            ("GRACEFUL_TERMINATION_GRACE_PERIOD", "1m"),
            ("GRACEFUL_PRE_STOP", "3s"),
            ("GRACEFUL_MARGIN", "500ms"),
            ("GRACEFUL_HEALTH", "127.0.0.1:0"),
            ("GRACEFUL_UNREADY", "after-grace"),
            ("GRACEFUL_PRINT", "plan"),
            ("GRACEFUL_TERMINATION_LOG", "/tmp/x"),
        ])
        .unwrap();
        let (ms, plan) = (Duration::from_millis, settings.plan);
        assert_eq!(
            (plan.grace, plan.drain, plan.termination_grace_period, plan.pre_stop, plan.margin),
            (ms(8000), ms(2000), ms(60_000), ms(3000), ms(500))
        );
        assert_eq!((plan.health.to_string().as_str(), plan.unready), ("127.0.0.1:0", Unready::AfterGrace));
        assert!(settings.print_plan && settings.termination_log.is_some());
        assert_eq!(settings.warnings, ["the health server listens on 127.0.0.1:0, where the kubelet cannot probe it"]);
    }

    #[test]
    fn every_bad_override_names_its_variable_and_the_fix() {
        for (name, value, said) in [
            ("GRACEFUL_GRACE", "8", "GRACEFUL_GRACE: `8` has no unit; write `8s`"),
            ("GRACEFUL_DRAIN", "", "GRACEFUL_DRAIN: the duration is empty"),
            ("GRACEFUL_HEALTH", "localhost", "GRACEFUL_HEALTH: `localhost` is not an address"),
            ("GRACEFUL_UNREADY", "later", "GRACEFUL_UNREADY: `later` is not a valid value; write `on-signal` or"),
            ("GRACEFUL_PRINT", "plans", "GRACEFUL_PRINT: `plans` is not a valid value; write `plan`"),
            ("GRACEFUL_QUIET", "1s", "quiet needs a grace_limit"),
            ("GRACEFUL_GRACE", "40s", "does not fit into the termination grace period"),
        ] {
            let error = resolve(&[(name, value)]).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
