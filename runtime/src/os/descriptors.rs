//! File descriptors that connections leave to probes and to the program's own files.

/// How many descriptors connections leave free: fewer if the limit of the process is low.
const KEPT: usize = 32;

/// The limit of open files of this process, and the descriptors that connections may not use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descriptors {
    /// The descriptors from this number on are kept; `None` if the limit is not known.
    first_kept: Option<usize>,
    kept: usize,
}

impl Descriptors {
    /// The descriptors of this process, whose limit is read now.
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
    pub(crate) fn are_short(&self) -> bool {
        self.first_kept.is_some_and(|kept| platform::next().is_none_or(|next| next >= kept))
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use socket2::{Domain, Socket, Type};
    use std::{fs, os::fd::AsRawFd};

    /// The soft limit of open files.
    pub(super) fn limit() -> Option<usize> {
        parse(&fs::read_to_string("/proc/self/limits").ok()?)
    }

    /// Reads `Max open files            1024                 1048576              files`.
    pub(super) fn parse(limits: &str) -> Option<usize> {
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// The number of the next descriptor; `None` if there is none.
    pub(super) fn next() -> Option<usize> {
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None).ok()?;
        usize::try_from(socket.as_raw_fd()).ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    pub(super) fn limit() -> Option<usize> {
        None
    }

    pub(super) fn next() -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_a_low_limit_is_kept() {
        let kept = |limit| (Descriptors::within(limit).first_kept, Descriptors::within(limit).kept());
        assert_eq!(kept(Some(1024)), (Some(992), 32));
        assert_eq!(kept(Some(64)), (Some(48), 16));
        assert_eq!(kept(Some(0)), (Some(0), 0));
        assert!(!Descriptors::within(None).are_short());
        assert!(Descriptors::within(Some(1)).are_short() && !Descriptors::within(Some(1 << 30)).are_short());
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
