//! A load that runs in the cluster: the pods of an indexed Job, and their logs.

use super::kubectl::{CALL, Kubectl, failed};
use crate::{
    exit_code::{ExitCode, Failure},
    report::{LoadLog, span},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

/// The pause between two looks at the pods, and between two attempts to read a log.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a log may be cut off.
const LONGEST_GAP: Duration = Duration::from_secs(20);
/// How long pods may take to be removed.
const REMOVAL: Duration = Duration::from_secs(60);

/// A Job whose pods send the load.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) name: String,
    pods: u32,
}

/// What the pods of a Job run.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// An image whose entry point is `cargo-graceful`.
    pub(crate) image: &'a str,
    pub(crate) arguments: Vec<String>,
    /// The limit of one request.
    pub(crate) timeout: Duration,
    /// When the cluster ends the Job by itself.
    pub(crate) deadline: Duration,
}

impl Job {
    /// A Job with a name of its own, which is not created yet.
    pub(crate) fn new(pods: u32) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { name: format!("cargo-graceful-load-{:x}-{:x}", now.as_millis(), std::process::id()), pods }
    }

    /// Creates the Job.
    ///
    /// # Errors
    /// The cluster refuses it, or `kubectl` fails.
    pub(crate) async fn create(&self, kubectl: &Kubectl, program: &Program<'_>) -> Result<(), Failure> {
        let manifest = self.manifest(program).to_string();
        // Clusters before 1.21 do not know `completionMode`, and need not: the pods differ by their names.
        let called = kubectl.call(&["create", "--validate=false", "--filename=-"], &manifest, CALL).await?;
        if called.success { Ok(()) } else { Err(failed("create job", &called.error)) }
    }

    fn manifest(&self, program: &Program<'_>) -> Value {
        let labels = json!({"app.kubernetes.io/name": "cargo-graceful-load"});
        // The rules of the Pod Security Standard `restricted`.
        let container = json!({
            "name": "load",
            "image": program.image,
            "imagePullPolicy": "IfNotPresent",
            "args": program.arguments,
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
        });
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": self.name, "labels": labels},
            "spec": {
                "completions": self.pods,
                "parallelism": self.pods,
                "completionMode": "Indexed",
                "backoffLimit": 0,
                "activeDeadlineSeconds": program.deadline.as_secs(),
                "ttlSecondsAfterFinished": 60,
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "restartPolicy": "Never",
                        "automountServiceAccountToken": false,
                        "terminationGracePeriodSeconds": program.timeout.as_secs() + 10,
                        "securityContext": {
                            "runAsNonRoot": true,
                            "runAsUser": 65532,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "containers": [container],
                    },
                },
            },
        })
    }

    fn selector(&self) -> String {
        format!("--selector=job-name={}", self.name)
    }

    /// Deletes the Job, whose pods get SIGTERM, and does not wait for them.
    ///
    /// # Errors
    /// `kubectl` fails.
    pub(crate) async fn stop(&self, kubectl: &Kubectl) -> Result<(), Failure> {
        // The Job first: it would replace its pods.
        kubectl.run(&["delete", "job", &self.name, "--ignore-not-found", "--wait=false"], CALL).await?;
        let pods = ["delete", "pods", &self.selector(), "--ignore-not-found", "--wait=false"];
        kubectl.run(&pods, CALL).await.map(drop)
    }

    /// Deletes the Job and waits until its pods are removed.
    ///
    /// # Errors
    /// `kubectl` fails, or a pod is still there after a minute.
    pub(crate) async fn remove(&self, kubectl: &Kubectl) -> Result<(), Failure> {
        self.stop(kubectl).await?;
        let pods = ["delete", "pods", &self.selector(), "--ignore-not-found", "--grace-period=1", "--wait=true"];
        kubectl.run(&pods, REMOVAL).await.map(drop)
    }

    /// Waits until every pod sends its load.
    ///
    /// # Errors
    /// A pod fails, or does not start within the limit.
    pub(crate) async fn wait_started(&self, kubectl: &Kubectl, limit: Duration) -> Result<LoadPods, Failure> {
        let (end, selector) = (Instant::now() + limit, self.selector());
        let (sender, events) = unbounded_channel();
        let mut pods = LoadPods { count: self.pods as usize, tasks: JoinSet::new(), events };
        let (mut followed, mut started) = (BTreeSet::new(), 0);
        loop {
            let list = kubectl.json(&["get", "pods", &selector, "--output=json"], CALL).await?;
            let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            for pod in items.iter().filter(|pod| pod["status"]["phase"] != "Pending") {
                let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                // A container that could not start has no log.
                let ended = &pod["status"]["containerStatuses"][0]["state"]["terminated"];
                if let Some(why) = ended["message"].as_str() {
                    return Err(not_started(&format!("load pod {name}: {}", why.trim())));
                }
                if followed.insert(name.clone()) {
                    pods.tasks.spawn(follow(kubectl.clone(), name, sender.clone()));
                }
            }
            let next = (Instant::now() + PAUSE).min(end);
            while let Ok(Some(event)) = timeout_at(next, pods.events.recv()).await {
                match event {
                    Event::Started => started += 1,
                    early => return Err(ended_early(early)),
                }
                if started == pods.count {
                    return Ok(pods);
                }
            }
            if Instant::now() >= end {
                let why = self.trouble(kubectl, items).await;
                let why = why.unwrap_or_else(|| "the entry point of --load-image must be cargo-graceful".to_owned());
                return Err(not_started(&format!(
                    "{started} of {} load pods send requests after {}: {why}",
                    self.pods,
                    span(limit)
                )));
            }
        }
    }

    /// Why pods do not start: the state of a container, or the last event of the Job.
    async fn trouble(&self, kubectl: &Kubectl, pods: &[Value]) -> Option<String> {
        let text = |value: &Value| Some(value.as_str()?.to_owned());
        let of_pod = |pod: &Value| {
            let waiting = &pod["status"]["containerStatuses"][0]["state"]["waiting"];
            let unscheduled = |one: &&Value| one["type"] == "PodScheduled" && one["status"] == "False";
            let condition = || pod["status"]["conditions"].as_array()?.iter().find(unscheduled);
            text(&waiting["message"]).or_else(|| text(&waiting["reason"])).or_else(|| text(&condition()?["message"]))
        };
        if !pods.is_empty() {
            return pods.iter().find_map(of_pod);
        }
        let of_job = format!("--field-selector=involvedObject.name={}", self.name);
        let events = kubectl.json(&["get", "events", &of_job, "--output=json"], CALL).await.ok()?;
        text(&events["items"].as_array()?.last()?["message"])
    }
}

fn not_started(message: &str) -> Failure {
    Failure::new(ExitCode::Start, message)
}

fn ended_early(event: Event) -> Failure {
    match event {
        Event::Failed(pod, why) => not_started(&format!("load pod {pod}: {why}")),
        Event::Ended(pod, _) => not_started(&format!("load pod {pod} ended early: somebody deleted it")),
        Event::Started => not_started("a load pod started twice"),
    }
}

/// What the log of a load pod says.
#[derive(Debug)]
enum Event {
    Started,
    Ended(String, Box<LoadLog>),
    Failed(String, String),
}

/// Load pods whose logs are followed. Dropping it ends that.
#[derive(Debug)]
pub(crate) struct LoadPods {
    count: usize,
    tasks: JoinSet<()>,
    events: UnboundedReceiver<Event>,
}

impl LoadPods {
    /// Waits until a pod ends early, which no pod should.
    ///
    /// # Cancel safety
    /// No event is lost: the only one to come is returned.
    pub(crate) async fn failure(&mut self) -> Failure {
        match self.events.recv().await {
            Some(event) => ended_early(event),
            None => not_started("the logs of the load pods ended"),
        }
    }

    /// Waits until every pod has ended, and returns their logs.
    ///
    /// # Errors
    /// A log is cut off, or is not complete within the limit.
    pub(crate) async fn logs(mut self, limit: Duration) -> Result<Vec<LoadLog>, Failure> {
        let (end, mut logs) = (Instant::now() + limit, Vec::new());
        let cut = |why: &str| Failure::new(ExitCode::Kubernetes, why);
        while logs.len() < self.count {
            match timeout_at(end, self.events.recv()).await {
                Ok(Some(Event::Ended(_, log))) => logs.push(*log),
                Ok(Some(Event::Failed(pod, why))) => {
                    return Err(cut(&format!("the log of load pod {pod} is not complete: {why}")));
                }
                Ok(Some(Event::Started)) => {}
                Ok(None) | Err(_) => {
                    let missing = self.count - logs.len();
                    return Err(cut(&format!(
                        "the logs of {missing} load pods are not complete after {}",
                        span(limit)
                    )));
                }
            }
        }
        Ok(logs)
    }
}

/// Reads the log of a pod to its end. A log that is cut off is read again from its begin.
async fn follow(kubectl: Kubectl, pod: String, events: UnboundedSender<Event>) {
    let (mut has_started, mut cut) = (false, None);
    loop {
        let mut log = LoadLog::default();
        let why = match kubectl.stream(&["logs", "--follow", &pod]) {
            Ok(mut stream) => {
                while let Some(line) = stream.line().await {
                    log.read(&line);
                    if let Some(why) = log.mismatch() {
                        let _ = events.send(Event::Failed(pod, why));
                        return;
                    }
                    if log.started.is_some() && !has_started {
                        has_started = true;
                        let _ = events.send(Event::Started);
                    }
                    if log.ended {
                        let _ = events.send(Event::Ended(pod, Box::new(log)));
                        return;
                    }
                }
                match log.other() {
                    Some(error) => error.to_owned(),
                    None => stream.error().await,
                }
            }
            Err(failure) => failure.message,
        };
        let is_final = why.starts_with("error: ");
        if is_final || cut.get_or_insert_with(Instant::now).elapsed() >= LONGEST_GAP {
            let _ = events.send(Event::Failed(pod, why.trim_start_matches("error: ").to_owned()));
            return;
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_bounds_the_job_and_passes_the_rules_of_restricted_namespaces() {
        let job = Job::new(3);
        let (timeout, deadline) = (Duration::from_secs(10), Duration::from_secs(600));
        let program = Program { image: "registry/load:1", arguments: vec!["load".to_owned()], timeout, deadline };
        let manifest = job.manifest(&program);
        let (spec, pod) = (&manifest["spec"], &manifest["spec"]["template"]["spec"]);
        for (value, expected) in [
            (&spec["completions"], json!(3)),
            (&spec["parallelism"], json!(3)),
            (&spec["completionMode"], json!("Indexed")),
            (&spec["activeDeadlineSeconds"], json!(600)),
            (&pod["terminationGracePeriodSeconds"], json!(20)),
            (&pod["containers"][0]["args"], json!(["load"])),
            (&pod["securityContext"]["runAsNonRoot"], json!(true)),
        ] {
            assert_eq!(*value, expected);
        }
        assert!(job.name.len() <= 50, "{}", job.name); // Pods get a suffix, within 63 characters.
    }
}
