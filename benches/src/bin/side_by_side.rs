//! The servers of `benches/peers` in one run: a request, connections, a shutdown, and the start, measured from outside.
//!
//! `side_by_side [MEASUREMENT..]` prints lines of `measurement, program, value`, separated by tabs; `peers/performance`
//! makes the page of them. Programs alternate within each round, so that noise of the machine affects all of them.

use graceful_benches::{
    Result, callgrind, client,
    load::Load,
    now,
    numbers::Samples,
    program::{PROGRAMS, Program, Running},
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    env,
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

type Measure = fn() -> Result;

const MEASUREMENTS: [(&str, Measure); 8] = [
    ("instructions", instructions),
    ("throughput", throughput),
    ("idle", || idle(5, 10_000, &draining())),
    ("idle-100000", || idle(1, 100_000, &draining())),
    ("in-flight", in_flight),
    ("unready", unready),
    ("exit", exit),
    ("start", start),
];

fn main() -> Result {
    let wanted: Vec<_> = env::args().skip(1).collect();
    if let Some(unknown) = wanted.iter().find(|wanted| MEASUREMENTS.iter().all(|(name, _)| name != wanted)) {
        return Err(format!("{unknown} is not measured").into());
    }
    let wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    MEASUREMENTS.iter().filter(|(name, _)| wanted(name)).try_for_each(|(_, measure)| measure())
}

fn report(measurement: &str, program: &Program, value: f64) {
    println!("{measurement}\t{}\t{value:.4}", program.name);
}

/// Runs `sample` for each program in rounds, and returns the samples of each program in each of `N` quantities.
fn rounds<'a, const N: usize>(
    rounds: usize,
    programs: &[&'a Program],
    mut sample: impl FnMut(&Program) -> Result<[f64; N]>,
) -> Result<Vec<(&'a Program, [Samples; N])>> {
    let mut all: Vec<_> = programs.iter().map(|program| (*program, [(); N].map(|()| Samples::default()))).collect();
    for round in 0..rounds {
        for turn in 0..all.len() {
            let at = (turn + round) % programs.len();
            let (program, samples) = &mut all[at];
            let values = sample(program).map_err(|error| format!("{}: {error}", program.name))?;
            samples.iter_mut().zip(values).for_each(|(samples, value)| samples.add(value));
        }
    }
    Ok(all)
}

fn report_medians<const N: usize>(names: [&str; N], all: &[(&Program, [Samples; N])]) {
    for (at, name) in names.iter().enumerate() {
        all.iter().for_each(|(program, samples)| report(name, program, samples[at].median()));
    }
}

/// The programs that drain connections without a pause before that.
fn draining() -> Vec<&'static Program> {
    PROGRAMS.iter().filter(|program| program.drains_at_once).collect()
}

fn all() -> Vec<&'static Program> {
    PROGRAMS.iter().collect()
}

/// Instructions of a keep-alive request.
fn instructions() -> Result {
    for program in &PROGRAMS {
        report("instructions of a request", program, callgrind::per_request_of(program)?);
    }
    Ok(())
}

/// Requests in a second and processor time of a request: each server on one core, the clients on another.
fn throughput() -> Result {
    const ROUNDS: usize = 21;
    const TURN: Duration = Duration::from_millis(300);
    const CONNECTIONS: usize = 64;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut lanes = Vec::new();
    for program in &PROGRAMS {
        let running = program.start(&["taskset", "--cpu-list", "0"])?;
        let mut load = runtime.block_on(Load::open(running.address, CONNECTIONS, client::NOW))?;
        runtime.block_on(load.run(TURN))?; // warm-up
        lanes.push((program, running, load));
    }
    let all = rounds(ROUNDS, &all(), |program| {
        let lane = lanes.iter_mut().find(|(own, ..)| own.name == program.name);
        let (_, running, load) = lane.ok_or("no such program")?;
        let before = running.subject.processor_time()?;
        let (responses, throughput) = runtime.block_on(load.run(TURN))?;
        let spent = running.subject.processor_time()? - before;
        Ok([throughput, spent as f64 / responses as f64 / 1000.0])
    })?;
    report_medians(["requests in a second", "processor time of a request, us"], &all);
    for (program, samples) in &all {
        report("throughput, of hyper alone", program, samples[0].ratios(&all[0].1[0]).median());
    }
    Ok(())
}

/// Memory of idle connections, and SIGTERM to the exit with them.
fn idle(times: usize, connections: usize, programs: &[&Program]) -> Result {
    if !allow_connections(connections) {
        return Ok(());
    }
    let all = rounds(times, programs, |program| {
        let mut running = program.start(&[])?;
        let before = running.memory()?;
        let mut streams = Vec::new();
        for address in addresses(&running, connections) {
            streams.extend(client::idle(address, (connections - streams.len()).min(PER_ADDRESS), client::NOW)?);
        }
        let memory = (running.memory()? - before) as f64 / connections as f64;
        let sent = running.subject.terminate()?;
        let (_, exited) = running.subject.wait()?;
        let reset = streams.iter_mut().filter_map(|stream| stream.read(&mut [0]).err()).count();
        Ok([memory / 1024.0, (exited - sent) as f64 / 1e6, reset as f64])
    })?;
    let name = |what: &str| format!("{what}, {connections} idle connections");
    let names = [name("KiB of a connection"), name("SIGTERM to the exit, ms"), name("resets")];
    report_medians(names.each_ref().map(String::as_str), &all);
    Ok(())
}

/// Raises the limit of open files of this process and of the programs that it starts. Returns whether it suffices.
fn allow_connections(connections: usize) -> bool {
    let enough = Some(connections as u64 + 1_000);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| Some(current) >= enough) {
        return true;
    }
    let maximum = limit.maximum.max(enough).filter(|_| limit.maximum.is_some());
    let raised = setrlimit(Resource::Nofile, Rlimit { current: enough, maximum });
    if let Err(error) = raised {
        eprintln!("skipped: {connections} connections need a higher limit of open files: {error}");
    }
    raised.is_ok()
}

/// How many connections lead to one address: fewer than a client has ports for it.
const PER_ADDRESS: usize = 25_000;

/// Addresses of the loopback device by which so many connections reach the program.
fn addresses(running: &Running, connections: usize) -> impl Iterator<Item = SocketAddr> + use<> {
    let port = running.address.port();
    (1..=connections.div_ceil(PER_ADDRESS)).map(move |host| (Ipv4Addr::new(127, 0, 0, host as u8), port).into())
}

/// 10,000 requests in flight at SIGTERM, whose responses take a second: those without a response, and the exit.
fn in_flight() -> Result {
    const REQUESTS: usize = 10_000;
    if !allow_connections(REQUESTS) {
        return Ok(());
    }
    let all = rounds(3, &draining(), |program| {
        let mut running = program.start(&[])?;
        let mut streams = client::idle(running.address, REQUESTS, client::NOW)?;
        for stream in &mut streams {
            stream.write_all(SLOW)?;
        }
        let sent = running.subject.terminate()?;
        let failed = streams.iter_mut().filter_map(|stream| client::exchange(stream, b"").err()).count();
        let (_, exited) = running.subject.wait()?;
        Ok([failed as f64, (exited - sent) as f64 / 1e6])
    })?;
    report_medians(["10,000 requests in flight, failed", "SIGTERM to the exit, 10,000 in flight, ms"], &all);
    Ok(())
}

const SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// SIGTERM to the first probe that says "not ready", with every worker blocked for two seconds.
fn unready() -> Result {
    let blockers = 4 * std::thread::available_parallelism()?.get();
    let programs: Vec<_> = PROGRAMS.iter().skip(1).collect();
    let all = rounds(5, &programs, |program| {
        let running = program.start(&[])?;
        let mut blockers = client::idle(running.address, blockers, client::NOW)?;
        for stream in &mut blockers {
            stream.write_all(b"GET /block HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        }
        let begun = now();
        while responds(&running)? {
            if now() - begun > client::PATIENCE.as_nanos() as u64 {
                return Err("its workers are not blocked".into());
            }
        }
        let sent = running.subject.terminate()?;
        while !running.is_unready(program.readiness, Duration::from_secs(1))? {}
        Ok([(now() - sent) as f64 / 1e6])
    })?;
    report_medians(["SIGTERM to not ready, all workers blocked, ms"], &all);
    Ok(())
}

/// Whether a request has a response within 50 ms.
fn responds(running: &Running) -> Result<bool> {
    let mut stream = TcpStream::connect(running.address)?;
    stream.set_read_timeout(Some(Duration::from_millis(50)))?;
    stream.write_all(client::NOW)?;
    match stream.read(&mut [0; 1024]) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The last response of a shutdown to the exit.
fn exit() -> Result {
    let all = rounds(11, &draining(), |program| {
        let mut running = program.start(&[])?;
        let mut slow = client::connect(running.address)?;
        slow.write_all(SLOW)?;
        client::get(running.address, "/now")?; // accepted behind it
        running.subject.terminate()?;
        client::exchange(&mut slow, b"")?;
        let responded = now();
        let (_, exited) = running.subject.wait()?;
        Ok([(exited - responded) as f64 / 1e6])
    })?;
    report_medians(["last response to the exit, ms"], &all);
    Ok(())
}

/// The start of the process to its first response.
fn start() -> Result {
    let all = rounds(31, &all(), |program| {
        let running = program.start(&[])?;
        Ok([(now() - running.subject.started) as f64 / 1e6])
    })?;
    report_medians(["start to the first response, ms"], &all);
    Ok(())
}
