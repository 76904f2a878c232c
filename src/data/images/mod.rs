//! Images: found, read, decoded within limits, hashed, made smaller for the screen.
//!
//! What is decoded here is for eyes, and for the baselines that judge by pixels; the model has its own decoder, equal to the
//! reference to the bit. Both read an image the same way, so that one sees what the model sees: the EXIF orientation is *not*
//! applied, alpha is dropped and not composited, and 16-bit grey is clipped, as in the published pipeline. Nothing here
//! writes but copies, and no path leads out of a workspace unless it was written as an absolute one.

mod perceptual;

use std::fs::{File, Metadata};
use std::io::{BufRead, BufReader, Cursor, ErrorKind, Read, Seek};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use fast_image_resize as fir;
use image::{DynamicImage, ImageReader, Limits, RgbImage};

pub use perceptual::perceptual_hash;

use super::records::{CellError, CellRef};
use crate::domain::ImageRef;

/// The largest file, or cell of one, that is read, in bytes.
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
    /// There is none: the source of text-to-image data.
    #[error("the group has no source image: it is of text-to-image data")]
    NoSource,
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

/// The file that an image reference means, or that the image is in if it is a cell of a Parquet file (`set.parquet#17/left`,
/// which [`Record::image`](super::records::Record::image) writes): absolute ones as they are, relative ones below `root`. The
/// file need not exist.
pub fn locate(root: &Path, image: &ImageRef) -> Result<PathBuf, ImageError> {
    if image.is_none() {
        return Err(ImageError::NoSource);
    }
    let path = Path::new(CellRef::parse(&image.0).map_or(image.0.as_str(), |cell| cell.file));
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

/// Whether the image is inside another file, a cell of Parquet, so that there is no file for other programs to open.
pub fn is_cell(image: &ImageRef) -> bool {
    CellRef::parse(&image.0).is_some()
}

/// The bytes of an image file, or of a cell that a reference names, at most [`MAX_BYTES`]. Folders, pipes and devices are
/// refused.
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

    /// Of the file behind a reference (for a cell, of the whole Parquet file); `None` when it cannot be looked at.
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
    let cell = CellRef::parse(&image.0);
    let bytes = match &cell {
        Some(cell) => read_cell(cell, &file, image)?,
        None => read_file(&mut file, before.len(), image)?,
    };
    let (before, after) = (
        Stamp::of(&before),
        Stamp::of(&file.metadata().map_err(|e| failed(image, &e))?),
    );
    let cut = cell.is_none() && i64::try_from(bytes.len()) != Ok(after.size);
    if before != after || cut {
        return Err(unreadable(
            image,
            "it changed while it was being read; try again".into(),
        ));
    }
    Ok((bytes, after))
}

/// The bytes of a file that had `size` of them.
fn read_file(file: &mut File, size: u64, image: &ImageRef) -> Result<Vec<u8>, ImageError> {
    if size > MAX_BYTES {
        return Err(too_large(image, size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failed(image, &e))?;
    match bytes.len() as u64 {
        read if read > MAX_BYTES => Err(too_large(image, read)),
        _ => Ok(bytes),
    }
}

fn read_cell(cell: &CellRef<'_>, file: &File, image: &ImageRef) -> Result<Vec<u8>, ImageError> {
    cell.read(file, MAX_BYTES).map_err(|error| match error {
        CellError::TooLarge(bytes) => too_large(image, bytes),
        CellError::Unreadable(why) => unreadable(image, why),
    })
}

fn too_large(image: &ImageRef, bytes: u64) -> ImageError {
    ImageError::TooLarge {
        path: image.0.clone(),
        bytes,
    }
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

/// What [`content_hash`] gives for a file's contents, without holding them in memory.
pub fn file_hash(path: &Path) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Width and height in pixels, from the header alone.
pub fn dimensions(bytes: &[u8]) -> Result<(u32, u32), ImageError> {
    reader(Cursor::new(bytes))?
        .into_dimensions()
        .map_err(|e| broken(&e))
}

/// Width and height in pixels of an image file, of which only the header is read (of a cell, all of it).
pub fn dimensions_of(root: &Path, image: &ImageRef) -> Result<(u32, u32), ImageError> {
    let (file, _) = open(root, image)?;
    if let Some(cell) = CellRef::parse(&image.0) {
        return dimensions(&read_cell(&cell, &file, image)?);
    }
    reader(BufReader::new(file))?
        .into_dimensions()
        .map_err(|e| broken(&e))
}

/// Decodes for the screen and the baselines (not for the model): any supported format, to 8-bit RGB, within the pixel limit,
/// which is checked before anything is allocated. The first picture of an animation. EXIF orientation is ignored, since the
/// model does not see it applied either.
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

/// The image at exactly `width` × `height` pixels, by Lanczos. Not for the model: it is not Pillow's resize.
pub fn resize(image: &RgbImage, width: u32, height: u32) -> RgbImage {
    if image.dimensions() == (width, height) || width == 0 || height == 0 {
        return image.clone();
    }
    // The sizes were checked by the types, so the fast way has no reason to fail; if it ever does, the slow one will do.
    lanczos(image, width, height)
        .unwrap_or_else(|| image::imageops::thumbnail(image, width, height))
}

/// The picture as a PNG file.
pub fn png(picture: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Cursor::new(Vec::new());
    let written = picture.write_to(&mut bytes, image::ImageFormat::Png);
    written.map_err(|e| broken(&e))?;
    Ok(bytes.into_inner())
}

/// The picture as a JPEG file of a quality from 1 to 100.
pub fn jpeg(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.encode_image(picture).map_err(|e| broken(&e))?;
    Ok(bytes)
}

/// How the name of such a file ends ("png"), by its first bytes.
pub fn ending(bytes: &[u8]) -> Result<&'static str, ImageError> {
    image::guess_format(bytes)
        .ok()
        .and_then(|format| format.extensions_str().first().copied())
        .ok_or(ImageError::UnknownFormat)
}

/// What services take, by the first bytes; `?` stands for any byte.
const SERVED: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"RIFF????WEBP", "image/webp"),
    (b"GIF8", "image/gif"),
];

/// An image as services take it, with its media type: as it is where they take its format and it is small enough, else as PNG,
/// its longest side at most `max_side` pixels.
pub fn for_services(
    bytes: Vec<u8>,
    max_side: Option<u32>,
) -> Result<(Vec<u8>, &'static str), ImageError> {
    let too_long = match max_side {
        Some(most) => {
            let (width, height) = dimensions(&bytes)?;
            width.max(height) > most
        }
        None => false,
    };
    let begins = |start: &[u8]| {
        bytes.len() >= start.len() && start.iter().zip(&bytes).all(|(s, b)| *s == b'?' || s == b)
    };
    let served = SERVED.iter().find(|(start, _)| begins(start));
    if let (Some((_, mime)), false) = (served, too_long) {
        return Ok((bytes, mime));
    }
    let most = max_side.unwrap_or(u32::MAX);
    Ok((png(&fit(&decode(&bytes)?, most, most))?, "image/png"))
}

/// Copies an image into a folder under the name of its content, if it is not there already; where the copy is. One that is
/// half written is never seen.
pub fn copy_into(root: &Path, image: &ImageRef, folder: &Path) -> Result<PathBuf, ImageError> {
    let bytes = read(root, image)?;
    let ending = ending(&bytes)?;
    let file = folder.join(format!("{}.{ending}", content_hash(&bytes)));
    if !file.is_file() {
        write_whole(&file, folder, &bytes).map_err(|e| failed(image, &e))?;
    }
    Ok(file)
}

fn write_whole(file: &Path, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut beside, bytes)?;
    beside.as_file().sync_all()?;
    beside.persist(file).map_err(|e| e.error)?;
    Ok(())
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
pub(in crate::data) mod fixtures;
#[cfg(test)]
mod tests;
