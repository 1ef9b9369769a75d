//! The commands, run on real programs.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod check;
mod completions;
mod harness;
mod load;
mod readme;
mod page;
mod init;
mod output;
mod kubernetes;
mod manifest;

use harness::{build, command, finish, free_port, hello, misbehaving, rehearse, run};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

/// Rehearses the hello example with a grace of a second.
fn rehearse_hello(options: &[&str]) -> harness::Run {
    let (port, health) = (free_port(), free_port());
    let (url, ready) = (format!("http://127.0.0.1:{port}/"), format!("http://127.0.0.1:{health}/readyz"));
    let mut arguments = vec!["rehearse", "--exe", hello().to_str().unwrap(), "--url", &url, "--ready", &ready];
    arguments.extend(["--json", "--duration", "1s", "--propagation", "500ms", "--rate", "200", "--connections", "10"]);
    arguments.extend(options);
    let mut command = command(&arguments);
    command.env("LISTEN", format!("127.0.0.1:{port}")).env("GRACEFUL_HEALTH", format!("127.0.0.1:{health}"));
    finish(command.env("GRACEFUL_GRACE", "2s").spawn().unwrap())
}

#[test]
fn a_graceful_program_passes_with_each_kind_of_connection() {
    // Whether the example has HTTP/2 depends on what it is built with.
    for mode in ["--keep-alive", "--new-connections"] {
        let run = rehearse_hello(&[mode]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let report = run.json();
        assert_eq!((&report["verdict"], &report["requests"]["failed"]), (&"passed".into(), &0.into()), "{run:?}");
        assert_eq!(
            (&report["shutdowns"][0]["unready_by"], &report["shutdowns"][0]["exit_code"]),
            (&"503".into(), &0.into())
        );
        let asked = report["connections"]["asked_to_reconnect"].as_u64().unwrap();
        assert_eq!(asked > 0, mode == "--keep-alive", "{run:?}");
    }
}

/// Two copies of a program, replaced one after the other.
fn restart(program: &[&str], variables: &[&str]) -> harness::Run {
    let mut arguments = vec!["rehearse", "--json", "--rolling", "--replicas", "2", "--url", "http://127.0.0.1:{port}/"];
    arguments.extend(["--duration", "600ms", "--propagation", "400ms", "--rate", "200", "--connections", "10"]);
    arguments.extend(variables.iter().flat_map(|variable| ["-e", variable]));
    arguments.push("--");
    arguments.extend(program);
    run(&arguments)
}

#[test]
fn a_rolling_restart_replaces_every_copy() {
    let variables = ["LISTEN=127.0.0.1:{port}", "GRACEFUL_HEALTH=127.0.0.1:{port2}", "GRACEFUL_GRACE=2s"];
    let run = restart(&[hello().to_str().unwrap()], &variables);
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.json();
    assert_eq!((report["shutdowns"].as_array().unwrap().len(), &report["requests"]["failed"]), (2, &0.into()));
    assert!(run.stderr.contains("new replica 2 is ready"), "{run:?}");

    let run = restart(&[misbehaving().to_str().unwrap(), "closes-the-listener", "{port}"], &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    // A connection in the accept queue may be reset before.
    let report = run.json();
    let failures = report["failures"].as_array().unwrap();
    assert!(failures.iter().any(|failure| failure["outcome"] == "connection refused"), "{run:?}");
}

#[test]
fn a_page_and_a_picture_are_written_and_slow_requests_are_counted() {
    let folder = std::env::temp_dir().join(format!("cargo-graceful-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (page, picture) = (folder.join("report.html"), folder.join("report.svg"));
    let port = free_port();
    let (port, url) = (port.to_string(), format!("http://127.0.0.1:{port}/"));
    let run = run(&[
        "rehearse",
        "--url",
        &url,
        "--slow",
        &url,
        "--duration",
        "600ms",
        "--propagation",
        "200ms",
        "--rate",
        "50",
        "--html",
        page.to_str().unwrap(),
        "--svg",
        picture.to_str().unwrap(),
        "--",
        misbehaving().to_str().unwrap(),
        "responds-503",
        &port,
    ]);
    let (html, svg) = (fs::read_to_string(page).unwrap(), fs::read_to_string(picture).unwrap());
    fs::remove_dir_all(folder).unwrap();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("slow requests") && run.stdout.contains("\nfailed\n  fail: "), "{}", run.stdout);
    assert!(html.contains("status 503") && html.ends_with("</html>\n") && svg.ends_with("</svg>\n"));
}

#[test]
fn each_misbehavior_fails_with_its_reason() {
    let fails = |mode: &str, reason: &str| {
        let limit = if mode == "ignores-the-signal" { "1s" } else { "10s" };
        let run = rehearse(mode, &["--termination-grace-period", limit]);
        assert_eq!(run.code, Some(1), "{mode}: {run:?}");
        let report = run.json();
        let reasons = report["reasons"].as_array().unwrap();
        let is_expected = |found: &Value| found["fails"] == true && found["text"].as_str().unwrap().contains(reason);
        assert!(reasons.iter().any(is_expected), "{mode}: {reasons:#?}");
        assert_eq!(report["shutdowns"][0]["sigkill_needed"], mode == "ignores-the-signal");
    };
    thread::scope(|scope| {
        for (mode, reason) in [
            ("closes-the-listener", "refused: the listener closed within"),
            ("responds-503", "got status 503"),
            ("dies-by-signal", "by signal 15"),
            ("cuts-responses", "reset in the middle of the response"),
            ("exits-with-5", "exit code 5"),
            ("leaves-a-child", "child processes outlived the program"),
            ("ignores-the-signal", "SIGKILL was needed"),
        ] {
            scope.spawn(move || fails(mode, reason));
        }
    });
}

#[test]
fn a_program_that_never_serves_ends_in_one_line() {
    let ends = |mode: &str, limit: &str, code: i32, said: &str| {
        let run = rehearse(mode, &["--start-timeout", limit]);
        assert_eq!(run.code, Some(code), "{mode}: {run:?}");
        assert!(run.error().contains(said), "{mode}: {run:?}");
        assert_eq!(run.stdout, "");
    };
    thread::scope(|scope| {
        for (mode, limit, code, said) in [
            (
                "exits-at-once",
                "30s",
                4,
                "exit status: 7 before it was ready; its last line is `cannot open the database`",
            ),
            ("panics-at-once", "30s", 4, "exit status: 101 before it was ready; its last lines are"),
            ("never-listens", "1s", 4, "the program is not ready after 1 s: http://127.0.0.1"),
            ("prints-endlessly", "1s", 4, "the program is not ready after 1 s"),
            ("never-responds", "5s", 4, "no complete response within"),
            ("redirects", "30s", 5, "redirects to /login; redirects are not followed"),
            ("responds-404", "30s", 5, "responds with status 404"),
            ("endless-body", "30s", 5, "response body is longer than"),
        ] {
            scope.spawn(move || ends(mode, limit, code, said));
        }
    });
}

#[test]
fn a_program_that_does_not_start_is_quoted_with_its_last_lines() {
    let run = rehearse("panics-at-once", &[]);
    let lines: Vec<_> = run.stderr.lines().filter_map(|line| line.strip_prefix("  | ")).collect();
    let expected: Vec<_> = (3..=12).map(|line| format!("  line {line}")).collect();
    assert_eq!(lines, expected, "{run:?}");
}

#[test]
fn a_port_in_use_is_refused_before_the_program_starts() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let run = run(&["rehearse", "--url", &url, "--", "/no/such/program"]);
    assert!(run.code == Some(5) && run.error().contains("another process listens on 127.0.0.1"), "{run:?}");
}

#[test]
fn wrong_usage_is_refused_with_the_fix() {
    let url = format!("http://127.0.0.1:{}/", free_port());
    for (arguments, code, said) in [
        (vec!["rehearse", "--url", "localhost:3000"], 2, "write http://localhost:3000"),
        (vec!["rehearse", "--duration", "5"], 2, "write `5s`"),
        (vec!["rehearse", "--exe", "a", "--", "b"], 2, "cannot be used with"),
        (vec!["rehearse", "--propagation", "1h", "--exe", "a"], 2, "--propagation is longer than"),
        (vec!["rehearse", "--replicas", "2", "--exe", "a"], 2, "--rolling"),
        (vec!["rehearse", "--rolling", "--exe", "a"], 2, "write {port} in --url"),
        (vec!["rehearse", "--slow", "http://127.0.0.1:1/", "--exe", "a"], 2, "the host and the port of --url"),
        (vec!["rehearse", "--stream", "http://127.0.0.1:1/", "--exe", "a"], 2, "--stream must have the host"),
        (vec!["rehearse", "--websocket", "http://127.0.0.1:3000/", "--exe", "a"], 2, "write ws://127.0.0.1:3000/"),
        (vec!["rehearse", "--rate", "0", "--exe", "a"], 2, "--rate 0 needs --ready"),
        (vec!["rehearse", "--rate", "0", "--ready", &url, "--exe", "a"], 2, "--rate 0 needs one of --slow"),
        (vec!["rehearse", "--grpc", "a/b/c", "--exe", "a"], 2, "write package.Service for a health check"),
        (vec!["rehearse", "--insecure", "--cacert", "a", "--exe", "a"], 2, "cannot be used with"),
        (vec!["rehearse", "--env", "LISTEN", "--exe", "a"], 2, "write NAME=VALUE"),
        (vec!["rehearse", "--html", "/no/such/folder/a.html", "--exe", "a"], 2, "name a file in an existing folder"),
        (vec!["rehearse", "--rate", "200000", "--duration", "10m", "--exe", "a"], 2, "over 10 million requests"),
        (vec!["rehearse", "--url", &url, "--", "/no/such/program"], 4, "cannot start /no/such/program"),
        (vec!["graceful", "plan", "--exe", "/bin/sh", "--bin", "a"], 2, "cannot be used with"),
    ] {
        let run = run(&arguments);
        assert!(run.code == Some(code) && run.stderr.contains(said), "{arguments:?}: {run:?}");
    }
}

#[test]
fn an_interrupted_rehearsal_ends_its_program_in_order() {
    let (port, url) = (free_port().to_string(), String::new());
    let url = format!("{url}http://127.0.0.1:{port}/");
    let program = misbehaving().to_str().unwrap();
    let arguments = ["rehearse", "--url", &url, "--duration", "40s", "--", program, "exits-with-5", &port];
    let mut child = command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut started = None;
    for line in lines.by_ref().map(Result::unwrap) {
        if let Some((_, pid)) = line.split_once(" as process ") {
            started = pid.parse::<i32>().ok();
        }
        if line.contains("requests/s over") {
            break;
        }
    }
    let pid = |id| rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(pid(child.id() as i32), rustix::process::Signal::INT).unwrap();
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    let run = finish(child);
    assert_eq!((run.code, run.stdout.as_str()), (Some(130), ""), "{rest:?}");
    assert_eq!(rest.last().map(String::as_str), Some("error: interrupted"));
    let end = Instant::now() + Duration::from_secs(10);
    while rustix::process::test_kill_process(pid(started.unwrap())).is_ok() {
        assert!(Instant::now() < end, "the program still runs");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_plan_is_drawn_in_each_format() {
    // Built first, because a cold build takes longer than the limit of a run.
    build(&["-p", "graceful-examples", "--bin", "hooks"], "hooks");
    let plan = |format: &str| {
        let run = run(&["plan", "-p", "graceful-examples", "--bin", "hooks", "--format", format]);
        assert_eq!(run.code, Some(0), "{run:?}");
        run
    };
    assert_eq!(plan("json").json()["hooks"][0]["name"], "deregister");
    let text = plan("text").stdout;
    assert!(text.contains("termination grace period 30s") && text.contains("examples/hooks.rs:8"), "{text}");
    assert!(plan("svg").stdout.contains("examples/hooks.rs:8"));
}

#[test]
fn a_program_without_a_plan_is_refused_in_one_line() {
    for (program, said) in [
        ("/bin/true", "the program printed no plan (not JSON"),
        ("/bin/false", "the program ended with exit status: 1"),
        ("/usr/bin/yes", "the program printed more than 1048576 bytes"),
        (hello().to_str().unwrap(), ""),
    ] {
        let run = run(&["plan", "--exe", program]);
        if said.is_empty() {
            assert_eq!(run.code, Some(0), "{run:?}");
        } else {
            assert!(run.code == Some(6) && run.error().contains(said), "{program}: {run:?}");
        }
    }
}

#[test]
fn a_plan_that_does_not_fit_is_shown_with_its_arithmetic() {
    let mut command = harness::command(&["plan", "--exe", hello().to_str().unwrap()]);
    let run = harness::finish(command.env("GRACEFUL_GRACE", "40s").spawn().unwrap());
    assert_eq!(run.code, Some(6), "{run:?}");
    assert!(run.stderr.contains("+ grace                     40s\n"), "{run:?}");
    assert!(run.error().starts_with("the program ended with exit status: 78"), "{run:?}");
}

#[test]
fn a_build_that_fails_shows_the_errors_of_cargo() {
    let run = run(&["plan", "-p", "cargo-graceful", "--bin", "no-such-binary"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stderr.contains("no bin target named `no-such-binary`"), "{run:?}");
}
