//! Instructions for one keep-alive request: `graceful::serve` against a bare hyper loop, counted by callgrind.
//!
//! Each server runs under `valgrind --tool=callgrind` on a current-thread runtime; the client is this process. A run
//! with N requests and one with 3 N differ by 2 N requests and nothing else, so start and end cancel out.

use graceful_benches::{Result, client, numbers, server::Kind, subject, subject::Subject};
use std::{env, path::PathBuf, process::Command};

const REQUESTS: usize = 2_000;

fn main() -> Result {
    if subject::is_server(|| 0)? {
        return Ok(());
    }
    let [ours, bare, timeout, watched] = [Kind::Graceful, Kind::Bare, Kind::BareTimeout, Kind::HyperUtil].map(|kind| {
        let counted = count(kind, 3 * REQUESTS).and_then(|more| Ok((more - count(kind, REQUESTS)?) / 2.0));
        counted.map(|counted| counted / REQUESTS as f64)
    });
    let (ours, bare, timeout, watched) = (ours?, bare?, timeout?, watched?);
    println!(
        "instructions of a request: graceful {ours:.0}, bare {bare:.0}, bare with a header timeout {timeout:.0}, hyper-util's watch {watched:.0}"
    );
    numbers::at_most("instructions, graceful / bare", ours / bare, 1.01);
    println!("       instructions, graceful / bare with a header timeout: {:.4}", ours / timeout);
    println!("       instructions, hyper-util's watch / bare: {:.4}", watched / bare);
    Ok(())
}

/// The instructions of a server that answers this many requests on one connection.
fn count(kind: Kind, requests: usize) -> Result<f64> {
    let file: PathBuf = env::temp_dir().join(format!("callgrind.{}.{}.{requests}", std::process::id(), kind.name()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "-q"]).arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(env::current_exe()?).args(["serve", kind.name(), "current"]);
    let mut server = Subject::start(&mut valgrind)?;
    let mut stream = client::connect(server.address()?)?;
    for _ in 0..requests {
        client::exchange(&mut stream, client::REQUEST)?;
    }
    drop(stream);
    server.terminate()?;
    server.wait()?;
    let text = std::fs::read_to_string(&file)?;
    if env::var_os("KEEP").is_some() {
        println!("callgrind_annotate {}", file.display());
    } else {
        std::fs::remove_file(&file)?;
    }
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    Ok(total.ok_or("callgrind wrote no total")?.trim().parse()?)
}
