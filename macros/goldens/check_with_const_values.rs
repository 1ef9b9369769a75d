fn r#loop() {}
const _: () = {
    #[::graceful::__private::linkme::distributed_slice(
        ::graceful::__private::GRACEFUL_CHECKS_V1
    )]
    #[linkme(crate = ::graceful::__private::linkme)]
    static __GRACEFUL_CHECK: ::graceful::__private::Check = ::graceful::__private::Check {
        name: "loop",
        on: ::graceful::__private::On::Startup,
        period: PERIOD,
        timeout: TIMEOUT,
        failures: 3u32,
        package: ::core::env!("CARGO_PKG_NAME"),
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        start: __graceful_start,
    };
    const _: () = ::core::assert!(
        ! __GRACEFUL_CHECK.period.is_zero(),
        "a check with a period of zero would run without pause; write for example `period = \"10s\"`, the default"
    );
    const _: () = ::core::assert!(
        ! __GRACEFUL_CHECK.timeout.is_zero(),
        "a check with a timeout of zero has no time to run; write for example `timeout = \"1s\"`, the default"
    );
    const _: () = ::core::assert!(
        __GRACEFUL_CHECK.period.is_zero() || __GRACEFUL_CHECK.timeout.as_nanos() <=
        __GRACEFUL_CHECK.period.as_nanos(),
        "the `timeout` is longer than the `period`: the next run would be due before this run ends; shorten `timeout`, or lengthen `period`"
    );
    fn __graceful_start(
        _: &::graceful::__private::Context,
    ) -> ::core::result::Result<
        ::graceful::__private::HookRun,
        ::graceful::__private::MissingState,
    > {
        ::core::result::Result::Ok(
            ::graceful::__private::HookRun::blocking(move || <() as ::graceful::__private::CheckReturn>::into_result(
                r#loop(),
            )),
        )
    }
};
