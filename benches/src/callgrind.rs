//! Counts instructions with callgrind.

use crate::{
    Result, client,
    program::{self, Program},
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
    let count = |requests| {
        let send = |server: &mut Subject| send(server.address()?, requests);
        count(&subject::itself(arguments)?, &arguments.join("."), send)
    };
    difference(count)
}

/// The same of a program of `benches/peers`.
///
/// # Errors
/// valgrind, the server or the client fails.
pub fn per_request_of(program: &Program) -> Result<f64> {
    difference(|requests| {
        let [address, health] = [program::free_address()?, program::free_address()?];
        count(&program.command(&[], address, health)?, program.name, |_| {
            program::wait_until_it_accepts(address)?;
            client::send(address, client::NOW, requests)
        })
    })
}

fn difference(count: impl Fn(usize) -> Result<f64>) -> Result<f64> {
    Ok((count(3 * REQUESTS)? - count(REQUESTS)?) / (2 * REQUESTS) as f64)
}

fn count(command: &Command, name: &str, send: impl FnOnce(&mut Subject) -> Result) -> Result<f64> {
    let file = env::temp_dir().join(format!("callgrind.{}.{name}", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "-q"]).arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(command.get_program()).args(command.get_args());
    valgrind.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut server = Subject::start(&mut valgrind)?;
    send(&mut server)?;
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
