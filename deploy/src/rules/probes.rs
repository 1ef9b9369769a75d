//! Checks how the kubelet sees the process.

use crate::{
    documents::{Kind, name, namespace},
    facts::Facts,
    finding::Findings,
    render::New,
    subject::{PROBES, Probe, Subject},
    table::probes::*,
    yaml::Node,
};
use graceful_plan::{Health, duration::Pretty};
use std::time::Duration;

/// A restart that is possible this soon after the start is too soon.
const SOON: Duration = Duration::from_secs(15);
/// Words in a readiness path.
const READY: [&str; 3] = ["/readyz", "/ready", "/-/ready"];

pub(crate) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let runs_for_ever = !matches!(subject.workload.kind, Kind::Job | Kind::CronJob | Kind::KnativeService);
    if runs_for_ever && subject.probe(PROBES[0]).is_none() && subject.serves_traffic() {
        findings
            .add(
                &READINESS_MISSING,
                subject.container_at(),
                format!("the container {} serves traffic and has no readiness probe", subject.name()),
                match subject.health_port() {
                    Some(port) => format!("write `readinessProbe: {{httpGet: {{path: /readyz, port: {port}}}}}`"),
                    None => "add a readinessProbe to a path that shows whether the process serves".to_owned(),
                },
            )
            .mechanical([subject.health_port().and_then(|port| {
                let asked = New::Map(&[("path", New::Text("/readyz")), ("port", New::Number(port.into()))]);
                let probe = New::Map(&[("httpGet", asked)]);
                subject.editor().insert(subject.container, &["startupProbe", "ports"], PROBES[0], probe)
            })]);
    }
    for (key, probe) in subject.probes() {
        let served = target(subject, key, probe, findings);
        if probe.timeout() > probe.period() {
            let at = probe.0.get("timeoutSeconds").unwrap_or(probe.0);
            findings
                .add(
                    &TIMEOUT_LONG,
                    subject.at(at),
                    format!("the {key} has a timeout of {}s and a period of {}s", probe.timeout(), probe.period()),
                    format!("write `timeoutSeconds: {}`, or a longer period", probe.period()),
                )
                .mechanical([subject.editor().replace(at, New::Number(probe.period()))]);
        }
        exec(subject, key, probe, findings);
        if key == "livenessProbe" {
            liveness(subject, probe, served, findings);
        }
    }
    published(subject, findings);
}

/// What a probe asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Health,
    Other,
    Unknown,
}

/// Checks port, path, scheme and service of a probe. Reports the first problem only, because the others follow from it.
fn target(subject: &Subject<'_>, key: &str, probe: Probe<'_>, findings: &mut Findings) -> Target {
    let Some(port) = probe.port() else { return Target::Unknown };
    let (shown, health) = (port.text().unwrap_or_default(), subject.health_port());
    let Some(number) = subject.port(port) else {
        let problem = format!("no port of the container {} has the name {shown}", subject.name());
        let names: Vec<_> = subject.ports().filter_map(|(name, _)| name).collect();
        let fix = match (health, names.is_empty()) {
            (Some(health), _) => format!(
                "write `port: {health}`, or name the port: `ports: [{{name: {shown}, containerPort: {health}}}]`"
            ),
            (None, true) => {
                format!("add `ports: [{{name: {shown}, containerPort: ..}}]` to the container, or write the number")
            }
            (None, false) => format!("the container's ports are {}", names.join(", ")),
        };
        findings
            .add(&PORT_UNSERVED, subject.at(port), problem, fix)
            .mechanical([health.and_then(|health| subject.editor().replace(port, New::Number(health.into())))]);
        return Target::Unknown;
    };
    let Some(health) = health else { return Target::Unknown };
    if number != u64::from(health) {
        let problem = format!("the {key} asks port {number}, and the health server listens on {health}");
        let fix = format!("write `port: {health}`");
        // A TCP probe or a path of the program's own can be meant, also at a port that the container does not declare. A
        // health path at such a port is a mistake.
        let is_declared = subject.ports().any(|(_, declared)| declared == number);
        let is_for_health = subject.facts.zip(probe.path()).is_some_and(|(facts, path)| facts.serves(path));
        let rule = if is_for_health && !is_declared { &PORT_UNSERVED } else { &OTHER_PORT };
        let finding = findings.add(rule, subject.at(port), problem, fix);
        if is_for_health {
            finding.mechanical([subject.editor().replace(port, New::Number(health.into()))]);
        }
        return Target::Other;
    }
    let Some(facts) = subject.facts else { return Target::Health };
    if let Some(http) = probe.http() {
        let scheme =
            http.get("scheme").filter(|scheme| scheme.text().is_some_and(|text| text.eq_ignore_ascii_case("HTTPS")));
        let path = probe.path().unwrap_or("/");
        if let Some(scheme) = scheme {
            let problem = format!("the {key} speaks HTTPS, and the health server serves plain HTTP");
            findings
                .add(&SCHEME_UNSERVED, subject.at(scheme), problem, "remove `scheme: HTTPS`")
                .mechanical([subject.editor().replace(scheme, New::Text("HTTP"))]);
        } else if !facts.serves(path) {
            let (written, right) = (http.get("path"), own_path(facts, key));
            findings
                .add(
                    &PATH_UNSERVED,
                    subject.at(written.unwrap_or(http)),
                    format!("the {key} asks for {path}, which the health server does not serve"),
                    format!("write `path: {right}`"),
                )
                .mechanical([match written {
                    Some(path) => subject.editor().replace(path, New::Text(right)),
                    None => subject.editor().insert(http, &[], "path", New::Text(right)),
                }]);
        }
    }
    if let (Some(grpc), Some(services)) = (probe.grpc(), &facts.grpc_services) {
        let service = grpc.get("service").and_then(Node::text).unwrap_or_default();
        if !services.iter().any(|served| served == service) {
            let (problem, fix) = if services.is_empty() {
                (
                    format!("the {key} speaks gRPC, and the health server serves HTTP only"),
                    "use `httpGet`, or enable the feature `tonic`".to_owned(),
                )
            } else {
                (
                    format!("the {key} asks for the gRPC service `{service}`, which is not served"),
                    format!("the services are `{}`", services.join("`, `")),
                )
            };
            let finding = findings.add(&GRPC_UNSERVED, subject.at(grpc.get("service").unwrap_or(grpc)), problem, fix);
            if services.is_empty() {
                finding.mechanical(probe.over_http(subject.editor(), own_path(facts, key)));
            }
        }
    }
    if let Some(tcp) = probe.tcp().filter(|_| key == "readinessProbe") {
        let problem = "the readinessProbe connects to the health port, which accepts connections in every phase";
        findings
            .add(&TCP, subject.at(tcp), problem, format!("write `httpGet: {{path: /readyz, port: {health}}}`"))
            .mechanical(probe.over_http(subject.editor(), own_path(facts, key)));
    }
    Target::Health
}

/// The path of the health server that a probe of this key asks for.
fn own_path<'a>(facts: &'a Facts, key: &str) -> &'a str {
    let paths = match key {
        "livenessProbe" => &facts.liveness_paths,
        "startupProbe" => &facts.startup_paths,
        _ => &facts.readiness_paths,
    };
    paths.first().map_or("/readyz", String::as_str)
}

fn exec(subject: &Subject<'_>, key: &str, probe: Probe<'_>, findings: &mut Findings) {
    let Some(exec) = probe.0.get("exec") else { return };
    let command = exec.get("command").map(Node::texts).unwrap_or_default().join(" ");
    let is_client = command
        .split([' ', '\n'])
        .any(|word| ["curl", "wget", "grpc_health_probe"].contains(&word.rsplit('/').next().unwrap_or_default()));
    if is_client || subject.has_health_server() {
        let port = subject.health_port().map_or_else(|| "..".to_owned(), |port| port.to_string());
        let path = match key {
            "livenessProbe" => "/livez",
            "startupProbe" => "/startupz",
            _ => "/readyz",
        };
        let kind = if command.contains("grpc_health_probe") && !subject.has_health_server() {
            "grpc: {port: ..}".to_owned()
        } else {
            format!("httpGet: {{path: {path}, port: {port}}}")
        };
        let problem = format!("the {key} starts a process where the kubelet could ask over the network");
        findings.add(&EXEC, subject.at(exec), problem, format!("write `{kind}`"));
    }
}

fn liveness(subject: &Subject<'_>, probe: Probe<'_>, target: Target, findings: &mut Findings) {
    let at =
        probe.http().and_then(|http| http.get("path")).or_else(|| probe.grpc().and_then(|grpc| grpc.get("service")));
    let service = probe.grpc().and_then(|grpc| grpc.get("service")).and_then(Node::text);
    let is_ready = match (probe.path(), subject.facts) {
        (Some(path), Some(facts)) if target == Target::Health => Facts::covers(&facts.readiness_paths, path),
        (Some(path), _) => READY.contains(&path),
        (None, _) => service == Some("readiness"),
    };
    if is_ready {
        let fix = if service.is_some() {
            "write `service: liveness`"
        } else {
            "write `path: /livez`, or another path that depends on the process alone"
        };
        let problem = "the liveness probe asks for the readiness";
        let finding = findings.add(&LIVENESS_READY, subject.at(at.unwrap_or(probe.0)), problem, fix);
        // Another program's liveness is not known.
        if let (Some(facts), Some(at), Target::Health) = (subject.facts, at, target) {
            let right = if service.is_some() { "liveness" } else { own_path(facts, "livenessProbe") };
            finding.mechanical([subject.editor().replace(at, New::Text(right))]);
        }
    }
    // The health server of the program shows liveness from the first moment.
    let is_own = target == Target::Health && !is_ready;
    let place = subject.at(probe.0.get("periodSeconds").unwrap_or(probe.0));
    if subject.probe("startupProbe").is_none() && !is_own && !is_ready && probe.first_restart() < SOON {
        findings.add(
            &LIVENESS_START,
            place,
            format!("the liveness probe can restart the container {} after its start", Pretty(probe.first_restart())),
            "add a startupProbe with `periodSeconds: 1` and a failureThreshold of the longest start in seconds",
        );
    }
    let on_traffic = target == Target::Other || subject.plan.is_some_and(|plan| plan.health == Health::Off);
    let is_network = probe.port().is_some();
    if let (Some(plan), Some(budget), true) = (subject.plan, subject.budget(), on_traffic && is_network) {
        let closed = plan.drain.saturating_add(budget.hooks());
        if probe.patience() < closed {
            findings.add(
                &LIVENESS_DRAIN,
                place,
                format!(
                    "the liveness probe restarts the container after {} of failures, and the drain with its hooks takes {}",
                    Pretty(probe.patience()),
                    Pretty(closed)
                ),
                "ask the health port, which is open until the exit, or raise failureThreshold",
            );
        }
    }
}

/// Services and Ingresses that lead to the health port.
fn published(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(health) = subject.health_port() else { return };
    for (file, service) in subject.objects.services(&subject.workload) {
        for port in service.path(&["spec", "ports"]).map(Node::items).unwrap_or_default() {
            let target = port.get("targetPort").or_else(|| port.get("port"));
            let Some(target) = target.filter(|target| subject.port(target) == Some(health.into())) else { continue };
            findings.add(
                &PUBLISHED,
                (&file.source, &target.at),
                format!("the Service {} publishes the health port {health}", name(service).unwrap_or_default()),
                "remove the port from the Service: the kubelet probes the pod itself",
            );
            for (file, ingress) in
                subject.objects.of("Ingress").filter(|(_, ingress)| namespace(ingress) == namespace(service))
            {
                for backend in backends(ingress) {
                    let (number, named) = (backend.path(&["port", "number"]), backend.path(&["port", "name"]));
                    let is_port = number.is_some_and(|number| number.text() == port.get("port").and_then(Node::text))
                        || named.is_some_and(|named| named.text() == port.get("name").and_then(Node::text));
                    if is_port && backend.get("name").and_then(Node::text) == name(service) {
                        let problem = format!(
                            "the Ingress {} publishes the health port {health}",
                            name(ingress).unwrap_or_default()
                        );
                        findings.add(
                            &PUBLISHED,
                            (&file.source, &backend.at),
                            problem,
                            "remove the path from the Ingress",
                        );
                    }
                }
            }
        }
    }
}

/// The Services that an Ingress names.
fn backends(ingress: &Node) -> Vec<&Node> {
    let rules = ingress.path(&["spec", "rules"]).map(Node::items).unwrap_or_default();
    let paths = rules.iter().flat_map(|rule| rule.path(&["http", "paths"]).map(Node::items).unwrap_or_default());
    let of_paths = paths.filter_map(|path| path.path(&["backend", "service"]));
    of_paths.chain(ingress.path(&["spec", "defaultBackend", "service"])).collect()
}
