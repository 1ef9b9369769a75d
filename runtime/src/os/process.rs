//! The one way out of a process that no stuck thread can hold up.

use crate::report::exit_code;
use std::{thread, time::Duration};

/// Ends the process after this long, if it has not ended by itself: the deadline of the deadlines, on a thread that
/// does nothing else. If the system refuses the thread, the control thread's own deadlines are all there is.
pub(crate) fn end_after(limit: Duration) {
    let _ = thread::Builder::new().name("graceful-end".into()).spawn(move || {
        thread::sleep(limit);
        exit_now(exit_code::CUT);
    });
}

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
