//! Colours as numbers: reading them, mixing them, and how well one reads on another (WCAG 2). Knows no roles.

use ratatui::style::Color;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Reads `#rrggbb` or `#rgb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            6 => {
                let [_, r, g, b] = number.to_be_bytes();
                Some(Self(r, g, b))
            }
            3 => {
                let [high, low] = (u16::try_from(number).ok()?).to_be_bytes();
                Some(Self(high * 17, (low >> 4) * 17, (low & 15) * 17))
            }
            _ => None,
        }
    }

    /// The colour as ratatui takes it.
    pub const fn color(self) -> Color {
        Color::Rgb(self.0, self.1, self.2)
    }

    /// The colour that ratatui holds, if it is a true one.
    pub const fn of(color: Color) -> Option<Self> {
        match color {
            Color::Rgb(r, g, b) => Some(Self(r, g, b)),
            _ => None,
        }
    }

    /// Relative luminance, 0 (black) to 1 (white): WCAG 2.2, "relative luminance".
    pub fn luminance(self) -> f64 {
        let [r, g, b] = [self.0, self.1, self.2].map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    /// Contrast ratio with another colour, 1 to 21: WCAG 2.2, "contrast ratio".
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// `self` with `share` (0..=1) of `other` mixed in.
    #[must_use]
    pub fn mix(self, other: Self, share: f64) -> Self {
        let share = share.clamp(0.0, 1.0);
        let part = |a: u8, b: u8| byte(f64::from(a) + (f64::from(b) - f64::from(a)) * share);
        Self(
            part(self.0, other.0),
            part(self.1, other.1),
            part(self.2, other.2),
        )
    }

    /// Black or white, whichever reads better on this colour; the ratio is never below 4.5.
    #[must_use]
    pub fn ink(self) -> Self {
        const BLACK: Rgb = Rgb(0, 0, 0);
        const WHITE: Rgb = Rgb(255, 255, 255);
        if self.contrast(BLACK) >= self.contrast(WHITE) {
            BLACK
        } else {
            WHITE
        }
    }

    /// The nearest of the 240 fixed colours of a 256-colour terminal (16-231 the cube, 232-255 the greys).
    pub fn indexed(self) -> u8 {
        const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
        let nearest = |v: u8| {
            (0_u8..6)
                .min_by_key(|&i| STEPS[usize::from(i)].abs_diff(v))
                .unwrap_or(0)
        };
        let [r, g, b] = [self.0, self.1, self.2].map(nearest);
        let cube = Self(
            STEPS[usize::from(r)],
            STEPS[usize::from(g)],
            STEPS[usize::from(b)],
        );
        let mean = (u16::from(self.0) + u16::from(self.1) + u16::from(self.2)) / 3;
        let step = u8::try_from(mean.saturating_sub(3) / 10)
            .unwrap_or(23)
            .min(23);
        let level = 8 + 10 * step;
        let grey = Self(level, level, level);
        if self.distance(grey) < self.distance(cube) {
            232 + step
        } else {
            16 + 36 * r + 6 * g + b
        }
    }

    fn distance(self, other: Self) -> u32 {
        [(self.0, other.0), (self.1, other.1), (self.2, other.2)]
            .iter()
            .map(|&(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum()
    }
}

/// One sRGB channel as linear light, 0..=1.
fn linear(channel: u8) -> f64 {
    let c = f64::from(channel) / 255.0;
    if c <= 0.04045 {
        c / 12.92
    } else {
        ((c + 0.055) / 1.055).powf(2.4)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of a byte"
)]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_colours_are_read_in_both_lengths_and_nothing_else_is() {
        assert_eq!(Rgb::parse("#1b1E24"), Some(Rgb(0x1b, 0x1e, 0x24)));
        assert_eq!(Rgb::parse("#f0a"), Some(Rgb(0xff, 0, 0xaa)));
        for bad in [
            "", "#", "1b1e24", "#12345", "#+12345", "#ggg", "#1234567", "#é",
        ] {
            assert_eq!(Rgb::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn contrast_is_21_between_black_and_white_and_4_48_for_the_textbook_grey() {
        assert!((Rgb(0, 0, 0).contrast(Rgb(255, 255, 255)) - 21.0).abs() < 1e-9);
        assert!((Rgb(0x77, 0x77, 0x77).contrast(Rgb(255, 255, 255)) - 4.478).abs() < 1e-3);
    }

    #[test]
    fn ink_reads_on_every_grey_and_every_corner() {
        for v in 0..=255 {
            for ground in [
                Rgb(v, v, v),
                Rgb(v, 0, 0),
                Rgb(0, v, 0),
                Rgb(0, 0, v),
                Rgb(v, 255 - v, 0),
            ] {
                assert!(ground.contrast(ground.ink()) >= 4.5, "{ground:?}");
            }
        }
    }

    #[test]
    fn the_256_palette_keeps_its_own_colours() {
        assert_eq!(Rgb(255, 0, 0).indexed(), 196);
        assert_eq!(Rgb(0, 0, 0).indexed(), 16);
        assert_eq!(Rgb(0x08, 0x08, 0x08).indexed(), 232);
        assert_eq!(Rgb(0x76, 0x76, 0x76).indexed(), 243);
        assert_eq!(Rgb(255, 255, 255).indexed(), 231);
    }
}
