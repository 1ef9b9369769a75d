//! Forwards signals of the operating system as values.

use crate::cause::Signal;
use std::io;
use tokio::sync::mpsc::UnboundedSender;

/// Installs handlers for these signals and forwards every arrival for as long as the current runtime lives.
///
/// Once a handler is installed, the signal's default action is gone for good, so the receiver must act on every signal
/// until the process exits.
///
/// # Errors
/// The system refuses a handler.
pub(crate) fn forward<T: Send + 'static>(
    signals: &[Signal],
    to: &UnboundedSender<T>,
    wrap: fn(Signal) -> T,
) -> io::Result<()> {
    for &signal in signals {
        let mut arrivals = platform::listen(signal)?;
        let to = to.clone();
        tokio::spawn(async move {
            while arrivals.recv().await.is_some() {
                if to.send(wrap(signal)).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}

#[cfg(unix)]
mod platform {
    use crate::cause::Signal;
    use std::io;
    use tokio::signal::unix::{self, SignalKind};

    pub(super) fn listen(signal: Signal) -> io::Result<unix::Signal> {
        unix::signal(match signal {
            Signal::Interrupt => SignalKind::interrupt(),
            Signal::Terminate => SignalKind::terminate(),
            Signal::Hangup => SignalKind::hangup(),
            Signal::Quit => SignalKind::quit(),
            Signal::User1 => SignalKind::user_defined1(),
            Signal::User2 => SignalKind::user_defined2(),
        })
    }
}

#[cfg(windows)]
mod platform {
    use crate::cause::Signal;
    use std::{future::poll_fn, io, task::Poll};
    use tokio::signal::windows::{self, CtrlBreak, CtrlC, CtrlClose, CtrlLogoff, CtrlShutdown};

    /// The console events that stand for one signal.
    pub(super) enum Arrivals {
        Interrupt(CtrlC, CtrlBreak),
        Terminate(CtrlClose, CtrlLogoff, CtrlShutdown),
        Never,
    }

    pub(super) fn listen(signal: Signal) -> io::Result<Arrivals> {
        Ok(match signal {
            Signal::Interrupt => Arrivals::Interrupt(windows::ctrl_c()?, windows::ctrl_break()?),
            Signal::Terminate => {
                Arrivals::Terminate(windows::ctrl_close()?, windows::ctrl_logoff()?, windows::ctrl_shutdown()?)
            }
            _ => Arrivals::Never,
        })
    }

    impl Arrivals {
        pub(super) async fn recv(&mut self) -> Option<()> {
            poll_fn(|cx| {
                let polls = match self {
                    Self::Interrupt(c, b) => [c.poll_recv(cx), b.poll_recv(cx), Poll::Pending],
                    Self::Terminate(c, l, s) => [c.poll_recv(cx), l.poll_recv(cx), s.poll_recv(cx)],
                    Self::Never => return Poll::Ready(None),
                };
                polls.into_iter().find(Poll::is_ready).unwrap_or(Poll::Pending)
            })
            .await
        }
    }
}
