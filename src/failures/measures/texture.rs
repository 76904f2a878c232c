//! What is measured on the brightness of one image: sharpness, noise, and the edges of an encoder's blocks.

use crate::domain::color::Pixel;
use crate::failures::plane::Size;

/// Encoders of the JPEG family work on blocks of this side.
const BLOCK: usize = 8;

/// The luma of an image (ITU-R BT.601), 0 to 255.
#[derive(Clone)]
pub(super) struct Luma {
    pub(super) size: Size,
    pub(super) values: Vec<f32>,
}

/// Sharpness and noise.
pub(super) struct Texture {
    /// The variance of the Laplacian, in squared 8-bit steps.
    pub(super) sharpness: f64,
    /// The standard deviation of the noise, in 8-bit steps.
    pub(super) noise: f64,
}

impl Luma {
    pub(super) fn of(size: Size, pixels: &[Pixel]) -> Self {
        let luma = |[r, g, b]: &Pixel| {
            0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)
        };
        let values = pixels.iter().map(luma).collect();
        Self { size, values }
    }

    fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.size.0..(y + 1) * self.size.0]
    }

    /// The variance of the Laplacian (Pech-Pacheco et al. 2000), and the standard deviation of noise by Immerkær's operator, the
    /// difference of two Laplacians (1996), which has no answer to edges that are straight. `None` below 3 × 3 pixels.
    pub(super) fn texture(&self) -> Option<Texture> {
        let (width, height) = self.size;
        if width < 3 || height < 3 {
            return None;
        }
        let (mut sum, mut squares, mut off) = (0.0_f64, 0.0_f64, 0.0_f64);
        for y in 1..height - 1 {
            let [s, q, n] = row_of_texture([self.row(y - 1), self.row(y), self.row(y + 1)]);
            sum += f64::from(s);
            squares += f64::from(q);
            off += f64::from(n);
        }
        let n = ((width - 2) * (height - 2)) as f64;
        let mean = sum / n;
        Some(Texture {
            sharpness: (squares / n - mean * mean).max(0.0),
            // The operator takes noise of 1 to one of 6, whose mean size is √(2/π) of that.
            noise: off / n / 6.0 * std::f64::consts::FRAC_PI_2.sqrt(),
        })
    }

    /// By how much more the brightness steps across the edges of 8 × 8 blocks than within them, in 8-bit steps (after Wang, Sheikh
    /// and Bovik 2002); about 0 for an image that was never encoded, or that was resized since. `None` with fewer than two blocks
    /// each way.
    pub(super) fn blockiness(&self) -> Option<f64> {
        let (width, height) = self.size;
        if width < 2 * BLOCK || height < 2 * BLOCK {
            return None;
        }
        let (mut across, mut within) = ((0.0_f64, 0_usize), (0.0_f64, 0_usize));
        let mut take = |edge: bool, sum: f64, n: usize| {
            let side = if edge { &mut across } else { &mut within };
            side.0 += sum;
            side.1 += n;
        };
        let mut columns = vec![0.0_f64; width];
        for y in 0..height {
            let row = self.row(y);
            for (column, pair) in columns[1..].iter_mut().zip(row.windows(2)) {
                *column += f64::from((pair[1] - pair[0]).abs());
            }
            if y > 0 {
                let sum = sum_of_steps(row, self.row(y - 1));
                take(y % BLOCK == 0, f64::from(sum), width);
            }
        }
        for (x, sum) in columns.iter().enumerate().skip(1) {
            take(x % BLOCK == 0, *sum, height);
        }
        Some(across.0 / across.1 as f64 - within.0 / within.1 as f64)
    }
}

/// Sums that are kept side by side, so that several pixels are computed at once.
const LANES: usize = 16;

/// Over the inner pixels of the middle one of three rows: of the Laplacian, of its square, and of the size of Immerkær's operator.
fn row_of_texture(rows: [&[f32]; 3]) -> [f32; 3] {
    const WINDOW: usize = LANES + 2;
    let mut lanes = [[0.0_f32; LANES]; 3];
    let inner = rows[1].len() - 2;
    for start in (0..inner).step_by(LANES) {
        let windows = rows.map(|row| row[start..].first_chunk::<WINDOW>());
        if let [Some(above), Some(here), Some(below)] = windows {
            for x in 0..LANES {
                let found = texture_at([above, here, below], x);
                for (lane, found) in lanes.iter_mut().zip(found) {
                    lane[x] += found;
                }
            }
        } else {
            let rows = rows.map(|row| &row[start..]);
            for x in 0..inner - start {
                for (lane, found) in lanes.iter_mut().zip(texture_at(rows, x)) {
                    lane[x] += found;
                }
            }
        }
    }
    lanes.map(|lanes| lanes.iter().sum())
}

/// The Laplacian at the pixel right of column `x`, its square, and the size of Immerkær's operator.
#[inline]
fn texture_at<Row: AsRef<[f32]> + ?Sized>(rows: [&Row; 3], x: usize) -> [f32; 3] {
    let [above, here, below] = rows.map(AsRef::as_ref);
    let cross = above[x + 1] + below[x + 1] + here[x] + here[x + 2];
    let corners = above[x] + above[x + 2] + below[x] + below[x + 2];
    let laplacian = cross - 4.0 * here[x + 1];
    let noise = corners - 2.0 * cross + 4.0 * here[x + 1];
    [laplacian, laplacian * laplacian, noise.abs()]
}

/// The sum of how far the numbers of two rows are apart.
fn sum_of_steps(one: &[f32], two: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (ones, one_left) = one.as_chunks::<LANES>();
    let (twos, two_left) = two.as_chunks::<LANES>();
    for (one, two) in ones.iter().zip(twos) {
        for ((lane, a), b) in lanes.iter_mut().zip(one).zip(two) {
            *lane += (a - b).abs();
        }
    }
    let left = one_left.iter().zip(two_left).map(|(a, b)| (a - b).abs());
    lanes.iter().sum::<f32>() + left.sum::<f32>()
}
