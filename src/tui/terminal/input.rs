//! The terminal's input below crossterm: reads that wait a tenth of a second at most, a limit the terminal driver itself keeps
//! (VTIME), for the probe; and what the driver knows of the window.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, SpecialCodeIndex, isatty, tcgetattr, tcsetattr};

/// Runs `work` on the input that crossterm reads: standard input if it is a terminal, else the controlling terminal.
fn with<T>(work: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
    let stdin = rustix::stdio::stdin();
    if isatty(stdin) {
        return work(stdin);
    }
    work(
        File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")?
            .as_fd(),
    )
}

/// Makes reads return after a tenth of a second (the least there is), or wait for a byte again. For a terminal in raw mode.
pub(super) fn limit_reads(on: bool) -> io::Result<()> {
    with(|input| {
        let mut modes = tcgetattr(input)?;
        modes.special_codes[SpecialCodeIndex::VMIN] = u8::from(!on);
        modes.special_codes[SpecialCodeIndex::VTIME] = u8::from(on);
        Ok(tcsetattr(input, OptionalActions::Now, &modes)?)
    })
}

/// Waits until the terminal is gone; false if that cannot be told.
pub(super) fn wait_until_gone() -> bool {
    let gone = with(|input| {
        loop {
            // Nothing is asked for: that a terminal has hung up is always told.
            let mut terminal = [PollFd::new(&input, PollFlags::empty())];
            match poll(&mut terminal, None) {
                Ok(_) => {
                    let told = terminal[0].revents();
                    // Systems that cannot wait for terminals call them invalid.
                    return Ok(told.intersects(PollFlags::HUP | PollFlags::ERR));
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    });
    gone.unwrap_or(false)
}

/// Adds what has arrived to `bytes`; false if the terminal is gone.
pub(super) fn read(bytes: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 4096];
    match with(|input| Ok(rustix::io::read(input, &mut buffer)?)) {
        Ok(count) => {
            bytes.extend_from_slice(&buffer[..count]);
            true
        }
        Err(error) => matches!(
            error.kind(),
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
        ),
    }
}

/// Drops what has arrived: mouse reports that are still on their way would end up as text in the shell.
pub(super) fn discard() {
    use rustix::termios::{QueueSelector, tcflush};
    let _ = with(|input| Ok(tcflush(input, QueueSelector::IFlush)?));
}

/// A cell's width and height in pixels.
pub(super) fn cell() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    let cell = (
        size.ws_xpixel.checked_div(size.ws_col)?,
        size.ws_ypixel.checked_div(size.ws_row)?,
    );
    (cell.0 >= 2 && cell.1 >= 2).then_some(cell)
}
