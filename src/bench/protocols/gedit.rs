//! GEdit-Bench (StepFun): instructions in eleven kinds of edits, in English and Chinese; a judge's SC and PQ of what an editor
//! made of them. It compares editors, not judges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::pairs::Clusters;
use super::sources::{self, Gathered};
use crate::bench::answer::Said;
use crate::bench::case::{Case, Dataset, Edit, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::{
    About, Answered, FigureAbout, Prepared, Protocol, Table, Unanswered, Unit,
};
use crate::bench::scorer::Ask;
use crate::data::records::{Record, RecordError};
use crate::domain::ImageRef;
use crate::domain::stats::{Statistic, Undefined};

/// GEdit-Bench.
pub(super) struct GEdit;

const ABOUT: About = About {
    key: "gedit",
    name: "GEdit-Bench",
    publisher: "StepFun (Step1X-Edit)",
    protocol: "Per item SC and PQ are the least of the judge's lists and O = sqrt(SC·PQ), 0 to 10; the mean over a kind of edit, \
               then the plain mean over kinds, an editor and a language at a time; 'intersection' over the items that all of the \
               paper's editors answered. An answer that cannot be understood is asked for once more and then missing (the \
               published code makes a random score up).",
    data: "a table (JSON, JSONL, CSV or Parquet) of task_type, key, instruction, instruction_language, input_image, \
           Intersection_exist, and beside it results/EDITOR/fullset/TASK/LANGUAGE/KEY.png",
    columns: &[],
    unit: Unit::Plain,
};

impl Protocol for GEdit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn read(&self, data: &Path) -> Result<Dataset, BenchError> {
        let named = |name: &str| {
            let ends = ["json", "jsonl", "csv", "parquet"];
            name.to_lowercase().starts_with("gedit")
                && ends.iter().any(|end| sources::has_ending(name, end))
        };
        let files = sources::files(data, &["gedit", "data"], named);
        if files.is_empty() {
            return Err(sources::nothing(data, &ABOUT));
        }
        let root = sources::root_of(data);
        let editors = editors(&root);
        let mut all = Gathered::new(&root);
        for file in &files {
            all.file(file, |all, record| {
                let case = item(record, &root, &editors)?;
                all.add(case, record, "key")
            })?;
        }
        Ok(all.done())
    }

    fn ask(&self) -> Option<Ask> {
        Some(Ask::Scores)
    }

    fn prepare<'a>(&self, answered: &[Answered<'a>]) -> Prepared<'a> {
        let items = Items::new(answered);
        let (figures, parts) = items.figures();
        let tables = items.tables();
        let clusters = items.clusters;
        Prepared {
            figures,
            clusters,
            tables,
            verdicts: Vec::new(),
            fixed: Vec::new(),
            judged: Vec::new(),
            unanswered: Unanswered::among(answered),
            measure: Box::new(move |weights| {
                parts
                    .iter()
                    .map(|part| items.mean_over_kinds(part, weights))
                    .collect()
            }),
        }
    }
}

/// The editors that there are results of.
fn editors(root: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(root.join("results")) else {
        return Vec::new();
    };
    let mut editors: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.path().join("fullset").is_dir())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let folder = Path::new("results").join(&name).join("fullset");
            (name, folder)
        })
        .collect();
    editors.sort();
    editors
}

fn item(record: &Record, root: &Path, editors: &[(String, PathBuf)]) -> Result<Case, RecordError> {
    let key = sources::written(record, "key")?;
    let kind = record.text("task_type")?.to_owned();
    let language = record.text("instruction_language")?.to_owned();
    let both = match record.value("Intersection_exist") {
        Some(serde_json::Value::Bool(both)) => *both,
        Some(serde_json::Value::String(text)) => text.eq_ignore_ascii_case("true"),
        _ => false,
    };
    let edits = editors
        .iter()
        .map(|(editor, folder)| {
            let file = folder
                .join(&kind)
                .join(&language)
                .join(format!("{key}.png"));
            let there = root.join(&file).is_file();
            Edit {
                editor: Some(editor.clone()),
                image: there.then(|| ImageRef(file.to_string_lossy().into_owned())),
            }
        })
        .collect();
    let source = sources::first(record, &["input_image_raw", "input_image"]);
    Ok(Case {
        id: format!("{key}.{language}"),
        instruction: record.text("instruction")?.to_owned(),
        source: source.map(|field| record.image(field)).transpose()?,
        edits,
        category: Some(format!(
            "{kind}/{language}{}",
            if both { "/intersection" } else { "" }
        )),
        truth: Truth::Unknown,
        recorded: BTreeMap::new(),
        unseen: None,
        cluster: key,
    })
}

/// One editor's edit of one item.
struct Item {
    editor: usize,
    kind: usize,
    language: usize,
    both: bool,
    cluster: u32,
    /// SC, PQ, O.
    scores: [f64; 3],
}

/// What a figure is the mean of.
struct Part {
    editor: usize,
    language: usize,
    both: bool,
    aspect: usize,
}

struct Items {
    all: Vec<Item>,
    editors: Vec<String>,
    kinds: Vec<String>,
    languages: Vec<String>,
    clusters: usize,
    /// The judge's scores are from 0 to 10, so that O can be made of them.
    ten: bool,
}

impl Items {
    fn new(answered: &[Answered<'_>]) -> Self {
        let mut clusters = Clusters::default();
        let mut all = Self {
            all: Vec::new(),
            editors: Vec::new(),
            kinds: Vec::new(),
            languages: Vec::new(),
            clusters: 0,
            ten: true,
        };
        for one in answered {
            let Said::Scores(scores) = one.said else {
                continue;
            };
            let category = one.case.category.as_deref().unwrap_or_default();
            let mut parts = category.split('/');
            let (kind, language) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let both = parts.next().is_some();
            let (kind, language) = (
                number(&mut all.kinds, kind),
                number(&mut all.languages, language),
            );
            let cluster = clusters.number(one.case);
            for (edit, score) in one.case.edits.iter().zip(scores) {
                let Some(score) = score else { continue };
                let editor = number(&mut all.editors, edit.editor.as_deref().unwrap_or(""));
                let [sc, pq] = score.axes.unwrap_or([f64::NAN; 2]);
                all.ten &= [sc, pq].iter().all(|v| (0.0..=10.0).contains(v));
                all.all.push(Item {
                    editor,
                    kind,
                    language,
                    both,
                    cluster,
                    scores: [sc, pq, score.value],
                });
            }
        }
        if all.ten {
            for item in &mut all.all {
                item.scores[2] = (item.scores[0] * item.scores[1]).sqrt();
            }
        }
        all.clusters = clusters.len();
        all
    }

    fn figures(&self) -> (Vec<FigureAbout>, Vec<Part>) {
        let (mut figures, mut parts) = (Vec::new(), Vec::new());
        for editor in 0..self.editors.len() {
            for language in 0..self.languages.len() {
                for both in [false, true] {
                    let of = self
                        .all
                        .iter()
                        .filter(|i| taken(i, editor, language, both))
                        .count();
                    if of == 0 {
                        continue;
                    }
                    for (aspect, name) in ["SC", "PQ", "O"].into_iter().enumerate() {
                        let (e, l) = (&self.editors[editor], &self.languages[language]);
                        let subset = if both { ".intersection" } else { "" };
                        let key = format!("{e}.{l}{subset}.{}", name.to_lowercase());
                        let subset = if both { ", intersection" } else { "" };
                        let title = format!("{e}, {l}{subset}: G_{name}");
                        let mut about = FigureAbout::new(&key, &title, of);
                        if !self.ten {
                            about.note = Some("on the scorer's own scale".into());
                        }
                        figures.push(about);
                        parts.push(Part {
                            editor,
                            language,
                            both,
                            aspect,
                        });
                    }
                }
            }
        }
        (figures, parts)
    }

    /// The mean over kinds of the mean over a kind's items.
    fn mean_over_kinds(&self, part: &Part, weights: &[u8]) -> Statistic {
        let mut sums = vec![(0.0, 0.0); self.kinds.len()];
        let items = self.all.iter();
        for item in items.filter(|i| taken(i, part.editor, part.language, part.both)) {
            let weight = f64::from(weights[item.cluster as usize]);
            if weight > 0.0 {
                sums[item.kind].0 += weight * item.scores[part.aspect];
                sums[item.kind].1 += weight;
            }
        }
        let means: Vec<f64> = sums
            .iter()
            .filter(|(_, of)| *of > 0.0)
            .map(|(sum, of)| sum / of)
            .collect();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        if mean.is_finite() {
            Ok(mean)
        } else {
            Err(Undefined::NoJudgements)
        }
    }

    fn tables(&self) -> Vec<Table> {
        let mut tables = Vec::new();
        for (editor, name) in self.editors.iter().enumerate() {
            for (language, spoken) in self.languages.iter().enumerate() {
                let rows = self.kinds.iter().enumerate().map(|(kind, title)| {
                    let items: Vec<&Item> = self
                        .all
                        .iter()
                        .filter(|i| taken(i, editor, language, false) && i.kind == kind)
                        .collect();
                    let n = items.len() as f64;
                    let mean = |aspect: usize| {
                        let mean = items.iter().map(|i| i.scores[aspect]).sum::<f64>() / n;
                        mean.is_finite().then_some(mean)
                    };
                    (title.clone(), vec![mean(0), mean(1), mean(2), Some(n)])
                });
                tables.push(Table {
                    title: format!("{name}, {spoken}"),
                    columns: ["kind of edit", "SC", "PQ", "O", "items"]
                        .map(Into::into)
                        .into(),
                    rows: rows.collect(),
                });
            }
        }
        tables
    }
}

fn taken(item: &Item, editor: usize, language: usize, both: bool) -> bool {
    item.editor == editor && item.language == language && (item.both || !both)
}

fn number(names: &mut Vec<String>, name: &str) -> usize {
    if let Some(at) = names.iter().position(|n| n == name) {
        at
    } else {
        names.push(name.to_owned());
        names.len() - 1
    }
}
