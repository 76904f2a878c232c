//! Where the background of an edit is, softly: nothing inside the edited regions, all of it away from them, and a ramp between,
//! so that what is put there leaves no seam.

use image::RgbImage;

use super::tone::byte;

/// The ramp's width: this part of the map's longer side, at least one pixel.
const RAMP: usize = 128;

/// How much of each pixel of a picture is background, 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Background {
    shares: Vec<f32>,
}

impl Background {
    /// Of a picture of so many columns and rows; `edited` are the pixels of a map of its own size over the same frame, row by
    /// row. `None` where they are not `width` · `height`, or where nothing but ramp would be left: everything was edited.
    pub(super) fn new(
        (columns, rows): (u32, u32),
        (width, height): (usize, usize),
        edited: &[bool],
    ) -> Option<Self> {
        if edited.len() != width * height || edited.is_empty() {
            return None;
        }
        let ramp = (width.max(height) / RAMP).max(1);
        // Wider by one more pixel than the ramp is long, so that scaling does not reach into the edit.
        let mut wide: Vec<f32> = edited.iter().map(|e| f32::from(u8::from(*e))).collect();
        let largest = |window: &[f32]| window.iter().copied().fold(0.0, f32::max);
        wide = across(&wide, (width, height), ramp + 1, largest);
        let mean = |window: &[f32]| window.iter().sum::<f32>() / window.len() as f32;
        let soft = across(&wide, (width, height), ramp, mean);
        let shares = stretched(&soft, (width, height), (columns, rows));
        let shares: Vec<f32> = shares.into_iter().map(|edit| 1.0 - edit).collect();
        shares
            .iter()
            .any(|share| *share >= 0.999)
            .then_some(Self { shares })
    }

    /// A picture with so much (0 to 1) of its background another picture's of the same size.
    pub(super) fn replaced(&self, picture: &RgbImage, by: &RgbImage, amount: f64) -> RgbImage {
        let mut changed = picture.clone();
        let amount = amount as f32;
        for ((pixel, new), share) in changed.pixels_mut().zip(by.pixels()).zip(&self.shares) {
            let share = share * amount;
            if share > 0.0 {
                for (value, new) in pixel.0.iter_mut().zip(new.0) {
                    let old = f32::from(*value);
                    *value = byte(old + share * (f32::from(new) - old));
                }
            }
        }
        changed
    }
}

/// Each value replaced by what `of` makes of those at most `reach` away in its row, then the same in columns.
fn across(
    values: &[f32],
    (width, height): (usize, usize),
    reach: usize,
    of: impl Fn(&[f32]) -> f32,
) -> Vec<f32> {
    let window = |line: &[f32], i: usize| {
        let end = (i + reach + 1).min(line.len());
        of(&line[i.saturating_sub(reach)..end])
    };
    let rows: Vec<f32> = values
        .chunks(width)
        .flat_map(|row| (0..width).map(|x| window(row, x)).collect::<Vec<_>>())
        .collect();
    let mut all = vec![0.0; values.len()];
    for x in 0..width {
        let column: Vec<f32> = (0..height).map(|y| rows[y * width + x]).collect();
        for y in 0..height {
            all[y * width + x] = window(&column, y);
        }
    }
    all
}

/// A map at another size, by its nearest four values each.
fn stretched(
    values: &[f32],
    (width, height): (usize, usize),
    (columns, rows): (u32, u32),
) -> Vec<f32> {
    let place = |i: u32, of: u32, n: usize| {
        let at = (f64::from(i) + 0.5) * n as f64 / f64::from(of) - 0.5;
        let at = at.clamp(0.0, (n - 1) as f64);
        let low = at as usize;
        (low, (low + 1).min(n - 1), (at - low as f64) as f32)
    };
    let mix = |a: f32, b: f32, share: f32| a + share * (b - a);
    let mut all = Vec::with_capacity(columns as usize * rows as usize);
    for y in 0..rows {
        let (top, bottom, down) = place(y, rows, height);
        for x in 0..columns {
            let (left, right, along) = place(x, columns, width);
            let row = |y: usize| mix(values[y * width + left], values[y * width + right], along);
            all.push(mix(row(top), row(bottom), down));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failures::probe::pictures::{photo, plain};

    /// A map of `side`² pixels, edited in its middle quarter.
    fn middle(side: usize) -> Vec<bool> {
        let inside = |i: usize| (side / 4..side * 3 / 4).contains(&i);
        (0..side * side)
            .map(|i| inside(i % side) && inside(i / side))
            .collect()
    }

    #[test]
    fn a_replaced_background_is_the_other_picture_away_from_the_edit_and_the_edit_inside() {
        let (edit, other) = (photo(64, 64, 1), plain(64, 64, [10, 20, 30]));
        for side in [64, 32, 128] {
            let background = Background::new((64, 64), (side, side), &middle(side)).unwrap();
            let changed = background.replaced(&edit, &other, 1.0);
            for (x, y, pixel) in changed.enumerate_pixels() {
                let inside = |i: u32| (16..48).contains(&i);
                let away = |i: u32| !(8..56).contains(&i);
                if inside(x) && inside(y) {
                    assert_eq!(pixel, edit.get_pixel(x, y), "{side}: {x} {y}");
                } else if away(x) || away(y) {
                    assert_eq!(pixel, other.get_pixel(x, y), "{side}: {x} {y}");
                }
            }
            assert_eq!(background.replaced(&edit, &other, 0.0), edit);
        }
    }

    #[test]
    fn where_nothing_was_edited_all_is_background_and_where_all_was_there_is_none() {
        let edit = photo(8, 8, 1);
        let all = Background::new((8, 8), (4, 4), &[false; 16]).unwrap();
        let other = plain(8, 8, [1, 2, 3]);
        assert_eq!(all.replaced(&edit, &other, 1.0), other);
        assert_eq!(Background::new((8, 8), (4, 4), &[true; 16]), None);
        assert_eq!(Background::new((8, 8), (4, 4), &[false; 15]), None);
        assert_eq!(Background::new((8, 8), (0, 0), &[]), None);
        assert!(Background::new((1, 1), (1, 1), &[false]).is_some());
    }
}
