//! `manifest` and `manifest --fix`.

use crate::harness::{Run, command, finish, hello, run};
use std::{fs, path::PathBuf, process::Command};

/// A folder that is removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("graceful-manifest-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.0.join(name), text).unwrap();
        self.path(name)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const WRONG: &str = "\
kind: Deployment # ours
metadata: {name: web}
spec:
  strategy:
    # The cache was shared once.
    type: Recreate
  template:
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: web
        command: [sh, -c, /app]
";

fn right() -> String {
    WRONG.replace("Recreate", "RollingUpdate").replace("10", "30").replace("/app", "exec /app")
}

fn manifest(arguments: &[&str]) -> Run {
    run(&[&["manifest", "--exe", hello().to_str().unwrap()], arguments].concat())
}

#[test]
fn what_is_written_passes_check_without_a_finding() {
    let exe = hello().to_str().unwrap();
    for (environment, options) in [
        (&[][..], &[][..]),
        (&[("GRACEFUL_GRACE", "60s"), ("GRACEFUL_TERMINATION_GRACE_PERIOD", "2m")], &["--kind", "statefulset"]),
        (&[("GRACEFUL_HEALTH", "[::]:9000"), ("GRACEFUL_PRE_STOP", "3s")], &["--port", "80", "--replicas", "5"]),
        (&[("GRACEFUL_HEALTH", "off")], &["--name", "shop", "--image", "registry.example/shop:7"]),
    ] {
        let folder = Folder::new("written");
        let with = |arguments: &[&str]| finish(command(arguments).envs(environment.iter().copied()).spawn().unwrap());
        let into = folder.path("deploy");
        let written = with(&[&["manifest", "--exe", exe, "--write", &into], options].concat());
        assert_eq!(written.code, Some(0), "{written:?}");
        let name = if options.contains(&"shop") { "shop" } else { "hello" };
        let (yaml, dockerfile) = (format!("{into}/{name}.yaml"), format!("{into}/Dockerfile"));
        assert_eq!(written.stdout, format!("wrote {yaml}\nwrote {dockerfile}\n"));
        let checked = with(&["check", "--exe", exe, "--dockerfile", &dockerfile, "--format", "json", &yaml]);
        assert_eq!(checked.json(), serde_json::json!({ "findings": [], "skipped": [] }), "{environment:?}");
        let again = with(&[&["manifest", "--exe", exe, "--write", &into], options].concat());
        assert!(again.code == Some(7) && again.error().contains("exists; --force replaces it"), "{again:?}");
        let forced = with(&[&["manifest", "--exe", exe, "--write", &into, "--force"], options].concat());
        assert_eq!(forced.code, Some(0), "{forced:?}");
    }
}

#[test]
fn a_manifest_or_a_dockerfile_is_printed() {
    let yaml = manifest(&["--image", "registry.example/a:2"]);
    assert!(yaml.code == Some(0) && yaml.stdout.contains("\n        image: registry.example/a:2\n"), "{yaml:?}");
    let dockerfile = manifest(&["--dockerfile"]);
    assert!(dockerfile.code == Some(0) && dockerfile.stdout.ends_with("ENTRYPOINT [\"/hello\"]\n"), "{dockerfile:?}");
}

#[test]
fn without_a_yes_the_diff_is_shown_and_nothing_is_written() {
    let folder = Folder::new("shown");
    let file = folder.file("web.yaml", WRONG);
    let shown = manifest(&["--fix", &file]);
    assert_eq!(shown.code, Some(1), "{shown:?}");
    assert!(shown.stdout.starts_with(&format!("--- {file}\n+++ {file}\n@@ ")), "{shown:?}");
    assert!(shown.stdout.contains("\n-    type: Recreate\n+    type: RollingUpdate\n"), "{shown:?}");
    assert!(shown.stderr.ends_with("nothing is written; --yes writes\n"), "{shown:?}");
    assert_eq!(folder.read("web.yaml"), WRONG);
}

#[cfg(unix)]
#[test]
fn a_yes_writes_in_one_step_and_keeps_permissions_and_links() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new("written-in-place");
    let file = folder.file("web.yaml", WRONG);
    let dockerfile = folder.file("Dockerfile", "FROM debian\nCMD /app --port 3000\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, folder.path("link.yaml")).unwrap();
    let written = manifest(&["--yes", "--fix", &folder.path("link.yaml"), "--dockerfile", &dockerfile]);
    assert_eq!(written.code, Some(0), "{written:?}");
    // The Dockerfile's CMD does not count beside the manifest's command.
    assert_eq!(
        (folder.read("web.yaml"), folder.read("Dockerfile")),
        (right(), "FROM debian\nCMD /app --port 3000\n".to_owned())
    );
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(folder.path("link.yaml")).unwrap().is_symlink());
    assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 3, "no temporary file is left");
    let again = manifest(&["--yes", "--fix", &file]);
    assert!(again.code == Some(0) && again.stdout.is_empty() && again.stderr == "no finding\n", "{again:?}");
}

#[test]
fn a_dockerfile_is_fixed_with_the_manifest_of_its_container() {
    let folder = Folder::new("dockerfile");
    let yaml = folder.file("web.yaml", &WRONG.replace("        command: [sh, -c, /app]\n", ""));
    let dockerfile = folder.file("Dockerfile", "FROM debian\nCMD /app --port 3000\n");
    let written = manifest(&["--quiet", "--yes", "--fix", &yaml, "--dockerfile", &dockerfile]);
    assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""), "{written:?}");
    assert_eq!(folder.read("Dockerfile"), "FROM debian\nCMD [\"/app\", \"--port\", \"3000\"]\n");
    assert_eq!(folder.read("web.yaml"), right().replace("        command: [sh, -c, exec /app]\n", ""));
}

#[test]
fn check_names_the_command_that_fixes_a_finding() {
    let folder = Folder::new("named");
    let file = folder.file("web.yaml", WRONG);
    let exe = hello().to_str().unwrap();
    let checked = run(&["check", "--exe", exe, &file]);
    let line = format!(" = `cargo graceful manifest --exe {exe} --fix {file}` does this\n");
    assert_eq!(checked.stdout.matches(&line).count(), 3, "{}", checked.stdout);
}

#[test]
fn wrong_arguments_and_files_are_refused_in_one_line() {
    let folder = Folder::new("refused");
    let (yaml, broken) = (folder.file("web.yaml", WRONG), folder.file("broken.yaml", "a: [1"));
    for (arguments, code, said) in [
        (vec!["--fix", "-"], 2, "standard input"),
        (vec!["--fix", &yaml, "--dockerfile"], 2, "takes a file"),
        (vec!["--dockerfile", &yaml], 2, "needs --fix"),
        (vec!["--fix", &broken], 8, "not YAML"),
        (vec!["--fix", "no/such.yaml"], 8, "no/such.yaml"),
        (vec!["--fix", &yaml, "--port", "1"], 2, "cannot be used with"),
        (vec!["--name", "Web_App"], 2, "begin with a letter"),
        (vec!["--port", "8081"], 2, "--port 8081 is the port of the health server"),
        (vec!["--write", &yaml], 7, "cannot write"),
    ] {
        let run = manifest(&arguments);
        assert!(run.code == Some(code) && run.stderr.contains(said), "{arguments:?}: {run:?}");
        assert_eq!(folder.read("web.yaml"), WRONG);
    }
    let loopback = finish(
        command(&["manifest", "--exe", hello().to_str().unwrap()])
            .env("GRACEFUL_HEALTH", "127.0.0.1:8081")
            .spawn()
            .unwrap(),
    );
    assert!(loopback.code == Some(6) && loopback.error().contains("unset GRACEFUL_HEALTH"), "{loopback:?}");
}

/// Runs the steps of a Dockerfile: the build in a copy of this folder, and the copy into the image. Returns the executable.
fn build_image(dockerfile: &str, context: &Folder, name: &str) -> (PathBuf, Folder) {
    let image = Folder::new(name);
    let source = image.0.join("src");
    let mut copied = None;
    for line in dockerfile.lines().filter(|line| !line.starts_with('#')) {
        match line.split_once(' ') {
            Some(("COPY", ". .")) => {
                let copy = Command::new("cp").arg("-r").args([&context.0, &source]).status().unwrap();
                assert!(copy.success());
                fs::remove_dir_all(source.join("target")).unwrap();
            }
            Some(("RUN", command)) => {
                let mut shell = Command::new("sh");
                let shell = shell.args(["-c", command]).current_dir(&source).env_remove("CARGO_TARGET_DIR");
                let output = shell.env("CARGO_NET_OFFLINE", "true").output().unwrap();
                assert!(output.status.success(), "{command}: {output:?}");
            }
            Some(("COPY", rest)) => {
                let (from, to) = rest.strip_prefix("--from=build /src/").unwrap().split_once(' ').unwrap();
                fs::copy(source.join(from), image.0.join(to.trim_start_matches('/'))).unwrap();
                copied = Some(to.to_owned());
            }
            Some(("ENTRYPOINT", words)) => {
                assert_eq!(words, format!("[\"{}\"]", copied.clone().unwrap()));
            }
            _ => {}
        }
    }
    (image.0.join(copied.unwrap().trim_start_matches('/')), image)
}

#[test]
fn the_steps_of_the_dockerfile_build_the_executable_that_it_starts() {
    let plan = run(&["plan", "--exe", hello().to_str().unwrap(), "--format", "json"]).stdout;
    let main = format!("fn main() {{ print!(\"{{}}\", r###\"{plan}\"###); }}\n");
    let member =
        "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[features]\nfast = []\nnew = []\n";
    let member = format!("{member}\n[[bin]]\nname = \"shop_api\"\npath = \"src/main.rs\"\n");
    let context = Folder::new("image-context");
    fs::create_dir_all(context.0.join("services/shop/src")).unwrap();
    fs::create_dir_all(context.0.join("services/shop/examples")).unwrap();
    context.file("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"services/*\"]\n");
    context.file("services/shop/Cargo.toml", &member);
    context.file("services/shop/src/main.rs", &main);
    context.file("services/shop/examples/tiny.rs", &main);
    for (number, options) in [
        &["--bin", "shop_api"][..],
        &["-p", "shop", "--features", "fast new"],
        &["-p", "shop", "--example", "tiny", "--release"],
    ]
    .into_iter()
    .enumerate()
    {
        let mut command = command(&[&["manifest", "--dockerfile"], options].concat());
        let printed = finish(command.current_dir(&context.0).spawn().unwrap());
        assert_eq!(printed.code, Some(0), "{options:?}: {printed:?}");
        assert!(!printed.stderr.contains("stand outside"), "{printed:?}");
        graceful_deploy::Dockerfile::parse("Dockerfile", &printed.stdout).unwrap();
        let (executable, _image) = build_image(&printed.stdout, &context, &format!("image-{number}"));
        let output = Command::new(executable).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), plan, "{options:?}");
    }

    let outside = Folder::new("image-outside");
    fs::create_dir_all(outside.0.join("src")).unwrap();
    outside.file("Cargo.toml", "[package]\nname = \"tool\"\nversion = \"0.1.0\"\n");
    outside.file("src/lib.rs", "");
    let dependency = format!("{member}\n[dependencies]\ntool = {{ path = {:?} }}\n", outside.0);
    context.file("services/shop/Cargo.toml", &dependency);
    let mut command = command(&["manifest", "--dockerfile", "--bin", "shop_api"]);
    let printed = finish(command.current_dir(&context.0).spawn().unwrap());
    assert!(printed.code == Some(0) && printed.stderr.contains("stand outside of it: /"), "{printed:?}");
}
