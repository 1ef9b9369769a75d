//! Counts instructions with callgrind.

use crate::{
    Result,
    subject::{self, Subject},
};
use std::{env, net::SocketAddr, process::Command};

const REQUESTS: usize = 2_000;

/// The instructions per request of this executable with these arguments, under `valgrind --tool=callgrind`.
///
/// `send` sends the given number of requests on one connection and closes it. A run with N requests and one with 3 N
/// differ by 2 N requests only, so start and end cancel out.
///
/// # Errors
/// valgrind, the server or the client fails.
pub fn per_request(arguments: &[&str], send: impl Fn(SocketAddr, usize) -> Result) -> Result<f64> {
    let more = count(arguments, 3 * REQUESTS, &send)?;
    Ok((more - count(arguments, REQUESTS, &send)?) / (2 * REQUESTS) as f64)
}

fn count(arguments: &[&str], requests: usize, send: &impl Fn(SocketAddr, usize) -> Result) -> Result<f64> {
    let name = format!("callgrind.{}.{}.{requests}", std::process::id(), arguments.join("."));
    let file = env::temp_dir().join(name);
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "-q"]).arg(format!("--callgrind-out-file={}", file.display()));
    let itself = subject::itself(arguments)?;
    valgrind.arg(itself.get_program()).args(itself.get_args());
    let mut server = Subject::start(&mut valgrind)?;
    send(server.address()?, requests)?;
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
