//! Hooks of a second crate in the profiles that users ship: release, and release with fat LTO. `processes/linked.rs`
//! tests the debug build.
//!
//! A small app is built by a separate cargo into a persistent directory: slow the first time, fast afterwards.

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Compiles fast.
const SMALL: [(&str, &str); 2] = [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"), ("CARGO_PROFILE_RELEASE_DEBUG", "0")];

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("linking")
}

fn cargo(command: &str, example: &str, variables: &[(&str, &str)]) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([command, "--quiet", "--release", "--package", "graceful-tests-second", "--example", example]);
    cargo.args(["--target-dir".as_ref(), target().as_os_str()]).current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.envs(variables.iter().copied()).output().expect("cargo runs")
}

fn build_and_print_the_plan(variables: &[(&str, &str)]) -> Value {
    let built = cargo("build", "linked", variables);
    assert!(built.status.success(), "{variables:?}: {}", String::from_utf8_lossy(&built.stderr));
    let app = target().join("release/examples/linked");
    let printed = Command::new(app).env("GRACEFUL_PRINT", "plan").output().expect("the app runs");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    serde_json::from_slice(&printed.stdout).expect("the plan is JSON")
}

/// One test, because the builds share the directory with the artifacts of the host.
#[test]
fn release_builds_link_the_hooks_of_both_crates() {
    release_and_fat_lto_builds_list_the_hooks();
    the_generated_test_counts_linked_hooks_in_the_budget();
}

fn release_and_fat_lto_builds_list_the_hooks() {
    for variables in [&[][..], &[("CARGO_PROFILE_RELEASE_LTO", "fat")]] {
        let variables: Vec<_> = SMALL.iter().chain(variables).copied().collect();
        let plan = build_and_print_the_plan(&variables);
        let hooks = plan["hooks"].as_array().expect("a list of hooks");
        let names: Vec<_> = hooks.iter().map(|hook| hook["name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["close_the_cache", "own", "close the pool"], "{variables:?}");
        assert!(hooks[0]["file"].as_str().is_some_and(|file| file.ends_with("second/src/lib.rs")), "{plan:#}");
        assert!(hooks[1]["file"].as_str().is_some_and(|file| file.ends_with("examples/linked.rs")), "{plan:#}");
    }
}

fn the_generated_test_counts_linked_hooks_in_the_budget() {
    let fits = cargo("test", "linked", &SMALL);
    assert!(fits.status.success(), "{}", String::from_utf8_lossy(&fits.stdout));

    let exceeds = cargo("test", "over_budget", &SMALL);
    let stdout = String::from_utf8_lossy(&exceeds.stdout);
    assert!(!exceeds.status.success(), "{stdout}");
    for line in ["+ hooks -5: close_the_cache  1s", "+ hooks 1: copy_everything  20s", "30s, 7s too long"] {
        assert!(stdout.contains(line), "{line}: {stdout}");
    }
}
