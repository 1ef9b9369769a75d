//! Unread outputs and exhausted file descriptors don't fail a shutdown.

use crate::{main_that, serve};
use graceful_tests::{App, Client, Running, Signal, probe};
use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, mknodat},
    process::{Pid, Resource, Rlimit, getrlimit, prlimit},
};
use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, PipeReader, PipeWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

/// The writer of a pipe whose reader is closed.
fn closed_pipe() -> PipeWriter {
    std::io::pipe().unwrap().1
}

/// A full pipe. The reader must outlive the app.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    fill(&writer);
    (reader, writer)
}

fn fill(mut writer: &PipeWriter) {
    let flags = fcntl_getfl(writer).unwrap();
    fcntl_setfl(writer, flags | OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&[b'x'; 4096][..size]).is_ok() {}
    }
    fcntl_setfl(writer, flags).unwrap();
}

/// The app serves a request and shuts down in time.
fn serves_and_stops(app: App) {
    let app = app.start();
    assert_eq!(Client::new(app.address()).get("/fast").status, 200);
    let sent = Instant::now();
    app.signal(Signal::TERM);
    let ended = app.end();
    assert!(ended.at - sent < Duration::from_secs(10), "it took {:?}\n{}", ended.at - sent, ended.all());
    ended.with_code(0).prints_in_order(&["the hook has run"]);
}

#[test]
fn a_closed_stderr_does_not_affect_the_shutdown() {
    serves_and_stops(serve().stderr(closed_pipe()));
}

#[test]
fn a_full_stderr_does_not_affect_the_shutdown() {
    let (_reader, writer) = full_pipe();
    serves_and_stops(serve().stderr(writer));
}

#[test]
fn a_closed_stdout_does_not_affect_the_shutdown() {
    let app = serve().stdout(closed_pipe()).start();
    app.logs("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0).logs_in_order(&["everything finished in time"]);
}

#[test]
fn hooks_run_after_an_error_of_main_with_a_closed_stderr() {
    main_that("fail").stderr(closed_pipe()).run().with_code(1).prints_in_order(&["the hook has run"]);
}

#[test]
fn hooks_run_after_an_error_of_main_with_a_full_stderr() {
    let (_reader, writer) = full_pipe();
    main_that("fail").stderr(writer).run().with_code(1).prints_in_order(&["the hook has run"]);
}

#[test]
fn an_unwritable_termination_log_is_reported_and_keeps_the_exit_code() {
    let app = main_that("return").env("GRACEFUL_TERMINATION_LOG", "/no/such/folder/log");
    app.run().with_code(0).logs_in_order(&["cannot write the termination log /no/such/folder/log: "]);
}

#[test]
fn a_refusal_to_start_keeps_its_exit_code_with_a_closed_stderr() {
    main_that("return").env("GRACEFUL_GRACE", "8").stderr(closed_pipe()).run().with_code(78);
}

/// The path of the termination log of one test.
fn termination_log(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("termination-{of}-{}", std::process::id()))
}

#[test]
fn the_termination_log_has_the_summary_with_a_full_stderr() {
    let (_reader, writer) = full_pipe();
    let log = termination_log("full");
    main_that("fail").env("GRACEFUL_TERMINATION_LOG", &log).stderr(writer).run().with_code(1);
    let written = fs::read_to_string(&log).unwrap();
    fs::remove_file(&log).unwrap();
    assert!(written.starts_with("shutdown after the return of main") && written.contains("NoDatabase"), "{written}");
}

/// The control thread is blocked, and stderr blocks the report of the last resort.
#[test]
fn the_last_resort_ends_the_process_with_the_code_of_its_report_despite_a_full_stderr() {
    let (reader, writer) = std::io::pipe().unwrap();
    let filled = writer.try_clone().unwrap();
    let log = termination_log("last-resort");
    let app = main_that("blocking waker and fail").env("GRACEFUL_TERMINATION_GRACE_PERIOD", "2s");
    let app = app.env("GRACEFUL_MARGIN", "1s").env("GRACEFUL_TERMINATION_LOG", &log).stderr(writer);
    let mut app = app.start();
    let mut lines = BufReader::new(&reader).lines();
    assert!(lines.any(|line| line.unwrap().contains("serving: ready")), "readiness would wake the waker, too");
    fill(&filled);
    app.send_line("release");
    app.prints("blocks graceful-control");
    app.end().with_code(1);
    let written = fs::read_to_string(&log).unwrap();
    fs::remove_file(&log).unwrap();
    assert!(written.contains("exit code 1") && written.contains("ended by the last resort"), "{written}");
}

#[test]
fn a_refusal_to_start_is_in_the_termination_log() {
    let log = termination_log("refusal");
    let ended = main_that("return").env("GRACEFUL_GRACE", "8").env("GRACEFUL_TERMINATION_LOG", &log).run();
    let written = fs::read_to_string(&log).unwrap_or_else(|error| panic!("{error}: no log\n{}", ended.all()));
    fs::remove_file(&log).unwrap();
    ended.with_code(78).logs_in_order(&["refused to start", "GRACEFUL_GRACE: "]);
    assert!(written.contains("refused to start: ") && written.contains("GRACEFUL_GRACE: "), "{written}");
}

#[test]
fn a_refusal_to_start_is_on_stderr_though_the_termination_log_is_a_fifo_without_a_reader() {
    let log = termination_log("fifo");
    mknodat(CWD, &log, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let ended = main_that("return").env("GRACEFUL_GRACE", "8").env("GRACEFUL_TERMINATION_LOG", &log).run();
    fs::remove_file(&log).unwrap();
    ended.with_code(78).logs_in_order(&["cannot write the termination log", "refused to start", "GRACEFUL_GRACE: "]);
}

/// Runs in a mount namespace like a container. Prints a note and passes if the system doesn't permit namespaces.
#[cfg(target_os = "linux")]
#[test]
fn the_summary_is_written_to_the_mounted_file_and_no_file_is_created() {
    const DEV: &str = "mount -t tmpfs none /dev";
    let permitted = std::process::Command::new("unshare").args(["--mount", "sh", "-c", DEV]).status();
    if !permitted.is_ok_and(|status| status.success()) {
        println!("skipped: no mount namespaces for this user");
        return;
    }
    let run = |mounted: &str| {
        let script = format!("{DEV} && {mounted} && \"$0\"; ls /dev; cat /dev/* 2>&1");
        let app = App::new("unshare").arg("--mount").arg("sh").arg("-c").arg(script);
        app.arg(env!("CARGO_BIN_EXE_main_end")).env("MAIN", "fail").run()
    };
    let ended = run("echo 'output of an earlier container' > /dev/termination-log");
    ended.prints_in_order(&["the hook has run", "termination-log", "shutdown after the return of main", "NoDatabase"]);
    ended.never_prints("output of an earlier container");
    let ended = run("true");
    ended.prints_in_order(&["the hook has run"]).never_prints("termination-log").never_logs("termination log");
    let ended = run("mkdir /dev/termination-log");
    ended
        .prints_in_order(&["the hook has run"])
        .logs_in_order(&["cannot write the termination log /dev/termination-log: "]);
}

/// Clients of the health server that send nothing.
#[test]
fn idle_clients_of_the_health_server_leave_file_descriptors_to_the_server() {
    let app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 64).start();
    let address = app.ready();
    let mut crowd: Vec<_> = (0..100).map(|_| Client::new(app.health())).collect();
    // Its connection is behind theirs in the accept queue.
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    let mut clients: Vec<_> = (0..8).map(|_| Client::new(address)).collect();
    for client in &mut clients {
        assert_eq!(client.get("/fast").status, 200);
    }
    app.begin_drain();
    crowd.clear();
    app.end().with_code(0).never_logs("cannot accept").never_logs("accepts no further connections");
}

/// The limit of open files of the app.
fn limit_open_files(app: &Running, limit: Rlimit) -> Rlimit {
    let pid = i32::try_from(app.pid()).ok().and_then(Pid::from_raw);
    prlimit(pid, Resource::Nofile, limit).unwrap()
}

#[test]
fn the_server_recovers_from_exhausted_file_descriptors() {
    let app = serve().start();
    let address = app.ready();
    let usual = limit_open_files(&app, Rlimit { current: Some(3), maximum: getrlimit(Resource::Nofile).maximum });
    let probing = Client::new(app.health());
    app.logs("the health server cannot accept");
    let mut client = Client::new(address);
    client.send("/fast");
    app.logs(&format!("{address} cannot accept"));
    drop(probing);
    limit_open_files(&app, usual);
    // Both servers accept again as soon as descriptors are free.
    assert_eq!(client.response().status, 200);
    assert_eq!(probe(app.health(), "/readyz").unwrap().status, 200);
    app.begin_drain();
    match client.try_get("/fast") {
        Ok(response) => assert_eq!(response.status, 200),
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{error:?}"
        ),
    }
    let advice = "it tries again. If files are short, raise";
    app.end().with_code(0).logs_in_order(&["cannot accept: ", advice, "draining: "]);
}

#[test]
fn a_crowd_of_connections_leaves_file_descriptors_to_probes() {
    let app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 64).start();
    app.ready();
    let mut crowd: Vec<_> = (0..200).map(|_| app.client()).collect();
    app.logs("accepts no further connections until one ends: all but 16 file descriptors are in use");
    for _ in 0..5 {
        assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    }
    app.begin_drain();
    assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
    crowd.clear();
    app.end().with_code(0).never_logs("cannot accept");
}

/// The program itself holds every descriptor, and clients of the health server send nothing.
#[test]
fn probes_are_answered_though_no_file_descriptor_is_left() {
    let mut app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 64).start();
    app.ready();
    app.send_line("take files");
    app.prints("no descriptor is left");
    for silent in [0, 20] {
        let _crowd: Vec<_> = (0..silent).map(|_| Client::new(app.health())).collect();
        for _ in 0..5 {
            assert_eq!(probe(app.health(), "/livez").unwrap().status, 200);
        }
    }
    // Nothing waits in the backlog, though `accept` fails.
    app.signal(Signal::TERM);
    let ended = app.end();
    ended.with_code(0).logs_in_order(&["the health server cannot accept: Too many open files", "hooks: nothing is in"]);
}

/// Clients that are silent, or stop in the middle of a head or of a body, hold every descriptor.
#[test]
fn the_drain_cuts_clients_that_hold_the_file_descriptors_and_serves_the_accept_queue() {
    let app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 64).env("GRACEFUL_DRAIN", "8s").start();
    app.ready();
    let starts =
        ["", "GET /fast HTTP/1.1\r\nHost:", "POST /fast HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nab"];
    let mut holders: Vec<_> = (0..60).map(|_| app.client()).collect();
    for (client, start) in holders.iter_mut().zip(starts.into_iter().cycle()) {
        client.write(start);
    }
    app.logs("accepts no further connections");
    let mut queued: Vec<_> = (0..100).map(|_| app.client()).collect();
    queued.iter_mut().for_each(|client| client.send("/fast"));
    app.begin_drain();
    for client in &mut queued {
        assert_eq!(client.response().status, 200);
    }
    app.end().with_code(0).logs_in_order(&["their clients had stopped sending or reading"]);
}

#[test]
fn the_drain_serves_the_accept_queue_despite_exhausted_file_descriptors() {
    let mut app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 40).start();
    app.ready();
    let mut held: Vec<_> = (0..60).map(|_| app.client()).collect();
    held.iter_mut().for_each(|client| client.send("/held"));
    app.logs("accepts no further connections");
    app.begin_drain();
    app.send_line("release");
    for client in &mut held {
        assert_eq!(client.response().body, "held\n");
    }
    app.end().with_code(0);
}

#[test]
fn a_refusal_to_start_exits_with_a_full_stderr() {
    let (_reader, writer) = full_pipe();
    main_that("return").env("GRACEFUL_GRACE", "8").stderr(writer).run().with_code(78);
}
