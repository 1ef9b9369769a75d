#![deny(warnings)]

macro_rules! service {
    ($grace:literal, $drain:expr, $health:literal, $body:block) => {
        #[graceful::main(grace = $grace, drain = $drain, health = $health)]
        async fn main(ctx: graceful::Context) {
            let _ = &ctx;
            $body
        }
    };
}

macro_rules! hook {
    ($vis:vis $name:ident, $order:expr, $argument:ty, $output:ty) => {
        #[graceful::shutdown_hook(order = $order, timeout = "1s")]
        $vis async fn $name(argument: $argument) -> $output {
            drop(argument);
            Ok(())
        }
    };
}

macro_rules! check {
    ($name:ident, $title:literal, $on:expr, $period:expr, $failures:literal) => {
        #[graceful::health_check(name = $title, on = $on, period = $period, failures = $failures)]
        fn $name() -> bool {
            true
        }
    };
}

service!("1s", std::time::Duration::from_secs(1), "off", {
    let context = 1;
    assert_eq!(context, 1);
});
hook!(flush, 1, graceful::HookContext, Result<(), String>);
hook!(pub(crate) close, -2, graceful::HookContext, std::io::Result<()>);
check!(db, "the.db", "startup", "2s", 5);
check!(disk, "disk", "liveness", std::time::Duration::from_secs(2), 1);
