//! The library of a package that has programs, too: with a hook in a module and a check.

use graceful::State;
use tokio::sync::mpsc::UnboundedSender;

mod private {
    #[graceful::shutdown_hook(order = 2, timeout = "1s")]
    async fn library_hook() {
        println!("ran library_hook");
    }
}

#[graceful::health_check]
async fn library_check(ran: State<UnboundedSender<&'static str>>) -> bool {
    ran.send("library_check").is_ok()
}
