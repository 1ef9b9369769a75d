//! Generates the gRPC service of the tests, without protoc; nothing without the feature `tonic`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "tonic")]
    {
        use tonic_build::manual::{Builder, Method, Service};
        let method = |name: &str, route: &str| {
            let method = Method::builder().name(name).route_name(route).codec_path("tonic_prost::ProstCodec");
            method.input_type("crate::grpc::Order").output_type("crate::grpc::Reply")
        };
        let orders = Service::builder()
            .name("Orders")
            .package("shop")
            .method(method("place", "Place").build())
            .method(method("follow", "Follow").server_streaming().build())
            .build();
        Builder::new().compile(&[orders]);
    }
}
