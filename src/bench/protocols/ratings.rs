//! The protocols over ratings: rank correlations between a scorer and people, an editor at a time (ImagenHub, AURORA-Bench
//! pointwise) or a prompt at a time (the second form of ImagenHub).

use std::path::Path;

use super::pairs::{self, Clusters};
use super::sources;
use crate::bench::answer::Said;
use crate::bench::case::{Dataset, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::{
    About, Answered, FigureAbout, Prepared, Protocol, Table, Unanswered, Unit, Verdict,
};
use crate::bench::scorer::Ask;
use crate::domain::stats::{Statistic, Undefined, average_ranks, spearman};

/// ImagenHub, text-guided editing.
pub(super) struct ImagenHub;

const HUB: About = About {
    key: "imagenhub",
    name: "ImagenHub, text-guided editing",
    publisher: "TIGER-Lab",
    protocol: "Each editor's edits ranked by the scorer and by people (mean over raters of sqrt(SC·PQ)): Spearman's correlation \
               with average ranks, an editor at a time. 'mean' is the plain mean over editors, 'fisher' tanh of the mean of \
               atanh, 'published' tanh of the plain mean, which is what the published code computes and calls a Fisher mean.",
    data: "valid_imagenhub_processed.json (pointwise JSON), or the raters' tables Text-Guided_IE_rater1.tsv to 3, also in a clone \
           of ImagenHub or VIEScore (whose recorded judges are field:JUDGE, as in field:gpt4o_0shot)",
    columns: &[("published", "ImagenHub")],
    unit: Unit::Percent,
};

impl Protocol for ImagenHub {
    fn about(&self) -> &'static About {
        &HUB
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        sources::imagenhub(data, &HUB)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Scores)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let rated = Rated::new(answered);
        let of = rated.rows.len();
        let mut published = FigureAbout::new("published", "as published (tanh of the mean)", of);
        published.note = Some("not a Fisher mean: atanh is never applied".into());
        let figures = vec![
            published,
            FigureAbout::new("mean", "mean of the editors' correlations", of),
            FigureAbout::new("fisher", "Fisher mean (tanh of mean atanh)", of),
        ];
        let tables = vec![rated.by_editor()];
        rated.prepared(figures, tables, answered, |rated, weights| {
            let all = rated.correlations(weights);
            vec![
                mean(&all).map(f64::tanh),
                mean(&all),
                mean(&all.iter().map(|r| r.map(f64::atanh)).collect::<Vec<_>>()).map(f64::tanh),
            ]
        })
    }
}

/// AURORA-Bench, pointwise.
pub(super) struct AuroraPoints;

const AURORA: About = About {
    key: "aurora-pointwise",
    name: "AURORA-Bench, pointwise",
    publisher: "AURORA (McGill-NLP), as EditReward uses it",
    protocol: "Each editor's edits ranked by the scorer and by people: the plain mean over editors of Spearman's correlation \
               with average ranks.",
    data: "pointwise JSON: prompt, input, gen, score, model",
    columns: &[("mean", "AURORA points")],
    unit: Unit::Percent,
};

impl Protocol for AuroraPoints {
    fn about(&self) -> &'static About {
        &AURORA
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        sources::points(data, &AURORA)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Scores)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let rated = Rated::new(answered);
        let figures = vec![FigureAbout::new(
            "mean",
            "mean of the editors' correlations",
            rated.rows.len(),
        )];
        let tables = vec![rated.by_editor()];
        rated.prepared(figures, tables, answered, |rated, weights| {
            vec![mean(&rated.correlations(weights))]
        })
    }
}

/// The second form of ImagenHub.
pub(super) struct ImagenHubPrompts;

const PROMPTS: About = About {
    key: "imagenhub-v2",
    name: "ImagenHub, a prompt at a time",
    publisher: "TIGER-Lab (EditReward's second evaluation script)",
    protocol: "Edits of one instruction ranked by the scorer and by people: the mean over prompts of Spearman's correlation, \
               undefined ones left out; and one correlation over all of the scorer's scores, z-scored a prompt at a time \
               (population deviation; 0 where it is below 1e-6), with people's raw scores.",
    data: "as imagenhub",
    columns: &[("prompts", "ImagenHub v2")],
    unit: Unit::Percent,
};

impl Protocol for ImagenHubPrompts {
    fn about(&self) -> &'static About {
        &PROMPTS
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        sources::imagenhub(data, &PROMPTS)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Scores)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let rated = Rated::new(answered);
        let prompts = rated.by_prompt();
        let defined = prompts.iter().filter(|p| p.correlation.is_ok()).count();
        let mut first = FigureAbout::new("prompts", "mean of the prompts' correlations", defined);
        first.note = Some(format!(
            "{} of {} prompts have no correlation: a constant side",
            prompts.len() - defined,
            prompts.len()
        ));
        let figures = vec![
            first,
            FigureAbout::new(
                "pooled",
                "all scores, z-scored a prompt at a time",
                rated.rows.len(),
            ),
        ];
        rated.prepared(figures, Vec::new(), answered, move |_, weights| {
            let (mut sum, mut count) = (0.0, 0_u32);
            let (mut scores, mut ratings) = (Vec::new(), Vec::new());
            for prompt in &prompts {
                for _ in 0..weights[prompt.cluster as usize] {
                    scores.extend_from_slice(&prompt.standardised);
                    ratings.extend_from_slice(&prompt.ratings);
                    if let Ok(r) = prompt.correlation {
                        sum += r;
                        count += 1;
                    }
                }
            }
            let first = match count {
                0 => Err(Undefined::NoJudgements),
                n => Ok(sum / f64::from(n)),
            };
            vec![first, spearman(&scores, &ratings)]
        })
    }
}

/// An edit with what people and the scorer said of it.
#[derive(Debug, Clone)]
struct Row<'a> {
    case: &'a str,
    instruction: &'a str,
    edit: usize,
    editor: usize,
    cluster: u32,
    human: f64,
    score: f64,
}

/// All edits that people and the scorer rated.
#[derive(Debug, Clone)]
struct Rated<'a> {
    rows: Vec<Row<'a>>,
    editors: Vec<&'a str>,
    clusters: usize,
}

/// The edits of one instruction.
struct Prompt {
    cluster: u32,
    correlation: Statistic,
    standardised: Vec<f64>,
    ratings: Vec<f64>,
}

impl<'a> Rated<'a> {
    fn new(answered: &[Answered<'a>]) -> Self {
        let mut editors: Vec<&str> = answered
            .iter()
            .flat_map(|one| &one.case.edits)
            .map(|edit| edit.editor.as_deref().unwrap_or(""))
            .collect();
        editors.sort_unstable();
        editors.dedup();
        let mut clusters = Clusters::default();
        let mut rows = Vec::new();
        for one in answered {
            let (Truth::Ratings(ratings), Said::Scores(scores)) = (&one.case.truth, one.said)
            else {
                continue;
            };
            let cluster = clusters.number(one.case);
            let edits = one.case.edits.iter().zip(ratings).zip(scores).enumerate();
            for (position, ((edit, human), score)) in edits {
                let (Some(score), Ok(editor)) = (
                    score,
                    editors.binary_search(&edit.editor.as_deref().unwrap_or("")),
                ) else {
                    continue;
                };
                rows.push(Row {
                    case: &one.case.id,
                    instruction: &one.case.instruction,
                    edit: position,
                    editor,
                    cluster,
                    human: *human,
                    score: score.value,
                });
            }
        }
        Self {
            rows,
            editors,
            clusters: clusters.len(),
        }
    }

    /// Each editor's correlation.
    fn correlations(&self, weights: &[u8]) -> Vec<Statistic> {
        (0..self.editors.len())
            .map(|editor| {
                let (mut scores, mut humans) = (Vec::new(), Vec::new());
                for row in self.rows.iter().filter(|row| row.editor == editor) {
                    for _ in 0..weights[row.cluster as usize] {
                        scores.push(row.score);
                        humans.push(row.human);
                    }
                }
                spearman(&scores, &humans)
            })
            .collect()
    }

    fn by_editor(&self) -> Table {
        let of = |editor| self.rows.iter().filter(|r| r.editor == editor).count() as f64;
        let correlations = self.correlations(&pairs::once(self.clusters));
        Table {
            title: "by editor".into(),
            columns: vec!["editor".into(), "Spearman".into(), "edits".into()],
            rows: self
                .editors
                .iter()
                .zip(correlations)
                .enumerate()
                .map(|(i, (name, r))| ((*name).to_owned(), vec![r.ok(), Some(of(i))]))
                .collect(),
        }
    }

    /// The edits, an instruction at a time, in the order of the first of each.
    fn by_prompt(&self) -> Vec<Prompt> {
        let mut numbers = std::collections::HashMap::new();
        let mut grouped: Vec<Vec<&Row<'_>>> = Vec::new();
        for row in &self.rows {
            let number = *numbers.entry(row.instruction).or_insert(grouped.len());
            if number == grouped.len() {
                grouped.push(Vec::new());
            }
            grouped[number].push(row);
        }
        grouped
            .into_iter()
            .map(|rows| {
                let scores: Vec<f64> = rows.iter().map(|r| r.score).collect();
                let ratings: Vec<f64> = rows.iter().map(|r| r.human).collect();
                Prompt {
                    cluster: rows[0].cluster,
                    correlation: spearman(&scores, &ratings),
                    standardised: standardised(&scores),
                    ratings,
                }
            })
            .collect()
    }

    fn prepared(
        self,
        figures: Vec<FigureAbout>,
        tables: Vec<Table>,
        answered: &[Answered<'a>],
        measure: impl Fn(&Self, &[u8]) -> Vec<Statistic> + Send + Sync + 'a,
    ) -> Prepared<'a> {
        Prepared {
            figures,
            clusters: self.clusters,
            tables,
            verdicts: self.verdicts(),
            fixed: Vec::new(),
            judged: Vec::new(),
            unanswered: Unanswered::among(answered),
            measure: Box::new(move |weights| measure(&self, weights)),
        }
    }

    /// How far each edit's rank among its editor's edits is from the one that people give it.
    fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(self.rows.len());
        for editor in 0..self.editors.len() {
            let rows: Vec<&Row<'_>> = self.rows.iter().filter(|r| r.editor == editor).collect();
            let share = |values: Vec<f64>| {
                let last = (values.len().max(2) - 1) as f64;
                let ranks = average_ranks(&values);
                ranks.into_iter().map(move |rank| (rank - 1.0) / last)
            };
            let humans = share(rows.iter().map(|r| r.human).collect());
            let scores = share(rows.iter().map(|r| r.score).collect());
            for ((row, human), score) in rows.iter().zip(humans).zip(scores) {
                let off = (human - score).abs();
                verdicts.push(Verdict {
                    case: row.case.to_owned(),
                    edits: vec![row.edit],
                    truth: format!("{:.3}, better than {:.0} %", row.human, 100.0 * human),
                    said: format!("{:.3}, better than {:.0} %", row.score, 100.0 * score),
                    votes: None,
                    right: 1.0 - off,
                    weight: off,
                    category: Some(self.editors[editor].to_owned()),
                    figures: Vec::new(),
                });
            }
        }
        verdicts
    }
}

/// Less their mean, over their population standard deviation; 0 where that is below 1e-6. Rounded to ten decimals, so that
/// equal scores stay equal across prompts.
fn standardised(values: &[f64]) -> Vec<f64> {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    values
        .iter()
        .map(|v| {
            if deviation > 1e-6 {
                sources::rounded((v - mean) / deviation)
            } else {
                0.0
            }
        })
        .collect()
}

/// The mean, undefined if one of the values is.
fn mean(values: &[Statistic]) -> Statistic {
    let mut sum = 0.0;
    for value in values {
        sum += (*value)?;
    }
    if values.is_empty() {
        return Err(Undefined::NoJudgements);
    }
    Ok(sum / values.len() as f64)
}
