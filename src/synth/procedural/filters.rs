//! What is done to a picture as a whole, or to all of it under a mask: colors, sharpness, turning, cropping.

use super::order::Paint;
use crate::synth::raster::color::{Lab, Rgb};
use crate::synth::raster::grid::{Grid, Sample, count, lerp, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::picture::Picture;

pub(super) fn warmed(rgb: Rgb, by: f32) -> Rgb {
    let gains = [1.0 + 0.45 * by, 1.0 + 0.04 * by, 1.0 - 0.55 * by];
    [rgb[0] * gains[0], rgb[1] * gains[1], rgb[2] * gains[2]]
}

/// Unsharp mask on code values, which is where eyes see edges.
pub(super) fn sharpened(source: &Picture, radius: f32, amount: f32) -> Picture {
    let soft = source.blurred(radius);
    source.zip(&soft, |sharp, soft| {
        let light = |rgb: Rgb| Lab::of(rgb).l;
        let lab = Lab::of(sharp);
        Lab {
            l: (lab.l + amount * (lab.l - light(soft))).clamp(0.0, 1.0),
            ..lab
        }
        .rgb()
    })
}

/// The color with the shading of what was there.
pub(super) fn recolored(source: &Picture, mask: &Mask, color: Paint, amount: f32) -> Picture {
    let labs = source.map(Lab::of);
    let weight = mask.cells.iter().sum::<f32>().max(1e-3);
    let mean = labs
        .cells
        .iter()
        .zip(&mask.cells)
        .map(|(lab, m)| lab.l * m)
        .sum::<f32>()
        / weight;
    let ink = color.ink().lab();
    labs.map(|lab| {
        let l = ink.l + 0.8 * (lab.l - mean);
        // Highlights and deep shadows take less color, as they do on painted things.
        let room = 1.0 - 2.0 * (l - 0.5).abs();
        let chroma = smoothstep(-0.05, 0.35, room);
        let painted = Lab {
            l: lerp(lab.l, l, 0.85),
            a: ink.a * chroma,
            b: ink.b * chroma,
        };
        lab.toward(painted, amount).rgb()
    })
}

pub(super) fn pixelated(source: &Picture, size: f32) -> Picture {
    let side = count(size).max(2);
    let (across, down) = (source.width.div_ceil(side), source.height.div_ceil(side));
    let mut sums = Grid::filled(across, down, ([0.0_f32; 3], 0.0_f32));
    for y in 0..source.height {
        for x in 0..source.width {
            let (sum, n) = sums.get(x / side, y / side);
            sums.set(
                x / side,
                y / side,
                (sum.plus(source.get(x, y), 1.0), n + 1.0),
            );
        }
    }
    let means = sums.map(|(sum, n)| sum.times(1.0 / n.max(1.0)));
    source.map_at(|x, y, _| means.get(x / side, y / side))
}

/// Turned clockwise. A right angle turns the frame too; any other keeps the frame and enlarges until it is filled.
pub(super) fn turned(source: &Picture, degrees: f32) -> Picture {
    let (width, height) = (source.width, source.height);
    match degrees.rem_euclid(360.0) {
        90.0 => Grid::from_fn(height, width, |x, y| source.get(y, height - 1 - x)),
        180.0 => source.flipped().mirrored(),
        270.0 => Grid::from_fn(height, width, |x, y| source.get(width - 1 - y, x)),
        _ => {
            let (w, h) = source.size();
            let angle = degrees.to_radians();
            let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
            let long = w.max(h) / w.min(h);
            let scale = 1.0 / (cos.abs() + long * sin.abs());
            source.map_at(|x, y, _| {
                let (dx, dy) = (
                    (x as f32 + 0.5 - w / 2.0) * scale,
                    (y as f32 + 0.5 - h / 2.0) * scale,
                );
                source.at(w / 2.0 + dx * cos + dy * sin, h / 2.0 - dx * sin + dy * cos)
            })
        }
    }
}

pub(super) fn zoomed(source: &Picture, factor: f32) -> Picture {
    if factor >= 1.0 {
        let side = 1.0 / factor;
        let from = (1.0 - side) / 2.0;
        return source.zoomed(from, from, side, side);
    }
    let (w, h) = source.size();
    let soft = source.blurred(0.5 / factor - 0.5);
    let margin = (1.0 - factor) / 2.0;
    source.map_at(|x, y, _| {
        let (u, v) = (
            ((x as f32 + 0.5) / w - margin) / factor,
            ((y as f32 + 0.5) / h - margin) / factor,
        );
        if (0.0..1.0).contains(&u) && (0.0..1.0).contains(&v) {
            soft.at(u * w, v * h)
        } else {
            [0.9; 3]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Picture {
        Grid::from_fn(48, 30, |x, y| [x as f32 / 48.0, y as f32 / 30.0, 0.5])
    }

    #[test]
    fn turning_four_times_by_a_right_angle_is_no_turn() {
        let once = turned(&ramp(), 90.0);
        assert_eq!((once.width, once.height), (30, 48));
        // Clockwise: what was at the left edge is now at the top.
        assert_eq!(once.get(29, 0), ramp().get(0, 0));
        assert_eq!(turned(&once, 270.0), ramp());
        assert_eq!(turned(&turned(&ramp(), 180.0), -180.0), ramp());
    }
}
