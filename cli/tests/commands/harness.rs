//! Runs the command on programs, with a time limit.

use serde_json::Value;
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::Read,
    iter,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// No run of a test takes longer, though another test may build meanwhile.
const LIMIT: Duration = Duration::from_secs(180);

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The error line, which must be the only one. Nothing but quoted lines of a program may follow.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        let errors: Vec<_> = self.stderr.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
        let last = self.stderr.lines().rfind(|line| !line.starts_with("  | ")).unwrap();
        assert!(errors.len() == 1 && last.starts_with("error: "), "{self:#?}");
        errors[0]
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-graceful"));
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the end of the command; kills it at the time limit.
pub(crate) fn finish(mut child: Child) -> Run {
    let read = |mut source: Box<dyn Read + Send>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = source.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let stdout = read(Box::new(child.stdout.take().unwrap()));
    let stderr = child.stderr.take().map(|stderr| read(Box::new(stderr)));
    let end = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > end => {
                let _ = child.kill();
                break child.wait().unwrap();
            }
            None => thread::sleep(Duration::from_millis(10)),
        }
    };
    let stderr = stderr.map(|stderr| stderr.join().unwrap()).unwrap_or_default();
    Run { code: status.code(), stdout: stdout.join().unwrap(), stderr }
}

pub(crate) fn run(arguments: &[&str]) -> Run {
    finish(command(arguments).spawn().unwrap())
}

/// A short rehearsal of the misbehaving program, with additional options, as JSON.
pub(crate) fn rehearse(mode: &str, options: &[&str]) -> Run {
    let port = free_port().to_string();
    let url = format!("http://127.0.0.1:{port}/");
    let short = ["--duration", "1s", "--propagation", "400ms", "--rate", "200", "--connections", "10"];
    let mut arguments = vec!["rehearse", "--json", "--url", &url];
    arguments.extend(short);
    arguments.extend(options);
    arguments.extend(["--", misbehaving().to_str().unwrap(), mode, &port]);
    run(&arguments)
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A port that was free a moment ago. No other test gets it, no client connection has it, because these have even ports on
/// Linux, and `{port}` stands for higher ones.
pub(crate) fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| AtomicU64::new(RandomState::new().build_hasher().finish()));
    let mut ports = iter::repeat_with(|| 3001 + 2 * (NEXT.fetch_add(1, Relaxed) % 3500) as u16);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// The arguments with free ports for `{port}`, `{port2}` and `{port3}`, for tests with many rehearsals at a time: two of
/// them could choose the same.
pub(crate) fn with_ports(arguments: &[&str]) -> Vec<String> {
    let ports = ["{port}", "{port2}", "{port3}"].map(|name| (name, free_port().to_string()));
    let fill = |text: &str| ports.iter().fold(text.to_owned(), |text, (name, port)| text.replace(name, port));
    arguments.iter().map(|argument| fill(argument)).collect()
}

/// Builds a target of the workspace and returns the path of its executable.
pub(crate) fn build(arguments: &[&str], executable: &str) -> PathBuf {
    let status = Command::new(env!("CARGO")).arg("build").args(arguments).current_dir(root()).status().unwrap();
    assert!(status.success());
    // The command stands in the folder of the profile.
    Path::new(env!("CARGO_BIN_EXE_cargo-graceful")).with_file_name(executable)
}

pub(crate) fn misbehaving() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build(&["-p", "cargo-graceful", "--example", "misbehaving"], "examples/misbehaving"))
}

pub(crate) fn hello() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build(&["-p", "graceful-examples", "--bin", "hello"], "hello"))
}
