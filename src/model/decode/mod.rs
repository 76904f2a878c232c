//! From the bytes of an image file to 8-bit RGB, exactly as Pillow's `Image.open(…).convert("RGB")` gives them, because that
//! is what the reference feeds its models: alpha dropped and not composited, palettes expanded, grey replicated, 16-bit grey
//! clipped and 16-bit colour cut to its high byte. A damaged file is an error, never a partly grey picture.

mod gif;
mod jpeg;
mod tiff;

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageFormat, Limits};

use super::error::ModelError;

/// Pillow's own limit against decompression bombs, in pixels.
const LARGEST_AREA: u64 = 178_956_970;

/// An image in 8-bit RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rgb {
    pub(super) width: usize,
    pub(super) height: usize,
    /// (height, width, 3), row-major.
    pub(super) pixels: Vec<u8>,
}

/// What to do with an orientation noted in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exif {
    /// Leave the pixels as they are stored; a TIFF's is followed all the same, as Pillow does on reading one.
    Ignore,
    /// Turn the picture upright.
    Apply,
}

/// Decodes an image file; see the module's text.
pub(super) fn decode(bytes: &[u8], exif: Exif) -> Result<Rgb, ModelError> {
    open(bytes, exif).map_err(|Failure(reason)| ModelError::Image(reason))
}

/// Why a file cannot be decoded, in words.
#[derive(Debug)]
struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(format!(
            "the image is damaged or cut short: {error}; save it again"
        ))
    }
}

impl Failure {
    fn unsupported(what: &str) -> Self {
        Self(format!(
            "{what} is not supported; save the image as PNG or JPEG"
        ))
    }
}

fn open(bytes: &[u8], exif: Exif) -> Result<Rgb, Failure> {
    if bytes.is_empty() {
        return Err(Failure("the image file is empty".to_owned()));
    }
    let format = image::guess_format(bytes).map_err(|_| {
        Failure::unsupported("this file's format (it is none of PNG, JPEG, WebP, GIF, TIFF, BMP)")
    })?;
    let reader = Cursor::new(bytes);
    let (image, orientation) = match format {
        ImageFormat::Jpeg => jpeg::decode(bytes)?,
        ImageFormat::Gif => (gif::decode(bytes)?, None),
        ImageFormat::Tiff => return tiff::decode(bytes),
        ImageFormat::Png => with_codec(PngDecoder::with_limits(reader, Limits::no_limits())?)?,
        ImageFormat::WebP => with_codec(WebPDecoder::new(reader)?)?,
        ImageFormat::Bmp => with_codec(BmpDecoder::new(reader)?)?,
        other => return Err(Failure::unsupported(&format!("{other:?}"))),
    };
    Ok(match orientation {
        Some(orientation) if exif == Exif::Apply => upright(&image, orientation),
        _ => image,
    })
}

/// The sides as numbers for indexing, if a picture of them may be decoded.
fn check_size(width: u32, height: u32) -> Result<(usize, usize), Failure> {
    if width == 0 || height == 0 {
        return Err(Failure(format!(
            "the image is empty: {width} × {height} pixels"
        )));
    }
    let area = u64::from(width) * u64::from(height);
    if area > LARGEST_AREA {
        return Err(Failure(format!(
            "the image is too large: {width} × {height} is {area} pixels, at most {LARGEST_AREA} are read; scale it down"
        )));
    }
    Ok((width as usize, height as usize))
}

fn with_codec(mut decoder: impl ImageDecoder) -> Result<(Rgb, Option<Orientation>), Failure> {
    let (width, height) = decoder.dimensions();
    let (width, height) = check_size(width, height)?;
    let exif = decoder.exif_metadata()?.unwrap_or_default();
    let xmp = decoder.xmp_metadata()?.unwrap_or_default();
    let color = decoder.color_type();
    let mut data = vec![0; width * height * usize::from(color.bytes_per_pixel())];
    decoder.read_image(&mut data)?;
    let pixels = match color {
        ColorType::Rgb8 => data,
        ColorType::Rgba8 => drop_alpha(&data),
        ColorType::L8 => grey(data),
        ColorType::La8 => grey(data.into_iter().step_by(2)),
        ColorType::L16 => grey(wide(&data).map(clip)),
        ColorType::La16 => grey(wide(&data).map(high).step_by(2)),
        ColorType::Rgb16 => wide(&data).map(high).collect(),
        ColorType::Rgba16 => drop_alpha(&wide(&data).map(high).collect::<Vec<_>>()),
        other => return Err(Failure::unsupported(&format!("pixel format {other:?}"))),
    };
    let image = Rgb {
        width,
        height,
        pixels,
    };
    Ok((image, orientation(&exif, &xmp)))
}

/// 16-bit samples in the machine's byte order, as the codecs hand them out.
fn wide(data: &[u8]) -> impl Iterator<Item = u16> {
    data.as_chunks().0.iter().copied().map(u16::from_ne_bytes)
}

/// Of 16-bit grey all above 255 is white.
fn clip(value: u16) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// Of 16-bit colour the high byte counts.
const fn high(value: u16) -> u8 {
    value.to_be_bytes()[0]
}

fn grey(values: impl IntoIterator<Item = u8>) -> Vec<u8> {
    values.into_iter().flat_map(|value| [value; 3]).collect()
}

fn drop_alpha(rgba: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgba.as_chunks::<4>();
    pixels.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect()
}

/// Ink to light, by Pillow's integer arithmetic: (255 - k) - c · (255 - k) / 255, rounded.
fn cmyk_to_rgb(cmyk: &[u8]) -> Vec<u8> {
    let (pixels, _) = cmyk.as_chunks::<4>();
    pixels
        .iter()
        .flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| light(ink, 255 - k)))
        .collect()
}

fn light(ink: u8, white: u8) -> u8 {
    let product = u32::from(ink) * u32::from(white) + 128;
    let shade = ((product >> 8) + product) >> 8;
    white.saturating_sub(u8::try_from(shade).unwrap_or(u8::MAX))
}

/// The orientation by the EXIF block, or failing that by the XMP packet.
fn orientation(exif: &[u8], xmp: &[u8]) -> Option<Orientation> {
    Orientation::from_exif_chunk(exif).or_else(|| {
        let key = b"tiff:Orientation";
        let at = xmp.windows(key.len()).position(|window| window == key)?;
        let rest = &xmp[at + key.len()..];
        let digit = match rest {
            [b'=', b'"', digit, ..] | [b'>', digit, ..] => *digit,
            _ => return None,
        };
        Orientation::from_exif(digit.checked_sub(b'0')?)
    })
}

fn upright(image: &Rgb, orientation: Orientation) -> Rgb {
    use Orientation::{
        FlipHorizontal, FlipVertical, NoTransforms, Rotate90, Rotate90FlipH, Rotate180, Rotate270,
        Rotate270FlipH,
    };
    let (w, h) = (image.width, image.height);
    let turned = matches!(
        orientation,
        Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH
    );
    let (width, height) = if turned { (h, w) } else { (w, h) };
    let source = |x: usize, y: usize| match orientation {
        NoTransforms => (x, y),
        FlipHorizontal => (w - 1 - x, y),
        Rotate180 => (w - 1 - x, h - 1 - y),
        FlipVertical => (x, h - 1 - y),
        Rotate90FlipH => (y, x),
        Rotate90 => (y, h - 1 - x),
        Rotate270FlipH => (w - 1 - y, h - 1 - x),
        Rotate270 => (w - 1 - y, x),
    };
    let (pixels, _) = image.pixels.as_chunks::<3>();
    let pixels = (0..height)
        .flat_map(|y| (0..width).map(move |x| source(x, y)))
        .flat_map(|(x, y)| pixels[y * w + x])
        .collect();
    Rgb {
        width,
        height,
        pixels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(bytes: &[u8]) -> String {
        decode(bytes, Exif::Ignore).unwrap_err().to_string()
    }

    /// A PNG that promises `width` × `height` pixels and holds none.
    fn hollow_png(width: u32, height: u32) -> Vec<u8> {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend(width.to_be_bytes());
        png.extend(height.to_be_bytes());
        png.extend([8, 2, 0, 0, 0]);
        let crc = crc32(&png[12..]);
        png.extend(crc.to_be_bytes());
        png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        png
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn a_picture_that_would_fill_the_memory_is_refused_before_it_does() {
        let message = reason(&hollow_png(30_000, 30_000));
        assert!(
            message.contains("30000 × 30000 is 900000000 pixels"),
            "{message}"
        );
    }

    #[test]
    fn a_picture_without_pixels_is_refused() {
        assert!(!reason(&hollow_png(0, 5)).is_empty());
        assert!(reason(&hollow_png(3, 5)).contains("damaged or cut short"));
        assert_eq!(reason(b""), "the image file is empty");
        assert!(reason(b"<html>not found</html>").contains("none of PNG"));
    }

    #[test]
    fn ink_becomes_light_as_in_pillow() {
        assert_eq!(cmyk_to_rgb(&[0, 0, 0, 0]), [255, 255, 255]);
        assert_eq!(cmyk_to_rgb(&[10, 128, 255, 51]), [196, 102, 0]);
        assert_eq!(cmyk_to_rgb(&[1, 2, 3, 255]), [0, 0, 0]);
    }

    #[test]
    fn orientations_turn_a_corner_where_they_should() {
        let image = Rgb {
            width: 3,
            height: 2,
            pixels: grey(0..6),
        };
        for (code, width, expected) in [
            (1, 3, [0, 1, 2, 3, 4, 5]),
            (2, 3, [2, 1, 0, 5, 4, 3]),
            (3, 3, [5, 4, 3, 2, 1, 0]),
            (4, 3, [3, 4, 5, 0, 1, 2]),
            (5, 2, [0, 3, 1, 4, 2, 5]),
            (6, 2, [3, 0, 4, 1, 5, 2]),
            (7, 2, [5, 2, 4, 1, 3, 0]),
            (8, 2, [2, 5, 1, 4, 0, 3]),
        ] {
            let turned = upright(&image, Orientation::from_exif(code).unwrap());
            assert_eq!(
                (turned.width, turned.pixels),
                (width, grey(expected)),
                "{code}"
            );
        }
    }

    #[test]
    fn orientation_is_found_in_xmp_when_exif_has_none() {
        let found = |xmp: &[u8]| orientation(&[], xmp).map(Orientation::to_exif);
        assert_eq!(found(b"<x tiff:Orientation=\"6\"/>"), Some(6));
        assert_eq!(found(b"<tiff:Orientation>8</tiff:Orientation>"), Some(8));
        assert_eq!(found(b"tiff:Orientation"), None);
    }
}
