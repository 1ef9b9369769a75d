::core::compile_error! {
    "#[graceful::main] starts the process, and this function is called `run`\nhelp: call it `main`, as in `async fn main(ctx: graceful::Context)`"
}
async fn run() {}
