//! `/livez` while something runs out, or others flood the process: 10,000 probes under each condition. Arguments select
//! the conditions whose name contains one of them.

use bytes::Bytes;
use graceful::{Builder, Health, Plan};
use graceful_benches::{Result, client, now, numbers, numbers::Samples, server, subject, subject::Subject};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use rustix::process::{Resource, Rlimit, geteuid, setrlimit};
use std::{
    convert::Infallible,
    env,
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    os::unix::process::CommandExt,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

const PROBES: usize = 10_000;
/// How many clients flood the health port.
const FLOODERS: usize = 8;
/// The limit of descriptors, and how many clients want one.
const DESCRIPTORS: u64 = 64;
const CLIENTS: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Nothing,
    /// HTTP/2 clients flood the health port with frames of this type and payload.
    Frames(u8, &'static [u8]),
    /// More clients than descriptors, with requests that never end.
    Descriptors,
    /// The same in the drain, with as many clients in the accept queue.
    DescriptorsInTheDrain,
    /// The system refuses every further thread.
    Threads,
    /// A client asks for `/readyz?verbose` without a pause, with this many tasks in flight.
    Tasks(usize),
    /// SIGTERM without a pause.
    Signals,
}

const CONDITIONS: [(&str, Condition); 10] = [
    ("nothing", Condition::Nothing),
    ("a flood of PING", Condition::Frames(6, &[0; 8])),
    ("a flood of SETTINGS", Condition::Frames(4, &[])),
    ("200 clients for 64 descriptors", Condition::Descriptors),
    ("the same in the drain", Condition::DescriptorsInTheDrain),
    ("no further thread", Condition::Threads),
    ("/readyz?verbose of 10,000 tasks", Condition::Tasks(10_000)),
    ("/readyz?verbose of 100,000 tasks", Condition::Tasks(100_000)),
    ("/readyz?verbose of 300,000 tasks", Condition::Tasks(300_000)),
    ("a flood of SIGTERM", Condition::Signals),
];

fn main() -> Result {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match &arguments[..] {
        [command, descriptors, tasks] if command == "serve" => serve(descriptors.parse()?, tasks.parse()?),
        _ => CONDITIONS
            .into_iter()
            .filter(|(name, _)| arguments.is_empty() || arguments.iter().any(|part| name.contains(part.as_str())))
            .try_for_each(|(name, condition)| measure(name, condition)),
    }
}

fn serve(descriptors: u64, tasks: usize) -> Result {
    setrlimit(Resource::Nofile, Rlimit { current: Some(descriptors), maximum: Some(descriptors) })?;
    let long = Duration::from_secs(120);
    let plan = Plan { grace: Duration::ZERO, drain: long, termination_grace_period: long * 2, ..Plan::DEFAULT };
    let plan = Plan { health: Health::Off, ..plan }; // GRACEFUL_HEALTH says where
    // Responses never end, so that the connections of clients keep their descriptors.
    let service =
        service_fn(|_: Request<Incoming>| std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>());
    Builder::new().plan(plan).worker_threads(1).run(move |ctx| async move {
        for task in 0..tasks {
            drop(ctx.spawn(format!("task {task}"), std::future::pending::<()>()));
        }
        graceful::serve(server::bind().await?, service).await
    });
    Ok(())
}

fn measure(name: &str, condition: Condition) -> Result {
    let descriptors = match condition {
        Condition::Descriptors | Condition::DescriptorsInTheDrain => DESCRIPTORS,
        _ => 1024,
    };
    let tasks = match condition {
        Condition::Tasks(tasks) => tasks,
        Condition::Signals => 1, // so that the drain lasts
        _ => 0,
    };
    let arguments = ["serve", &descriptors.to_string(), &tasks.to_string()];
    let health = SocketAddr::from(([127, 0, 0, 1], subject::free_port()?));
    let (mut subject, address) = match condition {
        Condition::Threads if !geteuid().is_root() => return skip(name),
        Condition::Threads => start_without_further_threads(&arguments, health)?,
        _ => start(&mut subject::itself(&arguments)?, health)?,
    };
    while client::get(health, "/readyz")?.0 != 200 {}
    let over = AtomicBool::new(false);
    let mut times = Samples::default();
    thread::scope(|scope| {
        let pressure = press(condition, &mut subject, address, health)?;
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                match condition {
                    Condition::Tasks(_) => drop(client::get(health, "/readyz?verbose")),
                    Condition::Signals => drop(subject.terminate()),
                    _ => return,
                }
            }
        });
        let measured = probe(health, &mut times);
        over.store(true, Ordering::Relaxed);
        pressure.iter().for_each(|client| drop(client.shutdown(Shutdown::Both)));
        measured
    })?;
    println!("{}", times.line(&format!("/livez, {name}"), "ms"));
    let target = if matches!(condition, Condition::Tasks(_)) { 10.0 } else { 50.0 };
    numbers::at_most(&format!("/livez at p99, {name}, ms"), times.percentile(0.99), target);
    Ok(())
}

fn skip(name: &str) -> Result {
    println!("skipped: {name}: only root can start a process as another user");
    Ok(())
}

fn start(command: &mut Command, health: SocketAddr) -> Result<(Subject, SocketAddr)> {
    let mut subject = Subject::start(command.env("GRACEFUL_HEALTH", health.to_string()))?;
    let address = subject.address()?;
    Ok((subject, address))
}

/// Starts with the lowest limit of threads that the process starts with.
fn start_without_further_threads(arguments: &[&str], health: SocketAddr) -> Result<(Subject, SocketAddr)> {
    for limit in 2..20 {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nproc={limit}")).arg(env::current_exe()?).args(arguments);
        // The limit counts the threads of a user, so each attempt is a user of its own.
        command.uid(200_000 + std::process::id() * 32 % 1_000_000 + limit);
        if let Ok(started) = start(&mut command, health) {
            return Ok(started);
        }
    }
    Err("the process does not start with 20 threads".into())
}

/// Applies the pressure, and returns the connections that hold it up.
fn press(
    condition: Condition,
    subject: &mut Subject,
    address: SocketAddr,
    health: SocketAddr,
) -> Result<Vec<TcpStream>> {
    let clients = || {
        let open = |_| {
            let mut stream = client::connect(address)?;
            stream.write_all(client::REQUEST)?;
            Ok(stream)
        };
        (0..CLIENTS).map(open).collect::<Result<Vec<_>>>()
    };
    match condition {
        Condition::Nothing | Condition::Threads | Condition::Tasks(_) | Condition::Signals => Ok(Vec::new()),
        Condition::Frames(kind, payload) => (0..FLOODERS).map(|_| flood(health, kind, payload)).collect(),
        Condition::Descriptors => clients(),
        Condition::DescriptorsInTheDrain => {
            let clients = clients()?;
            subject.terminate()?;
            while client::get(health, "/readyz?verbose")?.1.lines().all(|line| line != "phase: draining") {}
            Ok(clients)
        }
    }
}

/// Floods the health port with frames of HTTP/2 that belong to no stream.
fn flood(health: SocketAddr, kind: u8, payload: &[u8]) -> Result<TcpStream> {
    let mut stream = client::connect(health)?;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
    let length = &(payload.len() as u32).to_be_bytes()[1..];
    let frames = [length, &[kind, 0], &[0; 4], payload].concat().repeat(1000);
    let (mut reader, mut writer) = (stream.try_clone()?, stream.try_clone()?);
    thread::spawn(move || while reader.read(&mut [0; 65536]).is_ok_and(|read| read > 0) {});
    thread::spawn(move || while writer.write_all(&frames).is_ok() {});
    Ok(stream)
}

fn probe(health: SocketAddr, times: &mut Samples) -> Result {
    for _ in 0..PROBES {
        let asked = now();
        if client::get(health, "/livez")?.0 != 200 {
            return Err("/livez does not respond 200".into());
        }
        times.add((now() - asked) as f64 / 1e6);
    }
    Ok(())
}
