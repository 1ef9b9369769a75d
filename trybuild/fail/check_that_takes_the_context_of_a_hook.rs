#[graceful::health_check]
async fn db(context: graceful::HookContext) {
    drop(context);
}

fn main() {}
