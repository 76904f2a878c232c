//! What came of a benchmark: `report.json` of its run, and the same for every face.

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Said, Usage};
use super::bootstrap;
use super::case::Dataset;
use super::protocol::{About, FigureAbout, Prepared, Table, Unanswered, Unit, Verdict};
use super::scorer::ScorerInfo;
use crate::domain::stats::{Bin, Statistic, calibration_error, coverage, reliability};

/// So many examples are kept of what was left out.
const LISTED: usize = 20;

/// How figures get their intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resampling {
    /// How many resamples; 0 for no intervals.
    pub resamples: usize,
    /// What they are drawn from.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 1,
        }
    }
}

/// What came of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The benchmark's key.
    pub benchmark: String,
    /// Its name.
    pub name: String,
    /// Who published it.
    pub publisher: String,
    /// How its figures come about.
    pub protocol: String,
    /// How figures are written.
    pub unit: Unit,
    /// Who answered; `None` where nobody has to.
    pub scorer: Option<ScorerInfo>,
    /// The data.
    pub data: DataInfo,
    /// Cases without a usable answer.
    pub unanswered: Unanswered,
    /// Edits without a score in cases whose other edits have one.
    #[serde(default)]
    pub unscored: UnscoredEdits,
    /// The figures; the first is the one to look at.
    pub figures: Vec<Figure>,
    /// Tables by editor, by category, …
    pub tables: Vec<Table>,
    /// How sure the scorer is and how often it is right, where it gives probabilities.
    pub reliability: Vec<Bin>,
    /// The expected calibration error of P(A ≻ B), where there are probabilities.
    pub calibration_error: Option<f64>,
    /// Accuracy when only the surest judgements are kept: (share kept, accuracy), from few to all.
    pub coverage: Vec<(f64, f64)>,
    /// What the answers took.
    pub usage: Option<Usage>,
    /// What that cost, in the currency of the scorer's prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// How intervals came about: the percentile bootstrap over clusters of cases, central 95 %.
    pub resampling: Resampling,
    /// How many clusters there were.
    pub clusters: usize,
}

/// The data of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataInfo {
    /// Where it was read.
    pub path: String,
    /// Equal for equal contents.
    pub fingerprint: String,
    /// Usable cases.
    pub cases: usize,
    /// Records that were left out.
    pub left_out: usize,
    /// The first of them, with file, line and field.
    pub bad: Vec<String>,
    /// Whether the data names images.
    pub images: bool,
}

/// Edits that an answer has no score for, though it has scores of others of the same case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnscoredEdits {
    /// How many.
    pub edits: usize,
    /// The first of them, twenty at most, each with its case, its position (from 1) and why.
    pub first: Vec<String>,
}

impl UnscoredEdits {
    /// Counts those of answers.
    pub fn among<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Self {
        let mut all = Self::default();
        for answer in answers {
            let Said::Scores(scores) = &answer.said else {
                continue;
            };
            for position in (0..scores.len()).filter(|at| scores[*at].is_none()) {
                all.edits += 1;
                if all.first.len() < LISTED {
                    let mut known = answer.unscored.iter();
                    let why = known.find(|edit| edit.position == position);
                    let why = why.map_or("it has no score", |edit| edit.reason.as_str());
                    let edit = position + 1;
                    all.first
                        .push(format!("{}, edit {edit}: {why}", answer.case));
                }
            }
        }
        all
    }
}

/// A figure with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What it is.
    #[serde(flatten)]
    pub about: FigureAbout,
    /// Its value; `None` where it is undefined.
    pub value: Option<f64>,
    /// Why it is undefined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undefined: Option<String>,
    /// The central 95 % of the bootstrap.
    pub interval: Option<[f64; 2]>,
    /// In how many resamples it was undefined; the interval is of the others.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undefined_resamples: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Figure {
    fn new(about: FigureAbout, value: Statistic) -> Self {
        Self {
            about,
            value: value.ok(),
            undefined: value.err().map(|why| why.to_string()),
            interval: None,
            undefined_resamples: 0,
        }
    }
}

impl Report {
    /// The figure of that key.
    pub fn figure(&self, key: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.about.key == key)
    }
}

/// Makes the report of answers, and what was right and wrong in them.
pub fn report(
    about: &About,
    (data, path): (&Dataset, &str),
    scorer: Option<ScorerInfo>,
    prepared: Prepared<'_>,
    resampling: Resampling,
) -> (Report, Vec<Verdict>) {
    let values = (prepared.measure)(&vec![1; prepared.clusters]);
    let intervals = bootstrap::intervals(
        prepared.clusters,
        resampling.resamples,
        resampling.seed,
        |weights| (prepared.measure)(weights).iter().map(|v| v.ok()).collect(),
    );
    let mut figures: Vec<Figure> = prepared
        .figures
        .into_iter()
        .zip(values)
        .map(|(about, value)| Figure::new(about, value))
        .collect();
    for (figure, interval) in figures.iter_mut().zip(intervals) {
        if let (Some(_), Some(interval)) = (figure.value, interval) {
            figure.interval = Some([interval.low, interval.high]);
            figure.undefined_resamples = resampling.resamples - interval.resamples;
        }
    }
    let fixed = prepared.fixed.into_iter();
    figures.extend(fixed.map(|(about, value)| Figure::new(about, value)));
    let sure: Vec<(f64, f64)> = match prepared.judged.as_slice() {
        [] => prepared
            .verdicts
            .iter()
            .filter(|v| v.edits.len() > 1 && v.weight.is_finite())
            .map(|v| (v.weight, v.right))
            .collect(),
        judged => judged
            .iter()
            .map(|(p, better)| (p.max(1.0 - p), f64::from(u8::from((*p > 0.5) == *better))))
            .collect(),
    };
    let report = Report {
        benchmark: about.key.into(),
        name: about.name.into(),
        publisher: about.publisher.into(),
        protocol: about.protocol.into(),
        unit: about.unit,
        scorer,
        data: DataInfo {
            path: path.into(),
            fingerprint: data.fingerprint.clone(),
            cases: data.cases.len(),
            left_out: data.bad.len(),
            bad: data.bad.iter().take(LISTED).cloned().collect(),
            images: data
                .cases
                .iter()
                .any(|case| case.edits.iter().any(|edit| edit.image.is_some())),
        },
        unanswered: prepared.unanswered,
        unscored: UnscoredEdits::default(),
        figures,
        tables: prepared.tables,
        calibration_error: calibration_error(prepared.judged.iter().copied()).ok(),
        reliability: reliability(prepared.judged.iter().copied()),
        coverage: coverage(&sure),
        usage: None,
        cost: None,
        resampling,
        clusters: prepared.clusters,
    };
    (report, prepared.verdicts)
}

/// Adds what answers cost.
pub fn total(usages: impl IntoIterator<Item = Option<Usage>>) -> Option<Usage> {
    usages.into_iter().flatten().reduce(|a, b| Usage {
        requests: a.requests + b.requests,
        tokens_in: a.tokens_in + b.tokens_in,
        tokens_out: a.tokens_out + b.tokens_out,
    })
}

/// What stands for the answer to a case that was never asked.
pub fn unasked() -> Said {
    Said::Nothing {
        reason: "it was not asked".into(),
        unparsed: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Score, Unscored};

    #[test]
    fn edits_without_a_score_are_counted_and_the_first_are_named_with_why() {
        let some = Some(Score::plain(1.0));
        let mut partly = Answer::new("a".into(), Said::Scores(vec![some, None, None]));
        partly.unscored = vec![Unscored {
            position: 2,
            reason: "'x.png' is missing".into(),
        }];
        let nothing = Said::Nothing {
            reason: "no edit could be read".into(),
            unparsed: false,
        };
        let whole = Answer::new("b".into(), Said::Scores(vec![some]));
        let without = Answer::new("c".into(), nothing);
        let found = UnscoredEdits::among([&partly, &whole, &without]);
        let expected = [
            "a, edit 2: it has no score",
            "a, edit 3: 'x.png' is missing",
        ];
        assert_eq!(
            (found.edits, found.first),
            (2, expected.map(str::to_owned).into())
        );
        let found = UnscoredEdits::among(std::iter::repeat_n(&partly, 30));
        assert_eq!((found.edits, found.first.len()), (60, LISTED));
    }
}
