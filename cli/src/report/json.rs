//! A rehearsal as JSON. Times are milliseconds: those of a shutdown relative to its signal, others to the
//! beginning of the first disruption.

use super::{
    latencies::Percentiles,
    log::{Exit, Incident, Observed, Shutdown},
    summary::{Second, Summary},
    verdict::Verdict,
};
use serde_json::{Map, Value, json};

pub(crate) fn json(summary: &Summary, verdict: &Verdict) -> String {
    let (subject, connections) = (&summary.subject, summary.connections);
    let reasons: Vec<_> = verdict
        .reasons
        .iter()
        .map(|reason| json!({"fails": reason.fails, "text": reason.text, "advice": reason.advice}))
        .collect();
    let failures: Vec<_> = summary
        .failures
        .iter()
        .map(|failed| {
            json!({
                "outcome": failed.outcome.name(),
                "count": failed.count,
                "before_signal": failed.before_signal,
                "first": millis(failed.first as f64),
                "last": millis(failed.last as f64),
                "error": failed.error,
            })
        })
        .collect();
    let long: Map<String, Value> = summary
        .long
        .iter()
        .map(|(kind, (succeeded, failed))| (kind.name().to_owned(), json!({"succeeded": succeeded, "failed": failed})))
        .collect();
    let report = json!({
        "verdict": verdict.word(),
        "reasons": reasons,
        "subject": {
            "command": subject.command,
            "url": subject.url,
            "clients": subject.modes,
            "rate": subject.rate,
            "connections": subject.connections,
            "load_pods": subject.load_pods,
            "propagation": millis(subject.propagation as f64),
            "termination_grace_period": millis(subject.termination_grace_period as f64),
        },
        "requests": {
            "sent": summary.sent,
            "succeeded": summary.succeeded,
            "failed": summary.failed(),
            "elsewhere": summary.elsewhere,
            "queued": summary.queued,
        },
        "long_clients": long,
        "failures": failures,
        "connections": {
            "opened": connections.opened,
            "asked_to_reconnect": connections.asked,
            "closed_idle": connections.closed_idle,
            "cut": connections.cut,
        },
        "last_success": summary.last_success.map(|at| millis(at as f64)),
        "shutdowns": summary.shutdowns.iter().map(|one| shutdown(one, summary)).collect::<Vec<_>>(),
        "incidents": summary.incidents.iter().map(|one| incident(one, summary)).collect::<Vec<_>>(),
        "outages": summary.outages.iter().map(|(from, to)| {
            json!({"from": millis(summary.relative(*from) as f64), "to": millis(summary.relative(*to) as f64)})
        }).collect::<Vec<_>>(),
        "latency": {"before": percentiles(summary.latency_before), "after": percentiles(summary.latency_after)},
        "scheduling_error": percentiles(summary.scheduling),
        "seconds": summary.seconds.iter().map(second).collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

fn shutdown(shutdown: &Shutdown, summary: &Summary) -> Value {
    let (code, signal) = match shutdown.exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
        Exit::Killed | Exit::OutOfMemory => (None, Some(9)),
        Exit::Unseen => (None, None),
    };
    let mut value = json!({
        "name": shutdown.name,
        "signal": shutdown.signal,
        "sent": millis(summary.relative(shutdown.sent) as f64),
        "unready": shutdown.unready_after().map(|at| millis(at as f64)),
        "unready_by": shutdown.unready.as_ref().map(|(_, how)| how),
        "exit": millis(shutdown.exit_after() as f64),
        "exit_code": code,
        "exit_signal": signal,
        "sigkill_needed": shutdown.exit == Exit::Killed,
    });
    match &shutdown.observed {
        Observed::Process { children_left, printed, .. } => {
            value["children_left"] = (*children_left).into();
            value["printed_bytes"] = (*printed).into();
        }
        Observed::Container { reason, message } => {
            value["reason"] = reason.as_str().into();
            value["termination_message"] = message.as_str().into();
        }
    }
    value
}

fn incident(incident: &Incident, summary: &Summary) -> Value {
    json!({"name": incident.name, "at": millis(summary.relative(incident.at) as f64), "what": incident.what})
}

fn second(second: &Second) -> Value {
    let failures: Map<String, Value> =
        second.failures.iter().map(|(outcome, count)| (outcome.name(), (*count).into())).collect();
    json!({
        "second": second.start,
        "succeeded": second.succeeded,
        "failed": second.failed(),
        "elsewhere": second.elsewhere,
        "failures": failures,
        "latency": Some(second.latency).filter(|latency| latency.max > 0).map(percentiles),
    })
}

fn percentiles(of: Percentiles) -> Value {
    let [p50, p90, p99, max] = [of.p50, of.p90, of.p99, of.max].map(|value| millis(value as f64));
    json!({"p50": p50, "p90": p90, "p99": p99, "max": max})
}

fn millis(micros: f64) -> f64 {
    micros / 1e3
}
