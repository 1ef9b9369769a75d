//! The load of a rehearsal in a cluster: from this machine, or from pods.

use super::changes::{Change, Changes};
use crate::{
    commands::rehearse::{options::Options, progress::Progress, readiness, traffic},
    exit_code::Failure,
    kubernetes::{Job, Kubectl, LoadPods, Program},
    load::{Load, Rotation},
    report::Tally,
};
use std::time::Duration;

/// How long the logs of load pods may take after the limit of the last request.
const LOGS: Duration = Duration::from_secs(60);

/// A running load.
pub(crate) enum ClusterLoad {
    /// With its start on the clock of the rehearsal.
    Here(Load, u64),
    Pods(Job, LoadPods),
}

impl ClusterLoad {
    /// Starts the load.
    ///
    /// # Errors
    /// The URL is not usable, or the load pods do not start.
    pub(crate) async fn start(
        kubectl: &Kubectl,
        options: &Options,
        changes: &mut Changes,
        progress: &Progress,
        now: impl Fn() -> u64,
    ) -> Result<Self, Failure> {
        let (traffic, cluster) = (&options.traffic, &options.cluster);
        let (Some(pods), Some(image)) = (cluster.load_pods, &cluster.load_image) else {
            let long = traffic.long_endpoints(None)?;
            let (endpoint, address) = readiness::reach_service(traffic, options.start_timeout).await?;
            let rotation = Rotation::default();
            rotation.add(address);
            let load = traffic.start(traffic::Target { endpoint, long, rotation, rolling: true })?;
            let start = now() - load.shared.schedule.now();
            progress.line(&traffic.line());
            return Ok(Self::Here(load, start));
        };
        let job = Job::new(pods);
        let longest = options.duration / 2 + cluster.longest();
        // A pod gives up before this command does, so that its log says why.
        let seconds = (options.start_timeout / 2).as_secs().max(1);
        let mut arguments = vec!["load".to_owned()];
        arguments.extend(traffic.arguments());
        arguments.extend([format!("--start-timeout={seconds}s"), format!("--limit={}s", longest.as_secs() + 1)]);
        let deadline = options.start_timeout + longest + traffic.timeout + LOGS;
        changes.note(kubectl, Change::Job(job.clone()));
        job.create(kubectl, &Program { image, arguments, timeout: traffic.timeout, deadline }).await?;
        progress.line(&format!("created the Job {} with {pods} load pods", job.name));
        let load = job.wait_started(kubectl, options.start_timeout).await?;
        progress.line(&format!("{pods} load pods, each {}", traffic.line()));
        Ok(Self::Pods(job, load))
    }

    /// Shows the progress of the load until it fails. A load from this machine does not.
    pub(crate) async fn failure(&mut self, progress: &Progress) -> Failure {
        match self {
            Self::Here(load, _) => match traffic::live(progress, &load.shared).await {},
            Self::Pods(_, pods) => pods.failure().await,
        }
    }

    /// Ends the load and counts it, relative to the origin: a whole second of the wall clock.
    ///
    /// # Errors
    /// The log of a load pod is not complete.
    pub(crate) async fn finish(
        self,
        kubectl: &Kubectl,
        options: &Options,
        (origin, second): (u64, i64),
    ) -> Result<Tally, Failure> {
        match self {
            Self::Here(load, start) => Ok(Tally::of(&load.finish().await, origin as i64 - start as i64)),
            Self::Pods(job, pods) => {
                job.stop(kubectl).await?;
                let mut all = Tally::default();
                for log in pods.logs(options.traffic.timeout + LOGS).await? {
                    let started = log.started.unwrap_or(second);
                    all.merge(log.tally.shift(started - second));
                }
                Ok(all)
            }
        }
    }
}
