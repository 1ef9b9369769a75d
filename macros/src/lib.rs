//! The attributes of `graceful`.
