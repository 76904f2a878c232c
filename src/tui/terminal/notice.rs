//! Telling of something where nobody looks: a bell, or a notice that the terminal shows on the desktop.

use crate::config::Notify;
use crate::domain::text::printable;

/// What a terminal gets to tell of `words`, if anything. The notice is OSC 9, which most terminals that show any know; the others pass
/// over it.
pub(crate) fn notice(how: Notify, words: &str) -> Vec<u8> {
    match how {
        Notify::Off => Vec::new(),
        Notify::Bell => b"\x07".to_vec(),
        // Nothing in the words can end it, as control characters are out.
        Notify::Desktop => format!("\x1b]9;erw: {}\x1b\\", printable(words)).into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_data_cannot_end_the_notice_early() {
        assert!(notice(Notify::Off, "a").is_empty());
        assert_eq!(notice(Notify::Bell, "a"), b"\x07");
        let bytes = notice(Notify::Desktop, "a\x07b\x1b\\c");
        assert_eq!(bytes, b"\x1b]9;erw: a b \\c\x1b\\");
    }
}
