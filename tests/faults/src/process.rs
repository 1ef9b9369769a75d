//! The app as a process: its identity, the channel to it, signals, the evidence of faults, and what it leaves.

use crate::{cell::Cell, fault::Fault, surroundings::Surroundings};
use graceful_tests::{App, Lines, PATIENCE, Running, Signal};
use rustix::{
    net::sockopt::socket_peercred,
    process::{Pid, kill_process},
};
use std::{
    fs,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    os::unix::net::UnixStream,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// How long it may take until a fault is confirmed. One fault can make it impossible to confirm another.
pub(crate) const CONFIRMATION: Duration = Duration::from_secs(2);

/// A running app that is connected to the harness.
pub(crate) struct Process {
    pub(crate) running: Running,
    /// What the app tells.
    pub(crate) events: Lines,
    commands: UnixStream,
    /// How often the app has been asked for its wall clock.
    looks_at_the_clock: usize,
    /// The app.
    pub(crate) pid: Pid,
    /// The process that gets the signals: the app, or the init above it.
    target: Pid,
    /// The address of the health server.
    pub(crate) health: SocketAddr,
}

impl Process {
    /// Starts the app and waits until its `main` runs.
    pub(crate) fn start(cell: &Cell, app: App, surroundings: &Surroundings) -> io::Result<Self> {
        let mut running = app.start();
        surroundings.listener.set_nonblocking(true)?;
        let deadline = Instant::now() + PATIENCE;
        let commands = loop {
            match surroundings.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(_) if running.is_running() && Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(io::Error::other(format!("no app connects: {error}\n{}", running.so_far()))),
            }
        };
        commands.set_nonblocking(false)?;
        let events = Lines::of(commands.try_clone()?);
        let pid = socket_peercred(&commands)?.pid;
        let target = match cell.has(Fault::Pid1Init) {
            true => parent(pid).ok_or_else(|| io::Error::other("the app has no parent"))?,
            false => pid,
        };
        events.find("main runs").ok_or_else(|| io::Error::other("main does not run"))?;
        let health = listening(pid)?.ok_or_else(|| io::Error::other("the app listens nowhere"))?;
        Ok(Self { running, events, commands, looks_at_the_clock: 0, pid, target, health })
    }

    /// Sends a command.
    pub(crate) fn command(&mut self, command: &str) {
        // Fails only if the app has ended, which the invariants judge.
        let _ = writeln!(self.commands, "{command}");
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.running.is_running() {
            let _ = kill_process(self.target, signal);
        }
    }

    /// Sends a command that commits a fault. Returns whether the app confirms it by this event.
    pub(crate) fn confirms(&mut self, command: &str, event: &str) -> bool {
        self.command(command);
        self.events.find_within(event, 1, CONFIRMATION).is_some()
    }

    /// Whether the app's wall clock is off by this many days, give or take an hour.
    pub(crate) fn is_clock_off_by(&mut self, days: i64) -> bool {
        let event = "the wall clock is at ";
        self.looks_at_the_clock += 1;
        self.command("clock");
        let line = self.events.find_within(event, self.looks_at_the_clock, CONFIRMATION).unwrap_or_default();
        let Some(of_app) = line.strip_prefix(event).and_then(|seconds| seconds.parse::<i64>().ok()) else {
            return false;
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        (of_app - now.cast_signed() - days * 86_400).abs() < 3_600
    }

    /// Whether the app has as many open files as this, or gets them soon.
    pub(crate) fn has_open_files(&self, count: usize) -> bool {
        let folder = format!("/proc/{}/fd", self.pid.as_raw_pid());
        comes_true(|| fs::read_dir(&folder).is_ok_and(|files| files.count() >= count))
    }

    /// The processes under the init: the app, and what it has not reaped.
    pub(crate) fn children_of_init(&self) -> Vec<String> {
        let init = self.target.as_raw_pid();
        let list = fs::read_to_string(format!("/proc/{init}/task/{init}/children")).unwrap_or_default();
        list.split_whitespace().map(str::to_owned).collect()
    }

    /// Stops the app and waits until every thread is stopped.
    pub(crate) fn stop(&mut self) {
        if self.running.is_running() && kill_process(self.pid, Signal::STOP).is_ok() {
            while stat(self.pid).is_some_and(|(state, _)| !matches!(state, 'T' | 'Z')) {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Continues the stopped app.
    pub(crate) fn go_on(&mut self) {
        let _ = kill_process(self.pid, Signal::CONT); // fails only if the app was killed
    }
}

/// Whether this becomes true within [`CONFIRMATION`].
fn comes_true(is_true: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + CONFIRMATION;
    loop {
        if is_true() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether the process is stopped, or gets stopped soon.
pub(crate) fn gets_stopped(pid: Pid) -> bool {
    comes_true(|| stat(pid).is_some_and(|(state, _)| state == 'T'))
}

/// The state and the process group of a process, from its `stat` file.
fn stat(pid: Pid) -> Option<(char, i32)> {
    let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    // The name stands in parentheses and may contain anything.
    let mut fields = text.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.nth(1)?.parse().ok()?))
}

fn parent(pid: Pid) -> Option<Pid> {
    let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).ok()?;
    Pid::from_raw(text.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?)
}

/// The processes of a group, each with its state.
pub(crate) fn of_group(group: u32) -> Vec<(Pid, char)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let of_group = |pid| stat(pid).filter(|(_, of)| u32::try_from(*of) == Ok(group)).map(|(state, _)| (pid, state));
    pids.filter_map(of_group).collect()
}

/// The loopback address on which a process listens, if it is only one.
fn listening(pid: Pid) -> io::Result<Option<SocketAddr>> {
    let folder = format!("/proc/{}/fd", pid.as_raw_pid());
    let links = fs::read_dir(folder)?.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let inodes: Vec<_> =
        links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect();
    let table = fs::read_to_string("/proc/net/tcp")?;
    Ok(table.lines().find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        let is_own = fields.get(3) == Some(&"0A") && inodes.iter().any(|inode| Some(&&**inode) == fields.get(9));
        let port = fields.get(1)?.split(':').nth(1).filter(|_| is_own)?;
        Some((Ipv4Addr::LOCALHOST, u16::from_str_radix(port, 16).ok()?).into())
    }))
}
