//! The baselines that a judge of edits has to beat: chance, no opinion, and how close an edit is to its source.
//!
//! Measures of closeness come from image compression, where the best result is the one that changed nothing. An edit that
//! ignores its instruction is the best by all of them, which is why they fail as judges of edits; how badly, a benchmark says.

mod chance;
mod closeness;
mod network;
mod ssim;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::Path;

use image::RgbImage;
use rayon::prelude::*;

pub use closeness::{MOST_DECIBELS, Measure};
pub use network::{Network, NetworkScorer};

use self::closeness::Source;
use super::answer::{Answer, Said, Score, Unscored};
use super::case::Case;
use super::scorer::{Ask, Scorer, ScorerInfo};
use crate::data::images;
use crate::domain::ImageRef;

/// To be raised whenever a change of this program makes a baseline give other answers.
const VERSION: u32 = 1;

/// Cases handed to each thread at a time: between two chunks the caller hears of the answers and may stop.
const CASES_PER_THREAD: usize = 4;
/// The most bytes that the cases of a chunk may take together. A single one may take more: measured, SSIMULACRA 2 takes 2.3 GB for
/// a pair of 4096 × 4096 (Butteraugli 2.0 GB for one of 7000 × 7000).
const MEMORY: u64 = 2 << 30;

/// A scorer that needs no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Baseline {
    /// Scores, or votes where those are asked for, by chance; it looks at no image.
    Random,
    /// 0 for every edit; it looks at no image.
    Constant,
    /// How close the edit is to its source.
    Closeness(Measure),
}

/// There is no baseline of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no baseline '{name}'; there are {}",
    Baseline::ALL.map(Baseline::name).join(", ")
)]
pub struct UnknownBaseline {
    /// The name.
    pub name: String,
}

impl Baseline {
    /// All of them, in the order of tables.
    pub const ALL: [Self; 7] = [
        Self::Random,
        Self::Constant,
        Self::Closeness(Measure::Psnr),
        Self::Closeness(Measure::Ssim),
        Self::Closeness(Measure::DeltaE),
        Self::Closeness(Measure::Ssimulacra2),
        Self::Closeness(Measure::Butteraugli),
    ];

    /// The baseline of a name.
    pub fn parse(name: &str) -> Result<Self, UnknownBaseline> {
        let mut all = Self::ALL.into_iter();
        all.find(|baseline| baseline.name() == name)
            .ok_or_else(|| UnknownBaseline {
                name: name.to_owned(),
            })
    }

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Constant => "constant",
            Self::Closeness(measure) => measure.name(),
        }
    }

    /// What it is, in one line.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Random => "a score drawn for each edit, or one of four verdicts for each pair",
            Self::Constant => "0 for every edit",
            Self::Closeness(Measure::Psnr) => "signal-to-noise ratio to the source, in dB",
            Self::Closeness(Measure::Ssim) => {
                "structural similarity to the source (Wang et al. 2004)"
            }
            Self::Closeness(Measure::DeltaE) => {
                "mean color difference to the source (CIEDE2000), negated"
            }
            Self::Closeness(Measure::Ssimulacra2) => "SSIMULACRA 2 against the source",
            Self::Closeness(Measure::Butteraugli) => "Butteraugli distance to the source, negated",
        }
    }

    /// How many of the next cases, at least one, are measured side by side: so many that all threads have work, and fewer where
    /// their images are large. Sources of which nothing can be read take no memory.
    fn together(self, cases: &[&Case], root: &Path) -> usize {
        let most = (CASES_PER_THREAD * rayon::current_num_threads()).min(cases.len());
        let Self::Closeness(measure) = self else {
            return most;
        };
        let mut taken = 0;
        let fits = |case: &&&Case| {
            let size = case.source.as_ref();
            let size = size.and_then(|image| images::dimensions_of(root, image).ok());
            let pixels = size.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
            taken += measure.memory(pixels);
            taken <= MEMORY
        };
        cases[..most].iter().take_while(fits).count().max(1)
    }

    /// The scorer; `seed` decides what [`Baseline::Random`] says, and nothing else.
    pub const fn scorer(self, seed: u64) -> BaselineScorer {
        BaselineScorer {
            baseline: self,
            seed,
        }
    }
}

/// A baseline at work; made by [`Baseline::scorer`].
///
/// Measures compare the images as [`images::decode`] gives them (8-bit RGB, alpha dropped), in the source's size.
#[derive(Debug, Clone, Copy)]
pub struct BaselineScorer {
    baseline: Baseline,
    seed: u64,
}

impl Scorer for BaselineScorer {
    fn info(&self) -> ScorerInfo {
        let name = self.baseline.name();
        let mut fingerprint = format!("baseline {name} {VERSION}");
        if self.baseline == Baseline::Random {
            fingerprint = format!("{fingerprint} seed {}", self.seed);
        }
        ScorerInfo {
            name: name.to_owned(),
            kind: "baseline".to_owned(),
            fingerprint,
        }
    }

    fn answer_all(
        &mut self,
        cases: &[&Case],
        ask: Ask,
        root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let (baseline, seed) = (self.baseline, self.seed);
        let mut rest = cases;
        while !rest.is_empty() {
            let chunk;
            (chunk, rest) = rest.split_at(baseline.together(rest, root));
            let answered: Vec<_> = chunk
                .par_iter()
                .map(|case| judged(baseline, seed, case, ask, root))
                .collect();
            for answer in answered {
                if on_answer(answer).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// What the baseline says of a case.
fn judged(baseline: Baseline, seed: u64, case: &Case, ask: Ask, root: &Path) -> Answer {
    let edits = case.edits.len();
    let said = match (baseline, ask) {
        _ if edits == 0 => nothing("the case has no edits".into()),
        (Baseline::Random, Ask::Scores) => chance::scores(seed, &case.id, edits),
        (Baseline::Random, Ask::Votes) => chance::votes(seed, &case.id, edits),
        (Baseline::Constant, _) => Said::Scores(vec![Some(Score::plain(0.0)); edits]),
        (Baseline::Closeness(measure), _) => {
            match source(case, root).and_then(|image| Source::new(measure, image)) {
                Ok(source) => return scored(case, root, |edit| source.closeness(edit)),
                Err(reason) => nothing(reason),
            }
        }
    };
    Answer::new(case.id.clone(), said)
}

/// The pixels of a case's source.
fn source(case: &Case, root: &Path) -> Result<RgbImage, String> {
    let image = case.source.as_ref();
    let image = image.ok_or("the case names no source image to measure against")?;
    decoded(root, image).map_err(|why| format!("the source cannot be read: {why}"))
}

/// An answer with the score of each edit that has one.
fn scored(case: &Case, root: &Path, score: impl Fn(&RgbImage) -> Result<f64, String>) -> Answer {
    let mut scores = Vec::with_capacity(case.edits.len());
    let mut unscored = Vec::new();
    for (position, edit) in case.edits.iter().enumerate() {
        let value = match &edit.image {
            Some(image) => decoded(root, image).and_then(|edit| score(&edit)),
            None => Err("the data names no image".to_owned()),
        };
        scores.push(match value {
            Ok(value) => Some(Score::plain(value)),
            Err(reason) => {
                unscored.push(Unscored { position, reason });
                None
            }
        });
    }
    if unscored.len() < scores.len() {
        return Answer {
            unscored,
            ..Answer::new(case.id.clone(), Said::Scores(scores))
        };
    }
    let reasons = unscored
        .iter()
        .map(|edit| format!("edit {}: {}", edit.position + 1, edit.reason));
    let said = nothing(reasons.collect::<Vec<_>>().join("; "));
    Answer::new(case.id.clone(), said)
}

fn nothing(reason: String) -> Said {
    Said::Nothing {
        reason,
        unparsed: false,
    }
}

/// The pixels of an image; the error names it.
fn decoded(root: &Path, image: &ImageRef) -> Result<RgbImage, String> {
    let bytes = images::read(root, image).map_err(|e| e.to_string())?;
    images::decode(&bytes).map_err(|e| format!("'{}': {e}", image.0))
}
