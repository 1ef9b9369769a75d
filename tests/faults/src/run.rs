//! Runs one cell: leads a process to the moment, commits the faults, sends the signal, and observes the shutdown.

use crate::{
    cell::Cell,
    clients::Clients,
    fault::{Fault, Part},
    moment::Moment,
    observed::Observed,
    prober::Prober,
    process::{CONFIRMATION, Process, of_group},
    surroundings::{OPEN_FILES, Surroundings},
    throttle::Throttle,
};
use graceful_tests::{PATIENCE, Signal, probe};
use std::{
    io,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Runs a cell with the app at this path.
///
/// # Errors
/// The process does not get to the moment of the cell.
///
/// # Panics
/// The process does not end.
pub(crate) fn run(cell: &Cell, executable: &Path) -> io::Result<Observed> {
    let (surroundings, app) = Surroundings::new(cell, executable)?;
    let process = Process::start(cell, app, &surroundings)?;
    let prober = Prober::start(process.health);
    let clients = Clients::default();
    let mut run = Run {
        cell,
        surroundings,
        process,
        clients,
        throttle: None,
        signalled: None,
        released: None,
        hooks_began: None,
        hooks_held: Duration::ZERO,
        missed: Vec::new(),
    };
    run.lead_to_the_moment()?;
    let zombies = run.zombies();
    for fault in &cell.faults {
        run.commit(*fault)?;
    }
    thread::sleep(cell.pause);
    run.signal()?;
    run.release()?;
    Ok(run.end(prober, zombies))
}

/// A run on its way.
struct Run<'a> {
    cell: &'a Cell,
    surroundings: Surroundings,
    process: Process,
    clients: Clients,
    throttle: Option<Throttle>,
    signalled: Option<Instant>,
    /// When the requests in flight were released.
    released: Option<Instant>,
    /// When the first hook began, if it is held.
    hooks_began: Option<Instant>,
    hooks_held: Duration,
    missed: Vec<Fault>,
}

impl Run<'_> {
    fn lead_to_the_moment(&mut self) -> io::Result<()> {
        let moment = self.cell.moment;
        if moment == Moment::StartUp {
            return Ok(());
        }
        self.process.command("serve");
        self.await_event("reached serving")?;
        let address = self.address()?;
        (0..self.cell.clients).for_each(|_| self.clients.steady(address));
        let is_faulty = self.cell.faults.iter().any(|fault| fault.part() == Part::Handler);
        let held = self.cell.held.max(usize::from(moment == Moment::Drain));
        for path in std::iter::repeat_n("/held", held).chain(is_faulty.then_some("/faulty")) {
            let number = self.clients.single(address, path);
            self.await_event(&format!("in {number}."))?;
        }
        if moment == Moment::Drain {
            // The listener is closed in the drain.
            let clients = self.cell.faults.iter().filter(|fault| matches!(fault.part(), Part::Clients | Part::Files));
            clients.for_each(|fault| self.commit_by_clients(*fault));
        }
        match moment {
            Moment::StartUp | Moment::Serving => {}
            Moment::Grace => {
                self.send(self.cell.first);
                self.await_event("reached grace")?;
            }
            Moment::Drain => {
                self.send(self.cell.first);
                self.await_event("reached draining")?;
            }
            Moment::Hooks => {
                self.send(self.cell.first);
                self.await_event("reached draining")?;
                self.process.command("held");
                self.released = Some(Instant::now());
                self.await_event("hook first begins")?;
                self.hooks_began = Some(Instant::now());
            }
        }
        Ok(())
    }

    fn await_event(&self, event: &str) -> io::Result<()> {
        let missing = || io::Error::other(format!("the app did not tell `{event}`\n{}", self.process.running.so_far()));
        self.process.events.find(event).map(drop).ok_or_else(missing)
    }

    /// The address of the traffic port.
    fn address(&self) -> io::Result<SocketAddr> {
        let line = self.process.events.find("serving on ").unwrap_or_default();
        let address = line.rsplit(' ').next().and_then(|address| address.parse().ok());
        address.ok_or_else(|| io::Error::other(format!("no address in `{line}`")))
    }

    /// Sends a signal, the first of which starts the clock.
    fn send(&mut self, signal: Signal) {
        self.signalled.get_or_insert_with(Instant::now);
        self.process.signal(signal);
    }

    /// The processes under init, if it does not reap the orphan that the app has left.
    fn zombies(&self) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        while self.cell.has(Fault::Pid1Init) {
            let left = self.process.events.find("an orphan is left").is_some();
            let children = self.process.children_of_init();
            match children[..] {
                [_] if left => break,
                _ if Instant::now() > deadline => return children,
                _ => thread::sleep(Duration::from_millis(2)),
            }
        }
        Vec::new()
    }

    fn commit(&mut self, fault: Fault) -> io::Result<()> {
        let confirmed = match fault.part() {
            Part::Handler => self.process.confirms("handler", "the handler goes wrong"),
            Part::Workers => self.process.confirms("block", "every worker is blocked"),
            Part::Main => self.process.confirms("main", "main goes wrong"),
            Part::Memory => self.process.confirms("limit memory", "memory is limited"),
            Part::Clock => self.set_clock(1)?,
            Part::Schedule if fault == Fault::TenPercent => {
                let throttle = self.throttle.insert(Throttle::start(self.process.pid)?);
                throttle.is_seen(self.process.pid)
            }
            Part::Files if fault == Fault::FilesExhausted => {
                self.process.confirms("exhaust files", "no file can be opened")
            }
            Part::Files | Part::Clients => {
                if self.cell.moment != Moment::Drain || fault == Fault::ProbesFlood {
                    self.commit_by_clients(fault);
                }
                // The server leaves a quarter of the descriptors to probes and files. Clients of the health server alone
                // get fewer.
                let is_short = || self.process.has_open_files(OPEN_FILES * 3 / 4);
                fault != Fault::NoFiles || self.address_if_serving().is_none() || is_short()
            }
            // Part of the surroundings or of the signal.
            _ => true,
        };
        if !confirmed {
            self.missed.push(fault);
        }
        Ok(())
    }

    /// Commits a fault of clients. Without a traffic port, only on the health port.
    fn commit_by_clients(&mut self, fault: Fault) {
        self.clients.misbehave(fault, self.process.health, self.address_if_serving());
    }

    /// Sets the app's wall clock off by this many days. Returns whether the app confirms it.
    fn set_clock(&mut self, days: i64) -> io::Result<bool> {
        self.surroundings.set_clock(days)?;
        Ok(self.process.is_clock_off_by(days))
    }

    fn address_if_serving(&self) -> Option<SocketAddr> {
        let serves = matches!(self.cell.moment, Moment::Serving | Moment::Grace | Moment::Drain);
        serves.then(|| self.address().ok()).flatten()
    }

    /// Sends the signal of this moment, and those that are faults.
    fn signal(&mut self) -> io::Result<()> {
        let is_first = self.signalled.is_none();
        let signal = if is_first { self.cell.first } else { Signal::TERM };
        if self.cell.has(Fault::Stopped) {
            if is_first {
                self.send(signal);
                let begins = if self.cell.moment == Moment::StartUp { "reached draining" } else { "reached grace" };
                self.await_event(begins)?;
            }
            self.process.stop();
            if !is_first {
                self.send(signal);
            }
            thread::sleep(self.cell.times.grace + Duration::from_millis(500));
            self.process.go_on();
        } else {
            self.send(signal);
        }
        for fault in self.cell.faults.clone() {
            let (signal, times) = match fault {
                Fault::FurtherTerms => (Signal::TERM, 5),
                Fault::FurtherHups => (Signal::HUP, 5),
                Fault::SecondInt => (Signal::INT, 2 - usize::from(self.cell.first == Signal::INT)),
                Fault::ThirdInt => {
                    self.interrupt_until_the_end();
                    continue;
                }
                Fault::ClockJumps => {
                    if !self.set_clock(-1)? {
                        self.missed.push(fault);
                    }
                    continue;
                }
                _ => continue,
            };
            for _ in 0..times {
                self.let_signals_be_seen();
                self.send(signal);
            }
        }
        Ok(())
    }

    /// Sends SIGINT until the process ends: signals that arrive together are one, so three may not be three.
    fn interrupt_until_the_end(&mut self) {
        let deadline = Instant::now() + self.cell.times.period;
        while self.process.running.is_running() && Instant::now() < deadline {
            self.send(Signal::INT);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Signals of one kind that arrive together are one: the response of the health server shows that its thread, which
    /// handles the signals, has run since.
    fn let_signals_be_seen(&self) {
        for _ in 0..2 {
            let _ = probe(self.process.health, "/livez"); // fails once the process has ended
        }
    }

    /// Lets everything end that does not go wrong.
    fn release(&mut self) -> io::Result<()> {
        // Requests in flight, and a start-up, end in the drain, if the process gets there.
        let _ = self.process.events.find("reached draining");
        for gate in ["serve", "held", "hooks"] {
            if gate != "hooks" || !self.cell.has(Fault::ThirdInt) {
                self.process.command(gate);
            }
        }
        self.released.get_or_insert_with(Instant::now);
        self.hooks_held = self.hooks_began.map_or(Duration::ZERO, |began| began.elapsed());
        Ok(())
    }

    fn end(self, prober: Prober, zombies: Vec<String>) -> Observed {
        let group = self.process.running.pid();
        let ended = self.process.running.end();
        drop(self.throttle);
        let closed = self.process.events.ended();
        // The kernel ends the other processes of a namespace when PID 1 has ended.
        let deadline = Instant::now() + CONFIRMATION;
        while !of_group(group).is_empty() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        Observed {
            status: ended.status(),
            signalled: self.signalled.unwrap_or(ended.at),
            hooks_held: self.hooks_held,
            released: self.released.unwrap_or(ended.at),
            closed: closed.unwrap_or(ended.at),
            exited: ended.at,
            events: self.process.events.text().lines().map(str::to_owned).collect(),
            polls: prober.end(),
            requests: self.clients.end(),
            stderr: self.surroundings.reads_stderr.then(|| ended.stderr.clone()),
            termination_log: self
                .surroundings
                .termination_log
                .as_ref()
                .map(|log| std::fs::read_to_string(log).unwrap_or_default()),
            left: of_group(group).iter().map(|process| format!("{process:?}")).collect(),
            zombies,
            missed: self.missed,
        }
    }
}
