//! Keys, mouse and window sizes as messages, and the end of the terminal.
//!
//! They are read on a thread of their own: of a terminal that is gone, crossterm reads nothing for ever without ever giving up,
//! and whoever waits for it there would not hear of anything else. That the terminal is gone is noticed beside it.

use std::io;
use std::thread;

use ratatui::crossterm::event;
use tokio::sync::mpsc::UnboundedSender;

use super::input;
use crate::tui::msg::Msg;

/// Forwards the terminal's events to `inbox` until that is closed, or ends everything when the terminal is gone.
pub(crate) fn forward_events(inbox: &UnboundedSender<Msg>) -> io::Result<()> {
    let (events, gone) = (inbox.clone(), inbox.clone());
    thread::Builder::new()
        .name("erw-gone".into())
        .spawn(move || {
            if input::wait_until_gone() {
                let _ = gone.send(Msg::Quit);
            }
        })?;
    thread::Builder::new()
        .name("erw-keys".into())
        .spawn(move || {
            while let Ok(event) = event::read() {
                if events.send(Msg::Input(event)).is_err() {
                    return;
                }
            }
            let _ = events.send(Msg::Quit);
        })?;
    Ok(())
}
