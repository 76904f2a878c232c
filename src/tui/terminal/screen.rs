//! Where frames are written: everything of one frame is gathered and leaves in one write, as one synchronized update. What
//! was gathered and not released is dropped, so that a panic in the middle of a frame leaves nothing behind to be flushed.

use std::cell::RefCell;
use std::io::{self, Stdout, Write};
use std::rc::Rc;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The backend's side: takes bytes and keeps them.
pub(crate) struct Screen(Rc<RefCell<Vec<u8>>>);

/// The loop's side: lets a frame go.
pub(crate) struct Release {
    gathered: Rc<RefCell<Vec<u8>>>,
    out: Stdout,
}

/// Both sides of the screen.
pub(crate) fn screen() -> (Screen, Release) {
    let gathered = Rc::new(RefCell::new(Vec::with_capacity(1 << 16)));
    let release = Release {
        gathered: Rc::clone(&gathered),
        out: io::stdout(),
    };
    (Screen(gathered), release)
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// The terminal library flushes several times a frame; only [`Release::frame`] writes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Release {
    /// Writes `before` and what was gathered, together; returns how many bytes.
    pub(crate) fn frame(&mut self, before: &[u8]) -> io::Result<usize> {
        let mut gathered = self.gathered.borrow_mut();
        let frame = wrap(before, &gathered);
        gathered.clear();
        let mut out = self.out.lock();
        out.write_all(&frame)?;
        out.flush()?;
        Ok(frame.len())
    }
}

fn wrap(before: &[u8], gathered: &[u8]) -> Vec<u8> {
    [before, BEGIN, gathered, END].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_one_synchronized_update_however_often_it_was_flushed() {
        let (mut screen, release) = screen();
        screen.write_all(b"ab").unwrap();
        screen.flush().unwrap();
        screen.write_all(b"c").unwrap();
        assert_eq!(
            wrap(b"", &release.gathered.borrow()),
            b"\x1b[?2026habc\x1b[?2026l"
        );
    }
}
