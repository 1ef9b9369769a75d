#[graceful::main(ready = "on_serve", unready = "later")]
async fn main() {}
