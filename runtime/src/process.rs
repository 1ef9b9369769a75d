//! The one way out of a process that no stuck thread can hold up.

/// Ends the process at once, without destructors and without `atexit` handlers: `std::process::exit` waits for a
/// thread that is already in `atexit`, and this is called exactly when some thread may be stuck.
#[cfg(unix)]
#[allow(unsafe_code)] // `_exit` has no safe wrapper
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` takes any number, touches no memory of this process and does not return.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Ends the process. Windows ends every other thread first, so `exit` cannot be held up by them.
#[cfg(not(unix))]
pub(crate) fn exit_now(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
