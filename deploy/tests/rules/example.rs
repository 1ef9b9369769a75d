//! Turns a rule's example into a whole manifest, and checks it.

use graceful_deploy::{Check, Dockerfile, Facts, Finding, Fix, Fixed, Manifest, Place, Rule};
use graceful_plan::{Health, Plan};

/// The parts of the Deployment: its `spec`, the pod's, the container's. Each entry is a key with its lines.
const SPEC: [&str; 2] = ["replicas: 3", "selector: {matchLabels: {app: app}}"];
const POD: [&str; 1] = ["terminationGracePeriodSeconds: 30"];
const CONTAINER: [&str; 6] = [
    "image: registry.example/app:1",
    "command: [/app]",
    "ports: [{name: http, containerPort: 3000}, {name: health, containerPort: 8081}]",
    "startupProbe: {httpGet: {path: /startupz, port: health}, periodSeconds: 1, failureThreshold: 60}",
    "readinessProbe: {httpGet: {path: /readyz, port: health}, periodSeconds: 5}",
    "livenessProbe: {httpGet: {path: /livez, port: health}}",
];
const PDB: &str = "---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: app}
spec:
  maxUnavailable: 1
  selector: {matchLabels: {app: app}}
";

fn key(line: &str) -> &str {
    line.split(':').next().unwrap_or_default()
}

/// The entries of a part, with those of the fragment in place of the ones with the same key.
fn part(own: &[&str], fragment: &str, indent: usize) -> String {
    let replaced =
        |line: &&&str| !fragment.lines().any(|new| !new.starts_with([' ', '#', '-']) && key(new) == key(line));
    let lines = own.iter().filter(replaced).copied().chain(fragment.lines());
    lines.map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

/// The Deployment with a fragment at its place.
pub(crate) fn base(place: Place, fragment: &str) -> String {
    let at = |wanted: Place| if place == wanted { fragment } else { "" };
    let pdb = if fragment.contains("PodDisruptionBudget") { "" } else { PDB };
    let document = match at(Place::Document) {
        "" => String::new(),
        document => format!("---\n{document}\n"),
    };
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n{}  template:\n    metadata: {{labels: {{app: app}}}}\n    \
         spec:\n{}      containers:\n      - name: app\n{}{pdb}{document}",
        part(&SPEC, at(Place::Spec), 2),
        part(&POD, at(Place::Pod), 6),
        part(&CONTAINER, at(Place::Container), 8),
    )
}

/// The text of the file that a rule's example is a part of.
pub(crate) fn whole(rule: &Rule, fragment: &str) -> String {
    match rule.place {
        Place::Manifest | Place::Dockerfile => fragment.to_owned(),
        place => base(place, fragment),
    }
}

/// The findings of a rule's example.
pub(crate) fn findings(rule: &Rule, fragment: &str) -> Vec<Finding> {
    findings_in(rule, &whole(rule, fragment))
}

/// The findings of a whole manifest or Dockerfile with the program of a rule's examples.
pub(crate) fn findings_in(rule: &Rule, text: &str) -> Vec<Finding> {
    let with = Example::of(rule, text);
    let manifests = [Manifest::parse("app.yaml", &with.manifest).unwrap()];
    let dockerfile = with.dockerfile.map(|text| Dockerfile::parse("Dockerfile", text).unwrap());
    let mut check = Check::new(&manifests);
    if let Some(facts) = &with.facts {
        check = check.facts(facts);
    }
    if let Some(dockerfile) = &dockerfile {
        check = check.dockerfile(dockerfile);
    }
    check.run()
}

/// The same with the mechanical fixes applied.
pub(crate) fn fixed(rule: &Rule, text: &str) -> Fixed {
    let with = Example::of(rule, text);
    let mut fix = Fix::new().manifest("app.yaml", &with.manifest);
    if let Some(facts) = &with.facts {
        fix = fix.facts(facts);
    }
    if let Some(text) = with.dockerfile {
        fix = fix.dockerfile("Dockerfile", text);
    }
    fix.run().unwrap()
}

/// The files of an example, and what is known of its program.
struct Example<'a> {
    manifest: String,
    dockerfile: Option<&'a str>,
    facts: Option<Facts>,
}

impl<'a> Example<'a> {
    fn of(rule: &Rule, text: &'a str) -> Self {
        let mut facts = Facts::new(Plan::DEFAULT);
        match rule.program {
            "" | "no program" => {}
            "init = true" => facts.plan.init = true,
            "health = \"off\"" => facts.plan.health = Health::Off,
            "grpc = none" => facts.grpc_services = Some(Vec::new()),
            other => panic!("the examples know no program with `{other}`"),
        }
        let facts = (rule.program != "no program").then_some(facts);
        if rule.place == Place::Dockerfile {
            let manifest = base(Place::Container, "").replace("        command: [/app]\n", "");
            return Self { manifest, dockerfile: Some(text), facts };
        }
        Self { manifest: text.to_owned(), dockerfile: None, facts }
    }
}
