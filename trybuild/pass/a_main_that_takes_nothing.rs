#![deny(warnings, missing_docs)]
//! The smallest main, with the health server off so that the case needs no port.

#[graceful::main(health = "off")]
async fn main() {}
