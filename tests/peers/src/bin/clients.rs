//! Measures HTTP clients against a server that restarts, and prints the tables of `docs/clients.md`:
//! `cargo build -p graceful-tests-peers --bins && target/debug/clients [SECONDS] [retries|http1|http2] [CLIENT..]`.

use graceful_tests_peers::{Copy, Hangup, HangupServer, Load, Program, Restarts, Server};
use std::{
    collections::BTreeMap,
    error::Error,
    path::{Path, PathBuf},
    time::Duration,
};

type Fault = Box<dyn Error>;

/// The longest pause of a caller between two calls, in milliseconds.
const PAUSE: u64 = 1;
/// The graces of the second and third table, in milliseconds.
const GRACES_OF_HTTP1: [u64; 2] = [300, 0];
const GRACES_OF_HTTP2: [u64; 4] = [300, 100, 20, 0];
const CALLERS: [u32; 2] = [1, 8];
const METHODS: [&str; 2] = ["GET", "POST"];

struct Clients {
    /// The folder of our executables, and that of everything else.
    own: PathBuf,
    folder: PathBuf,
    seconds: u64,
    programs: Vec<Program>,
}

fn main() -> Result<(), Fault> {
    let mut arguments: Vec<_> = std::env::args().skip(1).collect();
    let seconds = match arguments.first().map(|first| first.parse()) {
        Some(Ok(seconds)) => {
            arguments.remove(0);
            seconds
        }
        _ => 10,
    };
    let table = if arguments.is_empty() { "all".to_owned() } else { arguments.remove(0) };
    let own = std::env::current_exe()?.with_file_name("");
    let folder = own.join("../clients");
    let mut programs: Vec<_> = Program::ALL.to_vec();
    if !arguments.is_empty() {
        programs.retain(|program| arguments.iter().any(|part| program.name().contains(part.as_str())));
    }
    programs.retain(|program| match program.prepare(&folder) {
        Ok(()) => true,
        Err(error) => {
            println!("skipped: {}: {error}", program.name());
            false
        }
    });
    let clients = Clients { own, folder, seconds, programs };
    let known = [("retries", Clients::retries as fn(&_) -> _), ("http1", Clients::http1), ("http2", Clients::http2)];
    if table != "all" && known.iter().all(|(name, _)| *name != table) {
        return Err(format!("{table} is no table: retries, http1, http2 or all").into());
    }
    for (_, measure) in known.iter().filter(|(name, _)| table == "all" || *name == table) {
        measure(&clients)?;
        println!();
    }
    Ok(())
}

impl Clients {
    /// What each client does when its connection ends.
    fn retries(&self) -> Result<(), Fault> {
        let ends = [Hangup::Idle, Hangup::Reset, Hangup::Unanswered];
        println!(
            "| client | GET, idle | GET, reset | GET, no response | POST, idle | POST, reset | POST, no response |"
        );
        println!("|---|---|---|---|---|---|---|");
        for program in self.programs.iter().filter(|program| program.speaks_http1()) {
            let mut cells = vec![program.name().to_owned()];
            let mut errors = BTreeMap::new();
            for method in METHODS {
                for hangup in ends {
                    let server = HangupServer::start(hangup)?;
                    let url = format!("http://{}/", server.address);
                    let load = Load { url: &url, method, callers: 1, seconds: 3, pause: 20, http2: false };
                    let report = program.start(self.folder(*program), load)?.report()?;
                    cells.push(format!("{} of {} lost", report.failed(), server.lost()));
                    for (error, times) in &report.errors {
                        *errors.entry(format!("{hangup:?}, {method}: {error}")).or_default() += times;
                    }
                }
            }
            println!("| {} |", cells.join(" | "));
            show(&errors);
        }
        Ok(())
    }

    fn http1(&self) -> Result<(), Fault> {
        let programs = self.programs.iter().filter(|program| program.speaks_http1());
        self.table(programs, &GRACES_OF_HTTP1, false)
    }

    fn http2(&self) -> Result<(), Fault> {
        let programs = self.programs.iter().filter(|program| program.speaks_http2());
        self.table(programs, &GRACES_OF_HTTP2, true)
    }

    fn table<'p>(&self, programs: impl Iterator<Item = &'p Program>, graces: &[u64], http2: bool) -> Result<(), Fault> {
        let heads: Vec<_> = graces.iter().map(|grace| format!("grace {grace} ms")).collect();
        println!("| client | callers | method | {} | axum alone |", heads.join(" | "));
        println!("|---|---|---|{}---|", "---|".repeat(graces.len()));
        for program in programs {
            let mut errors = BTreeMap::new();
            for callers in CALLERS {
                for method in METHODS {
                    let (mut cells, what) = (Vec::new(), (callers, method, http2));
                    for grace in graces {
                        cells.push(self.restarts(*program, Copy::Graceful, *grace, what, &mut errors)?);
                    }
                    cells.push(self.restarts(*program, Copy::Plain, 0, what, &mut errors)?);
                    println!("| {} | {callers} | {method} | {} |", program.name(), cells.join(" | "));
                }
            }
            show(&errors);
        }
        Ok(())
    }

    fn folder(&self, program: Program) -> &Path {
        if program.is_own() { &self.own } else { &self.folder }
    }

    /// A cell: the failed calls of all calls, and the restarts.
    fn restarts(
        &self,
        program: Program,
        copy: Copy,
        grace: u64,
        (callers, method, http2): (u32, &str, bool),
        errors: &mut BTreeMap<String, u64>,
    ) -> Result<String, Fault> {
        let executable = self.own.join(copy.executable()).into_os_string();
        let tls = http2 && program.needs_tls();
        let restarts = Restarts::start(Server { copy, executable, grace: Duration::from_millis(grace), tls })?;
        let url = format!("{}://{}/", if tls { "https" } else { "http" }, restarts.address);
        let load = Load { url: &url, method, callers, seconds: self.seconds, pause: PAUSE, http2 };
        let report = program.start(self.folder(program), load)?.report()?;
        let restarts = restarts.finish();
        let server = if copy == Copy::Plain { "axum".to_owned() } else { format!("grace {grace}") };
        for (error, times) in &report.errors {
            *errors.entry(format!("{server}, {method}: {error}")).or_default() += times;
        }
        let cut = if restarts.cut > 0 { format!(", {} with exit code 3", restarts.cut) } else { String::new() };
        Ok(format!("{} of {}, {} restarts{cut}", report.failed(), report.calls, restarts.times))
    }
}

/// The errors of a client, on standard error.
fn show(errors: &BTreeMap<String, u64>) {
    for (error, times) in errors {
        eprintln!("    {times} x {error}");
    }
}
