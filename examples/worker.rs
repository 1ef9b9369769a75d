//! A queue worker without a server: it takes jobs until the drain begins, and finishes the one that it has.

use std::time::Duration;
use tokio::sync::mpsc;

async fn handle(job: u64) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    println!("job {job} is done");
}

#[graceful::main(grace = "0s", drain = "20s")]
async fn main(ctx: graceful::Context) {
    let (queue, mut jobs) = mpsc::channel(8);
    tokio::spawn(async move {
        for job in 0.. {
            if queue.send(job).await.is_err() {
                return;
            }
        }
    });

    // Waited for by the drain, and named in the report should it not end in time.
    let draining = ctx.draining();
    let worker = ctx.spawn("worker", async move {
        tokio::pin!(draining);
        loop {
            tokio::select! {
                biased;
                () = &mut draining => break,
                Some(job) = jobs.recv() => handle(job).await,
            }
        }
        println!("{} jobs stay in the queue for the next worker", jobs.len());
    });
    ctx.ready();
    let _ = worker.await;
}
