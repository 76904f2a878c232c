//! Annotators against each other: how far people agree, which bounds what any scorer can reach.

use std::collections::BTreeMap;
use std::path::Path;

use super::pairs::Clusters;
use super::raters::{Aspect, Raters, TASK};
use super::sources::{self, Gathered};
use crate::bench::case::{Case, Dataset, Edit, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::{
    About, Answered, FigureAbout, Prepared, Protocol, Table, Unanswered, Unit,
};
use crate::bench::scorer::Ask;
use crate::data::Workspace;
use crate::domain::Axis;
use crate::domain::stats::{Level, Statistic, fleiss_kappa, krippendorff_alpha};

/// People against each other.
pub(super) struct Agreement;

const ABOUT: About = About {
    key: "agreement",
    name: "agreement of annotators",
    publisher: "ImagenHub's raters (TIGER-Lab), or the annotators of a workspace",
    protocol: "Fleiss' kappa over items and categories (items that all annotators judged), and Krippendorff's alpha, ordinal (by \
               which missing judgements are allowed), on each axis; a table by editor. Where only one category occurs both are \
               undefined.",
    data: "raters' tables <task>_rater1.tsv …, or a workspace",
    columns: &[],
    unit: Unit::Plain,
};

/// The cluster of an edit, and what annotators said of it on an axis.
type Judgements<'a> = (u32, &'a [f64]);

impl Protocol for Agreement {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        if data.join(".erw").is_dir() {
            return labels(data);
        }
        let raters = Raters::read(data, TASK)?;
        if raters.files.is_empty() {
            return Err(sources::nothing(data, &ABOUT));
        }
        let mut all = Gathered::new(&sources::root_of(data));
        for file in &raters.files {
            all.fingerprint(file)?;
        }
        for (editor, name) in raters.editors.iter().enumerate() {
            for aspect in Aspect::ALL {
                let units = raters.units(editor, aspect);
                for (input, unit) in raters.inputs.iter().zip(units) {
                    all.judged(name, aspect.name(), input, input, unit);
                }
            }
        }
        let mut set = all.done();
        set.bad.extend(raters.bad);
        Ok(set)
    }

    fn ask(&self) -> Option<Ask> {
        None
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let mut clusters = Clusters::default();
        let mut axes: Vec<(&str, Vec<Judgements<'a>>)> = Vec::new();
        for one in answered {
            let (Some(category), Truth::Ratings(unit)) = (&one.case.category, &one.case.truth)
            else {
                continue;
            };
            let cluster = clusters.number(one.case);
            let at = if let Some(at) = axes.iter().position(|(name, _)| name == category) {
                at
            } else {
                axes.push((category, Vec::new()));
                axes.len() - 1
            };
            axes[at].1.push((cluster, unit));
        }
        let mut figures = Vec::new();
        for (name, units) in &axes {
            let key = name.to_lowercase();
            let kappa = format!("{key}.kappa");
            let alpha = format!("{key}.alpha");
            let of = units.len();
            figures.push(FigureAbout::new(
                &kappa,
                &format!("{name}: Fleiss' kappa"),
                of,
            ));
            let title = format!("{name}: Krippendorff's alpha");
            figures.push(FigureAbout::new(&alpha, &title, of));
        }
        Prepared {
            figures,
            clusters: clusters.len(),
            tables: vec![by_editor(answered)],
            verdicts: Vec::new(),
            fixed: Vec::new(),
            judged: Vec::new(),
            unanswered: Unanswered::default(),
            measure: Box::new(move |weights| {
                let mut all = Vec::new();
                for (_, units) in &axes {
                    let mut drawn: Vec<Vec<f64>> = Vec::with_capacity(units.len());
                    for (cluster, unit) in units {
                        for _ in 0..weights[*cluster as usize] {
                            drawn.push(unit.to_vec());
                        }
                    }
                    all.extend(both(&drawn));
                }
                all
            }),
        }
    }
}

impl Gathered {
    /// What annotators said of one edit on one axis, as a case.
    fn judged(&mut self, editor: &str, axis: &str, input: &str, cluster: &str, unit: Vec<f64>) {
        let id = format!("{editor}/{axis}/{input}");
        self.case(&id, || Case {
            id: id.clone(),
            instruction: String::new(),
            source: None,
            edits: vec![Edit {
                editor: Some(editor.to_owned()),
                image: None,
            }],
            category: Some(axis.to_owned()),
            truth: Truth::Ratings(unit),
            recorded: BTreeMap::new(),
            unseen: None,
            cluster: cluster.to_owned(),
        });
    }
}

/// Kappa over the units that all annotators judged, alpha over all.
fn both(units: &[Vec<f64>]) -> [Statistic; 2] {
    let most = units.iter().map(Vec::len).max().unwrap_or(0);
    let whole: Vec<Vec<f64>> = units.iter().filter(|u| u.len() == most).cloned().collect();
    [
        fleiss_kappa(&whole),
        krippendorff_alpha(units, Level::Ordinal),
    ]
}

fn by_editor(answered: &[Answered<'_>]) -> Table {
    let mut grouped: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for one in answered {
        if let (Some(axis), Truth::Ratings(unit)) = (&one.case.category, &one.case.truth) {
            let editor = one.case.edits.first().and_then(|e| e.editor.as_deref());
            let key = format!("{} {axis}", editor.unwrap_or("-"));
            grouped.entry(key).or_default().push(unit.clone());
        }
    }
    Table {
        title: "by editor".into(),
        columns: ["editor and axis", "kappa", "alpha", "items"]
            .map(Into::into)
            .into(),
        rows: grouped
            .into_iter()
            .map(|(name, units)| {
                let [kappa, alpha] = both(&units);
                (name, vec![kappa.ok(), alpha.ok(), Some(units.len() as f64)])
            })
            .collect(),
    }
}

/// The labels of a workspace.
fn labels(dir: &Path) -> Result<Dataset, BenchError> {
    let workspace = Workspace::open(dir)?;
    let mut all = Gathered::new(workspace.root());
    for group in super::workspace::labelled(&workspace)? {
        for candidate in &group.candidates {
            for axis in [Axis::InstructionFollowing, Axis::VisualQuality] {
                let unit: Vec<f64> = candidate
                    .labels
                    .iter()
                    .filter(|label| label.axis == axis)
                    .map(|label| label.score)
                    .collect();
                let name = match axis {
                    Axis::InstructionFollowing => "IF",
                    Axis::VisualQuality => "VQ",
                };
                let input = format!("{}/{}", group.key, candidate.key);
                let editor = candidate.editor.as_deref().unwrap_or("-");
                all.judged(editor, name, &input, &group.key, unit);
            }
        }
    }
    Ok(all.done())
}
