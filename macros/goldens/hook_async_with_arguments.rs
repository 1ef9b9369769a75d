#[allow(clippy::needless_pass_by_value)]
#[cfg(unix)]
async fn flush(State(db): State<Db>, cx: HookContext) -> Result<(), io::Error> {
    db.flush(cx).await
}
#[cfg(unix)]
const _: () = {
    #[::shutdown::__private::linkme::distributed_slice(
        ::shutdown::__private::GRACEFUL_HOOKS_V1
    )]
    #[linkme(crate = ::shutdown::__private::linkme)]
    static __GRACEFUL_HOOK: ::shutdown::__private::Hook = ::shutdown::__private::Hook {
        name: "the flush",
        order: -1i32,
        timeout: ::core::option::Option::Some(::core::time::Duration::new(3u64, 0u32)),
        package: ::core::env!("CARGO_PKG_NAME"),
        module: ::core::module_path!(),
        file: ::core::file!(),
        line: ::core::line!(),
        start: __graceful_start,
    };
    fn __graceful_start(
        __graceful_context: &::shutdown::__private::HookContext,
    ) -> ::core::result::Result<
        ::shutdown::__private::HookRun,
        ::shutdown::__private::MissingState,
    > {
        let __graceful_argument_0 = <State<
            Db,
        > as ::shutdown::__private::FromHookContext>::from_hook_context(
            __graceful_context,
        )?;
        let __graceful_argument_1 = <HookContext as ::shutdown::__private::FromHookContext>::from_hook_context(
            __graceful_context,
        )?;
        ::core::result::Result::Ok(
            ::shutdown::__private::HookRun::future(async move {
                <Result<
                    (),
                    io::Error,
                > as ::shutdown::__private::HookReturn>::into_result(
                    flush(__graceful_argument_0, __graceful_argument_1).await,
                )
            }),
        )
    }
};
