//! Each rule's wrong example gives exactly its finding, its right example gives none, and `docs/rules.md` is what the
//! tables say.
//!
//! `UPDATE=1 cargo test -p graceful-deploy` writes `docs/rules.md`.
#![allow(clippy::unwrap_used)]

mod example;

use example::{base, findings, fixed, whole};
use graceful_deploy::{Finding, Needs, Place, Rule, rules};
use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

fn ids(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn the_wrong_example_of_each_rule_gives_exactly_its_finding() {
    for rule in rules() {
        let findings = findings(rule, rule.wrong);
        assert_eq!(ids(&findings), [rule.id], "{findings:#?}");
        let finding = &findings[0];
        assert!(!finding.quoted.is_empty() && finding.line > 0 && finding.column > 0, "{finding:?}");
        assert!(!finding.problem.ends_with('.') && !finding.fix.ends_with('.'), "{finding}");
    }
}

#[test]
fn the_right_example_of_each_rule_gives_no_finding() {
    for rule in rules() {
        assert_eq!(ids(&findings(rule, rule.right)), [""; 0], "{}", rule.id);
    }
}

#[test]
fn the_mechanical_fix_of_each_rule_removes_its_finding_and_no_other_rule_has_one() {
    for rule in rules() {
        let text = whole(rule, rule.wrong);
        let fixed = fixed(rule, &text);
        if rule.mechanical.is_none() {
            assert_eq!((ids(&fixed.fixed), fixed.texts.len()), (vec![], 0), "{}", rule.id);
            continue;
        }
        assert_eq!((ids(&fixed.fixed), ids(&fixed.left)), (vec![rule.id], vec![]), "{fixed:#?}");
        assert_eq!(fixed.texts.len(), 1, "{fixed:#?}");
        assert_eq!(ids(&example::findings_in(rule, &fixed.texts[0].1)), [""; 0], "{fixed:#?}");
    }
}

/// Kubernetes does not require a container to declare its ports.
#[test]
fn a_path_of_the_program_at_an_undeclared_port_may_be_served_and_a_health_path_is_not() {
    let facts = graceful_deploy::Facts::new(graceful_plan::Plan::DEFAULT);
    let of = |target: &str| {
        let pod = format!("kind: Pod\nspec:\n  containers: [{{name: app, readinessProbe: {{{target}}}}}]\n");
        let pod = graceful_deploy::Manifest::parse("pod.yaml", &pod).unwrap();
        let findings = graceful_deploy::Check::new(&[pod]).facts(&facts).run();
        let probe = findings.into_iter().filter(|finding| finding.rule.id.starts_with("probe-"));
        probe.map(|finding| (finding.rule.id, finding.edits.is_empty())).collect::<Vec<_>>()
    };
    assert_eq!(of("httpGet: {path: /own, port: 9999}"), [("probe-on-another-port", true)]);
    assert_eq!(of("tcpSocket: {port: 9999}"), [("probe-on-another-port", true)]);
    assert_eq!(of("httpGet: {path: /readyz, port: 9999}"), [("probe-port-not-served", false)]);
    assert_eq!(of("httpGet: {path: /own, port: none}"), [("probe-port-not-served", false)]);
}

#[test]
fn a_misspelled_rule_in_a_comment_is_named_rightly() {
    let rule = graceful_deploy::rule("allow-unknown-rule").unwrap();
    assert_eq!(findings(rule, rule.wrong)[0].fix, "write share-process-namespace");
    let unlike = rule.wrong.replace("share-process-namespaces", "x");
    assert!(findings(rule, &unlike)[0].fix.starts_with("write the id of a rule"));
}

#[test]
fn every_id_is_unique_and_in_words() {
    let ids: BTreeSet<&str> = rules().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules().count());
    assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')), "{ids:?}");
}

#[test]
fn a_finding_is_allowed_by_a_comment_on_its_line_or_above() {
    for rule in
        rules().filter(|rule| matches!(rule.place, Place::Pod | Place::Container | Place::Spec | Place::Dockerfile))
    {
        if rule.id.starts_with("allow-") {
            continue;
        }
        let finding = &findings(rule, rule.wrong)[0];
        let text = if rule.place == Place::Dockerfile { rule.wrong.to_owned() } else { base(rule.place, rule.wrong) };
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let indent = lines[finding.line - 1].len() - lines[finding.line - 1].trim_start().len();
        lines.insert(
            finding.line - 1,
            format!("{}# graceful: allow({}) because of a test", " ".repeat(indent), rule.id),
        );
        assert_eq!(ids(&example::findings_in(rule, &lines.join("\n"))), [""; 0], "{}", rule.id);
    }
}

/// The block of an example in the documentation.
fn block(rule: &Rule, text: &str) -> String {
    let language = if rule.place == Place::Dockerfile { "dockerfile" } else { "yaml" };
    format!("```{language}\n{text}\n```\n")
}

fn page() -> String {
    let mut page = String::from(
        "# Rules\n\nGenerated from the tables in `deploy/src/table`; `UPDATE=1 cargo test -p graceful-deploy` writes this page.\n\n\
         An **error** says that manifest and program contradict each other, a **warning** that requests can fail in a rollout,\n\
         an eviction or a restart, a **hint** that something is most likely not intended. Errors and warnings fail `cargo graceful check`.\n\n\
         A comment on the line of a finding, or directly above it, allows the finding: `# graceful: allow(RULE) because REASON`.\n\
         JSON has no comments, so a finding in JSON can't be allowed.\n\n\
         The examples are parts of this Deployment, whose program has the default plan:\n\n",
    );
    writeln!(page, "```yaml\n{}```\n", base(Place::Spec, "")).unwrap();
    page.push_str(
        "`cargo graceful manifest --fix FILE` fixes what has a mechanical fix (**fix** in the table).\n\n\
         | rule | severity | needs | fix | what it finds |\n|---|---|---|---|---|\n",
    );
    for rule in rules() {
        let needs = if rule.needs == Needs::Program { "the program" } else { "" };
        let fix = if rule.mechanical.is_some() { "fix" } else { "" };
        writeln!(page, "| [`{0}`](#{0}) | {1} | {needs} | {fix} | {2} |", rule.id, rule.severity, rule.summary)
            .unwrap();
    }
    let mut group = None;
    for rule in rules() {
        if group != Some(rule.group) {
            group = Some(rule.group);
            writeln!(page, "\n## {}", rule.group.title()).unwrap();
        }
        writeln!(page, "\n### {}\n\n{} {}", rule.id, rule.summary, rule.why).unwrap();
        let place = match rule.place {
            Place::Container => "in the container",
            Place::Pod => "in the pod's `spec`",
            Place::Spec => "in the Deployment's `spec`",
            Place::Document => "a document beside the Deployment",
            Place::Manifest => "a manifest",
            Place::Dockerfile => "a Dockerfile",
        };
        let program = match rule.program {
            "" => String::new(),
            "no program" => ", the program is not known".to_owned(),
            "grpc = none" => ", the program without the feature `tonic`".to_owned(),
            keys => format!(", the program with `{keys}`"),
        };
        writeln!(page, "\nWrong ({place}{program}):\n\n{}", block(rule, rule.wrong)).unwrap();
        writeln!(page, "Right:\n\n{}", block(rule, rule.right).trim_end()).unwrap();
        if let Some(mechanical) = rule.mechanical {
            writeln!(page, "\nMechanical fix: {}{}", mechanical[..1].to_lowercase(), &mechanical[1..]).unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_rules_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
    if env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, page()).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page(), "docs/rules.md differs; `UPDATE=1 cargo test -p graceful-deploy` writes it");
}
