//! `cargo graceful manifest`.

mod fix;
mod generate;
mod options;

pub(crate) use options::Options;

use crate::exit_code::{ExitCode, Failure};

/// Prints or writes a manifest and a Dockerfile, or fixes those that exist.
pub(crate) async fn run(options: Options) -> Result<ExitCode, Failure> {
    options.check()?;
    if options.fix.is_empty() { generate::run(options).await } else { fix::run(options).await }
}
