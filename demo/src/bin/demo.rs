//! A rolling restart under load on one machine. Two replicas run behind a balancer that removes a replica one second
//! after `/readyz` turns to 503, like the endpoints of Kubernetes and load balancers. Prints the timeline of each
//! replica and the number of failed requests, which must be 0.

use graceful_demo::{Balancer, Counts, Kind, client};
use std::{
    net::SocketAddr,
    process::{ExitCode, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long the balancer still routes new connections to a replica after its first 503.
const LAG: Duration = Duration::from_secs(1);

struct Demo {
    started: Instant,
    /// The traffic addresses that the balancer routes to.
    rotation: Mutex<Vec<SocketAddr>>,
    next: AtomicUsize,
}

struct Replica {
    name: &'static str,
    process: Child,
}

impl Demo {
    fn log(&self, source: &str, message: &str) {
        println!("{:>7.3}s {source:>9} | {message}", self.started.elapsed().as_secs_f64());
    }

    fn rotation(&self) -> std::sync::MutexGuard<'_, Vec<SocketAddr>> {
        self.rotation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pick(&self) -> Option<SocketAddr> {
        let rotation = self.rotation();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        rotation.get(turn % rotation.len().max(1)).copied()
    }

    /// Starts a replica and waits until the balancer routes to it.
    async fn start(self: &Arc<Self>, name: &'static str) -> Result<Replica, BoxError> {
        let program =
            std::env::current_exe()?.with_file_name("replica").with_extension(std::env::consts::EXE_EXTENSION);
        let missing = format!("cannot start {}; build it: cargo build --release -p graceful-demo", program.display());
        let mut process = Command::new(program)
            .env("LISTEN", "127.0.0.1:0")
            .env("GRACEFUL_HEALTH", "127.0.0.1:0")
            .env_remove("GRACEFUL_GRACE")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{missing}: {error}"))?;
        let output = self.relay(name, process.stdout.take().ok_or("no stdout")?, "serving on ");
        let log = self.relay(name, process.stderr.take().ok_or("no stderr")?, "probes on http://");
        let traffic: SocketAddr = output.await?.parse()?;
        let probes = log.await?;
        let probes: SocketAddr = probes.split('/').next().unwrap_or_default().parse()?;
        tokio::spawn(self.clone().probe(name, probes, traffic, true)).await??;
        tokio::spawn(self.clone().probe(name, probes, traffic, false));
        Ok(Replica { name, process })
    }

    /// Prints every line and sends the text after the first `mark`.
    fn relay(
        self: &Arc<Self>,
        name: &'static str,
        lines: impl tokio::io::AsyncRead + Unpin + Send + 'static,
        mark: &'static str,
    ) -> tokio::sync::oneshot::Receiver<String> {
        let demo = self.clone();
        let (found, first) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let (mut lines, mut found) = (BufReader::new(lines).lines(), Some(found));
            while let Ok(Some(line)) = lines.next_line().await {
                demo.log(name, line.strip_prefix("graceful ").unwrap_or(&line));
                if let (Some((_, rest)), true) = (line.split_once(mark), found.is_some())
                    && let Some(found) = found.take()
                {
                    let _ = found.send(rest.to_owned());
                }
            }
        });
        first
    }

    /// Probes `/readyz` until the replica is ready (or unready), then adds it to the rotation (or removes it).
    async fn probe(
        self: Arc<Self>,
        name: &'static str,
        probes: SocketAddr,
        traffic: SocketAddr,
        ready: bool,
    ) -> Result<(), BoxError> {
        while self.is_ready(probes).await? != ready {
            sleep(Duration::from_millis(50)).await;
        }
        if ready {
            self.rotation().push(traffic);
            self.log("balancer", &format!("replica {name} is ready and receives traffic"));
        } else {
            self.log(
                "balancer",
                &format!("replica {name} responds 503; traffic continues for {LAG:?}, like the lag of endpoints"),
            );
            sleep(LAG).await;
            self.rotation().retain(|address| *address != traffic);
            self.log("balancer", &format!("replica {name} receives no new connections"));
        }
        Ok(())
    }

    async fn is_ready(&self, probes: SocketAddr) -> Result<bool, BoxError> {
        let mut stream = TcpStream::connect(probes).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: demo\r\n\r\n").await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        Ok(response.starts_with("HTTP/1.1 200"))
    }

    /// Stops a replica as `kubectl rollout restart` does once the new replica is ready.
    async fn replace(&self, mut old: Replica) -> Result<i32, BoxError> {
        self.log("kubelet", &format!("SIGTERM to replica {}", old.name));
        terminate(&old.process)?;
        let status = old.process.wait().await?;
        self.log("kubelet", &format!("replica {} exited: {status}", old.name));
        Ok(status.code().unwrap_or(-1))
    }
}

#[cfg(unix)]
fn terminate(process: &Child) -> Result<(), BoxError> {
    let pid =
        process.id().and_then(|id| rustix::process::Pid::from_raw(id as i32)).ok_or("the replica exited already")?;
    Ok(rustix::process::kill_process(pid, rustix::process::Signal::TERM)?)
}

#[cfg(not(unix))]
fn terminate(_: &Child) -> Result<(), BoxError> {
    Err("this demo sends SIGTERM, which needs Unix".into())
}

#[tokio::main]
async fn main() -> Result<ExitCode, BoxError> {
    let demo = Arc::new(Demo { started: Instant::now(), rotation: Mutex::default(), next: AtomicUsize::new(0) });
    let (a, b) = (demo.start("a").await?, demo.start("b").await?);
    let (counts, stop) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let balancer: Balancer = Arc::new({
        let demo = demo.clone();
        move || demo.pick()
    });
    demo.log(
        "clients",
        "500 requests a second: 30 clients with keep-alive, 10 with a new connection each, 10 with HTTP/2",
    );
    let clients: Vec<_> = (0..50)
        .map(|number| {
            let pace = Duration::from_millis(100);
            let kind = match number {
                0..30 => Kind::KeepAlive,
                30..40 => Kind::NewConnections,
                _ => Kind::Http2,
            };
            tokio::spawn(client(balancer.clone(), "/".into(), kind, pace, counts.clone(), stop.clone()))
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    let c = demo.start("c").await?;
    let mut codes = vec![demo.replace(a).await?];
    let d = demo.start("d").await?;
    codes.push(demo.replace(b).await?);
    sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await?;
    }
    let (c, d) = tokio::join!(demo.replace(c), demo.replace(d));
    codes.extend([c?, d?]);
    let failed = counts.failed();
    println!(
        "\n{} requests over {} connections through 2 restarts: {failed} failed; exit codes {codes:?}",
        counts.sent.load(Ordering::Relaxed),
        counts.connections.load(Ordering::Relaxed),
    );
    counts.print_failures();
    let passed = failed == 0 && codes.iter().all(|code| *code == 0);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
