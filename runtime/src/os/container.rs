//! Warns of a container that does not deliver SIGTERM.

#![cfg_attr(not(unix), allow(dead_code))] // PID 1 exists on Unix only

/// Shells that do not forward SIGTERM to their child.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"];

/// A warning if this process never receives the container's SIGTERM, because its parent is a shell that is PID 1.
pub(crate) fn shell_as_pid_1() -> Option<String> {
    #[cfg(unix)]
    if std::os::unix::process::parent_id() == 1 {
        return warning(std::fs::read_to_string("/proc/1/comm").ok()?.trim());
    }
    None
}

fn warning(parent: &str) -> Option<String> {
    SHELLS.contains(&parent).then(|| {
        format!(
            "PID 1 is the shell `{parent}`, which does not pass SIGTERM on, so this process gets no chance to shut down \
             before it is killed: write the exec form CMD [\"/app\"] in the Dockerfile (or `exec /app` in the script)"
        )
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_is_named_with_the_fix_and_an_init_is_not() {
        assert!(super::warning("sh").unwrap().contains("exec form CMD"));
        assert_eq!(super::warning("tini"), None);
        assert_eq!(super::warning("systemd"), None);
    }
}
