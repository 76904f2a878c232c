//! Makes sample data: known edits of licensed photos, with known faults and simulated labels.
//!
//! There are two ways. [`procedural`] makes any number of plain groups from any photos, for training. A [`Recipe`] makes few, with
//! care, for looking at; the rest of this module is about the latter. A [`Recipe`] names photos, instructions and the operations that carry them out; [`generate`] performs them, adds candidates
//! with faults, has simulated annotators score them, and writes a folder with `groups.jsonl`, pictures and credits. The same
//! recipe, photos and seed give the same bytes; each group has its own stream of chance, so new rows leave old groups as they
//! were. It does not judge whether an edit looks right: the rows of the built-in recipe were looked at by a person.

mod crew;
mod edits;
mod error;
mod fault;
mod group;
mod labels;
mod output;
mod photos;
pub mod procedural;
mod raster;
mod recipe;
mod spoil;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

pub use error::SynthError;
pub use recipe::Recipe;

use crew::on_all_cores;
use group::Kitchen;
use output::{GroupLine, Output, Provenance};
use photos::PhotoFolder;
use recipe::Row;

use crate::domain::stats::{Level, krippendorff_alpha};

/// How sample data is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Decides faults, chance and labels.
    pub seed: u64,
    /// How many groups; `None` for one per row of the recipe. Fewer takes the first rows; more goes through them again with
    /// other faults.
    pub groups: Option<usize>,
    /// The longer side of the pictures, in pixels; smaller photos keep their size.
    pub long_side: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 7,
            groups: None,
            long_side: 512,
        }
    }
}

/// One finished group, as progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// Groups finished, this one included.
    pub done: usize,
    /// Groups in all.
    pub total: usize,
    /// This one's id.
    pub group: &'a str,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Groups written.
    pub groups: usize,
    /// Candidates written.
    pub candidates: usize,
    /// Photos written.
    pub photos: usize,
    /// Bytes written in all.
    pub bytes: u64,
    /// Krippendorff's ordinal alpha of the simulated labels on instruction following; `None` if undefined.
    #[serde(rename = "alpha_if")]
    pub alpha_following: Option<f64>,
    /// The same on visual quality.
    #[serde(rename = "alpha_vq")]
    pub alpha_quality: Option<f64>,
    /// Groups by category.
    pub categories: BTreeMap<String, usize>,
    /// Candidates by made-up editor, that is by fault.
    pub editors: BTreeMap<String, usize>,
}

/// Makes the groups of `recipe` from the photos in `photos` and writes them to the folder `out`.
///
/// Everything is checked first; nothing is written when a row cannot be carried out. `out` must be new, empty, or made by an
/// earlier call, whose pictures are then replaced. `progress` is called after every group, in the order in which they finish.
pub fn generate(
    recipe: &Recipe,
    photos: &Path,
    out: &Path,
    options: Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report, SynthError> {
    let folder = PhotoFolder::open(photos)?;
    recipe.check_against(&folder)?;
    let orders = orders(recipe, options);
    let used: BTreeSet<&str> = orders
        .iter()
        .flat_map(|(_, row)| std::iter::once(row.photo.as_str()).chain(row.scenes()))
        .collect();
    let used: Vec<String> = used.into_iter().map(str::to_owned).collect();

    let output = Output::prepare(out)?;
    let mut bytes = 0;
    // First, so that a run that was stopped is known as ours by the next.
    bytes += output.write_provenance(&Provenance {
        generator: concat!("erw ", env!("CARGO_PKG_VERSION")).into(),
        seed: options.seed,
        groups: orders.len(),
        long_side: options.long_side,
        recipe: recipe.fingerprint().to_owned(),
    })?;
    for file in &used {
        let path = folder.photo_path(file);
        let image = folder.photo(file, options.long_side)?;
        let jpeg =
            output::jpeg(&image, group::PHOTO_QUALITY).map_err(|e| SynthError::image(&path, &e))?;
        bytes += output.write(&format!("photos/{file}"), &jpeg)?;
        if folder.has_mask(file) {
            let mask = folder.mask_image(file, output::MASK_SIDE)?;
            let png = output::mask_png(&mask).map_err(|e| SynthError::image(&path, &e))?;
            let name = Path::new(file).with_extension("png");
            bytes += output.write(&format!("masks/{}", name.display()), &png)?;
        }
    }

    let kitchen = Kitchen::new(&folder, &output, recipe, options);
    let (groups, pictures) = cooked(&kitchen, &orders, progress)?;
    bytes += pictures + output.write_lines("groups.jsonl", &groups)?;
    bytes += output.write(
        "CREDITS.tsv",
        output::credits(&folder, &used, options.long_side).as_bytes(),
    )?;
    bytes += output.write("SUBJECTS.tsv", output::subjects(&folder, &used).as_bytes())?;
    let mut report = summed(&groups, used.len(), bytes);
    let readme = output::readme(&report, options.seed);
    report.bytes += output.write("README.md", readme.as_bytes())?;
    Ok(report)
}

/// The groups to make: ids and rows. Later rounds through the recipe are numbered from 2.
fn orders(recipe: &Recipe, options: Options) -> Vec<(String, &Row)> {
    let rows = recipe.rows.len();
    (0..options.groups.unwrap_or(rows))
        .map(|i| {
            let row = &recipe.rows[i % rows];
            let id = match i / rows {
                0 => row.id.clone(),
                round => format!("{}-{}", row.id, round + 1),
            };
            (id, row)
        })
        .collect()
}

/// Makes all groups on as many threads as there are cores; gives them in the order of the recipe.
fn cooked(
    kitchen: &Kitchen<'_>,
    orders: &[(String, &Row)],
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Vec<GroupLine>, u64), SynthError> {
    let (mut done, mut bytes) = (0, 0);
    let made = on_all_cores(
        orders.len(),
        |index| {
            let (id, row) = &orders[index];
            kitchen.group(id, row)
        },
        |(group, size): &(GroupLine, u64)| {
            done += 1;
            bytes += size;
            progress(Progress {
                done,
                total: orders.len(),
                group: &group.id,
            });
        },
    )?;
    Ok((made.into_iter().map(|(group, _)| group).collect(), bytes))
}

fn ordinal_alpha(units: &[Vec<f64>]) -> Option<f64> {
    krippendorff_alpha(units, Level::Ordinal).ok()
}

fn summed(groups: &[GroupLine], photos: usize, bytes: u64) -> Report {
    let (mut categories, mut editors) = (BTreeMap::new(), BTreeMap::new());
    let (mut following, mut quality) = (Vec::new(), Vec::new());
    for group in groups {
        *categories.entry(group.category.clone()).or_insert(0) += 1;
        for candidate in &group.candidates {
            *editors.entry(candidate.editor.clone()).or_insert(0) += 1;
            let labels = &candidate.labels;
            following.push(labels.iter().map(|l| f64::from(l.following)).collect());
            quality.push(labels.iter().map(|l| f64::from(l.looks)).collect());
        }
    }
    Report {
        groups: groups.len(),
        candidates: following.len(),
        photos,
        bytes,
        alpha_following: ordinal_alpha(&following),
        alpha_quality: ordinal_alpha(&quality),
        categories,
        editors,
    }
}

#[cfg(test)]
mod tests;
