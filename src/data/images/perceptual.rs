//! A hash of how an image looks: near images have hashes that differ in few bits. The DCT hash of Zauner, "Implementation and
//! Benchmarking of Perceptual Image Hash Functions" (2010): the signs, against their median, of the 64 lowest frequencies of
//! the luminance on 32 × 32 pixels, as the common tools for finding duplicates have it.

use super::{ImageError, decode, resize};

/// Pixels on a side of what is transformed.
const SIDE: usize = 32;
/// Frequencies on a side of what is kept.
const KEPT: usize = 8;

/// The hash of an image file's bytes. Two that differ in at most 10 of the 64 bits are usually taken for the same picture,
/// re-encoded or resized.
///
/// # Errors
/// Where the bytes are no image that can be decoded.
pub fn perceptual_hash(bytes: &[u8]) -> Result<u64, ImageError> {
    let picture = decode(bytes)?;
    let small = resize(&picture, SIDE as u32, SIDE as u32);
    let luma: Vec<f64> = small
        .pixels()
        .map(|p| 0.299 * f64::from(p.0[0]) + 0.587 * f64::from(p.0[1]) + 0.114 * f64::from(p.0[2]))
        .collect();
    Ok(bits(&luma))
}

fn bits(luma: &[f64]) -> u64 {
    let wave = |frequency: usize, at: usize| {
        let turn = std::f64::consts::PI * (at as f64 + 0.5) * frequency as f64 / SIDE as f64;
        turn.cos()
    };
    let waves: Vec<f64> = (0..KEPT * SIDE).map(|i| wave(i / SIDE, i % SIDE)).collect();
    let wave = |frequency: usize| &waves[frequency * SIDE..(frequency + 1) * SIDE];
    let along = |row: &[f64], frequency: usize| -> f64 {
        row.iter().zip(wave(frequency)).map(|(a, b)| a * b).sum()
    };
    // Rows first, and of those only what is kept.
    let rows: Vec<f64> = luma
        .chunks_exact(SIDE)
        .flat_map(|row| (0..KEPT).map(move |frequency| along(row, frequency)))
        .collect();
    let mut kept = [0.0; KEPT * KEPT];
    for (at, kept) in kept.iter_mut().enumerate() {
        let (down, across) = (at / KEPT, at % KEPT);
        let column = rows.iter().skip(across).step_by(KEPT);
        *kept = column.zip(wave(down)).map(|(a, b)| a * b).sum();
    }
    let mut sorted = kept;
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = 0.5 * (sorted[KEPT * KEPT / 2 - 1] + sorted[KEPT * KEPT / 2]);
    let set = |(at, value): (usize, &f64)| u64::from(*value > middle) << at;
    kept.iter().enumerate().map(set).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::images::{jpeg, png};
    use crate::domain::stats::draws;

    /// Twelve times twelve fields of colors drawn by the seed.
    fn picture(side: u32, seed: u64) -> image::RgbImage {
        let mut draw = draws(seed);
        let fields: Vec<[u8; 3]> = (0..144)
            .map(|_| [(); 3].map(|()| (255.0 * draw()) as u8))
            .collect();
        image::RgbImage::from_fn(side, side, |x, y| {
            image::Rgb(fields[(y * 12 / side * 12 + x * 12 / side) as usize])
        })
    }

    fn apart(a: u64, b: u64) -> u32 {
        (a ^ b).count_ones()
    }

    #[test]
    fn a_picture_encoded_anew_or_resized_is_near_and_another_one_is_far() {
        let of = |bytes: Vec<u8>| perceptual_hash(&bytes).unwrap();
        let original = of(png(&picture(200, 3)).unwrap());
        let encoded = of(jpeg(&picture(200, 3), 40).unwrap());
        let smaller = of(png(&picture(90, 3)).unwrap());
        assert!(
            apart(original, encoded) <= 4,
            "{}",
            apart(original, encoded)
        );
        assert!(
            apart(original, smaller) <= 6,
            "{}",
            apart(original, smaller)
        );
        for seed in 4..20 {
            let other = of(png(&picture(200, seed)).unwrap());
            assert!(apart(original, other) > 12, "{seed}");
        }
        assert!(perceptual_hash(b"no image").is_err());
    }

    #[test]
    fn half_of_the_bits_are_set_where_the_picture_has_detail() {
        let bits = perceptual_hash(&png(&picture(64, 2)).unwrap()).unwrap();
        assert_eq!(bits.count_ones(), 32);
    }
}
