//! The models of the drain: each runs a few threads on the included code, and asserts what must hold in every interleaving.
//!
//! Work is a relaxed atomic: a thread for which nothing orders it may read an old value, and loom tries that.

use crate::{
    phase::Phase,
    phase_observers::{PhaseObserver, PhaseObservers},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{
            AtomicU8, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    task::AbortHandle,
    tracker::{Guard, Tracker},
};
use loom::{
    future::block_on,
    model::Builder,
    thread::{self, JoinHandle},
};

/// How often threads are interrupted in a model of three, at any operation, besides where they wait: all interleavings
/// would take hours.
const INTERRUPTIONS: usize = 3;

/// Runs two threads in every interleaving.
pub(crate) fn two_threads(model: impl Fn() + Send + Sync + 'static) {
    Builder::new().check(model);
}

/// Runs three threads in every interleaving with at most [`INTERRUPTIONS`].
pub(crate) fn three_threads(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(INTERRUPTIONS);
    builder.check(model);
}

pub(crate) fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        assert!(thread.join().is_ok());
    }
}

/// The drain waits for each member, is woken by the last, and sees everything that a member did before it left.
pub fn emptied_sees_what_the_members_did() {
    three_threads(|| {
        let tracker = Arc::new(Tracker::default());
        let work = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let threads = [0, 1].map(|number| {
            let (guard, work) = (tracker.guard("member".into()), work.clone());
            thread::spawn(move || {
                work[number].store(1, Relaxed);
                drop(guard);
            })
        });
        block_on(tracker.emptied());
        assert_eq!([work[0].load(Relaxed), work[1].load(Relaxed)], [1, 1]);
        assert_eq!((tracker.total(), tracker.remaining()), (0, Vec::new()));
        join(threads);
    });
}

/// The same for the members of one group, whose last one is the one that finds the group empty.
pub fn a_group_is_empty_once() {
    three_threads(|| {
        let tracker = Arc::new(Tracker::default());
        let group = Arc::new(tracker.group("connections".into()));
        let (work, last) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        group.enter();
        group.enter();
        let threads = [(); 2].map(|()| {
            let (group, work, last) = (group.clone(), work.clone(), last.clone());
            thread::spawn(move || {
                work.fetch_add(1, Relaxed);
                if group.leave() == 0 {
                    assert_eq!(work.load(Relaxed), 2, "the last sees the work of the others");
                    last.fetch_add(1, Relaxed);
                }
            })
        });
        block_on(tracker.emptied());
        assert_eq!((group.count(), work.load(Relaxed)), (0, 2));
        join(threads);
        assert_eq!(last.load(Relaxed), 1);
    });
}

/// A member that another one has brought in before it left is waited for.
pub fn a_member_that_is_handed_over_is_waited_for() {
    two_threads(|| {
        let tracker = Arc::new(Tracker::default());
        let work = Arc::new(AtomicUsize::new(0));
        let first = tracker.guard("first".into());
        let thread = thread::spawn({
            let (tracker, work) = (tracker.clone(), work.clone());
            move || {
                let second = tracker.guard("second".into());
                drop(first);
                work.store(1, Relaxed);
                drop(second);
            }
        });
        block_on(tracker.emptied());
        assert_eq!(work.load(Relaxed), 1);
        join([thread]);
    });
}

/// Whoever sees that nothing is in flight also sees who was the last.
pub fn the_last_member_is_named() {
    three_threads(|| {
        let tracker = Arc::new(Tracker::default());
        let guards = [tracker.guard("one".into()), tracker.guard("other".into())];
        tracker.begin_drain();
        let threads = guards.map(|guard| thread::spawn(move || drop(guard)));
        block_on(tracker.emptied());
        let waited_for = tracker.waited_for();
        join(threads);
        assert!(waited_for.is_some(), "the drain waited for one of them");
        assert_eq!(waited_for, tracker.waited_for(), "no one is noted later");
    });
}

/// A connection that enters while the list of what is cut is made is on the list, or is refused.
pub fn what_enters_as_the_list_is_made_is_on_it() {
    two_threads(|| {
        let tracker = Arc::new(Tracker::default());
        let group = Arc::new(tracker.group("connections".into()));
        let enters = thread::spawn({
            let group = group.clone();
            move || {
                group.try_enter();
            }
        });
        let listed: usize = tracker.close().iter().map(|(_, count)| count).sum();
        join([enters]);
        assert!(group.count() <= listed, "{} entered, {listed} are on the list", group.count());
    });
}

/// Tasks that end while all tasks are aborted neither deadlock nor stay counted.
pub fn tasks_end_while_they_are_aborted() {
    two_threads(|| {
        let tracker = Arc::new(Tracker::default());
        let guard = tracker.guard("task".into());
        let number = guard.number();
        // The task: its future, with the guard, is dropped by its end or by `abort`, whichever is first.
        let task = Arc::new(Mutex::new(Some(guard)));
        let take = |task: &Mutex<Option<Guard>>| task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let abort = AbortHandle::new({
            let task = task.clone();
            move || drop(take(&task))
        });
        let ends = thread::spawn(move || drop(take(&task)));
        Guard::abort_with(&tracker, number, abort);
        tracker.abort_tasks();
        block_on(tracker.emptied());
        join([ends]);
        assert_eq!((tracker.total(), tracker.remaining()), (0, Vec::new()));
    });
}

/// The mode of a server.
struct Mode(AtomicU8);

impl PhaseObserver for Mode {
    fn observe(&self, phase: Phase) {
        self.0.fetch_max(phase as u8, Relaxed);
    }
}

/// A server that starts while a phase begins ends up in that phase. The order on both sides is that of
/// `Shared::enter` and `Server::new`.
pub fn an_observer_that_is_added_while_a_phase_begins_sees_it() {
    two_threads(|| {
        let (observers, phase) = (Arc::new(PhaseObservers::default()), Arc::new(AtomicU8::new(Phase::Serving as u8)));
        let lifecycle = thread::spawn({
            let (observers, phase) = (observers.clone(), phase.clone());
            move || {
                phase.store(Phase::Draining as u8, Release);
                observers.notify(Phase::Draining);
            }
        });
        let server = Arc::new(Mode(AtomicU8::new(0)));
        observers.add(&server);
        server.observe(Phase::from_u8(phase.load(Acquire)));
        join([lifecycle]);
        assert_eq!(server.0.load(Relaxed), Phase::Draining as u8);
    });
}

/// Observers that are added and dropped while a phase begins do not take others off the list.
pub fn the_list_of_observers_is_whole() {
    two_threads(|| {
        let observers = Arc::new(PhaseObservers::default());
        let gone = Arc::new(Mode(AtomicU8::new(0)));
        observers.add(&gone);
        let lifecycle = thread::spawn({
            let observers = observers.clone();
            move || observers.notify(Phase::Grace)
        });
        let kept = Arc::new(Mode(AtomicU8::new(0)));
        observers.add(&kept);
        drop(gone);
        join([lifecycle]);
        observers.notify(Phase::Hooks);
        assert_eq!(kept.0.load(Relaxed), Phase::Hooks as u8);
    });
}
