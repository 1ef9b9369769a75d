//! `cargo graceful rehearse --kubernetes`.

pub(super) mod options;

mod changes;
mod disrupt;
mod load;
mod run;

use super::{
    interrupt::{Interrupt, interrupted},
    options::Options,
    progress::Progress,
};
use crate::{exit_code::Failure, kubernetes::Target, report::Summary};
use changes::Changes;

/// Rehearses in a cluster, and undoes what must not outlive the rehearsal. The second result is whether it did.
pub(super) async fn run(
    options: &Options,
    target: &Target,
    interrupt: &mut Interrupt,
) -> Result<(Summary, Result<(), Failure>), Failure> {
    let (progress, mut changes) = (Progress::new(), Changes::default());
    let result = tokio::select! {
        result = run::rehearse(&mut changes, target, options, &progress) => result,
        () = interrupt.next() => {
            progress.line("interrupted: the cluster becomes as it was; a second time ends this, too");
            Err(interrupted())
        }
    };
    tokio::select! {
        () = changes.undo_all(&progress) => {}
        () = interrupt.next() => {}
    }
    let undone = changes.check();
    match (result, undone) {
        (Ok(summary), undone) => Ok((summary, undone)),
        (Err(failure), Ok(())) => Err(failure),
        (Err(failure), Err(left)) => Err(Failure::new(failure.code, format!("{}; {}", failure.message, left.message))),
    }
}
