#[graceful::main(hooks_from(libdb::hooks, my-cache, "libqueue"))]
async fn main() {}
