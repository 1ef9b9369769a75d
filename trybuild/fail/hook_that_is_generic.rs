#[graceful::shutdown_hook(order = 1)]
async fn flush<T>(state: graceful::State<T>)
where
    T: Send,
{
    drop(state);
}

fn main() {}
