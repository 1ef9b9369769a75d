//! The gRPC service of the tests: server and clients.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]

/// The request of both methods.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Order {
    /// `fast` or `held` for Place; `polite` or `endless` for Follow.
    #[prost(string, tag = "1")]
    pub kind: String,
}

/// The response of both methods.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Reply {
    #[prost(string, tag = "1")]
    pub text: String,
}

include!(concat!(env!("OUT_DIR"), "/shop.Orders.rs"));
