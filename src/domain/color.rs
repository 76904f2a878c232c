//! Colors as people see them: how far two are apart, how saturated one is, and how colorful an image is.
//!
//! All pixels are 8-bit sRGB (IEC 61966-2-1), three bytes each. An image is a flat run of its pixels; where they lie in it
//! does not matter to anything here.

use std::sync::LazyLock;

/// Red, green and blue of one pixel, 0..=255.
pub type Pixel = [u8; 3];

/// A color in CIELAB (CIE 15:2004, 8.2.1) under D65, seen by the 2° observer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lab {
    /// Lightness, 0 (black) to 100 (white).
    pub l: f64,
    /// Green (negative) to red, about -87..=99 within sRGB.
    pub a: f64,
    /// Blue (negative) to yellow, about -108..=95 within sRGB.
    pub b: f64,
}

/// Linear light of each sRGB byte, 0..=1 (IEC 61966-2-1, 5.2).
static LINEAR: LazyLock<[f64; 256]> = LazyLock::new(|| {
    let mut table = [0.0; 256];
    for (byte, light) in (0_u8..=255).zip(&mut table) {
        let v = f64::from(byte) / 255.0;
        *light = if v <= 0.040_45 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        };
    }
    table
});

/// Linear RGB to XYZ (IEC 61966-2-1, 5.2).
const TO_XYZ: [[f64; 3]; 3] = [
    [0.4124, 0.3576, 0.1805],
    [0.2126, 0.7152, 0.0722],
    [0.0193, 0.1192, 0.9505],
];

/// One over D65, as the rows of [`TO_XYZ`] add up to it, so that every grey has a = b = 0.
const OVER_WHITE: [f64; 3] = [1.0 / 0.9505, 1.0, 1.0 / 1.089];

impl Lab {
    /// The color of an sRGB pixel.
    pub fn of(pixel: Pixel) -> Self {
        let light = pixel.map(|byte| LINEAR[usize::from(byte)]);
        let part = |axis: usize| {
            let [r, g, b] = TO_XYZ[axis];
            let t = (r * light[0] + g * light[1] + b * light[2]) * OVER_WHITE[axis];
            // The CIE's fractions, for which both branches meet.
            if t > 216.0 / 24_389.0 {
                cube_root(t)
            } else {
                (24_389.0 / 27.0 * t + 16.0) / 116.0
            }
        };
        let (x, y, z) = (part(0), part(1), part(2));
        Self {
            l: 116.0 * y - 16.0,
            a: 500.0 * (x - y),
            b: 200.0 * (y - z),
        }
    }
}

/// The cube root of a number between 0.001 and 1.1, to 13 digits or more. It is most of what a color costs, and cheaper than
/// the one of the standard library, which serves all numbers.
fn cube_root(t: f64) -> f64 {
    // A third of the bits is a third of the exponent, and a line for the fraction, at most 4 % off with its error evened out;
    // each of Halley's steps takes that to less than its third power.
    const BIAS: u64 = (0x3ff_u64 << 52) / 3 * 2 - (0x876d << 32);
    let mut root = f64::from_bits(t.to_bits() / 3 + BIAS);
    for _ in 0..2 {
        let cube = root * root * root;
        root *= (cube + 2.0 * t) / (2.0 * cube + t);
    }
    root
}

/// A length in the plane, and the direction as a vector of length 1; (0, 0) where there is none.
fn polar([x, y]: [f64; 2]) -> (f64, [f64; 2]) {
    // Colors are far from where squares overflow.
    let length = (x * x + y * y).sqrt();
    if length == 0.0 {
        (0.0, [0.0, 0.0])
    } else {
        let over = 1.0 / length;
        (length, [x * over, y * over])
    }
}

/// The color difference ΔE₀₀ of CIEDE2000 with all weights 1 (Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula:
/// Implementation notes, supplementary test data, and mathematical observations", Color Research & Application 30(1), 2005).
///
/// At least 0, the same both ways round; 1 is about what can just be seen, and black against white is 100. Unlike a
/// distance, it jumps a little where two hues are opposite (the paper's section on discontinuities).
///
/// Hues are held as directions and not as angles, which is the same formula without most of its sines and arc tangents, at
/// about two thirds of the cost.
pub fn delta_e_2000(first: Lab, second: Lab) -> f64 {
    // The square root of c⁷ / (c⁷ + 25⁷).
    let seventh = |c: f64| {
        let power = c.powi(7);
        (power / (power + 6_103_515_625.0)).sqrt()
    };

    // Equations 2 to 7: chroma and hue, with a stretched near grey.
    let mean = f64::midpoint(polar([first.a, first.b]).0, polar([second.a, second.b]).0);
    let stretch = 1.0 + 0.5 * (1.0 - seventh(mean));
    let (c1, h1) = polar([stretch * first.a, first.b]);
    let (c2, h2) = polar([stretch * second.a, second.b]);

    // Equations 8 to 14: the differences, and the mean hue.
    let (light, chroma) = (second.l - first.l, c2 - c1);
    let turned = h1[0] * h2[1] - h1[1] * h2[0];
    // Twice the sine of half the angle between the hues is how far their directions are apart.
    let apart = polar([h2[0] - h1[0], h2[1] - h1[1]]).0;
    let sideways = (c1 * c2).sqrt() * apart.copysign(turned);
    let hue = mean_hue(h1, h2);

    // Equations 15 to 22: how much each difference weighs at this place.
    let away = (f64::midpoint(first.l, second.l) - 50.0).powi(2);
    let mean_chroma = f64::midpoint(c1, c2);
    let degrees = hue[1].atan2(hue[0]).to_degrees();
    let degrees = if degrees < 0.0 {
        degrees + 360.0
    } else {
        degrees
    };
    let blue = 30.0 * (-((degrees - 275.0) / 25.0).powi(2)).exp();
    let rotation = -(2.0 * blue).to_radians().sin() * 2.0 * seventh(mean_chroma);
    let light = light / (1.0 + 0.015 * away / (20.0 + away).sqrt());
    let chroma = chroma / (1.0 + 0.045 * mean_chroma);
    let sideways = sideways / (1.0 + 0.015 * mean_chroma * hue_weight(hue));
    let square =
        light * light + chroma * chroma + sideways * sideways + rotation * chroma * sideways;
    // The last term can take more than there is by a rounding.
    square.max(0.0).sqrt()
}

/// The direction in the middle of the shorter arc between two (equation 14). A grey has no hue and leaves the other's; of two
/// greys it does not matter.
fn mean_hue(first: [f64; 2], second: [f64; 2]) -> [f64; 2] {
    let (length, middle) = polar([first[0] + second[0], first[1] + second[1]]);
    if length > 0.0 {
        return middle;
    }
    // Opposite to the last digit: the formula takes the mean of the angles from 0° to 360°, a right angle past the smaller.
    let [x, y] = first;
    let [x, y] = if y > 0.0 || (y == 0.0 && x > 0.0) {
        first
    } else {
        second
    };
    [-y, x]
}

/// T of equation 15, of a hue given as its direction: the cosines of its multiples, by the rules for sums of angles.
fn hue_weight([cos1, sin1]: [f64; 2]) -> f64 {
    // Cosine and sine of 30°, 6° and 63°.
    const AT_30: [f64; 2] = [0.866_025_403_784_438_6, 0.5];
    const AT_6: [f64; 2] = [0.994_521_895_368_273_3, 0.104_528_463_267_653_47];
    const AT_63: [f64; 2] = [0.453_990_499_739_546_75, 0.891_006_524_188_367_9];
    let (sin2, cos2) = (2.0 * sin1 * cos1, 2.0 * cos1 * cos1 - 1.0);
    let (sin3, cos3) = (sin2 * cos1 + cos2 * sin1, cos2 * cos1 - sin2 * sin1);
    let (sin4, cos4) = (2.0 * sin2 * cos2, 2.0 * cos2 * cos2 - 1.0);
    1.0 - 0.17 * (cos1 * AT_30[0] + sin1 * AT_30[1])
        + 0.24 * cos2
        + 0.32 * (cos3 * AT_6[0] - sin3 * AT_6[1])
        - 0.20 * (cos4 * AT_63[0] + sin4 * AT_63[1])
}

/// The mean ΔE₀₀ ([`delta_e_2000`]) of two images of one size, pixel by pixel; `None` without pixels, or when one has more
/// than the other.
pub fn mean_delta_e_2000(first: &[Pixel], second: &[Pixel]) -> Option<f64> {
    if first.is_empty() || first.len() != second.len() {
        return None;
    }
    // Edits leave most pixels as they were, and those cost nothing.
    let changed = first.iter().zip(second).filter(|(a, b)| a != b);
    let sum: f64 = changed
        .map(|(a, b)| delta_e_2000(Lab::of(*a), Lab::of(*b)))
        .sum();
    Some(sum / first.len() as f64)
}

/// The saturation of a pixel in the hexcone model HSV (Smith, "Color gamut transform pairs", SIGGRAPH 1978): what share of
/// its largest component the smallest lacks. 0 (grey; black by the paper's definition) to 1; no unit.
pub fn saturation(pixel: Pixel) -> f64 {
    let [r, g, b] = pixel;
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most == 0 {
        0.0
    } else {
        f64::from(most - least) / f64::from(most)
    }
}

/// The mean [`saturation`] of an image, 0..=1; `None` without pixels.
pub fn mean_saturation(pixels: &[Pixel]) -> Option<f64> {
    let sum: f64 = pixels.iter().map(|pixel| saturation(*pixel)).sum();
    (!pixels.is_empty()).then(|| sum / pixels.len() as f64)
}

/// The colorfulness M̂⁽³⁾ of an image (Hasler and Süsstrunk, "Measuring colourfulness in natural images", Human Vision and
/// Electronic Imaging VIII, 2003): σ + 0.3 μ of the opponent axes R - G and (R + G)/2 - B, in sRGB code values.
///
/// 0 (all grey) to at most 297.7; people called 15 slightly, 45 averagely and 109 extremely colorful (the same paper).
/// Standard deviations are of the population. `None` without pixels.
pub fn colorfulness(pixels: &[Pixel]) -> Option<f64> {
    if pixels.is_empty() {
        return None;
    }
    // Twice the second axis, so that all sums are whole numbers and exact.
    let (mut rg, mut yb, mut squares) = (0_i64, 0_i64, [0_i64; 2]);
    // Sums of as many pixels as are sure to fit take half the room, and half the time.
    for some in pixels.chunks(4096) {
        let (mut few_rg, mut few_yb, mut few_squares) = (0_i32, 0_i32, [0_i32; 2]);
        for &[r, g, b] in some {
            let [r, g, b] = [i32::from(r), i32::from(g), i32::from(b)];
            let (x, y) = (r - g, r + g - 2 * b);
            few_rg += x;
            few_yb += y;
            few_squares[0] += x * x;
            few_squares[1] += y * y;
        }
        rg += i64::from(few_rg);
        yb += i64::from(few_yb);
        for (square, few) in squares.iter_mut().zip(few_squares) {
            *square += i64::from(few);
        }
    }
    let n = pixels.len() as f64;
    let (mean_rg, mean_yb) = (rg as f64 / n, yb as f64 / 2.0 / n);
    let mean = mean_rg.powi(2) + mean_yb.powi(2);
    let square = squares[0] as f64 / n + squares[1] as f64 / 4.0 / n;
    Some((square - mean).max(0.0).sqrt() + 0.3 * mean.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L, a and b of both colors and their ΔE₀₀: the supplementary test data of Sharma, Wu and Dalal (2005), table 1.
    const PUBLISHED: [[f64; 7]; 34] = [
        [50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425],
        [50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615],
        [50.0, 2.8361, -74.0200, 50.0, 0.0, -82.7485, 3.4412],
        [50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0],
        [50.0, -1.1848, -84.8006, 50.0, 0.0, -82.7485, 1.0],
        [50.0, -0.9009, -85.5211, 50.0, 0.0, -82.7485, 1.0],
        [50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669],
        [50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0010, 7.1792],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0011, 7.2195],
        [50.0, 2.49, -0.001, 50.0, -2.49, 0.0012, 7.2195],
        [50.0, -0.001, 2.49, 50.0, 0.0009, -2.49, 4.8045],
        [50.0, -0.001, 2.49, 50.0, 0.0010, -2.49, 4.8045],
        [50.0, -0.001, 2.49, 50.0, 0.0011, -2.49, 4.7461],
        [50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065],
        [50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492],
        [50.0, 2.5, 0.0, 61.0, -5.0, 29.0, 22.8977],
        [50.0, 2.5, 0.0, 56.0, -27.0, -3.0, 31.9030],
        [50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535],
        [50.0, 2.5, 0.0, 50.0, 3.1736, 0.5854, 1.0],
        [50.0, 2.5, 0.0, 50.0, 3.2972, 0.0, 1.0],
        [50.0, 2.5, 0.0, 50.0, 1.8634, 0.5757, 1.0],
        [50.0, 2.5, 0.0, 50.0, 3.2592, 0.3350, 1.0],
        [
            60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644,
        ],
        [
            63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630,
        ],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [
            22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373,
        ],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ];

    #[test]
    fn all_published_pairs_have_their_published_difference_both_ways_round() {
        for (i, [l1, a1, b1, l2, a2, b2, published]) in PUBLISHED.into_iter().enumerate() {
            let first = Lab {
                l: l1,
                a: a1,
                b: b1,
            };
            let second = Lab {
                l: l2,
                a: a2,
                b: b2,
            };
            for found in [delta_e_2000(first, second), delta_e_2000(second, first)] {
                assert!(
                    (found - published).abs() <= 5e-5 + 1e-9,
                    "pair {}: {found} is not {published}",
                    i + 1
                );
            }
            assert_eq!(delta_e_2000(first, first), 0.0);
        }
    }

    /// The formula as the paper writes it, in degrees.
    fn by_the_book(x: Lab, y: Lab) -> f64 {
        let root = |c: f64| (c.powi(7) / (c.powi(7) + 25_f64.powi(7))).sqrt();
        let (sin, cos) = (|v: f64| v.to_radians().sin(), |v: f64| v.to_radians().cos());
        let g = 0.5 * (1.0 - root(f64::midpoint(x.a.hypot(x.b), y.a.hypot(y.b))));
        let (ax, ay) = ((1.0 + g) * x.a, (1.0 + g) * y.a);
        let (cx, cy) = (ax.hypot(x.b), ay.hypot(y.b));
        let hue = |a: f64, b: f64| b.atan2(a).to_degrees().rem_euclid(360.0);
        let (hx, hy) = (hue(ax, x.b), hue(ay, y.b));
        let (turn, h) = if cx * cy == 0.0 {
            (0.0, hx + hy)
        } else if (hy - hx).abs() <= 180.0 {
            (hy - hx, f64::midpoint(hx, hy))
        } else if hx + hy < 360.0 {
            (
                (hy - hx) - 360.0 * (hy - hx).signum(),
                (hx + hy + 360.0) / 2.0,
            )
        } else {
            (
                (hy - hx) - 360.0 * (hy - hx).signum(),
                (hx + hy - 360.0) / 2.0,
            )
        };
        let (l, c) = (f64::midpoint(x.l, y.l), f64::midpoint(cx, cy));
        let t = 1.0 - 0.17 * cos(h - 30.0) + 0.24 * cos(2.0 * h) + 0.32 * cos(3.0 * h + 6.0)
            - 0.20 * cos(4.0 * h - 63.0);
        let theta = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
        let parts = [
            (y.l - x.l) / (1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt()),
            (cy - cx) / (1.0 + 0.045 * c),
            2.0 * (cx * cy).sqrt() * sin(turn / 2.0) / (1.0 + 0.015 * c * t),
        ];
        let squares: f64 = parts.iter().map(|part| part * part).sum();
        (squares - sin(2.0 * theta) * 2.0 * root(c) * parts[1] * parts[2]).sqrt()
    }

    #[test]
    fn directions_give_what_the_formula_gives_with_angles() {
        let mut state = 5_u32;
        let mut pixel = || {
            [(); 3].map(|()| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
        };
        for _ in 0..20_000 {
            let one = pixel();
            // Far ones, near ones, and a grey.
            for other in [pixel(), one.map(|v| v ^ 1), [one[0]; 3]] {
                let (x, y) = (Lab::of(one), Lab::of(other));
                let (found, book) = (delta_e_2000(x, y), by_the_book(x, y));
                assert!(
                    (found - book).abs() < 1e-9,
                    "{one:?} {other:?}: {found} {book}"
                );
            }
        }
    }

    #[test]
    fn hues_that_are_opposite_to_the_last_digit_turn_by_the_angles_of_the_formula() {
        for (a, b) in [(30.0, 0.0), (0.0, 30.0), (20.0, 7.0), (-20.0, 7.0)] {
            let x = Lab { l: 40.0, a, b };
            let y = Lab { a: -a, b: -b, ..x };
            for (x, y) in [(x, y), (y, x)] {
                let (found, book) = (delta_e_2000(x, y), by_the_book(x, y));
                assert!((found - book).abs() < 1e-9, "{x:?}: {found} {book}");
            }
        }
    }

    #[test]
    fn the_cube_root_is_that_of_the_standard_library_over_the_range_of_light() {
        for step in 0..=11_000 {
            let t = 0.001 + f64::from(step) * 1e-4;
            let error = cube_root(t) / t.cbrt() - 1.0;
            assert!(error.abs() < 1e-13, "{t}: {error}");
        }
    }

    #[test]
    fn the_corners_of_srgb_are_where_they_are_known_to_be() {
        // From the standard's matrix by hand; tables made with other roundings of it differ by 0.03.
        for (pixel, lab) in [
            ([255, 0, 0], [53.2329, 80.1053, 67.2228]),
            ([0, 255, 0], [87.7370, -86.1884, 83.1861]),
            ([0, 0, 255], [32.3026, 79.1936, -107.8537]),
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([0, 0, 0], [0.0, 0.0, 0.0]),
        ] {
            let found = Lab::of(pixel);
            for (found, known) in [found.l, found.a, found.b].into_iter().zip(lab) {
                assert!((found - known).abs() < 1e-4, "{pixel:?}: {found} {known}");
            }
        }
    }

    #[test]
    fn greys_have_no_hue_and_grow_lighter() {
        let mut before = -1.0;
        for byte in 0..=255 {
            let grey = Lab::of([byte; 3]);
            assert!(grey.a.abs() < 1e-10 && grey.b.abs() < 1e-10, "{grey:?}");
            assert!(grey.l > before);
            before = grey.l;
        }
    }

    #[test]
    fn an_image_is_as_far_from_another_as_its_pixels_are_on_average() {
        let (black, white) = ([0; 3], [255; 3]);
        let mean = mean_delta_e_2000(&[black, white, black, black], &[black, white, white, black]);
        assert!((mean.unwrap() - 25.0).abs() < 1e-9, "{mean:?}");
        assert_eq!(mean_delta_e_2000(&[black], &[black]), Some(0.0));
        assert_eq!(mean_delta_e_2000(&[], &[]), None);
        assert_eq!(mean_delta_e_2000(&[black], &[black, white]), None);
    }

    #[test]
    fn saturation_is_the_share_that_the_smallest_component_lacks() {
        assert_eq!(saturation([200, 50, 100]), 0.75);
        assert_eq!(saturation([90, 90, 90]), 0.0);
        assert_eq!(saturation([0, 0, 1]), 1.0);
        assert_eq!(saturation([0, 0, 0]), 0.0);
        assert_eq!(mean_saturation(&[[200, 50, 100], [9, 9, 9]]), Some(0.375));
        assert_eq!(mean_saturation(&[]), None);
    }

    #[test]
    fn colorfulness_of_one_color_is_0_3_of_its_opponent_length() {
        assert_eq!(colorfulness(&[[0; 3], [80; 3], [255; 3]]), Some(0.0));
        // R - G = 255, (R + G)/2 - B = 127.5.
        let red = colorfulness(&[[255, 0, 0]; 7]).unwrap();
        assert!((red - 0.3 * 255.0 * 1.25_f64.sqrt()).abs() < 1e-9, "{red}");
        assert_eq!(colorfulness(&[]), None);
    }

    #[test]
    fn colorfulness_of_two_opposite_colors_is_their_spread() {
        // Opponent places (255, 127.5) and (-255, -127.5): no mean, all spread.
        let pair = colorfulness(&[[255, 0, 0], [0, 255, 255]]).unwrap();
        assert!((pair - 255.0 * 1.25_f64.sqrt()).abs() < 1e-9, "{pair}");
        // Blue and black: (0, -255) and (0, 0), so σ = 127.5 and μ = 127.5.
        let blue = colorfulness(&[[0, 0, 255], [0, 0, 0]]).unwrap();
        assert!((blue - 1.3 * 127.5).abs() < 1e-9, "{blue}");
    }
}
