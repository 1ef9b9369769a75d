//! Bad input ends in an error with its position, soon, and never in a panic.
#![allow(clippy::unwrap_used)]

use graceful_deploy::{Check, Dockerfile, Facts, Manifest, Unreadable, decode};
use graceful_plan::Plan;
use std::time::{Duration, Instant};

fn error(name: &str, text: &str) -> Unreadable {
    let start = Instant::now();
    let error = Manifest::parse(name, text).expect_err("the text is refused");
    assert!(start.elapsed() < Duration::from_secs(5), "{error}");
    error
}

fn findings(text: &str) -> Vec<String> {
    let manifests = [Manifest::parse("app.yaml", text).unwrap()];
    let facts = Facts::new(Plan::DEFAULT);
    Check::new(&manifests)
        .facts(&facts)
        .run()
        .iter()
        .map(|finding| format!("{}:{} {}", finding.line, finding.column, finding.rule.id))
        .collect()
}

#[test]
fn each_bad_manifest_is_refused_with_its_position() {
    let nested = format!("kind: Pod\nspec: {}1{}", "[".repeat(5000), "]".repeat(5000));
    let deep: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for (name, text, line, said) in [
        ("app.yaml", "kind: Pod\nspec: [1", 2, "not YAML"),
        ("app.yaml", "kind: Pod\nspec:\n\tcontainers: []\n", 3, "tab"),
        ("app.yaml", "just a text\n", 1, "not a Kubernetes object"),
        ("app.yaml", "- 1\n- 2\n", 1, "not a Kubernetes object"),
        ("app.yaml", "", 1, "no Kubernetes object"),
        ("app.yaml", "---\n---\n", 1, "no Kubernetes object"),
        ("values.yaml", "replicaCount: 3\nimage: {tag: 1}\n", 1, "`kind` is missing"),
        ("app.yaml", nested.as_str(), 2, "nested more than 64 levels"),
        ("app.yaml", deep.as_str(), 65, "nested more than 64 levels"),
        ("app.yaml", "kind: Pod\nspec: &a\n  b: *a\n", 3, "inside of its own anchor"),
        ("app.yaml", "kind: Pod\nspec: *nothing\n", 2, "not YAML"),
        ("templates/app.yaml", "kind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n", 3, "Helm template"),
        ("templates/app.yaml", "{{- if .Values.enabled }}\nkind: Pod\n{{- end }}\n", 1, "Helm template"),
        ("templates/app.yaml", "kind: Pod\nmetadata:\n  name: \"{{ .Release.Name }}\"\n", 1, "Helm template"),
        ("k8s/kustomization.yaml", "resources:\n- app.yaml\n", 1, "kustomization"),
        (
            "k.yaml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n",
            1,
            "kustomization",
        ),
        ("app.json", "{\"kind\": \"Pod\", \"spec\": {\"a\": }", 1, "not YAML"),
    ] {
        let error = error(name, text);
        assert!(error.to_string().contains(said), "{text:.60}: {error}");
        assert_eq!((error.file(), error.line()), (name, line), "{error}");
        assert!(error.column() > 0 && !error.fix().is_empty(), "{error}");
    }
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("kind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(error("app.yaml", &text).problem().contains("expand to more than"));
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let large = " ".repeat(5 * 1024 * 1024);
    assert!(error("app.yaml", &large).problem().contains("more than 4 MiB"));
    assert!(decode("app.yaml", large.as_bytes()).unwrap_err().problem().contains("more than 4 MiB"));
    assert!(Dockerfile::parse("Dockerfile", &large).unwrap_err().problem().contains("more than 4 MiB"));
}

#[test]
fn a_file_that_is_not_utf_8_is_refused() {
    let error = decode("app.yaml", b"kind: Pod\nname: \xfc").unwrap_err();
    assert_eq!((error.line(), error.column()), (2, 7));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_no_position() {
    let text = "kind: Pod\nspec:\n  terminationGracePeriodSeconds: 20\n  containers: [{name: app}]\n";
    let expected = ["3:34 termination-grace-period-too-short"];
    assert_eq!(findings(text), expected);
    assert_eq!(findings(&format!("\u{feff}{}", text.replace('\n', "\r\n"))), expected);
}

#[test]
fn values_of_a_wrong_type_are_no_panic() {
    for text in [
        "kind: Deployment\nspec: 3\n",
        "kind: Deployment\nspec: {template: [], replicas: many}\n",
        "kind: Deployment\nspec: {template: {spec: {containers: {name: app}}}}\n",
        "kind: Pod\nspec: {containers: [null, 3, [], {name: [a]}, {name: app, ports: 3, env: {a: b}, command: x, args: {}}]}\n",
        "kind: Pod\nspec: {terminationGracePeriodSeconds: -1, containers: [{name: app, livenessProbe: [], readinessProbe: {httpGet: 1}}]}\n",
        "kind: Pod\nspec: {containers: [{name: app, livenessProbe: {periodSeconds: 99999999999999999999, failureThreshold: 18446744073709551615}}]}\n",
        "kind: Pod\nspec: {terminationGracePeriodSeconds: 18446744073709551615, containers: [{name: app, livenessProbe: {periodSeconds: 18446744073709551615, failureThreshold: 18446744073709551615}}]}\n",
        "kind: Deployment\nspec: {replicas: 18446744073709551615, strategy: {rollingUpdate: {maxUnavailable: 99999999999999%}}, template: {spec: {containers: [{name: app, lifecycle: {preStop: {exec: {command: [sleep, 1e400]}}}}]}}}\n",
        "kind: List\nitems: 3\n",
    ] {
        if Manifest::parse("app.yaml", text).is_ok() {
            let _ = findings(text);
        }
    }
}

/// Every prefix of a manifest, and every manifest with one byte changed, ends in findings or an error.
#[test]
fn no_mutation_of_a_manifest_panics() {
    let text = include_str!("manifests/07-sidecars-and-comments.yaml");
    let facts = Facts::new(Plan::DEFAULT);
    let try_it = |text: &str| {
        if let Ok(manifest) = Manifest::parse("app.yaml", text) {
            let manifests = [manifest];
            let _ = Check::new(&manifests).facts(&facts).run();
        }
        let _ = Dockerfile::parse("Dockerfile", &format!("FROM a\nCMD {text}"))
            .map(|dockerfile| Check::new(&[]).dockerfile(&dockerfile).run());
    };
    for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
        try_it(&text[..at]);
        for new in ["{", "\n", "*", "&", "\"", "\t", "#", "\u{0}"] {
            if let Some(rest) = text.get(at + 1..).filter(|_| at % 3 == 0) {
                try_it(&format!("{}{new}{rest}", &text[..at]));
            }
        }
    }
}

#[test]
fn a_carriage_return_alone_ends_a_line_as_in_yaml() {
    let text = "kind: Deployment\rspec:\r  # graceful: allow(strategy-recreate) because x\r  strategy: {type: Recreate}\r  template: {spec: {containers: [{name: app}]}}\r";
    let run = |text: &str| Check::new(&[Manifest::parse("app.yaml", text).unwrap()]).run();
    assert_eq!(run(text), [], "the comment stands above its finding");
    let findings = run(&text.replace("graceful:", "others:"));
    let shown: Vec<_> =
        findings.iter().map(|finding| (finding.line, finding.column, finding.quoted.as_str())).collect();
    assert_eq!(shown, [(4, 20, "strategy: {type: Recreate}")]);
}

#[test]
fn a_comment_of_a_dockerfile_begins_at_its_sign() {
    let text = "FROM x\n  # graceful: allow(\n";
    let findings = Check::new(&[]).dockerfile(&Dockerfile::parse("Dockerfile", text).unwrap()).run();
    assert_eq!((findings[0].line, findings[0].column), (2, 3));
    assert_eq!(&text[findings[0].bytes.clone()], "# graceful: allow(");
}

#[test]
fn a_dockerfile_with_many_instructions_is_read_soon() {
    let start = Instant::now();
    let text = format!("FROM x\n{}", "CMD a\n".repeat(600_000));
    assert!(Dockerfile::parse("Dockerfile", &text).is_ok());
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}
