//! LPIPS and CLIPScore as baselines of a benchmark: the model's networks under the names that a benchmark knows.

use std::path::Path;

use anyhow::Context as _;

use crate::bench::ScorerInfo;
use crate::bench::baselines::Network;
use crate::domain::raster::Raster;
use crate::model::DeviceChoice;
use crate::model::perceptual::{Clip, Features, Lpips, Text};

/// To be raised whenever a change of this program makes a network give other answers.
const VERSION: u32 = 1;

fn info(name: String, weights: &str) -> ScorerInfo {
    ScorerInfo {
        fingerprint: format!("baseline {name} {VERSION} {weights}"),
        name,
        kind: "baseline".to_owned(),
    }
}

/// The LPIPS distance to the source, negated: 0 for an edit that changed nothing, lower for what looks less alike.
pub(super) struct Distance(Lpips);

impl Distance {
    pub(super) fn open(path: &Path, device: DeviceChoice) -> anyhow::Result<Self> {
        let network = Lpips::open(path, device);
        Ok(Self(network.context("LPIPS cannot be computed")?))
    }
}

impl Network for Distance {
    type Reference = Features;

    fn info(&self) -> ScorerInfo {
        let name = format!("lpips-{}", self.0.trunk().name());
        info(name, self.0.fingerprint())
    }

    fn looks_at_source(&self) -> bool {
        true
    }

    fn reference(&self, _: &str, source: Option<Raster<'_>>) -> Result<Features, String> {
        let source = source.ok_or("there is no source")?;
        let features = self.0.features(source);
        features.map_err(|e| format!("the source: {e}"))
    }

    fn score(&self, source: &Features, edit: Raster<'_>) -> Result<f64, String> {
        let distance = self.0.distance(source, edit);
        // Taken from 0, since a negated 0 would print as -0.
        distance.map(|d| 0.0 - d).map_err(|e| e.to_string())
    }
}

/// How well the edit fits the instruction by CLIP: 100 times their cosine, at least 0.
pub(super) struct Fit(Clip);

impl Fit {
    pub(super) fn open(dir: &Path, device: DeviceChoice) -> anyhow::Result<Self> {
        let network = Clip::open(dir, device);
        Ok(Self(network.context("CLIPScore cannot be computed")?))
    }
}

impl Network for Fit {
    type Reference = Text;

    fn info(&self) -> ScorerInfo {
        let name = format!("clipscore-{}", self.0.size());
        info(name, self.0.fingerprint())
    }

    fn looks_at_source(&self) -> bool {
        false
    }

    fn reference(&self, instruction: &str, _: Option<Raster<'_>>) -> Result<Text, String> {
        self.0.text(instruction).map_err(|e| e.to_string())
    }

    fn score(&self, instruction: &Text, edit: Raster<'_>) -> Result<f64, String> {
        self.0.score(instruction, edit).map_err(|e| e.to_string())
    }
}
