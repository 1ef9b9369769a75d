#![deny(warnings)]

mod deployed {
    #[graceful::main(
        manifest = ["deploy/app.yaml", "deploy/service.yaml"],
        container = "app",
        dockerfile = "deploy/Dockerfile"
    )]
    pub async fn main() {}
}

fn main() {
    let _: fn() -> std::process::ExitCode = deployed::main;
}
