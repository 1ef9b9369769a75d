//! Runs a scenario: the server's host, the clients' hosts, and what happens to their network.

use crate::{
    client, handler,
    network::VirtualListener,
    record::{Record, Shared},
    scenario::{Scenario, StopKind},
};
use fastrand::Rng;
use graceful::{Builder, Context, Health, Plan, Signal, Triggers};
use hyper::service::service_fn;
use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::sleep;
use turmoil::{Protocol, Segment, Sim};

/// How long connections are observed once the process has exited, unless they end earlier.
const AFTERMATH: Duration = Duration::from_secs(8);
/// How many messages a socket holds. More than a response has: turmoil never delivers a FIN that arrives at a full socket.
const MESSAGES: usize = 4096;
/// How much longer than its plan a lifecycle runs before the run gives up.
const OVERTIME: Duration = Duration::from_secs(2);

/// Runs the scenario, and returns what happened.
///
/// # Errors
/// The lifecycle does not end, or a host fails.
pub fn run(scenario: &Scenario, record: &Shared) -> Result<(), String> {
    let mut builder = turmoil::Builder::new();
    builder
        .tick_duration(scenario.tick)
        .min_message_latency(*scenario.latency.start())
        .max_message_latency(*scenario.latency.end())
        .simulation_duration(Duration::from_secs(3600))
        .epoch(std::time::UNIX_EPOCH)
        .rng_seed(scenario.seed)
        .tcp_capacity(MESSAGES)
        .enable_random_order();
    let mut sim = builder.build();
    let shared = Arc::new(scenario.clone());
    sim.host("server", {
        let record = record.clone();
        move || serve(shared.clone(), record.clone())
    });
    for (number, host) in scenario.hosts.iter().enumerate() {
        let (clients, record) = (host.clients.clone(), record.clone());
        sim.client(host_name(number), async move {
            let clients = clients.into_iter().map(|client| client::run(client, number, record.clone()));
            let mut clients: Vec<_> = clients.map(tokio::task::spawn_local).collect();
            for client in &mut clients {
                client.await??;
            }
            Ok(())
        });
    }
    let limit = scenario.start + scenario.stop.at + scenario.grace + scenario.drain + OVERTIME;
    let mut knows_arrivals = false;
    let mut exited: Option<Duration> = None;
    loop {
        trouble(scenario, &sim, exited.is_some());
        sim.step().map_err(|error| error.to_string())?;
        if !knows_arrivals && record.lock().listener_closed.is_some() {
            knows_arrivals = true;
            note_arrivals(&sim, &mut record.lock());
        }
        match exited {
            None if record.lock().report.is_some() => {
                sim.crash("server"); // the process exits: the system closes its sockets
                exited = Some(sim.elapsed());
            }
            None if sim.elapsed() > limit => return Err(format!("the lifecycle has not ended after {limit:?}")),
            Some(at) if have_ended(scenario, &record.lock()) || sim.elapsed() > at + AFTERMATH => {
                return Ok(());
            }
            _ => {}
        }
    }
}

/// Whether each client has seen the end of its connection, unless its network loses messages.
fn have_ended(scenario: &Scenario, record: &Record) -> bool {
    record.connections.values().all(|connection| connection.ended.is_some() || scenario.hosts[connection.host].loses())
}

fn host_name(number: usize) -> String {
    format!("client-{number}")
}

/// Begins and ends the trouble of the hosts' networks that begins or ends with the next step.
fn trouble(scenario: &Scenario, sim: &Sim<'_>, has_exited: bool) {
    let now = sim.elapsed();
    let is_now = |at: Duration| at <= now && now < at + scenario.tick;
    for (number, host) in scenario.hosts.iter().enumerate() {
        let Some(trouble) = host.trouble else { continue };
        let name = host_name(number);
        match trouble.loses {
            true if is_now(trouble.at) => sim.partition(name, "server"),
            true if is_now(trouble.at + trouble.length) => sim.repair(name, "server"),
            false if is_now(trouble.at) && !has_exited => sim.hold(name, "server"),
            false if is_now(trouble.at + trouble.length) => sim.release(name, "server"),
            _ => {}
        }
    }
}

/// Notes how many bytes of each connection had arrived in order: those of the messages before the first one that is
/// on the network still.
fn note_arrivals(sim: &Sim<'_>, record: &mut Record) {
    let mut first: BTreeMap<SocketAddr, u64> = BTreeMap::new();
    sim.links(|links| {
        for message in links.flatten() {
            if let Protocol::Tcp(Segment::Data(number, _)) = message.protocol() {
                let first = first.entry(message.pair().0).or_insert(u64::MAX);
                *first = (*first).min(*number);
            }
        }
    });
    for (client, connection) in &mut record.connections {
        let messages = first.get(client).map_or(connection.written.len(), |first| (*first as usize).saturating_sub(1));
        connection.arrived = connection.written[..messages.min(connection.written.len())].last().copied().unwrap_or(0);
    }
}

/// The plan of a scenario: the hooks have a second.
fn plan(scenario: &Scenario) -> Plan {
    Plan {
        grace: scenario.grace,
        drain: scenario.drain,
        termination_grace_period: scenario.grace + scenario.drain + Duration::from_secs(2),
        margin: Duration::from_secs(1),
        health: Health::Off,
        ..Plan::DEFAULT
    }
}

async fn serve(scenario: Arc<Scenario>, record: Shared) -> turmoil::Result {
    let builder = Builder::for_tests().plan(plan(&scenario));
    let triggers = builder.triggers();
    record.lock().began = crate::record::now();
    let report = builder.run_here(|context| process(context, triggers, scenario, record.clone())).await?;
    record.trace(|| format!("server: {report}"));
    record.lock().report = Some(report);
    Ok(())
}

/// The process: begins its own shutdown at the scenario's time, and serves.
async fn process(context: Context, triggers: Triggers, scenario: Arc<Scenario>, record: Shared) -> std::io::Result<()> {
    context.on_shutdown(1, "hook", || sleep(Duration::from_millis(3)));
    tokio::spawn(stop(context.clone(), triggers, scenario.clone()));
    let listener =
        VirtualListener::bind(scenario.sockets, Rng::with_seed(scenario.seed.wrapping_add(1)), record.clone()).await?;
    sleep(scenario.start).await;
    let handling: Arc<[_]> = scenario.handling.clone().into();
    let service = service_fn({
        let context = context.clone();
        move |request| handler::handle(request, handling.clone(), context.clone(), record.clone())
    });
    let limits = scenario.limits;
    graceful::serve(listener, service)
        .with_context(context)
        .header_timeout(limits.header)
        .body_timeout(limits.body)
        .max_connections(limits.connections.unwrap_or(usize::MAX))
        .http1(|http1| {
            http1.half_close(limits.half_close);
        })
        .await
}

async fn stop(context: Context, triggers: Triggers, scenario: Arc<Scenario>) {
    sleep(scenario.stop.at).await;
    match scenario.stop.kind {
        StopKind::Terminate => triggers.signal(Signal::Terminate),
        StopKind::Interrupt => triggers.signal(Signal::Interrupt),
        StopKind::Requested => context.shutdown("the scenario asks for it"),
    }
    if let Some(after) = scenario.stop.skip_after {
        sleep(after).await;
        triggers.signal(Signal::Interrupt);
    }
}
