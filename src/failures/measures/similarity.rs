//! Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004) inside and outside the edited regions: on luma, over windows of
//! 8 × 8 pixels that lie 4 apart, each weighing the same in itself, with the paper's constants.

use super::texture::Luma;

/// Half a window.
const HALF: usize = 4;
const WINDOW: f64 = 64.0;

/// Means of the windows' similarities, -1 to 1; `None` where there are no such windows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Similarity {
    /// Windows of which half or more is edited.
    pub(super) inside: Option<f64>,
    /// Windows of which nothing is edited.
    pub(super) outside: Option<f64>,
    /// All windows.
    pub(super) all: Option<f64>,
}

/// What is summed over a square of [`HALF`] pixels.
#[derive(Clone, Copy, Default)]
struct Sums {
    means: [f64; 2],
    squares: [f64; 2],
    product: f64,
    edited: usize,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        for side in 0..2 {
            self.means[side] += other.means[side];
            self.squares[side] += other.squares[side];
        }
        self.product += other.product;
        self.edited += other.edited;
    }

    fn ssim(&self) -> f64 {
        const C1: f64 = 6.5025;
        const C2: f64 = 58.5225;
        let [x, y] = self.means.map(|sum| sum / WINDOW);
        // Unbiased, as in the paper (equation 15).
        let spread =
            |sum: f64, mean: f64, other: f64| (sum - WINDOW * mean * other) / (WINDOW - 1.0);
        let (xx, yy) = (spread(self.squares[0], x, x), spread(self.squares[1], y, y));
        let xy = spread(self.product, x, y);
        (2.0 * x * y + C1) * (2.0 * xy + C2) / ((x * x + y * y + C1) * (xx + yy + C2))
    }
}

/// Of two images of one size, and where they were edited.
pub(super) fn similarity([first, second]: &[Luma; 2], edited: &[bool]) -> Similarity {
    let (width, height) = first.size;
    let (across, down) = (width / HALF, height / HALF);
    let square = |column: usize, row: usize| {
        let mut sums = Sums::default();
        for y in row * HALF..(row + 1) * HALF {
            let from = y * width + column * HALF;
            let row = from..from + HALF;
            let values = first.values[row.clone()]
                .iter()
                .zip(&second.values[row.clone()]);
            for ((x, y), edited) in values.zip(&edited[row]) {
                let (x, y) = (f64::from(*x), f64::from(*y));
                sums.add(&Sums {
                    means: [x, y],
                    squares: [x * x, y * y],
                    product: x * y,
                    edited: usize::from(*edited),
                });
            }
        }
        sums
    };
    let line =
        |row: usize| -> Vec<Sums> { (0..across).map(|column| square(column, row)).collect() };
    let (mut sums, mut counts) = ([0.0; 3], [0_usize; 3]);
    let mut above = if down > 0 { line(0) } else { Vec::new() };
    for row in 1..down {
        let here = line(row);
        for (up, low) in above.windows(2).zip(here.windows(2)) {
            let mut window = up[0];
            for part in [&up[1], &low[0], &low[1]] {
                window.add(part);
            }
            let ssim = window.ssim();
            let kinds = [
                window.edited * 2 >= WINDOW as usize,
                window.edited == 0,
                true,
            ];
            for (kind, is) in kinds.into_iter().enumerate() {
                if is {
                    sums[kind] += ssim;
                    counts[kind] += 1;
                }
            }
        }
        above = here;
    }
    let mean = |kind: usize| (counts[kind] > 0).then(|| sums[kind] / counts[kind] as f64);
    Similarity {
        inside: mean(0),
        outside: mean(1),
        all: mean(2),
    }
}
