//! ImagenHub's tables of raters: a row an input, a column an editor, a cell `[SC, PQ]`; and what can be told from them alone,
//! how far the raters agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lists;
use super::sources::{self, Gathered, rounded};
use crate::bench::answer::{Said, Score};
use crate::bench::case::{Case, Dataset, Edit, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::About;
use crate::data::records;

/// ImagenHub's task of edits by instruction.
pub(in crate::bench) const TASK: &str = "Text-Guided_IE";
/// Where VIEScore keeps its copies of the tables.
const COPIES: &str = "_human_annotations/ImagenHub_human_eval_results";
/// The editor that ImagenHub's leaderboard has no row for.
const LEFT_OUT: &str = "Imagic";

/// What a rater scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Aspect {
    /// Semantic consistency.
    Sc,
    /// Perceptual quality.
    Pq,
    /// Both: sqrt(SC·PQ).
    Overall,
}

impl Aspect {
    pub(in crate::bench) const ALL: [Self; 3] = [Self::Sc, Self::Pq, Self::Overall];

    pub(in crate::bench) const fn name(self) -> &'static str {
        match self {
            Self::Sc => "SC",
            Self::Pq => "PQ",
            Self::Overall => "O",
        }
    }

    pub(in crate::bench) fn of(self, [sc, pq]: [f64; 2]) -> f64 {
        match self {
            Self::Sc => sc,
            Self::Pq => pq,
            Self::Overall => rounded((sc * pq).sqrt()),
        }
    }
}

/// The ratings of one task.
#[derive(Debug, Clone, Default)]
pub(in crate::bench) struct Raters {
    /// The editors, in the order of the columns.
    pub(in crate::bench) editors: Vec<String>,
    /// The inputs, in the order of the rows.
    pub(in crate::bench) inputs: Vec<String>,
    /// For each editor and input each rater's `[SC, PQ]`.
    pub(in crate::bench) cells: Vec<Vec<Vec<[f64; 2]>>>,
    /// The tables that were read.
    pub(in crate::bench) files: Vec<PathBuf>,
    /// Cells that could not be used.
    pub(in crate::bench) bad: Vec<String>,
}

impl Raters {
    /// Reads `<task>_rater1.tsv` and so on.
    pub(in crate::bench) fn read(data: &Path, task: &str) -> Result<Self, BenchError> {
        let start = format!("{task}_rater");
        let named = |name: &str| name.starts_with(&start) && sources::has_ending(name, "tsv");
        // Clones of ImagenHub and of VIEScore.
        let clone = format!("eval/human_ratings/{task}");
        let copies = lists::places(&format!("{COPIES}/ImagenHub_{task}"));
        let mut places = vec!["imagenhub", &clone];
        places.extend(copies.iter().map(String::as_str));
        let mut all = Self {
            files: sources::files(data, &places, named),
            ..Self::default()
        };
        for file in all.files.clone() {
            all.table(&file)?;
        }
        Ok(all)
    }

    fn table(&mut self, file: &Path) -> Result<(), BenchError> {
        for record in records::open(file)? {
            let record = match record {
                Ok(record) => record,
                Err(error) if error.ends() => return Err(error.into()),
                Err(error) => {
                    self.bad.push(error.to_string());
                    continue;
                }
            };
            let input = record.text("uid")?.to_owned();
            let row = if let Some(row) = self.inputs.iter().position(|i| *i == input) {
                row
            } else {
                self.inputs.push(input);
                for editor in &mut self.cells {
                    editor.push(Vec::new());
                }
                self.inputs.len() - 1
            };
            let editors: Vec<String> = record
                .fields()
                .filter(|field| *field != "uid")
                .map(str::to_owned)
                .collect();
            for editor in editors {
                let column = if let Some(column) = self.editors.iter().position(|e| *e == editor) {
                    column
                } else {
                    self.editors.push(editor.clone());
                    self.cells.push(vec![Vec::new(); self.inputs.len()]);
                    self.editors.len() - 1
                };
                if !record.has(&editor) {
                    continue;
                }
                let cell = record.numbers(&editor).and_then(|cell| match cell[..] {
                    [sc, pq] if [sc, pq].iter().all(|v| (0.0..=1.0).contains(v)) => Ok([sc, pq]),
                    _ => Err(record.wrong(&editor, "is no [SC, PQ] with both from 0 to 1")),
                });
                match cell {
                    Ok(cell) => self.cells[column][row].push(cell),
                    Err(error) => self.bad.push(error.to_string()),
                }
            }
        }
        Ok(())
    }

    /// Each input's ratings of an editor on an aspect, for agreement.
    pub(in crate::bench) fn units(&self, editor: usize, aspect: Aspect) -> Vec<Vec<f64>> {
        self.cells[editor]
            .iter()
            .map(|cell| cell.iter().map(|c| aspect.of(*c)).collect())
            .collect()
    }

    /// The mean rating over raters, rounded so that equal ones stay equal; `None` without one.
    pub(in crate::bench) fn mean(
        &self,
        editor: usize,
        input: usize,
        aspect: Aspect,
    ) -> Option<f64> {
        let cell = &self.cells[editor][input];
        let sum: f64 = cell.iter().map(|c| aspect.of(*c)).sum();
        (!cell.is_empty()).then(|| rounded(sum / cell.len() as f64))
    }

    /// The editors of the leaderboard.
    pub(in crate::bench) fn ranked(&self) -> Vec<usize> {
        (0..self.editors.len())
            .filter(|i| self.editors[*i] != LEFT_OUT)
            .collect()
    }
}

/// ImagenHub's text-guided editing as cases, an input each; the judges that VIEScore recorded beside it come along.
pub(super) fn imagenhub(data: &Path, about: &About) -> Result<Dataset, BenchError> {
    let set = imagenhub_tables(data)?;
    if set.cases.is_empty() {
        return Err(sources::nothing(data, about));
    }
    Ok(set)
}

/// The same; without a case where the tables are not there.
pub(in crate::bench) fn imagenhub_tables(data: &Path) -> Result<Dataset, BenchError> {
    let raters = Raters::read(data, TASK)?;
    let mut all = Gathered::new(&sources::root_of(data));
    for file in &raters.files {
        all.fingerprint(file)?;
    }
    let instructions = instructions(data)?;
    let ranked = raters.ranked();
    for (row, input) in raters.inputs.iter().enumerate() {
        let rated: Vec<(usize, f64)> = ranked
            .iter()
            .filter_map(|e| Some((*e, raters.mean(*e, row, Aspect::Overall)?)))
            .collect();
        all.case(input, || Case {
            id: input.clone(),
            instruction: instructions.get(input).cloned().unwrap_or_default(),
            source: None,
            edits: rated
                .iter()
                .map(|(e, _)| Edit {
                    editor: Some(raters.editors[*e].clone()),
                    image: None,
                })
                .collect(),
            category: None,
            truth: Truth::Ratings(rated.iter().map(|(_, rating)| *rating).collect()),
            recorded: BTreeMap::new(),
            unseen: None,
            cluster: input.clone(),
        });
    }
    recorded(data, &mut all)?;
    let mut set = all.done();
    set.bad.extend(raters.bad);
    Ok(set)
}

/// The instructions of ImagenHub's inputs, where VIEScore's table of them is beside the ratings.
fn instructions(data: &Path) -> Result<BTreeMap<String, String>, BenchError> {
    const FILE: &str = "imagenhub_text_guided_ie_instructions.json";
    for file in sources::files(data, &["viescore"], |name| name == FILE) {
        if file.is_file() && file.file_name().is_some_and(|n| n == FILE) {
            let text = std::fs::read_to_string(&file).map_err(BenchError::files("read", &file))?;
            return serde_json::from_str(&text)
                .map_err(|e| BenchError::files("read", &file)(e.into()));
        }
    }
    Ok(BTreeMap::new())
}

/// What VIEScore's judges said of the same inputs, where their table is there.
fn recorded(data: &Path, all: &mut Gathered) -> Result<(), BenchError> {
    for file in sources::files(data, &["viescore"], |name| name == "recorded_scores.csv") {
        if file.extension().is_none_or(|e| e != "csv") {
            continue;
        }
        all.file(&file, |all, record| {
            let task = record.text("task")?;
            if task.strip_prefix("ImagenHub_") != Some(TASK) {
                return Ok(());
            }
            let score = viescore(
                &separated(record.text("sc_raw")?),
                &separated(record.text("pq_raw")?),
            )
            .map_err(|reason| record.wrong("sc_raw", reason))?;
            let (judge, editor) = (record.text("judge")?, record.text("model")?);
            if let Some(case) = all.case_at(record.text("uid")?) {
                note(case, judge, editor, score);
            }
            Ok(())
        })?;
    }
    for judge in lists::judges(data, TASK)? {
        for (editor, folder) in &judge.editors {
            let Some(files) = lists::both(folder) else {
                continue;
            };
            let mut bad = Vec::new();
            for (input, score) in lists::scores(&files, &mut bad)? {
                if let Some(case) = all.case_at(&input) {
                    note(case, &judge.name, editor, score);
                }
            }
            for problem in bad {
                all.note(problem);
            }
        }
    }
    Ok(())
}

/// Notes what a judge said of an editor's image in a case.
fn note(case: &mut Case, judge: &str, editor: &str, score: Score) {
    let edits = case.edits.len();
    let mut editors = case.edits.iter().map(|edit| edit.editor.as_deref());
    let at = editors.position(|of| of == Some(editor));
    let said = case
        .recorded
        .entry(judge.to_owned())
        .or_insert_with(|| Said::Scores(vec![None; edits]));
    if let (Some(at), Said::Scores(scores)) = (at, said) {
        scores[at] = Some(score);
    }
}

/// "10;4" as numbers; what is none is not a number, and refused by [`viescore`].
fn separated(text: &str) -> Vec<f64> {
    text.split(';')
        .map(|part| part.trim().parse().unwrap_or(f64::NAN))
        .collect()
}

/// VIEScore's overall score of the two lists that a judge gives from 0 to 10: sqrt(min(SC)/10 · min(PQ)/10), within 0 and 1.
pub(in crate::bench) fn viescore(sc: &[f64], pq: &[f64]) -> Result<Score, String> {
    let least = |list: &[f64], name: &str| {
        if list.is_empty() || list.iter().any(|v| !v.is_finite()) {
            return Err(format!("the {name} list has no numbers in it"));
        }
        Ok(list.iter().copied().fold(f64::INFINITY, f64::min))
    };
    let (sc, pq) = (least(sc, "SC")?, least(pq, "PQ")?);
    let overall = (sc.max(0.0) / 10.0 * (pq.max(0.0) / 10.0)).sqrt();
    Ok(Score {
        value: rounded(overall.clamp(0.0, 1.0)),
        sigma: None,
        axes: Some([sc, pq]),
    })
}
