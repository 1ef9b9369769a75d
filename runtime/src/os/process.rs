//! Ends the process even if some of its threads are stuck.

use crate::report::exit_code;
use std::{thread, time::Duration};

/// Ends the process after this long, unless it has exited before: the last resort, on a thread that does nothing else.
/// If the system refuses the thread, only the control thread's deadlines remain.
pub(crate) fn end_after(limit: Duration) {
    let _ = thread::Builder::new().name("graceful-end".into()).spawn(move || {
        thread::sleep(limit);
        exit_now(exit_code::CUT);
    });
}

/// Ends the process at once, without destructors and `atexit` handlers: `std::process::exit` waits for a thread that is
/// already in `atexit`, and some thread may be stuck when this is called.
#[cfg(unix)]
#[allow(unsafe_code)] // `_exit` has no safe wrapper
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` takes any number, touches no memory of this process and does not return.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Ends the process. Windows ends every other thread first, so a stuck thread cannot delay `exit`.
#[cfg(not(unix))]
pub(crate) fn exit_now(code: u8) -> ! {
    std::process::exit(i32::from(code))
}
