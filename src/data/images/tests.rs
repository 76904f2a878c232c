//! Images of every kind and fault, and where they may lie.

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
    assert!(matches!(read("a/no.png"), Err(ImageError::Missing { path }) if path == "a/no.png"));
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
