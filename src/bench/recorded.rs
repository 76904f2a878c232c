//! Judges that have spoken already: scores and votes in files, so that what was published can be replayed.
//!
//! What a file is, is told by its fields: erw's own `answers.jsonl`, GenAI-Bench's `pairwise.json`, tables with a column
//! `<judge>_vote`, VIEScore's `SC.json` and `PQ.json` or tables of both lists, and any table of a case, an editor and a score.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::answer::{Answer, Said, Score};
use super::case::{Case, Vote};
use super::error::BenchError;
use super::protocols::lists;
use super::protocols::raters::viescore;
use super::protocols::sources::{unparsed, written};
use super::protocols::votes::verdict;
use super::scorer::{Ask, Scorer, ScorerInfo};
use crate::data::images::content_hash;
use crate::data::records::{self, Record, RecordError};

/// The names that a case's id has in published files.
const CASE: [&str; 7] = ["case", "idx", "uid", "id", "filename", "key", "unique_key"];
/// The names that an editor has.
const EDITOR: [&str; 3] = ["editor", "model", "edit"];

/// A judge whose answers are in a file, a folder, or the data of the benchmark itself.
#[derive(Debug, Default)]
pub struct Recorded {
    name: String,
    fingerprint: String,
    /// The name under which the benchmark's own data records it.
    field: Option<String>,
    cases: HashMap<String, Said>,
    edits: HashMap<(String, String), Score>,
    judges: BTreeSet<String>,
    bad: Vec<String>,
}

impl Recorded {
    /// The judge that the benchmark's own data records as `name`.
    pub fn field(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            fingerprint: format!("recorded:{name}"),
            field: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// The judge whose answers are in `path`; `judge` says which, where there are several.
    pub fn open(path: &Path, judge: Option<&str>) -> Result<Self, BenchError> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut all = Self {
            name: judge.map_or_else(|| stem.clone().into_owned(), str::to_owned),
            ..Self::default()
        };
        let mut hashed = judge.unwrap_or_default().to_owned();
        let files = if path.is_dir() {
            all.folder(path)?
        } else {
            all.table(path, judge)?;
            vec![path.to_owned()]
        };
        for file in &files {
            let hash =
                crate::data::images::file_hash(file).map_err(BenchError::files("read", file))?;
            hashed.push_str(&hash);
        }
        all.fingerprint = content_hash(hashed.as_bytes()).chars().take(16).collect();
        if all.judges.len() > 1 && judge.is_none() {
            let names: Vec<&str> = all.judges.iter().map(String::as_str).collect();
            return Err(BenchError::Choice(format!(
                "'{}' has several judges; write recorded:{}#NAME with one of {}",
                path.display(),
                path.display(),
                names.join(", ")
            )));
        }
        if let (Some(judge), false) = (judge, all.judges.is_empty())
            && !all.judges.contains(judge)
        {
            let names: Vec<&str> = all.judges.iter().map(String::as_str).collect();
            return Err(BenchError::Choice(format!(
                "'{}' has no judge '{judge}'; it has {}",
                path.display(),
                names.join(", ")
            )));
        }
        if all.cases.is_empty() && all.edits.is_empty() {
            return Err(BenchError::Choice(format!(
                "'{}' has no scores and no votes that erw knows: it reads a case (case, idx, uid, id, filename or key) with \
                 scores, vote, model_vote or JUDGE_vote, or a case and an editor (editor or model) with score or with \
                 lists sc and pq{}",
                path.display(),
                all.bad
                    .first()
                    .map(|b| format!("; {b}"))
                    .unwrap_or_default()
            )));
        }
        Ok(all)
    }

    /// Records that could not be used.
    pub fn bad(&self) -> &[String] {
        &self.bad
    }

    fn table(&mut self, path: &Path, judge: Option<&str>) -> Result<(), BenchError> {
        for (number, record) in records::open(path)?.enumerate() {
            let taken = record.and_then(|record| self.take(&record, judge, number));
            match taken {
                Ok(()) => {}
                Err(error) if error.ends() => return Err(error.into()),
                Err(error) => self.bad.push(error.to_string()),
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        record: &Record,
        judge: Option<&str>,
        number: usize,
    ) -> Result<(), RecordError> {
        if record.has("judge") {
            let name = record.text("judge")?.to_owned();
            let other = judge.is_some_and(|judge| judge != name);
            self.judges.insert(name);
            if other {
                return Ok(());
            }
        }
        let id = match (CASE.iter().find(|f| record.has(f)), record.key()) {
            (Some(field), _) => written(record, field)?,
            (None, Some(key)) => key.to_owned(),
            (None, None) => number.to_string(),
        };
        if record.has("case")
            && (record.has("scores") || record.has("votes") || record.has("nothing"))
        {
            let said = own(record)?;
            return self.add(record, id, said);
        }
        if let Some(editor) = EDITOR.iter().find(|f| record.has(f))
            && let Some(score) = score(record)?
        {
            let key = (id, written(record, editor)?);
            if self.edits.insert(key, score).is_some() {
                return Err(record.wrong(editor, "has a score already for this case"));
            }
            return Ok(());
        }
        if record.has("scores") {
            let scores = record.numbers("scores")?;
            let scores = scores.into_iter().map(|s| Some(Score::plain(s))).collect();
            return self.add(record, id, Said::Scores(scores));
        }
        if let Some(field) = ["vote", "model_vote"].into_iter().find(|f| record.has(f)) {
            let said = vote(record.text(field)?);
            return self.add(record, id, said);
        }
        self.votes_by_column(record, judge, id)
    }

    /// A table with a column `<judge>_vote` for each judge.
    fn votes_by_column(
        &mut self,
        record: &Record,
        judge: Option<&str>,
        id: String,
    ) -> Result<(), RecordError> {
        let columns: Vec<String> = record
            .fields()
            .filter_map(|f| f.strip_suffix("_vote"))
            .filter(|name| *name != "human" && *name != "model")
            .map(str::to_owned)
            .collect();
        if columns.is_empty() {
            return Err(record.wrong(
                "score",
                "is missing, and so is everything else that could be one",
            ));
        }
        let single = columns.len() == 1;
        for name in &columns {
            self.judges.insert(name.clone());
        }
        let wanted = judge.or_else(|| single.then(|| columns[0].as_str()));
        if let Some(name) = wanted
            && columns.iter().any(|c| c == name)
        {
            let field = format!("{name}_vote");
            let said = if record.has(&field) {
                vote(record.text(&field)?)
            } else {
                unparsed("no verdict is recorded")
            };
            return self.add(record, id, said);
        }
        Ok(())
    }

    fn add(&mut self, record: &Record, id: String, said: Said) -> Result<(), RecordError> {
        if self.cases.contains_key(&id) {
            return Err(record.wrong("case", format!("'{id}' was answered before")));
        }
        self.cases.insert(id, said);
        Ok(())
    }

    /// VIEScore's folders: `<editor>/SC.json` and `<editor>/PQ.json`, at any depth below.
    fn folder(&mut self, path: &Path) -> Result<Vec<PathBuf>, BenchError> {
        let mut read = Vec::new();
        let mut folders = vec![path.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).map_err(BenchError::files("read", &folder))?;
            folders.extend(entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()));
            if let Some(files) = lists::both(&folder) {
                let editor = folder.file_name().unwrap_or_default().to_string_lossy();
                for (input, score) in lists::scores(&files, &mut self.bad)? {
                    self.edits
                        .insert((input, editor.clone().into_owned()), score);
                }
                read.extend(files);
            }
        }
        read.sort();
        Ok(read)
    }

    fn said(&self, case: &Case) -> Said {
        if let Some(field) = &self.field {
            return match case.recorded.get(field) {
                Some(said) => said.clone(),
                None => nothing(&format!("the data records nothing of '{field}' here")),
            };
        }
        if let Some(said) = self.cases.get(&case.id) {
            return match said {
                Said::Scores(scores) if scores.len() != case.edits.len() => nothing(&format!(
                    "{} scores are recorded for {} edits",
                    scores.len(),
                    case.edits.len()
                )),
                said => said.clone(),
            };
        }
        let scores: Vec<Option<Score>> = case
            .edits
            .iter()
            .map(|edit| {
                let key = (case.id.clone(), edit.editor.clone()?);
                self.edits.get(&key).copied()
            })
            .collect();
        if scores.iter().any(Option::is_some) {
            Said::Scores(scores)
        } else {
            nothing("nothing is recorded of it")
        }
    }
}

impl Scorer for Recorded {
    fn info(&self) -> ScorerInfo {
        ScorerInfo {
            name: self.name.clone(),
            kind: "recorded".into(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    fn answer_all(
        &mut self,
        cases: &[&Case],
        _ask: Ask,
        _root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        for case in cases {
            let answer = Answer::new(case.id.clone(), self.said(case));
            if on_answer(answer).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn nothing(reason: &str) -> Said {
    Said::Nothing {
        reason: reason.to_owned(),
        unparsed: false,
    }
}

fn vote(text: &str) -> Said {
    let own = match text {
        "leftvote" | "first" => Some(Vote::First),
        "rightvote" | "second" => Some(Vote::Second),
        "tievote" | "both-good" => Some(Vote::BothGood),
        "bothbad_vote" | "both-bad" => Some(Vote::BothBad),
        "tie" => Some(Vote::Tie),
        _ => None,
    };
    match own.or_else(|| verdict(text)) {
        Some(vote) => Said::Votes(vec![(0, 1, vote)]),
        None => unparsed(&format!("'{text}' is recorded, which is no verdict")),
    }
}

/// A line of erw's own answers.
fn own(record: &Record) -> Result<Said, RecordError> {
    for field in ["scores", "votes", "nothing"] {
        if let Some(value) = record.value(field) {
            let tagged = serde_json::json!({ field: value });
            return serde_json::from_value(tagged).map_err(|e| record.wrong(field, e.to_string()));
        }
    }
    Err(record.wrong("scores", "is missing"))
}

/// The score of one edit, where the record has one by any of the known names.
fn score(record: &Record) -> Result<Option<Score>, RecordError> {
    let lists = [("sc", "pq"), ("SC", "PQ"), ("sc_raw", "pq_raw")];
    for (sc, pq) in lists {
        if record.has(sc) && record.has(pq) {
            let list = |field: &str| match record.value(field) {
                Some(serde_json::Value::String(text)) if text.contains(';') => text
                    .split(';')
                    .map(|part| {
                        part.trim()
                            .parse()
                            .map_err(|_| record.wrong(field, "is no list of numbers"))
                    })
                    .collect(),
                Some(serde_json::Value::Array(_)) => record.numbers(field),
                _ => Ok(vec![record.number(field)?]),
            };
            let score = viescore(&list(sc)?, &list(pq)?);
            return Ok(Some(score.map_err(|why| record.wrong(sc, why))?));
        }
    }
    // As GEdit-Bench's own script writes (and spells) them.
    for sc in ["sementics_score", "semantics_score"] {
        if record.has(sc) && record.has("quality_score") {
            let (sc, pq) = (record.number(sc)?, record.number("quality_score")?);
            let score = viescore(&[sc], &[pq]);
            return Ok(Some(
                score.map_err(|why| record.wrong("quality_score", why))?,
            ));
        }
    }
    if !record.has("score") {
        return Ok(None);
    }
    let optional = |field: &str| {
        if record.has(field) {
            record.number(field).map(Some)
        } else {
            Ok(None)
        }
    };
    let axes = (optional("if")?, optional("vq")?);
    Ok(Some(Score {
        value: record.number("score")?,
        sigma: optional("sigma")?,
        axes: match axes {
            (Some(following), Some(looks)) => Some([following, looks]),
            _ => None,
        },
    }))
}
