//! The curate screen: a ranking of all that a model scored, a cut through it that moves with the keys, what that keeps of each
//! category and editor, and samples of both sides to check by eye.

#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::curate::{By, Cut, Cuts, Kept, Pool, Quotas, Recipe};
use crate::domain::stats::wilson;
use crate::domain::{CandidateId, GroupId};
use crate::tui::msg::Action;

pub(crate) use view::{Layout, View, layout, view};

/// What a selection of this screen is called.
pub(crate) const NAME: &str = "curated";
/// So many samples of each side can be gone through.
const SAMPLES: usize = 200;
/// Half of the borderline strip.
const NEAR: usize = 12;

/// Something to be done for this screen, away from the loop.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// Read all candidates with their scores under this model.
    Read(String),
    /// Rank them.
    Rank(Arc<Pool>, Box<Recipe>),
    /// Note what somebody thinks of a candidate, or that they think nothing any more.
    Judge(CandidateId, Option<bool>),
    /// Save what a recipe keeps, with what was thought of it.
    Save(Box<Saving>),
}

/// A selection about to be saved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Saving {
    /// What is chosen from.
    pub(crate) pool: Arc<Pool>,
    /// How.
    pub(crate) recipe: Recipe,
    /// Whose scores decide.
    pub(crate) fingerprint: String,
    /// Which candidates people looked at, and whether they are good.
    pub(crate) good: BTreeMap<CandidateId, bool>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum CurateNews {
    /// Everything was read, with what people thought of candidates before.
    Read(Result<(Arc<Pool>, BTreeMap<CandidateId, bool>), String>),
    /// It was ranked by this recipe.
    Ranked(Box<Recipe>, Result<Arc<Cuts>, String>),
}

/// Which samples are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Strip {
    /// Of those kept, at random.
    #[default]
    Kept,
    /// Of those dropped, at random.
    Dropped,
    /// Those nearest to the cut.
    Borderline,
}

/// What is there.
#[derive(Debug, Default)]
enum Stage {
    /// Nothing was asked for yet.
    #[default]
    Idle,
    /// It is being read.
    Reading,
    /// It was read.
    Read(Arc<Pool>),
    /// It cannot be.
    Broken(String),
}

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Curate {
    stage: Stage,
    /// The model whose scores were read.
    fingerprint: Option<String>,
    recipe: Recipe,
    /// The recipe that ranking was asked for by.
    asked: Option<Recipe>,
    ranked: Option<Arc<Cuts>>,
    /// How many are kept.
    keep: usize,
    cut: Option<Kept>,
    strip: Strip,
    spot: Spot,
    good: BTreeMap<CandidateId, bool>,
    joint: bool,
}

/// What there is to check by eye.
#[derive(Debug, Default)]
struct Spot {
    /// The samples of the strip, as entries of the pool.
    samples: Vec<u32>,
    /// Which of them shows.
    at: usize,
    /// With how many decisions people agree so far, of how many: on those kept, and on those dropped. Counted when the cut moves or
    /// somebody judges, since it goes through the ranking.
    agreed: [(usize, usize); 2],
}

impl Curate {
    /// What has to be done next, away from the loop.
    pub(crate) fn wanted(&mut self, fingerprint: Option<&str>) -> Option<Wanted> {
        let fingerprint = fingerprint?;
        if self.fingerprint.as_deref() != Some(fingerprint) {
            *self = Self {
                recipe: std::mem::take(&mut self.recipe),
                joint: self.joint,
                strip: self.strip,
                fingerprint: Some(fingerprint.to_owned()),
                stage: Stage::Reading,
                ..Self::default()
            };
            return Some(Wanted::Read(fingerprint.to_owned()));
        }
        let Stage::Read(pool) = &self.stage else {
            return None;
        };
        if self.asked.as_ref() == Some(&self.recipe) {
            return None;
        }
        self.asked = Some(self.recipe.clone());
        Some(Wanted::Rank(
            Arc::clone(pool),
            Box::new(self.recipe.clone()),
        ))
    }

    /// Reads everything again.
    pub(crate) fn expire(&mut self) {
        self.fingerprint = None;
    }

    /// Something was done.
    pub(crate) fn hear(&mut self, news: CurateNews) {
        match news {
            CurateNews::Read(Ok((pool, good))) => {
                self.stage = Stage::Read(pool);
                self.good = good;
                self.asked = None;
            }
            CurateNews::Read(Err(why)) => self.stage = Stage::Broken(why),
            CurateNews::Ranked(recipe, Ok(cuts)) if self.asked.as_ref() == Some(&recipe) => {
                let len = cuts.len();
                // What was kept before stays kept in number; at first a fifth.
                self.keep = match self.keep {
                    0 => len.div_ceil(5),
                    keep => keep.min(len),
                };
                self.ranked = Some(cuts);
                self.recut();
            }
            CurateNews::Ranked(recipe, Err(why)) if self.asked.as_ref() == Some(&recipe) => {
                self.stage = Stage::Broken(why);
            }
            CurateNews::Ranked(..) => {}
        }
    }

    /// Cuts anew, and draws the samples of the strip.
    fn recut(&mut self) {
        self.cut = self.ranked.as_ref().map(|cuts| cuts.kept(self.keep));
        self.count_agreed();
        self.resample();
    }

    /// The samples of the strip; the first that nobody judged yet shows.
    fn resample(&mut self) {
        let (Some(cuts), Some(cut)) = (&self.ranked, &self.cut) else {
            return;
        };
        self.spot.samples = match self.strip {
            Strip::Kept => cuts.sample(cut, true, SAMPLES),
            Strip::Dropped => cuts.sample(cut, false, SAMPLES),
            Strip::Borderline => cuts.borderline(cut, NEAR),
        };
        let judged = |at: &u32| {
            self.candidate(*at)
                .is_some_and(|id| self.good.contains_key(&id))
        };
        let at = self.spot.samples.iter().position(|at| !judged(at));
        self.spot.at = at.unwrap_or(0);
    }

    fn candidate(&self, entry: u32) -> Option<CandidateId> {
        let Stage::Read(pool) = &self.stage else {
            return None;
        };
        pool.entries
            .get(entry as usize)
            .map(|entry| entry.candidate)
    }

    /// The sample that shows: its group and itself.
    pub(crate) fn sample(&self) -> Option<(GroupId, CandidateId)> {
        let Stage::Read(pool) = &self.stage else {
            return None;
        };
        let entry = pool
            .entries
            .get(*self.spot.samples.get(self.spot.at)? as usize)?;
        Some((entry.group, entry.candidate))
    }

    /// The groups to be read: that of the sample, and of those that come next.
    pub(crate) fn near(&self) -> Vec<GroupId> {
        let Stage::Read(pool) = &self.stage else {
            return Vec::new();
        };
        let next = self.spot.samples.iter().skip(self.spot.at).take(4);
        next.filter_map(|at| pool.entries.get(*at as usize).map(|entry| entry.group))
            .collect()
    }

    /// Whether the cut keeps the sample.
    fn keeps_sample(&self) -> Option<bool> {
        let (cuts, cut) = (self.ranked.as_ref()?, self.cut.as_ref()?);
        cuts.keeps(cut, *self.spot.samples.get(self.spot.at)?)
    }

    /// Does what concerns only this screen; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        match action {
            Action::MoveCut(hundredths) => {
                let all = self.ranked.as_ref().map_or(0, |cuts| cuts.len());
                let step = (all / 100).max(1) * usize::from(hundredths.unsigned_abs());
                self.move_cut(hundredths > 0, step);
            }
            Action::NudgeCut(way) => self.move_cut(way > 0, 1),
            Action::NextBy => {
                let at = By::ALL.iter().position(|(_, by)| *by == self.recipe.by);
                self.recipe.by = By::ALL[(at.unwrap_or(0) + 1) % By::ALL.len()].1;
            }
            Action::Sigmas(more) => {
                let step = if more { 0.5 } else { -0.5 };
                self.recipe.sigmas = (self.recipe.sigmas + step).clamp(0.0, 5.0);
            }
            Action::NextBestOf => {
                self.recipe.best_of_group = match self.recipe.best_of_group {
                    None => Some(1),
                    Some(n) if n < 3 => Some(n + 1),
                    Some(_) => None,
                };
            }
            Action::KeepMix => {
                self.recipe.quotas = match self.recipe.quotas {
                    Quotas::Free => Quotas::Mix,
                    _ => Quotas::Free,
                };
            }
            Action::Joint => self.joint = !self.joint,
            Action::NextStrip => {
                self.strip = match self.strip {
                    Strip::Kept => Strip::Dropped,
                    Strip::Dropped => Strip::Borderline,
                    Strip::Borderline => Strip::Kept,
                };
                self.resample();
            }
            Action::NextSample => {
                self.spot.at = (self.spot.at + 1).min(self.spot.samples.len().saturating_sub(1));
            }
            Action::PreviousSample => self.spot.at = self.spot.at.saturating_sub(1),
            _ => return false,
        }
        true
    }

    fn move_cut(&mut self, more: bool, step: usize) {
        let Some(cuts) = &self.ranked else { return };
        let keep = if more {
            self.keep.saturating_add(step)
        } else {
            self.keep.saturating_sub(step)
        };
        let keep = keep.clamp(1.min(cuts.len()), cuts.len());
        if keep != self.keep {
            self.keep = keep;
            self.recut();
        }
    }

    /// Notes whether somebody agrees with the decision on the sample, or takes that back, and goes to the next.
    pub(crate) fn judge(&mut self, agrees: Option<bool>) -> Option<Wanted> {
        let (_, candidate) = self.sample()?;
        let kept = self.keeps_sample()?;
        let good = agrees.map(|agrees| agrees == kept);
        match good {
            Some(good) => drop(self.good.insert(candidate, good)),
            None => drop(self.good.remove(&candidate)),
        }
        self.count_agreed();
        if good.is_some() {
            self.act(Action::NextSample);
        }
        Some(Wanted::Judge(candidate, good))
    }

    /// What is to be saved, if anything is kept.
    pub(crate) fn saving(&self) -> Option<Wanted> {
        let (Stage::Read(pool), Some(fingerprint)) = (&self.stage, &self.fingerprint) else {
            return None;
        };
        let count = self.cut.as_ref()?.count;
        (count > 0).then(|| {
            Wanted::Save(Box::new(Saving {
                pool: Arc::clone(pool),
                recipe: Recipe {
                    cut: Cut::Top(count),
                    ..self.recipe.clone()
                },
                fingerprint: fingerprint.clone(),
                good: self.good.clone(),
            }))
        })
    }

    /// Whether a ranking by another recipe is on its way.
    fn is_behind(&self) -> bool {
        self.ranked.is_none() || self.asked.as_ref() != Some(&self.recipe)
    }

    fn count_agreed(&mut self) {
        let (Stage::Read(pool), Some(cuts), Some(cut)) = (&self.stage, &self.ranked, &self.cut)
        else {
            return;
        };
        self.spot.agreed = [true, false].map(|kept| cuts.agreed(cut, kept, pool, &self.good));
    }

    /// How often people agree with a side so far, in words.
    fn agreed(&self, kept: bool) -> Option<String> {
        let (agreed, n) = self.spot.agreed[usize::from(!kept)];
        let side = if kept { "kept" } else { "dropped" };
        let [low, high] = wilson(agreed, n)?;
        Some(format!(
            "{side}: {agreed} of {n} right, {:.0} % [{:.0}, {:.0}]",
            100.0 * agreed as f64 / n as f64,
            100.0 * low,
            100.0 * high
        ))
    }
}
