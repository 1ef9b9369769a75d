//! The public API of each published library is the list in `docs/api`, one item a line, with all features. A change of
//! the API is thereby a change of a file, which a review sees.
//!
//! `UPDATE=1 cargo test -p graceful-api` writes the lists.
#![cfg(unix)] // the wrapper of rustdoc is a shell script

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The published packages with a library, and the library's name.
const LIBRARIES: [(&str, &str); 4] = [
    ("graceful-rt", "graceful"),
    ("graceful-plan", "graceful_plan"),
    ("graceful-deploy", "graceful_deploy"),
    ("graceful-macros", "graceful_macros"),
];

/// Auto traits that users do not rely on.
const UNLISTED: [&str; 5] = ["Freeze", "RefUnwindSafe", "Unpin", "UnsafeUnpin", "UnwindSafe"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The JSON of rustdoc for one library, made from the artifacts of `cargo doc --all-features`.
fn rustdoc_json(package: &str, library: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a folder of the target directory");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["rustdoc", "--quiet", "--package", package, "--lib", "--all-features", "--target-dir"]).arg(target);
    cargo.args(["--", "-Z", "unstable-options", "--output-format", "json"]);
    cargo.current_dir(root()).env("RUSTDOC", Path::new(env!("CARGO_MANIFEST_DIR")).join("rustdoc"));
    let made = cargo.output().expect("cargo runs");
    assert!(made.status.success(), "{package}: {}", String::from_utf8_lossy(&made.stderr));
    target.join("doc").join(library).with_extension("json")
}

/// Whether an item is one that users rely on. An implementation of an auto trait is `impl core::marker::Send for Type`.
fn is_listed(item: &str) -> bool {
    let implemented = item.strip_prefix("impl").and_then(|rest| rest.split_once(" for "));
    let name = implemented.and_then(|(name, _)| name.rsplit("::").next());
    name.is_none_or(|name| !UNLISTED.contains(&name))
}

#[test]
fn the_public_api_is_the_list_in_docs() {
    let mut problems = Vec::new();
    for (package, library) in LIBRARIES {
        let json = rustdoc_json(package, library);
        let api = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build();
        let items = api.unwrap_or_else(|error| panic!("{package}: {error}"));
        let lines = items.items().map(|item| item.to_string()).filter(|item| is_listed(item));
        let found: String = lines.map(|item| item + "\n").collect();
        let path = root().join("docs/api").join(library).with_extension("txt");
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &found).expect("the list is writable");
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        let has = |text: &str, item: &str| text.lines().any(|line| line == item);
        problems.extend(found.lines().filter(|item| !has(&expected, item)).map(|item| format!("{package} + {item}")));
        problems.extend(expected.lines().filter(|item| !has(&found, item)).map(|item| format!("{package} - {item}")));
    }
    assert!(
        problems.is_empty(),
        "the public API changed; `UPDATE=1 cargo test -p graceful-api` writes the lists in docs/api\n{}",
        problems.join("\n")
    );
}
