//! The socket to the harness: events to it, commands from it. Standard streams are left to the faults.

use graceful::Phase;
use graceful_tests::stage::{Gate, block, env_var};
use rustix::{
    io::Errno,
    process::{Resource, Rlimit, setrlimit},
};
use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    sync::{Arc, LazyLock, OnceLock},
    thread,
    time::{Duration, SystemTime},
};

/// The environment variable with the path of the socket. Its presence makes the program the app.
pub(crate) const SOCKET: &str = "FAULTS_SOCKET";

static HARNESS: OnceLock<UnixStream> = OnceLock::new();

/// The phases that are told. A process can reach one without having been in those before it.
const PHASES: [Phase; 5] = [Phase::Serving, Phase::Grace, Phase::Draining, Phase::Hooks, Phase::Stopped];

/// What waits for a command, by the command.
static GATES: LazyLock<HashMap<&str, Arc<Gate>>> =
    LazyLock::new(|| ["serve", "held", "handler", "main", "hooks", "never"].map(|name| (name, Arc::default())).into());

/// Connects to the harness.
pub(crate) fn connect() {
    let stream = UnixStream::connect(env_var(SOCKET)).expect("the harness listens");
    HARNESS.set(stream).expect("the app connects once");
    LazyLock::force(&GATES);
}

/// Tells the harness an event, with one system call.
pub(crate) fn say(event: &str) {
    if let Some(mut stream) = HARNESS.get() {
        let _ = stream.write_all(format!("{event}\n").as_bytes()); // fails only without a harness
    }
}

/// The gate that this command opens.
pub(crate) fn gate(command: &str) -> &'static Arc<Gate> {
    &GATES[command]
}

/// Blocks the thread for ever.
pub(crate) fn block_for_ever() {
    gate("never").block_until_open();
}

/// Starts to obey commands, and to tell the phases.
pub(crate) fn obey(context: &graceful::Context, threads: usize) {
    let commands = HARNESS.get().expect("the app is connected").try_clone().expect("a descriptor is free");
    let obeying = context.clone();
    thread::spawn(move || {
        let mut files = Vec::new();
        for command in BufReader::new(commands).lines().map_while(Result::ok) {
            match command.as_str() {
                "block" => block(&obeying, threads, gate("never"), || say("every worker is blocked")),
                "limit memory" => {
                    limit_memory(1 << 20);
                    say("memory is limited");
                }
                "exhaust files" => {
                    if open_all(&mut files).raw_os_error() == Some(Errno::MFILE.raw_os_error()) {
                        say("no file can be opened");
                    }
                }
                "clock" => {
                    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                    say(&format!("the wall clock is at {}", now.as_secs()));
                }
                gate => GATES[gate].open(),
            }
        }
        // The harness has ended before the app: nobody else ends an app that goes wrong.
        std::process::exit(1);
    });
    let context = context.clone();
    thread::spawn(move || {
        let mut ahead = PHASES.into_iter().peekable();
        loop {
            while let Some(phase) = ahead.next_if(|phase| *phase <= context.phase()) {
                say(&format!("reached {phase}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
    });
}

/// Opens files until the system refuses one. Returns why.
fn open_all(files: &mut Vec<File>) -> io::Error {
    loop {
        match File::open("/dev/null") {
            Ok(file) => files.push(file),
            Err(error) => return error,
        }
    }
}

/// Limits the address space to what is in use and this many bytes.
pub(crate) fn limit_memory(further: u64) {
    let pages = fs::read_to_string("/proc/self/statm").expect("proc is mounted");
    let pages: u64 = pages.split(' ').next().and_then(|size| size.parse().ok()).expect("statm begins with a size");
    let limit = Some(pages * rustix::param::page_size() as u64 + further);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: None }).expect("a limit can be lowered");
}
