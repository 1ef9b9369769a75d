//! Names the second crate by a `use`.

use second as _;

#[graceful::main]
async fn main() {}
