//! What surrounds the app: its environment, streams, files, namespace and clock, with the faults of the cell in them.

use crate::{
    cell::{Cell, Times},
    fault::Fault,
    moment::Moment,
};
use graceful_tests::App;
use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, mknodat, open};
use std::{
    fs,
    io::{self, PipeReader, PipeWriter, Write},
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// The limit of open files of an app that lacks them.
pub(crate) const OPEN_FILES: usize = 64;

/// How the app becomes PID 1 of a namespace.
const UNSHARE: [&str; 5] = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"];

/// Whether this user may create PID namespaces.
static MAY_UNSHARE: LazyLock<bool> = LazyLock::new(|| {
    let status = Command::new(UNSHARE[0]).args(&UNSHARE[1..]).arg("true").status();
    status.is_ok_and(|status| status.success())
});

/// The library of Debian's package `libfaketime`, if it is installed.
static FAKETIME: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.exists())
});

/// Why the system cannot commit the faults of this cell, if it cannot.
pub(crate) fn why_skipped(cell: &Cell) -> Option<&'static str> {
    match () {
        () if cell.has_any(&[Fault::Pid1, Fault::Pid1Init]) && !*MAY_UNSHARE => Some("no PID namespaces for this user"),
        () if cell.has(Fault::ClockJumps) && FAKETIME.is_none() => Some("libfaketime is not installed"),
        () => None,
    }
}

/// The files and pipes of one run. Dropping it removes the files.
pub(crate) struct Surroundings {
    folder: PathBuf,
    /// Where the app connects.
    pub(crate) listener: UnixListener,
    /// The termination log, if it can be read back.
    pub(crate) termination_log: Option<PathBuf>,
    /// Whether the app's stderr can be read.
    pub(crate) reads_stderr: bool,
    /// Readers of full pipes.
    _unread: (Option<PipeReader>, Option<OwnedFd>),
}

impl Surroundings {
    /// Makes the files of a cell, and its app.
    pub(crate) fn new(cell: &Cell, executable: &Path) -> io::Result<(Self, App)> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("graceful-faults-{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let socket = folder.join("socket");
        let mut made = Self {
            listener: UnixListener::bind(&socket)?,
            termination_log: None,
            reads_stderr: !cell.has_any(&[Fault::StderrClosed, Fault::StderrFull]),
            _unread: (None, None),
            folder,
        };
        let app = in_namespace(cell, executable).own_process_group().env("FAULTS_SOCKET", &socket);
        let app = made.with_termination_log(cell, with_directions(cell, app))?;
        let app = made.with_streams(cell, app)?;
        let app = made.with_clock(cell, app)?;
        Ok((made, app))
    }

    fn with_termination_log(&mut self, cell: &Cell, app: App) -> io::Result<App> {
        let log = self.folder.join("termination-log");
        let named = if cell.has(Fault::LogUnwritable) {
            self.folder.join("no-such-folder/log")
        } else if cell.has(Fault::LogFull) {
            "/dev/full".into()
        } else if cell.has_any(&[Fault::LogFifo, Fault::LogFifoFull]) {
            mknodat(CWD, &log, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
            if cell.has(Fault::LogFifoFull) {
                let fifo = open(&log, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
                fill(&mut fs::File::from(fifo.try_clone()?));
                self._unread.1 = Some(fifo);
            }
            log
        } else {
            self.termination_log = Some(log.clone());
            log
        };
        Ok(app.env("GRACEFUL_TERMINATION_LOG", named))
    }

    fn with_streams(&mut self, cell: &Cell, mut app: App) -> io::Result<App> {
        if cell.has(Fault::StdoutClosed) {
            app = app.stdout(closed_pipe()?);
        }
        if cell.has(Fault::StderrClosed) {
            app = app.stderr(closed_pipe()?);
        }
        if cell.has(Fault::StderrFull) {
            let (reader, mut writer) = io::pipe()?;
            let flags = fcntl_getfl(&writer)?;
            fcntl_setfl(&writer, flags | OFlags::NONBLOCK)?;
            fill(&mut writer);
            fcntl_setfl(&writer, flags)?;
            self._unread.0 = Some(reader);
            app = app.stderr(writer);
        }
        Ok(app)
    }

    fn with_clock(&self, cell: &Cell, app: App) -> io::Result<App> {
        let Some(library) = FAKETIME.as_ref().filter(|_| cell.has(Fault::ClockJumps)) else { return Ok(app) };
        self.set_clock(0)?;
        let app = app.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", self.clock());
        // Only the wall clock jumps on a real system.
        Ok(app.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1"))
    }

    fn clock(&self) -> PathBuf {
        self.folder.join("clock")
    }

    /// Sets by how many days the app's wall clock is off.
    pub(crate) fn set_clock(&self, days: i64) -> io::Result<()> {
        let new = self.folder.join("new-clock");
        fs::write(&new, format!("{days:+}d"))?;
        fs::rename(new, self.clock())
    }
}

impl Drop for Surroundings {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn in_namespace(cell: &Cell, executable: &Path) -> App {
    if !cell.has_any(&[Fault::Pid1, Fault::Pid1Init]) {
        return App::new(executable);
    }
    UNSHARE[1..].iter().fold(App::new(UNSHARE[0]), App::arg).arg(executable)
}

fn with_directions(cell: &Cell, app: App) -> App {
    let Times { grace, drain, margin, period } = cell.times;
    let millis = |name, length: std::time::Duration| (name, format!("{}ms", length.as_millis()));
    let mut variables = vec![
        millis("GRACEFUL_GRACE", grace),
        millis("GRACEFUL_DRAIN", drain),
        millis("GRACEFUL_MARGIN", margin),
        millis("GRACEFUL_TERMINATION_GRACE_PERIOD", period),
        ("FAULTS_RUNTIME", cell.runtime.name().to_owned()),
        ("FAULTS_MOMENT", cell.moment.name().to_owned()),
    ];
    for fault in &cell.faults {
        if let Some(variable) = fault.variable() {
            variables.push((variable, fault.name().to_owned()));
        }
    }
    if cell.has_any(&[Fault::NoFiles, Fault::FilesExhausted]) {
        variables.push(("FAULTS_FILES", OPEN_FILES.to_string()));
    }
    if cell.moment == Moment::Hooks || cell.has(Fault::ThirdInt) {
        variables.push(("FAULTS_HOLD_HOOKS", "yes".into()));
    }
    variables.into_iter().fold(app, |app, (name, value)| app.env(name, value))
}

/// The writer of a pipe without a reader.
fn closed_pipe() -> io::Result<PipeWriter> {
    Ok(io::pipe()?.1)
}

/// Fills a pipe that does not block.
fn fill(pipe: &mut impl Write) {
    for size in [4096, 1] {
        while pipe.write(&[b'x'; 4096][..size]).is_ok() {}
    }
}
