//! A printed plan as the facts that the rules ask for.

use crate::plan::Plan;
use graceful_deploy::Facts;
use graceful_plan::{Health, HookGroup};
use std::{collections::BTreeMap, time::Duration};

/// The facts of the program that has printed this plan.
///
/// # Errors
/// The plan has no valid `health`.
pub(crate) fn of(printed: &Plan) -> Result<Facts, String> {
    let text = printed.json["health"].as_str().ok_or("`health` is missing")?;
    let mut plan = graceful_plan::Plan {
        grace: printed.grace,
        drain: printed.drain,
        pre_stop: printed.pre_stop,
        margin: printed.margin,
        termination_grace_period: printed.termination_grace_period,
        health: Health::parse(text).map_err(|error| format!("`health`: {error}"))?,
        ..graceful_plan::Plan::DEFAULT
    };
    plan.init = printed.json["init"].as_bool().unwrap_or_default();
    let mut facts = Facts::new(plan);
    if let Some(signals) = printed.json["signals"].as_array() {
        facts.signals = signals.iter().filter_map(|signal| signal.as_str().map(str::to_owned)).collect();
    }
    // A program with gRPC on its health port may add services of its own.
    facts.grpc_services = (printed.json["grpc_health"] == false).then(Vec::new);
    facts.hooks = Some(groups(printed));
    Ok(facts)
}

/// The longest timeout of each order.
fn groups(printed: &Plan) -> Vec<HookGroup> {
    let mut groups: BTreeMap<i32, (Duration, String)> = BTreeMap::new();
    for hook in &printed.hooks {
        let order = hook.order.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let timeout = hook.timeout.unwrap_or_default();
        let group = groups.entry(order).or_insert_with(|| (timeout, hook.name.clone()));
        if timeout > group.0 {
            *group = (timeout, hook.name.clone());
        }
    }
    groups.into_iter().map(|(order, (longest, name))| HookGroup { order, longest, name }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_the_signals_and_the_longest_hook_of_each_order_are_facts() {
        let hook = |name: &str, order: i32, timeout: &str| {
            format!(
                r#"{{"name": "{name}", "order": {order}, "timeout": {timeout}, "crate": "c", "file": "f", "line": 1}}"#
            )
        };
        let hooks = [hook("quick", 1, r#""1s""#), hook("slow", 1, r#""3s""#), hook("shares", 2, "null")].join(",");
        let text = format!(
            r#"{{"package": "p", "pre_stop": "0s", "grace": "5s", "grace_limit": "8s", "drain": "10s", "margin": "1s",
                "termination_grace_period": "40s", "health": "[::]:9000", "init": true, "signals": ["SIGQUIT"], "grpc_health": false, "hooks": [{hooks}]}}"#
        );
        let facts = of(&Plan::parse(&text).unwrap()).unwrap();
        assert_eq!((facts.plan.grace, facts.plan.init), (Duration::from_secs(8), true));
        assert_eq!((facts.signals, facts.grpc_services), (vec!["SIGQUIT".to_owned()], Some(Vec::new())));
        assert_eq!(facts.plan.health, Health::parse("[::]:9000").unwrap());
        let longest: Vec<_> =
            facts.hooks.unwrap().into_iter().map(|group| (group.longest.as_secs(), group.name)).collect();
        assert_eq!(longest, [(3, "slow".to_owned()), (0, "shares".to_owned())]);
    }
}
