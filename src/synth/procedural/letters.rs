//! Capital letters to write into pictures: seven rows of five dots each, drawn large with smooth edges.
//!
//! The shapes are those of the usual 5 × 7 dot-matrix displays, column by column, lowest bit at the top.

/// Dots across and down one letter.
pub(super) const WIDE: usize = 5;
pub(super) const HIGH: usize = 7;

/// Whether a letter has a dot there; other characters have none.
pub(super) fn dot(letter: char, x: usize, y: usize) -> bool {
    let Some(at) = letter
        .is_ascii_uppercase()
        .then(|| letter as usize - 'A' as usize)
    else {
        return false;
    };
    x < WIDE && y < HIGH && LETTERS[at][x] >> y & 1 == 1
}

#[rustfmt::skip]
const LETTERS: [[u8; WIDE]; 26] = [
    [0x7e, 0x11, 0x11, 0x11, 0x7e], // A
    [0x7f, 0x49, 0x49, 0x49, 0x36], // B
    [0x3e, 0x41, 0x41, 0x41, 0x22], // C
    [0x7f, 0x41, 0x41, 0x22, 0x1c], // D
    [0x7f, 0x49, 0x49, 0x49, 0x41], // E
    [0x7f, 0x09, 0x09, 0x09, 0x01], // F
    [0x3e, 0x41, 0x49, 0x49, 0x7a], // G
    [0x7f, 0x08, 0x08, 0x08, 0x7f], // H
    [0x00, 0x41, 0x7f, 0x41, 0x00], // I
    [0x20, 0x40, 0x41, 0x3f, 0x01], // J
    [0x7f, 0x08, 0x14, 0x22, 0x41], // K
    [0x7f, 0x40, 0x40, 0x40, 0x40], // L
    [0x7f, 0x02, 0x0c, 0x02, 0x7f], // M
    [0x7f, 0x04, 0x08, 0x10, 0x7f], // N
    [0x3e, 0x41, 0x41, 0x41, 0x3e], // O
    [0x7f, 0x09, 0x09, 0x09, 0x06], // P
    [0x3e, 0x41, 0x51, 0x21, 0x5e], // Q
    [0x7f, 0x09, 0x19, 0x29, 0x46], // R
    [0x46, 0x49, 0x49, 0x49, 0x31], // S
    [0x01, 0x01, 0x7f, 0x01, 0x01], // T
    [0x3f, 0x40, 0x40, 0x40, 0x3f], // U
    [0x1f, 0x20, 0x40, 0x20, 0x1f], // V
    [0x3f, 0x40, 0x38, 0x40, 0x3f], // W
    [0x63, 0x14, 0x08, 0x14, 0x63], // X
    [0x07, 0x08, 0x70, 0x08, 0x07], // Y
    [0x61, 0x51, 0x49, 0x45, 0x43], // Z
];

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(letter: char) -> String {
        let mut text = String::new();
        for y in 0..HIGH {
            for x in 0..WIDE {
                text.push(if dot(letter, x, y) { '#' } else { '.' });
            }
            text.push('\n');
        }
        text
    }

    #[test]
    fn a_letter_looks_like_itself() {
        assert_eq!(
            drawn('E'),
            "#####\n#....\n#....\n####.\n#....\n#....\n#####\n"
        );
        assert_eq!(
            drawn('T'),
            "#####\n..#..\n..#..\n..#..\n..#..\n..#..\n..#..\n"
        );
    }

    #[test]
    fn no_two_letters_are_alike_and_others_are_empty() {
        let mut all: Vec<String> = ('A'..='Z').map(drawn).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 26);
        assert!(!drawn('é').contains('#'));
    }
}
