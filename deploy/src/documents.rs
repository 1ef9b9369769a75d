//! Manifests: the documents of files, and what they say about workloads, Services, Ingresses and budgets.

use crate::{
    edit::Editor,
    silence::Silence,
    source::{At, Source, Unreadable},
    yaml::{self, Node, Value},
};
use std::{ops::Range, sync::Arc};

/// A parsed manifest: one or more documents, YAML or JSON, `List`s included.
///
/// ```
/// let manifest = graceful_deploy::Manifest::parse("app.yaml", "kind: Pod\nmetadata: {name: app}\n").unwrap();
/// assert_eq!(manifest.name(), "app.yaml");
/// ```
#[derive(Debug, Clone)]
pub struct Manifest {
    pub(crate) source: Source,
    pub(crate) documents: Vec<Arc<Node>>,
    pub(crate) silences: Vec<Silence>,
    aliased: Vec<Range<usize>>,
}

impl Manifest {
    /// Parses a file's text; `name` stands in findings.
    ///
    /// # Errors
    /// The text is not YAML, has more than 4 MiB, is nested more than 64 levels deep, expands to too many values, is a
    /// Helm template or a kustomization, or is not a Kubernetes manifest.
    ///
    /// ```
    /// use graceful_deploy::Manifest;
    /// assert!(Manifest::parse("pod.json", r#"{"kind": "Pod"}"#).is_ok());
    /// let error = Manifest::parse("kustomization.yaml", "resources: [app.yaml]").unwrap_err();
    /// assert!(error.fix().contains("kubectl kustomize"));
    /// ```
    pub fn parse(name: &str, text: &str) -> Result<Self, Unreadable> {
        let source = Source::new(name, text)?;
        let parsed = yaml::parse(&source).map_err(|error| match template(&source) {
            Some(at) => helm(&source, &at),
            None => error,
        })?;
        let mut documents = Vec::new();
        for document in &parsed.documents {
            check(&source, document)?;
            match document.get("items") {
                Some(items) if document.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List")) => {
                    for item in items.items() {
                        check(&source, item)?;
                    }
                    documents.extend(items.items().iter().cloned());
                }
                _ => documents.push(Arc::clone(document)),
            }
        }
        documents.retain(|document| document.get("kind").is_some());
        if documents.is_empty() {
            return Err(Unreadable::new(
                name,
                (1, 1),
                "the file has no Kubernetes object",
                "pass a manifest with `apiVersion`, `kind` and `spec`",
            ));
        }
        let silences = Silence::all(&source, &parsed.comments);
        Ok(Self { source, documents, silences, aliased: parsed.aliased })
    }

    /// The file's name.
    ///
    /// ```
    /// # let manifest = graceful_deploy::Manifest::parse("app.yaml", "kind: Pod").unwrap();
    /// assert_eq!(manifest.name(), "app.yaml");
    /// ```
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// What writes edits of this file.
    pub(crate) fn editor(&self) -> Editor<'_> {
        Editor::new(&self.source, &self.aliased)
    }

    /// The names of the containers of all workloads, sidecars included.
    ///
    /// ```
    /// let text = "kind: Pod\nspec: {containers: [{name: app}, {name: proxy}]}";
    /// let manifest = graceful_deploy::Manifest::parse("app.yaml", text).unwrap();
    /// assert_eq!(manifest.containers(), ["app", "proxy"]);
    /// ```
    pub fn containers(&self) -> Vec<&str> {
        let workloads = self.documents.iter().filter_map(|document| Workload::new(self, document));
        workloads.flat_map(|workload| workload.containers()).filter_map(|(_, name)| name).collect()
    }
}

/// Refuses a document that is not a Kubernetes object, a template or a kustomization.
fn check(source: &Source, document: &Node) -> Result<(), Unreadable> {
    let place = (document.at.line, document.at.column);
    let refused = |problem: &str, fix: &str| Err(Unreadable::new(&source.name, place, problem, fix));
    let Value::Map(_) = document.value else {
        if matches!(document.value, Value::Scalar(..)) && document.text().is_none() {
            return Ok(()); // An empty document, as between two `---`.
        }
        return refused("not a Kubernetes object", "pass a manifest with `apiVersion`, `kind` and `spec`");
    };
    if let Some(at) = unquoted_template(document) {
        return Err(helm(source, at));
    }
    let text = |keys: &[&str]| document.path(keys).and_then(Node::text).unwrap_or_default();
    if ["name", "namespace"].iter().any(|key| text(&["metadata", key]).contains("{{")) {
        return Err(helm(source, &document.at));
    }
    let has_name = ["kustomization.yaml", "kustomization.yml", "Kustomization"]
        .iter()
        .any(|name| source.name.rsplit(['/', '\\']).next() == Some(name));
    if text(&["apiVersion"]).starts_with("kustomize.config.k8s.io/") || (has_name && text(&["kind"]).is_empty()) {
        return refused(
            "this is a kustomization, not what it renders",
            "check what it renders: `kubectl kustomize . | cargo graceful check -`",
        );
    }
    if document.get("kind").is_none() {
        return refused("not a Kubernetes object: `kind` is missing", "pass a manifest, not the values of a chart");
    }
    Ok(())
}

fn helm(source: &Source, at: &At) -> Unreadable {
    Unreadable::new(
        &source.name,
        (at.line, at.column),
        "this is a Helm template, not what it renders",
        "check what it renders: `helm template . | cargo graceful check -`",
    )
}

/// The first `{{` outside of comments.
fn template(source: &Source) -> Option<At> {
    let mut start = 0;
    for line in source.text.split_inclusive('\n') {
        if let Some(found) = line.find("{{").filter(|_| !line.trim_start().starts_with('#')) {
            return Some(source.at(start + found..start + found + 2));
        }
        start += line.len();
    }
    None
}

/// A `{{ }}` without quotes, which YAML reads as a map whose key is a map. The depth is bounded by the parser.
fn unquoted_template(node: &Node) -> Option<&At> {
    for (key, value) in node.entries() {
        if matches!(key.value, Value::Map(_)) {
            return Some(&node.at);
        }
        if let Some(at) = unquoted_template(value) {
            return Some(at);
        }
    }
    node.items().iter().find_map(|item| unquoted_template(item))
}

/// The kinds with a pod template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    ReplicaSet,
    Job,
    CronJob,
    Pod,
    Rollout,
    KnativeService,
}

/// A document with a pod template.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workload<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) kind: Kind,
    pub(crate) document: &'a Node,
    /// The `spec` of the workload.
    pub(crate) spec: &'a Node,
    /// The `spec` of its pods.
    pub(crate) pod: &'a Node,
    metadata: Option<&'a Node>,
}

impl<'a> Workload<'a> {
    pub(crate) fn new(manifest: &'a Manifest, document: &'a Node) -> Option<Self> {
        let api = document.get("apiVersion").and_then(Node::text).unwrap_or_default();
        let kind = match document.get("kind")?.text()? {
            "Deployment" => Kind::Deployment,
            "StatefulSet" => Kind::StatefulSet,
            "DaemonSet" => Kind::DaemonSet,
            "ReplicaSet" => Kind::ReplicaSet,
            "Job" => Kind::Job,
            "CronJob" => Kind::CronJob,
            "Pod" => Kind::Pod,
            "Rollout" if api.starts_with("argoproj.io/") => Kind::Rollout,
            "Service" if api.starts_with("serving.knative.dev/") => Kind::KnativeService,
            _ => return None,
        };
        let spec = document.get("spec")?;
        let template = match kind {
            Kind::Pod => document,
            Kind::CronJob => spec.path(&["jobTemplate", "spec", "template"])?,
            _ => spec.get("template")?,
        };
        Some(Self { manifest, kind, document, spec, pod: template.get("spec")?, metadata: template.get("metadata") })
    }

    /// Whether the pods mount a claim, which other pods may not mount at the same time.
    pub(crate) fn has_claims(&self) -> bool {
        let volumes = self.pod.get("volumes").map(Node::items).unwrap_or_default();
        volumes.iter().any(|volume| volume.get("persistentVolumeClaim").is_some())
    }

    /// The containers that run beside each other: native sidecars, then containers, each with its name.
    pub(crate) fn containers(&self) -> impl Iterator<Item = (&'a Node, Option<&'a str>)> + use<'a> {
        let of = |key: &str| self.pod.get(key).map(Node::items).unwrap_or_default().iter().map(|node| &**node);
        let native =
            of("initContainers").filter(|node| node.get("restartPolicy").and_then(Node::text) == Some("Always"));
        native.chain(of("containers")).map(|node| (node, node.get("name").and_then(Node::text)))
    }

    /// The container that most likely runs the program: the annotated one, the only one, one of the workload's name, or
    /// the first.
    pub(crate) fn main_container(&self) -> Option<&'a Node> {
        let annotation = self.metadata.and_then(|metadata| {
            metadata.path(&["annotations", "kubectl.kubernetes.io/default-container"]).and_then(Node::text)
        });
        let containers = self.pod.get("containers").map(Node::items).unwrap_or_default();
        let named = |name: Option<&str>| {
            containers.iter().find(|node| name.is_some() && node.get("name").and_then(Node::text) == name)
        };
        named(annotation).or_else(|| named(name(self.document))).or(containers.first()).map(|node| &**node)
    }

    /// The explicit number of replicas, if no autoscaler of the files changes it; 1 if the key is missing.
    pub(crate) fn replicas(&self, objects: &Objects<'_>) -> Option<u64> {
        let scaled = objects.of("HorizontalPodAutoscaler").chain(objects.of("ScaledObject")).any(|(_, scaler)| {
            let target = scaler.path(&["spec", "scaleTargetRef", "name"]).and_then(Node::text);
            target == name(self.document)
        });
        match self.spec.get("replicas") {
            _ if scaled => None,
            None => Some(1),
            Some(replicas) => replicas.number(),
        }
    }

    /// Whether a selector (a map of labels) selects the pods, in the namespace of this document.
    pub(crate) fn is_selected(&self, by: &Node, selector: &Node) -> bool {
        let labels = self.metadata.and_then(|metadata| metadata.get("labels"));
        let selected = selector.entries().iter().all(|(key, value)| {
            key.text().is_some_and(|key| labels.and_then(|labels| labels.get(key)).and_then(Node::text) == value.text())
        });
        selected && !selector.entries().is_empty() && namespace(by) == namespace(self.document)
    }
}

/// The name of an object.
pub(crate) fn name(document: &Node) -> Option<&str> {
    document.path(&["metadata", "name"]).and_then(Node::text)
}

/// The namespace of an object.
pub(crate) fn namespace(document: &Node) -> &str {
    document.path(&["metadata", "namespace"]).and_then(Node::text).unwrap_or("default")
}

/// All objects of the files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Objects<'a>(pub(crate) &'a [Manifest]);

impl<'a> Objects<'a> {
    /// The objects of a kind, each with its file.
    pub(crate) fn of(self, kind: &'static str) -> impl Iterator<Item = (&'a Manifest, &'a Node)> {
        let of_kind = move |node: &&Arc<Node>| node.get("kind").and_then(Node::text) == Some(kind);
        self.0.iter().flat_map(move |file| file.documents.iter().filter(of_kind).map(move |node| (file, &**node)))
    }

    /// Every workload.
    pub(crate) fn workloads(self) -> impl Iterator<Item = Workload<'a>> {
        self.0.iter().flat_map(|file| file.documents.iter().filter_map(move |node| Workload::new(file, node)))
    }

    /// The Services of Kubernetes that select the pods of a workload.
    pub(crate) fn services(self, workload: &Workload<'a>) -> Vec<(&'a Manifest, &'a Node)> {
        let selects = |(_, service): &(&Manifest, &Node)| {
            service.path(&["spec", "selector"]).is_some_and(|selector| workload.is_selected(service, selector))
        };
        self.of("Service").filter(selects).collect()
    }
}
