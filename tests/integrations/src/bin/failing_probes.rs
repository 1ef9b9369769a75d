//! Custom probe responses that panic, are slow or block, as the environment variable `FAILURE` selects.

use graceful_tests::stage::{self, env_var};
use hyper::{Response, StatusCode};
use std::{thread, time::Duration};

#[graceful::main(grace = "200ms", worker_threads = 2)]
async fn main(ctx: graceful::Context) {
    stage::read_commands(&ctx, 2);
    let failure = env_var("FAILURE");
    ctx.answer_probes_with(move |probe| {
        match failure.as_str() {
            "panics" => panic!("no response"),
            "is slow" => thread::sleep(Duration::from_secs(2)),
            _ => {}
        }
        let mut response = Response::new(format!("custom: {}\n", probe.word));
        *response.status_mut() = if probe.healthy { StatusCode::ACCEPTED } else { StatusCode::GONE };
        response
    });
    ctx.ready();
    ctx.draining().await;
}
