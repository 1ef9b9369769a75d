pub fn address() -> String {
    std::env::var("LISTEN").unwrap_or_else(|_| "0.0.0.0:8081".into())
}
