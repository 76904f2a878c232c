//! Choosing: ranked once, then taken from the top, each candidate with a reason.

use std::collections::HashMap;

use rayon::prelude::*;

use super::CurateError;
use super::fronts::fronts;
use super::near::Near;
use super::pool::{Entry, Pool};
use super::reason::Reason;
use super::recipe::{By, Cut, Duplicates, Quotas, Recipe, Same};
use crate::data::{Look, Workspace};
use crate::domain::CandidateId;

/// What came of a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Why each entry of the pool was kept or dropped, in its order.
    pub reasons: Vec<Reason>,
    /// Of near duplicates, by entry: of which.
    pub duplicates: HashMap<u32, CandidateId>,
    /// The entries that may be kept, best first.
    pub order: Vec<u32>,
    /// What each entry was ranked by; of Pareto fronts minus the front's number, NaN where it was not ranked.
    pub values: Vec<f64>,
    /// The entries that are kept, best first.
    pub kept: Vec<u32>,
    /// How many were asked for; `None` where all are kept.
    pub asked: Option<usize>,
}

impl Choice {
    /// The value of the last one that is kept.
    pub fn at_cut(&self) -> Option<f64> {
        self.kept.last().map(|at| self.values[*at as usize])
    }
}

/// Tells how candidates look.
pub trait NearBy {
    /// How these candidates look, in their order.
    ///
    /// # Errors
    /// Where the store cannot be read, or it was stopped.
    fn looks(&mut self, candidates: &[CandidateId]) -> Result<Vec<Look>, CurateError>;
}

/// For recipes that let near duplicates be.
#[derive(Debug, Clone, Copy)]
pub struct NoLooks;

impl NearBy for NoLooks {
    fn looks(&mut self, _: &[CandidateId]) -> Result<Vec<Look>, CurateError> {
        Ok(Vec::new())
    }
}

impl NearBy for &Workspace {
    fn looks(&mut self, candidates: &[CandidateId]) -> Result<Vec<Look>, CurateError> {
        Ok(Workspace::looks(self, candidates)?)
    }
}

/// Chooses from a pool by a recipe.
///
/// # Errors
/// Where the recipe makes no sense, names a category that there is none of, or looks cannot be had.
pub fn choose(pool: &Pool, recipe: &Recipe, near: &mut dyn NearBy) -> Result<Choice, CurateError> {
    recipe.check()?;
    let considered = pool.considered().count();
    let asked = match recipe.cut {
        Cut::Top(n) => Some(n),
        Cut::Fraction(share) => Some(((considered as f64 * share).round() as usize).max(1)),
        Cut::All => None,
    };
    let (reasons, order, values) = ranking(pool, recipe);
    let mut taking = Taking {
        pool,
        reasons,
        kept: Vec::new(),
        duplicates: HashMap::new(),
        most: asked.unwrap_or(usize::MAX),
        room: quotas(pool, recipe, asked)?,
        seen: recipe.duplicates.map(Seen::new),
        near,
    };
    taking.take(&order, false)?;
    if recipe.quotas == Quotas::Mix {
        taking.take(&order, true)?;
    }
    let Taking {
        reasons,
        mut kept,
        duplicates,
        ..
    } = taking;
    let mut rank = vec![0_u32; pool.entries.len()];
    for (at, entry) in (0..).zip(&order) {
        rank[*entry as usize] = at;
    }
    kept.sort_unstable_by_key(|at| rank[*at as usize]);
    Ok(Choice {
        reasons,
        duplicates,
        order,
        values,
        kept,
        asked,
    })
}

/// The entries that may be kept, best first, and what each was ranked by, whatever the cut of the recipe.
pub(super) fn ranked_for(
    pool: &Pool,
    recipe: &Recipe,
) -> Result<(Vec<u32>, Vec<f64>), CurateError> {
    Recipe {
        cut: Cut::Top(1),
        ..recipe.clone()
    }
    .check()?;
    let (reasons, mut order, values) = ranking(pool, recipe);
    order.retain(|at| reasons[*at as usize] == Reason::BelowCut);
    Ok((order, values))
}

/// What rules entries out before it comes to how many are kept, the ranking of the others, and what each was ranked by.
fn ranking(pool: &Pool, recipe: &Recipe) -> (Vec<Reason>, Vec<u32>, Vec<f64>) {
    let first = |entry: &Entry| first_look(entry, recipe);
    let mut reasons: Vec<Reason> = pool.entries.par_iter().map(first).collect();
    let (order, values) = ranked(pool, recipe, &reasons);
    if let Some(most) = recipe.best_of_group {
        let mut taken = HashMap::new();
        for at in &order {
            let n = taken
                .entry(pool.entries[*at as usize].group)
                .or_insert(0_usize);
            *n += 1;
            if *n > most {
                reasons[*at as usize] = Reason::NotBestOfGroup;
            }
        }
    }
    (reasons, order, values)
}

/// What already rules an entry out; else that enough may be better.
fn first_look(entry: &Entry, recipe: &Recipe) -> Reason {
    if !entry.wanted {
        return Reason::Filtered;
    }
    if !entry.is_scored() {
        return Reason::Unscored;
    }
    let axes = recipe.axes();
    if (0..2).any(|axis| axes[axis] && entry.means[axis + 1].is_nan()) {
        return Reason::NoAxis;
    }
    let below = [Reason::BelowOverall, Reason::BelowIf, Reason::BelowVq];
    for (part, least) in recipe.least.parts().into_iter().enumerate() {
        if least.is_some_and(|least| entry.bound(part, recipe.sigmas) < least) {
            return below[part];
        }
    }
    Reason::BelowCut
}

/// The entries that nothing rules out, best first, and what each was ranked by. Equals are in an order drawn from the seed.
fn ranked(pool: &Pool, recipe: &Recipe, reasons: &[Reason]) -> (Vec<u32>, Vec<f64>) {
    let open: Vec<u32> = (0..)
        .zip(reasons)
        .filter(|(_, reason)| **reason == Reason::BelowCut)
        .map(|(at, _)| at)
        .collect();
    let entry = |at: &u32| &pool.entries[*at as usize];
    let bounds = |at: &u32| [1, 2].map(|part| entry(at).bound(part, recipe.sigmas));
    let chance = |at: &u32| mixed(recipe.seed ^ mixed(entry(at).candidate.0.cast_unsigned()));
    let one = |at: &u32| match recipe.by {
        By::Overall => entry(at).bound(0, recipe.sigmas),
        By::If => bounds(at)[0],
        By::Vq => bounds(at)[1],
        By::Min => bounds(at)[0].min(bounds(at)[1]),
        By::Random | By::Pareto => 0.0,
    };
    // Value, what decides between equals, chance, entry.
    let mut keys: Vec<(f64, f64, u64, u32)> = if recipe.by == By::Pareto {
        let points: Vec<[f64; 2]> = open.iter().map(bounds).collect();
        let fronts = fronts(&points);
        open.iter()
            .zip(fronts.into_iter().zip(points))
            .map(|(at, (front, [a, b]))| (-f64::from(front), a + b, chance(at), *at))
            .collect()
    } else {
        open.par_iter()
            .map(|at| (one(at), 0.0, chance(at), *at))
            .collect()
    };
    keys.par_sort_unstable_by(|a, b| {
        let by_value = b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1));
        by_value.then(a.2.cmp(&b.2)).then(a.3.cmp(&b.3))
    });
    let mut values = vec![f64::NAN; pool.entries.len()];
    for (value, _, chance, at) in &keys {
        // What was drawn stands for a value, from 1 down to 0.
        values[*at as usize] = match recipe.by {
            By::Random => 1.0 - (*chance >> 11) as f64 / (1_u64 << 53) as f64,
            _ => *value,
        };
    }
    (keys.into_iter().map(|(.., at)| at).collect(), values)
}

/// Bits without a pattern out of any (SplitMix64, Steele, Lea and Flood 2014).
pub(super) fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// How many of each category may be kept.
fn quotas(pool: &Pool, recipe: &Recipe, asked: Option<usize>) -> Result<Vec<usize>, CurateError> {
    let mut room = vec![usize::MAX; pool.categories.len()];
    match (&recipe.quotas, asked) {
        (Quotas::Mix, Some(asked)) => {
            let mut counts = vec![0_usize; pool.categories.len()];
            for entry in pool.considered() {
                counts[entry.category as usize] += 1;
            }
            room = apportioned(&counts, asked);
        }
        (Quotas::AtMost(most), _) => {
            for (name, n) in most {
                let at = pool.categories.iter().position(|known| known == name);
                let at = at.ok_or_else(|| {
                    CurateError::Choice(format!(
                        "there is no category '{name}'; there are {}",
                        pool.categories.join(", ")
                    ))
                })?;
                room[at] = *n;
            }
        }
        _ => {}
    }
    Ok(room)
}

/// `seats` shared out in proportion, by largest remainders (Hamilton); of equal remainders the first.
pub(super) fn apportioned(counts: &[usize], seats: usize) -> Vec<usize> {
    let all: u128 = counts.iter().map(|n| *n as u128).sum();
    if all == 0 {
        return vec![0; counts.len()];
    }
    let exact = |n: usize| n as u128 * seats as u128;
    let mut out: Vec<usize> = counts.iter().map(|n| (exact(*n) / all) as usize).collect();
    let left = seats - out.iter().sum::<usize>();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(exact(counts[*at]) % all));
    for at in order.into_iter().take(left) {
        out[at] += 1;
    }
    out
}

/// What was kept so far, to tell near duplicates of it.
struct Seen {
    rule: Duplicates,
    /// By the words of the instruction, if these have to be the same.
    shelves: HashMap<String, Shelf>,
}

#[derive(Default)]
struct Shelf {
    edits: Near,
    sources: Vec<u64>,
    candidates: Vec<CandidateId>,
}

impl Seen {
    fn new(rule: Duplicates) -> Self {
        Self {
            rule,
            shelves: HashMap::new(),
        }
    }

    fn shelf(&self, look: &Look) -> String {
        match self.rule.same {
            Same::Image => String::new(),
            Same::Example => plain_words(&look.instruction),
        }
    }

    fn find(&self, look: &Look, edit: u64, source: u64) -> Option<CandidateId> {
        let shelf = self.shelves.get(&self.shelf(look))?;
        let distance = self.rule.distance;
        let fits = |at: usize| {
            self.rule.same == Same::Image || (shelf.sources[at] ^ source).count_ones() <= distance
        };
        let at = shelf.edits.find(edit, distance, fits)?;
        Some(shelf.candidates[at])
    }

    fn add(&mut self, look: &Look, edit: u64, source: u64, candidate: CandidateId) {
        let shelf = self.shelves.entry(self.shelf(look)).or_default();
        shelf.edits.add(edit);
        shelf.sources.push(source);
        shelf.candidates.push(candidate);
    }
}

/// An instruction as its words, without capitals and punctuation.
fn plain_words(instruction: &str) -> String {
    let lower = instruction.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

struct Taking<'a> {
    pool: &'a Pool,
    reasons: Vec<Reason>,
    kept: Vec<u32>,
    duplicates: HashMap<u32, CandidateId>,
    most: usize,
    room: Vec<usize>,
    seen: Option<Seen>,
    near: &'a mut dyn NearBy,
}

impl Taking<'_> {
    /// Takes from the top; to fill what is left, those that were passed over because their category was full.
    fn take(&mut self, order: &[u32], fill: bool) -> Result<(), CurateError> {
        /// So many are looked at together.
        const WINDOW: usize = 512;
        let open = if fill {
            Reason::CategoryFull
        } else {
            Reason::BelowCut
        };
        let mut rest = order.iter().copied();
        while self.kept.len() < self.most {
            let window = WINDOW.min(self.most - self.kept.len());
            let next: Vec<u32> = rest
                .by_ref()
                .filter(|at| self.reasons[*at as usize] == open)
                .take(window)
                .collect();
            if next.is_empty() {
                break;
            }
            self.take_some(&next, fill)?;
        }
        Ok(())
    }

    fn take_some(&mut self, next: &[u32], fill: bool) -> Result<(), CurateError> {
        let entry = |at: u32| self.pool.entries[at as usize];
        let mut looks = Vec::new();
        if self.seen.is_some() {
            let candidates: Vec<CandidateId> = next.iter().map(|at| entry(*at).candidate).collect();
            looks = self.near.looks(&candidates)?;
        }
        for (i, at) in next.iter().enumerate() {
            let entry = entry(*at);
            let reason = &mut self.reasons[*at as usize];
            let room = &mut self.room[entry.category as usize];
            if *room == 0 && !fill {
                *reason = Reason::CategoryFull;
                continue;
            }
            if let Some(seen) = &mut self.seen {
                let look = looks.get(i);
                let both =
                    look.and_then(|l| Some((l, *l.edit.as_ref().ok()?, *l.source.as_ref().ok()?)));
                let Some((look, edit, source)) = both else {
                    *reason = Reason::NoLook;
                    continue;
                };
                if let Some(other) = seen.find(look, edit, source) {
                    *reason = Reason::NearDuplicate;
                    self.duplicates.insert(*at, other);
                    continue;
                }
                seen.add(look, edit, source, entry.candidate);
            }
            *room = room.saturating_sub(1);
            *reason = if fill {
                Reason::KeptToFill
            } else {
                Reason::Kept
            };
            self.kept.push(*at);
        }
        Ok(())
    }
}
