#![deny(warnings, unused_qualifications)]
#![allow(non_camel_case_types, dead_code, unused_macros)]

mod core {}
mod std {}
mod tokio {}
mod linkme {}
struct Option;
struct Result;
struct Some;
struct None;
struct Ok;
struct Err;
struct Box;
struct Duration;
struct Plan;
struct Context;
struct HookContext;
struct context;
struct argument_0;
struct HOOK;
struct run;
trait Future {}
macro_rules! env {
    () => {};
}
macro_rules! line {
    () => {};
}

#[graceful::main(grace = "1s", health = "off", worker_threads = 1)]
async fn main(ctx: graceful::Context) {
    let _ = ctx;
}

#[graceful::shutdown_hook(order = 1, timeout = "1s")]
async fn flush(cx: graceful::HookContext) -> ::core::result::Result<(), ::std::string::String> {
    let _ = cx;
    ::core::result::Result::Ok(())
}

#[graceful::shutdown_hook(order = 1)]
fn close() {}
