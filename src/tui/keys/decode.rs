//! Raw terminal bytes to key presses, for the short while at start-up in which the terminal is being asked what it can do
//! and crossterm does not read yet. Knows the keys of the table; swallows every other sequence whole. Not a general parser.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The keys in `bytes`, and how many bytes at the end are the beginning of a sequence that is still to come.
pub(crate) fn decode(bytes: &[u8]) -> (Vec<KeyEvent>, usize) {
    let mut keys = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        match step(rest) {
            Some((key, length)) => {
                keys.extend(key);
                rest = &rest[length..];
            }
            None => break,
        }
    }
    (keys, rest.len())
}

/// One key or one sequence without meaning, and its length; `None` if bytes are missing.
fn step(bytes: &[u8]) -> Option<(Option<KeyEvent>, usize)> {
    match bytes[0] {
        0x1b => escape(bytes),
        b'\r' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        0x7f | 0x08 => plain(KeyCode::Backspace),
        c @ 0x01..=0x1a => control(c - 1 + b'a'),
        0x00 => control(b' '),
        c @ 0x1c..=0x1f => control(c - 0x1c + b'4'),
        first => character(bytes, first),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one shape for all that `step` calls"
)]
fn plain(code: KeyCode) -> Option<(Option<KeyEvent>, usize)> {
    Some((Some(KeyEvent::from(code)), 1))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "one shape for all that `step` calls"
)]
fn control(letter: u8) -> Option<(Option<KeyEvent>, usize)> {
    let key = KeyEvent::new(KeyCode::Char(char::from(letter)), KeyModifiers::CONTROL);
    Some((Some(key), 1))
}

fn character(bytes: &[u8], first: u8) -> Option<(Option<KeyEvent>, usize)> {
    let length = match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Some((None, 1)),
    };
    let text = bytes.get(..length)?;
    let key = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.chars().next())
        .map(|c| KeyEvent::from(KeyCode::Char(c)));
    Some((key, if key.is_some() { length } else { 1 }))
}

/// Everything that begins with ESC. A lone ESC is the key only if nothing follows; the caller decides when to stop waiting.
fn escape(bytes: &[u8]) -> Option<(Option<KeyEvent>, usize)> {
    match bytes.get(1)? {
        b'[' => csi(bytes),
        b'O' => {
            let code = match bytes.get(2)? {
                b'A' => KeyCode::Up,
                b'B' => KeyCode::Down,
                b'C' => KeyCode::Right,
                b'D' => KeyCode::Left,
                b'H' => KeyCode::Home,
                b'F' => KeyCode::End,
                b'P' => KeyCode::F(1),
                b'Q' => KeyCode::F(2),
                _ => return Some((None, 3)),
            };
            Some((Some(KeyEvent::from(code)), 3))
        }
        // Strings (APC, OSC, DCS, PM): to the terminator.
        b'_' | b']' | b'P' | b'^' => {
            let end = bytes[2..]
                .iter()
                .position(|b| *b == 0x07 || *b == 0x1b)
                .map(|at| at + 2)?;
            let length = if bytes[end] == 0x07 {
                end + 1
            } else {
                bytes.get(end + 1)?;
                end + 2
            };
            Some((None, length))
        }
        0x1b => Some((Some(KeyEvent::from(KeyCode::Esc)), 1)),
        _ => {
            let (key, length) = step(&bytes[1..])?;
            let key = key.map(|key| KeyEvent::new(key.code, key.modifiers | KeyModifiers::ALT));
            Some((key, length + 1))
        }
    }
}

fn csi(bytes: &[u8]) -> Option<(Option<KeyEvent>, usize)> {
    let end = 2 + bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b))?;
    let code = match (&bytes[2..end], bytes[end]) {
        (_, b'A') => Some(KeyCode::Up),
        (_, b'B') => Some(KeyCode::Down),
        (_, b'C') => Some(KeyCode::Right),
        (_, b'D') => Some(KeyCode::Left),
        (_, b'H') | (b"1" | b"7", b'~') => Some(KeyCode::Home),
        (_, b'F') | (b"4" | b"8", b'~') => Some(KeyCode::End),
        (b"5", b'~') => Some(KeyCode::PageUp),
        (b"6", b'~') => Some(KeyCode::PageDown),
        (b"11", b'~') => Some(KeyCode::F(1)),
        (b"12", b'~') => Some(KeyCode::F(2)),
        (b"3", b'~') => Some(KeyCode::Delete),
        _ => None,
    };
    Some((code.map(KeyEvent::from), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(bytes: &[u8]) -> Vec<KeyCode> {
        decode(bytes).0.into_iter().map(|key| key.code).collect()
    }

    #[test]
    fn letters_arrows_and_control_keys_come_out_in_order() {
        assert_eq!(
            codes("j\u{1b}[Bé\r\u{1b}[5~".as_bytes()),
            [
                KeyCode::Char('j'),
                KeyCode::Down,
                KeyCode::Char('é'),
                KeyCode::Enter,
                KeyCode::PageUp
            ]
        );
        assert_eq!(codes(b"\x1bOQ\x1b[12~\x1bOP"), [2, 2, 1].map(KeyCode::F));
        let (keys, _) = decode(&[0x03]);
        assert_eq!(
            keys,
            [KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)]
        );
    }

    #[test]
    fn a_sequence_that_is_still_arriving_is_left_for_the_next_read() {
        assert_eq!(decode(b"j\x1b[").1, 2);
        assert_eq!(decode(b"j\x1b").1, 1);
        assert_eq!(decode(&"é".as_bytes()[..1]).1, 1);
    }

    #[test]
    fn answers_mouse_reports_and_strings_are_no_keys() {
        assert!(
            codes(b"\x1b[?62;4c\x1b[<35;10;10M\x1b_Gi=31;OK\x1b\\\x1b]11;rgb:0/0/0\x07").is_empty()
        );
    }

    #[test]
    fn no_sequence_of_bytes_panics() {
        for a in 0..=255_u8 {
            for b in 0..=255_u8 {
                for tail in [&b""[..], b"[", b"\x1b", b"1;2A", b"\xff"] {
                    let mut bytes = vec![a, b];
                    bytes.extend(tail);
                    let (_, left) = decode(&bytes);
                    assert!(left <= bytes.len());
                }
            }
        }
    }
}
