//! HAProxy and nginx, with a configuration of this repository on a loopback address of its own.

use graceful_tests::{App, PATIENCE, Running, Signal, probe};
use std::{
    env, fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

/// A configuration of a balancer: a file of the folder `balancers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configuration {
    /// HAProxy with health checks.
    HaProxy,
    /// nginx with its defaults.
    NginxDefault,
    /// nginx, set up so that no request fails.
    Nginx,
}

impl Configuration {
    /// The file.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy.cfg",
            Self::NginxDefault => "nginx-default.conf",
            Self::Nginx => "nginx.conf",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::HaProxy => "haproxy",
            Self::NginxDefault | Self::Nginx => "nginx",
        }
    }

    /// Whether the program is installed. If not, the reader of the output is told so.
    pub fn is_installed(self) -> bool {
        let (program, option) = (self.program(), if self == Self::HaProxy { "-v" } else { "-V" });
        let found = Command::new(program).arg(option).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if let Err(error) = &found {
            println!("skipped: {program} cannot be started ({error}); install it: apt-get install {program}");
        }
        found.is_ok()
    }
}

/// A loopback address that no other process or test uses: all of 127.0.0.0/8 is loopback on Linux. The ports of the
/// configuration files are free on it, and connections from 127.0.0.1 cannot take one of them while a copy restarts.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Process ids have 22 bits at most. One bit remains for the tests of a process, and the lower half of 127.0.0.0/8 is
    // left to others.
    let number = 0x7F80_0000 | (NEXT.fetch_add(1, Ordering::Relaxed) & 1) << 22 | (process::id() & 0x3F_FFFF);
    Ipv4Addr::from_bits(number)
}

const RUNS: &str = "only `drop` takes the process";

/// A running balancer. Dropping it ends the process and removes its folder.
pub(crate) struct Balancer {
    running: Option<Running>,
    folder: PathBuf,
    /// Where clients connect.
    pub(crate) address: SocketAddr,
}

impl Balancer {
    /// Starts the balancer with its copies on `host`, and waits until it responds.
    ///
    /// # Errors
    /// The configuration cannot be written.
    ///
    /// # Panics
    /// The balancer ends, or does not respond.
    pub(crate) fn start(configuration: Configuration, host: Ipv4Addr) -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("graceful-peers-{host}"));
        fs::create_dir_all(&folder)?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("balancers").join(configuration.file());
        let file = folder.join(configuration.file());
        fs::write(&file, fs::read_to_string(source)?.replace("127.0.0.1", &host.to_string()))?;
        let app = App::new(configuration.program());
        let app = match configuration {
            Configuration::HaProxy => app.arg("-db").arg("-f").arg(&file),
            Configuration::Nginx | Configuration::NginxDefault => {
                fs::write(folder.join("main.conf"), main_conf(configuration.file()))?;
                app.arg("-p").arg(&folder).arg("-c").arg("main.conf").arg("-e").arg("stderr")
            }
        };
        let balancer = Self { running: Some(app.start()), folder, address: SocketAddr::from((host, 8080)) };
        let deadline = Instant::now() + PATIENCE;
        while !probe(balancer.address, "/").is_ok_and(|response| response.status == 200) {
            assert!(Instant::now() < deadline, "no response\n{}", balancer.output());
            thread::sleep(Duration::from_millis(10));
        }
        Ok(balancer)
    }

    /// Waits until HAProxy has reported this health of a copy so many times.
    pub(crate) fn reports(&self, part: &str, times: usize) {
        self.running.as_ref().expect(RUNS).prints_times(part, times);
    }

    /// Everything that the balancer has printed.
    pub(crate) fn output(&self) -> String {
        self.running.as_ref().expect(RUNS).so_far()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // nginx's master ends its workers at SIGTERM; SIGKILL would leave them.
        if let Some(running) = self.running.take() {
            running.signal(Signal::TERM);
            running.end();
        }
        let _ = fs::remove_dir_all(&self.folder); // a folder that stays does no harm
    }
}

/// The main file of nginx, as Debian's, with every file in the folder of this run.
fn main_conf(site: &str) -> String {
    let temporary =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};"));
    format!(
        "daemon off;\npid nginx.pid;\nworker_processes 2;\nevents {{}}\nhttp {{\naccess_log off;\n{}\ninclude {site};\n}}\n",
        temporary.join("\n")
    )
}
