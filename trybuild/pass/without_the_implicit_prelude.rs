#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, unused_qualifications, unused_lifetimes)]
//! Expansions use no name from the prelude.

#[::graceful::main(grace = "1s", health = "off", max_blocking_threads = 4)]
async fn main(ctx: ::graceful::Context) -> ::std::result::Result<::std::process::ExitCode, ::std::fmt::Error> {
    ctx.provide(7_u8);
    ::std::result::Result::Ok(::std::process::ExitCode::SUCCESS)
}

#[::graceful::shutdown_hook(order = 1, timeout = "1s")]
async fn flush(number: ::graceful::State<u8>, context: ::graceful::HookContext) {
    let _ = (*number, context);
}

#[::graceful::shutdown_hook(order = 2)]
fn close() -> ::std::result::Result<(), ::std::fmt::Error> {
    ::std::result::Result::Ok(())
}
