//! A client with a pool, straight to a process that restarts.
#![allow(clippy::unwrap_used)]

use graceful_tests_peers::{Copy, Load, Program, Restarts, Server};
use std::{path::Path, time::Duration};

/// reqwest repeats no POST that was sent, so each lost one is an error.
#[test]
fn no_post_of_a_pool_fails_while_the_process_restarts_with_a_grace() {
    let executable = env!("CARGO_BIN_EXE_replica").into();
    let server = Server { copy: Copy::Graceful, executable, grace: Duration::from_secs(3), tls: false };
    let restarts = Restarts::start(server).unwrap();
    let url = format!("http://{}/", restarts.address);
    let load = Load { url: &url, method: "POST", callers: 4, seconds: 8, pause: 1, http2: false };
    let folder = Path::new(env!("CARGO_BIN_EXE_client_reqwest")).parent().unwrap();
    let report = Program::Reqwest.start(folder, load).unwrap().report().unwrap();
    let restarts = restarts.finish();
    assert!(report.calls > 0 && restarts.times > 0, "{report:?} in {restarts:?}");
    assert_eq!((report.failed(), restarts.cut), (0, 0), "{report:?} in {restarts:?}");
}
