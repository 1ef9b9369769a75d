//! Hooks from a second crate in the builds that users ship: release, and release with fat LTO. The debug build is
//! looked at in `processes/linked.rs`.
//!
//! One small app, built by a cargo of its own into a directory that stays: slow the first time, quick afterwards.

use serde_json::Value;
use std::{path::Path, process::Command};

fn build_and_print_the_plan(variables: &[(&str, &str)]) -> Value {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("linking");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--release", "--package", "graceful-tests-second", "--example", "linked"]);
    cargo.args(["--target-dir".as_ref(), target.as_os_str()]).current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.envs(variables.iter().copied());
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "{variables:?}: {}", String::from_utf8_lossy(&built.stderr));
    let app = target.join("release/examples/linked");
    let printed = Command::new(app).env("GRACEFUL_PRINT", "plan").output().expect("the app runs");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    serde_json::from_slice(&printed.stdout).expect("the plan is JSON")
}

/// One after the other: they share the directory, and with it everything that is built for the host.
#[test]
fn a_release_build_and_one_with_fat_lto_have_the_hooks_of_both_crates() {
    let small: [(&str, &str); 2] = [("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"), ("CARGO_PROFILE_RELEASE_DEBUG", "0")];
    for variables in [&[][..], &[("CARGO_PROFILE_RELEASE_LTO", "fat")]] {
        let variables: Vec<_> = small.iter().chain(variables).copied().collect();
        let plan = build_and_print_the_plan(&variables);
        let hooks = plan["hooks"].as_array().expect("a list of hooks");
        let names: Vec<_> = hooks.iter().map(|hook| hook["name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["close_the_cache", "own", "close the pool"], "{variables:?}");
        assert!(hooks[0]["file"].as_str().is_some_and(|file| file.ends_with("second/src/lib.rs")), "{plan:#}");
        assert!(hooks[1]["file"].as_str().is_some_and(|file| file.ends_with("examples/linked.rs")), "{plan:#}");
    }
}
