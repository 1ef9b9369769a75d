//! Prints a word a second.

use std::time::Duration;

// Everything happens in here.
#[graceful::main]
async fn main() {
    // A comment that stays.
    for word in ["one", "two"] {
        println!("{word}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
