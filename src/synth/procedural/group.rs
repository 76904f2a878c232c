//! One group: a scene, an order that shows in it, a cast of editors, their pictures, labels, and the truth about all of it.

use std::path::Path;

use image::GrayImage;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::catalogue;
use super::damage::{spilled, spoilt};
use super::editors::{Editor, cast};
use super::order::{Action, Order};
use super::outcome::{Artefact, Exclusivity, Fidelity, Grade, Outcome};
use super::perform::{Done, perform, seen};
use super::scene::{Crop, QUALITY, Scene, Stock};
use super::wording::worded;
use crate::synth::error::SynthError;
use crate::synth::labels::{Annotators, edit_seed};
use crate::synth::output::{CandidateLine, GroupLine, Output, jpeg, mask_png};
use crate::synth::raster::color::byte;
use crate::synth::raster::grid::count;
use crate::synth::raster::mask::Mask;
use crate::synth::raster::noise::{Chance, chance};

/// How plainly (see [`seen`]) an edit must show, and two outcomes that should differ must differ.
const PLAIN: f32 = 0.07;
/// How many scenes and orders are tried for a group before the plainest order is taken.
const TRIES: usize = 12;
/// Groups to a subfolder.
pub(super) const SHELF: usize = 1000;
/// The longer side of a truth mask, in pixels.
const TRUTH_SIDE: f32 = 160.0;

/// The truth about one group: a line of `truth.jsonl`.
#[derive(Debug, Serialize)]
pub(super) struct Truth {
    group: String,
    photo: String,
    crop: Crop,
    #[serde(flatten)]
    order: Order,
    /// The picture of where the right edit works, white on black; none where it works everywhere or masks were not asked for.
    mask: Option<String>,
    /// A box around where it works: left, top, right, bottom as fractions of the result.
    region: Option<[f32; 4]>,
    candidates: Vec<CandidateTruth>,
}

/// The truth about one candidate.
#[derive(Debug, Serialize)]
struct CandidateTruth {
    id: String,
    editor: &'static str,
    fidelity: Fidelity,
    exclusivity: Exclusivity,
    artefact: Artefact,
    /// Of the artefact, where there is one.
    grade: Option<Grade>,
    /// What was carried out; none where nothing was. By halves of a region, it is the right order, and `half` names the side.
    done: Option<Order>,
    half: Option<&'static str>,
    ideal: Ideal,
    region: Option<[f32; 4]>,
}

/// A fair judge's scores by the rule, 1..=4 with fractions.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Ideal {
    #[serde(rename = "if")]
    following: f32,
    #[serde(rename = "vq")]
    looks: f32,
}

/// A finished group.
pub(super) struct Finished {
    pub(super) line: GroupLine,
    pub(super) truth: Truth,
    pub(super) photo: String,
    /// Ideal scores of the candidates, in their order.
    pub(super) ideals: Vec<(f32, f32)>,
    pub(super) bytes: u64,
}

/// What all groups share.
pub(super) struct Studio<'a> {
    pub(super) stock: Stock<'a>,
    pub(super) output: &'a Output,
    pub(super) seed: u64,
    pub(super) masks: bool,
    pub(super) annotators: Annotators,
}

/// A scene with an order that shows in it.
struct Commission {
    scene: Scene,
    order: Order,
    right: Done,
}

/// What an editor handed in.
struct Work {
    done: Done,
    order: Option<Order>,
    half: Option<&'static str>,
}

impl Work {
    fn whole(order: Order, done: Done) -> Self {
        Self {
            done,
            order: Some(order),
            half: None,
        }
    }
}

/// The folder below `edits/`, `photos/` or `masks/` that a group's files are in.
pub(super) fn shelf(index: usize) -> String {
    format!("{:03}", index / SHELF)
}

impl Studio<'_> {
    /// Makes and writes group `index`, which depends on the seed, the photos and this number, and on no other group.
    pub(super) fn group(&self, index: usize) -> Result<Finished, SynthError> {
        let id = format!("g{index:06}");
        let stream = &mut chance(self.seed, &format!("{id}/order"));
        let Commission {
            scene,
            order,
            right,
        } = self.commission(stream)?;
        let instruction = worded(&order, &scene, &self.stock, stream);
        let halves_region = order.halved().is_none();
        let possible = self.possible(&order);
        let cast = cast(order.kind, &possible, halves_region, stream);

        let at = format!("{}/{id}", shelf(index));
        let source = format!("photos/{at}.jpg");
        let mut bytes = self.output.write(&source, &scene.jpeg)?;
        let mut candidates = Vec::with_capacity(cast.len());
        let mut truths = Vec::with_capacity(cast.len());
        let mut ideals = Vec::with_capacity(cast.len());
        for (letter, (editor, wish)) in ('a'..='z').zip(cast) {
            let stream = &mut chance(self.seed, &format!("{id}/{letter}"));
            let commission = (&scene, &order, &right);
            let (work, outcome) = self.worked(commission, wish, stream)?;
            let spared = if outcome.fidelity == Fidelity::Nothing {
                &right.touched
            } else {
                &work.done.touched
            };
            let image = format!("edits/{at}-{letter}.jpg");
            let wrong = |problem: String| SynthError::output(Path::new(&image), &problem);
            let picture = spilled(
                &work.done.picture,
                outcome.exclusivity,
                order.kind,
                spared,
                stream,
            );
            let picture =
                spoilt(&picture, outcome.artefact, outcome.grade, spared, stream).map_err(wrong)?;
            let file = jpeg(&picture.to_image(), QUALITY).map_err(wrong)?;
            bytes += self.output.write(&image, &file)?;
            let ideal = outcome.ideal(halves_region);
            ideals.push(ideal);
            truths.push(truth(letter, editor, outcome, &work, ideal));
            candidates.push(CandidateLine {
                id: letter.to_string(),
                image,
                editor: editor.name.to_owned(),
                seed: edit_seed(stream),
                fault: outcome.in_words(),
                labels: self.annotators.judge(ideal, stream),
            });
        }
        let (mask, size) = self.truth_mask(&at, &right.touched)?;
        Ok(Finished {
            photo: scene.file.clone(),
            line: GroupLine {
                id: id.clone(),
                source,
                instruction,
                category: order.kind.name().to_owned(),
                candidates,
            },
            truth: Truth {
                group: id,
                photo: scene.file.clone(),
                crop: scene.crop,
                region: region(&right.touched),
                order,
                mask,
                candidates: truths,
            },
            ideals,
            bytes: bytes + size,
        })
    }

    /// Draws scenes and orders until one shows.
    fn commission(&self, stream: &mut Chance) -> Result<Commission, SynthError> {
        let mut plainest: Option<(f32, Commission)> = None;
        for _ in 0..TRIES {
            let scene = self.stock.scene(stream)?;
            let kinds = catalogue::possible(&scene, &self.stock);
            let kind = catalogue::drawn_kind(&kinds, stream);
            let Some(order) = catalogue::drawn(kind, &scene, &self.stock, stream) else {
                continue;
            };
            let right = perform(&order, &scene, &self.stock)?;
            let plain = seen(&right.picture, &scene.picture);
            let commission = Commission {
                scene,
                order,
                right,
            };
            if plain > PLAIN * 1.2 {
                return Ok(commission);
            }
            if plainest.as_ref().is_none_or(|(most, _)| plain > *most) {
                plainest = Some((plain, commission));
            }
        }
        plainest.map(|(_, commission)| commission).ok_or_else(|| {
            SynthError::output(
                self.output.root(),
                "no edit of the catalogue could be carried out on these photos",
            )
        })
    }

    /// The fidelities that an order allows.
    fn possible(&self, order: &Order) -> Vec<Fidelity> {
        let files = self.alternatives(order, &mut chance(0, ""));
        Fidelity::ALL
            .into_iter()
            .filter(|fidelity| match fidelity {
                Fidelity::WrongPlace => order.misplaced().is_some(),
                Fidelity::Opposite => order.opposite(&files).is_some(),
                _ => true,
            })
            .collect()
    }

    /// Photos that could stand in for the one that an order names, in an order of chance.
    fn alternatives(&self, order: &Order, stream: &mut Chance) -> Vec<String> {
        let mut files: Vec<String> = match &order.action {
            Action::Paste { file, .. } => {
                let own = self.stock.subject_name(file);
                let files = self.stock.files.iter();
                files
                    .filter(|f| self.stock.has_subject(f) && self.stock.subject_name(f) != own)
                    .cloned()
                    .collect()
            }
            Action::Photo { .. } => self.stock.files.to_vec(),
            _ => Vec::new(),
        };
        for i in (1..files.len()).rev() {
            files.swap(i, stream.random_range(0..=i));
        }
        files
    }

    /// What an editor hands in. What it meant to do may not show in this picture; then it does something else, or nothing, and
    /// the outcome says so.
    fn worked(
        &self,
        (scene, order, right): (&Scene, &Order, &Done),
        mut outcome: Outcome,
        stream: &mut Chance,
    ) -> Result<(Work, Outcome), SynthError> {
        if outcome.fidelity == Fidelity::Exact {
            return Ok((Work::whole(order.clone(), right.clone()), outcome));
        }
        let plain = |work: &Work| {
            seen(&work.done.picture, &right.picture) > PLAIN
                && seen(&work.done.picture, &scene.picture) > PLAIN
        };
        for fidelity in [outcome.fidelity, Fidelity::WrongOperation] {
            if fidelity == Fidelity::Nothing {
                break;
            }
            for _ in 0..if fidelity == Fidelity::WrongOperation {
                6
            } else {
                1
            } {
                let meant = self.meant(fidelity, (scene, order, right), stream)?;
                if let Some(work) = meant.filter(plain) {
                    outcome.fidelity = fidelity;
                    return Ok((work, outcome));
                }
            }
        }
        outcome.fidelity = Fidelity::Nothing;
        outcome.exclusivity = Exclusivity::Clean;
        let work = Work {
            done: Done {
                picture: scene.picture.clone(),
                touched: scene.picture.map(|_| 0.0),
            },
            order: None,
            half: None,
        };
        Ok((work, outcome))
    }

    /// One try at following only so far; `None` where it cannot be done.
    fn meant(
        &self,
        fidelity: Fidelity,
        (scene, order, right): (&Scene, &Order, &Done),
        stream: &mut Chance,
    ) -> Result<Option<Work>, SynthError> {
        let other = match fidelity {
            Fidelity::Exact => Some(order.clone()),
            Fidelity::Nothing => None,
            Fidelity::Partial => match order.halved() {
                None => return Ok(Some(by_halves(scene, order, right, stream))),
                half => half,
            },
            Fidelity::WrongPlace => order.misplaced(),
            Fidelity::Opposite => order.opposite(&self.alternatives(order, stream)),
            Fidelity::WrongOperation => {
                let kinds: Vec<_> = catalogue::possible(scene, &self.stock)
                    .into_iter()
                    .filter(|kind| kind.family() != order.kind.family())
                    .collect();
                let kind = catalogue::drawn_kind(&kinds, stream);
                catalogue::drawn(kind, scene, &self.stock, stream)
            }
        };
        other
            .map(|other| {
                let done = perform(&other, scene, &self.stock)?;
                Ok(Work::whole(other, done))
            })
            .transpose()
    }

    /// Writes the mask of an edit that does not work everywhere; gives its name and size.
    fn truth_mask(&self, at: &str, touched: &Mask) -> Result<(Option<String>, u64), SynthError> {
        if !self.masks || touched.cells.iter().all(|v| *v > 0.99) {
            return Ok((None, 0));
        }
        let name = format!("masks/{at}.png");
        let (w, h) = touched.size();
        let factor = (w.max(h) / TRUTH_SIDE).max(1.0);
        let soft = touched.blurred(0.4 * factor);
        let side = |len: f32| u32::try_from(count(len / factor).max(1)).unwrap_or(1);
        let small = GrayImage::from_fn(side(w), side(h), |x, y| {
            image::Luma([byte(
                soft.at((x as f32 + 0.5) * factor, (y as f32 + 0.5) * factor),
            )])
        });
        let png = mask_png(&small).map_err(|e| SynthError::output(Path::new(&name), &e))?;
        let size = self.output.write(&name, &png)?;
        Ok((Some(name), size))
    }
}

fn region(touched: &Mask) -> Option<[f32; 4]> {
    let rounded = |v: f32| (v * 1000.0).round() / 1000.0;
    touched
        .extent()
        .map(|e| [e.left, e.top, e.right, e.bottom].map(rounded))
}

fn truth(
    letter: char,
    editor: &Editor,
    outcome: Outcome,
    work: &Work,
    (following, looks): (f32, f32),
) -> CandidateTruth {
    CandidateTruth {
        id: letter.to_string(),
        editor: editor.name,
        fidelity: outcome.fidelity,
        exclusivity: outcome.exclusivity,
        artefact: outcome.artefact,
        grade: (outcome.artefact != Artefact::None).then_some(outcome.grade),
        done: work.order.clone(),
        half: work.half,
        ideal: Ideal { following, looks },
        region: region(&work.done.touched),
    }
}

/// The right edit on one side of its region, the source on the other.
fn by_halves(scene: &Scene, order: &Order, right: &Done, stream: &mut Chance) -> Work {
    // Half a word is its first letters.
    let sides: &[&'static str] = match order.action {
        Action::Text { .. } => &["left"],
        _ => &["left", "right", "upper", "lower"],
    };
    let side = sides[stream.random_range(0..sides.len())];
    let keep = right.touched.half(side, 0.01);
    Work {
        done: Done {
            picture: scene.picture.mixed(&right.picture, &keep),
            touched: right.touched.times_mask(&keep),
        },
        order: Some(order.clone()),
        half: Some(side),
    }
}
