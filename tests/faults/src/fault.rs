//! The faults: what each does, when it can be committed, and which exclude each other.

use crate::moment::Moment::{self, Drain, Grace, Hooks, Serving, StartUp};
use std::fmt;

/// A part of the process, or of its surroundings, that has one fault at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Handler,
    Workers,
    Main,
    AsyncHook,
    SyncHook,
    Files,
    Stderr,
    TerminationLog,
    Clock,
    Schedule,
    Signals,
    Init,
    Memory,
    /// Clients don't exclude each other.
    Clients,
}

macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident, $name:literal, $part:ident, [$($moment:ident),+];)+) => {
        /// A fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])+ $fault),+ }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$fault),+];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$fault => $name),+ }
            }

            /// The part that has the fault.
            pub(crate) const fn part(self) -> Part {
                match self { $(Self::$fault => Part::$part),+ }
            }

            /// The moments at which the fault has an effect.
            pub const fn moments(self) -> &'static [Moment] {
                match self { $(Self::$fault => &[$($moment),+]),+ }
            }
        }
    };
}

faults! {
    /// No fault.
    None, "none", Clients, [StartUp, Serving, Grace, Drain, Hooks];
    /// The handler of a request blocks its worker for ever.
    HandlerBlocks, "handler-blocks", Handler, [Serving, Grace, Drain];
    /// The handler of a request panics.
    HandlerPanics, "handler-panics", Handler, [Serving, Grace, Drain];
    /// A task blocks each worker for ever.
    WorkersBlocked, "workers-blocked", Workers, [StartUp, Serving, Grace, Drain, Hooks];
    /// `main` blocks its thread for ever.
    MainStuck, "main-stuck", Main, [StartUp, Serving, Grace, Drain];
    /// `main` never returns, without blocking.
    MainHangs, "main-hangs", Main, [StartUp, Serving, Grace, Drain];
    /// `main` panics.
    MainPanics, "main-panics", Main, [StartUp, Serving, Grace, Drain];
    /// `main` returns an error.
    MainFails, "main-fails", Main, [StartUp, Serving, Grace, Drain];
    /// The async hook panics.
    HookPanics, "hook-panics", AsyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The async hook never ends.
    HookHangs, "hook-hangs", AsyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The async hook blocks its worker for ever.
    HookBlocks, "hook-blocks", AsyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The async hook returns an error.
    HookFails, "hook-fails", AsyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The async hook allocates until the limit of memory (`RLIMIT_AS`), and returns an error.
    HookAllocates, "hook-allocates", AsyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The sync hook panics.
    SyncHookPanics, "sync-hook-panics", SyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The sync hook blocks for ever.
    SyncHookBlocks, "sync-hook-blocks", SyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// The sync hook prints with `println!`, which panics because stdout is a pipe without a reader.
    StdoutClosed, "stdout-closed", SyncHook, [StartUp, Serving, Grace, Drain, Hooks];
    /// Clients stop in a head, in a body, and before they read a large response.
    ClientsStall, "clients-stall", Clients, [Serving, Grace, Drain];
    /// Clients send requests on new connections as fast as they can.
    ClientsFlood, "clients-flood", Clients, [Serving, Grace, Drain];
    /// The same on the health port.
    ProbesFlood, "probes-flood", Clients, [StartUp, Serving, Grace, Drain, Hooks];
    /// A hundred clients on each port send one byte of a head at a time.
    SlowLoris, "slow-loris", Clients, [StartUp, Serving, Grace, Drain, Hooks];
    /// 64 open files, and a hundred clients that hold theirs.
    NoFiles, "no-files", Files, [StartUp, Serving, Grace, Drain, Hooks];
    /// 64 open files, and the program has opened `/dev/null` until no descriptor is free (`EMFILE`).
    FilesExhausted, "files-exhausted", Files, [StartUp, Serving, Grace, Drain, Hooks];
    /// stderr is a pipe without a reader.
    StderrClosed, "stderr-closed", Stderr, [StartUp, Serving, Grace, Drain, Hooks];
    /// stderr is a full pipe that nobody reads.
    StderrFull, "stderr-full", Stderr, [StartUp, Serving, Grace, Drain, Hooks];
    /// The folder of the termination log does not exist.
    LogUnwritable, "log-unwritable", TerminationLog, [StartUp, Serving, Grace, Drain, Hooks];
    /// The disk of the termination log is full (`/dev/full`).
    LogFull, "log-full", TerminationLog, [StartUp, Serving, Grace, Drain, Hooks];
    /// The termination log is a FIFO without a reader.
    LogFifo, "log-fifo", TerminationLog, [StartUp, Serving, Grace, Drain, Hooks];
    /// The termination log is a FIFO that is full, with a reader that does not read.
    LogFifoFull, "log-fifo-full", TerminationLog, [StartUp, Serving, Grace, Drain, Hooks];
    /// The wall clock jumps a day forward, and later two days back.
    ClockJumps, "clock-jumps", Clock, [StartUp, Serving, Grace, Drain, Hooks];
    /// The process is stopped (SIGSTOP) for longer than grace.
    Stopped, "stopped", Schedule, [StartUp, Serving, Grace, Drain, Hooks];
    /// A tenth of a CPU.
    TenPercent, "ten-percent", Schedule, [StartUp, Serving, Grace, Drain, Hooks];
    /// Address space for 1 MiB more than is in use (`RLIMIT_AS`).
    MemoryPressure, "memory-pressure", Memory, [StartUp, Serving, Grace, Drain, Hooks];
    /// SIGTERM five times more.
    FurtherTerms, "further-terms", Signals, [StartUp, Serving, Grace, Drain, Hooks];
    /// SIGHUP, which is one of the program's signals, five times more.
    FurtherHups, "further-hups", Signals, [StartUp, Serving, Grace, Drain, Hooks];
    /// SIGINT twice: the second skips the rest of grace and drain.
    SecondInt, "second-int", Signals, [StartUp, Serving, Grace, Drain, Hooks];
    /// SIGINT three times: the third ends the process at once.
    ThirdInt, "third-int", Signals, [StartUp, Serving, Grace, Drain, Hooks];
    /// PID 1 of a PID namespace.
    Pid1, "pid-1", Init, [StartUp, Serving, Grace, Drain, Hooks];
    /// PID 1 of a PID namespace is the library's init, and the program leaves an orphan.
    Pid1Init, "pid-1-init", Init, [StartUp, Serving, Grace, Drain, Hooks];
}

impl Fault {
    /// The fault with this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// The environment variable by which the app is told the name of the fault.
    pub(crate) fn variable(self) -> Option<&'static str> {
        match self.part() {
            Part::Handler => Some("FAULTS_HANDLER"),
            Part::Main => Some("FAULTS_MAIN"),
            Part::AsyncHook => Some("FAULTS_HOOK"),
            Part::SyncHook => Some("FAULTS_SYNC_HOOK"),
            Part::Init if self == Self::Pid1Init => Some("FAULTS_INIT"),
            _ => None,
        }
    }

    /// Whether both can be committed in one process.
    pub(crate) fn goes_with(self, other: Self) -> bool {
        let is_alone_in_its_part = self.part() == Part::Clients || self.part() != other.part();
        self != other && !self.hinders(other) && !other.hinders(self) && is_alone_in_its_part
    }

    /// Whether a lack of files makes the other fault impossible: libfaketime opens a file at each look at the clock, a
    /// limit of memory begins with a look into a file, and further signals wait for the response of a probe.
    fn hinders(self, other: Self) -> bool {
        match self {
            Self::NoFiles => other == Self::ClockJumps,
            Self::FilesExhausted => {
                matches!(other, Self::ClockJumps | Self::HookAllocates)
                    || matches!(other.part(), Part::Memory | Part::Signals)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
