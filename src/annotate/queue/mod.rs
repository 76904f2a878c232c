//! What is shown to an annotator, and in which order: built once, from what is stored, the same for the same seed.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use crate::data::{Workspace, WorkspaceError};
use crate::domain::stats::percentile_of;
use crate::domain::{CandidateId, Group, GroupId, Reward, human_scores};

/// How people judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// A score from 1 to 4 on each axis.
    #[default]
    Likert,
    /// Which of two is the better.
    Pairwise,
    /// All of a group from the best to the worst.
    Ranking,
}

/// What is judged at a time, with scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// All candidates of a group beside each other.
    #[default]
    Group,
    /// One candidate.
    Candidate,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// An order drawn by the seed.
    Random,
    /// What fewest people have judged.
    #[default]
    LeastLabelled,
    /// What model and people place most differently.
    Disagreement,
    /// What the model is least sure of.
    Uncertain,
    /// Pairs (groups, where the closest pair counts) that the model finds closest.
    Closest,
}

/// A name for people and for the command line.
macro_rules! named {
    ($type:ty: $($variant:ident = $name:literal),+) => {
        impl $type {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The one after it; after the last one the first.
            #[must_use]
            pub fn next(self) -> Self {
                let at = Self::ALL.iter().position(|one| *one == self).unwrap_or(0);
                Self::ALL[(at + 1) % Self::ALL.len()]
            }
        }

        impl std::str::FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.iter().find(|one| one.name() == text);
                let names: Vec<&str> = Self::ALL.iter().map(|one| one.name()).collect();
                found.copied().ok_or_else(|| format!("'{text}' is none of {}", names.join(", ")))
            }
        }
    };
}

named!(Mode: Likert = "likert", Pairwise = "pairwise", Ranking = "ranking");
named!(Unit: Group = "group", Candidate = "candidate");
named!(Strategy: Random = "random", LeastLabelled = "least-labelled", Disagreement = "disagreement",
    Uncertain = "uncertain", Closest = "closest");

impl Strategy {
    /// Whether it needs what a model says.
    pub const fn needs_scores(self) -> bool {
        matches!(self, Self::Disagreement | Self::Uncertain | Self::Closest)
    }
}

/// How a sitting goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Who judges.
    pub annotator: String,
    /// How.
    pub mode: Mode,
    /// What at a time, with scores.
    pub unit: Unit,
    /// What comes first.
    pub strategy: Strategy,
    /// Decides every order.
    pub seed: u64,
    /// The share of things that are asked again, to see whether the answer is the same; 0 to below 1.
    pub repeats: f64,
    /// Names, scores and what others said are hidden, and candidates stand in an order drawn by the seed.
    pub blind: bool,
    /// Only the groups of this part of the data.
    pub split: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            annotator: String::new(),
            mode: Mode::default(),
            unit: Unit::default(),
            strategy: Strategy::default(),
            seed: 0,
            repeats: 0.1,
            blind: true,
            split: None,
        }
    }
}

/// One thing to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its group.
    pub group: GroupId,
    /// What of it, in the order shown.
    pub candidates: Vec<CandidateId>,
    /// It was judged before, by the same person.
    pub again: bool,
}

/// Why there is no queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The workspace cannot be read.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The strategy goes by what a model says, and none has said anything.
    #[error(
        "the strategy '{}' goes by scores, and none are stored: run 'erw score' first, or take another strategy",
        .0.name()
    )]
    NoScores(Strategy),
}

/// What is to be judged, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Queue {
    /// The first [`LONGEST`] of it, with what is asked again mixed in.
    pub items: Vec<Item>,
    /// All that is left to judge, beyond these too.
    pub left: usize,
}

/// The most that a queue holds: more than anyone judges in a sitting, of however large a set.
pub const LONGEST: usize = 20_000;
/// The most of what was judged before that may be asked again.
const AGAIN: usize = LONGEST / 4;

/// An item with what its place is decided by.
struct Weighed {
    item: Item,
    /// Large comes first.
    weight: f64,
    lot: u64,
}

/// What a model says of candidates.
pub type Rewards = HashMap<CandidateId, Reward>;

/// What a strategy knows of all of the data, ascending.
#[derive(Default)]
struct Scales {
    model: Vec<f64>,
    people: Vec<f64>,
}

/// Everything that the annotator has not judged and not passed over, in order, with some of what they have judged mixed in.
/// `fingerprint` is that of the model whose stored scores strategies go by. A group is in memory at a time.
pub fn queue(
    workspace: &Workspace,
    settings: &Settings,
    fingerprint: Option<&str>,
) -> Result<Queue, QueueError> {
    let skipped = workspace.skips(&settings.annotator)?;
    let skipped: HashSet<GroupId> = skipped.into_iter().map(|(group, _)| group).collect();
    let scored_by = fingerprint.filter(|_| settings.strategy.needs_scores());
    let mut scales = Scales::default();
    if let Some(fingerprint) = scored_by {
        scales.model = workspace.score_scale(fingerprint)?;
    }
    if settings.strategy.needs_scores() && scales.model.is_empty() {
        return Err(QueueError::NoScores(settings.strategy));
    }
    if settings.strategy == Strategy::Disagreement {
        workspace.each_group(|group| {
            scales.hear(&group);
            Ok(())
        })?;
        scales.people.sort_by(f64::total_cmp);
    }
    let mut building = Building::new(settings, scales);
    workspace.each_group(|group| {
        let wanted = settings.split.is_none() || settings.split == group.split;
        if wanted && !skipped.contains(&group.id) {
            let rewards = match scored_by {
                Some(fingerprint) => workspace.scores(group.id, fingerprint)?,
                None => Vec::new(),
            };
            building.add(&group, &rewards.into_iter().collect());
        }
        Ok(())
    })?;
    Ok(building.done())
}

/// The queue of these groups.
pub fn ordered(groups: &[Group], settings: &Settings, rewards: &Rewards) -> Queue {
    let mut scales = Scales {
        model: rewards.values().map(|r| r.aggregate.mean).collect(),
        people: Vec::new(),
    };
    for group in groups {
        scales.hear(group);
    }
    scales.model.sort_by(f64::total_cmp);
    scales.people.sort_by(f64::total_cmp);
    let mut building = Building::new(settings, scales);
    for group in groups {
        building.add(group, rewards);
    }
    building.done()
}

/// A queue under way.
struct Building<'a> {
    settings: &'a Settings,
    scales: Scales,
    todo: Vec<Weighed>,
    judged: Vec<Weighed>,
    left: usize,
}

impl<'a> Building<'a> {
    fn new(settings: &'a Settings, scales: Scales) -> Self {
        Self {
            settings,
            scales,
            todo: Vec::new(),
            judged: Vec::new(),
            left: 0,
        }
    }

    fn add(&mut self, group: &Group, rewards: &Rewards) {
        for item in items(group, self.settings) {
            let weighed = Weighed {
                weight: weight(group, &item, self.settings.strategy, rewards, &self.scales),
                lot: lot(self.settings.seed, &item),
                item,
            };
            if weighed.item.again {
                self.judged.push(weighed);
                keep_first(&mut self.judged, AGAIN, |a, b| a.lot.cmp(&b.lot));
            } else {
                self.left += 1;
                self.todo.push(weighed);
                keep_first(&mut self.todo, LONGEST, in_order);
            }
        }
    }

    fn done(mut self) -> Queue {
        self.todo.sort_unstable_by(in_order);
        self.todo.truncate(LONGEST);
        self.judged.sort_unstable_by_key(|one| one.lot);
        self.judged.truncate(AGAIN);
        let items = |weighed: Vec<Weighed>| weighed.into_iter().map(|one| one.item).collect();
        Queue {
            items: mixed(items(self.todo), items(self.judged), self.settings),
            left: self.left,
        }
    }
}

/// The heavier first; equally heavy ones by lot, which no two things share but by chance.
fn in_order(a: &Weighed, b: &Weighed) -> Ordering {
    let heavier = b.weight.total_cmp(&a.weight);
    heavier.then(a.lot.cmp(&b.lot)).then_with(|| {
        let place = |one: &Weighed| (one.item.group, one.item.candidates.clone());
        place(a).cmp(&place(b))
    })
}

/// Once there are twice as many as wanted, drops those that come last: seldom, so that it costs next to nothing.
fn keep_first(
    all: &mut Vec<Weighed>,
    wanted: usize,
    order: impl Fn(&Weighed, &Weighed) -> Ordering,
) {
    if all.len() >= 2 * wanted {
        all.select_nth_unstable_by(wanted, order);
        all.truncate(wanted);
    }
}

/// What of a group is to be judged; what was judged already is marked as such, and is only asked again.
fn items(group: &Group, settings: &Settings) -> Vec<Item> {
    let who = settings.annotator.as_str();
    let scored = |index: usize| {
        let labels = group.candidates[index].labels.iter();
        labels.filter(|l| l.annotator == who).count() >= 2
    };
    let voted = |a: usize, b: usize| {
        let mut votes = group
            .votes
            .iter()
            .filter(|v| v.annotator == who && v.axis.is_none());
        votes.any(|v| (v.a.min(v.b), v.a.max(v.b)) == (a, b))
    };
    let order = shown_order(group, settings);
    let id = |index: usize| group.candidates[index].id;
    let item = |indices: &[usize], again| Item {
        group: group.id,
        candidates: indices.iter().map(|index| id(*index)).collect(),
        again,
    };
    match (settings.mode, settings.unit) {
        (Mode::Likert, Unit::Group) => {
            let mut all: Vec<Item> = order
                .iter()
                .filter(|index| scored(**index))
                .map(|index| item(&[*index], true))
                .collect();
            let open: Vec<usize> = order.iter().copied().filter(|i| !scored(*i)).collect();
            if !open.is_empty() {
                all.push(item(&open, false));
            }
            all
        }
        (Mode::Likert, Unit::Candidate) => order
            .iter()
            .map(|index| item(&[*index], scored(*index)))
            .collect(),
        (Mode::Pairwise, _) => {
            let mut all = Vec::new();
            for (place, a) in order.iter().enumerate() {
                for b in &order[place + 1..] {
                    if !voted(*a.min(b), *a.max(b)) {
                        all.push(item(&[*a, *b], false));
                    }
                }
            }
            all
        }
        (Mode::Ranking, _) => {
            let count = order.len();
            let all_voted = (0..count).all(|a| (a + 1..count).all(|b| voted(a, b)));
            if count < 2 || all_voted {
                return Vec::new();
            }
            vec![item(&order, false)]
        }
    }
}

/// The order in which candidates are shown: the data's, or blind one drawn by seed and group.
fn shown_order(group: &Group, settings: &Settings) -> Vec<usize> {
    let mut order: Vec<usize> = (0..group.candidates.len()).collect();
    if settings.blind {
        let number = |index: &usize| mixed_number(settings.seed, group.id.0, *index as i64);
        order.sort_by_key(number);
    }
    order
}

fn weight(
    group: &Group,
    item: &Item,
    strategy: Strategy,
    rewards: &Rewards,
    scales: &Scales,
) -> f64 {
    let gaussians = || {
        item.candidates
            .iter()
            .filter_map(|id| Some(rewards.get(id)?.aggregate))
    };
    match strategy {
        Strategy::Random => 0.0,
        Strategy::LeastLabelled => {
            let of_item = group
                .candidates
                .iter()
                .filter(|c| item.candidates.contains(&c.id));
            let labels: usize = of_item.map(|c| c.labels.len()).sum();
            -(labels as f64 / item.candidates.len().max(1) as f64)
        }
        Strategy::Uncertain => gaussians()
            .map(|g| g.sigma())
            .fold(f64::NEG_INFINITY, f64::max),
        Strategy::Closest => {
            let all: Vec<_> = gaussians().collect();
            let mut closest = f64::NEG_INFINITY;
            for (i, a) in all.iter().enumerate() {
                for b in &all[i + 1..] {
                    let width = (a.variance() + b.variance()).sqrt().max(1e-9);
                    closest = closest.max(-(a.mean - b.mean).abs() / width);
                }
            }
            closest
        }
        Strategy::Disagreement => {
            let human = human_scores(&group.candidates);
            let of_item = group.candidates.iter().zip(&human);
            let apart = of_item
                .filter(|(candidate, _)| item.candidates.contains(&candidate.id))
                .filter_map(|(candidate, human)| {
                    let model = rewards.get(&candidate.id)?.aggregate.mean;
                    let model = percentile_of(&scales.model, model)?;
                    Some((model - percentile_of(&scales.people, human.overall()?)?).abs())
                });
            apart.fold(f64::NEG_INFINITY, f64::max)
        }
    }
}

impl Scales {
    fn hear(&mut self, group: &Group) {
        let human = human_scores(&group.candidates).into_iter();
        self.people
            .extend(human.filter_map(|human| human.overall()));
    }
}

/// So many things lie at least between a judgement and its repetition.
const APART: usize = 8;

/// Mixes in what is asked again: what was judged before this sitting, and what will have been judged by then.
fn mixed(todo: Vec<Item>, done: Vec<Item>, settings: &Settings) -> Vec<Item> {
    if settings.repeats <= 0.0 || settings.mode != Mode::Likert {
        return todo;
    }
    // One in so many is asked again.
    let every = ((1.0 / settings.repeats).round() as usize).max(2);
    let mut known: std::collections::VecDeque<Item> = done.into();
    let (mut out, mut recent) = (Vec::new(), std::collections::VecDeque::new());
    for item in todo {
        if (out.len() + 1).is_multiple_of(every)
            && let Some(again) = known.pop_front()
        {
            out.push(again);
        }
        let number = mixed_number(settings.seed, item.group.0, out.len() as i64);
        let chosen = item.candidates[number as usize % item.candidates.len()];
        recent.push_back(Item {
            group: item.group,
            candidates: vec![chosen],
            again: true,
        });
        if recent.len() > APART {
            known.extend(recent.pop_front());
        }
        out.push(item);
    }
    out
}

fn lot(seed: u64, item: &Item) -> u64 {
    let first = item.candidates.first().map_or(0, |id| id.0);
    let last = item.candidates.last().map_or(0, |id| id.0);
    mixed_number(
        seed ^ last.cast_unsigned().rotate_left(17),
        item.group.0,
        first,
    )
}

/// A number that seed, group and place decide (`SplitMix64`).
fn mixed_number(seed: u64, group: i64, place: i64) -> u64 {
    let mut z = seed
        .wrapping_add(group.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(place.cast_unsigned().wrapping_mul(0xd1b5_4a32_d192_ed03))
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests;
