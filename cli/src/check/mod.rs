//! Checking manifests: what the rules need to know, and how findings are shown. The rules are `graceful-deploy`.

pub(crate) mod facts;
pub(crate) mod render;
