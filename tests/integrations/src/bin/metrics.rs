//! Prints every update of a metric.

use graceful::{Context, State};
use graceful_tests::stage::{self, print_line};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use std::{error::Error, sync::Arc};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

struct Printer;

/// A metric that prints its updates.
struct Printed(String);

fn printed(key: &Key) -> Arc<Printed> {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    Arc::new(Printed(format!("{}{{{}}}", key.name(), labels.join(","))))
}

impl CounterFn for Printed {
    fn increment(&self, value: u64) {
        print_line(format!("counter {} +{value}", self.0));
    }

    fn absolute(&self, value: u64) {
        print_line(format!("counter {} ={value}", self.0));
    }
}

impl GaugeFn for Printed {
    fn increment(&self, value: f64) {
        print_line(format!("gauge {} +{value}", self.0));
    }

    fn decrement(&self, value: f64) {
        print_line(format!("gauge {} -{value}", self.0));
    }

    fn set(&self, value: f64) {
        print_line(format!("gauge {} ={value}", self.0));
    }
}

impl HistogramFn for Printed {
    fn record(&self, value: f64) {
        print_line(format!("histogram {} {}", self.0, if value < 60.0 { "seconds" } else { "too long" }));
    }
}

impl Recorder for Printer {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(printed(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(printed(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(printed(key))
    }
}

#[graceful::health_check(name = "db", period = "60ms", timeout = "50ms", failures = 1)]
async fn db(_: State<Installed>) {}

#[graceful::health_check(name = "cache", period = "60ms", timeout = "50ms", failures = 1, on = "liveness")]
async fn cache(_: State<Installed>) -> Result<(), &'static str> {
    Err("cold")
}

/// Provided once the recorder is installed; earlier updates are lost.
struct Installed;

#[graceful::shutdown_hook(order = 1)]
async fn flush() {}

#[graceful::shutdown_hook(order = 2)]
async fn close() -> Result<(), &'static str> {
    Err("no pool")
}

/// Holds the connection until the client or the drain ends it.
async fn hold(mut stream: TcpStream, ctx: Context) {
    tokio::select! {
        () = ctx.draining() => {}
        _ = stream.read_u8() => {}
    }
}

#[graceful::main(grace = "200ms", drain = "500ms")]
async fn main(ctx: Context) -> Result<(), Box<dyn Error>> {
    metrics::set_global_recorder(Printer)?;
    ctx.provide(Installed);
    let gate = stage::read_commands(&ctx, 1);
    ctx.spawn("uploader", std::future::pending::<()>());
    ctx.spawn("indexer", async move { gate.passed().await });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    print_line(format!("serving on {}", listener.local_addr()?));
    graceful::tcp::serve(listener, hold).await?;
    if stage::env_var("MAIN") == "stay" {
        std::future::pending().await
    }
    Ok(())
}
