#[cfg(unix)]
fn main() -> ::std::process::ExitCode {
    #[allow(clippy::unused_async, clippy::needless_pass_by_value)]
    #[cfg(unix)]
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
#[cfg(unix)]
#[doc(hidden)]
const __GRACEFUL_PLAN: ::graceful::__private::Plan = ::graceful::__private::Plan {
    grace_limit: ::core::option::Option::Some(LIMIT),
    quiet: ::core::option::Option::Some(QUIET),
    liveness_heartbeat: ::core::option::Option::Some(BEAT),
    ready: ::graceful::__private::Ready::OnStart,
    init: false,
    ..::graceful::__private::Plan::DEFAULT
};
#[cfg(unix)]
const _: () = ::core::assert!(
    ! ::core::matches!(__GRACEFUL_PLAN.quiet,
    ::core::option::Option::Some(::core::time::Duration::ZERO)),
    "a `quiet` of zero would end grace between two requests; write for example `quiet = \"1s\"`, longer than pauses between requests"
);
#[cfg(unix)]
const _: () = ::core::assert!(
    ! ::core::matches!(__GRACEFUL_PLAN.liveness_heartbeat,
    ::core::option::Option::Some(::core::time::Duration::ZERO)),
    "with a heartbeat of zero, liveness would never pass; write for example `liveness_heartbeat = \"10s\"`, or omit `liveness_heartbeat`: the runtime is then not checked"
);
#[cfg(unix)]
const _: () = ::core::assert!(
    __GRACEFUL_PLAN.longest_grace().as_nanos() > __GRACEFUL_PLAN.grace.as_nanos(),
    "`grace_limit` must be longer than `grace`: grace ends between these two times; lengthen `grace_limit`, or shorten `grace`"
);
#[cfg(unix)]
const _: () = ::graceful::__private::assert_budget(&__GRACEFUL_PLAN);
#[cfg(unix)]
#[cfg(test)]
#[::core::prelude::v1::test]
fn the_shutdown_fits_the_termination_grace_period() {
    ::graceful::__private::assert_plan(&__GRACEFUL_PLAN);
}
