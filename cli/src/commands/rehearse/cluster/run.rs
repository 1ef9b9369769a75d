//! One rehearsal in a cluster: load, disruption, ends of pods.

use super::{changes::Changes, disrupt, load::ClusterLoad};
use crate::{
    commands::rehearse::{options::Options, progress::Progress},
    exit_code::{ExitCode, Failure},
    kubernetes::{CALL, Kubectl, Pods, Target, Workload, check_rights, follow},
    load::Mode,
    report::{Exit, Origin, Subject, Summary, exit, time},
};
use std::{
    collections::BTreeSet,
    convert::Infallible,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// How long the load goes on after the last pod is ready, at least.
const TAIL: Duration = Duration::from_millis(500);

/// Rehearses with the pods of the target. `changes` has what must be undone afterwards.
pub(crate) async fn rehearse(
    changes: &mut Changes,
    target: &Target,
    options: &Options,
    progress: &Progress,
) -> Result<Summary, Failure> {
    let cluster = &options.cluster;
    let kubectl = pinned(cluster.context.as_deref(), cluster.namespace.as_deref()).await?;
    check_rights(&kubectl, cluster.rights(target.kind)).await?;
    let workload = Workload::get(&kubectl, target).await?;
    cluster.check(target, &workload)?;
    // A default namespace that changes meanwhile does not matter.
    let context = kubectl.context();
    let kubectl = Kubectl::new(context.as_deref(), Some(&workload.namespace));

    let start = Instant::now();
    let now = || start.elapsed().as_micros() as u64;
    let (sender, pods) = watch::channel(Pods::default());
    let flow = async {
        let subject = disrupt::Subject { kubectl: &kubectl, target, workload: &workload, pods: pods.clone(), progress };
        subject.wait_ready(options.start_timeout).await?;
        sender.send_modify(Pods::forget);
        progress.line(&format!("{target} is ready: {} pods", workload.replicas));
        let mut load = ClusterLoad::start(&kubectl, options, changes, progress, now).await?;
        let ending = async {
            let second = next_second(options.duration / 2).await;
            let origin = now();
            subject.disrupt(cluster, changes).await?;
            sleep(options.propagation.max(TAIL)).await;
            Ok::<_, Failure>((origin, second))
        };
        let origin = tokio::select! {
            origin = ending => origin?,
            failure = load.failure(progress) => return Err(failure),
            never = announce(pods.clone(), progress) => match never {},
        };
        let tally = load.finish(&kubectl, options, origin).await?;
        changes.undo(progress).await?;
        Ok((origin.0, tally))
    };
    let (at, tally) = tokio::select! {
        result = flow => result?,
        cut = follow(&kubectl, &workload.selector, &sender, now) => match cut? {},
    };
    let pods = pods.borrow();
    let shutdowns = pods.shutdowns(cluster.container.as_deref());
    if shutdowns.is_empty() {
        let message = format!("no pod of {target} with a running container was deleted; nothing is rehearsed");
        return Err(Failure::new(ExitCode::Kubernetes, message));
    }
    let first = if shutdowns.len() > 1 && cluster.times > 1 { "the first" } else { "the" };
    let origin = Origin { at, name: format!("{first} {}", cluster.disrupt.name()) };
    let mut summary = Summary::new(subject(target, &workload, options), origin, tally, shutdowns);
    summary.incidents.clone_from(&pods.incidents);
    let end = now();
    summary.outages = pods.outages.iter().map(|(from, to)| (*from, to.unwrap_or(end))).collect();
    Ok(summary)
}

/// `kubectl` for the context that is the current one now.
async fn pinned(context: Option<&str>, namespace: Option<&str>) -> Result<Kubectl, Failure> {
    if context.is_some() {
        return Ok(Kubectl::new(context, namespace));
    }
    // Within a pod there is no context.
    let called = Kubectl::new(None, None).call(&["config", "current-context"], "", CALL).await?;
    let current = Some(called.stdout.trim()).filter(|context| called.success && !context.is_empty());
    Ok(Kubectl::new(current, namespace))
}

fn subject(target: &Target, workload: &Workload, options: &Options) -> Subject {
    let (traffic, cluster) = (&options.traffic, &options.cluster);
    let times = if cluster.times > 1 { format!(", {} times", cluster.times) } else { String::new() };
    let load_pods = cluster.load_pods.unwrap_or_default();
    Subject {
        command: format!("{target} in namespace {}: {}{times}", workload.namespace, cluster.disrupt.name()),
        url: traffic.url.text().to_owned(),
        modes: traffic.names(),
        keep_alive: traffic.used_modes().contains(&Mode::KeepAlive),
        rate: traffic.rate * load_pods.max(1),
        connections: traffic.connections * load_pods.max(1),
        load_pods,
        propagation: options.propagation.as_micros() as u64,
        termination_grace_period: workload.termination_grace_period.as_micros() as u64,
    }
}

/// Waits at least this long, and until a second of the wall clock begins: load pods count by these. Returns the second.
async fn next_second(at_least: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let end = now + at_least;
    let second = end.as_secs() + u64::from(end.subsec_nanos() > 0);
    sleep(Duration::from_secs(second).saturating_sub(now)).await;
    second as i64
}

/// Reports the shutdowns of pods as they begin and end. Never ends.
async fn announce(mut pods: watch::Receiver<Pods>, progress: &Progress) -> Infallible {
    let mut said = BTreeSet::new();
    loop {
        for shutdown in pods.borrow_and_update().shutdowns(None) {
            if said.insert((shutdown.name.clone(), false)) {
                progress.line(&format!("{} is being deleted", shutdown.name));
            }
            let has_ended = shutdown.exit != Exit::Unseen || shutdown.exited > shutdown.sent;
            if has_ended && said.insert((shutdown.name.clone(), true)) {
                let after = time(shutdown.exit_after() as i64);
                progress.line(&format!("{} ended after {after}: {}", shutdown.name, exit(&shutdown)));
            }
        }
        if pods.changed().await.is_err() {
            std::future::pending().await
        }
    }
}
