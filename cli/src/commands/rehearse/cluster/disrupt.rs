//! Ends pods, and waits until others are ready.

use super::{
    changes::{Change, Changes, scale},
    options::{ClusterOptions, Disruption},
};
use crate::{
    commands::rehearse::progress::Progress,
    exit_code::{ExitCode, Failure},
    kubernetes::{CALL, Kubectl, Pods, Target, Workload},
    report::span,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::watch::Receiver, time::timeout};

/// A workload in its cluster.
pub(crate) struct Subject<'a> {
    pub(crate) kubectl: &'a Kubectl,
    pub(crate) target: &'a Target,
    pub(crate) workload: &'a Workload,
    pub(crate) pods: Receiver<Pods>,
    pub(crate) progress: &'a Progress,
}

impl Subject<'_> {
    /// Waits until all replicas are ready, before the load begins.
    ///
    /// # Errors
    /// The limit is over.
    pub(crate) async fn wait_ready(&self, limit: Duration) -> Result<(), Failure> {
        let replicas = self.workload.replicas;
        self.wait(&BTreeMap::new(), limit, |pods| pods.ready() >= replicas).await
    }

    /// Waits until these pods have ended, no other pod is in its shutdown, and all replicas are ready.
    ///
    /// # Errors
    /// The limit is over.
    pub(crate) async fn settle(&self, gone: &BTreeMap<String, String>, limit: Duration) -> Result<(), Failure> {
        let replicas = self.workload.replicas;
        self.wait(gone, limit, |pods| pods.have_ended(gone) && pods.ready() >= replicas).await
    }

    async fn wait(
        &self,
        gone: &BTreeMap<String, String>,
        limit: Duration,
        condition: impl Fn(&Pods) -> bool,
    ) -> Result<(), Failure> {
        let mut pods = self.pods.clone();
        if timeout(limit, pods.wait_for(|pods| condition(pods))).await.is_ok() {
            return Ok(());
        }
        let state = self.pods.borrow().state(gone, self.workload.replicas);
        let message = format!("{} is not ready after {}: {state}", self.target, span(limit));
        Err(Failure::new(ExitCode::Start, message))
    }

    /// Ends pods as many times as asked.
    ///
    /// # Errors
    /// `kubectl` fails, or the pods do not settle in time.
    pub(crate) async fn disrupt(&self, options: &ClusterOptions, changes: &mut Changes) -> Result<(), Failure> {
        for time in 1..=options.times {
            let of = if options.times > 1 { format!(" {time} of {}", options.times) } else { String::new() };
            self.progress.line(&format!("{}{of}: {}", options.disrupt.name(), self.target));
            let limit = options.rollout_timeout;
            match options.disrupt {
                Disruption::Restart => {
                    let gone = self.pods.borrow().live(None);
                    self.kubectl.run(&["rollout", "restart", &self.target.to_string()], CALL).await?;
                    self.settle(&gone, limit).await?;
                }
                Disruption::Scale => self.scale(limit, changes).await?,
                Disruption::DeletePods => {
                    let pods = self.pods.borrow().live(None);
                    for (uid, name) in pods {
                        self.kubectl.run(&["delete", "pod", &name, "--wait=false"], CALL).await?;
                        self.settle(&BTreeMap::from([(uid, name)]), limit).await?;
                    }
                }
                Disruption::Drain => self.drain(limit, changes).await?,
            }
        }
        Ok(())
    }

    async fn scale(&self, limit: Duration, changes: &mut Changes) -> Result<(), Failure> {
        let (all, none) = (self.workload.replicas, BTreeMap::new());
        let fewer = all.div_ceil(2);
        changes.note(self.kubectl, Change::Scale(self.target.clone(), all));
        scale(self.kubectl, self.target, fewer).await?;
        self.progress.line(&format!("scaled {} from {all} to {fewer}", self.target));
        self.wait(&none, limit, |pods| pods.live(None).len() <= fewer && pods.have_ended(&none)).await?;
        changes.undo(self.progress).await?;
        self.settle(&none, limit).await
    }

    async fn drain(&self, limit: Duration, changes: &mut Changes) -> Result<(), Failure> {
        let node = self.node().await?;
        let gone = self.pods.borrow().live(Some(&node));
        changes.note(self.kubectl, Change::Cordon(node.clone()));
        let arguments = [
            "drain",
            &node,
            "--ignore-daemonsets",
            "--delete-emptydir-data",
            // Pods of others stay.
            &format!("--pod-selector={}", self.workload.selector),
            &format!("--timeout={}s", limit.as_secs().max(1)),
        ];
        self.kubectl.run(&arguments, limit + CALL).await?;
        self.wait(&gone, limit, |pods| pods.have_ended(&gone)).await?;
        // Before the new pods are ready: they may find no other node.
        changes.undo(self.progress).await?;
        self.settle(&gone, limit).await
    }

    /// The node with the most pods among those that are not cordoned.
    async fn node(&self) -> Result<String, Failure> {
        let nodes = self.pods.borrow().nodes();
        for node in nodes {
            let object = self.kubectl.json(&["get", "node", &node, "--output=json"], CALL).await?;
            if object["spec"]["unschedulable"] != true {
                return Ok(node);
            }
        }
        let message = format!("every node with a pod of {} is cordoned already; uncordon one first", self.target);
        Err(Failure::new(ExitCode::Usage, message))
    }
}
