#[graceful::shutdown_hook(order = 1)]
async fn flush() {
    let local = std::rc::Rc::new(());
    std::future::ready(()).await;
    drop(local);
}

fn main() {}
