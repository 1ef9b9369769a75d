//! Mechanical fixes change what they must and nothing else.
#![allow(clippy::unwrap_used)]

use graceful_deploy::{Facts, Fix, Fixed};
use graceful_plan::Plan;
use std::{fs, path::Path, time::Duration};

/// The facts of a program whose plan takes 45 s.
fn facts() -> Facts {
    let mut facts = Facts::new(Plan { termination_grace_period: Duration::from_secs(45), ..Plan::DEFAULT });
    facts.grpc_services = Some(Vec::new());
    facts
}

fn fixed(text: &str) -> Fixed {
    Fix::new().manifest("app.yaml", text).facts(&facts()).run().unwrap()
}

/// The fixed text; the text itself if nothing changes.
fn text_of(text: &str, fixed: Fixed) -> String {
    fixed.texts.into_iter().next().map_or_else(|| text.to_owned(), |(_, text)| text)
}

fn pod(container: &str) -> String {
    format!("kind: Pod\nspec:\n  terminationGracePeriodSeconds: 45\n  containers:\n  - name: app\n{container}")
}

/// The name and the text of every manifest of the tests.
fn manifests() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

/// Fixes a text without a program, and with one in each of its containers.
fn variants(name: &str, text: &str) -> Vec<Fixed> {
    let facts = facts();
    let containers = graceful_deploy::Manifest::parse(name, text).unwrap();
    let of_program = containers
        .containers()
        .into_iter()
        .map(|container| Fix::new().manifest(name, text).facts(&facts).container(container).run().unwrap());
    of_program.chain([Fix::new().manifest(name, text).run().unwrap()]).collect()
}

#[test]
fn every_comment_and_the_order_of_lines_stay() {
    let mut changed = 0;
    for (name, text) in manifests() {
        for fixed in variants(&name, &text) {
            let Some((_, new)) = fixed.texts.first() else { continue };
            changed += 1;
            // A line with a comment keeps the comment, in the same order.
            let comments = |text: &str| -> Vec<String> {
                text.lines().filter_map(|line| line.split_once('#')).map(|(_, comment)| comment.to_owned()).collect()
            };
            assert_eq!(comments(&text), comments(new), "{name}:\n{new}");
            // Keys keep their order: the new text has each old line's key, with additions in between.
            let keys = |text: &str| -> Vec<String> {
                text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
            };
            let mut new_keys = keys(new).into_iter();
            let renamed = [("tcpSocket", "httpGet"), ("grpc", "httpGet"), ("minAvailable", "maxUnavailable")];
            for key in keys(&text) {
                let is_same = |new: &String| *new == key || renamed.contains(&(key.as_str(), new.as_str()));
                assert!(new_keys.any(|new| is_same(&new)), "{name}: the line of {key} is gone or has moved:\n{new}");
            }
        }
    }
    assert!(changed >= 20, "{changed} fixes");
}

#[test]
fn a_second_run_changes_nothing_and_no_finding_is_new() {
    for (name, text) in manifests() {
        for (first, container) in variants(&name, &text).into_iter().zip(0..) {
            let Some((_, new)) = first.texts.first() else { continue };
            let second = &variants(&name, new)[container];
            assert!(second.texts.is_empty(), "{name}: {second:#?}");
            assert_eq!(second.left.len(), first.left.len());
        }
    }
}

#[test]
fn line_ends_and_a_byte_order_mark_stay() {
    for (name, text) in manifests() {
        let text = text.replace("\r\n", "\n");
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        for (unix, windows) in variants(&name, &text).into_iter().zip(variants(&name, &windows)) {
            let expected: Vec<_> =
                unix.texts.iter().map(|(_, text)| format!("\u{feff}{}", text.replace('\n', "\r\n"))).collect();
            let found: Vec<_> = windows.texts.into_iter().map(|(_, text)| text).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[test]
fn each_fix_is_the_smallest_edit_in_the_style_of_the_file() {
    let keeps = "        # no command\n";
    for (text, expected) in [
        // A missing key is added with the indentation of its map.
        (
            "kind: Pod\nspec:\n  containers:\n  - name: app\n    # the end\n".to_owned(),
            "kind: Pod\nspec:\n  containers:\n  - name: app\n    # the end\n  terminationGracePeriodSeconds: 45\n".to_owned(),
        ),
        (
            "kind: Pod\nspec: {containers: [{name: app}]}\n".to_owned(),
            "kind: Pod\nspec: {containers: [{name: app}], terminationGracePeriodSeconds: 45}\n".to_owned(),
        ),
        (
            "{\n  \"kind\": \"Pod\",\n  \"spec\": {\n    \"containers\": [{\"name\": \"app\"}]\n  }\n}\n".to_owned(),
            "{\n  \"kind\": \"Pod\",\n  \"spec\": {\n    \"containers\": [{\"name\": \"app\"}],\n    \"terminationGracePeriodSeconds\": 45\n  }\n}\n"
                .to_owned(),
        ),
        // A readiness probe stands behind the ports.
        (
            pod(&format!("    ports:\n    - containerPort: 3000\n{keeps}    image: a\n")),
            pod(&format!(
                "    ports:\n    - containerPort: 3000\n{keeps}    readinessProbe:\n      httpGet:\n        path: /readyz\n        port: 8081\n    image: a\n"
            )),
        ),
        // A wrong port and the path that then is wrong are one fix.
        (
            pod("    livenessProbe:\n      httpGet: {path: /alive, port: probes} # us\n"),
            pod("    livenessProbe:\n      httpGet: {path: /livez, port: 8081} # us\n"),
        ),
        (
            pod("    readinessProbe:\n      tcpSocket: # cheap\n        port: \"probes\"\n"),
            pod("    readinessProbe:\n      httpGet: # cheap\n        port: 8081\n        path: /readyz\n"),
        ),
        (
            pod("    readinessProbe:\n      grpc:\n        port: 8081\n        service: 'readiness' # ours\n"),
            pod("    readinessProbe:\n      httpGet:\n        port: 8081\n        path: '/readyz' # ours\n"),
        ),
        // `exec` in a folded, a literal and a quoted script.
        (pod("    command: [sh, -c, 'cd /srv && ./app --a']\n"), pod("    command: [sh, -c, 'cd /srv && exec ./app --a']\n")),
        (
            pod("    command:\n    - bash\n    - -ec\n    - |\n      ./app init\n      # now\n      ./app\n"),
            pod("    command:\n    - bash\n    - -ec\n    - |\n      ./app init\n      # now\n      ./app\n"),
        ),
        (
            pod("    command:\n    - bash\n    - -ec\n    - |\n      ./app init\n\n      ./app\n"),
            pod("    command:\n    - bash\n    - -ec\n    - |\n      ./app init\n\n      exec ./app\n"),
        ),
        // A script that runs more than the program is left.
        (pod("    command: [sh, -c, './app | tee log']\n"), pod("    command: [sh, -c, './app | tee log']\n")),
    ] {
        let fixed = fixed(&text);
        assert_eq!(text_of(&text, fixed.clone()), expected, "{fixed:#?}");
    }
}

#[test]
fn a_shared_value_is_left_because_an_edit_would_change_its_other_users() {
    let text = pod(
        "    readinessProbe: &probe\n      httpGet: {path: /health, port: 9999}\n    livenessProbe:\n      <<: *probe\n      periodSeconds: 5\n",
    );
    let fixed = fixed(&text);
    assert!(fixed.texts.is_empty() && fixed.left.len() == 3, "{fixed:#?}");
}

#[test]
fn a_key_that_would_cut_a_text_short_is_not_added() {
    let text =
        "kind: Pod\nspec:\n  containers:\n  - name: app\n    env:\n    - name: TEXT\n      value: |+\n        a\n\n\n";
    let fixed = fixed(text);
    assert!(fixed.texts.is_empty() && fixed.left.len() == 1, "{fixed:#?}");
}

#[test]
fn a_fix_that_would_bring_another_finding_is_dropped_and_the_others_are_not() {
    // A surge on the node's network is a finding of its own.
    let text = "\
kind: Deployment
metadata: {name: app}
spec:
  replicas: 1
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}
  template:
    spec:
      hostNetwork: true
      terminationGracePeriodSeconds: 20
      containers:
      - name: app
";
    let fixed = fixed(text);
    assert_eq!(text_of(text, fixed.clone()), text.replace("20", "45"));
    assert_eq!(fixed.left[0].rule.id, "one-replica-without-surge");
}

#[test]
fn a_rollout_is_changed_only_if_a_second_pod_can_start() {
    let text = "kind: Deployment\nspec:\n  replicas: 1\n  strategy: {type: Recreate}\n  template:\n    spec:\n      containers: [{name: app}]\n";
    let fix = |text: &str| text_of(text, Fix::new().manifest("app.yaml", text).run().unwrap());
    assert_eq!(fix(text), text.replace("Recreate", "RollingUpdate"));
    let claimed = format!("{text}      volumes: [{{name: data, persistentVolumeClaim: {{claimName: data}}}}]\n");
    assert_eq!(fix(&claimed), claimed);
    let both = text.replace("Recreate}", "RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 100%}}");
    let both = both.replace("replicas: 1", "replicas: 3");
    assert_eq!(fix(&both), both.replace("maxSurge: 0, maxUnavailable: 100%", "maxSurge: 1, maxUnavailable: 0"));
}

#[test]
fn a_budget_is_appended_for_the_labels_of_the_selector() {
    let text = "\
kind: Deployment
metadata: {name: app, namespace: prod}
spec:
  replicas: 2
  selector: {matchLabels: {app.kubernetes.io/name: app, tier: \"1\"}}
  template:
    metadata: {labels: {app.kubernetes.io/name: app, tier: \"1\"}}
    spec:
      containers:
      - {name: app, ports: [{containerPort: 1}], readinessProbe: {tcpSocket: {port: 1}}}
---
";
    let fixed = text_of(text, Fix::new().manifest("app.yaml", text).run().unwrap());
    let budget = "\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: app
  namespace: prod
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: app
      tier: \"1\"
";
    assert_eq!(fixed, format!("{text}{budget}"));
}

#[test]
fn a_dockerfile_is_fixed_where_no_shell_is_needed() {
    for (text, expected) in [
        ("FROM a\nCMD /app --port 3000\n", "FROM a\nCMD [\"/app\", \"--port\", \"3000\"]\n"),
        ("FROM a\nENTRYPOINT /app $PORT\n", "FROM a\nENTRYPOINT exec /app $PORT\n"),
        ("FROM a\nENTRYPOINT /app\nCMD [\"x\"]\n", "FROM a\nENTRYPOINT exec /app\nCMD [\"x\"]\n"),
        ("FROM a\nENTRYPOINT [\"/init\"]\nCMD /app\n", "FROM a\nENTRYPOINT [\"/init\"]\nCMD /app\n"),
        ("FROM a\nCMD /app \\\n  --port 1\n", "FROM a\nCMD /app \\\n  --port 1\n"),
        ("FROM a\nCMD [\"sh\", \"-c\", \"/app $A\"]\n", "FROM a\nCMD [\"sh\", \"-c\", \"exec /app $A\"]\n"),
        ("FROM a\nSTOPSIGNAL 9\nCMD [\"/app\"]\n", "FROM a\nSTOPSIGNAL SIGTERM\nCMD [\"/app\"]\n"),
    ] {
        let fixed = Fix::new().dockerfile("Dockerfile", text).run().unwrap();
        assert_eq!(text_of(text, fixed.clone()), expected, "{fixed:#?}");
    }
}

#[test]
fn a_signal_that_the_program_does_not_handle_is_replaced_or_set_in_the_dockerfile() {
    let mut facts = facts();
    facts.signals = vec!["SIGINT".to_owned()];
    let (manifest, dockerfile) = (pod(""), "FROM a\nENTRYPOINT [\"/app\"]");
    let fix = Fix::new().manifest("app.yaml", &manifest).dockerfile("Dockerfile", dockerfile).facts(&facts);
    let fixed = fix.run().unwrap();
    let expected = [("Dockerfile".to_owned(), format!("{dockerfile}\nSTOPSIGNAL SIGINT\n"))];
    assert_eq!((fixed.texts.as_slice(), fixed.left.len()), (&expected[..], 0));
    let manifest = pod("    lifecycle: {stopSignal: SIGTERM}\n");
    let fixed = Fix::new().manifest("app.yaml", &manifest).facts(&facts).run().unwrap();
    assert_eq!(fixed.texts[0].1, manifest.replace("SIGTERM", "SIGINT"));
}

#[test]
fn many_findings_are_fixed_at_once() {
    let one =
        "---\nkind: Deployment\nspec:\n  strategy: {type: Recreate}\n  template: {spec: {containers: [{name: app}]}}\n";
    let text = one.repeat(300);
    let fixed = Fix::new().manifest("app.yaml", &text).run().unwrap();
    assert_eq!((fixed.fixed.len(), fixed.left.len()), (300, 0));
}

/// A manifest with one byte changed is fixed to one that can be read, or is refused.
#[test]
fn no_mutation_of_a_manifest_panics_or_is_fixed_to_something_unreadable() {
    let mut fixes = 0;
    for text in [include_str!("manifests/29-ours-drifted.yaml"), include_str!("manifests/24-probe-timeouts.yaml")] {
        for at in (0..text.len()).step_by(5) {
            for new in ["{", "\n", "\"", "#", " ", "é"] {
                let text = format!("{}{new}{}", &text[..at], &text[at + 1..]);
                let Ok(fixed) = Fix::new().manifest("app.yaml", &text).facts(&facts()).run() else { continue };
                fixes += fixed.texts.len();
                for (name, text) in &fixed.texts {
                    assert!(graceful_deploy::Manifest::parse(name, text).is_ok(), "{text}");
                }
            }
        }
    }
    assert!(fixes > 50, "{fixes}");
}

#[test]
fn byte_order_marks_stay_and_change_no_edit() {
    for marks in ["", "\u{feff}", "\u{feff}\u{feff}"] {
        let fixed = Fix::new().dockerfile("Dockerfile", &format!("{marks}FROM debian\nCMD /app\n")).run().unwrap();
        assert_eq!(fixed.texts[0].1, format!("{marks}FROM debian\nCMD [\"/app\"]\n"));
    }
}
