#[cfg(unix)]
/// Docs.
pub fn main() -> ::std::process::ExitCode {
    #[allow(clippy::unused_async, clippy::needless_pass_by_value)]
    /// Docs.
    #[tracing::instrument]
    #[cfg(unix)]
    async fn main(_: Context) -> ExitCode {
        EXIT
    }
    use ::libdb as _;
    use ::libcache as _;
    ::shutdown::__private::run(
        ::shutdown::__private::Main {
            plan: __GRACEFUL_PLAN,
            signals: &[
                ::shutdown::__private::Signal::Terminate,
                ::shutdown::__private::Signal::User1,
            ],
            runtime: ::shutdown::__private::RuntimeConfig {
                flavor: ::shutdown::__private::Flavor::MultiThread,
                worker_threads: ::core::option::Option::Some(4usize),
                max_blocking_threads: ::core::option::Option::Some(64usize),
            },
            package: ::core::env!("CARGO_PKG_NAME"),
        },
        |__graceful_context| main(__graceful_context),
    )
}
#[cfg(unix)]
#[doc(hidden)]
const __GRACEFUL_PLAN: ::shutdown::__private::Plan = ::shutdown::__private::Plan {
    grace: ::core::time::Duration::new(8u64, 0u32),
    grace_limit: ::core::option::Option::Some(::core::time::Duration::new(20u64, 0u32)),
    drain: ::core::time::Duration::new(1u64, 500000000u32),
    termination_grace_period: ::core::time::Duration::new(60u64, 0u32),
    pre_stop: ::core::time::Duration::new(0u64, 0u32),
    margin: ::core::time::Duration::new(0u64, 500000000u32),
    quiet: ::core::option::Option::Some(::core::time::Duration::new(1u64, 0u32)),
    liveness_heartbeat: ::core::option::Option::Some(
        ::core::time::Duration::new(10u64, 0u32),
    ),
    health: ::shutdown::__private::Health::At(
        ::core::net::SocketAddr::V4(
            ::core::net::SocketAddrV4::new(
                ::core::net::Ipv4Addr::new(10u8, 0u8, 0u8, 1u8),
                9000u16,
            ),
        ),
    ),
    ready: ::shutdown::__private::Ready::OnStart,
    unready: ::shutdown::__private::Unready::AfterGrace,
    init: true,
    ..::shutdown::__private::Plan::DEFAULT
};
#[cfg(unix)]
#[cfg(test)]
#[::core::prelude::v1::test]
fn the_shutdown_fits_the_termination_grace_period() {
    ::shutdown::__private::assert_plan(&__GRACEFUL_PLAN);
}
