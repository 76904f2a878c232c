//! What is chosen from: every candidate with its scores, small enough that a million and a half fit.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use super::CurateError;
use crate::data::Workspace;
use crate::domain::{CandidateId, Gaussian, GroupId, Reward};

/// A candidate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// Itself.
    pub candidate: CandidateId,
    /// Its group.
    pub group: GroupId,
    /// Its category, by its place in [`Pool::categories`].
    pub category: u32,
    /// Its editor, by its place in [`Pool::editors`].
    pub editor: u32,
    /// Whether the filter holds of it.
    pub wanted: bool,
    /// Overall, IF, VQ: means; NaN where there is none.
    pub means: [f64; 3],
    /// The same of sigmas.
    pub sigmas: [f64; 3],
}

impl Entry {
    /// Without a score.
    pub fn new(candidate: CandidateId, group: GroupId, category: u32, editor: u32) -> Self {
        Self {
            candidate,
            group,
            category,
            editor,
            wanted: true,
            means: [f64::NAN; 3],
            sigmas: [f64::NAN; 3],
        }
    }

    /// With what a model says.
    #[must_use]
    pub fn scored(mut self, reward: &Reward) -> Self {
        let parts = [
            Some(reward.aggregate),
            reward.instruction_following,
            reward.visual_quality,
        ];
        for (at, part) in parts.iter().enumerate() {
            self.means[at] = part.map_or(f64::NAN, |g| g.mean);
            self.sigmas[at] = part.as_ref().map_or(f64::NAN, Gaussian::sigma);
        }
        self
    }

    /// Whether the model scored it.
    pub fn is_scored(&self) -> bool {
        !self.means[0].is_nan()
    }

    /// Mean − `k` sigma of overall, IF or VQ; NaN where there is none.
    pub fn bound(&self, part: usize, k: f64) -> f64 {
        if k == 0.0 {
            self.means[part]
        } else {
            self.means[part] - k * self.sigmas[part]
        }
    }
}

/// All that can be chosen from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pool {
    /// In the order of import.
    pub entries: Vec<Entry>,
    /// The names of categories; the first is that of candidates without one.
    pub categories: Vec<String>,
    /// The names of editors; the first is that of candidates without one.
    pub editors: Vec<String>,
}

/// What candidates without a category or editor are listed under.
pub(super) const NONE: &str = "none";

/// Names by the order in which they came.
#[derive(Debug)]
struct Names {
    places: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn new() -> Self {
        Self {
            places: BTreeMap::new(),
            names: vec![NONE.to_owned()],
        }
    }

    fn place(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return 0 };
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = u32::try_from(self.names.len()).unwrap_or(0);
        self.places.insert(name.to_owned(), place);
        self.names.push(name.to_owned());
        place
    }
}

impl Pool {
    /// Every candidate of a workspace with its scores under a model. `only` are those that a filter holds of. `step` hears how many
    /// were read, and may stop it.
    ///
    /// # Errors
    /// Where the workspace cannot be read, or it was stopped.
    pub fn read(
        workspace: &Workspace,
        fingerprint: &str,
        only: Option<&HashSet<CandidateId>>,
        step: &mut dyn FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Self, CurateError> {
        const STRIDE: usize = 8192;
        let mut entries = Vec::with_capacity(workspace.candidate_count()?);
        let (mut categories, mut editors) = (Names::new(), Names::new());
        let mut stopped = false;
        workspace.pool(fingerprint, &mut |row| {
            if entries.len().is_multiple_of(STRIDE) && step(entries.len()).is_break() {
                stopped = true;
                return ControlFlow::Break(());
            }
            let (category, editor) = (categories.place(row.category), editors.place(row.editor));
            let mut entry = Entry::new(row.candidate, row.group, category, editor);
            if let Some(reward) = &row.reward {
                entry = entry.scored(reward);
            }
            entry.wanted = only.is_none_or(|only| only.contains(&row.candidate));
            entries.push(entry);
            ControlFlow::Continue(())
        })?;
        if stopped {
            return Err(CurateError::Stopped);
        }
        Ok(Self {
            entries,
            categories: categories.names,
            editors: editors.names,
        })
    }

    /// Those that were scored and the filter holds of.
    pub fn considered(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|e| e.wanted && e.is_scored())
    }
}
