#![deny(warnings, missing_docs)]
#![forbid(unsafe_code)]
//! The example of the README.

/// Docs of main.
#[graceful::main(grace = "5s", health = "off")]
async fn main(ctx: graceful::Context) -> Result<(), Box<dyn std::error::Error>> {
    ctx.ready();
    Ok(())
}
