//! What a container does to the signals of its processes.

#![cfg_attr(not(unix), allow(dead_code))] // PID 1 is a matter of Unix

/// Shells that do not pass SIGTERM on to what they run.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "busybox"];

/// A warning if this process will never hear the container's SIGTERM: a shell is PID 1, and its parent.
pub(crate) fn deaf_parent() -> Option<String> {
    #[cfg(unix)]
    if std::os::unix::process::parent_id() == 1 {
        return deaf(std::fs::read_to_string("/proc/1/comm").ok()?.trim());
    }
    None
}

fn deaf(parent: &str) -> Option<String> {
    SHELLS.contains(&parent).then(|| {
        format!(
            "PID 1 is the shell `{parent}`, which does not pass SIGTERM on, so this process will be killed without a \
             word: write the exec form CMD [\"/app\"] in the Dockerfile (or `exec /app` in the script)"
        )
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_shell_is_named_with_the_fix_and_an_init_is_not() {
        assert!(super::deaf("sh").unwrap().contains("exec form CMD"));
        assert_eq!(super::deaf("tini"), None);
        assert_eq!(super::deaf("systemd"), None);
    }
}
