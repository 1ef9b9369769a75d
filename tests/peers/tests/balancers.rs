//! Rolling restarts of three copies behind HAProxy and nginx: no request fails.
#![allow(clippy::unwrap_used)]

use graceful_tests_peers::{Configuration, Copy, failed, rolling_restarts};
use std::{ffi::OsStr, fs, path::Path, time::Duration};

fn no_request_fails(configuration: Configuration) {
    if !configuration.is_installed() {
        return;
    }
    let executable = OsStr::new(env!("CARGO_BIN_EXE_replica"));
    let outcome = rolling_restarts(configuration, Copy::Graceful, executable, 1, Duration::ZERO).unwrap();
    assert_eq!(outcome.counts.len(), 5, "each kind of request is sent: {:?}", outcome.counts);
    assert!(outcome.counts.values().all(|count| count.sent > 0), "{:?}", outcome.counts);
    assert_eq!(failed(&outcome.counts), 0, "{:#?}\n{}", outcome.counts, outcome.output);
}

#[test]
fn no_request_fails_behind_haproxy_with_health_checks() {
    no_request_fails(Configuration::HaProxy);
}

#[test]
fn no_request_fails_behind_nginx_that_repeats_refused_connection_attempts() {
    no_request_fails(Configuration::Nginx);
}

/// The page shows the configurations as they are.
#[test]
fn the_page_has_the_configurations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/balancers.md")).unwrap();
    for file in ["haproxy.cfg", "nginx.conf"] {
        let text = fs::read_to_string(root.join("balancers").join(file)).unwrap();
        assert!(page.contains(text.trim()), "docs/balancers.md does not have {file} as it is");
    }
}
