//! File descriptors that connections leave to probes and to the program's own files, and that probes leave to these.

/// How many descriptors connections leave free: a quarter of the limit of the process, and no more than this. The health
/// server uses at most half of a quarter for each of HTTP/1.1 and HTTP/2.
const KEPT: usize = 256;

/// How many connections of one protocol to the health server may be open at a time: no more than this, and with a low
/// limit of open files a sixteenth of it, so that clients of the health server cannot take all descriptors that are kept.
pub(crate) fn for_probes(connections: usize) -> usize {
    probes_within(platform::limit(), connections)
}

fn probes_within(limit: Option<usize>, connections: usize) -> usize {
    limit.map_or(connections, |limit| connections.min(limit / 16).max(1))
}

/// The limit of open files of this process, and the descriptors that connections may not use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descriptors {
    /// The descriptors from this number on are kept; `None` if the limit is not known.
    first_kept: Option<usize>,
    kept: usize,
}

impl Descriptors {
    /// The descriptors of this process with its current limit.
    pub(crate) fn of_process() -> Self {
        Self::within(platform::limit())
    }

    fn within(limit: Option<usize>) -> Self {
        let kept = limit.map_or(KEPT, |limit| KEPT.min(limit / 4));
        Self { first_kept: limit.map(|limit| limit - kept), kept }
    }

    /// How many descriptors are kept.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// Whether the next descriptor of the process is one of those that are kept. The system gives the lowest number that
    /// is free, so all others are in use.
    pub(crate) fn are_short(&mut self) -> bool {
        let Some(kept) = self.first_kept else { return false };
        let next = platform::next();
        if next < kept {
            return false;
        }
        // The limit of a process can be raised while it runs.
        let now = Self::of_process();
        if now.first_kept.is_some() {
            *self = now;
        }
        self.first_kept.is_some_and(|kept| next >= kept)
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::{
        fs, io,
        os::fd::{AsFd, AsRawFd, OwnedFd},
    };

    /// The soft limit of open files.
    pub(super) fn limit() -> Option<usize> {
        parse(&fs::read_to_string("/proc/self/limits").ok()?)
    }

    /// Reads `Max open files            1024                 1048576              files`.
    pub(super) fn parse(limits: &str) -> Option<usize> {
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// The number of the next descriptor, see [`number`]. A copy of stdin, because a sandbox may forbid files and sockets.
    pub(super) fn next() -> usize {
        number(io::stdin().as_fd().try_clone_to_owned())
    }

    /// The number of a descriptor: the highest if the limit is reached, 0 if the system refuses it for another reason.
    pub(super) fn number(next: io::Result<OwnedFd>) -> usize {
        match next {
            Ok(next) => usize::try_from(next.as_raw_fd()).unwrap_or(0),
            Err(error) if error.raw_os_error() == Some(libc::EMFILE) => usize::MAX,
            Err(_) => 0,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    pub(super) fn limit() -> Option<usize> {
        None
    }

    pub(super) fn next() -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_low_limit_is_kept() {
        let kept = |limit| (Descriptors::within(limit).first_kept, Descriptors::within(limit).kept());
        assert_eq!(kept(Some(1 << 20)), (Some((1 << 20) - 256), 256));
        assert_eq!(kept(Some(1024)), (Some(768), 256));
        assert_eq!(kept(Some(64)), (Some(48), 16));
        assert_eq!(kept(Some(0)), (Some(0), 0));
        assert!(!Descriptors::within(None).are_short());
    }

    #[test]
    fn probes_use_at_most_a_sixteenth_of_the_limit() {
        let connections = |limit| probes_within(limit, 64);
        assert_eq!([None, Some(1 << 20), Some(512), Some(64), Some(3)].map(connections), [64, 64, 32, 4, 1]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn descriptors_are_short_at_the_limit_and_not_because_the_system_refuses_one_for_another_reason() {
        use std::io::Error;
        assert_eq!(platform::number(Err(Error::from_raw_os_error(libc::EMFILE))), usize::MAX);
        for refused in [libc::EAFNOSUPPORT, libc::EPERM, libc::EBADF, libc::ENFILE] {
            assert_eq!(platform::number(Err(Error::from_raw_os_error(refused))), 0, "{refused}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_limit_that_was_raised_counts() {
        let mut descriptors = Descriptors::within(Some(1));
        assert!(!descriptors.are_short());
        assert_eq!(descriptors.first_kept, Descriptors::of_process().first_kept);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_soft_limit_of_open_files_is_read() {
        let line = "Max open files            1024                 1048576              files     \n";
        assert_eq!(platform::parse(&format!("Limit  Soft Limit\n{line}")), Some(1024));
        assert_eq!(platform::parse(&line.replace("1024", "unlimited")), None);
        assert!(platform::limit().is_some_and(|limit| limit > 2), "this process has a limit");
    }
}
