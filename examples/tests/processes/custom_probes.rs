//! Custom probe responses.

use crate::{example, traffic_address};
use graceful_tests::{Signal, probe};
use serde_json::{Value, json};

#[test]
fn probe_responses_have_the_custom_body_status_and_headers() {
    let app = example!("custom_probes").start();
    traffic_address(&app);
    let ask = |path| {
        let response = probe(app.health(), path).unwrap();
        assert!(response.head.contains("content-type: application/json\n"), "{response:?}");
        let body: Value = serde_json::from_str(&response.body).unwrap();
        (response.status, response.head.contains("retry-after: 5\n"), body)
    };
    let body = |status, reason, phase| json!({ "status": status, "reason": reason, "phase": phase, "details": {} });
    assert_eq!(ask("/readyz"), (200, false, body("UP", "ok", "serving")));
    app.begin_shutdown(Signal::TERM);
    assert_eq!(ask("/readyz"), (503, true, body("DOWN", "draining", "grace")));
    assert_eq!(ask("/livez"), (200, false, body("UP", "ok", "grace")));
    app.end().with_code(0);
}
