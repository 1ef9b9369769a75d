::core::compile_error! {
    "`priority` is not a key of #[graceful::shutdown_hook]\nhelp: did you mean `order`? write `order = 1`"
}
::core::compile_error! {
    "a hook with a timeout of zero has no time to run\nhelp: write for example `timeout = \"3s\"`, or omit `timeout`: the hook then gets a fair share of the remaining time"
}
::core::compile_error! {
    "a function with #[graceful::shutdown_hook] can't be a method: there is no value to call it on\nhelp: move the function out of its `impl` block and remove `self`, as in `async fn flush()`"
}
#[allow(dead_code)]
async fn flush(self) {}
