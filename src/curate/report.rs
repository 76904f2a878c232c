//! What a choice did to the data: before and after, where the cut lies, what it cost.

use serde::{Deserialize, Serialize};

use super::choose::Choice;
use super::pool::{Entry, Pool};
use super::reason::Reason;
use super::recipe::{By, Recipe};
use crate::data::SpotCheck;
use crate::domain::CandidateId;
use crate::domain::stats::wilson;

/// Bins of a histogram.
const BINS: usize = 40;
/// So many examples of each kind are shown.
const SHOWN: usize = 12;

/// What came of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What was done, in words.
    pub recipe: String,
    /// What was ranked by.
    pub by: By,
    /// The model's fingerprint.
    pub model: String,
    /// How many candidates there are.
    pub candidates: usize,
    /// Of those, how many were scored and the filter holds of.
    pub considered: usize,
    /// How many were asked for; null where all are kept that the minimums leave.
    pub asked: Option<usize>,
    /// How many are kept.
    pub kept: usize,
    /// Why candidates were kept or dropped, in the order in which reasons are looked for.
    pub reasons: Vec<Counted>,
    /// What the last one that is kept was ranked by.
    pub at_cut: Option<f64>,
    /// Means and histograms: overall, IF, VQ; an axis that the model does not have is left out.
    pub scores: Vec<Bins>,
    /// By category, the largest first.
    pub categories: Vec<Share>,
    /// By editor, the largest first.
    pub editors: Vec<Share>,
    /// What the cut and its constraints cost.
    pub cost: Cost,
    /// Some of the kept, of the dropped, and of both that are nearest to the cut; drawn by the seed.
    pub examples: Examples,
    /// What people found when they looked at decisions.
    pub checked: Checked,
}

/// A reason and how many candidates it decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// Its name.
    pub reason: String,
    /// What it says.
    pub words: String,
    /// Whether it keeps.
    pub keeps: bool,
    /// How many.
    pub count: usize,
}

/// A score before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// overall, if or vq.
    pub score: String,
    /// Mean of those considered.
    pub mean_before: Option<f64>,
    /// Mean of those kept.
    pub mean_after: Option<f64>,
    /// Where the first bin begins.
    pub from: f64,
    /// How wide each is. What lies beyond the ends is in the outermost.
    pub width: f64,
    /// Counts of those considered.
    pub before: Vec<usize>,
    /// Counts of those kept.
    pub after: Vec<usize>,
}

/// A part of the data before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Its name.
    pub name: String,
    /// How many of those considered.
    pub before: usize,
    /// How many of those kept.
    pub after: usize,
}

/// What the cut and its constraints cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The mean of what was ranked by, of those kept; null of Pareto fronts and of chance, which are no amount.
    pub mean: Option<f64>,
    /// The same, had as many been taken from the top without regard to groups, quotas and duplicates.
    pub unconstrained: Option<f64>,
    /// The same of the next tenth below the cut: what a larger selection would be filled up with.
    pub next_tenth: Option<f64>,
    /// How many of the dropped are as good as the last that is kept, or better: what the constraints cost.
    pub better_dropped: usize,
}

/// Candidates to look at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Examples {
    /// Of those kept.
    pub kept: Vec<i64>,
    /// Of those dropped by rank.
    pub dropped: Vec<i64>,
    /// Nearest to the cut, from above and from below.
    pub borderline: Vec<i64>,
}

/// How often people agreed with decisions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Of those kept.
    pub kept: Agreed,
    /// Of those dropped.
    pub dropped: Agreed,
}

/// How often people agreed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreed {
    /// How many were looked at.
    pub looked_at: usize,
    /// With how many of the decisions they agreed.
    pub right: usize,
    /// The 95 % interval of the share (Wilson).
    pub interval: Option<[f64; 2]>,
}

impl Checked {
    /// Of what people said.
    pub fn of(checks: &[SpotCheck]) -> Self {
        let side = |kept: bool| {
            let of = || checks.iter().filter(move |check| check.kept == kept);
            let (looked_at, agreed) = (of().count(), of().filter(|check| check.agrees).count());
            Agreed {
                looked_at,
                right: agreed,
                interval: wilson(agreed, looked_at),
            }
        };
        Self {
            kept: side(true),
            dropped: side(false),
        }
    }
}

/// Tells what a choice did.
pub fn report(
    pool: &Pool,
    choice: &Choice,
    recipe: &Recipe,
    model: &str,
    checks: &[SpotCheck],
) -> Report {
    let kept: Vec<&Entry> = choice
        .kept
        .iter()
        .map(|at| &pool.entries[*at as usize])
        .collect();
    let considered: Vec<&Entry> = pool.considered().collect();
    let scores = ["overall", "if", "vq"].into_iter().enumerate();
    Report {
        recipe: recipe.words(),
        by: recipe.by,
        model: model.to_owned(),
        candidates: pool.entries.len(),
        considered: considered.len(),
        asked: choice.asked,
        kept: kept.len(),
        reasons: counted(&choice.reasons),
        at_cut: choice.at_cut(),
        scores: scores
            .filter_map(|(part, name)| bins(name, part, &considered, &kept))
            .collect(),
        categories: shares(&pool.categories, &considered, &kept, |e| e.category),
        editors: shares(&pool.editors, &considered, &kept, |e| e.editor),
        cost: cost(choice, recipe.by),
        examples: examples(pool, choice, recipe.seed),
        checked: Checked::of(checks),
    }
}

fn counted(reasons: &[Reason]) -> Vec<Counted> {
    let mut counts = [0_usize; Reason::ALL.len()];
    for reason in reasons {
        counts[usize::from(reason.code())] += 1;
    }
    let all = Reason::ALL.into_iter().zip(counts);
    all.filter(|(_, count)| *count > 0)
        .map(|(reason, count)| Counted {
            reason: reason.name().into(),
            words: reason.words().into(),
            keeps: reason.keeps(),
            count,
        })
        .collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0_usize);
    for value in values {
        sum += value;
        n += 1;
    }
    (n > 0).then(|| sum / n as f64)
}

/// `None` where nothing considered has that score.
fn bins(name: &str, part: usize, before: &[&Entry], after: &[&Entry]) -> Option<Bins> {
    let of = |entries: &[&Entry]| -> Vec<f64> {
        let values = entries.iter().map(|e| e.means[part]);
        values.filter(|v| !v.is_nan()).collect()
    };
    let (all, kept) = (of(before), of(after));
    let mut values = all.clone();
    // A few far out would squeeze all the others into one bin.
    let last = values.len().checked_sub(1)?;
    let mut at = |share: f64| {
        let place = (last as f64 * share).round() as usize;
        *values.select_nth_unstable_by(place, f64::total_cmp).1
    };
    let (from, to) = (at(0.001), at(0.999));
    let width = ((to - from) / BINS as f64).max(1e-9);
    let count = |values: &[f64]| {
        let mut counts = vec![0; BINS];
        for value in values {
            let bin = ((value - from) / width)
                .floor()
                .clamp(0.0, BINS as f64 - 1.0);
            counts[bin as usize] += 1;
        }
        counts
    };
    Some(Bins {
        score: name.into(),
        mean_before: mean(all.iter().copied()),
        mean_after: mean(kept.iter().copied()),
        from,
        width,
        before: count(&all),
        after: count(&kept),
    })
}

pub(super) fn shares(
    names: &[String],
    before: &[&Entry],
    after: &[&Entry],
    of: impl Fn(&Entry) -> u32,
) -> Vec<Share> {
    let count = |entries: &[&Entry]| {
        let mut counts = vec![0_usize; names.len()];
        for entry in entries {
            counts[of(entry) as usize] += 1;
        }
        counts
    };
    let counts = count(before).into_iter().zip(count(after));
    let mut shares: Vec<Share> = names
        .iter()
        .zip(counts)
        .filter(|(_, (before, after))| before + after > 0)
        .map(|(name, (before, after))| Share {
            name: name.clone(),
            before,
            after,
        })
        .collect();
    shares.sort_by(|a, b| b.before.cmp(&a.before).then_with(|| a.name.cmp(&b.name)));
    shares
}

fn cost(choice: &Choice, by: By) -> Cost {
    let amount = !matches!(by, By::Pareto | By::Random);
    let value = |at: &u32| choice.values[*at as usize];
    let of = |all: &[u32]| amount.then(|| mean(all.iter().map(value))).flatten();
    let top = &choice.order[..choice.kept.len().min(choice.order.len())];
    let dropped = || {
        let all = choice.order.iter();
        all.filter(|at| !choice.reasons[**at as usize].keeps())
    };
    let below: Vec<u32> = choice.at_cut().map_or_else(Vec::new, |cut| {
        let below = dropped()
            .filter(|at| choice.reasons[**at as usize] == Reason::BelowCut && value(at) <= cut);
        below
            .take(choice.kept.len().div_ceil(10))
            .copied()
            .collect()
    });
    let better = choice
        .at_cut()
        .map_or(0, |cut| dropped().filter(|at| value(at) > cut).count());
    Cost {
        mean: of(&choice.kept),
        unconstrained: of(top),
        next_tenth: of(&below),
        better_dropped: better,
    }
}

fn examples(pool: &Pool, choice: &Choice, seed: u64) -> Examples {
    let id = |at: &u32| pool.entries[*at as usize].candidate.0;
    let drawn = |mut all: Vec<u32>| -> Vec<i64> {
        let chance = |at: &u32| super::choose::mixed(!seed ^ id(at).cast_unsigned());
        all.sort_unstable_by_key(chance);
        all.iter().take(SHOWN).map(id).collect()
    };
    let dropped: Vec<u32> = choice
        .order
        .iter()
        .filter(|at| choice.reasons[**at as usize] == Reason::BelowCut)
        .copied()
        .collect();
    let below = dropped.iter().take(SHOWN / 2);
    let above = choice.kept.iter().rev().take(SHOWN / 2).collect::<Vec<_>>();
    Examples {
        borderline: above.into_iter().rev().chain(below).map(id).collect(),
        kept: drawn(choice.kept.clone()),
        dropped: drawn(dropped),
    }
}

impl Examples {
    /// All of them, once.
    pub fn all(&self) -> Vec<CandidateId> {
        let all = self
            .kept
            .iter()
            .chain(&self.dropped)
            .chain(&self.borderline);
        let mut all: Vec<CandidateId> = all.map(|id| CandidateId(*id)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
