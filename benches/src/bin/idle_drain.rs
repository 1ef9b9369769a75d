//! Drain time with 10,000 idle keep-alive connections: `graceful::serve` against hyper-util's `GracefulShutdown`,
//! alternating.
//!
//! Measured from just before `kill` to the end of the last connection in the server. The clients are idle sockets, and
//! each must receive a FIN and no reset.

use graceful_benches::{Result, client, numbers, numbers::Samples, server, server::Kind};
use std::io::Read;

const CONNECTIONS: usize = 10_000;
const ROUNDS: usize = 21;
const KINDS: [Kind; 2] = [Kind::Graceful, Kind::HyperUtil];

fn main() -> Result {
    if server::run_if_requested(|| 0)? {
        return Ok(());
    }
    for flavor in ["multi", "current"] {
        let mut times = [Samples::default(), Samples::default()];
        let mut spent = times.clone();
        for round in 0..ROUNDS {
            for turn in 0..KINDS.len() {
                let at = (turn + round) % KINDS.len();
                let (time, processor) = drain(KINDS[at], flavor)?;
                times[at].add(time);
                spent[at].add(processor);
            }
        }
        for (at, kind) in KINDS.iter().enumerate() {
            println!("{}", times[at].line(&format!("drain, {flavor}, {}", kind.name()), "ms"));
            println!("{}", spent[at].line(&format!("its processor time, {flavor}, {}", kind.name()), "ms"));
        }
        let ratio = times[0].ratios(&times[1]).median();
        numbers::at_most(&format!("drain time, graceful / hyper-util, {flavor}"), ratio, 1.0);
        let ratio = spent[0].ratios(&spent[1]).median();
        numbers::at_most(&format!("processor time of the drain, graceful / hyper-util, {flavor}"), ratio, 1.0);
    }
    Ok(())
}

/// Returns the drain's wall-clock time and processor time in milliseconds.
fn drain(kind: Kind, flavor: &str) -> Result<(f64, f64)> {
    let (mut subject, address) = server::start(kind, flavor)?;
    let streams = client::idle(address, CONNECTIONS, client::REQUEST)?;
    let before = subject.processor_time()?;
    let sent = subject.terminate()?;
    let (drained, spent) = (subject.wait_for("drained")?, subject.wait_for("spent")?);
    for mut stream in streams {
        if stream.read(&mut [0])? != 0 {
            return Err("an idle connection received bytes".into());
        }
    }
    subject.wait()?;
    Ok(((drained - sent) as f64 / 1e6, (spent - before) as f64 / 1e6))
}
