//! EditReward-Bench (TIGER-Lab): two, three or four edits whose strict order a scorer has to find.

use std::path::Path;

use super::pairs::{self, Clusters, Measured, Pair};
use super::sources;
use crate::bench::answer::Said;
use crate::bench::case::{Case, Dataset, Order, Truth, Vote, letter};
use crate::bench::error::BenchError;
use crate::bench::protocol::{
    About, Answered, FigureAbout, Prepared, Protocol, Unanswered, Unit, Verdict,
};
use crate::bench::scorer::Ask;
use crate::domain::stats::{Share, Statistic, tuple_right};

/// EditReward-Bench.
pub(super) struct Tuples;

const ABOUT: About = About {
    key: "editreward-bench",
    name: "EditReward-Bench",
    publisher: "TIGER-Lab (not EditScore's benchmark of the same name)",
    protocol: "K=2: pairwise accuracy with the tie threshold (from 0, distinct values) that is best on these very pairs. K=3 and \
               K=4: a group is right when all of its pairs are; equal scores are wrong, where the published code ranks the later \
               one first. 'overall': groups right of all, a pair without a tie judged strictly, a tie by the K=2 threshold.",
    data: "EditReward_Bench_2pair.json, _3pair.json and _4pair.json, or the hub's Parquet",
    columns: &[
        ("k2", "K=2"),
        ("k3", "K=3"),
        ("k4", "K=4"),
        ("overall", "overall"),
    ],
    unit: Unit::Percent,
};

impl Protocol for Tuples {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        sources::tuples(data, &ABOUT)
    }

    fn ask(&self) -> Option<Ask> {
        // The published rows of judges are made of calls for pairs.
        Some(Ask::Votes)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let set = TupleSet::new(answered);
        let floor = |k: usize| match k {
            3 => 1.0 / 6.0,
            _ => 1.0 / 24.0,
        };
        let mut k2 = pairs::calibrated_figure("k2", "K=2, calibrated ties", &set.pairs);
        let epsilon = set.epsilon();
        k2.note = Some(format!("differences up to {epsilon:.4} are ties"));
        let mut figures = vec![k2];
        for k in [3, 4] {
            let of = set.groups.iter().filter(|g| g.size == k).count();
            let mut about = FigureAbout::new(&format!("k{k}"), &format!("K={k}, whole order"), of);
            about.floor = Some((floor(k), "a random score".into()));
            figures.push(about);
        }
        figures.push(FigureAbout::new(
            "overall",
            "groups right, of all",
            set.pairs.len() + set.groups.len(),
        ));
        Prepared {
            figures,
            clusters: set.clusters,
            tables: Vec::new(),
            verdicts: set.verdicts(epsilon),
            fixed: set.as_published(epsilon),
            judged: pairs::calibration(&set.pairs),
            unanswered: Unanswered::among(answered),
            measure: Box::new(move |weights| set.measure(weights)),
        }
    }
}

/// A case of three edits or more.
#[derive(Debug)]
struct Whole<'a> {
    case: &'a Case,
    size: usize,
    right: bool,
    /// Right by the published code's rule for equal scores.
    right_as_published: bool,
    least: f64,
    said: String,
    cluster: u32,
}

struct TupleSet<'a> {
    pairs: Vec<Pair<'a>>,
    table: Measured,
    groups: Vec<Whole<'a>>,
    clusters: usize,
}

impl<'a> TupleSet<'a> {
    fn new(answered: &[Answered<'a>]) -> Self {
        let mut clusters = Clusters::default();
        let (mut twos, mut groups) = (Vec::new(), Vec::new());
        for one in answered {
            let Truth::Order(order) = &one.case.truth else {
                continue;
            };
            if let Some(human) = order.vote() {
                let Some((difference, vote, p)) = pairs::compared(one.said, (0, 1)) else {
                    continue;
                };
                twos.push(Pair {
                    case: one.case,
                    edits: (0, 1),
                    human,
                    difference,
                    vote,
                    p,
                    cluster: clusters.number(one.case),
                });
            } else if let Order::Strict(best) = order
                && let Some((right, least, said)) = whole(one.said, best)
            {
                let right_as_published = right || right_as_published(one.said, best);
                groups.push(Whole {
                    case: one.case,
                    size: best.len(),
                    right,
                    right_as_published,
                    least,
                    said,
                    cluster: clusters.number(one.case),
                });
            }
        }
        Self {
            table: Measured::of(&twos),
            pairs: twos,
            groups,
            clusters: clusters.len(),
        }
    }

    /// The threshold that is best on the pairs, from 0.
    fn epsilon(&self) -> f64 {
        let once = pairs::once(self.clusters);
        let calibrated = self.table.calibrated(&once);
        calibrated
            .ok()
            .and_then(|(_, epsilon)| epsilon)
            .unwrap_or(0.0)
    }

    fn measure(&self, weights: &[u8]) -> Vec<Statistic> {
        let weight = |cluster: u32| f64::from(weights[cluster as usize]);
        let calibrated = self.table.calibrated(weights);
        let epsilon = calibrated
            .ok()
            .and_then(|(_, epsilon)| epsilon)
            .unwrap_or(0.0);
        let (mut right, mut of) = (0.0, 0.0);
        for pair in &self.pairs {
            let weight = weight(pair.cluster);
            of += weight;
            right += weight * f64::from(u8::from(right_with_ties(pair, epsilon)));
        }
        let mut all = vec![calibrated.map(|(accuracy, _)| accuracy)];
        for k in [3, 4] {
            let (mut hits, mut count) = (0.0, 0.0);
            for group in self.groups.iter().filter(|g| g.size == k) {
                let weight = weight(group.cluster);
                count += weight;
                hits += weight * f64::from(u8::from(group.right));
            }
            right += hits;
            of += count;
            let share = Share {
                right: hits,
                of: count,
            };
            all.push(share.value());
        }
        all.push(Share { right, of }.value());
        all
    }

    /// The figures with the published code's rule for equal scores, by which they may be right for no reason.
    fn as_published(&self, epsilon: f64) -> Vec<(FigureAbout, Statistic)> {
        let note =
            "equal scores rank as NumPy's sort leaves them, mostly the later first; no interval";
        let twos = self
            .pairs
            .iter()
            .filter(|pair| {
                let later = pair.difference == 0.0 && pair.human == Vote::Second;
                later || right_with_ties(pair, epsilon)
            })
            .count() as f64;
        let mut all = Vec::new();
        let (mut right, mut of) = (twos, self.pairs.len() as f64);
        for k in [3, 4] {
            let groups = || self.groups.iter().filter(|g| g.size == k);
            let share = Share {
                right: groups().filter(|g| g.right_as_published).count() as f64,
                of: groups().count() as f64,
            };
            right += share.right;
            of += share.of;
            let key = format!("k{k}-as-published");
            let name = format!("K={k}, as published");
            all.push((
                FigureAbout::new(&key, &name, share.of as usize),
                share.value(),
            ));
        }
        let about = FigureAbout::new("overall-as-published", "overall, as published", of as usize);
        all.push((about, Share { right, of }.value()));
        for (about, _) in &mut all {
            about.note = Some(note.into());
        }
        all
    }

    fn verdicts(&self, epsilon: f64) -> Vec<Verdict> {
        let twos = self.pairs.iter().map(|pair| Verdict {
            figures: vec!["k2".into(), "overall".into()],
            ..pair.verdict(right_with_ties(pair, epsilon))
        });
        let groups = self.groups.iter().map(|group| Verdict {
            case: group.case.id.clone(),
            edits: (0..group.size).collect(),
            truth: order_in_words(&group.case.truth),
            said: group.said.clone(),
            votes: None,
            right: f64::from(u8::from(group.right)),
            weight: group.least,
            category: Some(format!("K={}", group.size)),
            figures: vec![format!("k{}", group.size), "overall".into()],
        });
        twos.chain(groups).collect()
    }
}

/// A pair without a tie strictly, a tie by the threshold.
fn right_with_ties(pair: &Pair<'_>, epsilon: f64) -> bool {
    match pair.strictly_right() {
        Some(right) => right,
        None => pair.difference.abs() <= epsilon,
    }
}

/// Whether an order is right by the published code's rule for equal scores.
fn right_as_published(said: &Said, best: &[usize]) -> bool {
    let Said::Scores(scores) = said else {
        return false;
    };
    let Some(values) = scores
        .iter()
        .map(|s| Some((*s)?.value))
        .collect::<Option<Vec<f64>>>()
    else {
        return false;
    };
    published_order(&values) == best
}

/// Edits by their scores, best first, as the published code has them: NumPy's `argsort`, turned round. Of two equal scores the
/// later comes first; two pairs of equals among four are left as NumPy's vectorised sort leaves them, which is this network of
/// comparisons and not stable.
fn published_order(scores: &[f64]) -> Vec<usize> {
    const NETWORK: [(usize, usize); 6] = [(0, 1), (2, 3), (0, 3), (1, 2), (0, 1), (2, 3)];
    let mut order: Vec<usize> = (0..scores.len()).collect();
    if scores.len() > 4 {
        order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    } else {
        for (low, high) in NETWORK {
            // Fewer than four are filled up with scores above all others, which stay where they are.
            if high < order.len() && scores[order[low]] > scores[order[high]] {
                order.swap(low, high);
            }
        }
    }
    order.reverse();
    order
}

/// Whether all pairs of an order are right, how sure the least sure of the calls was, and what the scorer said.
fn whole(said: &Said, best: &[usize]) -> Option<(bool, f64, String)> {
    match said {
        Said::Scores(scores) => {
            let scores: Option<Vec<f64>> = scores.iter().map(|s| Some((*s)?.value)).collect();
            let scores = scores.filter(|s| s.len() == best.len())?;
            let mut order: Vec<usize> = (0..scores.len()).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            let gaps = order.windows(2).map(|w| scores[w[0]] - scores[w[1]]);
            let least = gaps.fold(f64::INFINITY, f64::min);
            let mut words = letter(order[0]);
            for step in order.windows(2) {
                let sign = if scores[step[0]] > scores[step[1]] {
                    "≻"
                } else {
                    "="
                };
                words.extend([" ", sign, " ", &letter(step[1])]);
            }
            Some((tuple_right(&scores, best), least, words))
        }
        Said::Votes(votes) => {
            let mut right = true;
            for (i, better) in best.iter().enumerate() {
                for worse in &best[i + 1..] {
                    let (_, vote, _) = pairs::compared(said, (*better, *worse))?;
                    right &= vote == Some(Vote::First);
                }
            }
            let words: Vec<String> = votes
                .iter()
                .map(|(a, b, vote)| vote.in_words((*a, *b)))
                .collect();
            Some((right, 0.0, words.join(", ")))
        }
        Said::Nothing {
            unparsed: true,
            reason,
        } => Some((false, 0.0, reason.clone())),
        Said::Nothing { .. } => None,
    }
}

fn order_in_words(truth: &Truth) -> String {
    match truth {
        Truth::Order(Order::Strict(best)) => {
            let letters: Vec<String> = best.iter().map(|i| letter(*i)).collect();
            letters.join(" ≻ ")
        }
        _ => String::new(),
    }
}
