//! The second crate is named by a `use`.

use second as _;

#[graceful::main]
async fn main() {}
