//! The tracker: counts and names everything in flight, and waits until nothing is.
//!
//! Everything that the drain waits for is a member of a [`Group`]: the connections of one server, or one task.
//! A group counts its members, and the [`Tracker`] counts the members of all groups, so that waiting needs no lock and
//! entering costs two atomic additions. During the drain, each group that becomes empty, and `main` when it ends, is
//! noted as the last to end.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::AbortHandle, time::Instant};

/// The prefix of a server's name. A server is in flight besides its connections, because it has a backlog to empty.
pub(crate) const SERVER: &str = "server on ";
/// The prefix of the name of a server's connections.
pub(crate) const CONNECTIONS: &str = "connections on ";
/// The name of `main`.
pub(crate) const MAIN: &str = "main";

/// The name of everything in flight that is not listed by its own name.
pub(crate) const FURTHER: &str = "further tasks and connections";
/// How many groups a list names: the control thread makes such lists, and a probe must not wait for a long one.
const LISTED: usize = 1000;

/// A drain, or a part of it, that is shorter than this is not reported.
const REPORTABLE: Duration = Duration::from_millis(100);

/// Counts everything in flight in a process.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    total: AtomicUsize,
    empty: Notify,
    next: AtomicU64,
    /// In the order of creation, so that reports are deterministic.
    groups: Mutex<BTreeMap<u64, Arc<Members>>>,
    /// When the drain began.
    drain: OnceLock<Instant>,
    /// Whether the list of what is cut is made: what enters from then on would not be on it.
    closed: AtomicBool,
    /// The last to end in the drain, and when it ended.
    last: Mutex<Option<(Arc<str>, Instant)>>,
}

#[derive(Debug)]
struct Members {
    name: Arc<str>,
    count: AtomicUsize,
    abort: Mutex<Option<AbortHandle>>,
}

/// Members under one name. Dropping the group removes the name.
#[derive(Debug)]
pub(crate) struct Group {
    tracker: Arc<Tracker>,
    number: u64,
    members: Arc<Members>,
}

/// The only member of a group; dropping the guard removes both.
#[derive(Debug)]
pub(crate) struct Guard(Group);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under these locks, so a poisoned one guards valid data.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tracker {
    /// A new group without members.
    pub(crate) fn group(self: &Arc<Self>, name: String) -> Group {
        let members = Arc::new(Members { name: name.into(), count: AtomicUsize::new(0), abort: Mutex::new(None) });
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.groups).insert(number, members.clone());
        Group { tracker: self.clone(), number, members }
    }

    /// A group of one.
    pub(crate) fn guard(self: &Arc<Self>, name: String) -> Guard {
        let group = self.group(name);
        group.enter();
        Guard(group)
    }

    /// The number of members in all groups.
    pub(crate) fn total(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    /// Waits until there is no member. Cancel safe.
    pub(crate) async fn emptied(&self) {
        loop {
            // Enabled before the count is read: a member that leaves in between still wakes this future.
            let mut left = std::pin::pin!(self.empty.notified());
            left.as_mut().enable();
            if self.total() == 0 {
                return;
            }
            left.await;
        }
    }

    /// Each name with its number of members, in the order of creation; groups of one name share a row. The members of
    /// all groups after the first [`LISTED`] share the last row, [`FURTHER`].
    pub(crate) fn remaining(&self) -> Vec<(String, usize)> {
        let groups = lock(&self.groups);
        self.rows(groups.values(), groups.len())
    }

    fn rows<'g>(&self, groups: impl Iterator<Item = &'g Arc<Members>>, number: usize) -> Vec<(String, usize)> {
        let mut rows: Vec<(String, usize)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut further = self.total();
        let counts = groups.map(|members| (members, members.count.load(Ordering::Acquire)));
        for (members, count) in counts.filter(|(_, count)| *count > 0).take(LISTED) {
            further = further.saturating_sub(count);
            match known.get(&*members.name) {
                Some(&row) => rows[row].1 += count,
                None => {
                    known.insert(&members.name, rows.len());
                    rows.push((members.name.to_string(), count));
                }
            }
        }
        if further > 0 && number > LISTED {
            rows.push((FURTHER.to_owned(), further));
        }
        rows
    }

    /// What is in flight and is cut now: [`remaining`](Self::remaining) once no [`Group::try_enter`] succeeds any more, so
    /// that nothing is cut without being on the list. Among many groups, those of servers come first, so that their
    /// connections are named.
    pub(crate) fn close(&self) -> Vec<(String, usize)> {
        // A member adds itself to the count, then loads `closed`; this stores `closed`, then loads the counts. Without the
        // two fences both could read old values, and the member would be cut without being on the list.
        self.closed.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let groups = lock(&self.groups);
        let mut members: Vec<_> = groups.values().collect();
        if members.len() > LISTED {
            members.sort_by_key(|members| !(members.name.starts_with(CONNECTIONS) || members.name.starts_with(SERVER)));
        }
        self.rows(members.into_iter(), groups.len())
    }

    /// The drain begins: from here on, the last to end is noted.
    pub(crate) fn begin_drain(&self) {
        let _ = self.drain.set(Instant::now()); // fails only if called twice
    }

    /// When the drain began, if it has.
    pub(crate) fn drain_began(&self) -> Option<Instant> {
        self.drain.get().copied()
    }

    /// `main` has ended.
    pub(crate) fn main_ended(&self) {
        self.note_end(&Arc::from(MAIN));
    }

    /// The last to end in the drain, and how long after its beginning; `None` if that was less than [`REPORTABLE`].
    pub(crate) fn waited_for(&self) -> Option<(String, Duration)> {
        let (began, last) = (self.drain.get()?, lock(&self.last));
        let (name, ended) = last.as_ref()?;
        let took = ended.saturating_duration_since(*began);
        (took >= REPORTABLE).then(|| (name.to_string(), took))
    }

    #[cold]
    fn note_end(&self, name: &Arc<str>) {
        let Some(&began) = self.drain.get() else {
            return;
        };
        let mut last = lock(&self.last);
        let now = Instant::now();
        // A server ends right after its last connection, and `main` right after its server. They are noted only if they
        // end noticeably later than that.
        let is_consequence = &**name == MAIN || name.starts_with(SERVER);
        let before = last.as_ref().map_or(began, |(_, ended)| *ended);
        if !is_consequence || now.saturating_duration_since(before) >= REPORTABLE {
            *last = Some((name.clone(), now));
        }
    }

    /// Aborts every task that still runs.
    pub(crate) fn abort_tasks(&self) {
        // Collected first: aborting may drop the task here and its guard with it, which takes the lock.
        let tasks: Vec<_> = lock(&self.groups).values().filter_map(|members| lock(&members.abort).take()).collect();
        tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Group {
    /// The name of its members.
    pub(crate) fn name(&self) -> &str {
        &self.members.name
    }

    /// Adds a member.
    pub(crate) fn enter(&self) {
        self.members.count.fetch_add(1, Ordering::Relaxed);
        self.tracker.total.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds a member, unless [`Tracker::close`] has been called.
    pub(crate) fn try_enter(&self) -> bool {
        self.enter();
        fence(Ordering::SeqCst); // see `Tracker::close`
        let is_open = !self.tracker.closed.load(Ordering::Relaxed);
        if !is_open {
            self.leave();
        }
        is_open
    }

    /// Removes a member; returns how many remain. Everything before this call happens before [`Tracker::emptied`]
    /// returns.
    pub(crate) fn leave(&self) -> usize {
        let members = self.members.count.fetch_sub(1, Ordering::AcqRel) - 1;
        if members == 0 && self.tracker.drain.get().is_some() {
            // Before the total falls, so that a waiter that sees zero also sees the name.
            self.tracker.note_end(&self.members.name);
        }
        if self.tracker.total.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tracker.empty.notify_waiters();
        }
        members
    }

    /// The number of members.
    pub(crate) fn count(&self) -> usize {
        self.members.count.load(Ordering::Acquire)
    }
}

impl Guard {
    /// Stores the abort handle of the task that holds the guard of this group.
    pub(crate) fn abort_with(tracker: &Arc<Tracker>, number: u64, abort: AbortHandle) {
        if let Some(members) = lock(&tracker.groups).get(&number) {
            *lock(&members.abort) = Some(abort);
        }
    }

    /// The number of the group, for [`Guard::abort_with`].
    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        lock(&self.tracker.groups).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{sync::Barrier, thread};
    use tokio::time::advance;

    #[tokio::test]
    async fn the_drain_waits_for_the_last_member_and_names_it() {
        let tracker = Arc::new(Tracker::default());
        tracker.emptied().await;
        let (server, task) = (tracker.group("connections".into()), tracker.guard("task".into()));
        server.enter();
        server.enter();
        assert_eq!(tracker.remaining(), [("connections".to_owned(), 2), ("task".to_owned(), 1)]);
        let waiting = tokio::spawn({
            let tracker = tracker.clone();
            async move { tracker.emptied().await }
        });
        tokio::task::yield_now().await;
        server.leave();
        server.leave();
        assert_eq!(tracker.remaining(), [("task".to_owned(), 1)]);
        assert!(!waiting.is_finished());
        drop(task);
        waiting.await.unwrap();
        assert!(tracker.remaining().is_empty());
    }

    #[test]
    fn everything_that_enters_is_on_the_list_of_what_is_cut() {
        for _ in 0..200 {
            let tracker = Arc::new(Tracker::default());
            let (group, started) = (tracker.group("connections".into()), Barrier::new(2));
            let (entered, listed) = thread::scope(|scope| {
                let entering = scope.spawn(|| {
                    started.wait();
                    (0..1_000_000).take_while(|_| group.try_enter()).count()
                });
                started.wait();
                let listed: usize = tracker.close().iter().map(|(_, count)| count).sum();
                (entering.join().unwrap(), listed)
            });
            assert!(entered <= listed, "{entered} entered, {listed} are on the list");
            assert_eq!(group.count(), entered);
        }
    }

    #[tokio::test]
    async fn one_name_is_one_row() {
        let tracker = Arc::new(Tracker::default());
        let _guards: Vec<_> = (0..3).map(|_| tracker.guard("worker".into())).collect();
        assert_eq!(tracker.remaining(), [("worker".to_owned(), 3)]);
    }

    #[tokio::test]
    async fn a_list_names_a_thousand_groups_and_counts_the_rest() {
        let tracker = Arc::new(Tracker::default());
        let mut guards: Vec<_> = (0..LISTED).map(|number| tracker.guard(format!("task {number}"))).collect();
        assert_eq!(tracker.remaining().last(), Some(&("task 999".to_owned(), 1)));
        guards.extend((0..5).map(|_| tracker.guard("task 0".into())));
        let rows = tracker.remaining();
        assert_eq!((rows.len(), rows.last()), (LISTED + 1, Some(&(FURTHER.to_owned(), 5))));
    }

    #[tokio::test]
    async fn the_connections_of_a_server_are_named_among_many_tasks_that_are_cut() {
        let tracker = Arc::new(Tracker::default());
        let _tasks: Vec<_> = (0..LISTED + 5).map(|number| tracker.guard(format!("task {number}"))).collect();
        let _connection = tracker.guard(format!("{CONNECTIONS}here"));
        assert_eq!(tracker.close()[0], (format!("{CONNECTIONS}here"), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_to_end_in_the_drain_is_the_one_that_it_waited_for() {
        let tracker = Arc::new(Tracker::default());
        let (connections, server) = (tracker.group("connections".into()), tracker.guard(format!("{SERVER}it")));
        drop(tracker.guard("before the drain".into()));
        tracker.begin_drain();
        assert_eq!(tracker.waited_for(), None);
        connections.enter();
        connections.enter();
        drop(tracker.guard("at once".into()));
        assert_eq!(tracker.waited_for(), None, "it did not take long");
        advance(Duration::from_secs(2)).await;
        connections.leave();
        assert_eq!(tracker.waited_for(), None, "there is another one");
        advance(Duration::from_secs(1)).await;
        connections.leave();
        // The server ends with its connections, so it is not the one that the drain waited for.
        drop(server);
        tracker.main_ended();
        assert_eq!(tracker.waited_for(), Some(("connections".to_owned(), Duration::from_secs(3))));
        advance(Duration::from_secs(1)).await;
        tracker.main_ended();
        assert_eq!(tracker.waited_for(), Some(("main".to_owned(), Duration::from_secs(4))));
    }

    #[tokio::test]
    async fn an_aborted_task_leaves() {
        let tracker = Arc::new(Tracker::default());
        let guard = tracker.guard("stuck".into());
        let number = guard.number();
        let task = tokio::spawn(async move {
            let _guard = guard;
            std::future::pending::<()>().await
        });
        Guard::abort_with(&tracker, number, task.abort_handle());
        tracker.abort_tasks();
        tracker.emptied().await;
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
