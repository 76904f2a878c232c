//! Colors of whole images, quickly: CIELAB and CIEDE2000 as [`domain::color`](crate::domain::color) defines them, in single
//! precision and by tables, for maps of hundreds of thousands of pixels where a hundredth of a just visible difference is enough.

use std::ops::Range;
use std::sync::LazyLock;

use crate::domain::color::Pixel;

/// L*, a* and b*.
pub(super) type Lab = [f32; 3];

/// Steps of the table of f(t), over 0..=1.
const STEPS: usize = 4096;
/// Places on the circle of hues for which the weights are kept.
const HUES: usize = 2048;

struct Tables {
    /// Linear light of each byte.
    linear: [f32; 256],
    /// CIELAB's f at each step, and by how much it rises to the next.
    f: Vec<[f32; 2]>,
    /// T and the sine of the rotation (equations 15 and 16 to 19, without the chroma) by [`place`] of the hue.
    hues: Vec<[f32; 2]>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut linear = [0.0; 256];
    for (byte, light) in (0_u8..=255).zip(&mut linear) {
        let v = f64::from(byte) / 255.0;
        *light = if v <= 0.040_45 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        } as f32;
    }
    let f = |step: usize| {
        let t = step as f64 / STEPS as f64;
        if t > 216.0 / 24_389.0 {
            t.cbrt() as f32
        } else {
            ((24_389.0 / 27.0 * t + 16.0) / 116.0) as f32
        }
    };
    Tables {
        linear,
        f: (0..=STEPS)
            .map(|step| [f(step), f(step + 1) - f(step)])
            .collect(),
        hues: (0..=HUES).map(hue_weights).collect(),
    }
});

/// The weights of the hue at a place of the table.
fn hue_weights(index: usize) -> [f32; 2] {
    // Back from the rhomb to the circle.
    let place = index as f64 * 4.0 / HUES as f64;
    let (x, y) = match place {
        p if p < 1.0 => (1.0 - p, p),
        p if p < 2.0 => (1.0 - p, 2.0 - p),
        p if p < 3.0 => (p - 3.0, 2.0 - p),
        p => (p - 3.0, p - 4.0),
    };
    let h = y.atan2(x).to_degrees().rem_euclid(360.0);
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0)
        - 0.20 * cos(4.0 * h - 63.0);
    let theta = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    [t as f32, (2.0 * theta).to_radians().sin() as f32]
}

/// Where a direction meets the rhomb |x| + |y| = 1, from 0 to 4 counterclockwise: an angle for tables, without an arc tangent.
#[inline]
fn place(x: f32, y: f32) -> f32 {
    let length = x.abs() + y.abs();
    let y = y / if length == 0.0 { 1.0 } else { length };
    let right = if y >= 0.0 { y } else { 4.0 + y };
    let place = if x >= 0.0 { right } else { 2.0 - y };
    place * (HUES as f32 / 4.0)
}

/// Added to a number of a few digits, leaves the nearest whole number in the lowest bits of the sum: conversions that mind every
/// number there is are done one by one, this is done on several at once.
const NEAREST: f32 = 12_582_912.0;

/// The whole number in the lowest bits of a sum with [`NEAREST`].
#[inline]
fn whole(sum: f32) -> u32 {
    sum.to_bits().wrapping_sub(NEAREST.to_bits())
}

/// Pixels computed at once.
const LANES: usize = 16;

/// The colors of an image's pixels, axis by axis.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Labs {
    /// L*.
    pub(super) light: Vec<f32>,
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Labs {
    /// Of pixels, each within 0.01 of what [`Lab::of`](crate::domain::color::Lab::of) gives.
    pub(super) fn of(pixels: &[Pixel]) -> Self {
        let plane = || vec![0.0; pixels.len()];
        let (mut light, mut a, mut b) = (plane(), plane(), plane());
        let (blocks, rest) = pixels.as_chunks::<LANES>();
        let (lights, last_light) = light.as_chunks_mut::<LANES>();
        let (greens, last_a) = a.as_chunks_mut::<LANES>();
        let (yellows, last_b) = b.as_chunks_mut::<LANES>();
        let into = lights.iter_mut().zip(greens).zip(yellows);
        for (pixels, ((light, a), b)) in blocks.iter().zip(into) {
            [*light, *a, *b] = block_of_labs(pixels);
        }
        let mut padded = [[0; 3]; LANES];
        padded[..rest.len()].copy_from_slice(rest);
        let found = block_of_labs(&padded);
        for (last, found) in [last_light, last_a, last_b].into_iter().zip(found) {
            last.copy_from_slice(&found[..rest.len()]);
        }
        Self { light, a, b }
    }

    /// The color at a place.
    #[inline]
    pub(super) fn at(&self, place: usize) -> Lab {
        [self.light[place], self.a[place], self.b[place]]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.light.len()
    }

    /// The colors that these become.
    pub(super) fn mapped(&self, to: impl Fn(Lab) -> Lab) -> Self {
        let mut out = self.clone();
        for place in 0..self.len() {
            [out.light[place], out.a[place], out.b[place]] = to(self.at(place));
        }
        out
    }

    /// The mean color of a rectangle of an image that is `width` wide: its columns and rows, neither empty.
    pub(super) fn mean(&self, width: usize, columns: Range<usize>, rows: Range<usize>) -> Lab {
        let n = (columns.len() * rows.len()) as f32;
        [&self.light, &self.a, &self.b].map(|plane| {
            let lines = rows.clone().map(|y| y * width);
            let places = lines.flat_map(|row| &plane[row + columns.start..row + columns.end]);
            places.sum::<f32>() / n
        })
    }
}

// Looking up and reckoning take turns, so that the latter is done on several pixels at once.
#[inline]
fn block_of_labs(pixels: &[Pixel; LANES]) -> [[f32; LANES]; 3] {
    let tables = &*TABLES;
    let mut light = [[0.0_f32; LANES]; 3];
    for (at, pixel) in pixels.iter().enumerate() {
        for (light, byte) in light.iter_mut().zip(pixel) {
            light[at] = tables.linear[usize::from(*byte)];
        }
    }
    // The white point's share of each, in steps of the table.
    let mut steps = [[0.0_f32; LANES]; 3];
    let mut places = [[0_u32; LANES]; 3];
    let (x, y, z) = (STEPS as f32 / 0.9505, STEPS as f32, STEPS as f32 / 1.089);
    for at in 0..LANES {
        let [r, g, b] = [light[0][at], light[1][at], light[2][at]];
        steps[0][at] = (0.4124 * r + 0.3576 * g + 0.1805 * b) * x;
        steps[1][at] = (0.2126 * r + 0.7152 * g + 0.0722 * b) * y;
        steps[2][at] = (0.0193 * r + 0.1192 * g + 0.9505 * b) * z;
    }
    for (steps, places) in steps.iter_mut().zip(&mut places) {
        for (step, place) in steps.iter_mut().zip(places) {
            *step = step.clamp(0.0, STEPS as f32);
            // Half a step lower, the nearest is the one below.
            let below = *step - 0.5 + NEAREST;
            *place = whole(below);
            *step -= below - NEAREST;
        }
    }
    let (table, mut low, mut rise) = (tables.f.as_slice(), light, [[0.0_f32; LANES]; 3]);
    for channel in 0..3 {
        for at in 0..LANES {
            let place = places[channel][at] as usize;
            [low[channel][at], rise[channel][at]] = table[place.min(STEPS)];
        }
    }
    let mut out = [[0.0; LANES]; 3];
    for at in 0..LANES {
        let f = |channel: usize| low[channel][at] + rise[channel][at] * steps[channel][at];
        let (x, y, z) = (f(0), f(1), f(2));
        out[0][at] = 116.0 * y - 16.0;
        out[1][at] = 500.0 * (x - y);
        out[2][at] = 200.0 * (y - z);
    }
    out
}

/// How far two colors are apart in lightness, chroma and hue, before the weights that hang on the hue.
struct Apart {
    light: f32,
    chroma: f32,
    sideways: f32,
    mean_chroma: f32,
    place: f32,
}

#[inline]
fn side(v: f32) -> f32 {
    v * v
}

#[inline]
fn seventh(c: f32) -> f32 {
    let cube = c * c * c;
    let power = cube * cube * c;
    (power / (power + 6_103_515_625.0)).sqrt()
}

// Without a branch, here and in `joined`, so that several pixels are computed at once.
#[inline]
fn apart([l1, a1, b1]: Lab, [l2, a2, b2]: Lab) -> Apart {
    let length = |x: f32, y: f32| (x * x + y * y).sqrt();
    let mean = 0.5 * (length(a1, b1) + length(a2, b2));
    let stretch = 1.5 - 0.5 * seventh(mean);
    let (a1, a2) = (a1 * stretch, a2 * stretch);
    let (c1, c2) = (length(a1, b1), length(a2, b2));
    let chroma = c2 - c1;
    let turned = (side(a2 - a1) + side(b2 - b1) - side(chroma)).max(0.0);
    let sideways = turned.sqrt().copysign(a1 * b2 - a2 * b1);
    // A grey has no hue, and leaves the other's.
    let over = |c: f32| if c > 1e-4 { 1.0 / c } else { 0.0 };
    let (over1, over2) = (over(c1), over(c2));
    let away = side(0.5 * (l1 + l2) - 50.0);
    let mean_chroma = 0.5 * (c1 + c2);
    Apart {
        light: (l2 - l1) / (1.0 + 0.015 * away / (20.0 + away).sqrt()),
        chroma: chroma / (1.0 + 0.045 * mean_chroma),
        sideways,
        mean_chroma,
        place: place(a1 * over1 + a2 * over2, b1 * over1 + b2 * over2),
    }
}

#[inline]
fn joined(apart: &Apart, t: f32, rotation: f32) -> f32 {
    let Apart {
        light,
        chroma,
        mean_chroma,
        ..
    } = *apart;
    let sideways = apart.sideways / (1.0 + 0.015 * mean_chroma * t);
    let square = light * light + chroma * chroma + sideways * sideways
        - 2.0 * rotation * seventh(mean_chroma) * chroma * sideways;
    square.max(0.0).sqrt()
}

#[inline]
fn weights_at(hues: &[[f32; 2]], place: f32) -> [f32; 2] {
    hues[(whole(place + NEAREST) as usize).min(HUES)]
}

/// The color difference ΔE₀₀ ([`delta_e_2000`](crate::domain::color::delta_e_2000)), to within 1 % of it or 0.02.
pub(super) fn delta_e(first: Lab, second: Lab) -> f32 {
    let apart = apart(first, second);
    let [t, rotation] = weights_at(&TABLES.hues, apart.place);
    joined(&apart, t, rotation)
}

/// The same of the pixels of two images, in order.
pub(super) fn delta_es(first: &Labs, second: &Labs) -> Vec<f32> {
    let mut out = vec![0.0; first.len().min(second.len())];
    let [l1, a1, b1] = blocks(first);
    let [l2, a2, b2] = blocks(second);
    let (into, rest) = out.as_chunks_mut::<LANES>();
    let done = LANES * into.len();
    for (block, out) in into.iter_mut().enumerate() {
        let firsts = [&l1[block], &a1[block], &b1[block]];
        *out = block_of_delta_es(firsts, [&l2[block], &a2[block], &b2[block]]);
    }
    for (place, out) in rest.iter_mut().enumerate() {
        *out = delta_e(first.at(done + place), second.at(done + place));
    }
    out
}

fn blocks(labs: &Labs) -> [&[[f32; LANES]]; 3] {
    [&labs.light, &labs.a, &labs.b].map(|plane| plane.as_chunks().0)
}

#[inline]
fn block_of_delta_es(first: [&[f32; LANES]; 3], second: [&[f32; LANES]; 3]) -> [f32; LANES] {
    let hues = TABLES.hues.as_slice();
    let mut parts = [[0.0; LANES]; 5];
    for at in 0..LANES {
        let apart = apart(first.map(|axis| axis[at]), second.map(|axis| axis[at]));
        parts[0][at] = apart.light;
        parts[1][at] = apart.chroma;
        parts[2][at] = apart.sideways;
        parts[3][at] = apart.mean_chroma;
        parts[4][at] = apart.place;
    }
    let mut weights = [[0.0; LANES]; 2];
    for at in 0..LANES {
        let [t, rotation] = weights_at(hues, parts[4][at]);
        weights[0][at] = t;
        weights[1][at] = rotation;
    }
    let mut out = [0.0; LANES];
    for at in 0..LANES {
        let apart = Apart {
            light: parts[0][at],
            chroma: parts[1][at],
            sideways: parts[2][at],
            mean_chroma: parts[3][at],
            place: 0.0,
        };
        out[at] = joined(&apart, weights[0][at], weights[1][at]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::color;

    #[test]
    fn the_quick_way_gives_what_the_exact_one_gives() {
        let mut state = 5_u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for _ in 0..20_000 {
            let one = [byte(), byte(), byte()];
            let near = one.map(|v| v ^ (byte() >> 5));
            for other in [[byte(), byte(), byte()], near, [one[1]; 3]] {
                // The last of 17 is reckoned by itself.
                let many = [one, other].map(|pixel| Labs::of(&[pixel; 17]));
                let quick = [0, 1].map(|side: usize| many[side].at(16));
                assert_eq!(many[0].at(3), quick[0]);
                let exact = [one, other].map(color::Lab::of);
                for (quick, exact) in quick.iter().zip(&exact) {
                    for (quick, exact) in quick.iter().zip([exact.l, exact.a, exact.b]) {
                        assert!((f64::from(*quick) - exact).abs() < 0.02, "{quick} {exact}");
                    }
                }
                let found = f64::from(delta_e(quick[0], quick[1]));
                let many = delta_es(&many[0], &many[1]);
                assert!(many.iter().all(|v| (f64::from(*v) - found).abs() < 1e-4));
                let book = color::delta_e_2000(exact[0], exact[1]);
                // Where hues are opposite the formula jumps, and rounding may take either side.
                let opposite = exact[0].a * exact[1].a + exact[0].b * exact[1].b < 0.0;
                let most = if opposite { 0.15 } else { 0.01 };
                assert!(
                    (found - book).abs() < 0.03 + most * book,
                    "{one:?} {other:?}: {found} {book}"
                );
            }
        }
    }
}
