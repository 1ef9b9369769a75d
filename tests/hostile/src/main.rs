//! A hostile environment for expansions: no prelude, no unsafe code, denied warnings, shadowed names, and a renamed
//! dependency.
#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, clippy::all, clippy::pedantic, unused_qualifications)]

mod hooks;

#[allow(dead_code)]
mod core {}
#[allow(dead_code)]
mod std {}
#[allow(dead_code)]
mod tokio {}
#[allow(dead_code)]
mod linkme {}
#[allow(dead_code)]
mod graceful {}

#[::shutdown::main(crate = ::shutdown, grace = "100ms", drain = "1s", worker_threads = 2)]
async fn main(ctx: ::shutdown::Context) -> ::core::result::Result<(), ::std::string::String> {
    ctx.provide(hooks::Pool(7));
    ctx.ready();
    ctx.draining().await;
    ::core::result::Result::Ok(())
}
