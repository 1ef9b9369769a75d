//! The environment.

use graceful::{__fuzz, Plan, StartError};
use graceful_plan::{Budget, Health, duration, overrides};
use std::{collections::BTreeMap, ffi::OsString, os::unix::ffi::OsStringExt, time::Duration};

/// Lines of the form `NAME=VALUE` become the environment. A refusal names a variable that is set, or the setting that is
/// wrong; what is accepted has the values of the variables, keeps the rules between settings and fits the budget.
pub fn environment(data: &[u8]) {
    let mut variables = BTreeMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b'=');
        if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            // A name without its prefix, so that a mutation finds more names than values.
            let name = format!("GRACEFUL_{}", String::from_utf8_lossy(name));
            variables.insert(name, OsString::from_vec(value.to_vec()));
        }
    }
    match __fuzz::settings(|name| variables.get(name).cloned()) {
        Ok((plan, token)) => {
            applied(&plan, &variables);
            let set = variables.get("GRACEFUL_PRESTOP_TOKEN").map(|value| value.to_str().unwrap());
            assert!(token.as_deref() == set && set != Some(""), "{variables:?}");
        }
        Err(StartError::Environment { name, problem }) => {
            assert!(overrides::NAMES.contains(&name) && variables.contains_key(name), "{name}: {variables:?}");
            let message = StartError::Environment { name, problem }.to_string();
            assert!(message.contains(name), "{message}");
        }
        Err(error @ (StartError::Plan(_) | StartError::Budget(_))) => {
            let message = error.to_string();
            let settings = ["grace", "quiet", "grace_limit", "drain", "termination grace period"];
            assert!(settings.iter().any(|setting| message.contains(setting)), "{message}");
            assert!(variables.keys().any(|name| overrides::NAMES.contains(&name.as_str())), "{message}");
        }
        Err(error) => panic!("{variables:?}: {error}"),
    }
}

fn applied(plan: &Plan, variables: &BTreeMap<String, OsString>) {
    let default = Plan::DEFAULT;
    let text = |name: &str| variables.get(&format!("GRACEFUL_{name}")).map(|value| value.to_str().unwrap());
    let length = |name: &str| text(name).map(|value| duration::parse(value).unwrap());
    let durations: [(&str, Duration, Duration); 5] = [
        ("GRACE", plan.grace, default.grace),
        ("DRAIN", plan.drain, default.drain),
        ("TERMINATION_GRACE_PERIOD", plan.termination_grace_period, default.termination_grace_period),
        ("PRE_STOP", plan.pre_stop, default.pre_stop),
        ("MARGIN", plan.margin, default.margin),
    ];
    for (name, found, default) in durations {
        assert_eq!(found, length(name).unwrap_or(default), "{name}");
    }
    assert_eq!((plan.quiet, plan.grace_limit), (length("QUIET"), length("GRACE_LIMIT")));
    let health = text("HEALTH").map_or(default.health, |value| Health::parse(value).unwrap());
    assert_eq!(plan.health, health);
    assert_eq!(plan.health.to_string().parse::<std::net::SocketAddr>().is_ok(), plan.health != Health::Off);
    assert_eq!(text("UNREADY").unwrap_or(default.unready.word()), plan.unready.word());
    assert!(plan.check_pairs().is_ok() && Budget::before_linking(*plan).check().is_ok());
}
