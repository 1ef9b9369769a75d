//! Outputs that nobody reads, and a lack of file descriptors: no reason to fail a shutdown.

use crate::{main_that, serve};
use graceful_tests::{App, Client, Signal};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use std::{
    fs,
    io::{ErrorKind, PipeReader, PipeWriter, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

/// A pipe that nobody will read from: closed.
fn closed_pipe() -> PipeWriter {
    std::io::pipe().unwrap().1
}

/// A pipe without room for another byte. Its reader must outlive the app.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&[b'x'; 4096][..size]).is_ok() {}
    }
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}

/// Serves a request, is told to stop, and does so in time.
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
fn a_stderr_whose_reader_is_gone_does_not_matter() {
    serves_and_stops(serve().stderr(closed_pipe()));
}

#[test]
fn a_stderr_that_is_full_and_that_nobody_reads_does_not_matter() {
    let (_reader, writer) = full_pipe();
    serves_and_stops(serve().stderr(writer));
}

#[test]
fn a_stdout_whose_reader_is_gone_does_not_matter() {
    let app = serve().stdout(closed_pipe()).start();
    app.says("serving: ready");
    app.signal(Signal::TERM);
    app.end().with_code(0).says_in_order(&["everything finished in time"]);
}

#[test]
fn an_error_of_main_runs_the_hooks_though_nobody_reads_stderr_any_more() {
    main_that("fail").stderr(closed_pipe()).run().with_code(1).prints_in_order(&["the hook has run"]);
}

#[test]
fn an_error_of_main_runs_the_hooks_though_stderr_is_full() {
    let (_reader, writer) = full_pipe();
    main_that("fail").stderr(writer).run().with_code(1).prints_in_order(&["the hook has run"]);
}

#[test]
fn a_termination_log_that_cannot_be_written_is_said_and_changes_no_exit_code() {
    let app = main_that("return").env("GRACEFUL_TERMINATION_LOG", "/no/such/folder/log");
    app.run().with_code(0).says_in_order(&["cannot write the termination log /no/such/folder/log: "]);
}

#[test]
fn a_refusal_to_start_has_its_exit_code_though_nobody_reads_stderr() {
    main_that("return").env("GRACEFUL_GRACE", "8").stderr(closed_pipe()).run().with_code(78);
}

/// A file of its own for the termination log of one test.
fn termination_log(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("termination-{of}-{}", std::process::id()))
}

#[test]
fn the_termination_log_has_the_summary_though_stderr_is_full() {
    let (_reader, writer) = full_pipe();
    let log = termination_log("full");
    main_that("fail").env("GRACEFUL_TERMINATION_LOG", &log).stderr(writer).run().with_code(1);
    let written = fs::read_to_string(&log).unwrap();
    fs::remove_file(&log).unwrap();
    assert!(written.starts_with("shutdown after the return of main") && written.contains("NoDatabase"), "{written}");
}

#[test]
fn a_refusal_to_start_is_in_the_termination_log() {
    let log = termination_log("refusal");
    let ended = main_that("return").env("GRACEFUL_GRACE", "8").env("GRACEFUL_TERMINATION_LOG", &log).run();
    let written = fs::read_to_string(&log).unwrap_or_else(|error| panic!("{error}: no log\n{}", ended.all()));
    fs::remove_file(&log).unwrap();
    ended.with_code(78).says_in_order(&["refused to start", "GRACEFUL_GRACE: "]);
    assert!(written.contains("refused to start: ") && written.contains("GRACEFUL_GRACE: "), "{written}");
}

/// In a mount namespace, as a container is one. Where the system does not permit that, it says so and proves nothing.
#[cfg(target_os = "linux")]
#[test]
fn the_file_that_kubernetes_mounts_has_the_summary_and_none_is_made_where_there_is_none() {
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
    let ended = run("echo 'what a former container has said' > /dev/termination-log");
    ended.prints_in_order(&["the hook has run", "termination-log", "shutdown after the return of main", "NoDatabase"]);
    ended.never_prints("what a former container has said");
    let ended = run("true");
    ended.prints_in_order(&["the hook has run"]).never_prints("termination-log").never_says("termination log");
}

#[test]
fn a_lack_of_file_descriptors_is_survived() {
    let app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 40).start();
    let address = app.ready();
    let crowd: Vec<_> = (0..60).map(|_| app.client()).collect();
    app.says("cannot accept");
    let mut probe = Client::new(app.health());
    probe.send("/readyz");
    app.says("the health server cannot accept");
    drop(crowd);
    // Served again, as soon as those are gone.
    assert_eq!(probe.response().status, 200);
    let mut client = Client::new(address);
    assert_eq!(client.get("/fast").status, 200);
    app.begin_drain();
    match client.try_get("/fast") {
        Ok(response) => assert_eq!(response.status, 200),
        Err(error) => assert!(
            matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
            "{error:?}"
        ),
    }
    let advice = "it tries again. If files are short, raise";
    app.end().with_code(0).says_in_order(&["cannot accept: ", advice, "draining: "]);
}

#[test]
fn a_lack_of_file_descriptors_in_the_drain_still_answers_the_queue() {
    let mut app = App::with_open_files(env!("CARGO_BIN_EXE_serve"), 40).start();
    app.ready();
    let mut held: Vec<_> = (0..60).map(|_| app.client()).collect();
    held.iter_mut().for_each(|client| client.send("/held"));
    app.says("cannot accept");
    app.begin_drain();
    app.tell("release");
    for client in &mut held {
        assert_eq!(client.response().body, "held\n");
    }
    app.end().with_code(0);
}

#[test]
fn a_refusal_to_start_exits_though_stderr_is_full() {
    let (_reader, writer) = full_pipe();
    main_that("return").env("GRACEFUL_GRACE", "8").stderr(writer).run().with_code(78);
}
