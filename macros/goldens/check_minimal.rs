/// Docs.
pub async fn db() {}
const _: () = {
    #[::graceful::__private::linkme::distributed_slice(
        ::graceful::__private::GRACEFUL_CHECKS_V1
    )]
    #[linkme(crate = ::graceful::__private::linkme)]
    static __GRACEFUL_CHECK: ::graceful::__private::Check = ::graceful::__private::Check {
        name: "db",
        on: ::graceful::__private::On::Readiness,
        period: ::core::time::Duration::new(10u64, 0u32),
        timeout: ::core::time::Duration::new(1u64, 0u32),
        failures: 3u32,
        package: ::core::env!("CARGO_PKG_NAME"),
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        start: __graceful_start,
    };
    fn __graceful_start(
        _: &::graceful::__private::Context,
    ) -> ::core::result::Result<
        ::graceful::__private::HookRun,
        ::graceful::__private::MissingState,
    > {
        ::core::result::Result::Ok(
            ::graceful::__private::HookRun::future(async move {
                <() as ::graceful::__private::CheckReturn>::into_result(db().await)
            }),
        )
    }
};
