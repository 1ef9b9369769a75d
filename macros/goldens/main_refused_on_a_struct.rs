::core::compile_error! {
    "#[graceful::main] goes on a function, and this is a struct\nhelp: move it to a function, such as `async fn main(ctx: graceful::Context)`"
}
struct App;
