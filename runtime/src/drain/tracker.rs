//! What is in flight: counted, named, and waited for.
//!
//! Everything that the drain waits for is a member of a [`Group`]: the connections of one server, or one task.
//! A group counts its members, and the [`Tracker`] counts all of them, so that waiting needs no lock and joining
//! costs two atomic additions. Who was the last to end in a drain is noted where a group becomes empty, and where `main` ends.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, task::AbortHandle, time::Instant};

/// How the name of a server begins, as a member of its own beside its connections: it has a queue to empty.
pub(crate) const SERVER: &str = "server on ";
/// How the name of a server's connections begins.
pub(crate) const CONNECTIONS: &str = "connections on ";
/// The name under which `main` is waited for.
pub(crate) const MAIN: &str = "main";

/// A drain, or a part of it, that is shorter than this is not worth a word.
const NOTICEABLE: Duration = Duration::from_millis(100);

/// Counts everything that is in flight in a process.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    total: AtomicUsize,
    empty: Notify,
    next: AtomicU64,
    /// By the order of creation, so that reports are the same every time.
    groups: Mutex<BTreeMap<u64, Arc<Members>>>,
    /// When the drain began.
    drain: OnceLock<Instant>,
    /// Who was the last to end in it, and when.
    last: Mutex<Option<(Arc<str>, Instant)>>,
}

#[derive(Debug)]
struct Members {
    name: Arc<str>,
    count: AtomicUsize,
    abort: Mutex<Option<AbortHandle>>,
}

/// Members of one kind under one name. Dropping it forgets the name once the last member has left.
#[derive(Debug)]
pub(crate) struct Group {
    tracker: Arc<Tracker>,
    number: u64,
    members: Arc<Members>,
}

/// One member of a group of its own: the group ends with it.
#[derive(Debug)]
pub(crate) struct Guard(Group);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under these locks; a poisoned one is as good as any.
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

    /// How many members there are in all groups.
    pub(crate) fn total(&self) -> usize {
        self.total.load(Ordering::Acquire)
    }

    /// Waits until there is no member. Cancel safe: nothing is lost when it is dropped.
    pub(crate) async fn emptied(&self) {
        loop {
            // Registered before the count is read, so that the last member cannot leave in between unheard.
            let mut left = std::pin::pin!(self.empty.notified());
            left.as_mut().enable();
            if self.total() == 0 {
                return;
            }
            left.await;
        }
    }

    /// The names of what is in flight, with the number of members, in the order of creation; one row a name.
    pub(crate) fn remaining(&self) -> Vec<(String, usize)> {
        let mut rows: Vec<(String, usize)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        let groups = lock(&self.groups);
        for members in groups.values() {
            let count = members.count.load(Ordering::Acquire);
            if count == 0 {
                continue;
            }
            match known.get(&*members.name) {
                Some(&row) => rows[row].1 += count,
                None => {
                    known.insert(&members.name, rows.len());
                    rows.push((members.name.to_string(), count));
                }
            }
        }
        rows
    }

    /// The drain begins: from now on, who ends last is noted.
    pub(crate) fn begin_drain(&self) {
        let _ = self.drain.set(Instant::now()); // it begins once
    }

    /// `main` has ended.
    pub(crate) fn main_ended(&self) {
        self.note_end(&Arc::from(MAIN));
    }

    /// Who was the last to end in the drain, and how long that took from its beginning; `None` if it was not for long.
    pub(crate) fn waited_for(&self) -> Option<(String, Duration)> {
        let (began, last) = (self.drain.get()?, lock(&self.last));
        let (name, ended) = last.as_ref()?;
        let took = ended.saturating_duration_since(*began);
        (took >= NOTICEABLE).then(|| (name.to_string(), took))
    }

    #[cold]
    fn note_end(&self, name: &Arc<str>) {
        let Some(&began) = self.drain.get() else {
            return;
        };
        let mut last = lock(&self.last);
        let now = Instant::now();
        // A server ends because its last connection has, and main because its server has: they are named only if they
        // went on for longer than that takes.
        let follows = &**name == MAIN || name.starts_with(SERVER);
        let before = last.as_ref().map_or(began, |(_, ended)| *ended);
        if !follows || now.saturating_duration_since(before) >= NOTICEABLE {
            *last = Some((name.clone(), now));
        }
    }

    /// Aborts every task that still runs.
    pub(crate) fn abort_tasks(&self) {
        // Collected first: aborting may drop the task here, and with it its guard, which takes the lock.
        let tasks: Vec<_> = lock(&self.groups).values().filter_map(|members| lock(&members.abort).take()).collect();
        tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Group {
    /// What its members are.
    pub(crate) fn name(&self) -> &str {
        &self.members.name
    }

    /// One member more.
    pub(crate) fn enter(&self) {
        self.members.count.fetch_add(1, Ordering::Relaxed);
        self.tracker.total.fetch_add(1, Ordering::Relaxed);
    }

    /// One member less; returns how many are left. What it did happens before [`Tracker::emptied`] returns.
    pub(crate) fn leave(&self) -> usize {
        let members = self.members.count.fetch_sub(1, Ordering::AcqRel) - 1;
        if members == 0 && self.tracker.drain.get().is_some() {
            // Before the total falls: whoever hears of that finds the name.
            self.tracker.note_end(&self.members.name);
        }
        if self.tracker.total.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tracker.empty.notify_waiters();
        }
        members
    }

    /// How many members there are.
    pub(crate) fn count(&self) -> usize {
        self.members.count.load(Ordering::Acquire)
    }
}

impl Guard {
    /// Remembers how to abort the task that holds this guard.
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

    #[tokio::test]
    async fn one_name_is_one_row() {
        let tracker = Arc::new(Tracker::default());
        let _guards: Vec<_> = (0..3).map(|_| tracker.guard("worker".into())).collect();
        assert_eq!(tracker.remaining(), [("worker".to_owned(), 3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_ends_last_in_the_drain_is_who_it_waited_for() {
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
        // What ends with its connections is not what the drain waited for.
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
