//! The oracle suite: whatever a client sends to `graceful::serve`, in whatever pieces and phases, is executed and
//! responded to as bare hyper does it, but for `Connection: close`.
//!
//! A script runs against both servers (`run.rs`), and the two runs are compared (`compare.rs`). `matrix.rs` has the
//! cross product of requests, handlers, phases and transports, `smuggling.rs` one test for each form of abuse, and
//! `generated.rs` random scripts: `GRACEFUL_ORACLE_CASES=100000 cargo test --release -p graceful-tests --test oracle
//! generated`.
#![allow(clippy::unwrap_used)]

mod compare;
mod differences;
mod handler;
mod heads;
mod recording;
mod run;
mod script;
mod settings;
mod transport;

use compare::{Case, check_all};
use script::Script;
use transport::Transport;

#[test]
fn it_works() {
    let script = Script::new()
        .request("GET /len HTTP/1.1\r\nhost: x\r\n\r\n")
        .request("GET /late/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        .release()
        .release()
        .request("GET /len/last HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut cases = Vec::new();
    for transport in [Transport::Memory, Transport::Tcp, Transport::Unix, Transport::Tls] {
        cases.push(Case::new("serving", script.clone()).over(transport));
        for moment in [script::Moment::Grace(20), script::Moment::Grace(60), script::Moment::Drain] {
            for at in 0..=script.steps.len() {
                let name = format!("{transport:?} {moment:?} {at}");
                cases.push(Case::new(name, script.with_moment_at(at, moment)).over(transport));
            }
        }
    }
    check_all(cases);
}
