//! One pod as its events tell. Times are microseconds of the caller's clock.

use crate::report::{Exit, Incident, Observed, Shutdown};
use serde_json::Value;
use std::collections::BTreeMap;

/// How much earlier than at the end of the termination grace period a SIGKILL can seem to happen: the events of the
/// deletion and of the end take different times.
const TOLERANCE: u64 = 1_000_000;

/// The end of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    at: u64,
    /// `None`: the kubelet has lost it.
    code: Option<i64>,
    reason: String,
    message: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Container {
    restarts: u64,
    /// It runs, or its end is known.
    started: bool,
    end: Option<End>,
}

/// One pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) node: String,
    pub(super) ready: bool,
    /// It has ended without a deletion: evicted, or its containers are not restarted.
    finished: bool,
    pub(super) deleted: Option<u64>,
    /// The begin of its deletion was not seen: it does not count.
    pub(super) foreign: bool,
    /// The termination grace period of the deletion.
    grace: u64,
    unready: Option<u64>,
    /// When the object was removed.
    pub(super) removed: Option<u64>,
    containers: BTreeMap<String, Container>,
    /// Why it is not ready.
    pub(super) trouble: String,
}

impl Pod {
    /// Takes a new state, and returns ends of containers that nobody asked for.
    pub(super) fn update(&mut self, object: &Value, is_new: bool, now: u64) -> Vec<Incident> {
        let (metadata, spec, status) = (&object["metadata"], &object["spec"], &object["status"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.name = text(&metadata["name"]);
        self.node = text(&spec["nodeName"]);
        let mut incidents = Vec::new();
        let incident = |name: &str, what: String| Incident { name: name.to_owned(), at: now, what };
        if self.deleted.is_none() && metadata["deletionTimestamp"].is_string() {
            self.deleted = Some(now);
            self.foreign = is_new;
            self.grace = metadata["deletionGracePeriodSeconds"].as_u64().unwrap_or_default() * 1_000_000;
        }
        let conditions = || status["conditions"].as_array().into_iter().flatten();
        let ready = conditions().any(|one| one["type"] == "Ready" && one["status"] == "True");
        if self.ready && !ready && self.deleted.is_some() {
            self.unready.get_or_insert(now);
        }
        self.ready = ready;
        let finished = matches!(status["phase"].as_str(), Some("Failed" | "Succeeded"));
        if finished && !self.finished && !is_new && self.deleted.is_none() {
            let why = [&status["reason"], &status["message"]].map(text).join(" ");
            let why = if why.trim().is_empty() { text(&status["phase"]) } else { why };
            incidents.push(incident(&self.name, format!("ended: {}", why.trim())));
        }
        self.finished = finished;
        let unscheduled = conditions().find(|one| one["type"] == "PodScheduled" && one["status"] == "False");
        self.trouble = unscheduled.map(|one| text(&one["message"])).unwrap_or_default();
        for state in status["containerStatuses"].as_array().into_iter().flatten() {
            let name = text(&state["name"]);
            let container = self.containers.entry(name.clone()).or_default();
            let restarts = state["restartCount"].as_u64().unwrap_or_default();
            if restarts > container.restarts && !is_new {
                let last = End::of(&state["lastState"]["terminated"], now);
                let why = last.and_then(|end| Some(format!(": exit code {} ({})", end.code?, end.reason)));
                let why = why.unwrap_or_default();
                incidents.push(incident(&format!("{}/{name}", self.name), format!("restarted{why}")));
            }
            container.restarts = restarts;
            match End::of(&state["state"]["terminated"], now) {
                Some(end) if container.end.is_none() => container.end = Some(end),
                Some(_) => {}
                // The end of a deleted container is final. A kubelet that has lost it reports a container that waits.
                None if self.deleted.is_some() && !is_new => {
                    if container.started && container.end.is_none() && state["state"]["waiting"].is_object() {
                        container.end =
                            Some(End { at: now, code: None, reason: String::new(), message: String::new() });
                    }
                }
                None => {
                    // A container in CrashLoopBackOff does not shut down.
                    container.started = state["state"]["running"].is_object();
                    container.end = None;
                    let waiting = &state["state"]["waiting"];
                    if waiting.is_object() {
                        let why = [&waiting["reason"], &waiting["message"]].map(text).join(" ");
                        why.trim().clone_into(&mut self.trouble);
                    }
                }
            }
        }
        incidents
    }

    /// Notes that the object was removed.
    pub(super) fn remove(&mut self, now: u64) {
        self.removed.get_or_insert(now);
        // Without an event of the deletion, which happens with --force.
        self.deleted.get_or_insert(now);
    }

    /// Whether it is not being deleted and has not ended.
    pub(super) fn is_live(&self) -> bool {
        self.deleted.is_none() && !self.finished
    }

    /// Whether its shutdown is over, or does not count.
    pub(super) fn has_ended(&self) -> bool {
        let has_ended = |container: &Container| container.end.is_some() || !container.started;
        let containers_ended = !self.containers.is_empty() && self.containers.values().all(has_ended);
        self.removed.is_some() || self.finished || self.foreign || (self.deleted.is_some() && containers_ended)
    }

    /// The shutdowns of its containers, of one or of all.
    pub(super) fn shutdowns(&self, deleted: u64, container: Option<&str>) -> impl Iterator<Item = Shutdown> {
        let is_asked = move |name: &str| container.is_none_or(|asked| asked == name);
        let several = self.containers.len() > 1;
        self.containers.iter().filter(move |(name, one)| one.started && is_asked(name)).map(move |(name, one)| {
            let (exited, exit, reason, message) = match &one.end {
                Some(end) => (end.at, end.exit(deleted, self.grace), end.reason.clone(), end.message.clone()),
                None => (self.removed.unwrap_or(deleted), Exit::Unseen, String::new(), String::new()),
            };
            Shutdown {
                name: if several { format!("{}/{name}", self.name) } else { self.name.clone() },
                signal: "deletion",
                sent: deleted,
                unready: self.unready.map(|at| (at, "not Ready".to_owned())),
                exited,
                exit,
                observed: Observed::Container { reason, message },
            }
        })
    }
}

impl End {
    fn of(terminated: &Value, at: u64) -> Option<Self> {
        let text = |name: &str| terminated[name].as_str().unwrap_or_default().to_owned();
        let code = Some(terminated["exitCode"].as_i64()?).filter(|_| terminated["reason"] != "ContainerStatusUnknown");
        Some(Self { at, code, reason: text("reason"), message: text("message") })
    }

    fn exit(&self, deleted: u64, grace: u64) -> Exit {
        match self.code {
            None => Exit::Unseen,
            Some(_) if self.reason == "OOMKilled" => Exit::OutOfMemory,
            Some(137) if self.at.saturating_sub(deleted) + TOLERANCE >= grace => Exit::Killed,
            Some(137) => Exit::Signal(9),
            Some(code) => Exit::Code(code as i32),
        }
    }
}
