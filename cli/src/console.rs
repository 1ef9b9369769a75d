//! Standard output.

use crate::exit_code::{ExitCode, Failure};
use std::io::Write;

/// Writes the text to standard output. A reader that has closed the pipe is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(ExitCode::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
