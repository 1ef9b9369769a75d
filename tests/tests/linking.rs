//! Hooks from a second crate in the builds that users ship: release, and release with fat LTO. The debug build is
//! looked at in `processes/linked.rs`.
//!
//! One small app, built by a cargo of its own into a directory that stays: slow the first time, quick afterwards.

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Quick to build.
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

/// One after the other, in one test: they share the directory, and with it everything that is built for the host.
#[test]
fn what_users_build_has_the_hooks_of_both_crates() {
    a_release_build_and_one_with_fat_lto_list_them();
    the_generated_test_counts_them_in_the_budget();
}

fn a_release_build_and_one_with_fat_lto_list_them() {
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

fn the_generated_test_counts_them_in_the_budget() {
    let fits = cargo("test", "linked", &SMALL);
    assert!(fits.status.success(), "{}", String::from_utf8_lossy(&fits.stdout));

    let exceeds = cargo("test", "over_budget", &SMALL);
    let said = String::from_utf8_lossy(&exceeds.stdout);
    assert!(!exceeds.status.success(), "{said}");
    for line in ["+ hooks -5: close_the_cache  1s", "+ hooks 1: copy_everything  20s", "30s, 7s too long"] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
