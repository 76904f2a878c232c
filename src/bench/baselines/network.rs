//! Baselines that are networks, for whoever can run one: this module knows no model. It reads the images, hands them over and
//! makes answers of the numbers that come back.

use std::ops::ControlFlow;
use std::path::Path;

use image::RgbImage;

use super::{nothing, scored, source};
use crate::bench::answer::Answer;
use crate::bench::case::Case;
use crate::bench::scorer::{Ask, Scorer, ScorerInfo};
use crate::data::images;
use crate::domain::raster::Raster;

/// A network that scores an edit by its source or by its instruction. Errors are in words for the user.
pub trait Network {
    /// What is computed once for all edits of a case.
    type Reference;

    /// What it is.
    fn info(&self) -> ScorerInfo;

    /// Whether it looks at the source image; else it reads the instruction only, and a case needs no source.
    fn looks_at_source(&self) -> bool;

    /// What edits are held against. `source` is there where the network looks at it.
    fn reference(
        &self,
        instruction: &str,
        source: Option<Raster<'_>>,
    ) -> Result<Self::Reference, String>;

    /// The score of an edit, higher is better; in the source's size where the network looks at that.
    fn score(&self, reference: &Self::Reference, edit: Raster<'_>) -> Result<f64, String>;
}

/// Width and height in pixels.
type Size = (u32, u32);

/// A network at work.
///
/// Edits are 8-bit RGB as [`images::decode`] gives them. Where the network looks at the source, an edit of another size is brought
/// to the source's size first (Lanczos), its proportions given up, as for the other measures of closeness. Cases are answered one
/// after the other: a network takes all processors by itself, and the memory for one pair of images at a time.
#[derive(Debug)]
pub struct NetworkScorer<N> {
    network: N,
}

impl<N: Network> NetworkScorer<N> {
    /// The scorer that asks this network.
    pub const fn new(network: N) -> Self {
        Self { network }
    }

    fn judged(&self, case: &Case, root: &Path) -> Answer {
        match self.reference(case, root) {
            Ok((reference, size)) => scored(case, root, |edit| self.score(&reference, edit, size)),
            Err(reason) => Answer::new(case.id.clone(), nothing(reason)),
        }
    }

    /// What the edits of a case are held against, and the size that they are to have, if any.
    fn reference(&self, case: &Case, root: &Path) -> Result<(N::Reference, Option<Size>), String> {
        if case.edits.is_empty() {
            return Err("the case has no edits".into());
        }
        let instruction = &case.instruction;
        if !self.network.looks_at_source() {
            return Ok((self.network.reference(instruction, None)?, None));
        }
        let image = source(case, root)?;
        let reference = self.network.reference(instruction, Some(raster(&image)?))?;
        Ok((reference, Some(image.dimensions())))
    }

    fn score(
        &self,
        reference: &N::Reference,
        edit: &RgbImage,
        size: Option<Size>,
    ) -> Result<f64, String> {
        match size {
            Some((width, height)) if edit.dimensions() != (width, height) => {
                let edit = images::resize(edit, width, height);
                self.network.score(reference, raster(&edit)?)
            }
            _ => self.network.score(reference, raster(edit)?),
        }
    }
}

fn raster(image: &RgbImage) -> Result<Raster<'_>, String> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let pixels = image.as_raw().as_chunks().0;
    Raster::new(width, height, pixels).ok_or_else(|| "the image has no pixels".to_owned())
}

impl<N: Network> Scorer for NetworkScorer<N> {
    fn info(&self) -> ScorerInfo {
        self.network.info()
    }

    fn answer_all(
        &mut self,
        cases: &[&Case],
        _ask: Ask,
        root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        for case in cases {
            if on_answer(self.judged(case, root)).is_break() {
                break;
            }
        }
        Ok(())
    }
}
