//! Answers to probes that panic, take too long or block, as `ANSWER` says; good ones otherwise.

use graceful_tests::stage::{self, directed};
use hyper::{Response, StatusCode};
use std::{thread, time::Duration};

#[graceful::main(grace = "200ms", worker_threads = 2)]
async fn main(ctx: graceful::Context) {
    stage::direct(&ctx, 2);
    let answer = directed("ANSWER");
    ctx.answer_probes_with(move |probe| {
        match answer.as_str() {
            "panics" => panic!("no words"),
            "is slow" => thread::sleep(Duration::from_secs(2)),
            _ => {}
        }
        let mut response = Response::new(format!("own words: {}\n", probe.word));
        *response.status_mut() = if probe.healthy { StatusCode::ACCEPTED } else { StatusCode::GONE };
        response
    });
    ctx.ready();
    ctx.draining().await;
}
