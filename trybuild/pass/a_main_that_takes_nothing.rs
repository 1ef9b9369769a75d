#![deny(warnings, missing_docs)]
//! The smallest main, without a health server, because the case must not bind a port.

#[graceful::main(health = "off")]
async fn main() {}
