//! Asking the terminal what it can do, once, before input starts. Only bytes: what to write, and what the answers mean; the
//! terminal's reader and writer are elsewhere. What a person typed meanwhile is handed back, never swallowed.

use super::protocol::{Environment, Multiplexer};

/// Longest answer taken for one; a string that goes on for longer is not an answer.
const LONGEST: usize = 1024;

/// The questions for one terminal.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// Ask for graphics and version at all.
    curious: bool,
    /// Ask the terminal around tmux, too.
    outer: bool,
    /// Inside tmux, whose own graphics are never kitty's.
    tmux: bool,
}

/// What the terminal said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// It knows kitty's graphics protocol (not yet: its placeholders).
    pub kitty: bool,
    /// It has sixel.
    pub sixel: bool,
    /// Width and height of a character cell in pixels.
    pub cell: Option<(u16, u16)>,
    /// Its background.
    pub background: Option<(u8, u8, u8)>,
    /// Its name and version as it gives them (XTVERSION): "kitty(0.35.2)", "XTerm(390)".
    pub terminal: Option<String>,
    /// Inside tmux, the name and version of the terminal around it.
    pub outer: Option<String>,
    /// The last question has been answered: nothing more will come.
    pub complete: bool,
    /// Everything else, in order: what a person typed.
    pub keys: Vec<u8>,
}

impl Answer {
    /// Where the terminal did not tell the size of its cells (xterm does not, unless allowed to), from the size of the window in
    /// cells and in pixels, which the kernel may know.
    #[must_use]
    pub fn or_cell_of_window(mut self, columns: u16, rows: u16, width: u16, height: u16) -> Self {
        if self.cell.is_none() && columns > 0 && rows > 0 {
            self.cell = sane_cell(width / columns, height / rows);
        }
        self
    }
}

impl Probe {
    /// The questions that suit this environment.
    pub fn new(environment: &Environment) -> Self {
        let tmux = environment.multiplexer == Some(Multiplexer::Tmux);
        Self {
            curious: !environment.prints_unknown_sequences(),
            outer: tmux && environment.passthrough,
            tmux,
        }
    }

    /// What to write to the terminal, in one go.
    pub fn query_bytes(&self) -> Vec<u8> {
        const KITTY: &str = "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\";
        const VERSION: &str = "\x1b[>0q";
        // Cell size in pixels, background, device attributes, and, since every terminal answers it, status last.
        const REST: &str = "\x1b[16t\x1b]11;?\x1b\\\x1b[c\x1b[5n";
        let mut query = String::new();
        if self.outer {
            for part in [KITTY, VERSION, "\x1b[5n"] {
                query.push_str(&wrapped(part));
            }
        }
        if self.curious {
            if !self.tmux {
                query.push_str(KITTY);
            }
            query.push_str(VERSION);
        }
        query.push_str(REST);
        query.into_bytes()
    }

    /// What the bytes read so far mean. Give it everything since the query each time: an answer cut in half is neither an
    /// answer nor typing until the rest is there.
    pub fn parse(&self, bytes: &[u8]) -> Answer {
        let mut answer = Answer::default();
        let mut versions = Vec::new();
        let mut statuses = 0;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (length, piece) = next_piece(rest);
            match piece {
                Piece::Typed => answer.keys.extend_from_slice(&rest[..length]),
                Piece::Kitty(supported) => answer.kitty |= supported,
                Piece::Version(name) => versions.push(name),
                Piece::Background(rgb) => answer.background = answer.background.or(Some(rgb)),
                Piece::Attributes { sixel } => answer.sixel |= sixel,
                Piece::CellSize(cell) => answer.cell = answer.cell.or(Some(cell)),
                Piece::Status => statuses += 1,
                Piece::Ignored => {}
            }
            rest = &rest[length..];
        }
        // tmux answers for itself at once; what comes through it may come before or after.
        for name in versions {
            if self.tmux && !name.starts_with("tmux") {
                answer.outer = Some(name);
            } else {
                answer.terminal = Some(name);
            }
        }
        answer.complete = statuses >= if self.outer { 2 } else { 1 };
        answer
    }
}

/// A sequence wrapped for tmux to pass on.
pub(super) fn wrapped(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

/// One thing read from the terminal.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Typed,
    Kitty(bool),
    Version(String),
    Background((u8, u8, u8)),
    Attributes {
        sixel: bool,
    },
    CellSize((u16, u16)),
    Status,
    /// An answer to nothing we use, or a part of one.
    Ignored,
}

/// The first piece of `bytes` (not empty) and its length (at least 1).
fn next_piece(bytes: &[u8]) -> (usize, Piece) {
    match bytes {
        [0x1b, b'[', rest @ ..] => control_sequence(rest),
        // A string that could only be an answer: nobody types ESC _ G within one read.
        [0x1b, b'_', b'G', rest @ ..] => string(rest, 3, |body| {
            body.strip_prefix("i=31;")
                .map_or(Piece::Ignored, |status| Piece::Kitty(status == "OK"))
        }),
        [0x1b, b'P', b'>', b'|', rest @ ..] => string(rest, 4, |body| {
            Piece::Version(crate::domain::text::printable(body).trim().to_owned())
        }),
        [0x1b, b'P', b'>'] => (3, Piece::Ignored),
        [0x1b, b']', b'0'..=b'9', ..] => string(&bytes[2..], 2, |body| {
            body.strip_prefix("11;")
                .and_then(color)
                .map_or(Piece::Ignored, Piece::Background)
        }),
        // Function keys: ESC O and a letter.
        [0x1b, b'O', _, ..] => (3, Piece::Typed),
        // Alt and a key, or Escape alone.
        [0x1b, next, ..] if *next != 0x1b => (2, Piece::Typed),
        _ => (1, Piece::Typed),
    }
}

/// After `ESC [`: an answer, or a key that sends a sequence (arrows, mouse).
fn control_sequence(rest: &[u8]) -> (usize, Piece) {
    let end = rest
        .iter()
        .position(|b| !(0x20..=0x3f).contains(b))
        .filter(|end| *end < LONGEST);
    let Some(end) = end else {
        // Cut short, or endless.
        return (2 + rest.len(), Piece::Ignored);
    };
    let last = rest[end];
    if !(0x40..=0x7e).contains(&last) {
        // Broken off by something else, which is left to stand for itself.
        return (2 + end, Piece::Ignored);
    }
    let parameters = std::str::from_utf8(&rest[..end]).unwrap_or_default();
    let piece = match last {
        b'c' if parameters.starts_with('?') => Piece::Attributes {
            // The first number is the terminal's class, where 4 means something else.
            sixel: parameters[1..].split(';').skip(1).any(|p| p == "4"),
        },
        b'c' if parameters.starts_with(['>', '=']) => Piece::Ignored,
        b't' => cell_size(parameters).map_or(Piece::Ignored, Piece::CellSize),
        b'n' if parameters == "0" || parameters == "3" => Piece::Status,
        _ => Piece::Typed,
    };
    (2 + end + 1, piece)
}

fn cell_size(parameters: &str) -> Option<(u16, u16)> {
    let mut parts = parameters.split(';');
    if parts.next() != Some("6") {
        return None;
    }
    let height: u16 = parts.next()?.parse().ok()?;
    let width: u16 = parts.next()?.parse().ok()?;
    parts
        .next()
        .map_or_else(|| sane_cell(width, height), |_| None)
}

/// A cell of hundreds of pixels is a terminal for giants; of none, a terminal that does not know.
fn sane_cell(width: u16, height: u16) -> Option<(u16, u16)> {
    let sane = |v| (2..=256).contains(&v);
    (sane(width) && sane(height)).then_some((width, height))
}

/// A string up to its terminator (ST or BEL) after an introducer of `skip` bytes.
fn string(rest: &[u8], skip: usize, meaning: impl Fn(&str) -> Piece) -> (usize, Piece) {
    let end = rest
        .iter()
        .take(LONGEST)
        .position(|b| *b == 0x1b || *b == 0x07);
    let Some(end) = end else {
        return (skip + rest.len().min(LONGEST), Piece::Ignored);
    };
    let terminator = match rest[end..] {
        [0x07, ..] => 1,
        [0x1b, b'\\', ..] => 2,
        // Cut between the two bytes of its terminator.
        [0x1b] => return (skip + end + 1, Piece::Ignored),
        // Broken off by another sequence.
        _ => return (skip + end, Piece::Ignored),
    };
    let piece = std::str::from_utf8(&rest[..end]).map_or(Piece::Ignored, &meaning);
    (skip + end + terminator, piece)
}

/// X11's colour text, `rgb:rrrr/gggg/bbbb` with one to four digits a channel, or `rgba:`, as terminals write it.
fn color(text: &str) -> Option<(u8, u8, u8)> {
    let channels = text
        .strip_prefix("rgb:")
        .or_else(|| text.strip_prefix("rgba:"))?;
    let mut channels = channels.split('/').map(|digits| {
        if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let most = 16_u32.pow(u32::try_from(digits.len()).ok()?) - 1;
        u8::try_from((value * 255 + most / 2) / most).ok()
    });
    Some((channels.next()??, channels.next()??, channels.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Probe {
        Probe::new(&Environment::default())
    }

    fn in_tmux(passthrough: bool) -> Probe {
        Probe::new(&Environment {
            multiplexer: Some(Multiplexer::Tmux),
            passthrough,
            ..Environment::default()
        })
    }

    const KITTY: &[u8] = b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.35.2)\x1b\\\x1b[6;20;10t\x1b]11;rgb:1d1d/2020/2121\x1b\\\x1b[?62;c\x1b[0n";
    const XTERM: &[u8] = b"\x1bP>|XTerm(390)\x1b\\\x1b[6;13;6t\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?63;1;2;4;6;9;15;22c\x1b[0n";

    #[test]
    fn kitty_is_understood() {
        let answer = plain().parse(KITTY);
        assert_eq!(
            answer,
            Answer {
                kitty: true,
                cell: Some((10, 20)),
                background: Some((0x1d, 0x20, 0x21)),
                terminal: Some("kitty(0.35.2)".into()),
                complete: true,
                ..Answer::default()
            }
        );
    }

    #[test]
    fn xterm_as_vt340_is_understood() {
        let answer = plain().parse(XTERM);
        assert!(answer.sixel && !answer.kitty && answer.complete && answer.keys.is_empty());
        assert_eq!(answer.cell, Some((6, 13)));
        assert_eq!(answer.background, Some((255, 255, 255)));
    }

    #[test]
    fn a_terminal_of_class_4_has_no_sixel_for_that() {
        assert!(!plain().parse(b"\x1b[?4;6c").sixel);
        assert!(plain().parse(b"\x1b[?1;2;4c").sixel);
        assert!(!plain().parse(b"\x1b[?62;14;40c").sixel);
    }

    #[test]
    fn silence_is_not_complete() {
        assert_eq!(plain().parse(b""), Answer::default());
    }

    #[test]
    fn keys_typed_between_answers_come_back_in_order() {
        let mut bytes = b"jj".to_vec();
        bytes.extend(&KITTY[..12]);
        bytes.extend(b"\x1b[A\x1bOB/\xc3\xa9");
        bytes.extend(&KITTY[12..]);
        bytes.extend(b"\x1bxq\x1b");
        let answer = plain().parse(&bytes);
        assert!(answer.complete && answer.kitty);
        assert_eq!(answer.keys, b"jj\x1b[A\x1bOB/\xc3\xa9\x1bxq\x1b");
    }

    #[test]
    fn an_answer_cut_anywhere_is_not_typing_and_the_whole_is_the_same() {
        for bytes in [KITTY, XTERM] {
            let whole = plain().parse(bytes);
            for cut in 0..bytes.len() {
                let part = plain().parse(&bytes[..cut]);
                assert!(!part.complete, "{cut}");
                // At most the introducer alone, which could be a key so far.
                assert!(
                    part.keys.len() <= 2 && !part.keys.windows(3).any(|w| w == b"\x1b[6"),
                    "{cut}: {:?}",
                    part.keys
                );
            }
            assert_eq!(plain().parse(bytes), whole);
            assert!(whole.complete);
        }
    }

    #[test]
    fn errors_are_no_support() {
        let answer = plain().parse(b"\x1b_Gi=31;ENOTSUPPORTED:no\x1b\\\x1b[0n");
        assert!(!answer.kitty && answer.complete && answer.keys.is_empty());
    }

    #[test]
    fn nonsense_answers_are_passed_over() {
        for (bytes, what) in [
            (&b"\x1b[6;0;0t"[..], "a cell of nothing"),
            (b"\x1b[6;99999;99999t", "a cell beyond bounds"),
            (b"\x1b[8;24;80t", "another report"),
            (b"\x1b]11;rgb:zz/00/00\x07", "a colour that is none"),
            (b"\x1b]11;red\x07", "a colour by name"),
            (b"\x1bP>|\xff\xfe\x1b\\", "a name that is no text"),
        ] {
            assert_eq!(plain().parse(bytes), Answer::default(), "{what}");
        }
    }

    #[test]
    fn no_bytes_make_it_fall_over() {
        // A cheap generator is enough: escape-heavy bytes, all lengths.
        const ALPHABET: &[u8] = b"\x1b\x1b\x1b[]P_O>|G0123;:?/rgbctn\\\x07\x9b\xffq";
        let mut state = 1_u64;
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    ALPHABET[usize::try_from(state >> 40).unwrap() % ALPHABET.len()]
                })
                .collect();
            let answer = plain().parse(&bytes);
            assert!(answer.keys.len() <= bytes.len());
        }
    }

    #[test]
    fn an_endless_string_does_not_take_the_typing_after_it() {
        let mut bytes = b"\x1b_G".to_vec();
        bytes.extend([b'x'; LONGEST]);
        bytes.extend(b"jk");
        assert_eq!(plain().parse(&bytes).keys, b"jk");
    }

    #[test]
    fn a_window_tells_the_cell_that_the_terminal_did_not() {
        let silent = Answer::default().or_cell_of_window(80, 24, 880, 528);
        assert_eq!(silent.cell, Some((11, 22)));
        let told = plain().parse(KITTY).or_cell_of_window(80, 24, 880, 528);
        assert_eq!(told.cell, Some((10, 20)));
        let nothing = Answer::default().or_cell_of_window(80, 0, 0, 0);
        assert_eq!(nothing.cell, None);
    }

    #[test]
    fn short_and_long_colour_texts_scale_alike() {
        assert_eq!(color("rgb:f/8/0"), Some((255, 136, 0)));
        assert_eq!(color("rgb:ff/88/00"), Some((255, 136, 0)));
        assert_eq!(color("rgba:ffff/8888/0000/ffff"), Some((255, 136, 0)));
    }

    #[test]
    fn tmux_is_asked_itself_and_the_terminal_around_it_only_if_it_listens() {
        let closed = in_tmux(false).query_bytes();
        assert!(!closed.windows(2).any(|w| w == b"_G"));
        let open = String::from_utf8(in_tmux(true).query_bytes()).unwrap();
        assert!(open.starts_with("\x1bPtmux;\x1b\x1b_Gi=31"));
        assert!(open.ends_with("\x1b[c\x1b[5n"));

        let probe = in_tmux(true);
        let own = b"\x1bP>|tmux 3.5a\x1b\\\x1b[?1;2;4c\x1b[0n".as_slice();
        let outer = b"\x1b_Gi=31;OK\x1b\\\x1bP>|kitty(0.40.0)\x1b\\\x1b[0n".as_slice();
        assert!(!probe.parse(own).complete);
        for order in [[own, outer], [outer, own]] {
            let answer = probe.parse(&order.concat());
            assert!(answer.complete && answer.kitty);
            assert_eq!(answer.terminal.as_deref(), Some("tmux 3.5a"));
            assert_eq!(answer.outer.as_deref(), Some("kitty(0.40.0)"));
        }
    }

    #[test]
    fn terminals_that_print_what_they_do_not_know_are_not_asked_for_graphics() {
        let environment = Environment::from_lookup(|name| {
            (name == "TERM_PROGRAM").then(|| "Apple_Terminal".to_owned())
        });
        let query = Probe::new(&environment).query_bytes();
        assert!(!query.windows(2).any(|w| w == b"_G"));
        assert!(query.ends_with(b"\x1b[5n"));
    }
}
