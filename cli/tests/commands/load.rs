//! Each kind of load, on right programs and on wrong ones.

use crate::harness::{Run, build, misbehaving, run, with_ports};
use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::OnceLock,
    thread,
};

/// The options of a short rehearsal.
const SHORT: [&str; 6] = ["--duration", "1s", "--propagation", "400ms", "--connections", "10"];

/// The options of an example, with its health port.
fn example(name: &str) -> Vec<String> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let examples = ["--bin", "multi", "--bin", "sse", "--bin", "tls", "--bin", "websocket"];
        build(&[&["-p", "graceful-examples"], &examples[..]].concat(), "")
    });
    let program = folder.join(name).to_str().unwrap().to_owned();
    let options = ["--ready", "http://127.0.0.1:{port2}/readyz", "-e", "GRACEFUL_HEALTH=127.0.0.1:{port2}"];
    let options = options.into_iter().chain([
        "-e",
        "GRACEFUL_GRACE=2s",
        "-e",
        "LISTEN_METRICS=127.0.0.1:0",
        "-e",
        "LISTEN_TCP=127.0.0.1:0",
    ]);
    // The port of gRPC calls is the port of the load.
    let listen: &[_] = match name {
        "multi" => &["-e", "LISTEN=127.0.0.1:{port3}", "-e", "LISTEN_GRPC=127.0.0.1:{port}"],
        _ => &["-e", "LISTEN=127.0.0.1:{port}"],
    };
    let options = options.chain(listen.iter().copied()).map(str::to_owned);
    ["--exe".to_owned(), program].into_iter().chain(options).collect()
}

/// A rehearsal of an example.
fn of_example(name: &str, options: &[&str]) -> Run {
    let example = example(name);
    let example: Vec<_> = example.iter().map(String::as_str).collect();
    rehearse(&[&SHORT[..], &example, options].concat())
}

/// A rehearsal of the misbehaving program.
fn of_misbehaving(mode: &str, options: &[&str]) -> Run {
    let program = ["--", misbehaving().to_str().unwrap(), mode, "{port}"];
    rehearse(&[&SHORT[..], options, &program].concat())
}

/// A rehearsal with a report in JSON. Rolling ones choose the ports of each copy.
fn rehearse(arguments: &[&str]) -> Run {
    let arguments = [&["rehearse", "--json"], arguments].concat();
    match arguments.contains(&"--rolling") {
        true => run(&arguments),
        false => run(&with_ports(&arguments).iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

const PLAIN: [&str; 4] = ["--url", "http://127.0.0.1:{port}/", "--rate", "100"];
/// Debug builds do few TLS handshakes in a second.
const TLS: [&str; 4] = ["--url", "https://localhost:{port}/", "--rate", "50"];
/// No other clients than long ones.
const LONG_ONLY: [&str; 4] = ["--url", "http://127.0.0.1:{port}/", "--rate", "0"];

/// A certificate for `localhost`, and its key.
fn certificate() -> (PathBuf, PathBuf) {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("certificate-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        folder
    });
    (folder.join("certificate.pem"), folder.join("key.pem"))
}

/// A rehearsal of the misbehaving program over TLS, with its certificate trusted.
fn over_tls(mode: &str, options: &[&str]) -> Run {
    let (certificate, key) = certificate();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let variables = [format!("CERTIFICATE={certificate}"), format!("KEY={key}")];
    let trust = ["--cacert", certificate, "-e", &variables[0], "-e", &variables[1]];
    of_misbehaving(mode, &[&TLS, &trust[..], options].concat())
}

#[track_caller]
fn passed(run: &Run, long: Option<&str>) {
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.json();
    assert_eq!(report["requests"]["failed"], 0);
    if let Some(kind) = long {
        assert!(report["long_clients"][kind]["succeeded"].as_u64() >= Some(4), "{report:#}");
    }
}

#[track_caller]
fn failed(run: &Run, reason: &str) {
    assert_eq!(run.code, Some(1), "{run:?}");
    let report = run.json();
    let reasons = report["reasons"].as_array().unwrap();
    let is_expected = |found: &serde_json::Value| found["text"].as_str().unwrap().contains(reason);
    assert!(reasons.iter().any(is_expected), "`{reason}` in {reasons:#?}");
}

#[test]
fn tls_is_served_to_the_end() {
    let slow = ["--insecure", "--slow", "https://localhost:{port}/slow"];
    passed(&of_example("tls", &[&TLS, &slow[..]].concat()), Some("slow requests"));
}

#[test]
fn a_grpc_call_that_is_served_succeeds_though_the_health_check_tells_not_serving() {
    let run = of_example("multi", &[&PLAIN, &["--grpc"][..]].concat());
    passed(&run, None);
    assert!(run.json()["connections"]["asked_to_reconnect"].as_u64() > Some(0), "{run:?}");
}

#[test]
fn copies_with_grpc_are_replaced_without_a_lost_call() {
    let rolling = ["--grpc", "--rolling", "--replicas", "2"];
    let run = of_example("multi", &[&["--url", "http://127.0.0.1:{port}/", "--rate", "20"], &rolling[..]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.json()["shutdowns"].as_array().unwrap().len(), 2);
}

#[test]
fn websockets_and_streams_end_in_order() {
    thread::scope(|scope| {
        for (name, option, url, kind) in [
            ("websocket", "--websocket", "ws://127.0.0.1:{port}/ws", "WebSockets"),
            ("sse", "--stream", "http://127.0.0.1:{port}/clock", "streams"),
        ] {
            scope.spawn(move || passed(&of_example(name, &[&LONG_ONLY, &[option, url][..]].concat()), Some(kind)));
        }
    });
}

#[test]
fn copies_that_run_on_after_a_rolling_restart_keep_their_streams() {
    let rolling = ["--rolling", "--replicas", "2", "--websocket", "ws://127.0.0.1:{port}/ws"];
    let run = of_example("websocket", &[&LONG_ONLY, &rolling[..]].concat());
    passed(&run, Some("WebSockets"));
    // Each of the first four is closed, and its client reconnects.
    assert!(run.json()["long_clients"]["WebSockets"]["succeeded"].as_u64() >= Some(8), "{run:?}");
}

#[test]
fn uploads_are_read_to_the_end() {
    let ready = ["--ready", "http://127.0.0.1:{port}/"];
    let upload = ["--upload", "http://127.0.0.1:{port}/long", "--timeout", "3s"];
    thread::scope(|scope| {
        for mode in ["reads-uploads", "responds-early"] {
            // No other clients: the program exits while they would still send.
            let options = [&LONG_ONLY, &ready[..], &upload].concat();
            scope.spawn(move || passed(&of_misbehaving(mode, &options), Some("uploads")));
        }
    });
}

#[test]
fn long_clients_that_are_cut_fail_with_their_reason() {
    thread::scope(|scope| {
        for (mode, option, url, reason) in [
            ("cuts-websockets", "--websocket", "ws://127.0.0.1:{port}/long", " ended without a Close frame"),
            (
                "closes-websockets-with-an-error",
                "--websocket",
                "ws://127.0.0.1:{port}/long",
                "WebSockets ended with an error, the first",
            ),
            ("exits-with-5", "--websocket", "ws://127.0.0.1:{port}/", "status 200 instead of a WebSocket"),
            ("cuts-streams", "--stream", "http://127.0.0.1:{port}/long", " of --stream cut in the middle"),
            ("cuts-uploads", "--upload", "http://127.0.0.1:{port}/long", "requests of --upload cut"),
        ] {
            let options = [&PLAIN, &[option, url][..]].concat();
            scope.spawn(move || failed(&of_misbehaving(mode, &options), reason));
        }
    });
    // Alone, because it takes all of the processor.
    let stream = ["--stream", "http://127.0.0.1:{port}/long"];
    failed(&of_misbehaving("floods", &[&PLAIN, &stream[..]].concat()), " of --stream cut in the middle");
}

#[test]
fn grpc_calls_and_tls_that_fail_have_their_reason() {
    failed(&of_misbehaving("grpc-unavailable", &[&PLAIN, &["--grpc"][..]].concat()), "grpc-status 14 UNAVAILABLE");
    failed(&over_tls("tls-refuses", &["--new-connections"]), "failed in the TLS handshake");
    failed(&over_tls("tls-cuts-without-notify", &["--new-connections"]), "reset in the middle of the response");
    let wss = ["--url", "https://localhost:{port}/", "--rate", "0", "--websocket", "wss://localhost:{port}/"];
    failed(&of_example("tls", &wss), "failed: certificate not accepted");
}

#[test]
fn http2_and_websockets_run_over_tls() {
    passed(&over_tls("tls-grpc", &["--grpc", "shop.Prices"]), None);
    passed(&over_tls("tls-grpc", &["--grpc", "shop.Prices/Get", "--http2"]), None);
    let websocket = ["--new-connections", "--websocket", "wss://localhost:{port}/long"];
    passed(&over_tls("tls-closes-websockets", &websocket), Some("WebSockets"));
}

#[test]
fn a_complete_response_is_complete_without_close_notify() {
    let run = over_tls("tls-ends-without-notify", &["--keep-alive"]);
    passed(&run, None);
    assert!(run.json()["requests"]["succeeded"].as_u64() > Some(0), "{run:?}");
}

#[test]
fn a_load_that_cannot_start_ends_in_one_line() {
    let ends = |run: Run, code: i32, said: &str| {
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.error().contains(said), "`{said}` in {run:?}");
        assert_eq!(run.stdout, "");
    };
    let limit = ["--start-timeout", "5s", "--timeout", "700ms"];
    let (tls, plain) = ([&TLS, &limit[..]].concat(), [&PLAIN, &limit[..]].concat());
    let with = |options: &[&'static str], more: &[&'static str]| [options, more].concat();
    ends(of_example("tls", &tls), 5, "UnknownIssuer; name the CA with --cacert, or accept any");
    ends(of_misbehaving("never-responds", &with(&tls, &["--insecure"])), 4, "did not complete the TLS handshake");
    ends(
        of_misbehaving("grpc-unimplemented", &with(&plain, &["--grpc"])),
        5,
        "12 UNIMPLEMENTED: going away; name a method",
    );
    ends(of_misbehaving("grpc-no-status", &with(&plain, &["--grpc"])), 4, "response without grpc-status");
    ends(
        of_misbehaving("never-listens", &with(&tls, &["--cacert", "/no/such/file"])),
        2,
        "no certificates from /no/such/file",
    );
}

#[test]
fn a_port_that_speaks_another_protocol_is_refused_at_once() {
    let refuses = |run: Run, said: &str| {
        assert_eq!(run.code, Some(5), "`{said}`: {run:?}");
        assert!(run.error().contains(said), "`{said}` in {run:?}");
    };
    // Longer than the limit of a run.
    const PATIENT: [&str; 2] = ["--start-timeout", "5m"];
    let with = |options: &[&'static str], more: &[&'static str]| [options, &PATIENT, more].concat();
    thread::scope(|scope| {
        scope.spawn(|| {
            refuses(of_example("tls", &with(&TLS, &["--insecure", "--http2"])), "leave --http2 and --grpc out")
        });
        scope.spawn(|| refuses(of_example("sse", &with(&TLS, &["--insecure"])), "does not speak TLS at this port"));
        let plain = ["--url", "http://localhost:{port}/"];
        scope.spawn(move || {
            refuses(of_example("tls", &with(&plain, &[])), "speaks TLS at this port; write https://localhost:")
        });
        for (mode, option, said) in [
            ("exits-with-5", "--http2", "speaks HTTP/1.1 alone at this port; leave --http2 out"),
            ("exits-with-5", "--grpc", "gRPC needs HTTP/2; name the port of gRPC"),
            ("grpc-serves", "--keep-alive", "speaks HTTP/2 alone at this port; use --http2 or --grpc"),
            ("grpc-invalid", "--grpc", "name a method that succeeds with an empty message"),
        ] {
            scope.spawn(move || refuses(of_misbehaving(mode, &with(&PLAIN, &[option])), said));
        }
        scope.spawn(|| {
            let run = of_misbehaving("grpc-streams", &with(&PLAIN, &["--grpc", "--timeout", "1s"]));
            refuses(run, "did not end within --timeout; name a method whose calls end");
        });
    });
}

#[test]
fn a_url_that_never_works_says_what_could_be_wrong_with_it() {
    let limit = ["--start-timeout", "5s", "--timeout", "500ms"];
    let late = |mode: &str, url: &str, said: &str| {
        let run = of_misbehaving(mode, &[&["--url", url], &limit[..]].concat());
        assert!(run.code == Some(4) && run.error().contains(said), "`{said}` in {run:?}");
    };
    late("exits-with-5", "http://127.0.0.2/", "the URL names no port and means port 80");
    late("floods-slowly", "http://127.0.0.1:{port}/", "name endless responses with --stream");
}
