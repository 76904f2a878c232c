//! A benchmark as a run: the data read, the scorer asked, every answer kept the moment it is there, the report made at the end.
//! A run that was stopped or killed asks only what is not answered yet.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Said};
use super::case::{Case, Dataset};
use super::error::BenchError;
use super::protocol::{Answered, Protocol, Verdict};
use super::report::{self, Report, Resampling, UnscoredEdits};
use super::scorer::Scorer;
use crate::domain::ImageRef;
use crate::runs::{Ending, Fact, Folder, Writer};

/// Answers, a line each, as they came.
pub const ANSWERS: &str = "answers.jsonl";
/// What was right and wrong.
pub const VERDICTS: &str = "verdicts.jsonl";
/// The cases, for looking at them without the data's own format.
pub const CASES: &str = "cases.jsonl";

/// How often progress is noted.
const NOTE: Duration = Duration::from_millis(500);

/// What is to be done.
pub struct Task<'a> {
    /// The benchmark.
    pub protocol: &'static dyn Protocol,
    /// Where its data is.
    pub data: PathBuf,
    /// Where relative image paths start, if not beside the data.
    pub images: Option<PathBuf>,
    /// Who answers; `None` where nobody has to.
    pub scorer: Option<&'a mut dyn Scorer>,
    /// Records that cannot be used are left out and counted.
    pub skip_bad: bool,
    /// Only so many cases, the first ones.
    pub limit: Option<usize>,
    /// How figures get their intervals.
    pub resampling: Resampling,
    /// The names (without folder and ending) of the source images that the scorer has never seen; empty where that is not known.
    pub unseen: Vec<String>,
}

impl Task<'_> {
    /// Where relative paths of images start.
    pub fn root(&self, data: &Dataset) -> PathBuf {
        self.images.clone().unwrap_or_else(|| data.root.clone())
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// All was answered.
    Done(Box<Report>),
    /// Somebody asked it to stop.
    Stopped {
        /// Answered cases.
        answered: usize,
        /// All cases.
        of: usize,
    },
}

/// A case as a run keeps it, for looking at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The case's id.
    pub case: String,
    /// What was asked for.
    pub instruction: String,
    /// The image before the edit: a path relative to the data's folder, or absolute.
    pub source: Option<ImageRef>,
    /// Each edit's editor and image.
    pub edits: Vec<(Option<String>, Option<ImageRef>)>,
    /// What the tables are split by.
    pub category: Option<String>,
}

impl Shown {
    fn new(case: &Case) -> Self {
        Self {
            case: case.id.clone(),
            instruction: case.instruction.clone(),
            source: case.source.clone(),
            edits: case
                .edits
                .iter()
                .map(|edit| (edit.editor.clone(), edit.image.clone()))
                .collect(),
            category: case.category.clone(),
        }
    }
}

/// Does the work of a run. `stop` is asked at every answer, and `progress` hears how many cases of how many are answered.
pub fn run(
    task: &mut Task<'_>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Outcome, BenchError> {
    let phase = |text: &str| writer.note(Fact::Phase { text: text.into() });
    phase("reading the data")?;
    let data = read(task)?;
    let answers = writer.folder().path().join(ANSWERS);
    let mut kept = kept_answers(&answers)?;
    let root = task.root(&data);
    if let (Some(scorer), Some(ask)) = (&mut task.scorer, task.protocol.ask()) {
        let cases: Vec<&Case> = data
            .cases
            .iter()
            .filter(|case| !kept.contains_key(&case.id))
            .collect();
        let mut asking = Asking::new(
            writer,
            &answers,
            (data.cases.len() - cases.len(), data.cases.len()),
        )?;
        if !cases.is_empty() {
            phase("asking the scorer")?;
            let mut problem = None;
            let mut stopped = false;
            let asked = scorer.answer_all(&cases, ask, &root, &mut |answer| {
                match asking.keep(&answer) {
                    Ok(()) => {
                        kept.insert(answer.case.clone(), answer);
                    }
                    Err(error) => {
                        problem = Some(error);
                        return ControlFlow::Break(());
                    }
                }
                progress(kept.len(), data.cases.len());
                stopped = stop() || writer.stop_asked();
                if stopped {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            asking.note()?;
            if let Some(error) = problem {
                return Err(error);
            }
            asked.map_err(BenchError::Scorer)?;
            if stopped && kept.len() < data.cases.len() {
                return Ok(Outcome::Stopped {
                    answered: kept.len(),
                    of: data.cases.len(),
                });
            }
        }
    }
    phase("measuring")?;
    let report = measure(task, &data, &kept, writer.folder())?;
    writer.report(&report)?;
    Ok(Outcome::Done(Box::new(report)))
}

/// Notes how a run ended.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), BenchError> {
    let (ending, reason) = match outcome {
        Outcome::Done(report) => (
            Ending::Done,
            format!("{} cases measured", report.data.cases),
        ),
        Outcome::Stopped { answered, of } => (
            Ending::Stopped,
            format!("{answered} of {of} cases answered"),
        ),
    };
    Ok(writer.end(ending, &reason)?)
}

/// The cases that are asked, with what has to be known of all of them.
pub fn read(task: &Task<'_>) -> Result<Dataset, BenchError> {
    let mut data = task.protocol.read(&task.data)?;
    if let (Some(first), false) = (data.bad.first(), task.skip_bad) {
        return Err(BenchError::Bad {
            count: data.bad.len(),
            first: first.clone(),
        });
    }
    if let Some(limit) = task.limit {
        data.cases.truncate(limit);
    }
    if !task.unseen.is_empty() {
        for case in &mut data.cases {
            let name = case.source.as_ref().map(|source| Path::new(&source.0));
            let name = name
                .and_then(Path::file_stem)
                .map(|stem| stem.to_string_lossy());
            case.unseen = name.map(|name| task.unseen.iter().any(|unseen| *unseen == name));
        }
    }
    if data.cases.is_empty() {
        return Err(BenchError::NoData {
            path: task.data.clone(),
            benchmark: task.protocol.about().key,
            wanted: "it has no usable case".into(),
        });
    }
    Ok(data)
}

fn measure(
    task: &Task<'_>,
    data: &Dataset,
    kept: &HashMap<String, Answer>,
    folder: &Folder,
) -> Result<Report, BenchError> {
    let none = report::unasked();
    let answered = answered(data, kept, &none);
    let prepared = task.protocol.prepare(&answered);
    let path = task.data.display().to_string();
    let info = task.scorer.as_ref().map(|scorer| scorer.info());
    let (mut report, verdicts) = report::report(
        task.protocol.about(),
        (data, &path),
        info,
        prepared,
        task.resampling,
    );
    let answers = data.cases.iter().filter_map(|case| kept.get(&case.id));
    report.unscored = UnscoredEdits::among(answers);
    report.usage = report::total(kept.values().map(|answer| answer.usage));
    let scorer = task.scorer.as_ref();
    report.cost = report.usage.and_then(|usage| scorer?.cost(usage));
    let shown: Vec<Shown> = data.cases.iter().map(Shown::new).collect();
    write_lines(&folder.path().join(VERDICTS), &verdicts)?;
    write_lines(&folder.path().join(CASES), &shown)?;
    Ok(report)
}

/// The cases with their answers; `none` stands for those without.
pub(super) fn answered<'a>(
    data: &'a Dataset,
    kept: &'a HashMap<String, Answer>,
    none: &'a Said,
) -> Vec<Answered<'a>> {
    data.cases
        .iter()
        .map(|case| Answered {
            case,
            said: kept.get(&case.id).map_or(none, |answer| &answer.said),
        })
        .collect()
}

/// The file of answers while a scorer is asked.
struct Asking<'a> {
    writer: &'a Writer,
    path: PathBuf,
    file: File,
    done: usize,
    of: usize,
    noted: Instant,
}

impl<'a> Asking<'a> {
    fn new(
        writer: &'a Writer,
        path: &Path,
        (done, of): (usize, usize),
    ) -> Result<Self, BenchError> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(BenchError::files("write", path))?;
        let asking = Self {
            writer,
            path: path.to_owned(),
            file,
            done,
            of,
            noted: Instant::now(),
        };
        asking.note()?;
        Ok(asking)
    }

    fn keep(&mut self, answer: &Answer) -> Result<(), BenchError> {
        let mut line = serde_json::to_vec(answer)
            .map_err(|e| BenchError::files("write", &self.path)(e.into()))?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(BenchError::files("write", &self.path))?;
        self.done += 1;
        if self.noted.elapsed() >= NOTE {
            self.noted = Instant::now();
            self.note()?;
        }
        Ok(())
    }

    fn note(&self) -> Result<(), BenchError> {
        Ok(self.writer.note(Fact::Progress {
            done: self.done as u64,
            total: Some(self.of as u64),
            unit: "cases".into(),
        })?)
    }
}

/// Answers that are there already. What a kill left of the last line is cut off; answers that are nothing for another reason
/// than that they could not be understood are asked for again.
pub(super) fn kept_answers(path: &Path) -> Result<HashMap<String, Answer>, BenchError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(e) => return Err(BenchError::files("read", path)(e)),
    };
    let whole = text.rfind('\n').map_or(0, |at| at + 1);
    if whole < text.len() {
        let file = OpenOptions::new().write(true).open(path);
        file.and_then(|f| f.set_len(whole as u64))
            .map_err(BenchError::files("write", path))?;
    }
    let mut kept = HashMap::new();
    for (number, line) in text[..whole].lines().enumerate() {
        let answer: Answer = serde_json::from_str(line).map_err(|e| {
            let why = format!("line {}: {e}", number + 1);
            BenchError::files("read", path)(io::Error::other(why))
        })?;
        let again = matches!(
            answer.said,
            Said::Nothing {
                unparsed: false,
                ..
            }
        );
        if !again {
            kept.insert(answer.case.clone(), answer);
        }
    }
    Ok(kept)
}

/// Writes a file of lines, whole or not at all.
fn write_lines<T: Serialize>(path: &Path, lines: &[T]) -> Result<(), BenchError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let partial = path.with_file_name(format!(".new-{name}"));
    let write = || {
        let mut file = io::BufWriter::new(File::create(&partial)?);
        for line in lines {
            serde_json::to_writer(&mut file, line)?;
            file.write_all(b"\n")?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().map_err(BenchError::files("write", path))
}

/// Reads a file of lines.
fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, BenchError> {
    let text = fs::read_to_string(path).map_err(BenchError::files("read", path))?;
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|e| BenchError::files("read", path)(e.into()))
        })
        .collect()
}

/// What a finished run was right and wrong on.
pub fn verdicts(folder: &Path) -> Result<Vec<Verdict>, BenchError> {
    read_lines(&folder.join(VERDICTS))
}

/// The cases of a finished run.
pub fn cases(folder: &Path) -> Result<Vec<Shown>, BenchError> {
    read_lines(&folder.join(CASES))
}

/// What the scorer of a finished run answered; nothing where nobody was asked.
pub fn answers(folder: &Path) -> Result<Vec<Answer>, BenchError> {
    let path = folder.join(ANSWERS);
    if path.exists() {
        read_lines(&path)
    } else {
        Ok(Vec::new())
    }
}

/// The report of a finished run.
pub fn read_report(folder: &Path) -> Result<Report, BenchError> {
    let path = folder.join("report.json");
    let text = fs::read_to_string(&path).map_err(BenchError::files("read", &path))?;
    serde_json::from_str(&text).map_err(|e| BenchError::files("read", &path)(e.into()))
}
