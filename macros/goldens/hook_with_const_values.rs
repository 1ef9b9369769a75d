async fn r#async() -> impl Outcome {}
const _: () = {
    #[::graceful::__private::linkme::distributed_slice(
        ::graceful::__private::GRACEFUL_HOOKS_V1
    )]
    #[linkme(crate = ::graceful::__private::linkme)]
    static __GRACEFUL_HOOK: ::graceful::__private::Hook = ::graceful::__private::Hook {
        name: "async",
        order: LAST,
        timeout: ::core::option::Option::Some(TIMEOUT),
        package: ::core::env!("CARGO_PKG_NAME"),
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        start: __graceful_start,
    };
    const _: () = ::core::assert!(
        ! ::core::matches!(__GRACEFUL_HOOK.timeout,
        ::core::option::Option::Some(::core::time::Duration::ZERO)),
        "a hook with a timeout of zero has no time to run; write for example `timeout = \"3s\"`, or omit `timeout`: the hook then gets a fair share of the remaining time"
    );
    fn __graceful_start(
        _: &::graceful::__private::HookContext,
    ) -> ::core::result::Result<
        ::graceful::__private::HookRun,
        ::graceful::__private::MissingState,
    > {
        ::core::result::Result::Ok(
            ::graceful::__private::HookRun::future(async move {
                <_ as ::graceful::__private::HookReturn>::into_result(r#async().await)
            }),
        )
    }
};
