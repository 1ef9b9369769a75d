//! A queue worker without a server. It takes jobs until the drain begins and finishes the current job.

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

    // The drain waits for the task, and the report names the task if it is cut.
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
        println!("{} jobs remain in the queue for the next worker", jobs.len());
    });
    ctx.ready();
    let _ = worker.await;
}
