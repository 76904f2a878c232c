//! Why a candidate was kept or dropped. The numbers are stored and never change.

use crate::data::Verdict;

/// What decided on a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// Within the cut.
    Kept = 0,
    /// Above its category's quota, and kept since other categories had too few.
    KeptToFill = 1,
    /// The filter does not hold of it.
    Filtered = 2,
    /// It has no score of the model.
    Unscored = 3,
    /// The model has no such axis.
    NoAxis = 4,
    /// Below the least on IF.
    BelowIf = 5,
    /// Below the least on VQ.
    BelowVq = 6,
    /// Below the least overall.
    BelowOverall = 7,
    /// Its group has enough that are better.
    NotBestOfGroup = 8,
    /// A better one looks the same.
    NearDuplicate = 9,
    /// Its images cannot be read, so that it cannot be told from others.
    NoLook = 10,
    /// Its category has its share.
    CategoryFull = 11,
    /// Enough are better.
    BelowCut = 12,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Kept,
        Self::KeptToFill,
        Self::Filtered,
        Self::Unscored,
        Self::NoAxis,
        Self::BelowIf,
        Self::BelowVq,
        Self::BelowOverall,
        Self::NotBestOfGroup,
        Self::NearDuplicate,
        Self::NoLook,
        Self::CategoryFull,
        Self::BelowCut,
    ];

    /// Its number in the store.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What a stored verdict says, if this program knows it.
    pub fn of(verdict: &Verdict) -> Option<Self> {
        Self::ALL.get(usize::from(verdict.code)).copied()
    }

    /// Whether the candidate is in the selection.
    pub const fn keeps(self) -> bool {
        matches!(self, Self::Kept | Self::KeptToFill)
    }

    /// Its name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::KeptToFill => "kept_to_fill",
            Self::Filtered => "filtered",
            Self::Unscored => "unscored",
            Self::NoAxis => "no_axis",
            Self::BelowIf => "below_if",
            Self::BelowVq => "below_vq",
            Self::BelowOverall => "below_overall",
            Self::NotBestOfGroup => "not_best_of_group",
            Self::NearDuplicate => "near_duplicate",
            Self::NoLook => "no_look",
            Self::CategoryFull => "category_full",
            Self::BelowCut => "below_cut",
        }
    }

    /// What it says, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Kept => "within the cut",
            Self::KeptToFill => "kept to fill what other categories left",
            Self::Filtered => "the filter does not hold",
            Self::Unscored => "not scored by the model",
            Self::NoAxis => "the model has no such axis",
            Self::BelowIf => "below the least on IF",
            Self::BelowVq => "below the least on VQ",
            Self::BelowOverall => "below the least overall",
            Self::NotBestOfGroup => "its group has better ones",
            Self::NearDuplicate => "near duplicate of a better one",
            Self::NoLook => "an image cannot be read",
            Self::CategoryFull => "its category has its share",
            Self::BelowCut => "below the cut",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_each_ones_own() {
        for (at, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(reason.code()), at);
        }
        let mut names: Vec<_> = Reason::ALL.iter().map(|r| r.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}
