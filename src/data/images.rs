//! Images: found, read, decoded within limits, hashed, made smaller for the screen.
//!
//! What is decoded here is for eyes; the model has its own decoder, equal to the reference to the bit. Both read an image the
//! same way, so that one sees what the model sees: the EXIF orientation is *not* applied, alpha is dropped and not composited,
//! and 16-bit grey is clipped, as in the published pipeline. Nothing here writes, and no path leads out of a workspace unless
//! it was written as an absolute one.

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use fast_image_resize as fir;
use image::{DynamicImage, ImageReader, Limits, RgbImage};

use crate::domain::ImageRef;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 512 << 20;

/// The most pixels an image may have: where Pillow refuses to decode (twice its `MAX_IMAGE_PIXELS`), so that nothing is shown
/// that could not be scored.
pub const MAX_PIXELS: u64 = 178_956_970;

/// What can go wrong with one image. Paths are given as the data has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// There is no such file.
    #[error("the image '{path}' is missing: no such file")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// It is there and cannot be read.
    #[error("the image '{path}' cannot be read: {why}")]
    Unreadable {
        /// Where it is.
        path: String,
        /// What the system says.
        why: String,
    },
    /// A relative path climbs out of the workspace.
    #[error(
        "the image path '{path}' leads out of the workspace; write it as an absolute path if that is meant"
    )]
    Outside {
        /// The path.
        path: String,
    },
    /// More than [`MAX_BYTES`].
    #[error("the image '{path}' has {bytes} bytes; at most {} are read", MAX_BYTES)]
    TooLarge {
        /// Where it is.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// More than [`MAX_PIXELS`].
    #[error(
        "the image has {width} × {height} pixels, more than the {} that are decoded; make it smaller",
        MAX_PIXELS
    )]
    TooManyPixels {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Not an image of a known format.
    #[error("this is not an image that can be read (PNG, JPEG, WebP, GIF, BMP and TIFF can)")]
    UnknownFormat,
    /// Broken or truncated.
    #[error("the image is broken: {why}")]
    Broken {
        /// What the decoder says.
        why: String,
    },
}

/// The file that an image reference means: absolute ones as they are, relative ones below `root`. The file need not exist.
pub fn locate(root: &Path, image: &ImageRef) -> Result<PathBuf, ImageError> {
    let path = Path::new(&image.0);
    if path.is_absolute() {
        return Ok(path.to_path_buf());
    }
    let mut depth = 0_usize;
    for component in path.components() {
        depth = match component {
            Component::Normal(_) => Some(depth + 1),
            Component::CurDir => Some(depth),
            Component::ParentDir => depth.checked_sub(1),
            Component::RootDir | Component::Prefix(_) => None,
        }
        .ok_or_else(|| ImageError::Outside {
            path: image.0.clone(),
        })?;
    }
    Ok(root.join(path))
}

/// The bytes of an image file, at most [`MAX_BYTES`]. Folders, pipes and devices are refused.
pub fn read(root: &Path, image: &ImageRef) -> Result<Vec<u8>, ImageError> {
    Ok(read_stamped(root, image)?.0)
}

/// What tells a changed file: its size in bytes and when it was modified, in nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Bytes.
    pub size: i64,
    /// Nanoseconds since 1970.
    pub mtime: i64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let mtime = match metadata.modified().map(|t| t.duration_since(UNIX_EPOCH)) {
            Ok(Ok(after)) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Ok(Err(before)) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
            Err(_) => 0,
        };
        Self {
            size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
            mtime,
        }
    }

    /// Of the file behind a reference; `None` when it cannot be looked at.
    pub(super) fn at(root: &Path, image: &ImageRef) -> Option<Self> {
        let path = locate(root, image).ok()?;
        std::fs::metadata(path).ok().map(|m| Self::of(&m))
    }
}

/// An image file, and what it was before it was opened.
fn open(root: &Path, image: &ImageRef) -> Result<(File, Metadata), ImageError> {
    let path = locate(root, image)?;
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let before = std::fs::metadata(&path).map_err(|e| failed(image, &e))?;
    if !before.is_file() {
        return Err(unreadable(image, "it is not a file".into()));
    }
    let file = File::open(&path).map_err(|e| failed(image, &e))?;
    Ok((file, before))
}

/// The bytes with the stamp that they belong to: a file that changes while it is read is an error, so that a hash is never
/// filed under a stamp that is not its own.
pub(super) fn read_stamped(root: &Path, image: &ImageRef) -> Result<(Vec<u8>, Stamp), ImageError> {
    let (mut file, before) = open(root, image)?;
    let too_large = |bytes| ImageError::TooLarge {
        path: image.0.clone(),
        bytes,
    };
    if before.len() > MAX_BYTES {
        return Err(too_large(before.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(before.len()).unwrap_or(0));
    (&mut file)
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failed(image, &e))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    let (before, after) = (
        Stamp::of(&before),
        Stamp::of(&file.metadata().map_err(|e| failed(image, &e))?),
    );
    if before != after || i64::try_from(bytes.len()) != Ok(after.size) {
        return Err(unreadable(
            image,
            "it changed while it was being read; try again".into(),
        ));
    }
    Ok((bytes, after))
}

fn failed(image: &ImageRef, error: &std::io::Error) -> ImageError {
    match error.kind() {
        ErrorKind::NotFound => ImageError::Missing {
            path: image.0.clone(),
        },
        _ => unreadable(image, error.to_string()),
    }
}

fn unreadable(image: &ImageRef, why: String) -> ImageError {
    ImageError::Unreadable {
        path: image.0.clone(),
        why,
    }
}

/// Hex BLAKE3 of the bytes.
pub fn content_hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Width and height in pixels, from the header alone.
pub fn dimensions(bytes: &[u8]) -> Result<(u32, u32), ImageError> {
    reader(Cursor::new(bytes))?
        .into_dimensions()
        .map_err(|e| broken(&e))
}

/// Width and height in pixels of an image file, of which only the header is read.
pub fn dimensions_of(root: &Path, image: &ImageRef) -> Result<(u32, u32), ImageError> {
    let (file, _) = open(root, image)?;
    reader(BufReader::new(file))?
        .into_dimensions()
        .map_err(|e| broken(&e))
}

/// Decodes for the screen (not for the model): any supported format, to 8-bit RGB, within the pixel limit, which is checked
/// before anything is allocated. The first picture of an animation. EXIF orientation is ignored, since the model does not
/// see it applied either.
pub fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    let (width, height) = dimensions(bytes)?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooManyPixels { width, height });
    }
    let mut reader = reader(Cursor::new(bytes))?;
    let mut limits = Limits::no_limits();
    // 16-bit RGBA at the pixel limit, and as much again for the decoder's own needs.
    limits.max_alloc = Some(MAX_PIXELS * 16);
    reader.limits(limits);
    match reader.decode().map_err(|e| broken(&e))? {
        DynamicImage::ImageRgb8(image) => Ok(image),
        DynamicImage::ImageLuma16(grey) => {
            Ok(RgbImage::from_fn(grey.width(), grey.height(), |x, y| {
                let value = u8::try_from(grey.get_pixel(x, y).0[0]).unwrap_or(u8::MAX);
                image::Rgb([value; 3])
            }))
        }
        other => Ok(other.to_rgb8()),
    }
}

fn reader<R: BufRead + Seek>(bytes: R) -> Result<ImageReader<R>, ImageError> {
    let reader = ImageReader::new(bytes)
        .with_guessed_format()
        .map_err(|e| ImageError::Broken { why: e.to_string() })?;
    match reader.format() {
        Some(_) => Ok(reader),
        None => Err(ImageError::UnknownFormat),
    }
}

fn broken(error: &image::ImageError) -> ImageError {
    match error {
        image::ImageError::Unsupported(_) => ImageError::UnknownFormat,
        other => ImageError::Broken {
            why: other.to_string(),
        },
    }
}

/// The image in a box of `max_w` × `max_h` pixels: made smaller in proportion if it does not fit, never enlarged; at least
/// one pixel each way.
pub fn fit(image: &RgbImage, max_w: u32, max_h: u32) -> RgbImage {
    let (w, h) = image.dimensions();
    if (w <= max_w && h <= max_h) || w == 0 || h == 0 {
        return image.clone();
    }
    let (w, h, max_w, max_h) = (
        u64::from(w),
        u64::from(h),
        u64::from(max_w),
        u64::from(max_h),
    );
    // The side that is tighter fills its box exactly; the other is rounded to the nearest pixel.
    let (fit_w, fit_h) = if w * max_h > h * max_w {
        (max_w, (2 * h * max_w + w) / (2 * w))
    } else {
        ((2 * w * max_h + h) / (2 * h), max_h)
    };
    let side = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    resize(image, side(fit_w), side(fit_h))
}

/// The image at exactly `width` × `height` pixels, by Lanczos. For the screen only: it is not Pillow's resize.
pub fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    if image.dimensions() == (width, height) || width == 0 || height == 0 {
        return image.clone();
    }
    // The sizes were checked by the types, so the fast way has no reason to fail; if it ever does, the slow one will do.
    lanczos(image, width, height)
        .unwrap_or_else(|| image::imageops::thumbnail(image, width, height))
}

fn lanczos(image: &RgbImage, width: u32, height: u32) -> Option<RgbImage> {
    let kind = fir::PixelType::U8x3;
    let source =
        fir::images::ImageRef::new(image.width(), image.height(), image.as_raw(), kind).ok()?;
    let mut target = fir::images::Image::new(width, height, kind);
    let options = fir::ResizeOptions::new()
        .resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Lanczos3));
    fir::Resizer::new()
        .resize(&source, &mut target, &options)
        .ok()?;
    RgbImage::from_raw(width, height, target.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(image: &DynamicImage, format: image::ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn gradient(w: u32, h: u32) -> RgbImage {
        RgbImage::from_fn(w, h, |x, y| {
            image::Rgb([(x % 256) as u8, (y % 256) as u8, 77])
        })
    }

    /// A PNG header that claims a size; there is no picture behind it.
    fn png_claiming(width: u32, height: u32) -> Vec<u8> {
        let mut chunk = b"IHDR".to_vec();
        chunk.extend(width.to_be_bytes());
        chunk.extend(height.to_be_bytes());
        chunk.extend([8, 2, 0, 0, 0]);
        let mut crc = u32::MAX;
        for byte in &chunk {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    (crc >> 1) ^ 0xedb8_8320
                } else {
                    crc >> 1
                };
            }
        }
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
        png.extend(chunk);
        png.extend((!crc).to_be_bytes());
        png.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
        png
    }

    #[test]
    fn an_image_of_thirty_thousand_pixels_a_side_is_refused_by_its_header() {
        let png = png_claiming(30_000, 30_000);
        assert_eq!(dimensions(&png), Ok((30_000, 30_000)));
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("big.png"), &png).unwrap();
        let file = ImageRef("big.png".into());
        assert_eq!(dimensions_of(dir.path(), &file), Ok((30_000, 30_000)));
        let error = decode(&png).unwrap_err();
        assert_eq!(
            error,
            ImageError::TooManyPixels {
                width: 30_000,
                height: 30_000
            }
        );
        assert!(error.to_string().contains("30000 × 30000"));
    }

    #[test]
    fn every_format_decodes_to_rgb() {
        let image = DynamicImage::ImageRgb8(gradient(20, 10));
        for format in ["png", "jpg", "webp", "gif", "bmp", "tiff"] {
            let format = image::ImageFormat::from_extension(format).unwrap();
            let bytes = encoded(&image, format);
            assert_eq!(dimensions(&bytes), Ok((20, 10)), "{format:?}");
            let decoded = decode(&bytes).unwrap();
            let far = decoded
                .pixels()
                .zip(image.to_rgb8().pixels())
                .any(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 40));
            assert!(!far, "{format:?}");
        }
    }

    #[test]
    fn alpha_is_dropped_and_sixteen_bit_grey_is_clipped_as_the_model_sees_it() {
        let clear = image::RgbaImage::from_pixel(2, 2, image::Rgba([200, 100, 50, 0]));
        let png = encoded(&DynamicImage::ImageRgba8(clear), image::ImageFormat::Png);
        assert_eq!(decode(&png).unwrap().get_pixel(0, 0).0, [200, 100, 50]);
        let grey = image::ImageBuffer::from_fn(2, 1, |x, _| {
            image::Luma([if x == 0 { 200_u16 } else { 9_000 }])
        });
        let png = encoded(&DynamicImage::ImageLuma16(grey), image::ImageFormat::Png);
        let decoded = decode(&png).unwrap();
        assert_eq!(decoded.get_pixel(0, 0).0, [200; 3]);
        assert_eq!(decoded.get_pixel(1, 0).0, [255; 3]);
    }

    #[test]
    fn exif_orientation_is_ignored() {
        let jpeg = encoded(
            &DynamicImage::ImageRgb8(gradient(30, 10)),
            image::ImageFormat::Jpeg,
        );
        // APP1 with one tag, orientation (0x112) = 6: "turn by 90°".
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let turned = [&jpeg[..2], exif, &jpeg[2..]].concat();
        assert_eq!(decode(&turned).unwrap().dimensions(), (30, 10));
    }

    #[test]
    fn text_and_truncated_files_are_told_apart() {
        assert_eq!(decode(b"hello").unwrap_err(), ImageError::UnknownFormat);
        assert_eq!(decode(b"").unwrap_err(), ImageError::UnknownFormat);
        let png = encoded(
            &DynamicImage::ImageRgb8(gradient(20, 20)),
            image::ImageFormat::Png,
        );
        assert!(matches!(
            decode(&png[..png.len() / 2]),
            Err(ImageError::Broken { .. })
        ));
    }

    #[test]
    fn errors_name_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let read = |path: &str| read(dir.path(), &ImageRef(path.into()));
        std::fs::create_dir(dir.path().join("folder")).unwrap();
        assert!(
            matches!(read("a/no.png"), Err(ImageError::Missing { path }) if path == "a/no.png")
        );
        let error = read("folder").unwrap_err().to_string();
        assert_eq!(error, "the image 'folder' cannot be read: it is not a file");
        #[cfg(unix)]
        assert!(
            read("/dev/zero")
                .unwrap_err()
                .to_string()
                .contains("not a file")
        );
    }

    #[test]
    fn relative_paths_stay_inside_and_absolute_ones_are_taken_at_their_word() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("ws");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(dir.path().join("out.png"), "x").unwrap();
        std::fs::write(root.join("in.png"), "y").unwrap();
        let read = |path: String| read(&root, &ImageRef(path));
        for path in ["../out.png", "a/../../out.png", "./../out.png"] {
            assert!(
                matches!(read(path.into()), Err(ImageError::Outside { .. })),
                "{path}"
            );
        }
        assert_eq!(read("./in.png".into()).unwrap(), b"y");
        let absolute = dir.path().join("out.png");
        assert_eq!(read(absolute.to_str().unwrap().into()).unwrap(), b"x");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create(dir.path().join("big.png")).unwrap();
        // A hole: it takes no room on the disk.
        file.set_len(MAX_BYTES + 10).unwrap();
        assert!(matches!(
            read(dir.path(), &ImageRef("big.png".into())),
            Err(ImageError::TooLarge { bytes, .. }) if bytes == MAX_BYTES + 10
        ));
    }

    #[test]
    fn fitting_keeps_the_proportions_and_never_enlarges() {
        let image = gradient(400, 100);
        assert_eq!(fit(&image, 40, 40).dimensions(), (40, 10));
        assert_eq!(fit(&image, 1000, 50).dimensions(), (200, 50));
        assert_eq!(fit(&image, 1000, 1000).dimensions(), (400, 100));
        assert_eq!(fit(&image, 1, 1).dimensions(), (1, 1));
        assert_eq!(fit(&image, 0, 0).dimensions(), (1, 1));
        assert_eq!(fit(&gradient(1, 5000), 10, 10).dimensions(), (1, 10));
        assert_eq!(resize(&image, 7, 9).dimensions(), (7, 9));
    }

    #[test]
    fn a_plain_colour_stays_that_colour_at_every_size() {
        let image = RgbImage::from_pixel(300, 200, image::Rgb([10, 120, 240]));
        assert!(fit(&image, 31, 17).pixels().all(|p| p.0 == [10, 120, 240]));
    }
}
