//! Manifests as different as those of real projects, with the findings that each must have.
#![allow(clippy::unwrap_used)]

use graceful_deploy::{Check, Facts, Manifest};
use graceful_plan::Plan;
use std::{fs, path::Path};

/// The container of our program in a file, or "" for a program that is not known; and the findings, by line.
const EXPECTED: [(&str, &str, &[&str]); 30] = [
    ("01-plain-deployment.yaml", "", &["8 pod-disruption-budget-missing"]),
    ("02-helm-rendered.yaml", "", &[]),
    ("03-deployment.json", "", &["6 strategy-recreate", "16 shell-without-exec"]),
    ("04-list.yaml", "", &[]),
    ("05-statefulset-on-delete.yaml", "", &["9 update-strategy-on-delete"]),
    ("06-daemonset-agent.yaml", "", &[]),
    ("07-sidecars-and-comments.yaml", "orders", &["29 probe-on-another-port"]),
    ("08-kustomize-output.yaml", "", &[]),
    ("09-cronjob.yaml", "", &[]),
    ("10-job-with-shell.yaml", "", &[]),
    ("11-knative.yaml", "", &[]),
    ("12-argo-rollout.yaml", "", &[]),
    ("13-worker-without-ports.yaml", "", &[]),
    ("14-hpa-managed.yaml", "", &[]),
    ("15-blocking-budget.yaml", "", &["20 pod-disruption-budget-blocks"]),
    ("16-istio-injected.yaml", "", &["10 sidecar-exits-before-the-app"]),
    ("17-native-sidecar.yaml", "", &[]),
    ("18-load-balancer.yaml", "", &["17 pod-disruption-budget-missing"]),
    ("19-anchors-and-merge.yaml", "", &[]),
    (
        "20-takes-all.yaml",
        "",
        &[
            "5 pod-disruption-budget-missing",
            "10 rollout-takes-all-replicas",
            "15 share-process-namespace",
            "17 readiness-probe-missing",
        ],
    ),
    ("21-sh-wrapper.yaml", "", &["17 shell-without-exec"]),
    ("22-dumb-init.yaml", "", &[]),
    ("23-windows-line-ends.yaml", "", &[]),
    (
        "24-probe-timeouts.yaml",
        "",
        &[
            "15 liveness-probe-kills-during-start",
            "16 probe-timeout-longer-than-period",
            "20 exec-probe-where-http-is-served",
        ],
    ),
    ("25-crds-and-noise.yaml", "", &[]),
    ("26-replicaset.yaml", "", &["11 readiness-probe-missing"]),
    ("27-ours.yaml", "app", &[]),
    ("28-ours-on-grpc.yaml", "ledger", &[]),
    (
        "29-ours-drifted.yaml",
        "drifted",
        &[
            "10 termination-grace-period-too-short",
            "16 stop-signal-not-handled",
            "18 pre-stop-not-in-plan",
            "19 probe-path-not-served",
            "20 liveness-probe-on-readiness-path",
        ],
    ),
    ("30-job-beside-ours.yaml", "app", &[]),
];

#[test]
fn each_manifest_has_exactly_its_findings() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, EXPECTED.map(|(name, ..)| name));
    let mut problems = Vec::new();
    for (name, container, expected) in EXPECTED {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let manifests = [Manifest::parse(name, &text).unwrap()];
        let facts = Facts::new(Plan::DEFAULT);
        let check = Check::new(&manifests);
        let findings = if container.is_empty() { check.run() } else { check.facts(&facts).container(container).run() };
        let found: Vec<_> = findings.iter().map(|finding| format!("{} {}", finding.line, finding.rule.id)).collect();
        if found != expected {
            let findings: Vec<_> = findings.iter().map(ToString::to_string).collect();
            problems.push(format!("{name}: expected {expected:#?}, found {findings:#?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
