//! Snow, rain and fog, drawn from seeded chance.

use rand::RngExt as _;
use serde::Deserialize;

use super::{Edit, Nature, Stage};
use crate::synth::raster::color::{Ink, Rgb};
use crate::synth::raster::grid::{Grid, cell, count, smoothstep};
use crate::synth::raster::mask::Mask;
use crate::synth::raster::noise::{between, clouds};
use crate::synth::raster::picture::mix;

use super::tone::Grade;

/// Adds a soft disc to a mask; discs shine through each other.
pub(crate) fn add_disc(mask: &mut Mask, x: f32, y: f32, radius: f32, strength: f32) {
    let (left, right) = (
        cell(x - radius - 1.0, mask.width),
        cell(x + radius + 1.0, mask.width),
    );
    let (top, bottom) = (
        cell(y - radius - 1.0, mask.height),
        cell(y + radius + 1.0, mask.height),
    );
    for py in top..=bottom {
        for px in left..=right {
            let (dx, dy) = (px as f32 + 0.5 - x, py as f32 + 0.5 - y);
            let edge = (radius * 0.5).max(0.7);
            let v = strength * smoothstep(radius + edge, radius - edge, (dx * dx + dy * dy).sqrt());
            mask.set(px, py, 1.0 - (1.0 - mask.get(px, py)) * (1.0 - v));
        }
    }
}

/// Falling snow: far small flakes, near large soft ones, and a little white air.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Snow {
    /// 1 is a good snowfall.
    pub(crate) amount: f32,
}

impl Edit for Snow {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let graded = Grade {
            stops: 0.12,
            warmth: -0.10,
            saturation: 0.85,
            ..Grade::default()
        }
        .over(&stage.picture);
        let (w, h) = graded.size();
        let mut flakes = Grid::filled(graded.width, graded.height, 0.0);
        let area = w * h / (512.0 * 384.0);
        for (number, small, large, strength) in [
            (900.0, 0.5, 0.9, 0.65),
            (330.0, 1.0, 1.9, 0.85),
            (55.0, 2.2, 4.2, 0.8),
        ] {
            for _ in 0..count(number * self.amount * area) {
                let (x, y) = (
                    between(&mut stage.chance, 0.0, w),
                    between(&mut stage.chance, 0.0, h),
                );
                let size = between(&mut stage.chance, small, large);
                let radius = stage.pixels(size);
                let strength = strength * between(&mut stage.chance, 0.6, 1.0);
                add_disc(&mut flakes, x, y, radius, strength);
                // Flakes fall during the exposure.
                add_disc(
                    &mut flakes,
                    x + radius * 0.3,
                    y + radius * 0.9,
                    radius * 0.8,
                    strength * 0.5,
                );
            }
        }
        let white = Ink::hex(0xf6_f8fc).0;
        let haze = 0.05 * self.amount.min(1.5);
        stage.picture = graded.zip(&flakes, |rgb, flake| {
            mix(mix(rgb, white, haze), white, flake)
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}

/// Rain: grey light, wet air, slanting streaks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rain {
    /// 1 is a steady rain.
    pub(crate) amount: f32,
}

impl Edit for Rain {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let graded = Grade {
            stops: -0.45,
            warmth: -0.16,
            saturation: 0.55,
            contrast: 0.92,
            fade: 0.06,
            ..Grade::default()
        }
        .over(&stage.picture);
        let (w, h) = graded.size();
        let mut streaks = Grid::filled(graded.width, graded.height, 0.0_f32);
        let area = w * h / (512.0 * 384.0);
        let slant = 0.22;
        for _ in 0..count(1500.0 * self.amount * area) {
            let x = between(&mut stage.chance, -0.1 * w, w);
            let y = between(&mut stage.chance, -0.1 * h, h);
            let near = stage.chance.random::<f32>();
            let length = stage.pixels(7.0 + 20.0 * near * near);
            let strength = 0.14 + 0.22 * near;
            for i in 0..count(length) {
                let (px, py) = (x + slant * i as f32, y + i as f32);
                if px < 0.0 || py < 0.0 || px >= w || py >= h {
                    continue;
                }
                let fade = smoothstep(0.0, 0.4, i as f32 / length);
                let (px, py) = (cell(px, graded.width), cell(py, graded.height));
                let old = streaks.get(px, py);
                streaks.set(px, py, old.max(strength * fade));
            }
        }
        let streaks = streaks.blurred(0.45);
        let water: Rgb = Ink::hex(0xdc_e4ee).0;
        let haze = Ink::hex(0xa8_b0b8).0;
        stage.picture = graded.zip(&streaks, |rgb, streak| {
            mix(mix(rgb, haze, 0.07 * self.amount), water, streak.min(0.7))
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}

/// Fog, thicker towards a line (the horizon) and behind the subject.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fog {
    /// How much of what is far away disappears, 0..=1.
    pub(crate) density: f32,
    /// Where the far end of the scene is, as a fraction of the height.
    pub(crate) horizon: f32,
    /// How much of the fog lies before the subject, 0..=1.
    #[serde(default = "nearly_all")]
    pub(crate) before_subject: f32,
}

const fn nearly_all() -> f32 {
    0.75
}

impl Edit for Fog {
    fn perform(&self, stage: &mut Stage) {
        stage.touch_all();
        let (width, height) = (stage.picture.width, stage.picture.height);
        let banks = clouds(width, height, width as f32 / 3.0, &mut stage.chance);
        let (_, h) = stage.picture.size();
        let air = Ink::hex(0xd9_dde0).0;
        let subject = stage.subject.clone();
        let calm = Grade {
            saturation: 0.85,
            ..Grade::default()
        }
        .over(&stage.picture);
        stage.picture = calm.map_at(|x, y, rgb| {
            let down = (y as f32 + 0.5) / h;
            let near = smoothstep(self.horizon, 1.25, down);
            let high = smoothstep(self.horizon, self.horizon - 0.9, down) * 0.45;
            let depth = 1.0 - near.max(high);
            let bank = 0.55 + 0.75 * banks.get(x, y);
            let covered = subject.as_ref().map_or(0.0, |s| s.get(x, y));
            let before = 1.0 - covered * (1.0 - self.before_subject);
            mix(rgb, air, (self.density * depth * bank * before).min(0.96))
        });
    }
    fn nature(&self) -> Nature {
        Nature::Filter
    }
}
