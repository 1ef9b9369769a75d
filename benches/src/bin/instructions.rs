//! Instructions per keep-alive request: `graceful::serve` against a bare hyper loop, counted by callgrind.
//!
//! Each server runs under `valgrind --tool=callgrind` on a current-thread runtime. The client is this process.

use graceful_benches::{Result, callgrind, client, numbers, server, server::Kind};

fn main() -> Result {
    if server::run_if_requested(|| 0)? {
        return Ok(());
    }
    let count = |kind: Kind| {
        callgrind::per_request(&["serve", kind.name(), "current"], |address, times| {
            client::send(address, client::REQUEST, times)
        })
    };
    let (ours, bare) = (count(Kind::Graceful)?, count(Kind::Bare)?);
    let (timeout, watched) = (count(Kind::BareTimeout)?, count(Kind::HyperUtil)?);
    println!(
        "instructions of a request: graceful {ours:.0}, bare {bare:.0}, bare with a header timeout {timeout:.0}, hyper-util's watch {watched:.0}"
    );
    numbers::at_most("instructions, graceful / bare", ours / bare, 1.03);
    println!("       instructions, graceful / bare with a header timeout: {:.4}", ours / timeout);
    println!("       instructions, hyper-util's watch / bare: {:.4}", watched / bare);
    Ok(())
}
