::core::compile_error! {
    "#[graceful::main] goes on `main`, and this function is named `run`\nhelp: rename the function to `main`, as in `async fn main(ctx: graceful::Context)`"
}
async fn run() {}
