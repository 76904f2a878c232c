//! Reading the published files into cases. What a file is, is told by the fields of its records, not by its name.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::bench::answer::{Said, Score};
use crate::bench::case::{Case, Dataset, Edit, Order, Truth};
use crate::bench::error::BenchError;
use crate::bench::protocol::About;
use crate::data::records::{self, Record, RecordError};
use crate::domain::{Choice, Ranking};

/// Ten decimals: square roots of products that are equal in exact arithmetic differ in their last bit, which would split ties
/// and make ranks depend on the order of the raters.
pub(in crate::bench) fn rounded(value: f64) -> f64 {
    (value * 1e10).round() / 1e10
}

/// A data set under construction.
pub(super) struct Gathered {
    set: Dataset,
    hasher: Vec<(String, String)>,
    seen: HashMap<String, usize>,
}

impl Gathered {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            set: Dataset {
                root: root.to_owned(),
                ..Dataset::default()
            },
            hasher: Vec::new(),
            seen: HashMap::new(),
        }
    }

    /// Reads every record of a file; a record that cannot be used is noted and passed over.
    pub(super) fn file(
        &mut self,
        path: &Path,
        mut take: impl FnMut(&mut Self, &Record) -> Result<(), RecordError>,
    ) -> Result<(), BenchError> {
        self.fingerprint(path)?;
        for record in records::open(path)? {
            let taken = record.and_then(|record| take(self, &record));
            match taken {
                Ok(()) => {}
                Err(error) if error.ends() => return Err(error.into()),
                Err(error) => self.set.bad.push(error.to_string()),
            }
        }
        Ok(())
    }

    /// Remembers a file's contents in the fingerprint.
    pub(super) fn fingerprint(&mut self, path: &Path) -> Result<(), BenchError> {
        let hash = crate::data::images::file_hash(path).map_err(BenchError::files("read", path))?;
        let name = path.file_name().unwrap_or_default();
        self.hasher
            .push((name.to_string_lossy().into_owned(), hash));
        Ok(())
    }

    /// Adds a case; two of one name are an error of the second.
    pub(super) fn add(
        &mut self,
        case: Case,
        record: &Record,
        field: &str,
    ) -> Result<(), RecordError> {
        let next = self.set.cases.len();
        if self.seen.insert(case.id.clone(), next).is_some() {
            return Err(record.wrong(field, format!("'{}' was there before", case.id)));
        }
        self.set.cases.push(case);
        Ok(())
    }

    /// The case of that name, made when it is not there yet.
    pub(super) fn case(&mut self, id: &str, make: impl FnOnce() -> Case) -> &mut Case {
        let next = self.set.cases.len();
        let at = *self.seen.entry(id.to_owned()).or_insert(next);
        if at == next {
            self.set.cases.push(make());
        }
        &mut self.set.cases[at]
    }

    pub(super) fn case_at(&mut self, id: &str) -> Option<&mut Case> {
        let at = *self.seen.get(id)?;
        self.set.cases.get_mut(at)
    }

    pub(super) fn bad(&mut self, error: &RecordError) {
        self.set.bad.push(error.to_string());
    }

    pub(super) fn note(&mut self, problem: String) {
        self.set.bad.push(problem);
    }

    pub(super) fn done(mut self) -> Dataset {
        self.hasher.sort();
        let text: Vec<String> = self
            .hasher
            .iter()
            .map(|(name, hash)| format!("{name} {hash}\n"))
            .collect();
        self.set.fingerprint = crate::data::images::content_hash(text.concat().as_bytes())
            .chars()
            .take(16)
            .collect();
        self.set
    }
}

/// The files of a folder (or the file itself) that `wanted` takes, by name; looked for in the folder and in the folders where
/// the public repositories keep them.
pub(in crate::bench) fn files(
    data: &Path,
    places: &[&str],
    wanted: impl Fn(&str) -> bool,
) -> Vec<PathBuf> {
    if data.is_file() {
        return vec![data.to_owned()];
    }
    let mut found = Vec::new();
    for place in std::iter::once("").chain(places.iter().copied()) {
        let Ok(entries) = std::fs::read_dir(data.join(place)) else {
            continue;
        };
        for entry in entries.flatten() {
            if wanted(&entry.file_name().to_string_lossy()) && entry.path().is_file() {
                found.push(entry.path());
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    found.sort();
    found
}

/// Whether a file's name ends so, in whatever case.
pub(super) fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case(ending))
}

/// The error of a folder that has none of the files.
pub(in crate::bench) fn nothing(data: &Path, about: &About) -> BenchError {
    BenchError::NoData {
        path: data.to_owned(),
        benchmark: about.key,
        wanted: format!("it reads {}", about.data),
    }
}

/// Where relative image paths of a file start: its folder.
pub(in crate::bench) fn root_of(data: &Path) -> PathBuf {
    if data.is_file() {
        data.parent().map_or_else(PathBuf::new, Path::to_owned)
    } else {
        data.to_owned()
    }
}

pub(in crate::bench) fn unparsed(reason: &str) -> Said {
    Said::Nothing {
        reason: reason.to_owned(),
        unparsed: true,
    }
}

/// Pointwise ratings: a record an edit. Edits of the same source and instruction are one case.
pub(super) fn points(data: &Path, about: &About) -> Result<Dataset, BenchError> {
    let places = ["derived_kway", "imagenhub"];
    let named = |name: &str| has_ending(name, "json") && !name.contains("pair");
    let files = files(data, &places, named);
    let Some(file) = files.first() else {
        return Err(nothing(data, about));
    };
    let mut all = Gathered::new(&root_of(data));
    all.file(file, point)?;
    Ok(all.done())
}

fn point(all: &mut Gathered, record: &Record) -> Result<(), RecordError> {
    let field = |names: &[&'static str]| {
        first(record, names).ok_or_else(|| {
            record.wrong(
                names[0],
                format!("is missing, and so is {}", names[1..].join(", ")),
            )
        })
    };
    let instruction = record.text(field(&["instruction", "prompt"])?)?.to_owned();
    let source = record.image(field(&["input_path", "input"])?)?;
    let image = record.image(field(&["output_path", "gen"])?)?;
    let rating = rounded(record.number("score")?);
    let editor = record.text("model")?.to_owned();
    let id = if record.has("filename") {
        record.text("filename")?.to_owned()
    } else {
        format!("{}: {instruction}", source.0)
    };
    let mut predictions = Vec::new();
    for name in record.fields().map(str::to_owned).collect::<Vec<_>>() {
        if let Some(judge) = name.strip_prefix("pred_") {
            predictions.push((judge.to_owned(), rounded(record.number(&name)?)));
        }
    }
    let case = all.case(&id, || Case {
        id: id.clone(),
        instruction: instruction.clone(),
        source: Some(source.clone()),
        edits: Vec::new(),
        category: None,
        truth: Truth::Ratings(Vec::new()),
        recorded: BTreeMap::new(),
        unseen: None,
        cluster: id.clone(),
    });
    if case.instruction != instruction || case.source.as_ref() != Some(&source) {
        let reason = format!("'{id}' has another instruction or source further up");
        return Err(record.wrong("filename", reason));
    }
    if case
        .edits
        .iter()
        .any(|e| e.editor.as_deref() == Some(&editor))
    {
        return Err(record.wrong("model", format!("'{editor}' was there before for '{id}'")));
    }
    let before = case.edits.len();
    case.edits.push(Edit {
        editor: Some(editor),
        image: Some(image),
    });
    if let Truth::Ratings(ratings) = &mut case.truth {
        ratings.push(rating);
    }
    for (judge, value) in predictions {
        let said = case
            .recorded
            .entry(judge)
            .or_insert(Said::Scores(Vec::new()));
        if let Said::Scores(scores) = said {
            scores.resize(before, None);
            scores.push(Some(Score::plain(value)));
        }
    }
    Ok(())
}

/// ImagenHub: pointwise JSON, else the raters' tables.
pub(super) fn imagenhub(data: &Path, about: &About) -> Result<Dataset, BenchError> {
    let processed = |name: &str| name == "valid_imagenhub_processed.json";
    if data.is_file() && data.extension().is_some_and(|e| e != "tsv")
        || !files(data, &["derived_kway", "imagenhub"], processed).is_empty()
    {
        let found = files(data, &["derived_kway", "imagenhub"], processed);
        return points(found.first().map_or(data, |f| f), about);
    }
    super::raters::imagenhub(data, about)
}

/// EditReward-Bench's files of two, three and four edits, or the hub's rows of comparisons.
pub(super) fn tuples(data: &Path, about: &About) -> Result<Dataset, BenchError> {
    let named = |name: &str| {
        let name = name.to_lowercase();
        (name.starts_with("editreward_bench_") && name.ends_with("pair.json"))
            || has_ending(&name, "parquet")
    };
    let files = files(data, &["derived_kway", "editreward_bench", "data"], named);
    if files.is_empty() {
        return Err(nothing(data, about));
    }
    let mut all = Gathered::new(&root_of(data));
    for file in &files {
        let mut number = 0;
        if records::columns(file)?
            .iter()
            .any(|c| c == "comparison_type")
        {
            super::hub::comparisons(&mut all, file)?;
            continue;
        }
        all.file(file, |all, record| {
            let case = tuple(record, number)?;
            number += 1;
            all.add(case, record, "id")
        })?;
    }
    Ok(all.done())
}

fn tuple(record: &Record, number: usize) -> Result<Case, RecordError> {
    let paths = record.images("paths_generated")?;
    let vote = record.nested("human_vote")?;
    let order = ranking(vote.text("ranking")?, paths.len())
        .map_err(|reason| vote.wrong("ranking", reason))?;
    let editors = if record.has("models") {
        record.texts("models")?
    } else {
        Vec::new()
    };
    let mut recorded = BTreeMap::new();
    for name in record.fields().map(str::to_owned).collect::<Vec<_>>() {
        if let Some(judge) = name.strip_prefix("pred_") {
            let scores = record.numbers(&name)?;
            if scores.len() != paths.len() {
                return Err(record.wrong(
                    &name,
                    format!("has {} scores for {} edits", scores.len(), paths.len()),
                ));
            }
            let scores = scores.into_iter().map(|s| Some(Score::plain(s)));
            recorded.insert(judge.to_owned(), Said::Scores(scores.collect()));
        }
    }
    let source = record.image("path_src")?;
    Ok(Case {
        id: if record.has("id") {
            written(record, "id")?
        } else {
            format!("{}-{number}", paths.len())
        },
        instruction: record.text("prompt")?.to_owned(),
        cluster: source.0.clone(),
        source: Some(source),
        edits: paths
            .into_iter()
            .enumerate()
            .map(|(i, path)| Edit {
                editor: editors.get(i).cloned(),
                image: Some(path),
            })
            .collect(),
        category: None,
        truth: Truth::Order(order),
        recorded,
        unseen: None,
    })
}

/// A ranking as the published files write it: `A>B`, `A<B`, `C>A>B`, `A=B=Good`. Only two edits may tie.
pub(super) fn ranking(text: &str, edits: usize) -> Result<Order, String> {
    let ranking = Ranking::parse(text, edits)?;
    match (ranking.strict(), ranking.tie) {
        (Some(best), _) => Ok(Order::Strict(best)),
        (None, _) if edits != 2 => Err(format!(
            "'{text}' has a tie, and tuples of {edits} edits have none: write C>A>B"
        )),
        (None, Choice::BothGood) => Ok(Order::AllGood),
        (None, Choice::BothBad) => Ok(Order::AllBad),
        (None, _) => Ok(Order::Tie),
    }
}

/// The first of the fields that is there.
pub(super) fn first<'a>(record: &Record, fields: &[&'a str]) -> Option<&'a str> {
    fields.iter().copied().find(|field| record.has(field))
}

pub(super) fn optional(record: &Record, field: &str) -> Result<Option<String>, RecordError> {
    if record.has(field) {
        Ok(Some(record.text(field)?.to_owned()))
    } else {
        Ok(None)
    }
}

/// A text, or a whole number as text.
pub(in crate::bench) fn written(record: &Record, field: &str) -> Result<String, RecordError> {
    match record.value(field) {
        Some(serde_json::Value::Number(n)) => Ok(n.to_string()),
        _ => Ok(record.text(field)?.to_owned()),
    }
}
