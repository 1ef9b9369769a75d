#[graceful::health_check(nam = "db", on = "alive", period = "2", failures = -1)]
const fn db(pool: &u8) -> bool {
    *pool > 0
}

fn main() {}
