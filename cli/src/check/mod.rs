//! Checking manifests: what the rules need to know, and how findings are shown. The rules are `graceful-deploy`.

mod places;

pub(crate) mod facts;
pub(crate) mod render;
pub(crate) mod sarif;
pub(crate) mod text;

pub(crate) use places::Places;
