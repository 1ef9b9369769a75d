//! `check` and `explain`.

use crate::harness::{command, finish, hello, run};
use std::{fs, io::Write, process::Stdio};

const MANIFEST: &str = "\
kind: Deployment
metadata: {name: web}
spec:
  strategy: {type: Recreate}
  template:
    spec:
      terminationGracePeriodSeconds: 5
      containers: [{name: web}]
";

/// Runs `check` with this standard input.
fn check(options: &[&str], input: &str) -> crate::harness::Run {
    let mut child = command(&[&["check"], options, &["-"]].concat()).stdin(Stdio::piped()).spawn().unwrap();
    // The command may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    finish(child)
}

#[test]
fn without_a_program_its_rules_are_skipped_by_name() {
    let run = check(&["--format", "json"], MANIFEST);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = run.json();
    let rules: Vec<_> = report["findings"].as_array().unwrap().iter().map(|finding| &finding["rule"]).collect();
    assert!(rules.contains(&&"strategy-recreate".into()), "{rules:?}");
    assert!(!rules.contains(&&"termination-grace-period-too-short".into()), "{rules:?}");
    assert!(report["skipped"].as_array().unwrap().contains(&"termination-grace-period-too-short".into()), "{report}");
}

#[test]
fn a_program_is_held_against_the_manifest_at_its_line() {
    let run = check(&["--exe", hello().to_str().unwrap(), "--format", "json"], MANIFEST);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = run.json();
    let findings = report["findings"].as_array().unwrap();
    let short = findings.iter().find(|finding| finding["rule"] == "termination-grace-period-too-short").unwrap();
    assert_eq!((&short["file"], &short["line"]), (&"<stdin>".into(), &7.into()));
    assert_eq!(report["skipped"].as_array().unwrap().len(), 0);
}

#[test]
fn hints_alone_pass_and_an_allowed_finding_is_none() {
    let run = check(&[], "kind: Pod\nspec: {shareProcessNamespace: true, containers: [{name: web}]}\n");
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("hint["), "{run:?}");
    let allowed =
        MANIFEST.replace("  strategy", "  # graceful: allow(strategy-recreate) because of one volume\n  strategy");
    let run = check(&[], &allowed);
    assert!(!run.stdout.contains("strategy-recreate"), "{run:?}");
}

#[test]
fn an_unreadable_file_is_one_line_and_a_code() {
    let large = "a: ".repeat(2 << 20);
    for (input, problem) in [("\t- not: yaml", "<stdin>:1:"), ("{{ .Values.app }}", "helm template"), (&large, "4 MiB")]
    {
        let run = check(&[], input);
        assert_eq!(run.code, Some(8), "{problem}: {:?}", run.stderr);
        assert!(run.error().contains(problem), "{run:?}");
    }
    let missing = run(&["check", "no/such/file.yaml"]);
    assert_eq!(missing.code, Some(8), "{missing:?}");
    assert!(missing.error().starts_with("no/such/file.yaml: "), "{missing:?}");
    let folder = run(&["check", "deploy"]);
    assert_eq!((folder.code, folder.error()), (Some(8), "deploy is a folder; name the files: deploy/*.yaml"));
}

#[test]
fn a_dockerfile_is_checked_with_the_manifest() {
    let path = std::env::temp_dir().join(format!("graceful-check-{}.Dockerfile", std::process::id()));
    fs::write(&path, "FROM debian\nCMD /app\n").unwrap();
    let manifest = "kind: Pod\nspec: {containers: [{name: web}]}\n";
    let run = check(&["--dockerfile", path.to_str().unwrap(), "--format", "github"], manifest);
    fs::remove_file(&path).unwrap();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("::error file=") && run.stdout.contains("dockerfile-shell-form"), "{run:?}");
}

#[test]
fn a_dockerfile_is_checked_alone() {
    let path = std::env::temp_dir().join(format!("graceful-check-alone-{}.Dockerfile", std::process::id()));
    fs::write(&path, "FROM debian\n  CMD /app\n").unwrap();
    let alone = run(&["check", "--dockerfile", path.to_str().unwrap()]);
    fs::remove_file(&path).unwrap();
    assert_eq!(alone.code, Some(1), "{alone:?}");
    assert!(alone.stdout.contains("error[dockerfile-shell-form]: "), "{alone:?}");
    assert!(alone.stdout.contains("2 |   CMD /app\n  |   ^^^^^^^^\n"), "{alone:?}");
    let nothing = run(&["check"]);
    assert!(nothing.code == Some(2) && nothing.stderr.contains("<FILE>..."), "{nothing:?}");
}

#[test]
fn each_mechanical_fix_is_in_the_report_for_code_scanning() {
    let sarif = check(&["--format", "sarif"], MANIFEST).json();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let of = |rule: &str| results.iter().find(|result| result["ruleId"] == rule).unwrap();
    let replacement = &of("strategy-recreate")["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], "RollingUpdate");
    let region = serde_json::json!({"startLine": 4, "startColumn": 20, "endLine": 4, "endColumn": 28});
    assert_eq!(replacement["deletedRegion"], region);
}

#[test]
fn a_container_that_no_workload_has_is_an_error_without_a_program_too() {
    let manifest = "kind: Pod\nspec: {containers: [{name: web}]}\n";
    let run = check(&["--container", "wbe"], manifest);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.stdout.contains("error[container-not-found]: no workload in the files has a container named wbe"),
        "{run:?}"
    );
    let skipped = run.stdout.lines().find(|line| line.contains("need the program and were skipped")).unwrap();
    assert!(skipped.starts_with("19 rules") && !skipped.contains("container-not-found"), "{run:?}");
    assert_eq!(check(&["--container", "web"], manifest).code, Some(0));
}

#[test]
fn a_rule_is_explained_and_an_unknown_one_refused() {
    let list = run(&["explain"]);
    assert!(list.stdout.lines().any(|line| line.ends_with(" strategy-recreate")), "{list:?}");
    let one = run(&["explain", "strategy-recreate"]);
    assert!(one.stdout.contains("Wrong:\n") && one.stdout.contains("Right:\n"), "{one:?}");
    let unknown = run(&["explain", "strategy-create"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.error().contains("did you mean `strategy-recreate`?"), "{unknown:?}");
    let unlike = run(&["explain", "x"]);
    assert!(unlike.error().contains("lists the rules") && !unlike.error().contains("did you mean"), "{unlike:?}");
}
