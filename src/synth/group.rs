//! One group from one row: the right edit, the faulty ones, their files and their labels.

use std::collections::BTreeMap;
use std::path::Path;

use rand::RngExt as _;

use super::Options;
use super::edits::{Nature, Stage, Step, perform};
use super::error::SynthError;
use super::fault::{Deed, Fault, Flaw, chosen};
use super::labels::{Annotators, edit_seed};
use super::output::{CandidateLine, GroupLine, Output, jpeg};
use super::photos::PhotoFolder;
use super::raster::mask::Mask;
use super::raster::noise::{Chance, chance};
use super::raster::picture::Picture;
use super::recipe::{Recipe, Row, Stray};
use super::spoil::{Material, flawed};

/// The quality that source photos are written with.
pub(crate) const PHOTO_QUALITY: u8 = 85;

/// A picture that takes more than one byte for so many is of much fine detail.
const DETAILED: usize = 10;

/// What all groups share.
pub(crate) struct Kitchen<'a> {
    folder: &'a PhotoFolder,
    output: &'a Output,
    strays: &'a [Stray],
    options: Options,
    annotators: Annotators,
}

/// One row's ingredients.
struct Table<'a> {
    row: &'a Row,
    source: Picture,
    subject: Option<Mask>,
    scenes: BTreeMap<String, Picture>,
    seed: u64,
    id: &'a str,
}

impl Table<'_> {
    /// Performs steps on the source; where they worked comes along.
    fn performed(&self, steps: &[Step], swapped: bool) -> (Picture, Mask) {
        let mut stage = Stage::new(
            self.source.clone(),
            self.subject.clone(),
            &self.scenes,
            chance(self.seed, &format!("{}/edit", self.id)),
        );
        stage.swapped = swapped;
        perform(steps, &mut stage);
        (stage.picture, stage.touched)
    }
}

impl<'a> Kitchen<'a> {
    pub(crate) fn new(
        folder: &'a PhotoFolder,
        output: &'a Output,
        recipe: &'a Recipe,
        options: Options,
    ) -> Self {
        Self {
            folder,
            output,
            strays: &recipe.strays,
            options,
            annotators: Annotators::new(options.seed),
        }
    }

    /// Makes and writes one group; gives its line and how many bytes its pictures take.
    pub(crate) fn group(&self, id: &str, row: &Row) -> Result<(GroupLine, u64), SynthError> {
        let table = self.table(id, row)?;
        let (right, touched) = table.performed(&row.steps, false);
        let material = Material {
            source: &table.source,
            right: &right,
            touched: &touched,
        };
        let mut stream = chance(self.options.seed, &format!("{id}/faults"));
        let faults = chosen(&possible(row, &material), &mut stream);
        let mut candidates = Vec::with_capacity(faults.len());
        let mut bytes = 0;
        for (letter, fault) in ('a'..='z').zip(faults) {
            let stream = &mut chance(self.options.seed, &format!("{id}/{letter}"));
            let (picture, deed) = self.done(fault, &table, &material, stream);
            let (picture, flaw, quality) = flawed(picture, fault.flaw, fault.flaw_grade, stream);
            let image = format!("edits/{id}-{letter}.jpg");
            let usual = stream.random_range(78..=85);
            let file = encoded(&picture, quality, usual)
                .map_err(|e| SynthError::output(Path::new(&image), &e))?;
            bytes += self.output.write(&image, &file)?;
            let ideal = fault.ideal(row.nature());
            candidates.push(CandidateLine {
                id: letter.to_string(),
                image,
                editor: fault.editor(),
                seed: edit_seed(stream),
                fault: in_words(fault, &deed, &flaw),
                labels: self.annotators.judge(ideal, stream),
            });
        }
        let group = GroupLine {
            id: id.to_owned(),
            source: format!("photos/{}", row.photo),
            instruction: row.instruction.clone(),
            category: row.category.clone(),
            candidates,
        };
        Ok((group, bytes))
    }

    fn table<'t>(&self, id: &'t str, row: &'t Row) -> Result<Table<'t>, SynthError> {
        let source = self.as_shipped(&row.photo)?;
        let subject = if self.folder.has_mask(&row.photo) {
            let size = (
                u32::try_from(source.width).unwrap_or(u32::MAX),
                u32::try_from(source.height).unwrap_or(u32::MAX),
            );
            Some(self.folder.mask(&row.photo, size)?)
        } else {
            None
        };
        let mut scenes = BTreeMap::new();
        for scene in row.scenes() {
            scenes.insert(scene.to_owned(), self.as_shipped(scene)?);
        }
        Ok(Table {
            row,
            source,
            subject,
            scenes,
            seed: self.options.seed,
            id,
        })
    }

    /// A photo as an editor gets it: after it was made small and encoded.
    fn as_shipped(&self, file: &str) -> Result<Picture, SynthError> {
        let path = self.folder.photo_path(file);
        let image = self.folder.photo(file, self.options.long_side)?;
        let bytes = jpeg(&image, PHOTO_QUALITY).map_err(|e| SynthError::image(&path, &e))?;
        let decoded = image::load_from_memory_with_format(&bytes, image::ImageFormat::Jpeg)
            .map_err(|e| SynthError::image(&path, &e))?;
        Ok(Picture::of_image(&decoded.to_rgb8()))
    }

    /// The picture that a deed leaves, and the deed in words.
    fn done(
        &self,
        fault: Fault,
        table: &Table<'_>,
        material: &Material<'_>,
        stream: &mut Chance,
    ) -> (Picture, String) {
        let row = table.row;
        match fault.deed {
            Deed::Exact => (material.right.clone(), String::new()),
            Deed::Faint => material.faint(fault.deed_grade),
            Deed::Overdone => material.overdone(fault.deed_grade),
            Deed::Partial => material.partial(row.nature(), stream),
            Deed::RestToo => material.rest_too(fault.deed_grade, stream),
            Deed::Nothing => (
                material.source.clone(),
                "nothing done: the source encoded again".to_owned(),
            ),
            Deed::WrongPlace => (
                table.performed(&row.steps, true).0,
                "wrong place: done to everything but what was meant".to_owned(),
            ),
            Deed::WrongOperation => {
                let stray = self.stray(row, stream);
                let (picture, _) = table.performed(&stray.steps, false);
                (picture, format!("wrong operation: {}", stray.words))
            }
        }
    }

    /// The row's own wrong edit, or one of the recipe's that cannot pass for the right one.
    fn stray<'s>(&'s self, row: &'s Row, stream: &mut Chance) -> &'s Stray {
        let fitting: Vec<&Stray> = self
            .strays
            .iter()
            .filter(|stray| !stray.not_for.contains(&row.category))
            .collect();
        match &row.instead {
            Some(own) => own,
            None => fitting[stream.random_range(0..fitting.len())],
        }
    }
}

/// A picture as JPEG: with the quality that its flaw asks for, else the usual one; a picture of much fine detail, which hides
/// what compression does, with less.
fn encoded(picture: &Picture, flawed: Option<u8>, usual: u8) -> Result<Vec<u8>, String> {
    let image = picture.to_image();
    let bytes = jpeg(&image, flawed.unwrap_or(usual))?;
    if flawed.is_none() && bytes.len() > image.as_raw().len() / DETAILED {
        jpeg(&image, usual - 12)
    } else {
        Ok(bytes)
    }
}

/// The faults of following that can be told apart from the right edit and from each other in this row.
fn possible(row: &Row, material: &Material<'_>) -> Vec<Deed> {
    let nature = row.nature();
    Deed::FAULTS
        .into_iter()
        .filter(|(_, name)| !row.avoid.iter().any(|avoided| avoided == name))
        .map(|(deed, _)| deed)
        .filter(|deed| match deed {
            Deed::Faint => nature != Nature::Shape,
            Deed::Overdone => nature == Nature::Shift,
            Deed::RestToo => material.is_local() && nature != Nature::Shape,
            Deed::WrongPlace => row.can_swap(),
            Deed::Exact | Deed::Partial | Deed::WrongOperation | Deed::Nothing => true,
        })
        .collect()
}

/// A candidate's faults in words; "none" for the right edit.
fn in_words(fault: Fault, deed: &str, flaw: &str) -> String {
    match (fault.deed, fault.flaw) {
        (Deed::Exact, Flaw::None) => "none".to_owned(),
        (Deed::Exact, _) => format!("right edit, {flaw}"),
        (_, Flaw::None) => deed.to_owned(),
        _ => format!("{deed}; {flaw}"),
    }
}
