//! What the protocols over votes between two edits share: pairs taken out of cases, measured strictly and with ties.

use std::collections::HashMap;

use crate::bench::answer::{Said, Score};
use crate::bench::case::{Case, Truth, Vote};
use crate::bench::protocol::{Answered, FigureAbout, Table, Verdict};
use crate::domain::stats::{
    Calibrated, Judged, PairTable, Share, Statistic, Undefined, all_ties_floor,
};
use crate::domain::{Gaussian, p_prefer};

/// A pair of a case, what people said of it, and what the scorer.
#[derive(Debug, Clone)]
pub(super) struct Pair<'a> {
    pub(super) case: &'a Case,
    pub(super) edits: (usize, usize),
    pub(super) human: Vote,
    /// The score of the first less that of the second; 1, 0 or -1 for a vote.
    pub(super) difference: f64,
    /// What it said where it votes.
    pub(super) vote: Option<Vote>,
    /// P(first ≻ second) where it gives Gaussians.
    pub(super) p: Option<f64>,
    pub(super) cluster: u32,
}

impl Pair<'_> {
    pub(super) fn judged(&self) -> Judged {
        Judged {
            human: self.human.sign(),
            difference: self.difference,
        }
    }

    /// How sure the scorer is: the probability of the likelier side, or else how far its scores are apart.
    pub(super) fn confidence(&self) -> f64 {
        self.p.map_or(self.difference.abs(), |p| p.max(1.0 - p))
    }

    /// Right when the better edit has the higher score; `None` where people see no difference.
    pub(super) fn strictly_right(&self) -> Option<bool> {
        let human = self.human.sign();
        (human != 0).then(|| self.difference * f64::from(human) > 0.0)
    }

    pub(super) fn verdict(&self, right: bool) -> Verdict {
        let (a, b) = self.edits;
        Verdict {
            case: self.case.id.clone(),
            edits: vec![a, b],
            truth: self.human.in_words(self.edits),
            said: match self.vote {
                Some(vote) => vote.in_words(self.edits),
                None => format!("{} by {:.4}", self.leaning(), self.difference.abs()),
            },
            votes: Some([self.human, self.vote.unwrap_or(Vote::of(self.difference))]),
            right: f64::from(u8::from(right)),
            weight: self.confidence(),
            category: self.case.category.clone(),
            figures: Vec::new(),
        }
    }

    fn leaning(&self) -> String {
        Vote::of(self.difference).in_words(self.edits)
    }
}

/// Numbers for the clusters of cases, in the order of their first case.
#[derive(Debug, Default)]
pub(super) struct Clusters<'a> {
    numbers: HashMap<&'a str, u32>,
}

impl<'a> Clusters<'a> {
    pub(super) fn number(&mut self, case: &'a Case) -> u32 {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        *self.numbers.entry(&case.cluster).or_insert(next)
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// What a scorer said of two edits of a case: the difference, its vote where it votes, P(first ≻ second) where it can.
/// `None` without an answer; the difference of an answer that could not be understood is not a number, which is wrong.
pub(super) fn compared(
    said: &Said,
    (a, b): (usize, usize),
) -> Option<(f64, Option<Vote>, Option<f64>)> {
    match said {
        Said::Scores(scores) => {
            let (a, b) = ((*scores.get(a)?)?, (*scores.get(b)?)?);
            Some((a.value - b.value, None, preference(a, b)))
        }
        Said::Votes(votes) => votes.iter().find_map(|&(x, y, vote)| {
            let vote = match (x, y) {
                same if same == (a, b) => vote,
                turned if turned == (b, a) => vote.swapped(),
                _ => return None,
            };
            Some((f64::from(vote.sign()), Some(vote), None))
        }),
        Said::Nothing { unparsed: true, .. } => Some((f64::NAN, None, None)),
        Said::Nothing { .. } => None,
    }
}

fn preference(a: Score, b: Score) -> Option<f64> {
    let gaussian = |s: Score| Some(Gaussian::new(s.value, s.sigma?.ln()));
    Some(p_prefer(gaussian(a)?, gaussian(b)?))
}

/// The pairs of cases with votes, and how many clusters they fall into.
pub(super) fn votes<'a>(answered: &[Answered<'a>]) -> (Vec<Pair<'a>>, usize) {
    let mut clusters = Clusters::default();
    let mut pairs = Vec::with_capacity(answered.len());
    for one in answered {
        let Truth::Order(order) = &one.case.truth else {
            continue;
        };
        let (Some(human), Some((difference, vote, p))) = (order.vote(), compared(one.said, (0, 1)))
        else {
            continue;
        };
        pairs.push(Pair {
            case: one.case,
            edits: (0, 1),
            human,
            difference,
            vote,
            p,
            cluster: clusters.number(one.case),
        });
    }
    (pairs, clusters.len())
}

/// Pairs in the form that resamples are measured on.
#[derive(Debug)]
pub(super) struct Measured(Result<PairTable, Undefined>);

impl Measured {
    pub(super) fn new<'a>(pairs: impl IntoIterator<Item = &'a (Judged, u32)>) -> Self {
        let (judged, clusters): (Vec<Judged>, Vec<u32>) = pairs.into_iter().copied().unzip();
        Self(PairTable::new(&judged, &clusters))
    }

    pub(super) fn of(pairs: &[Pair<'_>]) -> Self {
        let rows: Vec<(Judged, u32)> = pairs.iter().map(|p| (p.judged(), p.cluster)).collect();
        Self::new(&rows)
    }

    pub(super) fn strict(&self, weights: &[u8]) -> Statistic {
        self.0.as_ref().map_err(|e| *e)?.strict(weights).value()
    }

    /// With the threshold that is best on these very pairs, and that threshold.
    pub(super) fn calibrated(&self, weights: &[u8]) -> Result<(f64, Option<f64>), Undefined> {
        let all = self.0.as_ref().map_err(|e| *e)?.calibrated(weights);
        let Calibrated { right, of, epsilon } = all;
        Ok((Share { right, of }.value()?, epsilon))
    }

    pub(super) fn calibrated_accuracy(&self, weights: &[u8]) -> Statistic {
        Ok(self.calibrated(weights)?.0)
    }
}

/// Weights that count each of so many clusters once.
pub(super) fn once(clusters: usize) -> Vec<u8> {
    vec![1; clusters]
}

/// What "strict" is, over these pairs.
pub(super) fn strict_figure(key: &str, name: &str, pairs: &[Pair<'_>]) -> FigureAbout {
    let of = pairs.iter().filter(|p| p.human.sign() != 0).count();
    let mut about = FigureAbout::new(key, name, of);
    about.floor = Some((0.5, "coin flips".into()));
    about
}

/// What "with calibrated ties" is, over these pairs; its floor is to call every pair a tie, if that is better than chance.
pub(super) fn calibrated_figure(key: &str, name: &str, pairs: &[Pair<'_>]) -> FigureAbout {
    let judged: Vec<Judged> = pairs.iter().map(Pair::judged).collect();
    let mut about = FigureAbout::new(key, name, pairs.len());
    if let Ok(floor) = all_ties_floor(&judged).value() {
        about.floor = Some((floor, "all ties".into()));
    }
    about
}

/// The strict accuracy split by the cases' categories; none where there is only one.
pub(super) fn by_category(pairs: &[Pair<'_>], title: &str) -> Option<Table> {
    let mut names: Vec<&str> = Vec::new();
    let mut counts: HashMap<&str, (f64, f64)> = HashMap::new();
    for pair in pairs {
        let (Some(category), Some(right)) = (&pair.case.category, pair.strictly_right()) else {
            continue;
        };
        let count = counts.entry(category).or_insert_with(|| {
            names.push(category);
            (0.0, 0.0)
        });
        count.0 += f64::from(u8::from(right));
        count.1 += 1.0;
    }
    names.sort_unstable();
    (names.len() > 1).then(|| Table {
        title: title.into(),
        columns: vec!["category".into(), "strict".into(), "pairs".into()],
        rows: names
            .iter()
            .map(|name| {
                let (right, of) = counts[name];
                ((*name).to_owned(), vec![Some(right / of), Some(of)])
            })
            .collect(),
    })
}

/// The strict accuracy by the two editors of a pair.
pub(super) fn by_editor(pairs: &[Pair<'_>]) -> Option<Table> {
    let mut counts: HashMap<&str, (f64, f64)> = HashMap::new();
    for pair in pairs {
        let Some(right) = pair.strictly_right() else {
            continue;
        };
        for edit in [pair.edits.0, pair.edits.1] {
            let editor = pair.case.edits.get(edit).and_then(|e| e.editor.as_deref());
            if let Some(editor) = editor {
                let count = counts.entry(editor).or_default();
                count.0 += f64::from(u8::from(right));
                count.1 += 1.0;
            }
        }
    }
    let mut names: Vec<&str> = counts.keys().copied().collect();
    names.sort_unstable();
    (names.len() > 1).then(|| Table {
        title: "by editor: pairs with its edits".into(),
        columns: vec!["editor".into(), "strict".into(), "pairs".into()],
        rows: names
            .iter()
            .map(|name| {
                let (right, of) = counts[name];
                ((*name).to_owned(), vec![Some(right / of), Some(of)])
            })
            .collect(),
    })
}

/// P(A ≻ B) and whether A is the better, where the scorer gives Gaussians and people see a difference.
pub(super) fn calibration(pairs: &[Pair<'_>]) -> Vec<(f64, bool)> {
    pairs
        .iter()
        .filter(|pair| pair.human.sign() != 0)
        .filter_map(|pair| Some((pair.p?, pair.human.sign() > 0)))
        .collect()
}
