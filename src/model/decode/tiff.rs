//! The first page of a TIFF: grey, RGB, CMYK, with or without alpha, 1 to 32 bits, by Pillow's rules for each. Its orientation
//! is always followed, as Pillow does. Palettes and plain YCbCr are refused; JPEG within a TIFF is read, but a value in a
//! hundred may be off by one level.

use std::io::Cursor;

use image::metadata::Orientation;
use tiff::ColorType;
use tiff::decoder::{BufferLayoutPreference, Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::{Failure, Rgb, check_size, clip, cmyk_to_rgb, drop_alpha, grey, high, upright};

/// The value of ExtraSamples for colours multiplied by their alpha.
const PREMULTIPLIED: u16 = 1;

pub(super) fn decode(bytes: &[u8]) -> Result<Rgb, Failure> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?.with_limits(Limits::unlimited());
    let (width, height) = decoder.dimensions()?;
    let (width, height) = check_size(width, height)?;
    let (color, channels) = match decoder.colortype() {
        Ok(color @ ColorType::Gray(_)) => (color, 1),
        Ok(ColorType::Multiband {
            bit_depth,
            num_samples: 2,
        }) => (ColorType::GrayA(bit_depth), 2),
        Ok(color @ ColorType::RGB(_)) => (color, 3),
        Ok(color @ (ColorType::RGBA(_) | ColorType::CMYK(_))) => (color, 4),
        Ok(color @ ColorType::CMYKA(_)) => (color, 5),
        Ok(other) => return Err(Failure::unsupported(&format!("a TIFF of {other:?}"))),
        Err(_) => {
            return Err(Failure::unsupported(
                "a TIFF with a palette or rarer colours",
            ));
        }
    };
    let orientation = decoder
        .find_tag_unsigned::<u8>(Tag::Orientation)?
        .and_then(Orientation::from_exif);
    let extra = decoder
        .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)?
        .unwrap_or_default();
    let mut data = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut data)?;
    let samples = match (color, data) {
        (ColorType::Gray(bits @ (1 | 2 | 4)), DecodingResult::U8(packed)) => {
            unpack(&packed, bits, width, &layout)
        }
        (_, data) => bytes_of(data, color)?,
    };
    let samples = interleave(samples, channels, &layout);
    if samples.len() < width * height * channels {
        return Err(Failure("the image is cut short; save it again".to_owned()));
    }
    let pixels = match color {
        ColorType::Gray(_) => grey(samples),
        ColorType::GrayA(_) => grey(samples.into_iter().step_by(2)),
        ColorType::RGB(_) => samples,
        ColorType::RGBA(_) if extra.first() == Some(&PREMULTIPLIED) => undo_alpha(&samples),
        ColorType::RGBA(_) => drop_alpha(&samples),
        ColorType::CMYK(_) => cmyk_to_rgb(&samples),
        _ => {
            let inks: Vec<u8> = samples
                .chunks_exact(channels)
                .flat_map(|pixel| &pixel[..4])
                .copied()
                .collect();
            cmyk_to_rgb(&inks)
        }
    };
    let image = Rgb {
        width,
        height,
        pixels,
    };
    Ok(orientation.map_or(image.clone(), |orientation| upright(&image, orientation)))
}

/// Samples as bytes: 16-bit grey clipped, 16-bit colour by its high byte, floats and wide integers clipped.
fn bytes_of(data: DecodingResult, color: ColorType) -> Result<Vec<u8>, Failure> {
    let alone = matches!(color, ColorType::Gray(_));
    Ok(match data {
        DecodingResult::U8(values) => values,
        DecodingResult::U16(values) if alone => values.into_iter().map(clip).collect(),
        DecodingResult::U16(values) => values.into_iter().map(high).collect(),
        DecodingResult::I16(values) if alone => clamp(values),
        DecodingResult::U32(values) if alone => clamp(values),
        DecodingResult::I32(values) if alone => clamp(values),
        DecodingResult::F32(values) if alone => values.into_iter().map(saturate).collect(),
        _ => {
            return Err(Failure::unsupported(&format!(
                "a TIFF of {color:?} in this number format"
            )));
        }
    })
}

fn clamp<T: Into<i64>>(values: Vec<T>) -> Vec<u8> {
    let byte = |value: T| u8::try_from(value.into().clamp(0, 255)).unwrap_or_default();
    values.into_iter().map(byte).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float to byte saturates and cuts the fraction, which is what Pillow does"
)]
const fn saturate(value: f32) -> u8 {
    value as u8
}

/// Spreads 1, 2 or 4 bits a sample to the full range of a byte.
fn unpack(packed: &[u8], bits: u8, width: usize, layout: &BufferLayoutPreference) -> Vec<u8> {
    let per_byte = usize::from(8 / bits);
    let most = (1_u8 << bits) - 1;
    let stride = layout
        .row_stride
        .map_or(width.div_ceil(per_byte), std::num::NonZero::get);
    let sample = |row: &[u8], x: usize| {
        let shift = 8 - usize::from(bits) * (x % per_byte + 1);
        ((row[x / per_byte] >> shift) & most) * (255 / most)
    };
    packed
        .chunks_exact(stride)
        .flat_map(|row| (0..width).map(move |x| sample(row, x)))
        .collect()
}

/// Planes one after the other become pixels one after the other.
fn interleave(samples: Vec<u8>, channels: usize, layout: &BufferLayoutPreference) -> Vec<u8> {
    if layout.planes <= 1 || channels == 1 {
        return samples;
    }
    let area = samples.len() / layout.planes;
    (0..area)
        .flat_map(|i| (0..channels).map(move |channel| channel * area + i))
        .filter_map(|at| samples.get(at).copied())
        .collect()
}

/// Colours divided by their alpha.
fn undo_alpha(rgba: &[u8]) -> Vec<u8> {
    let divide = |value: u8, alpha: u8| {
        (u32::from(value) * 255)
            .checked_div(u32::from(alpha))
            .map_or(0, |value| u8::try_from(value).unwrap_or(u8::MAX))
    };
    let (pixels, _) = rgba.as_chunks::<4>();
    pixels
        .iter()
        .flat_map(|&[r, g, b, alpha]| [r, g, b].map(|value| divide(value, alpha)))
        .collect()
}
