//! The workload that is rehearsed: what is named, and what the cluster knows of it.

use super::kubectl::{CALL, Kubectl, failed};
use crate::exit_code::Failure;
use serde_json::Value;
use std::{fmt, str::FromStr, time::Duration};

/// A kind of workload whose pods a controller replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

impl Kind {
    /// The kind with its names: as it is written, in RBAC rules, and other names that `kubectl` accepts.
    const NAMES: [(Self, &'static str, &'static str, [&'static str; 2]); 3] = [
        (Self::Deployment, "deployment", "deployments.apps", ["deployments", "deploy"]),
        (Self::StatefulSet, "statefulset", "statefulsets.apps", ["statefulsets", "sts"]),
        (Self::DaemonSet, "daemonset", "daemonsets.apps", ["daemonsets", "ds"]),
    ];

    fn names(self) -> (&'static str, &'static str) {
        let found = Self::NAMES.iter().find(|(kind, ..)| *kind == self);
        found.map_or(("", ""), |(_, name, resource, _)| (name, resource))
    }

    /// The resource with its group.
    pub(crate) fn resource(self) -> &'static str {
        self.names().1
    }
}

/// `KIND/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    name: String,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.names().0, self.name)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((kind, name)) = text.split_once('/') else {
            return Err(format!("no kind; write deployment/{text}"));
        };
        let asked = kind.to_ascii_lowercase();
        let is_asked = |name: &str| asked == name || asked == format!("{name}.apps");
        let found =
            Kind::NAMES.iter().find(|(_, name, _, others)| is_asked(name) || others.iter().any(|it| is_asked(it)));
        let Some((kind, ..)) = found else {
            return Err(format!("the kind {kind} is not deployment, statefulset or daemonset"));
        };
        // The names of objects, which cannot be mistaken for an option.
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        if name.is_empty() || !name.chars().all(is_name) || name.starts_with(['-', '.']) {
            return Err(format!("`{name}` is not the name of an object"));
        }
        Ok(Self { kind: *kind, name: name.to_owned() })
    }
}

/// A workload as the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) namespace: String,
    /// The selector of its pods, as `kubectl` takes it.
    pub(crate) selector: String,
    pub(crate) replicas: usize,
    pub(crate) termination_grace_period: Duration,
    /// The names of its containers.
    pub(crate) containers: Vec<String>,
    /// The update strategy of a StatefulSet or DaemonSet: pods are replaced only after somebody deletes them.
    pub(crate) on_delete: bool,
}

impl Workload {
    /// Asks the cluster.
    ///
    /// # Errors
    /// It does not exist, or `kubectl` fails.
    pub(crate) async fn get(kubectl: &Kubectl, target: &Target) -> Result<Self, Failure> {
        let (call, name) = (format!("get {target}"), target.to_string());
        let object = kubectl.json(&["get", &name, "--output=json"], CALL).await?;
        Self::of(&object).ok_or_else(|| failed(&call, "the object has no selector or no pod template"))
    }

    fn of(object: &Value) -> Option<Self> {
        let (spec, pod) = (&object["spec"], &object["spec"]["template"]["spec"]);
        let replicas = match object["kind"].as_str()? {
            "DaemonSet" => object["status"]["desiredNumberScheduled"].as_u64().unwrap_or_default(),
            _ => spec["replicas"].as_u64().unwrap_or(1),
        };
        let containers = pod["containers"].as_array()?.iter();
        Some(Self {
            namespace: object["metadata"]["namespace"].as_str().unwrap_or_default().to_owned(),
            selector: selector(&spec["selector"])?,
            replicas: usize::try_from(replicas).ok()?,
            termination_grace_period: Duration::from_secs(pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(30)),
            containers: containers.filter_map(|one| Some(one["name"].as_str()?.to_owned())).collect(),
            on_delete: spec["updateStrategy"]["type"] == "OnDelete",
        })
    }
}

/// A label selector as text.
fn selector(selector: &Value) -> Option<String> {
    let mut parts = Vec::new();
    for (key, value) in selector["matchLabels"].as_object().into_iter().flatten() {
        parts.push(format!("{key}={}", value.as_str()?));
    }
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let key = expression["key"].as_str()?;
        let values = expression["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let values = values.collect::<Vec<_>>().join(",");
        parts.push(match expression["operator"].as_str()? {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_target_is_a_kind_and_a_name() {
        for (text, shown) in [
            ("deployment/web", "deployment/web"),
            ("deploy/web", "deployment/web"),
            ("StatefulSet/db-0.a", "statefulset/db-0.a"),
            ("daemonsets.apps/agent", "daemonset/agent"),
        ] {
            assert_eq!(text.parse::<Target>().map(|target| target.to_string()).as_deref(), Ok(shown));
        }
        for (text, said) in [
            ("web", "write deployment/web"),
            ("job/web", "the kind job is not"),
            ("deployment/", "is not the name"),
            ("deployment/--all", "is not the name"),
            ("deployment/a b", "is not the name"),
        ] {
            assert!(text.parse::<Target>().unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn a_workload_is_read_with_its_selector() {
        let object = json!({
            "kind": "Deployment",
            "metadata": {"namespace": "shop"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "web"}, "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["a", "b"]},
                    {"key": "canary", "operator": "DoesNotExist"},
                ]},
                "template": {"spec": {"terminationGracePeriodSeconds": 45, "containers": [{"name": "app"}]}},
            },
        });
        let workload = Workload::of(&object).unwrap();
        assert_eq!(workload.selector, "app=web,tier in (a,b),!canary");
        assert_eq!((workload.replicas, workload.termination_grace_period.as_secs()), (3, 45));
        assert_eq!(workload.containers, ["app"]);
        // A selector that matches every pod of the namespace is refused.
        assert_eq!(
            Workload::of(&json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": []}}}})),
            None
        );
    }
}
