//! Requests in a second, and processor time for each: `graceful::serve` against a bare hyper loop.
//!
//! All servers live at the same time, each on one thread, and are loaded in turns from one other thread. What
//! counts is the median over the rounds of the ratio within a round.

use graceful_benches::{Result, load::Load, numbers, numbers::Samples, server::Kind, subject, subject::Subject};
use std::time::Duration;

const KINDS: [Kind; 3] = [Kind::Graceful, Kind::Bare, Kind::BareTimeout];
const CONNECTIONS: usize = 64;
const ROUNDS: usize = 31;
const TURN: Duration = Duration::from_millis(400);

fn main() -> Result {
    if subject::is_server(|| 0)? {
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
        let (subject, address) = Subject::server(kind, "current")?;
        let mut load = Load::open(address, CONNECTIONS).await?;
        load.run(TURN).await?; // warm
        lanes.push(Lane { subject, load, throughput: Samples::default(), processor: Samples::default() });
    }
    for round in 0..ROUNDS {
        for turn in 0..lanes.len() {
            // Nobody is always first, or always after the same one.
            let at = if round % 2 == 0 { turn } else { lanes.len() - 1 - turn };
            let lane = &mut lanes[(at + round / 2) % KINDS.len()];
            let before = lane.subject.processor_time()?;
            let (answers, throughput) = lane.load.run(TURN).await?;
            lane.throughput.add(throughput);
            let spent = lane.subject.processor_time()? - before;
            lane.processor.add(spent as f64 / answers as f64 / 1000.0);
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
