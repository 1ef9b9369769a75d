//! The models of a server: its task, which waits, and its connections, which wake it.

use crate::{
    models::{join, three_threads, two_threads},
    open_connections::OpenConnections,
    sweep_schedule::SweepSchedule,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    tracker::Tracker,
};
use loom::{
    future::block_on,
    thread::{self, JoinHandle},
};
use real::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

/// A server with two connections.
fn two_connections(limit: usize) -> Arc<OpenConnections> {
    let tracker = Arc::new(Tracker::default());
    let open = Arc::new(OpenConnections::new(tracker.group("connections".into()), limit));
    assert!(open.try_enter() && open.try_enter());
    open
}

/// A connection that does some work and ends.
fn ends(open: &Arc<OpenConnections>, work: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let (open, work) = (open.clone(), work.clone());
    thread::spawn(move || {
        work.fetch_add(1, Relaxed);
        open.leave();
    })
}

fn is_ready(future: impl Future) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// A server that drains is woken by its last connection, and sees everything that its connections did.
pub fn a_drained_server_has_seen_its_connections_end() {
    three_threads(|| {
        let (open, work) = (two_connections(10), Arc::new(AtomicUsize::new(0)));
        let threads = [ends(&open, &work), ends(&open, &work)];
        block_on(open.emptied());
        assert_eq!((open.count(), work.load(Relaxed)), (0, 2));
        join(threads);
    });
}

/// A server at its limit of connections is woken by the first that ends, though others go on.
pub fn a_full_server_is_woken_by_the_first_end() {
    two_threads(|| {
        let (open, work) = (two_connections(2), Arc::new(AtomicUsize::new(0)));
        let thread = ends(&open, &work);
        while !open.has_room() {
            block_on(open.ended());
        }
        assert_eq!((open.count(), work.load(Relaxed)), (1, 1));
        join([thread]);
    });
}

/// A server that waits for room and then drains gets both wake-ups, though the second connection may end before the
/// task has run for the first.
pub fn a_full_server_that_drains_is_woken_again() {
    three_threads(|| {
        let (open, work) = (two_connections(2), Arc::new(AtomicUsize::new(0)));
        let threads = [ends(&open, &work), ends(&open, &work)];
        while !open.has_room() {
            block_on(open.ended());
        }
        block_on(open.emptied());
        assert_eq!((open.count(), work.load(Relaxed)), (0, 2));
        join(threads);
    });
}

/// A server whose accepting pauses is woken by any end, though it is neither full nor drained then.
pub fn a_starved_server_is_woken_by_any_end() {
    two_threads(|| {
        let (open, work) = (two_connections(10), Arc::new(AtomicUsize::new(0)));
        open.set_starved(true);
        let thread = ends(&open, &work);
        block_on(open.ended());
        assert_eq!((open.count(), work.load(Relaxed)), (1, 1));
        join([thread]);
    });
}

/// The sweeps of a server, and whether each of its connections waits for its client: relaxed, as the state of a
/// connection is.
#[derive(Default)]
struct Sweeps {
    schedule: SweepSchedule,
    waiting: [AtomicBool; 2],
}

impl Sweeps {
    /// A client stops in the middle of a request, as the connection's task sees it.
    fn stop(self: &Arc<Self>, connection: usize) -> JoinHandle<()> {
        let sweeps = self.clone();
        thread::spawn(move || {
            sweeps.waiting[connection].store(true, Relaxed);
            sweeps.schedule.request();
        })
    }

    /// The server's task: sweeps, and waits for a request where no connection waits, until a sweep has seen so many.
    fn run_until(&self, waiting: usize) {
        loop {
            self.schedule.begin_sweep();
            let seen = self.waiting.iter().filter(|waits| waits.load(Relaxed)).count();
            if seen == waiting {
                return;
            }
            if seen > 0 {
                self.schedule.continue_sweeps();
                thread::yield_now(); // the next sweep is a period later
            } else {
                block_on(self.schedule.requested());
            }
        }
    }
}

/// A client that stops while the last sweep for now looks at the connections is seen by it, or requests another one.
pub fn a_sweep_sees_each_client_that_stops() {
    two_threads(|| {
        let sweeps = Arc::new(Sweeps::default());
        sweeps.schedule.request();
        block_on(sweeps.schedule.requested());
        let thread = sweeps.stop(0);
        sweeps.run_until(1);
        join([thread]);
    });
}

/// The same for two clients: a connection that relies on the request of another one is seen, too.
pub fn a_sweep_sees_a_client_whose_connection_need_not_request_it() {
    three_threads(|| {
        let sweeps = Arc::new(Sweeps::default());
        let threads = [sweeps.stop(0), sweeps.stop(1)];
        block_on(sweeps.schedule.requested());
        sweeps.run_until(2);
        join(threads);
    });
}

/// Of several connections one requests sweeps, and none does while sweeps go on: each request begins the period again,
/// so with one from each connection a sweep might never come.
pub fn sweeps_are_requested_once() {
    three_threads(|| {
        let sweeps = Arc::new(Sweeps::default());
        let threads = [sweeps.stop(0), sweeps.stop(1)];
        block_on(sweeps.schedule.requested());
        join(threads);
        assert!(!is_ready(sweeps.schedule.requested()), "no one else has requested it");
        sweeps.schedule.begin_sweep();
        sweeps.schedule.continue_sweeps();
        sweeps.schedule.request();
        assert!(!is_ready(sweeps.schedule.requested()), "sweeps go on");
    });
}
