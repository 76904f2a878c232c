//! Colors: sRGB for files, linear light for mixing, OKLab (Ottosson 2020) for changing a color as an eye would see it.
//!
//! Elementary functions come from `libm`, so that a seed gives the same bytes on every machine.

use std::sync::LazyLock;

use serde::{Deserialize, Deserializer, de};

/// Linear-light RGB; 0..=1 is what a screen can show, values outside are allowed until a picture is written.
pub(crate) type Rgb = [f32; 3];

/// A color in OKLab: lightness 0..=1, and two opponent axes of about ±0.3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lab {
    pub(crate) l: f32,
    pub(crate) a: f32,
    pub(crate) b: f32,
}

impl Lab {
    pub(crate) fn of(rgb: Rgb) -> Self {
        let [r, g, b] = rgb.map(|v| v.max(0.0));
        let l = libm::cbrtf(0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b);
        let m = libm::cbrtf(0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b);
        let s = libm::cbrtf(0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b);
        Self {
            l: 0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            a: 1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            b: 0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        }
    }

    /// Lightness, chroma, and hue in degrees.
    pub(crate) fn from_polar(l: f32, chroma: f32, hue: f32) -> Self {
        let angle = hue.to_radians();
        Self {
            l,
            a: chroma * libm::cosf(angle),
            b: chroma * libm::sinf(angle),
        }
    }

    pub(crate) fn chroma(self) -> f32 {
        (self.a * self.a + self.b * self.b).sqrt()
    }

    /// In 0..360 degrees: red about 29, yellow 110, green 142, blue 264.
    pub(crate) fn hue(self) -> f32 {
        libm::atan2f(self.b, self.a).to_degrees().rem_euclid(360.0)
    }

    pub(crate) fn with_chroma_times(self, factor: f32) -> Self {
        Self {
            l: self.l,
            a: self.a * factor,
            b: self.b * factor,
        }
    }

    pub(crate) fn toward(self, other: Self, t: f32) -> Self {
        Self {
            l: self.l + (other.l - self.l) * t,
            a: self.a + (other.a - self.a) * t,
            b: self.b + (other.b - self.b) * t,
        }
    }

    fn unclipped(self) -> Rgb {
        let l = self.l + 0.396_337_78 * self.a + 0.215_803_76 * self.b;
        let m = self.l - 0.105_561_346 * self.a - 0.063_854_17 * self.b;
        let s = self.l - 0.089_484_18 * self.a - 1.291_485_5 * self.b;
        let (l, m, s) = (l * l * l, m * m * m, s * s * s);
        [
            4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
            -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
            -0.004_196_086 * l - 0.703_418_6 * m + 1.707_614_7 * s,
        ]
    }

    /// Back to linear RGB. A color no screen can show gives up chroma, keeping its lightness and hue.
    pub(crate) fn rgb(self) -> Rgb {
        let lightness = self.l.clamp(0.0, 1.0);
        let lab = Self {
            l: lightness,
            ..self
        };
        let rgb = lab.unclipped();
        if shown(rgb) {
            return rgb;
        }
        let (mut inside, mut outside) = (0.0_f32, 1.0_f32);
        for _ in 0..8 {
            let middle = f32::midpoint(inside, outside);
            if shown(lab.with_chroma_times(middle).unclipped()) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        lab.with_chroma_times(inside).unclipped()
    }
}

fn shown(rgb: Rgb) -> bool {
    rgb.iter().all(|v| (-0.002..=1.002).contains(v))
}

/// Linear light of each sRGB byte.
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    let mut table = [0.0; 256];
    for (byte, entry) in (0_u8..=255).zip(&mut table) {
        *entry = decoded(f32::from(byte) / 255.0);
    }
    table
});

pub(crate) fn linear(byte: u8) -> f32 {
    LINEAR[usize::from(byte)]
}

/// The sRGB transfer function, from code value to light, both 0..=1.
pub(crate) fn decoded(v: f32) -> f32 {
    if v <= 0.040_45 {
        v / 12.92
    } else {
        libm::powf((v + 0.055) / 1.055, 2.4)
    }
}

/// From light to code value, both 0..=1; what lies outside is clipped.
pub(crate) fn encoded(v: f32) -> f32 {
    let v = v.clamp(0.0, 1.0);
    if v <= 0.003_130_8 {
        v * 12.92
    } else {
        1.055 * libm::powf(v, 1.0 / 2.4) - 0.055
    }
}

/// A code value 0..=1 as a byte, rounded.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255 in the same expression"
)]
pub(crate) fn byte(v: f32) -> u8 {
    (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

/// A color as a recipe writes it: `"#rrggbb"`, in sRGB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ink(pub(crate) Rgb);

impl Ink {
    /// From sRGB bytes, `0xrrggbb`.
    pub(crate) fn hex(value: u32) -> Self {
        let [_, r, g, b] = value.to_be_bytes();
        Self([linear(r), linear(g), linear(b)])
    }

    pub(crate) fn lab(self) -> Lab {
        Lab::of(self.0)
    }
}

impl<'de> Deserialize<'de> for Ink {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix('#')
            .filter(|digits| digits.len() == 6)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .map(Self::hex)
            .ok_or_else(|| de::Error::custom(format!("'{text}' is not a color like '#a0b0c0'")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_and_back_is_the_same_color() {
        for value in [0x00_0000, 0xff_ffff, 0x12_80f0, 0xff_0000, 0x30_a010] {
            let rgb = Ink::hex(value).0;
            for (back, was) in Lab::of(rgb).rgb().iter().zip(rgb) {
                assert!((back - was).abs() < 2e-3, "{value:06x}: {back} {was}");
            }
        }
    }

    #[test]
    fn an_impossible_color_keeps_its_lightness_and_hue() {
        let wish = Lab::from_polar(0.5, 0.9, 150.0);
        let got = Lab::of(wish.rgb());
        assert!((got.l - 0.5).abs() < 0.02, "{got:?}");
        assert!((got.hue() - 150.0).abs() < 3.0, "{got:?}");
        assert!(got.chroma() < 0.3);
    }

    #[test]
    fn every_byte_survives_linear_light() {
        for value in 0..=255 {
            assert_eq!(byte(encoded(linear(value))), value);
        }
    }
}
