#[graceful::main]
async fn run() {}

fn main() {
    drop(run());
}
