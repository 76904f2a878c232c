//! Things drawn from nothing: moon, stars, rainbow, balloon. Few, but each drawn so that it belongs.

use rand::RngExt as _;
use serde::Deserialize;

use super::weather::add_disc;
use super::{Edit, Nature, Stage};
use crate::synth::raster::color::{Ink, Lab, Rgb};
use crate::synth::raster::grid::{Grid, Sample, count, smoothstep};
use crate::synth::raster::noise::{between, clouds};
use crate::synth::raster::picture::{mix, screened};
use crate::synth::raster::select::{Part, Selection};

fn in_the_sky() -> Selection {
    Selection {
        part: Part::Sky,
        ..Selection::default()
    }
}

/// A full moon with its seas, and the light around it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Moon {
    /// Its middle, as fractions.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// In pixels of a 512-pixel picture.
    pub(crate) radius: f32,
}

impl Edit for Moon {
    fn perform(&self, stage: &mut Stage) {
        let (w, h) = stage.picture.size();
        let (cx, cy) = (self.x * w, self.y * h);
        let radius = stage.pixels(self.radius);
        let (width, height) = (stage.picture.width, stage.picture.height);
        let seas = clouds(width, height, radius * 1.5, &mut stage.chance);
        let free = stage.subject.as_ref().map(Grid::inverted);
        let free = free.unwrap_or_else(|| Grid::filled(width, height, 1.0));
        let face = Ink::hex(0xf4_f0e2).lab();
        let away = |x: usize, y: usize| {
            let (dx, dy) = (x as f32 + 0.5 - cx, y as f32 + 0.5 - cy);
            (dx * dx + dy * dy).sqrt()
        };
        stage.touched = stage
            .touched
            .map_at(|x, y, v| v.max(f32::from(away(x, y) < radius * 3.0)));
        stage.picture = stage.picture.map_at(|x, y, rgb| {
            let away = away(x, y);
            let free = free.get(x, y);
            let halo = libm::expf(-(away - radius).max(0.0) / (radius * 0.8)) * 0.06;
            let sky = screened(rgb, [0.85, 0.9, 1.0], halo * free);
            let dark = smoothstep(0.46, 0.60, seas.get(x, y)) * 0.20;
            let limb = 0.06 * (away / radius).min(1.0).powi(4);
            let disc = Lab {
                l: face.l - dark - limb,
                ..face
            }
            .rgb();
            mix(
                sky,
                disc,
                smoothstep(radius + 0.8, radius - 0.8, away) * free,
            )
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}

/// Stars in a dark sky.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Stars {
    #[serde(default = "in_the_sky")]
    pub(crate) select: Selection,
    /// 1 is a clear night.
    pub(crate) amount: f32,
}

impl Edit for Stars {
    fn perform(&self, stage: &mut Stage) {
        let sky = stage.select(&self.select).grown(-3.0).blurred(2.0);
        let (w, h) = sky.size();
        let mut light = Grid::filled(sky.width, sky.height, 0.0);
        let area = w * h / (512.0 * 384.0);
        for _ in 0..count(520.0 * self.amount * area) {
            let (x, y) = (
                between(&mut stage.chance, 0.0, w),
                between(&mut stage.chance, 0.0, h),
            );
            let bright = stage.chance.random::<f32>().powi(4);
            let radius = stage.pixels(0.35 + 0.85 * bright);
            add_disc(&mut light, x, y, radius, 0.35 + 0.65 * bright);
        }
        let light = light.times_mask(&sky);
        stage.picture = stage
            .picture
            .zip(&light, |rgb, star| mix(rgb, [0.92, 0.95, 1.0], star));
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}

/// A rainbow: red outside, violet inside, brighter within the bow.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rainbow {
    #[serde(default = "in_the_sky")]
    pub(crate) select: Selection,
    /// The middle of the circle, as fractions of width and height.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// The middle of the bow and its width, as fractions of the picture's width.
    pub(crate) radius: f32,
    pub(crate) width: f32,
    /// How bright, 0..=1.
    pub(crate) amount: f32,
}

/// The bow's color at 0 (inner edge) ..= 1 (outer edge).
fn spectrum(t: f32) -> Rgb {
    let hue = 305.0 + (30.0 - 305.0) * t;
    Lab::from_polar(0.72, 0.19, hue).rgb().map(|v| v.max(0.0))
}

impl Edit for Rainbow {
    fn perform(&self, stage: &mut Stage) {
        let sky = stage.select(&self.select).blurred(1.0);
        let (w, h) = sky.size();
        let (cx, cy) = (self.x * w, self.y * h);
        let (middle, half) = (self.radius * w, self.width * w / 2.0);
        let bow = |x: usize, y: usize| {
            let (dx, dy) = (x as f32 + 0.5 - cx, y as f32 + 0.5 - cy);
            ((dx * dx + dy * dy).sqrt() - (middle - half)) / (2.0 * half)
        };
        stage.picture = stage.picture.map_at(|x, y, rgb| {
            let (t, free) = (bow(x, y), sky.get(x, y));
            let inner = smoothstep(1.0, -3.0, t) * smoothstep(1.3, 1.0, t) * 0.05;
            let edge = smoothstep(-0.15, 0.2, t) * smoothstep(1.15, 0.8, t);
            let lit = rgb.plus([1.0; 3], inner * free * self.amount);
            let color = spectrum(t.clamp(0.0, 1.0));
            let dimmed = mix(lit, color, 0.55 * edge * self.amount * free);
            dimmed.plus(color, 0.12 * edge * self.amount * free)
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
    fn selection(&self) -> Option<&Selection> {
        Some(&self.select)
    }
}

/// A hot-air balloon with colored gores, lit from the upper left.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Balloon {
    /// The middle of the envelope, as fractions.
    pub(crate) x: f32,
    pub(crate) y: f32,
    /// Its radius, in pixels of a 512-pixel picture.
    pub(crate) radius: f32,
    /// The two colors of its gores.
    pub(crate) colors: [Ink; 2],
    /// How much far air dims it, 0..=1.
    #[serde(default)]
    pub(crate) haze: f32,
}

impl Balloon {
    /// Color and coverage at a point in radii from the middle of the envelope, y downwards.
    fn at(&self, x: f32, y: f32) -> Option<Rgb> {
        // The envelope: a sphere above, narrowing to a mouth below.
        let half = if y < 0.25 {
            (1.0 - y * y).max(0.0).sqrt()
        } else {
            let t = ((y - 0.25) / 1.05).min(1.0);
            0.968 * (1.0 - t) + 0.20 * t - 0.16 * t * (1.0 - t)
        };
        if (-1.0..1.3).contains(&y) && x.abs() < half {
            let across = (x / half).clamp(-1.0, 1.0);
            let gore = libm::asinf(across) / std::f32::consts::PI * 9.0 + 30.5;
            let ink = self.colors[usize::from(gore.rem_euclid(2.0) >= 1.0)].lab();
            let round = (1.0 - across * across).sqrt();
            let lit = -0.55 * across - 0.45 * y.min(0.9) + 0.55 * round;
            let band = if (0.28..0.40).contains(&y) {
                -0.10
            } else {
                0.0
            };
            let seam = 0.05 * smoothstep(0.06, 0.0, (gore.rem_euclid(1.0) - 0.5).abs() - 0.44);
            return Some(
                Lab {
                    l: (ink.l + 0.17 * (lit - 0.35) + band - seam).clamp(0.05, 0.97),
                    ..ink
                }
                .rgb(),
            );
        }
        let basket = (1.62..1.90).contains(&y) && x.abs() < 0.17;
        let rope = (1.3..1.62).contains(&y) && (x.abs() - (0.20 - 0.10 * (y - 1.3))).abs() < 0.018;
        if basket {
            let weave = if (y * 14.0).rem_euclid(1.0) < 0.3 {
                0.06
            } else {
                0.0
            };
            return Some(
                Lab {
                    l: 0.42 - weave - 0.25 * x,
                    ..Ink::hex(0x8a_5a2c).lab()
                }
                .rgb(),
            );
        }
        rope.then(|| Ink::hex(0x40_3830).0)
    }
}

impl Edit for Balloon {
    fn perform(&self, stage: &mut Stage) {
        let (w, h) = stage.picture.size();
        let radius = stage.pixels(self.radius);
        let (cx, cy) = (self.x * w, self.y * h);
        let air = Ink::hex(0xc4_d4e6).0;
        let near = |x: usize, y: usize| {
            let (u, v) = (
                (x as f32 + 0.5 - cx) / radius,
                (y as f32 + 0.5 - cy) / radius,
            );
            u.abs() < 1.1 && (-1.1..2.0).contains(&v)
        };
        stage.touched = stage.touched.map_at(|x, y, v| v.max(f32::from(near(x, y))));
        stage.picture = stage.picture.map_at(|x, y, rgb| {
            if !near(x, y) {
                return rgb;
            }
            // Sixteen points a pixel: the ropes are thinner than one.
            let (mut sum, mut covered) = ([0.0; 3], 0.0_f32);
            for i in 0..16_u8 {
                let (sx, sy) = (
                    f32::from(i % 4) / 4.0 + 0.125,
                    f32::from(i / 4) / 4.0 + 0.125,
                );
                let (u, v) = ((x as f32 + sx - cx) / radius, (y as f32 + sy - cy) / radius);
                if let Some(color) = self.at(u, v) {
                    sum = sum.plus(mix(color, air, self.haze), 1.0 / 16.0);
                    covered += 1.0 / 16.0;
                }
            }
            sum.plus(rgb, 1.0 - covered)
        });
    }
    fn nature(&self) -> Nature {
        Nature::Content
    }
}
