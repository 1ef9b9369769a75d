//! Hooks with every signature, among names that shadow those of the prelude and of the expansion.

#[allow(dead_code)]
mod shadows {
    pub(super) struct Option;
    pub(super) struct Result;
    pub(super) struct String;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct Box;
    pub(super) struct Duration;
    pub(super) struct Hook;
    pub(super) struct HookRun;
    pub(super) struct HookContext;
    pub(super) struct FromHookContext;
    pub(super) struct HookReturn;
}
#[allow(unused_imports)]
use shadows::*;

/// A state of hooks.
pub(crate) struct Pool(pub(crate) u8);

#[::shutdown::shutdown_hook(crate = ::shutdown, order = -1)]
fn sync() {
    ::std::println!("hostile sync");
}

#[::shutdown::shutdown_hook(crate = ::shutdown, order = 1, timeout = "1s")]
async fn asynchronous() {
    ::core::future::ready(()).await;
    ::std::println!("hostile asynchronous");
}

#[::shutdown::shutdown_hook(crate = ::shutdown, order = 2, timeout = "1s", name = "with everything")]
async fn with_everything(
    pool: ::shutdown::State<Pool>,
    context: ::shutdown::HookContext,
) -> ::core::result::Result<(), ::std::string::String> {
    ::std::println!("hostile pool of {} after {}", pool.0, context.cause());
    ::core::future::ready(::core::result::Result::Ok(())).await
}

#[::shutdown::shutdown_hook(crate = ::shutdown, order = 3)]
fn fallible() -> ::core::result::Result<(), ::std::num::ParseIntError> {
    let number: u8 = ::core::primitive::str::parse("7")?;
    ::std::println!("hostile fallible {number}");
    ::core::result::Result::Ok(())
}
