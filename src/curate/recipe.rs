//! What is kept, in terms that are stored with the selection and read back years later.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::CurateError;

/// How candidates are chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// What they are ranked by.
    pub by: By,
    /// How many are kept.
    pub cut: Cut,
    /// Ranked and held against minimums is mean − `sigmas` · sigma: the score that the model is sure of. 0 is the mean alone.
    #[serde(default)]
    pub sigmas: f64,
    /// The least that is kept, on each axis and overall.
    #[serde(default)]
    pub least: Least,
    /// At most so many of each group, its best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_of_group: Option<usize>,
    /// What each category may have.
    #[serde(default)]
    pub quotas: Quotas,
    /// Which near duplicates go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<Duplicates>,
    /// The filter that has to hold, as it was typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What chance is drawn from: the order of equals, and of everything where they are drawn at random.
    #[serde(default)]
    pub seed: u64,
}

/// What candidates are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// The model's aggregate.
    Overall,
    /// Instruction following.
    If,
    /// Visual quality.
    Vq,
    /// The lower of both axes: one fault is enough.
    Min,
    /// Both axes at once: first those that no other beats on both, then those that only these beat, and so on; within such a front
    /// by the sum.
    Pareto,
    /// At random: what a ranking has to be better than.
    Random,
}

impl By {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("overall", Self::Overall),
        ("if", Self::If),
        ("vq", Self::Vq),
        ("min", Self::Min),
        ("pareto", Self::Pareto),
        ("random", Self::Random),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, by)| *by == self);
        named.map_or("", |(name, _)| name)
    }
}

/// How many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// So many.
    Top(usize),
    /// This share of what was scored and the filter holds of, 0 to 1.
    Fraction(f64),
    /// All that the minimums leave.
    All,
}

/// The least that is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Least {
    /// On IF.
    #[serde(rename = "if", default, skip_serializing_if = "Option::is_none")]
    pub instruction_following: Option<f64>,
    /// On VQ.
    #[serde(rename = "vq", default, skip_serializing_if = "Option::is_none")]
    pub visual_quality: Option<f64>,
    /// Of the aggregate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<f64>,
}

impl Least {
    /// In the order overall, IF, VQ.
    pub(super) const fn parts(&self) -> [Option<f64>; 3] {
        [
            self.overall,
            self.instruction_following,
            self.visual_quality,
        ]
    }
}

/// What each category may have of what is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quotas {
    /// As much as it earns.
    #[default]
    Free,
    /// Its share of what was scored and the filter holds of, so that the mix stays.
    Mix,
    /// At most so many of each that is named; the others as much as they earn.
    AtMost(BTreeMap<String, usize>),
}

/// Which near duplicates go. The best of them stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duplicates {
    /// Perceptual hashes that differ in so many of 64 bits or fewer are near.
    pub distance: u32,
    /// What has to be the same.
    pub same: Same,
}

/// What makes two candidates duplicates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Same {
    /// The edited images and the sources are near, and the instructions have the same words: the same example to a learner. Other
    /// edits of one source are no duplicates of each other.
    Example,
    /// The edited images are near, whatever they were made of.
    Image,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            by: By::Overall,
            cut: Cut::All,
            sigmas: 0.0,
            least: Least::default(),
            best_of_group: None,
            quotas: Quotas::Free,
            duplicates: None,
            filter: None,
            seed: 0,
        }
    }
}

impl Recipe {
    /// # Errors
    /// Where a number is out of its range, or nothing would be left out.
    pub fn check(&self) -> Result<(), CurateError> {
        let wrong = |text: &str| Err(CurateError::Choice(text.to_owned()));
        match self.cut {
            Cut::Top(0) => return wrong("the top 0 are none: at least 1"),
            Cut::Fraction(share) if !(share > 0.0 && share <= 1.0) => {
                return wrong("a fraction lies above 0 and goes up to 1");
            }
            _ => {}
        }
        if !self.sigmas.is_finite() || self.sigmas < 0.0 {
            return wrong("sigmas are subtracted: a number, 0 or more");
        }
        if self.best_of_group == Some(0) {
            return wrong("the best 0 of a group are none: at least 1");
        }
        if self.least.parts().iter().flatten().any(|v| !v.is_finite()) {
            return wrong("a minimum has to be a number");
        }
        if self.duplicates.is_some_and(|d| d.distance > 32) {
            return wrong("two hashes of 64 bits that differ in more than 32 are not near");
        }
        if self.quotas == Quotas::Mix && self.cut == Cut::All {
            return wrong("a mix is kept of so many: say how many, or which fraction");
        }
        Ok(())
    }

    /// What it does, in words.
    pub fn words(&self) -> String {
        let mut words = match (self.cut, self.by) {
            (Cut::Top(n), By::Random) => format!("{n} at random"),
            (Cut::Fraction(f), By::Random) => format!("{} % at random", 100.0 * f),
            (Cut::Top(n), by) => format!("the top {n} by {}", by.name()),
            (Cut::Fraction(f), by) => format!("the top {} % by {}", 100.0 * f, by.name()),
            (Cut::All, _) => "all".to_owned(),
        };
        if self.sigmas > 0.0 {
            let _ = write!(words, ", mean − {} sigma", self.sigmas);
        }
        for (name, least) in ["overall", "IF", "VQ"].into_iter().zip(self.least.parts()) {
            if let Some(least) = least {
                let _ = write!(words, ", {name} ≥ {least}");
            }
        }
        if let Some(n) = self.best_of_group {
            let _ = write!(words, ", best {n} of each group");
        }
        match &self.quotas {
            Quotas::Free => {}
            Quotas::Mix => words.push_str(", in the mix of categories"),
            Quotas::AtMost(most) => {
                for (name, n) in most {
                    let _ = write!(words, ", at most {n} of {name}");
                }
            }
        }
        if let Some(duplicates) = self.duplicates {
            let what = match duplicates.same {
                Same::Example => "examples",
                Same::Image => "images",
            };
            let _ = write!(
                words,
                ", no near {what} (≤ {} of 64 bits)",
                duplicates.distance
            );
        }
        if let Some(filter) = &self.filter {
            let _ = write!(words, ", where {filter}");
        }
        words
    }

    /// The axes that it cannot do without.
    pub(super) fn axes(&self) -> [bool; 2] {
        let both = matches!(self.by, By::Min | By::Pareto);
        [
            both || self.by == By::If || self.least.instruction_following.is_some(),
            both || self.by == By::Vq || self.least.visual_quality.is_some(),
        ]
    }
}
