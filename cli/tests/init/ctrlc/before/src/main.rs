use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static STOP: AtomicBool = AtomicBool::new(false);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    ctrlc::set_handler(|| STOP.store(true, Relaxed)).unwrap();
    signal_hook::flag::register(15, Default::default()).unwrap();
    while !STOP.load(Relaxed) {
        tokio::task::yield_now().await;
    }
}
