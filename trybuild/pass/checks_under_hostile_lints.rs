#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, unused_qualifications, unused_lifetimes)]
#![deny(let_underscore, keyword_idents, unit_bindings, unused_results, single_use_lifetimes, trivial_casts)]
#![deny(missing_debug_implementations, non_ascii_idents, redundant_imports, meta_variable_misuse)]
#![allow(non_camel_case_types, dead_code, unused_macros)]
//! Checks and the optional keys of main, among names that shadow those of the prelude and of the expansion.

mod core {}
mod std {}
mod graceful {}
mod linkme {}
struct Check;
struct Context;
struct CheckReturn;
struct FromCheckContext;
struct HookRun;
struct On;
struct Duration;
struct Option;
struct Some;
struct Ok;
struct Result;
struct context;
struct check;
macro_rules! assert {
    () => {};
}
macro_rules! matches {
    () => {};
}

const SECOND: ::core::time::Duration = ::core::time::Duration::from_secs(1);

#[::graceful::main(health = "off", quiet = SECOND, grace_limit = "9s", liveness_heartbeat = SECOND, init = false)]
async fn main(ctx: ::graceful::Context) {
    ctx.provide(7_u8);
}

/// Docs.
#[::graceful::health_check(name = "number", period = SECOND, timeout = SECOND)]
pub(crate) async fn number(number: ::graceful::State<u8>, ctx: ::graceful::Context) -> bool {
    ::core::mem::drop(ctx);
    *number == 7
}

#[::graceful::health_check(on = "liveness", failures = 1)]
fn disk() -> ::core::result::Result<(), ::std::string::String> {
    ::core::result::Result::Ok(())
}
