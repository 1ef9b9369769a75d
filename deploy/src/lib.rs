//! Checks that a Kubernetes manifest and a Dockerfile agree with a program's shutdown plan.
//!
//! Pure functions: text in, [`Finding`]s out; no I/O. The command `cargo graceful check` reads the files and shows the
//! findings.
//!
//! 1. [`Manifest::parse`] and [`Dockerfile::parse`] read texts, within limits: 4 MiB, 64 levels, no alias bombs.
//! 2. [`Facts`] say what is known about the program. Without them, the rules that need no program are checked.
//! 3. [`Check`] runs the [`rules`].
//!
//! # Allowed findings
//! A comment on the line of a finding, or directly above it, allows the finding and gives the reason:
//!
//! ```yaml
//! # graceful: allow(strategy-recreate) because the volume is ReadWriteOnce
//! strategy: {type: Recreate}
//! ```
//!
//! A comment without a reason, with an unknown rule or without a finding is itself a finding.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod source;
mod yaml;
mod render;
mod edit;
mod shell;
mod rule;
mod table;
mod silence;
mod documents;
mod dockerfile;
mod facts;
mod finding;
mod subject;
mod rules;
mod check;
mod fix;

pub use check::Check;
pub use dockerfile::Dockerfile;
pub use documents::Manifest;
pub use edit::Edit;
pub use facts::Facts;
pub use finding::Finding;
pub use fix::{Fix, Fixed};
pub use rule::{Group, Needs, Place, Rule, Severity};
pub use source::{Unreadable, decode};
pub use table::{rule, rules, similar_rule};
