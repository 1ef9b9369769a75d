#[graceful::health_check]
async fn db() -> bool {
    let local = std::rc::Rc::new(true);
    std::future::ready(()).await;
    *local
}

fn main() {}
