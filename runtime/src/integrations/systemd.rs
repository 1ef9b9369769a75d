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

/// How often the shutdown asks for more time, and for how much: longer than the period.
const EXTENSION_PERIOD: Duration = Duration::from_secs(2);
const EXTENSION: Duration = Duration::from_secs(10);

/// Notifies systemd for as long as the current runtime lives. Runs on the control thread's runtime, so that it works
/// while the user's runtime is blocked.
///
/// The returned channel resolves once systemd has received STOPPING, and at once where there is no systemd. The process
/// waits for it briefly before it exits, because a short shutdown can end before the notification is sent.
pub(crate) fn start(context: &Context) -> oneshot::Receiver<()> {
    let (notified, stopping) = oneshot::channel();
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return stopping;
    }
    tokio::spawn(phases(context.clone(), notified));
    if let Some(period) = sd_notify::watchdog_enabled() {
        tokio::spawn(watchdog(context.clone(), period));
    }
    stopping
}

async fn phases(context: Context, stopping: oneshot::Sender<()>) {
    context.reached(Phase::Serving).await;
    let mut phase = context.phase();
    if phase == Phase::Serving {
        notify([NotifyState::Ready, NotifyState::Status("serving")]).await;
    }
    context.reached(Phase::Grace).await;
    notify([NotifyState::Stopping]).await;
    let _ = stopping.send(()); // fails if the process has stopped waiting
    let mut last = None;
    while phase < Phase::Stopped {
        phase = context.phase();
        if last.replace(phase) != Some(phase) {
            let left = context.deadline().map(|deadline| deadline.saturating_duration_since(std::time::Instant::now()));
            let text = format!("shutting down: {phase}, {} left", Pretty(left.unwrap_or_default()));
            notify([NotifyState::Status(&text)]).await;
        }
        notify([NotifyState::ExtendTimeoutUsec(EXTENSION.as_micros() as u32)]).await;
        tokio::select! {
            () = context.reached(following(phase)) => {}
            () = sleep(EXTENSION_PERIOD) => {}
        }
    }
}

fn following(phase: Phase) -> Phase {
    Phase::ALL.into_iter().find(|next| *next > phase).unwrap_or(Phase::Stopped)
}

/// Feeds the watchdog while the runtime of `main` runs tasks.
async fn watchdog(context: Context, period: Duration) {
    let mut ticks = interval(period / 3);
    loop {
        ticks.tick().await;
        let beat = context.0.runtime.spawn(async {});
        // In a shutdown the deadlines end what is stuck, and the watchdog must not interfere.
        if timeout(period / 2, beat).await.is_ok() || context.phase().is_terminating() {
            notify([NotifyState::Watchdog]).await;
        }
    }
}

/// Notifies systemd from a thread that may block: a full socket must not block the control thread.
async fn notify<const N: usize>(states: [NotifyState<'_>; N]) {
    let text: String = states.iter().map(|state| format!("{state}\n")).collect();
    let _ = tokio::task::spawn_blocking(move || sd_notify::notify(&[NotifyState::Custom(text.trim_end())])).await;
}
