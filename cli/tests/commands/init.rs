//! `init`, on the crates of `tests/init`: each has the files before, those that `--write` changes, and the printed
//! steps. `UPDATE=1` writes the latter two.

use crate::harness::{Run, command, finish, root};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The manifest of a case that has none.
const MANIFEST: &str = r#"[package]
name = "web"
version = "0.1.0"
edition = "2024"

[dependencies]
anyhow = "1"
axum = "0.8"
tokio = { version = "1", features = ["full"] } # the runtime
tonic = "0.14"
"#;

type Files = BTreeMap<PathBuf, String>;

/// The files under the folder, by relative path.
fn files(folder: &Path) -> Files {
    let (mut found, mut folders) = (Files::new(), vec![folder.to_owned()]);
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    drop(found.insert(path.strip_prefix(folder).unwrap().into(), fs::read_to_string(&path).unwrap()))
                }
            }
        }
    }
    found
}

fn write(folder: &Path, files: &Files) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// A package in a folder of its own, removed in the end.
struct Crate(PathBuf);

impl Crate {
    fn new(name: &str, files: &Files) -> Self {
        let folder = env::temp_dir().join(format!("cargo-graceful-init-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        write(&folder, files);
        Self(folder)
    }

    fn init(&self, options: &[&str]) -> Run {
        let mut command = command(&[&["init"], options].concat());
        finish(command.current_dir(&self.0).env_remove("CLICOLOR_FORCE").spawn().unwrap())
    }

    fn git(&self, arguments: &[&str]) {
        let user = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(user).args(arguments).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

impl Drop for Crate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn one(path: &str, text: &str) -> Files {
    [("Cargo.toml", MANIFEST), (path, text)].map(|(path, text)| (path.into(), text.to_owned())).into()
}

#[test]
fn each_case_is_converted_as_its_files_show() {
    let cases = root().join("cli/tests/init");
    let mut problems = Vec::new();
    for case in fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap()) {
        let name = case.file_name().into_string().unwrap();
        let mut before = files(&case.path().join("before"));
        before.entry("Cargo.toml".into()).or_insert_with(|| MANIFEST.to_owned());
        let (after, steps) = (case.path().join("after"), case.path().join("steps.txt"));

        let package = Crate::new(&name, &before);
        let printed = package.init(&[]);
        assert_eq!(printed.code, Some(0), "{name}: {printed:?}");
        assert_eq!(files(&package.0), before, "{name}: written without --write");
        let written = package.init(&["--write", "--allow-dirty"]);
        assert_eq!(written.code, Some(0), "{name}: {written:?}");
        let result = files(&package.0);
        let changed = result.iter().filter(|(path, text)| before[*path] != **text);
        let changed: Files = changed.map(|(path, text)| (path.clone(), with_library_beside(text))).collect();
        let steps_shown = with_library_beside(&printed.stdout);

        let again = package.init(&["--write", "--allow-dirty"]);
        assert!(!again.stdout.contains("[mechanical]"), "{name} is not converted at once: {again:?}");
        assert_eq!(files(&package.0), result, "{name}");

        if env::var_os("UPDATE").is_some() {
            let _ = fs::remove_dir_all(&after);
            write(&after, &changed);
            fs::write(&steps, &steps_shown).unwrap();
        }
        let expected = fs::read_to_string(&steps).unwrap_or_default();
        if changed != files(&after) || steps_shown != expected {
            problems.push(format!("{name}: {changed:#?}\n{steps_shown}"));
        }

        let crlf = |files: &Files| -> Files {
            files.iter().map(|(path, text)| (path.clone(), text.replace('\n', "\r\n"))).collect()
        };
        let package = Crate::new(&format!("{name}-crlf"), &crlf(&before));
        assert_eq!(package.init(&["--write", "--allow-dirty"]).code, Some(0));
        assert_eq!(files(&package.0), crlf(&result), "{name} with CRLF");
    }
    assert!(problems.is_empty(), "UPDATE=1 rewrites the files\n{}", problems.join("\n"));
}

/// The text as if the folder of this repository stood beside the crate, under the name `graceful`.
fn with_library_beside(text: &str) -> String {
    const KEY: &str = "graceful = { package = \"graceful-rt\", path = \"";
    let Some((before, after)) = text.split_once(KEY) else { return text.to_owned() };
    let (_, after) = after.split_once('"').unwrap();
    format!("{before}{KEY}../graceful/runtime\"{}", with_library_beside(after))
}

#[test]
fn the_library_is_that_of_the_source_of_this_command_or_that_of_crates_io() {
    let package = Crate::new("origin", &one("src/main.rs", "#[tokio::main]\nasync fn main() {}\n"));
    let run = package.init(&[]);
    let path = run.stdout.lines().find_map(|line| line.strip_prefix("+graceful = ")?.split('"').nth(3));
    let runtime = root().join("runtime").canonicalize().unwrap();
    assert_eq!(package.0.join(path.unwrap()).canonicalize().unwrap(), runtime, "{run:?}");
    let run = package.init(&["--registry"]);
    let version = env!("CARGO_PKG_VERSION");
    assert!(run.stdout.contains(&format!("+graceful = {{ package = \"graceful-rt\", version = \"{version}\" }}\n")));
    assert!(
        run.stdout.contains(&format!("version {version} of crates.io: if cargo does not find it there")),
        "{run:?}"
    );
}

#[test]
fn the_readme_shows_the_steps_of_a_case() {
    let steps = fs::read_to_string(root().join("cli/tests/init/axum_plain/steps.txt")).unwrap();
    assert!(include_str!("../../README.md").contains(&format!("$ cargo graceful init\n{steps}```\n")));
}

#[test]
fn what_cannot_be_read_or_has_no_main_ends_in_one_line() {
    let large = format!("fn main() {{}}\n//{}", " ".repeat(4 << 20));
    for (name, files, options, code, said) in [
        ("syntax", one("src/main.rs", "fn main() {\n    let = 2;\n}\n"), &[][..], 8, "src/main.rs:2:9: "),
        ("unclosed", one("src/main.rs", "fn main() {\n    a(\n}\n"), &[], 8, "src/main.rs:"),
        (
            "module",
            {
                let mut files = one("src/main.rs", "mod a;\nfn main() {}\n");
                files.insert("src/a.rs".into(), "fn f() {\n    let = 1;\n}\n".to_owned());
                files
            },
            &[],
            8,
            "src/a.rs:2:9: ",
        ),
        (
            "no-main",
            one("src/main.rs", "include!(\"other.rs\");\n"),
            &[],
            8,
            "src/main.rs: there is no function `main`",
        ),
        ("large", one("src/main.rs", &large), &[], 8, "src/main.rs: the file is larger than 4 MiB"),
        ("library", one("src/lib.rs", ""), &[], 2, "web has no binary, so there is nothing to convert"),
        ("other-bin", one("src/main.rs", "fn main() {}"), &["--bin", "x"], 2, "web has no binary `x`; it has: web"),
        ("other-package", one("src/main.rs", "fn main() {}"), &["-p", "x"], 2, "the workspace has no package `x`"),
        ("path", one("src/main.rs", "fn main() {}"), &["--path", "/"], 2, "no Cargo.toml of graceful-rt"),
        (
            "manifest",
            {
                let mut files = one("src/main.rs", "fn main() {}");
                files.insert("Cargo.toml".into(), "[package\n".to_owned());
                files
            },
            &[],
            8,
            "cargo metadata failed: ",
        ),
    ] {
        let package = Crate::new(name, &files);
        let run = package.init(options);
        assert_eq!(run.code, Some(code), "{name}: {run:?}");
        assert!(run.error().contains(said) && run.stdout.is_empty(), "{name}: {run:?}");
    }
}

#[test]
fn a_binary_of_several_is_chosen_by_name_package_or_folder() {
    let member = |name: &str| MANIFEST.replace("\"web\"", &format!("\"{name}\""));
    let main = "#[tokio::main]\nasync fn main() {}\n";
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"3\"\n".to_owned()),
        ("one/Cargo.toml", member("one")),
        ("one/src/main.rs", main.to_owned()),
        ("two/Cargo.toml", member("two")),
        ("two/src/bin/a.rs", main.to_owned()),
        ("two/src/bin/b.rs", main.to_owned()),
    ];
    let package = Crate::new("several", &files.map(|(path, text)| (path.into(), text)).into());
    for (options, said) in [
        (&[][..], "several packages have binaries; choose one with -p: one, two"),
        (&["-p", "two"], "two has several binaries; choose one with --bin: a, b"),
    ] {
        let run = package.init(options);
        assert!(run.code == Some(2) && run.error().contains(said), "{run:?}");
    }
    for (options, said) in [
        (&["-p", "one"][..], "one 0.1.0, binary one: one/src/main.rs\n"),
        (&["--bin", "b"], "two 0.1.0, binary b: two/src/bin/b.rs\n"),
    ] {
        let run = package.init(options);
        assert!(run.code == Some(0) && run.stdout.starts_with(said), "{run:?}");
    }
    let mut command = command(&["init"]);
    let run = finish(command.current_dir(package.0.join("one/src")).spawn().unwrap());
    assert!(run.stdout.starts_with("one 0.1.0"), "{run:?}");
}

#[test]
fn only_files_that_git_can_restore_are_written_and_the_library_may_be_a_folder() {
    let main = "#[tokio::main]\nasync fn main() {}\n";
    let package = Crate::new("git", &one("src/main.rs", main));
    let text = |path: &str| fs::read_to_string(package.0.join(path)).unwrap();
    let runtime = root().join("runtime");
    let write = ["--write", "--path", runtime.to_str().unwrap()];
    // A temporary folder may be in a repository.
    package.git(&["init", "--quiet"]);
    let run = package.init(&write);
    assert!(
        run.code == Some(2) && run.error().contains("changes are not committed: src/main.rs, Cargo.toml"),
        "{run:?}"
    );
    assert!(run.error().contains("--allow-dirty") && text("src/main.rs") == main);

    package.git(&["add", "."]);
    package.git(&["commit", "--quiet", "--message", "a"]);
    let run = package.init(&write);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stdout.contains("2 steps written to 2 files") && text("src/main.rs").starts_with("#[graceful::main]\n")
    );
    let path = text("Cargo.toml")
        .lines()
        .find_map(|line| line.split_once("path = \"")?.1.split('"').next().map(str::to_owned));
    assert_eq!(package.0.join(path.unwrap()).canonicalize().unwrap(), runtime.canonicalize().unwrap());
    let names: Vec<_> = files(&package.0.join("src")).into_keys().collect();
    assert_eq!(names, [Path::new("main.rs")], "a temporary file is left");

    fs::remove_dir_all(package.0.join(".git")).unwrap();
    let run = package.init(&[]);
    assert!(run.code == Some(0) && run.stdout.contains("`main` is converted already"), "{run:?}");
}
