//! Checks how long the pod has.

use crate::{
    documents::Kind,
    finding::Findings,
    render::New,
    subject::{Subject, whole_seconds},
    table::termination::*,
    yaml::Node,
};
use graceful_plan::{Health, Plan, duration::Pretty, overrides};
use std::time::Duration;

/// What Kubernetes assumes without `terminationGracePeriodSeconds`.
const DEFAULT_PERIOD: u64 = 30;
/// What Knative assumes without `timeoutSeconds`, which it takes as the termination grace period.
const KNATIVE_DEFAULT: u64 = 300;

pub(crate) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    environment(subject, findings);
    let (Some(plan), Some(budget)) = (subject.plan, subject.budget()) else { return };
    period(subject, &plan, findings);
    pre_stop(subject, &plan, findings);
    for (key, probe) in subject.probes() {
        let Some(own) = probe.0.get("terminationGracePeriodSeconds") else { continue };
        let needed = whole_seconds(budget.needed());
        if own.number().is_some_and(|seconds| seconds < needed) {
            findings
                .add(
                    &PROBE_PERIOD,
                    subject.at(own),
                    format!("the {key} gives the shutdown {}s, and it needs {needed}s", own.text().unwrap_or_default()),
                    format!("remove terminationGracePeriodSeconds from the {key}, or write {needed}"),
                )
                .mechanical([subject.editor().replace(own, New::Number(needed))]);
        }
    }
}

/// The plan with the overrides in the container's `env`; the plan itself if one of them is wrong.
pub(crate) fn overridden(plan: Plan, container: &Node) -> Plan {
    let mut changed = plan;
    match overrides::apply(&mut changed, |name| Ok(literal(container, name).map(|(value, _)| value.to_owned()))) {
        Ok(()) => changed,
        Err(_) => plan,
    }
}

/// The value of a variable in `env` that stands there as a text. The last entry of a name counts.
fn literal<'a>(container: &'a Node, name: &str) -> Option<(&'a str, &'a Node)> {
    let entries = container.get("env").map(Node::items).unwrap_or_default();
    let entry = entries.iter().rev().find(|entry| entry.get("name").and_then(Node::text) == Some(name))?;
    let value = entry.get("value")?;
    value.text().filter(|text| !text.contains("$(")).map(|text| (text, value))
}

fn environment(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(facts) = subject.facts else { return };
    let (container, mut plan) = (subject.container, facts.plan);
    let entries = container.get("env").map(Node::items).unwrap_or_default();
    for entry in entries.iter().filter_map(|entry| entry.get("name")) {
        let name = entry.text().unwrap_or_default();
        if name.starts_with("GRACEFUL_") && !overrides::NAMES.contains(&name) {
            let names = overrides::NAMES.join(", ");
            let problem = format!("the program does not read the variable {name}");
            findings.add(&ENV_UNKNOWN, subject.at(entry), problem, format!("write one of {names}"));
        }
    }
    if let Err(error) =
        overrides::apply(&mut plan, |name| Ok(literal(container, name).map(|(value, _)| value.to_owned())))
    {
        let at = literal(container, error.name).map_or(container, |(_, value)| value);
        let (problem, fix) = split(&error.problem);
        findings.add(&ENV_INVALID, subject.at(at), format!("{}: {problem}", error.name), fix);
        return;
    }
    if let Some((_, value)) = literal(container, "GRACEFUL_HEALTH").filter(|_| plan.health.is_loopback()) {
        let port = match plan.health {
            Health::At(address) => address.port(),
            Health::Off => 0,
        };
        let problem = format!("the kubelet can't reach a health server on {}", plan.health);
        findings
            .add(&ENV_LOOPBACK, subject.at(value), problem, format!("write \"[::]:{port}\""))
            .mechanical([subject.editor().replace(value, New::Text(&format!("[::]:{port}")))]);
    }
    let first = overrides::NAMES.iter().filter_map(|name| literal(container, name)).map(|(_, value)| value);
    let Some(first) = first.min_by_key(|value| value.at.bytes.start) else { return };
    if let Err(problem) = plan.check_pairs() {
        let (problem, fix) = split(&problem);
        findings.add(&ENV_UNFIT, subject.at(first), format!("with the variables in `env`, {problem}"), fix);
    } else if let Err(error) = facts.budget(plan).check() {
        let problem = format!(
            "with the variables in `env`, the shutdown does not fit into the termination grace period:\n{}",
            error.arithmetic()
        );
        findings.add(&ENV_UNFIT, subject.at(first), problem, error.fix());
    }
}

/// Splits a text of `graceful_plan`, which has the form `problem; fix`.
fn split(text: &str) -> (&str, &str) {
    text.split_once("; ").unwrap_or((text, "correct the value"))
}

fn period(subject: &Subject<'_>, plan: &Plan, findings: &mut Findings) {
    let (key, default) = match subject.workload.kind {
        Kind::KnativeService => ("timeoutSeconds", KNATIVE_DEFAULT),
        _ => ("terminationGracePeriodSeconds", DEFAULT_PERIOD),
    };
    let written = subject.workload.pod.get(key);
    let Some(seconds) = written.map_or(Some(default), Node::number) else { return };
    let at = written.map_or_else(|| subject.container_at(), |node| subject.at(node));
    let (found, planned) = (Duration::from_secs(seconds), plan.termination_grace_period);
    let wanted = whole_seconds(planned);
    if found < planned {
        let shown = if written.is_some() { String::new() } else { " by default".to_owned() };
        findings
            .add(
                &TOO_SHORT,
                at,
                format!("{key} is {seconds}{shown}, and the plan takes {}", Pretty(planned)),
                format!("write `{key}: {wanted}`, or set termination_grace_period = \"{seconds}s\" in the program"),
            )
            .mechanical([match written {
                Some(node) => subject.editor().replace(node, New::Number(wanted)),
                None => subject.editor().insert(subject.workload.pod, &[], key, New::Number(wanted)),
            }]);
    } else if written.is_some() && found > planned * 2 && found - planned >= Duration::from_secs(30) {
        findings.add(
            &TOO_LONG,
            at,
            format!("{key} is {seconds}, and the plan takes {}", Pretty(planned)),
            format!("set termination_grace_period = \"{seconds}s\" in the program, or write `{key}: {wanted}`"),
        );
    }
}

fn pre_stop(subject: &Subject<'_>, plan: &Plan, findings: &mut Findings) {
    let Some(hook) = subject.container.path(&["lifecycle", "preStop"]) else { return };
    let sleep = hook.path(&["sleep", "seconds"]).and_then(|node| Some((node.number().map(Duration::from_secs)?, node)));
    let exec = || {
        let command = hook.path(&["exec", "command"])?;
        Some((slept(&command.texts().join(" "))?, command))
    };
    let Some((length, node)) = sleep.or_else(exec) else { return };
    if length > plan.pre_stop {
        findings.add(
            &PRE_STOP,
            subject.at(node),
            format!("the preStop hook sleeps {}, and the plan's pre_stop is {}", Pretty(length), Pretty(plan.pre_stop)),
            format!(
                "remove the hook, because the program itself keeps serving for {}; or set pre_stop = \"{}\" in the program",
                Pretty(plan.longest_grace()),
                Pretty(length)
            ),
        );
    }
}

/// The sum of the `sleep`s in a command.
fn slept(command: &str) -> Option<Duration> {
    let words: Vec<&str> = command.split([' ', '\n', ';', '&', '"', '\'']).filter(|word| !word.is_empty()).collect();
    let lengths = words.windows(2).filter(|pair| pair[0].rsplit('/').next() == Some("sleep")).map(|pair| {
        let unit = match pair[1].strip_suffix(['s', 'm', 'h']) {
            Some(number) if pair[1].ends_with('m') => (number, 60.0),
            Some(number) if pair[1].ends_with('h') => (number, 3600.0),
            Some(number) => (number, 1.0),
            None => (pair[1], 1.0),
        };
        unit.0.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number * unit.1).ok())
    });
    lengths.flatten().reduce(Duration::saturating_add)
}
