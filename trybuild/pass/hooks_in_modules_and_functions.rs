#![deny(warnings)]

mod database {
    pub mod pool {
        #[graceful::shutdown_hook(order = 2)]
        async fn close() {}
    }

    #[graceful::shutdown_hook(order = 1)]
    fn close() {}
}

#[graceful::main(health = "off")]
async fn main() {
    #[graceful::shutdown_hook(order = 3)]
    fn close() {}
}
