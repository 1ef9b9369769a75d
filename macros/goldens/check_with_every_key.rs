#[allow(clippy::needless_pass_by_value)]
#[cfg(unix)]
async fn ping(pool: State<Pool>, ctx: Context) -> Result<(), io::Error> {
    pool.ping(ctx).await
}
#[cfg(unix)]
const _: () = {
    #[::shutdown::__private::linkme::distributed_slice(
        ::shutdown::__private::GRACEFUL_CHECKS_V1
    )]
    #[linkme(crate = ::shutdown::__private::linkme)]
    static __GRACEFUL_CHECK: ::shutdown::__private::Check = ::shutdown::__private::Check {
        name: "db.main",
        on: ::shutdown::__private::On::Readiness,
        period: ::core::time::Duration::new(2u64, 0u32),
        timeout: ::core::time::Duration::new(1u64, 0u32),
        failures: 5u32,
        package: ::core::env!("CARGO_PKG_NAME"),
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        start: __graceful_start,
    };
    fn __graceful_start(
        __graceful_context: &::shutdown::__private::Context,
    ) -> ::core::result::Result<
        ::shutdown::__private::HookRun,
        ::shutdown::__private::MissingState,
    > {
        let __graceful_argument_0 = <State<
            Pool,
        > as ::shutdown::__private::FromCheckContext>::from_check_context(
            __graceful_context,
        )?;
        let __graceful_argument_1 = <Context as ::shutdown::__private::FromCheckContext>::from_check_context(
            __graceful_context,
        )?;
        ::core::result::Result::Ok(
            ::shutdown::__private::HookRun::future(async move {
                <Result<
                    (),
                    io::Error,
                > as ::shutdown::__private::CheckReturn>::into_result(
                    ping(__graceful_argument_0, __graceful_argument_1).await,
                )
            }),
        )
    }
};
