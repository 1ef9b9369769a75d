//! Requests per second, and processor time per request: `graceful::serve` against a bare hyper loop.
//!
//! All servers run at the same time with one thread each, and one other thread loads them in turns. The result is the
//! median of the ratios within each round.

use graceful_benches::{Result, client, load::Load, numbers, numbers::Samples, server, server::Kind, subject::Subject};
use std::time::Duration;

const KINDS: [Kind; 3] = [Kind::Graceful, Kind::Bare, Kind::BareTimeout];
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 31;
const TURN: Duration = Duration::from_millis(400);

fn main() -> Result {
    if server::run_if_requested(|| 0)? {
        return Ok(());
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(harness())
}

struct Lane {
    subject: Subject,
    load: Load,
    throughput: Samples,
    processor: Samples,
}

async fn harness() -> Result {
    let mut lanes = Vec::new();
    for kind in KINDS {
        let (subject, address) = server::start(kind, "current")?;
        let mut load = Load::open(address, CONNECTIONS, client::REQUEST).await?;
        load.run(TURN).await?; // warm-up
        lanes.push(Lane { subject, load, throughput: Samples::default(), processor: Samples::default() });
    }
    for round in 0..ROUNDS {
        for turn in 0..lanes.len() {
            // The order changes each round, so that no server is always first or always follows the same one.
            let at = if round % 2 == 0 { turn } else { lanes.len() - 1 - turn };
            let lane = &mut lanes[(at + round / 2) % KINDS.len()];
            let before = lane.subject.processor_time()?;
            let (responses, throughput) = lane.load.run(TURN).await?;
            lane.throughput.add(throughput);
            let spent = lane.subject.processor_time()? - before;
            lane.processor.add(spent as f64 / responses as f64 / 1000.0);
        }
    }
    let [ours, bare, timeout] = &lanes[..] else { unreachable!("three kinds") };
    for (lane, kind) in lanes.iter().zip(KINDS) {
        println!("{}", lane.throughput.line(&format!("{}, requests in a second", kind.name()), ""));
        println!("{}", lane.processor.line(&format!("{}, processor time of a request", kind.name()), "us"));
    }
    let ratio = |of: &Lane| ours.throughput.ratios(&of.throughput).median();
    let processor = |of: &Lane| ours.processor.ratios(&of.processor).median();
    numbers::at_least("throughput, graceful / bare", ratio(bare), 0.98);
    println!("       throughput, graceful / bare with a header timeout: {:.4}", ratio(timeout));
    println!("       processor time, graceful / bare: {:.4}", processor(bare));
    println!("       processor time, graceful / bare with a header timeout: {:.4}", processor(timeout));
    Ok(())
}
