//! Export: a workspace, or a part of it, in the formats that others read. One file a format, and one row here for each.
//!
//! A file is written beside its place and put there as a whole, so that a killed export leaves what was there before; the
//! next one begins anew. Scores are not part of it: they belong to models, and any model gives its own again.

mod html;
pub mod markup;
mod own;
pub mod page;
mod pairs;
mod parquet;
mod rows;
mod sharegpt;
pub mod svg;
mod target;
#[cfg(test)]
mod tests;
mod tuples;

use std::collections::HashSet;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::images::ImageError;
use super::store::{Workspace, WorkspaceError};
use crate::domain::{Candidate, CandidateId, Group, GroupId, ImageRef, Pairing};

pub use html::data_url;
use target::Target;

/// What is written.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Only the groups of this part of the data.
    pub split: Option<String>,
    /// Only the groups that came with this data set.
    pub set: Option<String>,
    /// Only these groups, by name.
    pub groups: Option<HashSet<String>>,
    /// Only these groups, by number.
    pub chosen: Option<HashSet<GroupId>>,
    /// Only these candidates, and the groups that have any of them.
    pub candidates: Option<HashSet<CandidateId>>,
    /// How labels and votes become pairs, where the format has pairs.
    pub pairing: Pairing,
    /// How many candidates a tuple has, where the format has tuples.
    pub ways: Vec<usize>,
    /// At most so many tuples of each group and size.
    pub per_group: usize,
    /// At most so many tuples of each size, or groups on a contact sheet; the hardest tuples, the first groups.
    pub limit: Option<usize>,
    /// Decides the order of candidates where the order would tell the best.
    pub seed: u64,
    /// Whether image bytes go into the file, where the format can hold them.
    pub embed: bool,
    /// A folder to which the images are copied, by content; paths in the file then lead there.
    pub images: Option<PathBuf>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            split: None,
            set: None,
            groups: None,
            chosen: None,
            candidates: None,
            pairing: Pairing::default(),
            ways: vec![2, 3, 4],
            per_group: 1,
            limit: None,
            seed: 0,
            embed: true,
            images: None,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExportReport {
    /// The format's name.
    pub format: String,
    /// Groups that something was written of.
    pub groups: usize,
    /// Records: lines, rows, pairs, tuples.
    pub records: usize,
    /// Images that could not be read where their bytes were needed.
    pub missing: usize,
    /// The first [`LISTED`](Self::LISTED) of them, in words.
    pub missing_images: Vec<String>,
    /// Labels made by programs, in groups that something was written of; none where the format says which they are.
    pub simulated: usize,
    /// Groups that the format cannot hold, such as those without a source image.
    pub left_out: usize,
}

impl ExportReport {
    /// How many missing images are named; beyond that they are only counted.
    pub const LISTED: usize = 1000;

    fn lacks(&mut self, group: &str, error: &ImageError) {
        self.missing += 1;
        if self.missing_images.len() < Self::LISTED {
            self.missing_images.push(format!("{group}: {error}"));
        }
    }
}

/// A format that others read.
pub struct ExportFormat {
    /// Its name, for `--format`.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// The ending of file names that tells it where no format is named; empty where none does.
    pub ending: &'static str,
    /// Whether it says which labels a program made.
    says_simulated: bool,
    write: Write,
}

/// Writes all of a file, which it hands back.
type Write = fn(&Export<'_>, &mut ExportReport, BufWriter<File>) -> Result<BufWriter<File>, Failed>;

/// Every format there is.
pub const EXPORTS: &[&ExportFormat] = &[
    &own::FORMAT,
    &pairs::FORMAT,
    &parquet::FORMAT,
    &tuples::FORMAT,
    &sharegpt::FORMAT,
    &rows::CSV,
    &rows::JSONL,
    &html::FORMAT,
];

/// The format of that name, else the one that the file's name tells; the error lists them.
pub fn export_format(
    name: Option<&str>,
    file: &Path,
) -> Result<&'static ExportFormat, WorkspaceError> {
    let ending = file.extension().unwrap_or_default().to_string_lossy();
    let ending = ending.to_lowercase();
    let found = EXPORTS.iter().find(|format| match name {
        Some(name) => format.name == name,
        None => format.ending == ending && !ending.is_empty(),
    });
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = EXPORTS.iter().map(|format| format.name).collect();
        WorkspaceError::Usage(match name {
            Some(name) => format!(
                "there is no format '{name}' to export; the formats are {}",
                names.join(", ")
            ),
            None => format!(
                "the name '{}' does not tell a format; --format names one: {}",
                file.display(),
                names.join(", ")
            ),
        })
    })
}

/// Why a format could not be written: the file, or the workspace.
enum Failed {
    Write(std::io::Error),
    Workspace(WorkspaceError),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self::Write(error.into())
    }
}

impl From<WorkspaceError> for Failed {
    fn from(error: WorkspaceError) -> Self {
        Self::Workspace(error)
    }
}

impl Workspace {
    /// Writes the workspace, or the part of it that `options` ask for, to `file`, replacing it as a whole or not at all. Paths
    /// of images below the file's folder are written relative to it, others absolute. `progress` hears how many groups were
    /// looked at, of how many.
    pub fn export(
        &self,
        file: &Path,
        format: &ExportFormat,
        options: &ExportOptions,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<ExportReport, WorkspaceError> {
        let failed = |why| WorkspaceError::Files {
            what: "write",
            path: file.to_path_buf(),
            why,
        };
        let target = Target::new(file).map_err(failed)?;
        let images = options.images.as_deref().map(|dir| {
            std::fs::create_dir_all(dir)?;
            dir.canonicalize()
        });
        let export = Export {
            workspace: self,
            options,
            folder: target.folder(),
            images: images.transpose().map_err(failed)?,
            total: self.group_count()?,
            progress: std::cell::RefCell::new(progress),
            simulated: std::cell::Cell::new(0),
        };
        let mut report = ExportReport {
            format: format.name.to_owned(),
            ..ExportReport::default()
        };
        let out = BufWriter::with_capacity(1 << 20, target.file().map_err(failed)?);
        let written = (format.write)(&export, &mut report, out);
        let out = written.map_err(|error| match error {
            Failed::Write(why) => failed(why),
            Failed::Workspace(error) => error,
        })?;
        if !format.says_simulated {
            report.simulated = export.simulated.get();
        }
        let done = out.into_inner().map_err(|e| failed(e.into_error()))?;
        target.finish(&done).map_err(failed)?;
        Ok(report)
    }

    /// Writes every group with its labels to `file` in erw's own JSONL; tells how many groups.
    pub fn export_jsonl(&self, file: &Path) -> Result<usize, WorkspaceError> {
        let options = ExportOptions::default();
        let report = self.export(file, &own::FORMAT, &options, &mut |_, _| {})?;
        Ok(report.groups)
    }
}

/// An export under way.
struct Export<'a> {
    workspace: &'a Workspace,
    options: &'a ExportOptions,
    /// Where the file will be.
    folder: &'a Path,
    /// Where copies of images go.
    images: Option<PathBuf>,
    total: usize,
    progress: std::cell::RefCell<&'a mut dyn FnMut(usize, usize)>,
    /// Labels made by programs, met so far.
    simulated: std::cell::Cell<usize>,
}

impl Export<'_> {
    /// Every group that is asked for, in order, one in memory at a time.
    fn each(&self, mut each: impl FnMut(Group) -> Result<(), Failed>) -> Result<(), Failed> {
        let mut seen = 0;
        let mut stopped = None;
        let run = self.workspace.each_group(|mut group| {
            seen += 1;
            (self.progress.borrow_mut())(seen, self.total);
            if !self.wanted(&group) {
                return Ok(());
            }
            if let Some(wanted) = &self.options.candidates {
                group.keep(&|candidate| wanted.contains(&candidate));
                if group.candidates.is_empty() {
                    return Ok(());
                }
            }
            let labels = group.candidates.iter().flat_map(|c| &c.labels);
            let simulated = labels.filter(|label| label.simulated).count();
            self.simulated.set(self.simulated.get() + simulated);
            each(group).map_err(|error| {
                // Carried around the store, which knows its own errors only.
                stopped = Some(error);
                WorkspaceError::Usage(String::new())
            })
        });
        match (stopped, run) {
            (Some(error), _) => Err(error),
            (None, run) => Ok(run?),
        }
    }

    fn wanted(&self, group: &Group) -> bool {
        let is = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        let named = self.options.groups.as_ref();
        is(&self.options.split, &group.split)
            && is(&self.options.set, &group.set)
            && named.is_none_or(|names| names.contains(&group.key))
            && self
                .options
                .chosen
                .as_ref()
                .is_none_or(|ids| ids.contains(&group.id))
    }

    /// A stored image path as it is written into the file; a copy's, where images are copied. An image that cannot be read is
    /// told, and its path written as it is.
    fn path(
        &self,
        group: &str,
        image: &ImageRef,
        report: &mut ExportReport,
    ) -> Result<String, Failed> {
        if image.is_none() {
            return Ok(String::new());
        }
        if let Some(dir) = &self.images {
            match super::images::copy_into(self.workspace.root(), image, dir) {
                Ok(copy) => return Ok(self.relative(&copy)?),
                Err(error) => report.lacks(group, &error),
            }
        }
        Ok(self.relative(&self.workspace.root().join(&image.0))?)
    }

    fn relative(&self, full: &Path) -> Result<String, std::io::Error> {
        let relative = full.strip_prefix(self.folder).ok().and_then(Path::to_str);
        relative.or(full.to_str()).map(str::to_owned).ok_or_else(|| {
            std::io::Error::other(format!(
                "the folder in '{}' has a name that is not UTF-8; export into the workspace's own folder",
                full.display()
            ))
        })
    }
}

/// Candidates in an order that a data set of pairs comes back in: by editor and image. It tells nothing of who is the best.
fn in_order(candidates: &[Candidate]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by_key(|i| (&candidates[*i].editor, &candidates[*i].image));
    order
}

/// A group's name without that of its data set.
fn short_key(group: &Group) -> &str {
    let set = group.set.as_deref();
    let short = set.and_then(|set| group.key.strip_prefix(set)?.strip_prefix('/'));
    short.unwrap_or(&group.key)
}
