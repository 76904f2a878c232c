//! Judges with a known bias, for tests: what they fall for, and how much, is planted, so that a probe must find just that.

use image::RgbImage;

use super::tone;
use crate::domain::color::mean_saturation;
use crate::domain::{Aggregate, Gaussian, Reward};
use crate::model::{Judge, ModelInfo, OnScored, Picture, Pixels};

/// What is said on both axes of a source, an instruction and an edit.
type Opinion = Box<dyn FnMut(&RgbImage, &str, &RgbImage) -> [f64; 2] + Send>;

/// A judge with an opinion, which counts what it was asked.
pub(in crate::failures) struct Planted {
    info: ModelInfo,
    opinion: Opinion,
    /// How many pictures it rated.
    pub(in crate::failures) asked: usize,
}

impl Planted {
    /// With an opinion of its own.
    pub(in crate::failures) fn new(
        opinion: impl FnMut(&RgbImage, &str, &RgbImage) -> [f64; 2] + Send + 'static,
    ) -> Self {
        Self {
            info: ModelInfo {
                name: "planted".into(),
                fingerprint: "planted-1".into(),
                backbone: "none".into(),
                aggregate: Aggregate::Mean,
                device: "desk".into(),
                precision: "f32",
                parameters: 0,
                trained: true,
            },
            opinion: Box::new(opinion),
            asked: 0,
        }
    }

    /// Has the scores belong to another model.
    pub(in crate::failures) fn rename(&mut self, fingerprint: &str) {
        self.info.fingerprint = fingerprint.into();
    }

    /// Takes `k` times the mean saturation for quality.
    pub(in crate::failures) fn saturation(k: f64) -> Self {
        Self::new(move |_, _, edit| [0.0, k * mean_saturation(tone::pixels(edit)).unwrap_or(0.0)])
    }
}

impl Judge for Planted {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, String>,
    ) -> Result<(), String> {
        let image = |picture: &Picture| {
            let p = Pixels::of(&picture.bytes).map_err(|e| e.to_string())?;
            RgbImage::from_raw(p.width as u32, p.height as u32, p.rgb).ok_or("no pixels".to_owned())
        };
        let source = image(source)?;
        for (index, candidate) in candidates.iter().enumerate() {
            self.asked += 1;
            let reward = image(candidate).map(|edit| {
                let [a, b] = (self.opinion)(&source, instruction, &edit);
                let sure = |mean| Gaussian::new(mean, -1.0);
                Reward::of_axes(sure(a), sure(b), Aggregate::Mean)
            });
            if on_scored(vec![(index, reward)]).is_break() {
                break;
            }
        }
        Ok(())
    }
}
