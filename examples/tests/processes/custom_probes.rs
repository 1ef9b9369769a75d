//! Probes answered in words of the example's own.

use crate::{example, traffic_of};
use graceful_tests::{Signal, probe};
use serde_json::{Value, json};

#[test]
fn healthy_and_unhealthy_answers_have_a_body_a_status_and_headers_of_their_own() {
    let app = example!("custom_answers").start();
    traffic_of(&app);
    let ask = |path| {
        let response = probe(app.health(), path).unwrap();
        assert!(response.head.contains("content-type: application/json\n"), "{response:?}");
        let body: Value = serde_json::from_str(&response.body).unwrap();
        (response.status, response.head.contains("retry-after: 5\n"), body)
    };
    let words = |status, reason, phase| json!({ "status": status, "reason": reason, "phase": phase, "details": {} });
    assert_eq!(ask("/readyz"), (200, false, words("UP", "ok", "serving")));
    app.begin_shutdown(Signal::TERM);
    assert_eq!(ask("/readyz"), (503, true, words("DOWN", "draining", "grace")));
    assert_eq!(ask("/livez"), (200, false, words("UP", "ok", "grace")));
    app.end().with_code(0);
}
