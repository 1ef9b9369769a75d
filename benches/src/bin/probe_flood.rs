//! `/livez` while HTTP/2 clients flood the health port with frames.

use graceful::{Builder, Health, Phase, Plan};
use graceful_benches::{Result, client, now, numbers, numbers::Samples, subject, subject::Subject};
use std::{
    env,
    io::{Read, Write},
    net::{Shutdown, SocketAddr},
    thread,
};

const FLOODERS: usize = 8;
const PROBES: usize = 500;

/// A frame without a stream: its type, flags and payload.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = &(payload.len() as u32).to_be_bytes()[1..];
    [length, &[kind, 0], &[0; 4], payload].concat()
}

fn main() -> Result {
    if env::args().len() > 1 {
        let plan = Plan { health: Health::Off, ..Plan::DEFAULT }; // GRACEFUL_HEALTH says where
        Builder::new().plan(plan).worker_threads(1).run(|ctx| async move {
            ctx.ready();
            while ctx.phase() != Phase::Serving {
                tokio::task::yield_now().await;
            }
            subject::report("serving", 1);
            ctx.draining().await;
        });
        return Ok(());
    }
    for (name, frame) in [("nothing", Vec::new()), ("PING", frame(6, &[0; 8])), ("SETTINGS", frame(4, &[]))] {
        flood(name, &frame)?;
    }
    Ok(())
}

fn flood(name: &str, frame: &[u8]) -> Result {
    let health = SocketAddr::from(([127, 0, 0, 1], subject::free_port()?));
    let mut subject = Subject::start(subject::itself(&["subject"])?.env("GRACEFUL_HEALTH", health.to_string()))?;
    subject.wait_for("serving")?;
    let mut flooders = Vec::new();
    for _ in 0..if frame.is_empty() { 0 } else { FLOODERS } {
        let mut stream = client::connect(health)?;
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")?;
        let (mut reader, mut writer, frames) = (stream.try_clone()?, stream.try_clone()?, frame.repeat(1000));
        thread::spawn(move || while reader.read(&mut [0; 65536]).is_ok_and(|read| read > 0) {});
        thread::spawn(move || while writer.write_all(&frames).is_ok() {});
        flooders.push(stream);
    }
    let mut times = Samples::default();
    for _ in 0..PROBES {
        let asked = now();
        if client::get(health, "/livez")?.0 != 200 {
            return Err("/livez does not respond 200".into());
        }
        times.add((now() - asked) as f64 / 1e6);
    }
    println!("{}", times.line(&format!("/livez, flood of {name}"), "ms"));
    numbers::at_most(&format!("/livez at p99, flood of {name}, ms"), times.percentile(0.99), 20.0);
    flooders.iter().for_each(|flooder| drop(flooder.shutdown(Shutdown::Both)));
    Ok(())
}
