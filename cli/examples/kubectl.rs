//! A `kubectl` for the tests: two pods of `deployment/web` on one node, in the way of the variable `FAKE_KUBECTL`. The
//! folder of `FAKE_KUBECTL_STATE` has the calls, which are all that the calls know of each other.

use serde_json::{Value, json};
use std::{
    env, fs,
    io::{Read, Write},
    path::PathBuf,
    process::exit,
    thread::sleep,
    time::Duration,
};

/// The pods before and after the disruption.
const OLD: [&str; 2] = ["web-old-1", "web-old-2"];
const NEW: [&str; 2] = ["web-new-1", "web-new-2"];

fn main() {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--context")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with("--namespace")).collect();
    let way = env::var("FAKE_KUBECTL").unwrap_or_default();
    note(&format!("{} {}\n", std::process::id(), words.join(" ")));
    match words[..] {
        ["config", ..] => println!("test"),
        ["auth", "can-i", "patch", "deployments.apps", ..] if way == "lacks-a-right" => {
            println!("no");
            exit(1);
        }
        ["auth", ..] => println!("yes"),
        ["get", "deployment/web", ..] if way == "hangs" => sleep(Duration::from_secs(600)),
        ["get", "deployment/web", ..] => println!("{}", deployment(&way)),
        ["get", "deployment/gone", ..] => {
            fail("Error from server (NotFound): deployments.apps \"gone\" not found");
        }
        ["get", "pods", _, "--watch", ..] => watch(&way),
        ["get", "pods", selector, ..] if selector.contains("job-name") => {
            println!("{}", json!({"items": [load_pod()]}))
        }
        ["get", "pods", ..] if way == "cuts-the-watch" => fail("error: connection refused"),
        ["get", "pods", ..] => {
            println!("{}", json!({"items": NEW.map(|name| pod(name, running(), false))}));
        }
        ["get", "node", ..] => println!("{{}}"),
        ["drain", ..] => sleep(Duration::from_secs(600)),
        ["create", ..] => {
            let mut manifest = String::new();
            let _ = std::io::stdin().read_to_string(&mut manifest);
            note(&manifest.replace('\n', " "));
        }
        ["logs", ..] => load(&way),
        ["rollout", ..] | ["scale", ..] | ["delete", ..] | ["uncordon", ..] => {}
        _ => fail(&format!("error: unknown command {words:?}")),
    }
}

fn fail(why: &str) {
    eprintln!("{why}");
    exit(1);
}

fn calls() -> PathBuf {
    PathBuf::from(env::var_os("FAKE_KUBECTL_STATE").unwrap_or_default()).join("calls")
}

fn note(line: &str) {
    let file = fs::OpenOptions::new().create(true).append(true).open(calls());
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}

/// How often a call was made.
fn count(call: &str) -> usize {
    fs::read_to_string(calls()).unwrap_or_default().matches(call).count()
}

fn wait_for(call: &str) {
    while count(call) == 0 {
        sleep(Duration::from_millis(10));
    }
}

fn deployment(way: &str) -> Value {
    let grace = if way == "kills-a-pod" { 1 } else { 30 };
    json!({
        "kind": "Deployment",
        "metadata": {"namespace": "test"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"spec": {"terminationGracePeriodSeconds": grace, "containers": [{"name": "web"}]}},
        },
    })
}

fn running() -> Value {
    json!({"running": {}})
}

fn ended(code: i32) -> Value {
    json!({"terminated": {"exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }, "message": "bye"}})
}

fn pod(name: &str, state: Value, deleted: bool) -> Value {
    let mut pod = json!({
        "kind": "Pod",
        "metadata": {"uid": name, "name": name},
        "spec": {"nodeName": "node1"},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": if deleted { "False" } else { "True" }}],
            "containerStatuses": [{"name": "web", "restartCount": 0, "state": state}],
        },
    });
    if deleted {
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
        pod["metadata"]["deletionGracePeriodSeconds"] = 1.into();
    }
    pod
}

fn event(kind: &str, pod: &Value) {
    println!("{}", serde_json::to_string_pretty(&json!({"type": kind, "object": pod})).unwrap_or_default());
}

/// Reports the pods, and after the restart new pods and the end of the old ones.
fn watch(way: &str) {
    let is_resumed = count("--watch") > 1;
    let before = if is_resumed { NEW } else { OLD };
    before.iter().for_each(|name| event("ADDED", &pod(name, running(), false)));
    if !is_resumed {
        wait_for("rollout restart");
        NEW.iter().for_each(|name| event("ADDED", &pod(name, running(), false)));
        OLD.iter().for_each(|name| event("MODIFIED", &pod(name, running(), true)));
    }
    if way.starts_with("cuts-the-watch") {
        println!("{{\"type\": \"MODIFIED\", \"object\": {{\"kind\": \"Po");
        if !is_resumed || way == "cuts-the-watch" {
            fail("error: unexpected EOF");
        }
    }
    if !is_resumed {
        let code = if way == "kills-a-pod" { 137 } else { 0 };
        // The kubelet kills a container at the end of its termination grace period.
        sleep(Duration::from_millis(if code == 0 { 300 } else { 1100 }));
        event("MODIFIED", &pod(OLD[0], ended(code), true));
        event("MODIFIED", &pod(OLD[1], ended(0), true));
        OLD.iter().for_each(|name| event("DELETED", &pod(name, ended(code), true)));
    }
    sleep(Duration::from_secs(600));
}

fn load_pod() -> Value {
    let mut pod = pod("load-1", running(), false);
    pod["metadata"]["labels"] = json!({"job-name": "load"});
    pod
}

/// The log of a load pod, whose clock is that of this machine.
fn load(way: &str) {
    if way == "fails-a-load-pod" {
        println!("error: cannot resolve web:80: no address");
        return;
    }
    if way == "creates-a-job" {
        sleep(Duration::from_secs(600)); // the load never starts, so that the rehearsal cannot end
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let version = if way == "loads-with-another-version" { "9.9.9" } else { env!("CARGO_PKG_VERSION") };
    println!("{}", json!({"load": "started", "second": now, "version": version}));
    wait_for(" delete job cargo-graceful");
    if way == "cuts-a-log" {
        return;
    }
    let second = json!({
        "second": 0, "succeeded": 7, "elsewhere": 0, "long": {}, "failures": {}, "latency": "", "connections": [1, 0, 0, 0],
    });
    println!("{second}");
    if way == "loads-with-noise" {
        println!("thread 'load-0' panicked");
    }
    println!("{}", json!({"load": "ended", "scheduling": "", "queued": 0, "last_success": 5}));
}
