::core::compile_error! {
    "`interval` is not a key of #[graceful::health_check]\nhelp: did you mean `period`? write `period = \"10s\"`"
}
::core::compile_error! {
    "`ready` is not a value of `on`\nhelp: did you mean `readiness`? the values are `readiness`, `liveness`, `startup`"
}
::core::compile_error! {
    "`failures` must be at least 1\nhelp: write `failures = 3`"
}
::core::compile_error! {
    "a function with #[graceful::health_check] can't be a method: there is no value to call it on\nhelp: move the function out of its `impl` block and remove `&self`, as in `async fn db()`"
}
#[allow(dead_code)]
async fn db(&self) -> bool {
    self.up()
}
