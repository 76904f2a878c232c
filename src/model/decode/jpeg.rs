//! JPEG through libjpeg's own code, as Pillow has it: accurate integer transform, smooth chroma upsampling. Other decoders are
//! off by a level or two, which is enough to move a score. A file that ends early is an error here, where libjpeg would fill
//! the rest with grey.

use std::io::{self, BufRead, Read};
use std::panic::catch_unwind;

use image::metadata::Orientation;
use mozjpeg::{ColorSpace, Decompress, Marker};

use super::{Failure, Rgb, check_size, cmyk_to_rgb, grey, orientation};

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

pub(super) fn decode(bytes: &[u8]) -> Result<(Rgb, Option<Orientation>), Failure> {
    // libjpeg reports a fatal error by unwinding out of C; it passes by the panic hook, so nothing reaches the terminal.
    catch_unwind(|| read(bytes)).unwrap_or_else(|thrown| {
        let reason = thrown
            .downcast_ref::<String>()
            .map_or("unknown error", |reason| {
                reason.trim_start_matches("libjpeg fatal error: ")
            });
        Err(Failure(format!(
            "the image is damaged or cut short: {reason}; save it again"
        )))
    })
}

fn read(bytes: &[u8]) -> Result<(Rgb, Option<Orientation>), Failure> {
    let decoder = Decompress::builder()
        .with_markers(&[Marker::APP(1)])
        .from_reader(ToTheEnd(bytes))?;
    let [width, height] =
        [decoder.width(), decoder.height()].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let (width, height) = check_size(width, height)?;
    let (mut exif, mut xmp) = (Vec::new(), Vec::new());
    for marker in decoder.markers() {
        if let Some(block) = marker.data.strip_prefix(EXIF) {
            exif.extend_from_slice(block);
        } else if let Some(packet) = marker.data.strip_prefix(XMP) {
            xmp = packet.to_vec();
        }
    }
    let orientation = orientation(&exif, &xmp);
    let space = match decoder.components().len() {
        1 => ColorSpace::JCS_GRAYSCALE,
        3 => ColorSpace::JCS_RGB,
        4 => ColorSpace::JCS_CMYK,
        other => return Err(Failure::unsupported(&format!("a JPEG of {other} channels"))),
    };
    let mut started = decoder.to_colorspace(space)?;
    let samples: Vec<u8> = started.read_scanlines()?;
    started.finish()?;
    let pixels = match space {
        ColorSpace::JCS_GRAYSCALE => grey(samples),
        ColorSpace::JCS_RGB => samples,
        // Every four-channel JPEG is taken for Adobe's, which stores its inks inverted.
        _ => cmyk_to_rgb(&samples.iter().map(|ink| !ink).collect::<Vec<_>>()),
    };
    let image = Rgb {
        width,
        height,
        pixels,
    };
    Ok((image, orientation))
}

/// Bytes whose end is an error, so that libjpeg does not make up the rest.
struct ToTheEnd<'a>(&'a [u8]);

impl Read for ToTheEnd<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl BufRead for ToTheEnd<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.0.is_empty() {
            Err(io::Error::other("the file ends before the picture does"))
        } else {
            Ok(self.0)
        }
    }

    fn consume(&mut self, amount: usize) {
        self.0 = &self.0[amount..];
    }
}
