//! The map in ARCHITECTURE.md and the code agree: a file uses only files that stand above it in its crate's list, and
//! no circle runs between folders.
//!
//! The lists: a heading `### plan/src` (and so on for each of [`CRATES`]), and under it, until the next heading, a
//! line for each file that starts with ``- `file.rs` `` or ``- `folder/file.rs` ``, or one for several files of a folder:
//! ``- `folder/` `file.rs` `other.rs` ``. Other lines are free.
#![allow(clippy::unwrap_used)]

mod map;
mod source;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const CRATES: [&str; 8] =
    ["plan", "deploy", "macros", "runtime", "cli", "tests/peers", "tests/simulation", "tests/faults"];
/// The limit of lines per file.
const LONGEST: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All Rust files in this folder, by relative path.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).unwrap_or_else(|error| panic!("{}: {error}", at.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn every_file_uses_only_files_listed_above_it_in_architecture_md() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut problems = Vec::new();
    for name in CRATES {
        let heading = format!("{name}/src");
        match map::list(&page, &heading) {
            Some(list) => problems.extend(map::check(&heading, &list, &files(&root().join(name).join("src")))),
            None => problems.push(format!("ARCHITECTURE.md has no heading `### {heading}` with a list of files")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_circle_runs_between_folders() {
    let check = |name: &str| map::circles(&format!("{name}/src"), &files(&root().join(name).join("src")));
    let problems: Vec<_> = CRATES.iter().flat_map(|name| check(name)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn no_file_is_longer_than_400_lines() {
    let mut problems = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            for (name, text) in files(&source) {
                let lines = text.lines().count();
                if lines > LONGEST && !map::is_of_tests(&name) {
                    problems.push(format!("{}/{name} has {lines} lines; move a part of it out", source.display()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_example_has_at_most_60_lines() {
    for folder in ["examples", "examples/frameworks"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let lines = fs::read_to_string(&path).unwrap().lines().count();
                assert!(lines <= 60, "{} has {lines} lines", path.display());
            }
        }
    }
}

#[test]
fn no_test_is_ignored() {
    // Split, so that this test doesn't find this line.
    let ignored = concat!("#[", "ignore");
    for folder in ["plan", "deploy", "macros", "runtime", "cli", "tests", "trybuild"] {
        for (name, text) in files(&root().join(folder)) {
            assert!(!text.contains(ignored), "{folder}/{name} ignores a test: fix it or remove it");
        }
    }
}
