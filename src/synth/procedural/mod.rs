//! Makes labelled groups from any folder of photos, without a recipe: thousands of them, for training.
//!
//! Group *i* depends on the seed, the photos and *i* alone. It takes a scene (`scene`) (a crop of a photo), draws an
//! `order` from the `catalogue` and words (`wording`) for it, carries it out (`perform`), and has a cast of
//! made-up editors (`editors`) each hand in something with an `outcome` after its habits: how far it followed, what
//! else it changed, and which damage (`damage`) it did. The outcome has ideal scores by a written rule (see
//! `outcome`), three simulated annotators judge them, and the truth is kept beside the labels.
//!
//! It does what can be known by construction and no more: whether a filled hole looks natural or a pasted subject belongs is
//! not judged, so visual quality here means artefacts.

mod catalogue;
mod damage;
mod editors;
mod filters;
mod group;
mod letters;
mod order;
mod outcome;
mod papers;
mod perform;
mod scene;
#[cfg(test)]
mod tests;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::crew::on_all_cores;
use super::error::SynthError;
use super::labels::Annotators;
use super::output::{self, Output};
use super::photos::PhotoFolder;
use super::{Options, Progress, Report, summed};
use group::{Finished, Studio};
use scene::Stock;

/// Groups made when no number is given.
pub const DEFAULT_GROUPS: usize = 200;
/// The longer side of the pictures when none is given, in pixels.
pub const DEFAULT_LONG_SIDE: u32 = 320;

/// Which photos to use, and what to keep.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Only these, by name with or without ending; empty for all.
    pub only: Vec<String>,
    /// None of these.
    pub except: Vec<String>,
    /// Leave out the masks of where edits work.
    pub no_masks: bool,
}

/// How far the ideal scores predict the simulated labels, on pairs of a group whose labels differ in the mean: the best that a
/// model could do, but for luck. A pair of equal ideal scores counts as half right.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Ceiling {
    /// On instruction following; `None` without such pairs.
    #[serde(rename = "if")]
    pub following: Option<f64>,
    /// On visual quality.
    #[serde(rename = "vq")]
    pub looks: Option<f64>,
}

/// Makes `options.groups` groups from the photos in `photos` and writes them to the folder `out`.
///
/// `out` must be new, empty, or made by an earlier call, whose files are then replaced. `groups.jsonl` is written last, under
/// its name only when whole. `progress` is called after every group, in the order in which they finish.
///
/// # Errors
///
/// A photo folder without photos, a chosen name that is not in it, an unreadable picture, a folder that cannot be written.
pub fn generate(
    photos: &Path,
    choice: &Choice,
    out: &Path,
    options: Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Report, Ceiling), SynthError> {
    let folder = PhotoFolder::open_any(photos)?;
    let files = chosen(&folder, photos, choice)?;
    if options.long_side < 64 {
        return Err(SynthError::Photos {
            dir: photos.to_owned(),
            problem: format!(
                "a long side of {} pixels is too small to show an edit; 64 is the least",
                options.long_side
            ),
        });
    }
    let total = options.groups.unwrap_or(DEFAULT_GROUPS);
    let output = Output::prepare(out)?;
    let bytes = output.write_provenance(&papers::provenance(choice, &files, total, options))?;
    for shelf in (0..total).step_by(group::SHELF).map(group::shelf) {
        for kind in ["photos", "edits", "masks"] {
            output.make_folder(&format!("{kind}/{shelf}"))?;
        }
    }
    let studio = Studio {
        stock: Stock::new(&folder, &files, options.long_side),
        output: &output,
        seed: options.seed,
        masks: !choice.no_masks,
        annotators: Annotators::of_different_strictness(options.seed),
    };
    let mut done = 0;
    let finished = on_all_cores(
        total,
        |index| studio.group(index),
        |group: &Finished| {
            done += 1;
            progress(Progress {
                done,
                total,
                group: &group.line.id,
            });
        },
    )?;
    let (mut report, ceiling) = written(&output, &folder, finished, options)?;
    report.bytes += bytes;
    Ok((report, ceiling))
}

/// Writes what goes with the pictures, the groups last.
fn written(
    output: &Output,
    folder: &PhotoFolder,
    finished: Vec<Finished>,
    options: Options,
) -> Result<(Report, Ceiling), SynthError> {
    let ceiling = papers::ceiling(&finished);
    let used: BTreeSet<String> = finished.iter().map(|f| f.photo.clone()).collect();
    let used: Vec<String> = used.into_iter().collect();
    let mut bytes: u64 = finished.iter().map(|f| f.bytes).sum();
    let (lines, truths): (Vec<_>, Vec<_>) = finished.into_iter().map(|f| (f.line, f.truth)).unzip();
    bytes += output.write_lines("truth.jsonl", &truths)?;
    let credits = output::credits(folder, &used, options.long_side);
    bytes += output.write("CREDITS.tsv", credits.as_bytes())?;
    let mut report = summed(&lines, used.len(), bytes);
    let readme = papers::readme(&report, ceiling, folder.credited(), options);
    report.bytes += output.write("README.md", readme.as_bytes())?;
    report.bytes += output.write_lines("groups.jsonl", &lines)?;
    Ok((report, ceiling))
}

/// The photos to use, sorted.
fn chosen(folder: &PhotoFolder, dir: &Path, choice: &Choice) -> Result<Vec<String>, SynthError> {
    let problem = |problem: String| SynthError::Photos {
        dir: dir.to_owned(),
        problem,
    };
    let mut files = folder.files()?;
    let stem = |name: &str| {
        Path::new(name)
            .file_stem()
            .map_or_else(|| name.to_owned(), |s| s.to_string_lossy().into_owned())
    };
    let known: BTreeMap<String, String> = files
        .iter()
        .flat_map(|file| [(file.clone(), file.clone()), (stem(file), file.clone())])
        .collect();
    let resolved = |names: &[String]| -> Result<BTreeSet<String>, SynthError> {
        let found = names.iter().map(|name| {
            known.get(name).cloned().ok_or_else(|| {
                problem(format!(
                    "there is no photo '{name}'; --only and --except take the names of its photos, such as '{}'",
                    files.first().map_or_else(String::new, |f| stem(f))
                ))
            })
        });
        found.collect()
    };
    let (only, except) = (resolved(&choice.only)?, resolved(&choice.except)?);
    files.retain(|file| (only.is_empty() || only.contains(file)) && !except.contains(file));
    if files.is_empty() {
        return Err(problem(
            "no photo is left to use: it needs .jpg, .png or .webp files that --only names and --except does not".to_owned(),
        ));
    }
    for file in &files {
        folder.check_credit(file).map_err(problem)?;
    }
    Ok(files)
}
