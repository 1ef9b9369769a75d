//! Generates the service of `grpc.rs`. With a `.proto` file, call `tonic_prost_build::compile_protos` instead.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let prices = Method::builder()
        .name("follow")
        .route_name("Follow")
        .input_type("crate::Item")
        .output_type("crate::Price")
        .codec_path("tonic_prost::ProstCodec")
        .server_streaming()
        .build();
    let service = Service::builder().name("Prices").package("shop").method(prices).build();
    Builder::new().build_client(false).compile(&[service]);
}
