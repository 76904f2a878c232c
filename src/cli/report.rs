//! What scoring found, in the two forms it is handed out: tables for people, one object for programs.
//!
//! The object's keys are a promise (see the README); every number is named for what it is, so that nobody has to guess
//! which of two is the mean. Text from data is made printable here.

use serde::Serialize;

use super::print::{Style, count};
use super::score::Effort;
use super::table::{Side, Table};
use crate::domain::stats::percentile_of;
use crate::domain::text::printable;
use crate::domain::{Gaussian, Reward, p_best, p_prefer, ranks};
use crate::model::ModelInfo;
use crate::score::GroupScores;

/// Everything `erw score` has to say.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) model: ModelReport,
    /// What percentiles refer to; null where no scores are stored.
    pub(super) scale: Option<Scale>,
    pub(super) groups: Vec<GroupReport>,
    /// How many candidates have no score.
    pub(super) left_out: usize,
    /// The user stopped it before the end.
    pub(super) stopped: bool,
    /// What came of a run; images and groups that belong to no workspace have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<crate::score::run::Report>,
    /// What it took; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) effort: Option<Effort>,
}

/// The model behind the scores.
#[derive(Debug, Serialize)]
pub(super) struct ModelReport {
    pub(super) name: String,
    pub(super) fingerprint: String,
    pub(super) backbone: String,
    pub(super) aggregate: &'static str,
    pub(super) device: String,
    pub(super) precision: String,
    pub(super) parameters: u64,
    /// False for random weights, whose scores mean nothing.
    pub(super) trained: bool,
}

impl From<&ModelInfo> for ModelReport {
    fn from(info: &ModelInfo) -> Self {
        Self {
            name: info.name.clone(),
            fingerprint: info.fingerprint.clone(),
            backbone: info.backbone.clone(),
            aggregate: info.aggregate.key(),
            device: info.device.clone(),
            precision: info.precision.to_string(),
            parameters: info.parameters,
            trained: info.trained,
        }
    }
}

/// The stored scores that percentiles refer to.
#[derive(Debug, Serialize)]
pub(super) struct Scale {
    pub(super) workspace: String,
    /// How many stored scores there are under this model.
    pub(super) scores: usize,
    /// Whether it is the demo, which people know by that name and not by its folder.
    #[serde(skip)]
    pub(super) demo: bool,
}

/// One group.
#[derive(Debug, Serialize)]
pub(super) struct GroupReport {
    /// Its name in the data set; null for images named on the command line.
    pub(super) key: Option<String>,
    pub(super) source: String,
    pub(super) instruction: String,
    pub(super) candidates: Vec<CandidateReport>,
    /// P(row is better than column), null where one has no score; absent unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pairs: Option<Vec<Vec<Option<f64>>>>,
    /// What is wrong with the group as a whole.
    pub(super) error: Option<String>,
}

/// One candidate.
#[derive(Debug, Serialize)]
pub(super) struct CandidateReport {
    /// Its name in the data set; null for images named on the command line.
    pub(super) key: Option<String>,
    pub(super) image: String,
    #[serde(rename = "if")]
    pub(super) instruction_following: Option<Gaussian>,
    #[serde(rename = "vq")]
    pub(super) visual_quality: Option<Gaussian>,
    pub(super) aggregate: Option<Gaussian>,
    /// The probability that it is the best of the scored ones.
    pub(super) p_best: Option<f64>,
    /// 1 is best by aggregate mean; equal means share a rank.
    pub(super) rank: Option<usize>,
    /// Of the aggregate mean within the scale, 0 to 100.
    pub(super) percentile: Option<f64>,
    /// Found in the workspace, not computed now.
    pub(super) stored: bool,
    /// Why there is no score.
    pub(super) error: Option<String>,
}

impl GroupReport {
    /// From what scoring found; `scale` holds stored aggregate means, ascending.
    pub(super) fn new(scores: &GroupScores, pairs: bool, scale: &[f64]) -> Self {
        let aggregates = scores.aggregates();
        let known: Vec<Gaussian> = aggregates.iter().flatten().copied().collect();
        let mut best = p_best(&known).into_iter();
        let means: Vec<Option<f64>> = aggregates.iter().map(|g| g.map(|g| g.mean)).collect();
        let named = |key: &str| (!key.is_empty()).then(|| key.to_owned());
        let candidates = scores
            .group
            .candidates
            .iter()
            .zip(&scores.candidates)
            .zip(ranks(&means))
            .map(|((candidate, scored), rank)| {
                let reward: Option<Reward> = scored.as_ref().ok().map(|s| s.reward);
                CandidateReport {
                    key: named(&candidate.key),
                    image: candidate.image.0.clone(),
                    instruction_following: reward.and_then(|r| r.instruction_following),
                    visual_quality: reward.and_then(|r| r.visual_quality),
                    aggregate: reward.map(|r| r.aggregate),
                    p_best: reward.and_then(|_| best.next()),
                    rank,
                    percentile: reward.and_then(|r| percentile_of(scale, r.aggregate.mean)),
                    stored: scored.as_ref().is_ok_and(|s| s.stored),
                    error: scored.as_ref().err().cloned(),
                }
            })
            .collect();
        let preference = |a: Option<Gaussian>, b: Option<Gaussian>| Some(p_prefer(a?, b?));
        Self {
            key: named(&scores.group.key),
            source: scores.group.source.0.clone(),
            instruction: scores.group.instruction.clone(),
            candidates,
            pairs: pairs.then(|| {
                let row =
                    |a: &Option<Gaussian>| aggregates.iter().map(|b| preference(*a, *b)).collect();
                aggregates.iter().map(row).collect()
            }),
            error: scores.problem.clone(),
        }
    }

    /// As a heading and a table or two.
    pub(super) fn render(&self, style: Style, with_scale: bool) -> String {
        let name = short(self.key.as_deref().unwrap_or(file_name(&self.source)), 60);
        let instruction = short(&self.instruction, 160);
        let mut out = format!("{}  {instruction}\n", style.strong(&name));
        if let Some(problem) = &self.error {
            out.push_str(&style.bad(&printable(problem)));
            out.push('\n');
        }
        out.push_str(&self.scores_table(with_scale).render(style));
        if let Some(pairs) = &self.pairs {
            out.push('\n');
            out.push_str(&self.pairs_table(pairs).render(style));
        }
        out
    }

    /// The image's path; only its name if the others are in the same folder.
    fn short_image(&self, candidate: &CandidateReport) -> String {
        let folder = |image: &str| image.len() - file_name(image).len();
        let shared = &candidate.image[..folder(&candidate.image)];
        let together = |c: &CandidateReport| c.image[..folder(&c.image)] == *shared;
        if self.candidates.iter().all(together) {
            short(file_name(&candidate.image), 60)
        } else {
            short(&candidate.image, 60)
        }
    }

    fn scores_table(&self, with_scale: bool) -> Table {
        use Side::{Left, Right};
        let mut head = vec![
            ("rank", Right),
            ("image", Left),
            ("IF mean", Right),
            ("IF σ", Right),
            ("VQ mean", Right),
            ("VQ σ", Right),
            ("aggregate mean", Right),
            ("aggregate σ", Right),
            ("P(best)", Right),
        ];
        if with_scale {
            head.push(("percentile", Right));
        }
        let mut table = Table::new(&head);
        for candidate in &self.candidates {
            let image = self.short_image(candidate);
            let Some(aggregate) = candidate.aggregate else {
                let reason = candidate.error.as_deref().unwrap_or_default();
                // Said once above, not once a candidate.
                let reason = if self.error.as_deref() == Some(reason) {
                    "no score"
                } else {
                    reason
                };
                table.sentence(vec![NONE.into(), image], printable(reason).into_owned());
                continue;
            };
            let mut cells = vec![candidate.rank.map_or(NONE.into(), |r| r.to_string()), image];
            for gaussian in [
                candidate.instruction_following,
                candidate.visual_quality,
                Some(aggregate),
            ] {
                cells.push(gaussian.map_or(NONE.into(), |g| signed(g.mean)));
                cells.push(gaussian.map_or(NONE.into(), |g| format!("{:.3}", g.sigma())));
            }
            cells.push(percent(candidate.p_best));
            if with_scale {
                cells.push(
                    candidate
                        .percentile
                        .map_or(NONE.into(), |p| format!("{p:.0}")),
                );
            }
            table.row(cells, candidate.rank == Some(1));
        }
        table
    }

    fn pairs_table(&self, pairs: &[Vec<Option<f64>>]) -> Table {
        let names: Vec<String> = (1..=self.candidates.len())
            .map(|i| format!("≻ {i}"))
            .collect();
        let mut head = vec![("", Side::Right), ("P(row ≻ column)", Side::Left)];
        head.extend(names.iter().map(|n| (n.as_str(), Side::Right)));
        let mut table = Table::new(&head);
        for (i, (candidate, row)) in self.candidates.iter().zip(pairs).enumerate() {
            let mut cells = vec![(i + 1).to_string(), self.short_image(candidate)];
            cells.extend(
                row.iter()
                    .enumerate()
                    .map(|(j, p)| if i == j { "·".into() } else { percent(*p) }),
            );
            table.row(cells, false);
        }
        table
    }
}

const NONE: &str = "–";

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn signed(value: f64) -> String {
    format!("{value:+.3}")
}

fn percent(p: Option<f64>) -> String {
    p.map_or(NONE.into(), |p| format!("{:.1} %", 100.0 * p))
}

/// Printable, and at most `most` characters.
fn short(text: &str, most: usize) -> String {
    let text = printable(text);
    let text = text.trim();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most - 1).collect();
    cut.push('…');
    cut
}

impl Report {
    /// As text for people, with the words that the numbers need.
    pub(super) fn render(&self, style: Style) -> String {
        let mut out = String::new();
        for group in &self.groups {
            out.push_str(&group.render(style, self.scale.is_some()));
            out.push('\n');
        }
        out.push_str(&style.faint(&self.footnote()));
        out
    }

    fn footnote(&self) -> String {
        let join = match self.model.aggregate {
            "min" => "the lower of both means and of both log σ",
            "sum" => "the sum of both axes",
            _ => "the mean of both means and of both log σ",
        };
        let mut lines = vec![
            "IF: instruction following, VQ: visual quality. Each is a Gaussian: mean is the expected score, σ its standard"
                .to_owned(),
            "deviation (the model emits log σ; --json has all three). Scores are logits: typically -3 to 3, and negative is"
                .to_owned(),
            "normal; the model is trained to compare edits of one source, so compare within a group.".to_owned(),
            format!("Aggregate: {join}."),
            "P(best): the probability that a candidate is the best of its group.".to_owned(),
        ];
        if let Some(scale) = &self.scale {
            let place = if scale.demo {
                "the demo".into()
            } else {
                format!("'{}'", printable(&scale.workspace))
            };
            lines.push(format!(
                "Percentile: of the aggregate mean among the {} of this model stored in {place}.",
                count(scale.scores, "score")
            ));
        }
        if let Some(effort) = &self.effort {
            lines.push(effort.told());
        }
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Aggregate, Candidate, CandidateId, Group, GroupId, ImageRef};
    use crate::score::Scored;

    fn group(rewards: Vec<Result<Scored, String>>) -> GroupScores {
        let candidates = (1..=rewards.len() as i64)
            .map(|i| Candidate::new(CandidateId(i), "", ImageRef(format!("{i}.png"))));
        GroupScores {
            group: Group::new(
                GroupId(1),
                "cat",
                ImageRef("cat.png".into()),
                "make it \u{1b}[31mred\u{7}",
                candidates.collect(),
            ),
            candidates: rewards,
            problem: None,
        }
    }

    fn scored(mean: f64) -> Scored {
        let axis = |by: f64| Gaussian::new(mean + by, -0.5);
        Scored {
            reward: Reward::of_axes(axis(0.25), axis(-0.25), Aggregate::Mean),
            stored: false,
        }
    }

    #[test]
    fn ties_share_a_rank_and_a_broken_image_takes_no_part() {
        let scores = group(vec![
            Ok(scored(-0.5)),
            Err("the image is broken".into()),
            Ok(scored(0.5)),
            Ok(scored(0.5)),
        ]);
        let report = GroupReport::new(&scores, true, &[-1.0, 0.0, 1.0]);
        let ranks: Vec<_> = report.candidates.iter().map(|c| c.rank).collect();
        assert_eq!(ranks, [Some(3), None, Some(1), Some(1)]);
        let best: Vec<f64> = report.candidates.iter().filter_map(|c| c.p_best).collect();
        assert!((best.iter().sum::<f64>() - 1.0).abs() < 1e-12 && best[1] == best[2]);
        let pairs = report.pairs.as_ref().unwrap();
        assert_eq!(
            (pairs[2][3], pairs[1][0], pairs[0][1]),
            (Some(0.5), None, None)
        );
        assert!((report.candidates[0].percentile.unwrap() - 100.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_table_names_its_numbers_and_text_from_data_steers_nothing() {
        let scores = group(vec![
            Ok(scored(0.5)),
            Err("no such\u{1b}[2J file".into()),
            Ok(scored(-1.0)),
        ]);
        let report = GroupReport::new(&scores, true, &[]);
        insta::assert_snapshot!(report.render(Style::plain(), false));
    }

    #[test]
    fn a_single_head_has_no_axes() {
        let reward = Reward::overall(Gaussian::new(1.25, f64::NEG_INFINITY));
        let scores = group(vec![Ok(Scored {
            reward,
            stored: true,
        })]);
        let report = GroupReport::new(&scores, false, &[1.0]);
        assert!(report.candidates[0].instruction_following.is_none());
        insta::assert_snapshot!(report.render(Style::plain(), true));
    }
}
