/// Docs.
pub fn log_shutdown() {
    println!("shutting down")
}
const _: () = {
    #[::graceful::__private::linkme::distributed_slice(
        ::graceful::__private::GRACEFUL_HOOKS_V1
    )]
    #[linkme(crate = ::graceful::__private::linkme)]
    static __GRACEFUL_HOOK: ::graceful::__private::Hook = ::graceful::__private::Hook {
        name: "log_shutdown",
        order: 2i32,
        timeout: ::core::option::Option::None,
        package: ::core::env!("CARGO_PKG_NAME"),
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        start: __graceful_start,
    };
    fn __graceful_start(
        _: &::graceful::__private::HookContext,
    ) -> ::core::result::Result<
        ::graceful::__private::HookRun,
        ::graceful::__private::MissingState,
    > {
        ::core::result::Result::Ok(
            ::graceful::__private::HookRun::blocking(move || <() as ::graceful::__private::HookReturn>::into_result(
                log_shutdown(),
            )),
        )
    }
};
