//! A hook and a check of a crate that the app names in its attribute only.

use graceful::State;
use tokio::sync::mpsc::UnboundedSender;

#[graceful::shutdown_hook(order = 3, timeout = "1s")]
async fn third_hook() {
    println!("ran third_hook");
}

#[graceful::health_check]
async fn third_check(ran: State<UnboundedSender<&'static str>>) -> bool {
    ran.send("third_check").is_ok()
}
