#[graceful::main(grace = "5")]
mod app {}

fn main() {}
