//! Whole shutdowns of `graceful`, with virtual clients, network and time.
//!
//! A seed decides everything: [`scenario`]. [`run()`](run::run) runs it on turmoil's virtual network and clock, where a
//! shutdown of seconds takes milliseconds, and [`invariants`] checks what happened. The server is the real one: the
//! library's lifecycle and `graceful::serve`, whose sockets alone are virtual.

pub mod scenario;
pub mod record;
pub mod network;
pub mod handler;
pub mod response;
mod http2;
pub mod client;
pub mod run;
pub mod tally;
mod facts;
pub mod invariants;
pub mod silence;

use record::Shared;
use scenario::Scenario;
use tally::Tally;

/// Runs a seed and checks it.
///
/// # Errors
/// Every invariant that does not hold.
pub fn check(seed: u64, record: &Shared) -> Result<Tally, Vec<String>> {
    let scenario = Scenario::of(seed);
    run::run(&scenario, record).map_err(|error| vec![error])?;
    invariants::check(&scenario, &record.lock())
}
