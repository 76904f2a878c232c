//! GenAI-Bench's image editing votes (TIGER-Lab), three protocols of which hide in one published column, and the protocols
//! that are the second of them on other data: AURORA-Bench's pairs and the out-of-distribution set.

use std::path::Path;

use super::pairs::{self, Pair};
use super::votes;
use crate::bench::case::{Dataset, Truth, Vote};
use crate::bench::error::BenchError;
use crate::bench::protocol::{About, Answered, FigureAbout, Prepared, Protocol, Unanswered, Unit};
use crate::bench::scorer::Ask;
use crate::domain::stats::{Judged, Share, Statistic, calibrated_as_published};

/// GenAI-Bench, image editing.
pub(super) struct GenAi;

const GENAI: About = About {
    key: "genai-edit",
    name: "GenAI-Bench, image editing",
    publisher: "TIGER-Lab",
    protocol: "Votes between two edits. Three figures that one published column mixes: '4-label', where the judge has to say \
               exactly A>B, B>A, both good or both bad (a bare tie counts for either, no answer is wrong); '3-class', where \
               good and bad ties are one class and the tie threshold is the one that is best on these very votes (Deutsch et \
               al. 2023, over distinct thresholds); 'strict', over votes that are no ties, equal scores being wrong.",
    data: "image_edition_joined.json, a judge's pairwise.json, the hub's Parquet, or EditReward's valid_dataset_1.json (which \
           has the strict votes only)",
    columns: &[("calibrated", "GenAI"), ("four-label", "GenAI 4-label")],
    unit: Unit::Percent,
};

impl Protocol for GenAi {
    fn about(&self) -> &'static About {
        &GENAI
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        votes::votes(data, &GENAI)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Votes)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let mut prepared = three_class(answered);
        let labels = FourLabels::new(answered);
        if labels.votes {
            let mut about = FigureAbout::new("four-label", "4-label", labels.exact.len());
            about.floor = Some((0.25, "four labels at random".into()));
            prepared.figures.insert(0, about);
            let rest = prepared.measure;
            prepared.measure = Box::new(move |weights| {
                let mut all = vec![labels.accuracy(weights)];
                all.extend(rest(weights));
                all
            });
        }
        prepared
    }
}

/// Whether each vote's label is exactly right.
struct FourLabels {
    votes: bool,
    exact: Vec<(u32, bool)>,
}

impl FourLabels {
    fn new(answered: &[Answered<'_>]) -> Self {
        let mut clusters = pairs::Clusters::default();
        let mut labels = Self {
            votes: false,
            exact: Vec::new(),
        };
        for one in answered {
            let Truth::Order(order) = &one.case.truth else {
                continue;
            };
            let Some(human) = order.vote() else { continue };
            // What has no answer at all is left out of all figures; what could not be understood is wrong.
            let Some((_, said, _)) = pairs::compared(one.said, (0, 1)) else {
                continue;
            };
            labels.votes |= said.is_some();
            let exact = said.is_some_and(|said| agree(human, said));
            labels.exact.push((clusters.number(one.case), exact));
        }
        labels
    }

    fn accuracy(&self, weights: &[u8]) -> Statistic {
        let (mut right, mut of) = (0.0, 0.0);
        for (cluster, exact) in &self.exact {
            let weight = f64::from(weights[*cluster as usize]);
            of += weight;
            right += weight * f64::from(u8::from(*exact));
        }
        Share { right, of }.value()
    }
}

/// Whether a judge's label is the people's: a bare tie counts for either tie.
fn agree(human: Vote, said: Vote) -> bool {
    human == said || (said == Vote::Tie && human.sign() == 0)
}

/// The second and the third protocol, and the second as it was published.
fn three_class<'a>(answered: &[Answered<'a>]) -> Prepared<'a> {
    let (rows, clusters) = pairs::votes(answered);
    let table = pairs::Measured::of(&rows);
    let judged: Vec<Judged> = rows.iter().map(Pair::judged).collect();
    let threshold = table.calibrated(&pairs::once(clusters));
    let mut calibrated = pairs::calibrated_figure("calibrated", "3-class, calibrated ties", &rows);
    calibrated.note = threshold.ok().map(|(_, threshold)| match threshold {
        Some(epsilon) => format!("differences up to {epsilon:.4} are ties"),
        None => "nothing is a tie".into(),
    });
    let mut as_published = FigureAbout::new(
        "calibrated-as-published",
        "3-class, as published (depends on the order of the votes)",
        rows.len(),
    );
    as_published.note =
        Some("the published code tests thresholds between equal differences; no interval".into());
    let published = calibrated_as_published(&judged);
    let published = Share {
        right: published.right,
        of: published.of,
    };
    let verdicts = rows
        .iter()
        .filter_map(|pair| Some(pair.verdict(pair.strictly_right()?)))
        .collect();
    let tables = pairs::by_category(&rows, "by category")
        .into_iter()
        .chain(pairs::by_editor(&rows))
        .collect();
    Prepared {
        figures: vec![calibrated, pairs::strict_figure("strict", "strict", &rows)],
        fixed: vec![(as_published, published.value())],
        clusters,
        tables,
        verdicts,
        judged: pairs::calibration(&rows),
        unanswered: Unanswered::among(answered),
        measure: Box::new(move |weights| {
            vec![table.calibrated_accuracy(weights), table.strict(weights)]
        }),
    }
}

/// AURORA-Bench, pairs.
pub(super) struct AuroraPairs;

const AURORA: About = About {
    key: "aurora-pairwise",
    name: "AURORA-Bench, pairs",
    publisher: "AURORA (McGill-NLP), as EditReward uses it",
    protocol: "As the 3-class protocol of genai-edit: ties are one class, and their threshold is the one that is best on these \
               very votes. That EditReward measures it so is inferred, not documented.",
    data: "pair JSON: prompt, path_src, path1, path2 (path1 is the better, unless tie_case says otherwise), model1, model2",
    columns: &[("calibrated", "AURORA")],
    unit: Unit::Percent,
};

impl Protocol for AuroraPairs {
    fn about(&self) -> &'static About {
        &AURORA
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        votes::votes(data, &AURORA)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Votes)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        three_class(answered)
    }
}

/// The paper's out-of-distribution set.
pub(super) struct OutOfDistribution;

const OOD: About = About {
    key: "ood",
    name: "out-of-distribution pairs (text, style)",
    publisher: "TIGER-Lab (EditReward, appendix)",
    protocol: "Pairs of edits of kinds that are not in the training data, text (253 in the paper) and style (185): as the \
               3-class protocol of genai-edit, overall and in each category.",
    data: "pair JSON with a field 'category', or one file a category in a folder (text.json, style.json)",
    columns: &[("calibrated", "OOD")],
    unit: Unit::Percent,
};

impl Protocol for OutOfDistribution {
    fn about(&self) -> &'static About {
        &OOD
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        votes::categories(data, &OOD)
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Votes)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let mut prepared = three_class(answered);
        let mut names: Vec<&str> = answered
            .iter()
            .filter_map(|one| one.case.category.as_deref())
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let (all, _) = pairs::votes(answered);
            let rows: Vec<Pair<'a>> = all
                .into_iter()
                .filter(|pair| pair.case.category.as_deref() == Some(name))
                .collect();
            let key = format!("calibrated.{name}");
            let about = pairs::calibrated_figure(&key, &format!("{name}, calibrated ties"), &rows);
            prepared.figures.push(about);
            let (table, rest) = (pairs::Measured::of(&rows), prepared.measure);
            prepared.measure = Box::new(move |weights| {
                let mut all = rest(weights);
                all.push(table.calibrated_accuracy(weights));
                all
            });
        }
        prepared
    }
}
