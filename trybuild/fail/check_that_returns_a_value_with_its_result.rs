#[graceful::health_check]
fn db() -> Result<u8, std::fmt::Error> {
    Ok(7)
}

fn main() {}
