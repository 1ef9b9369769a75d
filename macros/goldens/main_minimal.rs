fn main() -> ::std::process::ExitCode {
    #[allow(clippy::unused_async, clippy::needless_pass_by_value)]
    async fn main() {}
    ::graceful::__private::run(
        ::graceful::__private::Main {
            plan: __GRACEFUL_PLAN,
            signals: &[
                ::graceful::__private::Signal::Interrupt,
                ::graceful::__private::Signal::Terminate,
            ],
            runtime: ::graceful::__private::RuntimeConfig {
                flavor: ::graceful::__private::Flavor::MultiThread,
                worker_threads: ::core::option::Option::None,
                max_blocking_threads: ::core::option::Option::None,
            },
            package: ::core::env!("CARGO_PKG_NAME"),
        },
        |_| main(),
    )
}
#[doc(hidden)]
const __GRACEFUL_PLAN: ::graceful::__private::Plan = ::graceful::__private::Plan {
    ready: ::graceful::__private::Ready::OnStart,
    ..::graceful::__private::Plan::DEFAULT
};
#[cfg(test)]
#[::core::prelude::v1::test]
fn the_shutdown_fits_the_termination_grace_period() {
    ::graceful::__private::assert_plan(&__GRACEFUL_PLAN);
}
