#[graceful::main(grace = "5sec")]
async fn main() {}
