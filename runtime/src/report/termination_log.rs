//! The termination log: the file whose text `kubectl describe pod` shows.

use super::{log::plain, page::escaped};
use crate::spare_descriptor::SPARE;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::PathBuf,
    sync::mpsc,
    thread,
    time::Duration,
};

/// Where Kubernetes reads the termination message, unless `GRACEFUL_TERMINATION_LOG` names another file.
const FILE: &str = "/dev/termination-log";
/// The kubelet reads no more bytes than this.
pub(crate) const LIMIT: usize = 4096;

/// Writes a message to the termination log and to stderr.
pub(crate) fn last_message(named: Option<PathBuf>, message: &str) {
    let message = escaped(message);
    write(named, &message);
    plain(&message);
}

/// The same, but waits no longer than `limit`: either may be stuck.
///
/// # Errors
/// The system refuses the thread for it.
pub(crate) fn last_message_within(limit: Duration, named: Option<PathBuf>, message: String) -> io::Result<()> {
    let (done, written) = mpsc::channel();
    let writer = move || {
        last_message(named, &message);
        let _ = done.send(());
    };
    thread::Builder::new().name("graceful-log".into()).spawn(writer)?;
    let _ = written.recv_timeout(limit);
    Ok(())
}

/// Writes the message to the file that the user named, or else to the one that Kubernetes mounts, if it exists. A failure
/// is a line on stderr.
pub(crate) fn write(named: Option<PathBuf>, message: &str) {
    let create = named.is_some();
    let path = named.unwrap_or_else(|| FILE.into());
    let mut options = OpenOptions::new();
    options.write(true).create(create).truncate(true);
    #[cfg(unix)]
    options.custom_flags(libc::O_NONBLOCK); // a FIFO without a reader is an error instead of a wait
    let opened = options.open(&path).or_else(|error| match SPARE.release() {
        true => options.open(&path), // the descriptors may have run out
        false => Err(error),
    });
    match opened.and_then(|mut file| file.write_all(message.as_bytes())) {
        Err(error) if create || error.kind() != io::ErrorKind::NotFound => {
            plain(&format!("graceful: cannot write the termination log {}: {error}\n", path.display()))
        }
        _ => {}
    }
}
