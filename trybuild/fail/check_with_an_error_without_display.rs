#[graceful::health_check]
async fn db() -> Result<(), Silent> {
    Err(Silent)
}

struct Silent;

fn main() {}
