//! 1,000 health checks, each once a second, and 10,000 or 300,000 tracked tasks: processor time of an otherwise idle process,
//! latency of its probes, SIGTERM to the first 503, and the drain of tasks that end at once.
//!
//! `/livez` is also measured while another client asks for `/readyz?verbose` without a pause.
//!
//! The drain is measured from the first task that observes the drain to the first hook.

use graceful::{
    __private::{Check, GRACEFUL_CHECKS_V1, HookRun, On, linkme},
    Builder, Context, Flavor, Health, Phase, Plan,
};
use graceful_benches::{Result, client, now, numbers, numbers::Samples, processor_time, subject, subject::Subject};
use std::{
    env,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread::{self, sleep},
    time::Duration,
};

const TASKS: usize = 10_000;
const MANY_TASKS: usize = 300_000;
/// How long the processor time of the idle process is measured.
const IDLE: Duration = Duration::from_secs(5);
const PROBES: usize = 500;
const ROUNDS: usize = 21;
const GRACE: Duration = Duration::from_millis(300);
/// Name, with checks, the number of tasks.
const KINDS: [(&str, bool, usize); 5] = [
    ("neither", false, 0),
    ("checks", true, 0),
    ("tasks", false, TASKS),
    ("both", true, TASKS),
    ("many-tasks", false, MANY_TASKS),
];

/// The expansion of `#[graceful::health_check(on = "readiness", period = "1s")]` on an async function.
macro_rules! check {
    ($a:literal $b:literal $c:literal) => {
        const _: () = {
            #[linkme::distributed_slice(GRACEFUL_CHECKS_V1)]
            #[linkme(crate = linkme)]
            static CHECK: Check = Check {
                name: concat!("dependency_", $a, $b, $c),
                on: On::Readiness,
                period: Duration::from_secs(1),
                timeout: Duration::from_millis(500),
                failures: 3,
                package: env!("CARGO_PKG_NAME"),
                module: module_path!(),
                file: file!(),
                line: line!(),
                start: |_| Ok(HookRun::future(async { Ok(()) })),
            };
        };
    };
    ($($digits:literal)*) => {
        check!($($digits)* 0);
        check!($($digits)* 1);
        check!($($digits)* 2);
        check!($($digits)* 3);
        check!($($digits)* 4);
        check!($($digits)* 5);
        check!($($digits)* 6);
        check!($($digits)* 7);
        check!($($digits)* 8);
        check!($($digits)* 9);
    };
}
check!();

/// The time at which the first task observed the drain.
static BEGUN: AtomicU64 = AtomicU64::new(u64::MAX);

fn main() -> Result {
    let find = |name| KINDS.into_iter().find(|kind| kind.0 == name);
    if let Some((_, checks, tasks)) = env::args().nth(1).as_deref().and_then(find) {
        run_subject(checks, tasks);
        return Ok(());
    }
    for (name, ..) in KINDS {
        idle(name)?;
    }
    for (name, _, tasks) in KINDS.into_iter().filter(|kind| kind.2 <= TASKS) {
        shut_down(name, tasks > 0)?;
    }
    Ok(())
}

fn run_subject(checks: bool, tasks: usize) {
    let plan = Plan { grace: GRACE, health: Health::Off, ..Plan::DEFAULT }; // GRACEFUL_HEALTH says where
    let builder = Builder::new().plan(plan).flavor(Flavor::MultiThread).worker_threads(2).linked_hooks(checks);
    builder.run(move |ctx| async move {
        ctx.on_shutdown(0, "drained", || async {
            let (drained, spent) = (now(), processor_time());
            subject::report("begun", BEGUN.load(Relaxed));
            subject::report("drained", drained);
            subject::report("spent", spent);
        });
        for number in 0..tasks {
            ctx.spawn(format!("worker {number}"), work(ctx.clone()));
        }
        ctx.ready();
        while ctx.phase() != Phase::Serving {
            tokio::task::yield_now().await;
        }
        subject::report("serving", 1);
        work(ctx).await;
    });
}

async fn work(ctx: Context) {
    ctx.draining().await;
    BEGUN.fetch_min(now(), Relaxed);
}

/// Starts a subject and waits until it is ready.
fn start(name: &str) -> Result<(Subject, SocketAddr)> {
    let health = SocketAddr::from(([127, 0, 0, 1], subject::free_port()?));
    let mut subject = Subject::start(subject::itself(&[name])?.env("GRACEFUL_HEALTH", health.to_string()))?;
    subject.wait_for("serving")?;
    let begun = now();
    while client::get(health, "/readyz")?.0 != 200 {
        if now() - begun > client::PATIENCE.as_nanos() as u64 {
            return Err("never ready".into());
        }
    }
    Ok((subject, health))
}

fn idle(name: &str) -> Result {
    let (subject, health) = start(name)?;
    sleep(Duration::from_secs(1)); // one-time work at start has ended
    let (before, begun) = (subject.processor_time()?, now());
    sleep(IDLE);
    let (spent, passed) = (subject.processor_time()? - before, now() - begun);
    println!("{name}: {:.3} ms of processor time in a second", spent as f64 / passed as f64 * 1e3);
    for path in ["/livez", "/readyz?verbose"] {
        println!("{}", probe(health, path)?.line(&format!("{name}, {path}"), "ms"));
    }
    let done = AtomicBool::new(false);
    let beside = thread::scope(|scope| {
        let other = scope.spawn(|| -> Result {
            while !done.load(Relaxed) {
                client::get(health, "/readyz?verbose")?;
            }
            Ok(())
        });
        let beside = probe(health, "/livez");
        done.store(true, Relaxed);
        other.join().expect("the other client does not panic")?;
        beside
    })?;
    println!("{}", beside.line(&format!("{name}, /livez beside /readyz?verbose"), "ms"));
    numbers::at_most(&format!("{name}, /livez beside /readyz?verbose at p99, ms"), beside.percentile(0.99), 10.0);
    Ok(())
}

/// The latencies of this probe, a new connection each.
fn probe(health: SocketAddr, path: &str) -> Result<Samples> {
    let mut times = Samples::default();
    for _ in 0..PROBES {
        let asked = now();
        if client::get(health, path)?.0 != 200 {
            return Err(format!("{path} does not respond 200").into());
        }
        times.add((now() - asked) as f64 / 1e6);
    }
    Ok(times)
}

fn shut_down(name: &str, tasks: bool) -> Result {
    let [mut refused, mut drained, mut spent] = <[Samples; 3]>::default();
    for _ in 0..ROUNDS {
        let (mut subject, health) = start(name)?;
        let before = subject.processor_time()?;
        let sent = subject.terminate()?;
        while client::get(health, "/readyz")?.0 != 503 {}
        refused.add((now() - sent) as f64 / 1e6);
        let begun = subject.wait_for("begun")?;
        drained.add((subject.wait_for("drained")? - begun) as f64 / 1e6);
        spent.add((subject.wait_for("spent")? - before) as f64 / 1e6);
        let (status, _) = subject.wait()?;
        if !status.success() {
            return Err(format!("the process ended with {status}").into());
        }
    }
    println!("{}", refused.line(&format!("{name}, SIGTERM to the first 503"), "ms"));
    numbers::at_most(&format!("{name}, SIGTERM to 503 at p99, ms"), refused.percentile(0.99), 5.0);
    if tasks {
        println!("{}", drained.line(&format!("{name}, drain of {TASKS} tasks"), "ms"));
        println!("{}", spent.line(&format!("{name}, processor time from SIGTERM to drained"), "ms"));
    }
    Ok(())
}
