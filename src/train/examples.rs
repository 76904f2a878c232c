//! From a group without pictures to an example with them: the images are read, the comparisons cut down to the candidates
//! that are taken.

use std::sync::Arc;

use super::ahead::{Ahead, Job};
use super::chance::Chance;
use super::material::{Item, Material, Subject};
use super::plan::Plan;
use super::sampler::{Place, Sampler};
use crate::data::images::{self, ImageError};
use crate::domain::{Comparison, ImageRef};
use crate::model::Picture;
use crate::model::learner::Example;

/// A group that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) key: String,
    pub(super) reason: String,
}

/// Everything for one step, or for one pass of a measurement.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// In the order they were drawn.
    pub(super) examples: Vec<Example>,
    /// What a model is held against on each, by position among the candidates taken.
    pub(super) truth: Vec<Vec<Comparison>>,
    /// Which groups they are: by position in the training or the validation part.
    pub(super) subjects: Vec<usize>,
    pub(super) missed: Vec<Missed>,
    /// Where the sampler stands afterwards.
    pub(super) place: Place,
    pub(super) epoch: u64,
}

/// What each step learns from, from `place` on, read ahead; without end.
pub(super) fn steps(plan: &Plan, material: &Arc<Material>, place: Place) -> Ahead<Load> {
    let mut sampler = Sampler::new(plan.seed, material.items.len(), place);
    let (size, seed, most) = (plan.step_size(), plan.seed, plan.batch.candidates);
    let material = Arc::clone(material);
    let jobs = std::iter::from_fn(move || {
        let (epoch, drawn) = sampler.draw(size);
        let (material, place) = (Arc::clone(&material), sampler.place());
        let job: Job<Load> = Box::new(move || {
            let mut load = Load {
                place,
                epoch,
                ..Load::default()
            };
            for number in drawn {
                let item = material.items[number];
                let subject = &material.training[item.subject as usize];
                let positions = positions(seed, epoch, item, subject, most);
                load.add(subject, item.subject as usize, &positions);
            }
            load
        });
        Some(job)
    });
    // One step in work and two ahead.
    Ahead::new(plan.compute.readers, 3, jobs)
}

/// Validation groups in passes of `size`, whole, read ahead.
pub(super) fn passes(
    readers: usize,
    material: &Arc<Material>,
    subjects: &[usize],
    size: usize,
) -> Ahead<Load> {
    let material = Arc::clone(material);
    let passes: Vec<Vec<usize>> = subjects
        .chunks(size.max(1))
        .map(<[usize]>::to_vec)
        .collect();
    let jobs = passes.into_iter().map(move |pass| {
        let material = Arc::clone(&material);
        let job: Job<Load> = Box::new(move || {
            let mut load = Load::default();
            for number in &pass {
                let subject = &material.validation[*number];
                let all: Vec<usize> = (0..subject.images.len()).collect();
                load.add(subject, *number, &all);
            }
            load
        });
        job
    });
    Ahead::new(readers, 3, jobs)
}

impl Load {
    /// Cuts it into passes of at most `size` examples; what was missed stays with the first.
    pub(super) fn into_passes(self, size: usize) -> Vec<Self> {
        let (place, epoch, mut missed) = (self.place, self.epoch, self.missed);
        let mut rows = self
            .examples
            .into_iter()
            .zip(self.truth)
            .zip(self.subjects)
            .peekable();
        let mut passes = Vec::new();
        while rows.peek().is_some() || passes.is_empty() {
            let mut pass = Self {
                place,
                epoch,
                missed: std::mem::take(&mut missed),
                ..Self::default()
            };
            for ((example, truth), subject) in rows.by_ref().take(size.max(1)) {
                pass.examples.push(example);
                pass.truth.push(truth);
                pass.subjects.push(subject);
            }
            passes.push(pass);
        }
        passes
    }

    /// Takes an example out: the model cannot read it.
    pub(super) fn give_up(&mut self, index: usize, reason: String) {
        let example = self.examples.remove(index);
        self.truth.remove(index);
        self.subjects.remove(index);
        self.missed.push(Missed {
            key: example.key,
            reason,
        });
    }

    fn add(&mut self, subject: &Subject, number: usize, positions: &[usize]) {
        match take(subject, positions) {
            Ok(example) => {
                self.truth.push(among(&subject.truth, positions));
                self.subjects.push(number);
                self.examples.push(example);
            }
            Err(e) => self.missed.push(Missed {
                key: subject.key.clone(),
                reason: e.to_string(),
            }),
        }
    }
}

/// Which candidates of a group are taken.
fn positions(
    seed: u64,
    epoch: u64,
    item: Item,
    subject: &Subject,
    most: Option<usize>,
) -> Vec<usize> {
    let count = subject.images.len();
    match (item.pair, most) {
        (Some((a, b)), _) => vec![usize::from(a), usize::from(b)],
        (None, Some(most)) if most < count => {
            let mut chance = Chance::new(seed, "candidates", &[epoch, u64::from(item.subject)]);
            let chosen = chance.choose(most, count);
            // Candidates that say nothing together are no use; a compared pair is always among those taken.
            let said = |chosen: &[usize]| {
                let has = |i: usize| chosen.contains(&i);
                subject.comparisons.iter().any(|c| has(c.a) && has(c.b))
            };
            if said(&chosen) || subject.comparisons.is_empty() {
                return chosen;
            }
            let pair = &subject.comparisons[chance.below(subject.comparisons.len())];
            let mut with: Vec<usize> = vec![pair.a, pair.b];
            with.extend(chosen.into_iter().filter(|i| *i != pair.a && *i != pair.b));
            with.truncate(most);
            with.sort_unstable();
            with
        }
        (None, _) => (0..count).collect(),
    }
}

/// Reads what is needed of a group.
fn take(subject: &Subject, positions: &[usize]) -> Result<Example, ImageError> {
    let picture = |image: &ImageRef| {
        let bytes = images::read(&subject.root, image)?;
        Ok(Picture {
            hash: images::content_hash(&bytes),
            bytes: bytes.into(),
        })
    };
    let overall = |i: &usize| subject.human[*i].overall();
    Ok(Example {
        key: subject.key.clone(),
        source: picture(&subject.source)?,
        instruction: subject.instruction.clone(),
        candidates: positions
            .iter()
            .map(|i| picture(&subject.images[*i]))
            .collect::<Result<_, ImageError>>()?,
        comparisons: among(&subject.comparisons, positions),
        scores: positions.iter().map(overall).collect(),
        attributes: positions
            .iter()
            .map(|i| subject.attributes[*i].clone())
            .collect(),
    })
}

/// The comparisons whose sides are both taken, by their new positions.
fn among(comparisons: &[Comparison], positions: &[usize]) -> Vec<Comparison> {
    let at = |old: usize| positions.iter().position(|p| *p == old);
    comparisons
        .iter()
        .filter_map(|c| {
            Some(Comparison {
                a: at(c.a)?,
                b: at(c.b)?,
                ..*c
            })
        })
        .collect()
}
