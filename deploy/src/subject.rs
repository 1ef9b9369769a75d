//! One container of one workload with everything that its rules look at.

use crate::{
    dockerfile::Dockerfile,
    documents::{Kind, Objects, Workload},
    edit::{Edit, Editor},
    facts::Facts,
    render::New,
    source::{At, Source},
    yaml::Node,
};
use graceful_plan::{Budget, Health, Plan};
use std::time::Duration;

/// The keys of the three probes.
pub(crate) const PROBES: [&str; 3] = ["readinessProbe", "livenessProbe", "startupProbe"];

/// A container under check.
pub(crate) struct Subject<'a> {
    pub(crate) facts: Option<&'a Facts>,
    /// The plan with the overrides in `env`.
    pub(crate) plan: Option<Plan>,
    pub(crate) workload: Workload<'a>,
    pub(crate) container: &'a Node,
    pub(crate) objects: Objects<'a>,
    pub(crate) dockerfile: Option<&'a Dockerfile>,
}

impl<'a> Subject<'a> {
    /// What writes edits of the workload's file.
    pub(crate) fn editor(&self) -> Editor<'a> {
        self.workload.manifest.editor()
    }

    /// The place of a node in the workload's file.
    pub(crate) fn at(&self, node: &'a Node) -> (&'a Source, &'a At) {
        (&self.workload.manifest.source, &node.at)
    }

    /// The place of the container: its name.
    pub(crate) fn container_at(&self) -> (&'a Source, &'a At) {
        self.at(self.container.get("name").unwrap_or(self.container))
    }

    /// The place of a key, or of the workload's kind if the key is missing.
    pub(crate) fn key_or_kind(&self, map: &'a Node, key: &str) -> (&'a Source, &'a At) {
        let kind = self.workload.document.get("kind").unwrap_or(self.workload.document);
        self.at(map.get(key).unwrap_or(kind))
    }

    /// The container's name for messages.
    pub(crate) fn name(&self) -> &'a str {
        self.container.get("name").and_then(Node::text).unwrap_or("without a name")
    }

    /// The port of the health server; `None` if there is none, or it is not fixed or not known.
    pub(crate) fn health_port(&self) -> Option<u16> {
        match self.plan?.health {
            Health::At(address) if address.port() != 0 => Some(address.port()),
            _ => None,
        }
    }

    /// Whether the program certainly has a health server.
    pub(crate) fn has_health_server(&self) -> bool {
        self.plan.is_some_and(|plan| plan.health != Health::Off)
    }

    /// What the shutdown needs, the preStop hook and the linked hooks included.
    pub(crate) fn budget(&self) -> Option<Budget> {
        Some(self.facts?.budget(self.plan?))
    }

    /// The ports that the container declares: name and number.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (Option<&'a str>, u64)> + use<'a> {
        let ports = self.container.get("ports").map(Node::items).unwrap_or_default().iter();
        ports.filter_map(|port| {
            let number = port.get("containerPort")?.number()?;
            Some((port.get("name").and_then(Node::text), number))
        })
    }

    /// The number of a port that is given by number or by name.
    pub(crate) fn port(&self, port: &Node) -> Option<u64> {
        let text = port.text()?;
        text.parse().ok().or_else(|| self.ports().find(|(name, _)| *name == Some(text)).map(|(_, number)| number))
    }

    /// The probes of the container with their keys.
    pub(crate) fn probes(&self) -> impl Iterator<Item = (&'static str, Probe<'a>)> + use<'a> {
        let container = self.container;
        PROBES.into_iter().filter_map(move |key| Some((key, Probe(container.get(key)?))))
    }

    pub(crate) fn probe(&self, key: &str) -> Option<Probe<'a>> {
        self.container.get(key).map(Probe)
    }

    /// Whether the container serves traffic: it declares a port, or a Service selects its pod.
    pub(crate) fn serves_traffic(&self) -> bool {
        let traffic = |(name, number): (Option<&str>, u64)| {
            Some(number) != self.health_port().map(u64::from) && !name.is_some_and(|name| name.contains("metrics"))
        };
        self.ports().any(traffic) || !self.objects.services(&self.workload).is_empty()
    }

    /// Whether a rollout of this kind replaces pods one after the other, beside each other.
    pub(crate) fn is_rolled_out(&self) -> bool {
        matches!(self.workload.kind, Kind::Deployment | Kind::Rollout)
    }
}

/// A probe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Probe<'a>(pub(crate) &'a Node);

impl<'a> Probe<'a> {
    pub(crate) fn http(self) -> Option<&'a Node> {
        self.0.get("httpGet")
    }

    pub(crate) fn tcp(self) -> Option<&'a Node> {
        self.0.get("tcpSocket")
    }

    pub(crate) fn grpc(self) -> Option<&'a Node> {
        self.0.get("grpc")
    }

    /// The port of a probe over the network, if the probe is not sent to another host.
    pub(crate) fn port(self) -> Option<&'a Node> {
        let handler = self.http().or_else(|| self.tcp()).or_else(|| self.grpc())?;
        handler.get("port").filter(|_| handler.get("host").is_none())
    }

    /// Makes a probe over TCP or gRPC one over HTTP, on the same port.
    pub(crate) fn over_http(self, editor: Editor<'_>, path: &str) -> Vec<Option<Edit>> {
        let (key, handler) = match (self.0.get("grpc"), self.0.get("tcpSocket")) {
            (Some(grpc), _) => ("grpc", grpc),
            (None, Some(tcp)) => ("tcpSocket", tcp),
            (None, None) => return vec![None],
        };
        let mut edits = vec![editor.rename(self.0, key, "httpGet")];
        match handler.get("service") {
            Some(service) => {
                edits.extend([editor.rename(handler, "service", "path"), editor.replace(service, New::Text(path))])
            }
            None => edits.push(editor.insert(handler, &[], "path", New::Text(path))),
        }
        edits
    }

    /// The path of a probe over HTTP.
    pub(crate) fn path(self) -> Option<&'a str> {
        self.http().map(|http| http.get("path").and_then(Node::text).unwrap_or("/"))
    }

    fn seconds(self, key: &str, default: u64) -> u64 {
        self.0.get(key).and_then(Node::number).unwrap_or(default)
    }

    pub(crate) fn period(self) -> u64 {
        self.seconds("periodSeconds", 10).max(1)
    }

    pub(crate) fn timeout(self) -> u64 {
        self.seconds("timeoutSeconds", 1).max(1)
    }

    /// The time from the first failure to the restart, at the least.
    pub(crate) fn patience(self) -> Duration {
        Duration::from_secs((self.seconds("failureThreshold", 3).max(1) - 1).saturating_mul(self.period()))
    }

    /// The time from the start of the container to its first possible restart.
    pub(crate) fn first_restart(self) -> Duration {
        self.patience().saturating_add(Duration::from_secs(self.seconds("initialDelaySeconds", 0)))
    }
}

/// The seconds of a duration, rounded up.
pub(crate) fn whole_seconds(length: Duration) -> u64 {
    length.as_secs() + u64::from(length.subsec_nanos() > 0)
}
