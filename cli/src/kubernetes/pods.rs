//! The pods of a workload, from the events of a watch. Times are microseconds of the caller's clock.

use super::pod::Pod;
use crate::report::{Incident, Shutdown};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// All pods that were seen, by their uid.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pods {
    pods: BTreeMap<String, Pod>,
    pub(crate) incidents: Vec<Incident>,
    /// Times without a ready pod: the begin, and the end if it is over.
    pub(crate) outages: Vec<(u64, Option<u64>)>,
}

impl Pods {
    /// Takes an event of the watch. `None`: it is not the event of a pod.
    pub(crate) fn event(&mut self, event: &Value, now: u64) -> Option<()> {
        let object = &event["object"];
        let uid = object["metadata"]["uid"].as_str().filter(|_| object["kind"] == "Pod")?;
        let is_new = !self.pods.contains_key(uid);
        let pod = self.pods.entry(uid.to_owned()).or_default();
        let changes = pod.update(object, is_new, now);
        self.incidents.extend(changes);
        match event["type"].as_str()? {
            "ADDED" | "MODIFIED" => pod.removed = None,
            "DELETED" => pod.remove(now),
            _ => return None,
        }
        self.note_outage(now);
        Some(())
    }

    fn note_outage(&mut self, now: u64) {
        match (self.ready(), self.outages.last_mut()) {
            (0, Some((_, None))) => {}
            (0, _) => self.outages.push((now, None)),
            (_, Some((_, end @ None))) => *end = Some(now),
            _ => {}
        }
    }

    /// The uids of pods that are not known to be removed.
    pub(crate) fn known(&self) -> BTreeSet<String> {
        self.pods.iter().filter(|(_, pod)| pod.removed.is_none()).map(|(uid, _)| uid.clone()).collect()
    }

    /// Marks those of `known` as removed that a later list does not have.
    pub(crate) fn keep(&mut self, known: &BTreeSet<String>, list: &Value, now: u64) {
        let listed: BTreeSet<_> =
            list["items"].as_array().into_iter().flatten().filter_map(|pod| pod["metadata"]["uid"].as_str()).collect();
        for uid in known.iter().filter(|uid| !listed.contains(uid.as_str())) {
            if let Some(pod) = self.pods.get_mut(uid) {
                pod.remove(now);
            }
        }
        self.note_outage(now);
    }

    /// Forgets what happened until now.
    pub(crate) fn forget(&mut self) {
        self.pods.values_mut().for_each(|pod| pod.foreign |= pod.deleted.is_some());
        self.incidents.clear();
        self.outages.clear();
    }

    /// The number of pods that are ready and not being deleted.
    pub(crate) fn ready(&self) -> usize {
        self.pods.values().filter(|pod| pod.is_live() && pod.ready).count()
    }

    /// The nodes of pods that are not being deleted, each once, those with the most pods first.
    pub(crate) fn nodes(&self) -> Vec<String> {
        let mut nodes: BTreeMap<&str, i32> = BTreeMap::new();
        for pod in self.pods.values().filter(|pod| pod.is_live() && !pod.node.is_empty()) {
            *nodes.entry(&pod.node).or_default() -= 1;
        }
        let mut nodes: Vec<_> = nodes.into_iter().collect();
        nodes.sort_by_key(|(_, pods)| *pods);
        nodes.into_iter().map(|(node, _)| node.to_owned()).collect()
    }

    /// The uids and names of pods that are not being deleted, on this node or on every one.
    pub(crate) fn live(&self, node: Option<&str>) -> BTreeMap<String, String> {
        let is_there = |pod: &Pod| pod.is_live() && node.is_none_or(|node| pod.node == node);
        let pods = self.pods.iter().filter(|(_, pod)| is_there(pod));
        pods.map(|(uid, pod)| (uid.clone(), pod.name.clone())).collect()
    }

    /// Whether all of these pods have ended, and no other pod is in its shutdown.
    pub(crate) fn have_ended(&self, pods: &BTreeMap<String, String>) -> bool {
        self.pods.iter().all(|(uid, pod)| pod.has_ended() || (pod.is_live() && !pods.contains_key(uid)))
    }

    /// What keeps these pods from their end, and the workload from its number of ready pods, for a message.
    pub(crate) fn state(&self, gone: &BTreeMap<String, String>, replicas: usize) -> String {
        let mut parts = vec![format!("{} of {replicas} pods are ready", self.ready())];
        for (uid, pod) in self.pods.iter().filter(|(_, pod)| !pod.has_ended()) {
            match (pod.deleted, pod.ready, pod.trouble.as_str()) {
                (Some(_), ..) => parts.push(format!("{} is in its shutdown", pod.name)),
                (None, true, _) if gone.contains_key(uid) => parts.push(format!("{} is not deleted", pod.name)),
                (None, true, _) => {}
                (None, false, "") => parts.push(format!("{} is not ready", pod.name)),
                (None, false, trouble) => parts.push(format!("{}: {trouble}", pod.name)),
            }
        }
        parts.truncate(5);
        parts.join("; ")
    }

    /// The shutdowns by the time of their begin, those of one container or of all.
    pub(crate) fn shutdowns(&self, container: Option<&str>) -> Vec<Shutdown> {
        let pods = self.pods.values().filter(|pod| !pod.foreign).filter_map(|pod| Some((pod, pod.deleted?)));
        let mut shutdowns: Vec<_> = pods.flat_map(|(pod, deleted)| pod.shutdowns(deleted, container)).collect();
        shutdowns.sort_by(|a, b| (a.sent, &a.name).cmp(&(b.sent, &b.name)));
        shutdowns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Exit, Observed};
    use serde_json::json;

    const RUNNING: fn() -> Value = || json!({"running": {}});

    fn ended(code: i32, reason: &str) -> Value {
        json!({"terminated": {"exitCode": code, "reason": reason, "message": "all done\n"}})
    }

    fn event(kind: &str, name: &str, deleted: bool, ready: bool, state: Value) -> Value {
        let ready = if ready { "True" } else { "False" };
        let mut event = json!({"type": kind, "object": {
            "kind": "Pod",
            "metadata": {"uid": format!("uid-{name}"), "name": name},
            "spec": {"nodeName": "node1"},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": ready}],
                "containerStatuses": [{"name": "app", "restartCount": 0, "state": state}],
            },
        }});
        if deleted {
            event["object"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
            event["object"]["metadata"]["deletionGracePeriodSeconds"] = 10.into();
        }
        event
    }

    /// A pod that is deleted at 1 s and ends like this at `at` seconds.
    fn shut_down(at: u64, state: Value) -> Pods {
        let mut pods = Pods::default();
        for (seconds, event) in [
            (0, event("ADDED", "web-1", false, true, RUNNING())),
            (1, event("MODIFIED", "web-1", true, true, RUNNING())),
            (2, event("MODIFIED", "web-1", true, false, RUNNING())),
            (at, event("MODIFIED", "web-1", true, false, state)),
        ] {
            pods.event(&event, seconds * 1_000_000).unwrap();
        }
        pods
    }

    #[test]
    fn a_shutdown_is_followed_from_the_deletion_to_the_end_of_the_container() {
        for (at, state, exit) in [
            (6, ended(0, "Completed"), Exit::Code(0)),
            (6, ended(143, "Error"), Exit::Code(143)),
            (11, ended(137, "Error"), Exit::Killed),
            (6, ended(137, "Error"), Exit::Signal(9)),
            (6, ended(137, "OOMKilled"), Exit::OutOfMemory),
            (6, ended(137, "ContainerStatusUnknown"), Exit::Unseen),
        ] {
            let mut pods = shut_down(at, state);
            assert!(pods.have_ended(&BTreeMap::new()) && pods.live(None).is_empty());
            pods.event(&event("DELETED", "web-1", true, false, json!({})), 20_000_000).unwrap();
            let shutdowns = pods.shutdowns(None);
            let [shutdown] = &shutdowns[..] else { panic!("{shutdowns:?}") };
            assert_eq!((shutdown.sent, shutdown.exited), (1_000_000, at * 1_000_000), "{exit:?}");
            assert_eq!(
                (shutdown.name.as_str(), shutdown.exit, shutdown.unready_after()),
                ("web-1", exit, Some(1_000_000))
            );
            assert!(matches!(&shutdown.observed, Observed::Container { message, .. } if message == "all done\n"));
            assert!(pods.shutdowns(Some("sidecar")).is_empty() && pods.incidents.is_empty());
        }
    }

    #[test]
    fn a_pod_that_vanishes_without_an_end_is_reported() {
        let mut pods = shut_down(3, RUNNING());
        let (known, none) = (pods.known(), BTreeMap::new());
        assert!(!pods.have_ended(&none));
        pods.keep(&known, &json!({"items": [{"metadata": {"uid": "uid-web-1"}}]}), 4_000_000);
        assert!(!pods.have_ended(&none));
        pods.keep(&known, &json!({"items": []}), 5_000_000);
        let shutdowns = pods.shutdowns(None);
        assert_eq!((shutdowns[0].exit, shutdowns[0].exit_after()), (Exit::Unseen, 4_000_000));
        assert!(pods.have_ended(&none));

        let mut lost = shut_down(3, json!({"waiting": {"reason": "ContainerCreating"}}));
        assert!(lost.have_ended(&none));
        lost.event(&event("DELETED", "web-1", true, false, json!({})), 9_000_000).unwrap();
        let shutdown = &lost.shutdowns(None)[0];
        assert_eq!((shutdown.exit, shutdown.exit_after()), (Exit::Unseen, 2_000_000));
    }

    #[test]
    fn a_time_without_a_ready_pod_is_noted() {
        let mut pods = shut_down(3, RUNNING());
        assert_eq!(pods.outages, [(1_000_000, None)]);
        pods.event(&event("ADDED", "web-2", false, true, RUNNING()), 4_000_000).unwrap();
        assert_eq!(pods.outages, [(1_000_000, Some(4_000_000))]);
        pods.forget();
        assert!(pods.outages.is_empty());
    }

    #[test]
    fn a_restart_of_a_container_and_an_eviction_are_incidents() {
        let mut pods = Pods::default();
        let mut state = event("ADDED", "web-1", false, true, RUNNING());
        state["object"]["status"]["containerStatuses"][0]["restartCount"] = 4.into();
        pods.event(&state, 0).unwrap();
        assert!(pods.incidents.is_empty());
        state["object"]["status"]["containerStatuses"][0]["restartCount"] = 5.into();
        state["object"]["status"]["containerStatuses"][0]["lastState"] = ended(1, "Error");
        pods.event(&state, 1).unwrap();
        assert_eq!(pods.incidents[0].what, "restarted: exit code 1 (Error)");
        assert_eq!(pods.incidents[0].name, "web-1/app");
        state["object"]["status"]["phase"] = "Failed".into();
        state["object"]["status"]["reason"] = "Evicted".into();
        pods.event(&state, 2).unwrap();
        assert_eq!(pods.incidents[1].what, "ended: Evicted");
        assert_eq!((pods.ready(), pods.nodes()), (0, vec![]));
    }

    #[test]
    fn pods_that_are_not_ready_are_named_with_the_reason() {
        let mut pods = Pods::default();
        let waiting = json!({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}});
        pods.event(&event("ADDED", "web-1", false, true, RUNNING()), 0).unwrap();
        pods.event(&event("ADDED", "web-2", false, false, waiting), 0).unwrap();
        pods.event(&event("ADDED", "web-3", false, false, RUNNING()), 0).unwrap();
        pods.event(&event("MODIFIED", "web-3", true, false, RUNNING()), 0).unwrap();
        // Its deletion began before the watch.
        pods.event(&event("ADDED", "web-4", true, false, RUNNING()), 0).unwrap();
        assert_eq!(
            pods.state(&BTreeMap::from([("uid-web-1".to_owned(), String::new())]), 2),
            "1 of 2 pods are ready; web-1 is not deleted; web-2: ImagePullBackOff no such image; web-3 is in its shutdown"
        );
        assert_eq!(pods.shutdowns(None).len(), 1);
        pods.forget();
        assert_eq!((pods.shutdowns(None).len(), pods.live(Some("node1")).len()), (0, 2));
        assert_eq!(pods.event(&json!({"type": "ERROR", "object": {"kind": "Status"}}), 0), None);
    }
}
