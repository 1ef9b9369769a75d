//! Rehearsals in a cluster, with a `kubectl` that behaves in a chosen way. `tests/kubernetes/rehearse.sh` has a real one.

use crate::harness::{self, Run, build, command, finish, free_port, misbehaving};
use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

fn kubectl() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build(&["-p", "cargo-graceful", "--example", "kubectl"], "examples/kubectl"))
}

/// A server for the load, and a folder for the calls. Both end with it.
struct Cluster {
    way: &'static str,
    folder: PathBuf,
    url: String,
    server: Child,
}

impl Cluster {
    fn new(way: &'static str) -> Self {
        let folder = env::temp_dir().join(format!("cargo-graceful-kubectl-{}-{way}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let mut server = Command::new(misbehaving());
        let server = server.args(["exits-with-5", &port.to_string()]).stdin(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "the server does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Self { way, folder, url: format!("http://127.0.0.1:{port}/"), server }
    }

    fn command(&self, target: &str, options: &[&str]) -> Command {
        let mut arguments = vec!["rehearse", "--kubernetes", target, "--url", &self.url, "--json"];
        arguments.extend(["--duration", "400ms", "--propagation", "200ms", "--rate", "100", "--connections", "10"]);
        arguments.extend(options);
        let mut command = command(&arguments);
        command.env("PATH", kubectl().parent().unwrap());
        command.env("FAKE_KUBECTL", self.way).env("FAKE_KUBECTL_STATE", &self.folder);
        command
    }

    fn rehearse(&self, options: &[&str]) -> Run {
        finish(self.command("deployment/web", options).spawn().unwrap())
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.join("calls")).unwrap_or_default()
    }

    /// No call of kubectl outlives the rehearsal.
    fn assert_no_process_is_left(&self) {
        let pids = self.calls();
        let pids = pids.lines().filter_map(|line| line.split(' ').next()?.parse().ok());
        let end = Instant::now() + Duration::from_secs(10);
        for pid in pids.filter_map(rustix::process::Pid::from_raw) {
            while rustix::process::test_kill_process(pid).is_ok() {
                assert!(Instant::now() < end, "kubectl {pid:?} still runs:\n{}", self.calls());
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_restart_is_reported_by_pod() {
    let cluster = Cluster::new("restarts");
    let run = cluster.rehearse(&["--times", "1"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.json();
    assert_eq!((&report["verdict"], &report["requests"]["failed"]), (&"passed".into(), &0.into()), "{run:?}");
    let shutdowns = report["shutdowns"].as_array().unwrap();
    let names: Vec<_> = shutdowns.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["web-old-1", "web-old-2"]);
    let first = &shutdowns[0];
    assert_eq!((&first["exit_code"], &first["termination_message"]), (&0.into(), &"bye".into()));
    assert!(first["exit"].as_f64().unwrap() > 100.0 && first["unready"].is_number(), "{run:?}");
    cluster.assert_no_process_is_left();
}

#[test]
fn a_pod_that_is_killed_fails_the_rehearsal() {
    let cluster = Cluster::new("kills-a-pod");
    let run = cluster.rehearse(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = run.json();
    assert_eq!(
        (&report["shutdowns"][0]["sigkill_needed"], &report["shutdowns"][1]["exit_code"]),
        (&true.into(), &0.into())
    );
    let text = report["reasons"][0]["text"].as_str().unwrap();
    assert!(text.contains("web-old-1 was still running 1 s after deletion; SIGKILL was needed"), "{text}");
}

#[test]
fn a_watch_that_is_cut_off_is_resumed_or_ends_the_rehearsal() {
    thread::scope(|scope| {
        scope.spawn(|| {
            let cluster = Cluster::new("cuts-the-watch-once");
            let run = cluster.rehearse(&[]);
            // A note: both were gone before the end of their termination grace period.
            assert_eq!(run.code, Some(0), "{run:?}");
            let report = run.json();
            let text = report["reasons"][0]["text"].as_str().unwrap();
            assert!(text.contains("the end of web-old-1 was not seen"), "{text}");
            assert_eq!(report["shutdowns"][0]["exit_code"], serde_json::Value::Null);
            cluster.assert_no_process_is_left();
        });
        scope.spawn(|| {
            let cluster = Cluster::new("cuts-the-watch");
            let run = cluster.rehearse(&[]);
            assert_eq!(run.code, Some(9), "{run:?}");
            assert!(run.error().contains("cut off, and not resumed within 30 s: error: unexpected EOF"), "{run:?}");
            cluster.assert_no_process_is_left();
        });
    });
}

#[test]
fn what_kubectl_refuses_ends_in_one_line() {
    let ends = |way: &'static str, target: &str, options: &[&str], code: i32, said: &str| {
        let cluster = Cluster::new(way);
        let run = finish(cluster.command(target, options).spawn().unwrap());
        assert!(run.code == Some(code) && run.error().contains(said), "{way}: {run:?}");
        assert_eq!(run.stdout, "");
        cluster.assert_no_process_is_left();
    };
    let load = ["--load-pods", "1", "--load-image", "load:1"];
    thread::scope(|scope| {
        for (way, target, options, code, said) in [
            ("lacks-a-right", "deployment/web", &[][..], 9, "no right to patch deployments.apps"),
            ("finds-nothing", "deployment/gone", &[], 9, "Error from server (NotFound): deployments.apps"),
            ("hangs", "deployment/web", &[], 9, "kubectl get deployment/web: no response within 20 s"),
            ("has-no-container", "deployment/web", &["--container", "app"], 2, "has no container app; it has web"),
            ("fails-a-load-pod", "deployment/web", &load, 4, "load pod load-1: cannot resolve web:80"),
            (
                "loads-with-another-version",
                "deployment/web",
                &load,
                4,
                "load pod load-1: the image has cargo-graceful 9.9.9",
            ),
            ("cuts-a-log", "deployment/web", &load, 9, "the log of load pod load-1 is not complete"),
        ] {
            scope.spawn(move || ends(way, target, options, code, said));
        }
    });
    let cluster = Cluster::new("is-missing");
    let run = finish(cluster.command("deployment/web", &[]).env("PATH", "/no/such/folder").spawn().unwrap());
    assert!(run.code == Some(9) && run.error().contains("cannot run kubectl: "), "{run:?}");
}

#[test]
fn wrong_options_of_a_cluster_are_refused() {
    let url = ["--url", "http://web/"];
    for (options, said) in [
        (&["--kubernetes", "deployment/web"][..], "--url <URL>"),
        (&["--kubernetes", "web"], "write deployment/web"),
        (&["--kubernetes", "deployment/web", "--exe", "a"], "cannot be used with"),
        (&["--kubernetes", "deployment/web", "--rolling"], "cannot be used with"),
        (&["--kubernetes", "deployment/web", "--ready", "http://web/"], "cannot be used with"),
        (&["--kubernetes", "deployment/web", "--signal", "SIGINT"], "cannot be used with"),
        (&["--kubernetes", "deployment/web", "--load-pods", "2"], "--load-image"),
        (&["--disrupt", "drain"], "--kubernetes"),
        (&["--kubernetes", "deployment/web", "--", "app"], "cannot be used with"),
    ] {
        let url = if options == ["--kubernetes", "deployment/web"] { &[][..] } else { &url };
        let at = options.iter().position(|word| *word == "--").unwrap_or(options.len());
        let run = harness::run(&[&["rehearse"][..], &options[..at], url, &options[at..]].concat());
        assert!(run.code == Some(2) && run.stderr.contains(said), "{options:?}: {run:?}");
    }
}

#[test]
fn the_logs_of_load_pods_become_the_report_and_the_job_is_deleted() {
    let cluster = Cluster::new("loads");
    let run = cluster.rehearse(&["--load-pods", "1", "--load-image", "registry/load:1"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.json();
    assert_eq!((&report["requests"]["sent"], &report["subject"]["load_pods"]), (&7.into(), &1.into()));
    let calls = cluster.calls();
    assert!(calls.contains("\"image\":\"registry/load:1\"") && calls.contains("--rate"), "{calls}");
    cluster.assert_no_process_is_left();

    let noise = Cluster::new("loads-with-noise").rehearse(&["--load-pods", "1", "--load-image", "registry/load:1"]);
    assert_eq!(noise.code, Some(1), "{noise:?}");
    assert!(noise.stdout.contains("1 line of the load pods could not be read"), "{noise:?}");
}

/// Interrupts a rehearsal once this call is made.
fn interrupt(way: &'static str, options: &[&str], once: &str) -> (Run, String) {
    let cluster = Cluster::new(way);
    let mut child = cluster.command("deployment/web", options).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    while !cluster.calls().contains(once) {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "no call of {once}: {}", cluster.calls());
        thread::sleep(Duration::from_millis(10));
    }
    let pid = rustix::process::Pid::from_raw(child.id() as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let lines: Vec<_> = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap).collect();
    let mut run = finish(child);
    run.stderr = lines.join("\n");
    cluster.assert_no_process_is_left();
    (run, cluster.calls())
}

#[test]
fn an_interrupted_rehearsal_leaves_the_cluster_as_it_was() {
    thread::scope(|scope| {
        for (way, options, once, undo) in [
            ("drains", &["--disrupt", "drain"][..], " drain node1", " uncordon node1"),
            ("scales", &["--disrupt", "scale"], "--replicas=1", "--replicas=2"),
            ("creates-a-job", &["--load-pods", "1", "--load-image", "load:1"], " logs ", " delete job cargo-graceful"),
        ] {
            scope.spawn(move || {
                let (run, calls) = interrupt(way, options, once);
                assert_eq!((run.code, run.error(), run.stdout.as_str()), (Some(130), "interrupted", ""), "{run:?}");
                let (_, after) = calls.split_once(once).unwrap();
                assert!(after.contains(undo), "{calls}");
            });
        }
    });
}
