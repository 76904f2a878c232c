//! Kitty's graphics protocol: an image is sent once under a number, and then shown wherever cells hold placeholders that
//! name it. Ours instead of ratatui-image's for four reasons: numbers are known, so that images can be deleted again; the
//! sending is apart from the cells, so that an overlay drawn on the first cell cannot lose it; every placeholder states its
//! row and column, so that a half-covered image stays right; and PNG is a third of the bytes.
//!
//! <https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders>

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;

use super::probe::wrapped;

/// The character that stands for one cell of an image.
const PLACEHOLDER: char = '\u{10EEEE}';

/// Rows and columns that a placeholder can name.
pub(super) const MOST_CELLS: u16 = 297;

/// The combining marks that number rows and columns, as runs of (first, how many); kitty's `rowcolumn-diacritics.txt`.
const MARKS: [(u32, u32); 86] = [
    (0x305, 1),
    (0x30d, 2),
    (0x310, 1),
    (0x312, 1),
    (0x33d, 3),
    (0x346, 1),
    (0x34a, 3),
    (0x350, 3),
    (0x357, 1),
    (0x35b, 1),
    (0x363, 13),
    (0x483, 5),
    (0x592, 4),
    (0x597, 3),
    (0x59c, 6),
    (0x5a8, 2),
    (0x5ab, 2),
    (0x5af, 1),
    (0x5c4, 1),
    (0x610, 8),
    (0x657, 5),
    (0x65d, 2),
    (0x6d6, 7),
    (0x6df, 4),
    (0x6e4, 1),
    (0x6e7, 2),
    (0x6eb, 2),
    (0x730, 1),
    (0x732, 2),
    (0x735, 2),
    (0x73a, 1),
    (0x73d, 1),
    (0x73f, 3),
    (0x743, 1),
    (0x745, 1),
    (0x747, 1),
    (0x749, 2),
    (0x7eb, 7),
    (0x7f3, 1),
    (0x816, 4),
    (0x81b, 9),
    (0x825, 3),
    (0x829, 5),
    (0x951, 1),
    (0x953, 2),
    (0xf82, 2),
    (0xf86, 2),
    (0x135d, 3),
    (0x17dd, 1),
    (0x193a, 1),
    (0x1a17, 1),
    (0x1a75, 8),
    (0x1b6b, 1),
    (0x1b6d, 7),
    (0x1cd0, 3),
    (0x1cda, 2),
    (0x1ce0, 1),
    (0x1dc0, 2),
    (0x1dc3, 7),
    (0x1dcb, 2),
    (0x1dd1, 22),
    (0x1dfe, 1),
    (0x20d0, 2),
    (0x20d4, 4),
    (0x20db, 2),
    (0x20e1, 1),
    (0x20e7, 1),
    (0x20e9, 1),
    (0x20f0, 1),
    (0x2cef, 3),
    (0x2de0, 32),
    (0xa66f, 1),
    (0xa67c, 2),
    (0xa6f0, 2),
    (0xa8e0, 18),
    (0xaab0, 1),
    (0xaab2, 2),
    (0xaab7, 2),
    (0xaabe, 2),
    (0xaac1, 1),
    (0xfe20, 7),
    (0x10a0f, 1),
    (0x10a38, 1),
    (0x1d185, 5),
    (0x1d1aa, 4),
    (0x1d242, 3),
];

/// The mark for a row or column below [`MOST_CELLS`].
fn mark(number: u16) -> Option<char> {
    let mut left = u32::from(number);
    for (first, run) in MARKS {
        if left < run {
            return char::from_u32(first + left);
        }
        left -= run;
    }
    None
}

/// Gives out image numbers, and knows which images the terminal holds. Clones share.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    next: Arc<AtomicU32>,
    live: Arc<Mutex<BTreeSet<u32>>>,
    wrap: Arc<AtomicBool>,
}

impl Numbers {
    /// Begins at a random number: another program in another pane of the same tmux may be numbering images, too.
    pub(super) fn new(wrap: bool) -> Self {
        let seed = RandomState::new().hash_one(std::process::id());
        Self {
            next: Arc::new(AtomicU32::new(u32::try_from(seed >> 40).unwrap_or(1))),
            live: Arc::default(),
            wrap: Arc::new(AtomicBool::new(wrap)),
        }
    }

    /// Whether sequences are wrapped for tmux from here on.
    pub(super) fn set_wrap(&self, wrap: bool) {
        self.wrap.store(wrap, Ordering::Relaxed);
    }

    fn wrap(&self) -> bool {
        self.wrap.load(Ordering::Relaxed)
    }

    /// Numbers stay within 24 bits, which a cell's colour can carry, and are never 0.
    fn give(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed) % 0x00ff_ffff + 1
    }

    fn held(&self, number: u32) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(number);
    }

    /// What deletes one image from the terminal, if it is there.
    pub(super) fn delete(&self, number: u32) -> Vec<u8> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.remove(&number) {
            deletion(number, self.wrap())
        } else {
            Vec::new()
        }
    }

    /// What deletes every image from the terminal. Never waits, so that a panic hook can call it: if the list is being
    /// changed at this very moment, nothing is deleted, and the terminal's own quota must do.
    pub(super) fn delete_all(&self) -> Vec<u8> {
        let Ok(mut live) = self.live.try_lock() else {
            return Vec::new();
        };
        std::mem::take(&mut *live)
            .into_iter()
            .flat_map(|number| deletion(number, self.wrap()))
            .collect()
    }

    fn is_held(&self, number: u32) -> bool {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.contains(&number)
    }
}

fn deletion(number: u32, wrap: bool) -> Vec<u8> {
    command(&format!("a=d,d=I,i={number},q=2"), "", wrap).into_bytes()
}

fn command(keys: &str, payload: &str, wrap: bool) -> String {
    let plain = format!("\x1b_G{keys};{payload}\x1b\\");
    if wrap { wrapped(&plain) } else { plain }
}

/// One image, ready to be sent and shown.
#[derive(Debug)]
pub(super) struct KittyImage {
    number: u32,
    size: Size,
    /// The sequences that send it.
    transmission: Vec<u8>,
    /// It was drawn into a frame since it was last sent.
    drawn: AtomicBool,
    numbers: Numbers,
}

impl KittyImage {
    /// From a PNG, to be shown over `size` cells (at most [`MOST_CELLS`] each way); the terminal scales it to fit.
    pub(super) fn new(png: &[u8], size: Size, numbers: &Numbers) -> Self {
        let number = numbers.give();
        Self {
            number,
            size,
            transmission: transmission(png, size, number, numbers.wrap()),
            drawn: AtomicBool::new(false),
            numbers: numbers.clone(),
        }
    }

    pub(super) const fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn bytes(&self) -> usize {
        self.transmission.len()
    }

    /// What the terminal must get before the next frame: the image, if it is to be shown and is not there.
    pub(super) fn due(&self) -> Option<&[u8]> {
        if !self.drawn.swap(false, Ordering::Relaxed) || self.numbers.is_held(self.number) {
            return None;
        }
        self.numbers.held(self.number);
        Some(&self.transmission)
    }

    /// Fills `area` (no larger than the image) with placeholders.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer) {
        self.drawn.store(true, Ordering::Relaxed);
        let [_, r, g, b] = self.number.to_be_bytes();
        let one = CellDiffOption::ForcedWidth(NonZeroU16::MIN);
        let mut symbol = String::with_capacity(12);
        for row in 0..area.height.min(self.size.height) {
            for column in 0..area.width.min(self.size.width) {
                let (Some(row_mark), Some(column_mark)) = (mark(row), mark(column)) else {
                    continue;
                };
                let Some(cell) = buffer.cell_mut((area.x + column, area.y + row)) else {
                    continue;
                };
                symbol.clear();
                symbol.extend([PLACEHOLDER, row_mark, column_mark]);
                cell.set_symbol(&symbol)
                    .set_fg(Color::Rgb(r, g, b))
                    .set_diff_option(one);
            }
        }
    }
}

/// Sends the image and makes the virtual placement that placeholders refer to. `q=2`: no answers, which would be typing.
fn transmission(png: &[u8], size: Size, number: u32, wrap: bool) -> Vec<u8> {
    /// Of base64, as the protocol allows in one command.
    const CHUNK: usize = 4096;
    let text = base64(png);
    let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 128);
    let mut chunks = text.as_bytes().chunks(CHUNK).peekable();
    let mut first = true;
    while let Some(chunk) = chunks.next() {
        let more = u8::from(chunks.peek().is_some());
        let keys = if first {
            let Size { width, height } = size;
            format!("q=2,i={number},a=T,U=1,f=100,t=d,c={width},r={height},m={more}")
        } else {
            format!("q=2,m={more}")
        };
        first = false;
        let chunk = std::str::from_utf8(chunk).unwrap_or_default();
        out.extend(command(&keys, chunk, wrap).into_bytes());
    }
    out
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for triple in bytes.chunks(3) {
        let byte = |i: usize| u32::from(triple.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            if i <= triple.len() {
                let sextet = bits >> (18 - 6 * i) & 63;
                out.push(char::from(ALPHABET[sextet as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_follow_the_published_table() {
        assert_eq!(mark(0), Some('\u{305}'));
        assert_eq!(mark(1), Some('\u{30d}'));
        assert_eq!(mark(2), Some('\u{30e}'));
        assert_eq!(mark(30), Some('\u{483}'));
        assert_eq!(mark(MOST_CELLS - 1), Some('\u{1d244}'));
        assert_eq!(mark(MOST_CELLS), None);
        let all: BTreeSet<_> = (0..MOST_CELLS).filter_map(mark).collect();
        assert_eq!(all.len(), usize::from(MOST_CELLS));
    }

    #[test]
    fn marks_are_those_of_ratatui_image() {
        use ratatui_image::protocol::{Protocol, kitty::Kitty};
        let size = Size::new(1, MOST_CELLS);
        let theirs = Kitty::new(image::DynamicImage::new_rgb8(1, 1), size, 1, false, false);
        let protocol = Protocol::Kitty(theirs.unwrap());
        let area = Rect::new(0, 0, size.width, size.height);
        let mut buffer = Buffer::empty(area);
        ratatui::widgets::Widget::render(ratatui_image::Image::new(&protocol), area, &mut buffer);
        for row in 1..MOST_CELLS {
            let cell = buffer[(0, row)].symbol();
            assert_eq!(cell.chars().nth(1), mark(row), "row {row}");
        }
    }

    #[test]
    fn base64_equals_the_rfcs_vectors() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn an_image_is_sent_when_drawn_once_and_again_after_it_was_deleted() {
        let numbers = Numbers::new(false);
        let image = KittyImage::new(&[7; 9000], Size::new(2, 1), &numbers);
        assert!(image.due().is_none(), "not drawn yet");
        let area = Rect::new(0, 0, 2, 1);
        let mut buffer = Buffer::empty(area);
        image.render(area, &mut buffer);
        let sent = String::from_utf8(image.due().unwrap().to_vec()).unwrap();
        assert_eq!(sent.matches("\x1b_G").count(), 3);
        assert!(sent.starts_with(&format!(
            "\x1b_Gq=2,i={},a=T,U=1,f=100,t=d,c=2,r=1,m=1;",
            image.number()
        )));
        assert!(sent.contains("\x1b_Gq=2,m=0;"));
        image.render(area, &mut buffer);
        assert!(image.due().is_none(), "the terminal has it");
        let bye = String::from_utf8(numbers.delete_all()).unwrap();
        assert_eq!(
            bye,
            format!("\x1b_Ga=d,d=I,i={},q=2;\x1b\\", image.number())
        );
        assert!(numbers.delete_all().is_empty());
        image.render(area, &mut buffer);
        assert!(image.due().is_some());
    }

    #[test]
    fn every_placeholder_names_its_image_its_row_and_its_column() {
        let numbers = Numbers::new(false);
        let image = KittyImage::new(b"png", Size::new(3, 2), &numbers);
        let area = Rect::new(1, 1, 3, 2);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 5, 4));
        image.render(area, &mut buffer);
        let cell = &buffer[(3, 2)];
        let expected: String = [PLACEHOLDER, mark(1).unwrap(), mark(2).unwrap()]
            .iter()
            .collect();
        assert_eq!(cell.symbol(), expected);
        let [_, r, g, b] = image.number().to_be_bytes();
        assert_eq!(cell.fg, Color::Rgb(r, g, b));
        assert_eq!(buffer[(0, 0)].symbol(), " ");
        assert_eq!(buffer[(4, 1)].symbol(), " ");
    }

    #[test]
    fn in_tmux_each_command_is_wrapped_by_itself() {
        let numbers = Numbers::new(true);
        let image = KittyImage::new(&[1; 4000], Size::new(1, 1), &numbers);
        let text = String::from_utf8(image.transmission).unwrap();
        assert_eq!(text.matches("\x1bPtmux;\x1b\x1b_G").count(), 2);
        assert_eq!(text.matches("\x1b\x1b\\\x1b\\").count(), 2);
    }
}
