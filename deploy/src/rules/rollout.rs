//! Checks how pods are replaced.

use crate::{
    documents::{Kind, Manifest, name, namespace},
    finding::Findings,
    render::{New, scalar},
    subject::Subject,
    table::rollout::*,
    yaml::Node,
};
use graceful_plan::duration::Pretty;

/// Containers that the app talks through or sends to, by a part of their name or image.
const SIDECARS: [&str; 12] = [
    "cloud-sql-proxy",
    "cloudsql-proxy",
    "cloud_sql_proxy",
    "istio-proxy",
    "linkerd-proxy",
    "envoy",
    "otel-collector",
    "opentelemetry-collector",
    "fluent-bit",
    "fluentbit",
    "vault-agent",
    "pgbouncer",
];

pub(crate) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    match subject.workload.kind {
        Kind::Deployment | Kind::Rollout => rolling(subject, findings),
        Kind::StatefulSet | Kind::DaemonSet => update_strategy(subject, findings),
        Kind::Job | Kind::CronJob => job(subject, findings),
        Kind::Pod | Kind::ReplicaSet | Kind::KnativeService => {}
    }
    if !matches!(subject.workload.kind, Kind::Job | Kind::CronJob) {
        budgets(subject, findings);
        services(subject, findings);
    }
    host_network(subject, findings);
    sidecars(subject, findings);
}

/// A number or a percentage of the replicas; `None` if the replicas are not known.
fn amount(node: Option<&Node>, default: &str, replicas: Option<u64>, round_up: bool) -> Option<u64> {
    let text = node.and_then(Node::text).unwrap_or(default);
    match text.strip_suffix('%') {
        None => text.parse().ok(),
        Some(percent) => {
            let product = percent.parse::<u64>().ok()?.checked_mul(replicas?)?;
            Some(if round_up { product.div_ceil(100) } else { product / 100 })
        }
    }
}

fn rolling(subject: &Subject<'_>, findings: &mut Findings) {
    let spec = subject.workload.spec;
    let Some(strategy) = spec.get("strategy") else {
        return pod_disruption_budget(subject, findings);
    };
    if let Some(kind) = strategy.get("type").filter(|kind| kind.text() == Some("Recreate")) {
        let finding = findings.add(
            &RECREATE,
            subject.at(kind),
            "the strategy Recreate stops every pod before it starts a new one",
            "write `strategy: {type: RollingUpdate}`",
        );
        // A second pod can wait for a claim of the first one for ever.
        if !subject.workload.has_claims() {
            finding.mechanical([subject.editor().replace(kind, New::Text("RollingUpdate"))]);
        }
        return;
    }
    let rolling = strategy.get("rollingUpdate").or_else(|| strategy.get("canary"));
    let key = |key| rolling.and_then(|rolling| rolling.get(key));
    let (surge, unavailable) = (key("maxSurge"), key("maxUnavailable"));
    let replicas = subject.workload.replicas(&subject.objects);
    let takes = amount(unavailable, "25%", replicas, false);
    let is_everything = unavailable.and_then(Node::text).and_then(|text| text.strip_suffix('%')?.parse::<u64>().ok());
    let takes_all = is_everything.is_some_and(|percent| percent >= 100)
        || matches!((takes, replicas), (Some(takes), Some(replicas)) if replicas > 0 && takes >= replicas);
    let write = |node, number| subject.editor().replace(node, New::Number(number));
    let (no_surge, has_claims) = (amount(surge, "25%", replicas, true) == Some(0), subject.workload.has_claims());
    if replicas == Some(1) && no_surge {
        let finding = findings.add(
            &NO_SURGE,
            subject.at(surge.unwrap_or(strategy)),
            "one replica, and a rollout that stops it before the next one is ready",
            "write `maxSurge: 1` and `maxUnavailable: 0`",
        );
        if !has_claims {
            finding
                .mechanical(surge.map(|node| write(node, 1)).into_iter().chain(unavailable.map(|node| write(node, 0))));
        }
    } else if let Some(unavailable) = unavailable.filter(|_| takes_all) {
        let finding = findings.add(
            &TAKES_ALL,
            subject.at(unavailable),
            format!(
                "`maxUnavailable: {}` lets a rollout stop all replicas at once",
                unavailable.text().unwrap_or_default()
            ),
            "write `maxUnavailable: 0` and `maxSurge: 1`",
        );
        // Kubernetes refuses a rollout in which both are 0.
        let surge = surge.filter(|surge| no_surge || matches!(surge.text(), Some("0" | "0%")));
        if surge.is_none() || !has_claims {
            finding.mechanical([write(unavailable, 0)].into_iter().chain(surge.map(|node| write(node, 1))));
        }
    }
    pod_disruption_budget(subject, findings);
}

/// The PodDisruptionBudgets that select the pods.
fn pdbs<'a>(subject: &Subject<'a>) -> Vec<(&'a Manifest, &'a Node)> {
    let selects = |(_, pdb): &(&_, &Node)| match pdb.path(&["spec", "selector", "matchLabels"]) {
        Some(labels) => subject.workload.is_selected(pdb, labels),
        None => pdb.path(&["spec", "selector"]).is_some() && namespace(pdb) == namespace(subject.workload.document),
    };
    subject.objects.of("PodDisruptionBudget").filter(selects).collect()
}

fn pod_disruption_budget(subject: &Subject<'_>, findings: &mut Findings) {
    let replicas = subject.workload.replicas(&subject.objects);
    if replicas.is_some_and(|replicas| replicas >= 2) && subject.serves_traffic() && pdbs(subject).is_empty() {
        findings
            .add(
                &PDB_MISSING,
                subject.key_or_kind(subject.workload.spec, "replicas"),
                "no PodDisruptionBudget in the files selects these pods",
                "add a PodDisruptionBudget with `maxUnavailable: 1` and the labels of the pods",
            )
            .mechanical([budget_of(subject).and_then(|budget| subject.editor().append_document(&budget))]);
    }
}

/// A PodDisruptionBudget for the pods that the workload selects.
fn budget_of(subject: &Subject<'_>) -> Option<String> {
    let document = subject.workload.document;
    let labels = subject.workload.spec.path(&["selector", "matchLabels"])?;
    let mut text =
        format!("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata:\n  name: {}\n", scalar(name(document)?));
    if let Some(namespace) = document.path(&["metadata", "namespace"]).and_then(Node::text) {
        text += &format!("  namespace: {}\n", scalar(namespace));
    }
    text += "spec:\n  maxUnavailable: 1\n  selector:\n    matchLabels:\n";
    for (key, value) in labels.entries() {
        text += &format!("      {}: {}\n", scalar(key.text()?), scalar(value.text()?));
    }
    Some(text)
}

fn budgets(subject: &Subject<'_>, findings: &mut Findings) {
    let replicas =
        subject.workload.replicas(&subject.objects).filter(|_| subject.workload.spec.get("template").is_some());
    for (file, pdb) in pdbs(subject) {
        let (max, min) = (pdb.path(&["spec", "maxUnavailable"]), pdb.path(&["spec", "minAvailable"]));
        let none = max.filter(|max| matches!(max.text(), Some("0" | "0%")));
        let all = min.filter(|min| {
            min.text() == Some("100%")
                || matches!((min.number(), replicas), (Some(min), Some(replicas)) if replicas > 0 && min >= replicas)
        });
        if let Some(blocking) = none.or(all) {
            let editor = file.editor();
            let finding = findings.add(
                &PDB_BLOCKS,
                (&file.source, &blocking.at),
                format!("the PodDisruptionBudget {} allows no eviction", name(pdb).unwrap_or_default()),
                "write `maxUnavailable: 1`",
            );
            let renamed = pdb.get("spec").filter(|_| none.is_none());
            let renamed = renamed.map(|spec| editor.rename(spec, "minAvailable", "maxUnavailable"));
            finding.mechanical([editor.replace(blocking, New::Number(1))].into_iter().chain(renamed));
        }
    }
}

fn services(subject: &Subject<'_>, findings: &mut Findings) {
    let spec = subject.workload.spec;
    for (file, service) in subject.objects.services(&subject.workload) {
        let at = |keys: &[&str]| service.path(keys);
        // The peers of a StatefulSet find each other before they are ready.
        let is_headless = at(&["spec", "clusterIP"]).and_then(Node::text) == Some("None");
        let publishes = at(&["spec", "publishNotReadyAddresses"]).filter(|node| node.is_true());
        if let Some(publishes) = publishes.filter(|_| !(is_headless && subject.workload.kind == Kind::StatefulSet)) {
            findings
                .add(
                    &NOT_READY,
                    (&file.source, &publishes.at),
                    format!(
                        "the Service {} sends traffic to pods that are not ready",
                        name(service).unwrap_or_default()
                    ),
                    "remove `publishNotReadyAddresses`",
                )
                .mechanical([file.editor().replace(publishes, New::Bool(false))]);
        }
        let balancer = at(&["spec", "type"]).filter(|kind| kind.text() == Some("LoadBalancer"));
        let waits = spec.get("minReadySeconds").and_then(Node::number).is_some_and(|seconds| seconds > 0);
        if let Some(balancer) = balancer.filter(|_| subject.is_rolled_out() && !waits) {
            findings.add(
                &MIN_READY,
                (&file.source, &balancer.at),
                "a load balancer adds pods slowly, and the rollout does not wait for it",
                "write `minReadySeconds: 10` in the Deployment's spec, or the time that the load balancer takes",
            );
        }
    }
}

fn host_network(subject: &Subject<'_>, findings: &mut Findings) {
    let spec = subject.workload.spec;
    let Some(host) = subject.workload.pod.get("hostNetwork").filter(|host| host.is_true()) else { return };
    let surge = match subject.workload.kind {
        Kind::Deployment | Kind::Rollout => {
            let strategy = spec.get("strategy");
            let is_recreated =
                strategy.and_then(|strategy| strategy.get("type")).and_then(Node::text) == Some("Recreate");
            let surge = strategy.and_then(|strategy| {
                strategy.path(&["rollingUpdate", "maxSurge"]).or_else(|| strategy.path(&["canary", "maxSurge"]))
            });
            !is_recreated && !matches!(surge.and_then(Node::text), Some("0" | "0%"))
        }
        Kind::DaemonSet => spec
            .path(&["updateStrategy", "rollingUpdate", "maxSurge"])
            .is_some_and(|surge| !matches!(surge.text(), Some("0" | "0%"))),
        _ => false,
    };
    if let Some(port) = subject.health_port().filter(|_| surge) {
        findings.add(
            &HOST_NETWORK,
            subject.at(host),
            format!("two pods on one node can't both listen on the node's port {port}"),
            "write `maxSurge: 0` and `maxUnavailable: 1`, or remove `hostNetwork: true`",
        );
    }
}

fn update_strategy(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(strategy) = subject.workload.spec.get("updateStrategy") else { return };
    if let Some(kind) = strategy.get("type").filter(|kind| kind.text() == Some("OnDelete")) {
        let problem = "the update strategy OnDelete replaces no pod by itself";
        findings.add(&ON_DELETE, subject.at(kind), problem, "write `updateStrategy: {type: RollingUpdate}`");
    }
}

fn job(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(plan) = subject.plan.filter(|plan| !plan.longest_grace().is_zero()) else { return };
    findings.add(
        &JOB,
        subject.container_at(),
        format!("no traffic arrives at a Job, and its shutdown keeps serving for {}", Pretty(plan.longest_grace())),
        "set GRACEFUL_GRACE to 0s in `env`, or grace = \"0s\" in the program",
    );
}

fn sidecars(subject: &Subject<'_>, findings: &mut Findings) {
    let containers = subject.workload.pod.get("containers").map(Node::items).unwrap_or_default();
    for container in containers.iter().filter(|container| !std::ptr::eq(&***container, subject.container)) {
        let texts = ["name", "image"].map(|key| container.get(key).and_then(Node::text).unwrap_or_default());
        let is_sidecar = SIDECARS.iter().any(|known| texts.iter().any(|text| text.contains(known)));
        if is_sidecar && container.path(&["lifecycle", "preStop"]).is_none() {
            findings.add(
                &SIDECAR,
                subject.at(container.get("name").unwrap_or(container)),
                format!("the container {} gets SIGTERM together with {} and can exit first", texts[0], subject.name()),
                "move it to `initContainers` with `restartPolicy: Always`",
            );
        }
    }
}
