//! The options of a rehearsal in a cluster.

use crate::{
    exit_code::{ExitCode, Failure},
    kubernetes::{Kind, Right, Target, Workload},
};
use graceful_plan::duration::parse as duration;
use std::time::Duration;

/// What ends pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Disruption {
    /// `kubectl rollout restart`
    Restart,
    /// Half of the replicas are removed, and added again
    Scale,
    /// One pod after the other is deleted
    DeletePods,
    /// The pods of a node are evicted by `kubectl drain`; the node is uncordoned afterwards
    Drain,
}

impl Disruption {
    /// The words of a report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Scale => "scaling",
            Self::DeletePods => "deletion of a pod",
            Self::Drain => "drain",
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Kubernetes")]
pub(crate) struct ClusterOptions {
    /// Rehearse with the pods of deployment/NAME, statefulset/NAME or daemonset/NAME, through kubectl. --url must reach
    /// them from here, or from the load pods
    #[arg(long, value_name = "KIND/NAME", requires = "url", conflicts_with_all = [
        "bin", "example", "exe", "package", "features", "release", "command", "env", "ready", "rolling", "replicas", "signal",
        "termination_grace_period",
    ])]
    pub(crate) kubernetes: Option<Target>,
    /// The namespace [default: that of the context]
    #[arg(long, value_name = "NAME", requires = "kubernetes")]
    pub(crate) namespace: Option<String>,
    /// The context of the kubeconfig file [default: the current one]
    #[arg(long, value_name = "NAME", requires = "kubernetes")]
    pub(crate) context: Option<String>,
    /// What ends pods
    #[arg(long, value_enum, default_value = "restart", requires = "kubernetes")]
    pub(crate) disrupt: Disruption,
    /// How many times
    #[arg(long, value_name = "NUMBER", default_value = "1", requires = "kubernetes", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) times: u32,
    /// The limit of each time, until all pods are ready again
    #[arg(long, value_name = "DURATION", default_value = "5m", requires = "kubernetes", value_parser = duration)]
    pub(crate) rollout_timeout: Duration,
    /// Judge this container of the pods alone [default: all]
    #[arg(long, value_name = "NAME", requires = "kubernetes")]
    pub(crate) container: Option<String>,
    /// Send the load from this many pods of a Job, each with --rate and --connections
    #[arg(long, value_name = "NUMBER", requires = "load_image", requires = "kubernetes", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) load_pods: Option<u32>,
    /// The image of the load pods, whose entry point is cargo-graceful
    #[arg(long, value_name = "IMAGE", requires = "load_pods")]
    pub(crate) load_image: Option<String>,
}

impl ClusterOptions {
    /// How long the load lasts at most after the first disruption has begun.
    pub(crate) fn longest(&self) -> Duration {
        self.rollout_timeout * self.times
    }

    /// What the user must be allowed to do.
    pub(crate) fn rights(&self, kind: Kind) -> Vec<Right> {
        let resource = kind.resource();
        let mut rights = vec![Right("get", resource, ""), Right("list", "pods", ""), Right("watch", "pods", "")];
        rights.extend_from_slice(match self.disrupt {
            Disruption::Restart => &[],
            Disruption::DeletePods => &[Right("delete", "pods", "")],
            Disruption::Drain => {
                &[Right("get", "nodes", ""), Right("patch", "nodes", ""), Right("create", "pods", "eviction")]
            }
            Disruption::Scale => &[],
        });
        match self.disrupt {
            Disruption::Restart => rights.push(Right("patch", resource, "")),
            Disruption::Scale => rights.push(Right("patch", resource, "scale")),
            Disruption::DeletePods | Disruption::Drain => {}
        }
        if self.load_pods.is_some() {
            rights.extend([
                Right("create", "jobs.batch", ""),
                Right("delete", "jobs.batch", ""),
                Right("delete", "pods", ""),
                Right("get", "pods", "log"),
            ]);
        }
        rights
    }

    /// Checks what depends on the workload.
    ///
    /// # Errors
    /// The disruption is not possible.
    pub(crate) fn check(&self, target: &Target, workload: &Workload) -> Result<(), Failure> {
        let wrong = |text: String| Err(Failure::new(ExitCode::Usage, text));
        if workload.replicas == 0 {
            return wrong(format!("{target} has no replicas; scale it up first"));
        }
        if let Some(container) = &self.container
            && !workload.containers.contains(container)
        {
            let names = workload.containers.join(", ");
            return wrong(format!("{target} has no container {container}; it has {names}"));
        }
        match (self.disrupt, target.kind) {
            (Disruption::Restart, _) if workload.on_delete => wrong(format!(
                "{target} has the update strategy OnDelete, with which a restart replaces no pod; use --disrupt delete-pods"
            )),
            (Disruption::Scale | Disruption::Drain, Kind::DaemonSet) => wrong(format!(
                "{target} has a pod on each node, which is neither scaled nor drained; use restart or delete-pods"
            )),
            (Disruption::Scale, _) if workload.replicas == 1 => wrong(format!(
                "{target} has one replica, which half as many does not remove; use restart or delete-pods"
            )),
            _ => Ok(()),
        }
    }
}
