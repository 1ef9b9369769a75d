//! The exit codes that the documentation promises for a cell: the table in `runtime/src/lib.rs`, "Exit codes".

use crate::{
    cell::{Cell, Runtime},
    fault::{Fault, Part},
    moment::Moment,
    observed::Observed,
};
use std::time::Duration;

/// Everything finished in time.
const OK: i32 = 0;
/// `main` returned an error.
const FAILED: i32 = 1;
/// Something was cut short, or a hook failed, panicked or timed out.
const CUT: i32 = 3;
/// `main` panicked.
const PANICKED: i32 = 101;
/// Forced by SIGINT.
const INTERRUPTED: i32 = 130;

/// What the app tells before its `main` returns an error: no descriptor was free as it started.
const NO_LISTENER: &str = "no listener";

/// Faults that cut something or fail a hook in every run.
const PROBLEMS: &[Fault] = &[
    Fault::HandlerBlocks,
    Fault::WorkersBlocked,
    Fault::MainStuck,
    Fault::MainHangs,
    Fault::HookPanics,
    Fault::HookHangs,
    Fault::HookBlocks,
    Fault::HookFails,
    Fault::HookAllocates,
    Fault::SyncHookPanics,
    Fault::SyncHookBlocks,
    Fault::StdoutClosed,
];

/// A drain that is long enough for the timeout of slow clients, which is half of it, also on a busy machine.
const LONG_DRAIN: Duration = Duration::from_secs(2);

/// Whether something may be cut or not: the process or its clients are slow, the drain is skipped, silent clients hold
/// the descriptors one after the other, each for half a second of the drain, or what is in flight is released late.
fn may_cut(cell: &Cell, observed: &Observed) -> bool {
    let has_clients = !matches!(cell.moment, Moment::StartUp | Moment::Hooks);
    cell.has_any(&[Fault::Stopped, Fault::TenPercent, Fault::SecondInt, Fault::ClientsStall])
        || (has_clients && cell.has(Fault::NoFiles))
        || (has_clients && cell.has(Fault::SlowLoris) && cell.times.drain < LONG_DRAIN)
        || observed.was_released_late(&cell.times)
}

/// The exit codes that fit the documentation.
pub(crate) fn exit_codes(cell: &Cell, observed: &Observed) -> Vec<i32> {
    let may_cut = may_cut(cell, observed);
    if cell.has(Fault::ThirdInt) {
        // The first hook waits until then; but a hook that is late may use up the time.
        return match may_cut {
            true => vec![INTERRUPTED, CUT, FAILED, PANICKED],
            false => vec![INTERRUPTED],
        };
    }
    let main = match cell.faults.iter().find(|fault| matches!(fault, Fault::MainPanics | Fault::MainFails)) {
        Some(Fault::MainPanics) => Some(PANICKED),
        Some(_) => Some(FAILED),
        None if observed.was_told(NO_LISTENER) => Some(FAILED),
        None => None,
    };
    let others = match () {
        () if cell.has_any(PROBLEMS) || panic_blocks(cell) => vec![CUT],
        () if may_cut => vec![OK, CUT],
        () => vec![OK],
    };
    match main {
        // `main` may not get to its end, or be cut before it.
        Some(code) if may_cut || main_may_be_cut(cell) => [vec![code], others, vec![CUT]].concat(),
        Some(code) => vec![code],
        None => others,
    }
}

/// Whether a panic message blocks the thread that panics, because stderr is full.
fn panic_blocks(cell: &Cell) -> bool {
    cell.has(Fault::StderrFull) && cell.has_any(&[Fault::HandlerPanics, Fault::MainPanics])
}

/// Whether the end of `main` may come too late to count.
fn main_may_be_cut(cell: &Cell) -> bool {
    let blocked = cell.has_any(&[Fault::WorkersBlocked, Fault::HandlerBlocks]) || panic_blocks(cell);
    (blocked && cell.runtime == Runtime::CurrentThread)
        || panic_blocks(cell)
        || (cell.has(Fault::FilesExhausted) && cell.has_any(&[Fault::MainStuck, Fault::MainHangs]))
        || cell.moment == Moment::Hooks
        // The confirmation of another fault may take longer than the drain.
        || (cell.moment == Moment::Drain && cell.faults.iter().any(|fault| fault.part() == Part::Workers))
}
