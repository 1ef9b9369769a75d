//! systemd: READY, STOPPING with a status text, more time while the shutdown goes on, and the watchdog. Feature
//! `systemd`; does nothing where systemd has set no `NOTIFY_SOCKET`.
//!
//! ```ini
//! [Service]
//! Type=notify
//! ExecStart=/usr/bin/app
//! TimeoutStopSec=30        # = termination_grace_period
//! WatchdogSec=10           # restarted if the runtime of main runs no task for so long
//! ```

use crate::{context::Context, phase::Phase};
use graceful_plan::duration::Pretty;
use sd_notify::NotifyState;
use std::time::Duration;
use tokio::{
    sync::oneshot,
    time::{interval, sleep, timeout},
};

/// How often more time is asked for during a shutdown, and how much: the next request must come before that is over.
const EXTENSION_PERIOD: Duration = Duration::from_secs(2);
const EXTENSION: Duration = Duration::from_secs(10);

/// Tells systemd what happens, for as long as the current runtime lives: the control thread's, so that a blocked
/// runtime of the user's is told about too.
///
/// What it returns resolves once systemd knows that the process stops, and at once where there is no systemd. The
/// process waits for it before it exits, but not for long: a shutdown may be over before a thread has sent anything.
pub(crate) fn start(context: &Context) -> oneshot::Receiver<()> {
    let (told, stopping) = oneshot::channel();
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return stopping;
    }
    tokio::spawn(phases(context.clone(), told));
    if let Some(period) = sd_notify::watchdog_enabled() {
        tokio::spawn(watchdog(context.clone(), period));
    }
    stopping
}

async fn phases(context: Context, stopping: oneshot::Sender<()>) {
    context.reached(Phase::Serving).await;
    let mut phase = context.phase();
    if phase == Phase::Serving {
        tell([NotifyState::Ready, NotifyState::Status("serving")]).await;
    }
    context.reached(Phase::Grace).await;
    tell([NotifyState::Stopping]).await;
    let _ = stopping.send(()); // nobody waits any more if that took too long
    let mut last = None;
    while phase < Phase::Stopped {
        phase = context.phase();
        if last.replace(phase) != Some(phase) {
            let left = context.deadline().map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
            let text = format!("shutting down: {phase}, {} left", Pretty(left.unwrap_or_default()));
            tell([NotifyState::Status(&text)]).await;
        }
        tell([NotifyState::ExtendTimeoutUsec(EXTENSION.as_micros() as u32)]).await;
        tokio::select! {
            () = context.reached(following(phase)) => {}
            () = sleep(EXTENSION_PERIOD) => {}
        }
    }
}

fn following(phase: Phase) -> Phase {
    Phase::ALL.into_iter().find(|next| *next > phase).unwrap_or(Phase::Stopped)
}

/// Feeds the watchdog only while the runtime of main runs tasks.
async fn watchdog(context: Context, period: Duration) {
    let mut ticks = interval(period / 3);
    loop {
        ticks.tick().await;
        let beat = context.0.runtime.spawn(async {});
        // In a shutdown, deadlines end what is stuck; systemd's would come in between.
        if timeout(period / 2, beat).await.is_ok() || context.phase().is_terminating() {
            tell([NotifyState::Watchdog]).await;
        }
    }
}

/// Sends a state from a thread that may block: a full socket must not hold up the control thread.
async fn tell<const N: usize>(states: [NotifyState<'_>; N]) {
    let text: String = states.iter().map(|state| format!("{state}\n")).collect();
    let _ = tokio::task::spawn_blocking(move || sd_notify::notify(&[NotifyState::Custom(text.trim_end())])).await;
}
