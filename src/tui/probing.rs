//! Probes and occlusions for the screens: the pictures are made on a thread of their own and put before the model as they come;
//! what it says is told by the model's thread. A newer wish takes the place of the older at once.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use tokio::sync::mpsc::UnboundedSender;

use crate::data::images;
use crate::domain::{Axis, Group, GroupId, ImageRef, Reward};
use crate::failures::occlusion::{Occlusion, Plan};
use crate::failures::overlay::Heat;
use crate::failures::probe::{Donor, Factor, Material};
use crate::model::Picture;
use crate::score::{Ask, Feed, RateJob};

use super::library::{Library, Scoring};
use super::msg::Msg;
use super::widgets::image::Lent;

/// What is to be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// What the scores do as a factor is turned.
    Factor(Factor),
    /// What they hang on.
    Occlusion,
}

/// A candidate, and what is to be found out about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    /// What the answers are told under.
    pub(crate) job: u64,
    /// The group.
    pub(crate) group: Arc<Group>,
    /// Which candidate of it.
    pub(crate) index: usize,
    /// What.
    pub(crate) what: What,
    /// Other groups, for what is taken from others.
    pub(crate) others: Vec<GroupId>,
}

/// What became of a wish; rewards are told by the model's thread, under the same job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ProbeNews {
    /// The picture of a step is there.
    Variant {
        /// The job.
        job: u64,
        /// The step's place.
        place: usize,
        /// Where it can be had.
        image: ImageRef,
        /// How much of what the factor changes there is in it.
        dose: f64,
        /// The step in words.
        words: String,
    },
    /// It cannot be made.
    NoVariant {
        /// The job.
        job: u64,
        /// The step's place.
        place: usize,
        /// Why.
        why: String,
    },
    /// What the scores hang on, so far: IF, VQ and both, where the model has them.
    Heat {
        /// The job.
        job: u64,
        /// The heat on each.
        heats: [Option<Arc<Heat>>; 3],
        /// Patches looked at.
        patches: usize,
        /// Whether that is all.
        whole: bool,
    },
    /// Nothing can be found out.
    Failed {
        /// The job.
        job: u64,
        /// Why.
        why: String,
    },
}

/// What the model says of the pictures of an occlusion, on its way to the thread that waits for it.
type Said = (usize, Result<Reward, String>);

/// Carries wishes out.
#[derive(Default)]
pub(crate) struct Prober {
    lent: Lent,
    /// The occlusion that waits for what the model says.
    waiting: Option<(u64, Sender<Said>)>,
}

impl Prober {
    /// The pictures of the newest wish.
    pub(crate) fn lent(&self) -> Lent {
        self.lent.clone()
    }

    /// Carries a wish out, on a thread of its own.
    pub(crate) fn begin(
        &mut self,
        wish: Wish,
        library: Arc<dyn Library>,
        scoring: Option<Weak<dyn Scoring>>,
        inbox: UnboundedSender<Msg>,
    ) {
        self.lent.take_back();
        self.waiting = None;
        let (say, said) = channel();
        if wish.what == What::Occlusion {
            self.waiting = Some((wish.job, say));
        }
        let lent = self.lent();
        let job = wish.job;
        let answers = inbox.clone();
        let work = move || {
            let told = |news| inbox.send(Msg::Probe(news)).is_ok();
            if let Err(why) = carry_out(&wish, library.as_ref(), scoring, &lent, &said, &told) {
                told(ProbeNews::Failed { job, why });
            }
        };
        let spawned = std::thread::Builder::new()
            .name("erw-probe".into())
            .spawn(work);
        if let Err(e) = spawned {
            let why = format!("no thread for a probe: {e}");
            let _ = answers.send(Msg::Probe(ProbeNews::Failed { job, why }));
        }
    }

    /// Nothing is to be found out any more.
    pub(crate) fn stop(&mut self) {
        self.waiting = None;
    }

    /// Passes on what the model said of a patch.
    pub(crate) fn heard(&self, job: u64, index: usize, result: Result<Reward, String>) {
        if let Some((waiting, say)) = &self.waiting
            && *waiting == job
        {
            let _ = say.send((index, result));
        }
    }
}

/// The image of a group, as the model takes it.
fn picture(library: &dyn Library, image: &ImageRef) -> Result<Picture, String> {
    let bytes = images::read(library.root(), image).map_err(|e| e.to_string())?;
    let hash = images::content_hash(&bytes);
    Ok(Picture {
        bytes: bytes.into(),
        hash,
    })
}

fn carry_out(
    wish: &Wish,
    library: &dyn Library,
    scoring: Option<Weak<dyn Scoring>>,
    lent: &Lent,
    said: &Receiver<Said>,
    tell: &dyn Fn(ProbeNews) -> bool,
) -> Result<(), String> {
    let candidate = wish.group.candidates.get(wish.index);
    let candidate = candidate.ok_or("this candidate is no longer in its group")?;
    let source = picture(library, &wish.group.source)?;
    let edit = picture(library, &candidate.image)?;
    let feed = {
        let scoring = scoring.and_then(|scoring| scoring.upgrade());
        let scoring = scoring.ok_or("there is no model that could rate it")?;
        let source = source.clone();
        scoring.rate(RateJob {
            id: wish.job,
            source,
        })
    };
    let feed = feed.ok_or("there is no model that could rate it")?;
    let seed = wish.group.id.0.unsigned_abs();
    let material = Material::new(source, edit, wish.group.instruction.as_str(), seed);
    let material = material.map_err(|e| e.to_string())?;
    match wish.what {
        What::Factor(factor) => {
            let material = if factor.needs_map() {
                material.mapped()
            } else {
                material
            };
            let material = if factor.needs_donors() {
                material.with_donors(donors(library, &wish.others))
            } else {
                material
            };
            turn(wish.job, &material, factor, (&feed, lent), tell)
        }
        What::Occlusion => occlude(wish.job, &material, (&feed, said), tell),
    }
}

/// What other groups have to give; those that cannot be read are passed over.
fn donors(library: &dyn Library, others: &[GroupId]) -> Vec<Donor> {
    let donor = |id: &GroupId| {
        let group = library.group(*id).ok()??;
        let edit = group.candidates.first();
        Some(Donor {
            source: picture(library, &group.source).ok()?,
            edit: edit.and_then(|edit| picture(library, &edit.image).ok()),
            key: group.key,
            instruction: group.instruction,
        })
    };
    others.iter().filter_map(donor).collect()
}

/// Makes the pictures of a factor's steps and has them rated.
fn turn(
    job: u64,
    material: &Material,
    factor: Factor,
    (feed, lent): (&Feed, &Lent),
    tell: &dyn Fn(ProbeNews) -> bool,
) -> Result<(), String> {
    let steps = factor.steps(&[]).map_err(|e| e.to_string())?;
    for (place, variant) in material.variants(factor, &steps) {
        if feed.is_dropped() {
            return Ok(());
        }
        let variant = match variant {
            Ok(variant) => variant,
            Err(why) => {
                let why = why.to_string();
                tell(ProbeNews::NoVariant { job, place, why });
                continue;
            }
        };
        tell(ProbeNews::Variant {
            job,
            place,
            image: lent.lend(&variant.picture.hash, &variant.picture.bytes),
            dose: variant.dose,
            words: variant.words,
        });
        let ask = Ask {
            index: place,
            picture: variant.picture,
            instruction: variant.instruction,
        };
        if feed.put(ask).is_break() {
            return Ok(());
        }
    }
    Ok(())
}

/// Puts the source back patch by patch, coarse to fine, and hears what the model says.
fn occlude(
    job: u64,
    material: &Material,
    (feed, said): (&Feed, &Receiver<Said>),
    tell: &dyn Fn(ProbeNews) -> bool,
) -> Result<(), String> {
    let mut occlusion = Occlusion::new(material, Plan::default()).map_err(|e| e.to_string())?;
    let instruction = occlusion.instruction().to_owned();
    let ask = |index, picture| Ask {
        index,
        picture,
        instruction: instruction.clone(),
    };
    let whole = material.neutral().map_err(|e| e.to_string())?;
    if feed.put(ask(0, whole)).is_break() {
        return Ok(());
    }
    // Whoever says is gone when something else is to be found out.
    let Ok((_, first)) = said.recv() else {
        return Ok(());
    };
    occlusion.begin(first?);
    let mut next = 1;
    let mut patches = 0;
    loop {
        let wanted = occlusion.finer();
        if wanted.is_empty() {
            tell(heat(job, &occlusion, patches, true));
            return Ok(());
        }
        let mut asked = HashMap::new();
        let mut answers = 0;
        let mut hear = |occlusion: &mut Occlusion, asked: &HashMap<usize, _>, wait: bool| {
            let heard = if wait {
                said.recv().ok()
            } else {
                said.try_recv().ok()
            };
            let (index, result) = heard?;
            if let Some(patch) = asked.get(&index) {
                occlusion.take(*patch, result);
                patches += 1;
                tell(heat(job, occlusion, patches, false));
            }
            answers += 1;
            Some(())
        };
        for patch in wanted {
            let picture = occlusion.picture(patch).map_err(|e| e.to_string())?;
            asked.insert(next, patch);
            if feed.put(ask(next, picture)).is_break() {
                return Ok(());
            }
            next += 1;
            while hear(&mut occlusion, &asked, false).is_some() {}
        }
        while answers_left(&asked, &occlusion) {
            if hear(&mut occlusion, &asked, true).is_none() {
                return Ok(());
            }
        }
    }
}

/// Whether a patch that was asked for has not been answered.
fn answers_left(
    asked: &HashMap<usize, crate::failures::occlusion::Patch>,
    occlusion: &Occlusion,
) -> bool {
    let seen = |patch: &_| occlusion.seen().iter().any(|seen| seen.patch == *patch);
    asked.values().any(|patch| !seen(patch))
}

fn heat(job: u64, occlusion: &Occlusion, patches: usize, whole: bool) -> ProbeNews {
    let axes = [
        Some(Axis::InstructionFollowing),
        Some(Axis::VisualQuality),
        None,
    ];
    let heats = axes.map(|axis| {
        let grid = occlusion.heat(axis);
        let cells: Vec<f64> = grid.cells.iter().map(|cell| cell.unwrap_or(0.0)).collect();
        let known = grid.cells.iter().any(Option::is_some);
        known
            .then(|| Heat::of(grid.side, &cells))
            .flatten()
            .map(Arc::new)
    });
    ProbeNews::Heat {
        job,
        heats,
        patches,
        whole,
    }
}
