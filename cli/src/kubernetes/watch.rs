//! Follows the pods of a workload, and resumes a watch that is cut off.

use super::{
    kubectl::{CALL, Kubectl, Stream, failed},
    pods::Pods,
};
use crate::{exit_code::Failure, report::span};
use std::{convert::Infallible, time::Duration};
use tokio::{
    sync::watch::Sender,
    time::{Instant, sleep},
};

/// How long a watch may be cut off.
const LONGEST_GAP: Duration = Duration::from_secs(30);
/// A watch that lasts this long is not cut off, though the API server ends it.
const HEALTHY: Duration = Duration::from_secs(10);
/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Follows the pods of the selector until it is dropped.
///
/// # Errors
/// The watch is cut off, and cannot be resumed.
pub(crate) async fn follow(
    kubectl: &Kubectl,
    selector: &str,
    pods: &Sender<Pods>,
    now: impl Fn() -> u64,
) -> Result<Infallible, Failure> {
    let selector = format!("--selector={selector}");
    let watch = ["get", "pods", &selector, "--watch", "--output=json", "--output-watch-events"];
    let mut cut: Option<Instant> = None;
    loop {
        let (started, mut stream) = (Instant::now(), kubectl.stream(&watch)?);
        read(kubectl, &selector, &mut stream, pods, &now).await;
        if started.elapsed() >= HEALTHY {
            cut = None;
        }
        let since = *cut.get_or_insert_with(Instant::now);
        if since.elapsed() >= LONGEST_GAP {
            let why = format!("cut off, and not resumed within {}: {}", span(LONGEST_GAP), stream.error().await);
            return Err(failed("get pods --watch", &why));
        }
        sleep(PAUSE).await;
    }
}

/// Reads one watch to its end.
async fn read(kubectl: &Kubectl, selector: &str, stream: &mut Stream, pods: &Sender<Pods>, now: &impl Fn() -> u64) {
    let known = pods.borrow().known();
    let mut is_first = true;
    while let Some(event) = stream.document().await {
        let mut is_pod = false;
        pods.send_modify(|pods| is_pod = pods.event(&event, now()).is_some());
        if !is_pod {
            return;
        }
        // The watch has begun: pods that were removed before it are in no event, and not in a list from now on.
        if is_first && !known.is_empty() {
            match kubectl.json(&["get", "pods", selector, "--output=json"], CALL).await {
                Ok(list) => pods.send_modify(|pods| pods.keep(&known, &list, now())),
                Err(_) => return,
            }
        }
        is_first = false;
    }
}
