//! A manifest of a thousand lines is checked quickly; `-- --nocapture` shows the time.
#![allow(clippy::unwrap_used)]

use graceful_deploy::{Check, Facts, Manifest};
use graceful_plan::Plan;
use std::time::{Duration, Instant};

#[test]
fn a_thousand_lines_are_checked_quickly() {
    let one = include_str!("manifests/08-kustomize-output.yaml");
    let ours = include_str!("manifests/27-ours.yaml");
    let copies = (1000 - ours.lines().count()).div_ceil(one.lines().count() + 1);
    let text = format!("{ours}---\n{}", format!("{one}---\n").repeat(copies));
    let facts = Facts::new(Plan::DEFAULT);
    let times = (0..10).map(|_| {
        let start = Instant::now();
        let manifests = [Manifest::parse("app.yaml", &text).unwrap()];
        let findings = Check::new(&manifests).facts(&facts).container("app").run();
        assert!(findings.is_empty(), "{findings:#?}");
        start.elapsed()
    });
    let fastest = times.min().unwrap();
    println!("{} lines: {fastest:?}", text.lines().count());
    assert!(fastest < Duration::from_millis(500), "{fastest:?}");
}
