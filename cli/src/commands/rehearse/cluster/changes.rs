//! Changes to a cluster that must not outlive the rehearsal.

use crate::{
    commands::rehearse::progress::Progress,
    exit_code::{ExitCode, Failure},
    kubernetes::{CALL, Job, Kubectl, Target},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long an undo is tried.
const PATIENCE: Duration = Duration::from_secs(30);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// A change, as it is undone.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A Job is created.
    Job(Job),
    /// A node is cordoned.
    Cordon(String),
    /// A workload that has this number of replicas is scaled.
    Scale(Target, usize),
}

/// The changes that are not undone.
#[derive(Debug, Default)]
pub(crate) struct Changes(Vec<(Kubectl, Change)>);

impl Changes {
    /// Notes a change before it is made: a call that is interrupted may have made it.
    pub(crate) fn note(&mut self, kubectl: &Kubectl, change: Change) {
        self.0.push((kubectl.clone(), change));
    }

    /// Undoes the last change.
    ///
    /// # Errors
    /// `kubectl` fails. The change is still noted.
    ///
    /// # Cancel safety
    /// The change stays noted.
    pub(crate) async fn undo(&mut self, progress: &Progress) -> Result<(), Failure> {
        if let Some((kubectl, change)) = self.0.last() {
            change.undo(kubectl).await?;
            progress.line(&change.undone());
            self.0.pop();
        }
        Ok(())
    }

    /// Undoes every change, the last one first, and tries each for a while.
    pub(crate) async fn undo_all(&mut self, progress: &Progress) {
        let mut rest = Vec::new();
        while !self.0.is_empty() {
            let end = Instant::now() + PATIENCE;
            while let Err(failure) = self.undo(progress).await {
                if Instant::now() >= end {
                    progress.line(&failure.message);
                    rest.extend(self.0.pop());
                    break;
                }
                sleep(PAUSE).await;
            }
        }
        rest.reverse();
        self.0 = rest;
    }

    /// The failure if a change is left.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let commands: Vec<_> = self.0.iter().map(|(_, change)| change.command()).collect();
        if commands.is_empty() {
            return Ok(());
        }
        let message = format!("the cluster is not as it was; run {}", commands.join(" and "));
        Err(Failure::new(ExitCode::Kubernetes, message))
    }
}

impl Change {
    async fn undo(&self, kubectl: &Kubectl) -> Result<(), Failure> {
        match self {
            Self::Job(job) => job.remove(kubectl).await,
            Self::Cordon(node) => kubectl.run(&["uncordon", node], CALL).await.map(drop),
            Self::Scale(target, replicas) => scale(kubectl, target, *replicas).await,
        }
    }

    fn undone(&self) -> String {
        match self {
            Self::Job(job) => format!("deleted the Job {}", job.name),
            Self::Cordon(node) => format!("uncordoned {node}"),
            Self::Scale(target, replicas) => format!("scaled {target} back to {replicas}"),
        }
    }

    /// The command that a user runs to undo it.
    fn command(&self) -> String {
        match self {
            Self::Job(job) => format!("`kubectl delete job {}`", job.name),
            Self::Cordon(node) => format!("`kubectl uncordon {node}`"),
            Self::Scale(target, replicas) => format!("`kubectl scale {target} --replicas={replicas}`"),
        }
    }
}

/// Scales the workload.
///
/// # Errors
/// `kubectl` fails.
pub(crate) async fn scale(kubectl: &Kubectl, target: &Target, replicas: usize) -> Result<(), Failure> {
    kubectl.run(&["scale", &target.to_string(), &format!("--replicas={replicas}")], CALL).await.map(drop)
}
