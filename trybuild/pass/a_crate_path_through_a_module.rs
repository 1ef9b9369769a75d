#![deny(warnings)]

mod framework {
    pub use ::graceful as shutdown;
}

#[framework::shutdown::main(crate = crate::framework::shutdown, health = "off")]
async fn main(_: framework::shutdown::Context) {}

#[framework::shutdown::shutdown_hook(order = 1, crate = crate::framework::shutdown)]
async fn flush(_: framework::shutdown::HookContext) {}

#[framework::shutdown::health_check(crate = crate::framework::shutdown)]
async fn db(_: framework::shutdown::Context) {}
