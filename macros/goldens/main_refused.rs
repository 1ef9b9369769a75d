::core::compile_error! {
    "`darin` is not a key of #[graceful::main]\nhelp: did you mean `drain`? write `drain = \"10s\"`"
}
::core::compile_error! {
    "`grace`: `5` has no unit\nhelp: write `5s` for seconds (units: ms, s, m, h)"
}
fn main() {
    #[allow(dead_code)]
    async fn main(ctx: Context) -> Result<(), E> {
        body(ctx)
    }
}
