#[graceful::health_check]
fn db(local: graceful::State<std::cell::Cell<u8>>) -> bool {
    local.get() > 0
}

fn main() {}
