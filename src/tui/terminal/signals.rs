//! Signals as messages: the system's wishes to end, to pause and to go on arrive where keys arrive.

use tokio::sync::mpsc::UnboundedSender;

use crate::tui::msg::Msg;

/// Forwards signals to `inbox` until it is closed. Must be called inside a tokio runtime.
#[cfg(unix)]
pub(crate) fn forward_signals(inbox: &UnboundedSender<Msg>) -> std::io::Result<()> {
    use rustix::process::Signal;
    use tokio::signal::unix::{SignalKind, signal};
    let wishes: [(Signal, fn() -> Msg); 6] = [
        (Signal::TERM, || Msg::Quit),
        (Signal::HUP, || Msg::Quit),
        (Signal::INT, || Msg::Quit),
        (Signal::QUIT, || Msg::Quit),
        (Signal::TSTP, || Msg::Suspend),
        (Signal::CONT, || Msg::Continued),
    ];
    for (number, wish) in wishes {
        let mut arrivals = signal(SignalKind::from_raw(number.as_raw()))?;
        let inbox = inbox.clone();
        tokio::spawn(async move {
            while arrivals.recv().await.is_some() {
                if inbox.send(wish()).is_err() {
                    break;
                }
            }
        });
    }
    Ok(())
}

/// Only Ctrl-C exists here, and in raw mode it is a key.
#[cfg(not(unix))]
pub(crate) fn forward_signals(_inbox: &UnboundedSender<Msg>) -> std::io::Result<()> {
    Ok(())
}
