//! What there is to learn from and to measure on: the labelled groups of the plan's workspaces, split by source image.
//!
//! Everything but the pictures is taken into memory once, so that labels which change while a run goes on do not change the
//! run; its fingerprint tells whether they changed between a stop and a resumption.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::attributes::{Attributes, Vocabulary};
use super::chance::{Chance, number};
use super::error::TrainError;
use super::plan::{Plan, Unit};
use crate::data::Workspace;
use crate::domain::{Comparison, Group, HumanScore, ImageRef, clear_judgements, human_scores};
use crate::model::learner::{Auxiliary, Objective, Recipe};

/// A labelled group without its pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The folder that relative image paths start from.
    pub root: Arc<Path>,
    /// Its name in the data set.
    pub key: String,
    /// The image before the edit.
    pub source: ImageRef,
    /// What was asked for.
    pub instruction: String,
    /// The kind of edit, if known.
    pub category: Option<String>,
    /// The edited images.
    pub images: Vec<ImageRef>,
    /// The editor that made each, if known.
    pub editors: Vec<Option<String>>,
    /// Each candidate's labels, averaged.
    pub human: Vec<HumanScore>,
    /// What the plan makes of labels and votes.
    pub comparisons: Vec<Comparison>,
    /// What a model is held against.
    pub truth: Vec<Comparison>,
    /// Each candidate's class of each auxiliary attribute of the plan, where it is known.
    pub attributes: Vec<Vec<Option<u32>>>,
}

/// Something that is drawn for a step: a group, or two candidates of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Which of the training groups.
    pub subject: u32,
    /// The two candidates; `None`: the whole group.
    pub pair: Option<(u16, u16)>,
}

/// What a plan learns from and measures on.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// For learning.
    pub training: Vec<Subject>,
    /// For measuring; never learned from.
    pub validation: Vec<Subject>,
    /// What is drawn: all of it once an epoch.
    pub items: Vec<Item>,
    /// Groups that say nothing, since they have no two candidates that people told apart.
    pub silent: usize,
    /// Equal for equal groups, labels, plan and split.
    pub fingerprint: String,
    /// The classes of the auxiliary attributes.
    pub(super) vocabulary: Vocabulary,
}

/// The splits that are taken without being asked for.
const TRAIN: &str = "train";
const VALIDATION: &str = "validation";

impl Material {
    /// Reads the plan's workspaces; `in_use` stands in where the plan names none.
    pub fn gather(plan: &Plan, in_use: Option<&Workspace>) -> Result<Self, TrainError> {
        let mut places = open(&plan.data.workspaces)?;
        if places.is_empty() {
            places.extend(in_use.cloned());
        }
        if places.is_empty() {
            return Err(TrainError::NoData(
                "no workspace to learn from: name one in the plan, as data.workspaces = [\"DIR\"], or with --workspace"
                    .into(),
            ));
        }
        let apart = open(&plan.data.validation_workspaces)?;
        let mut material = Self {
            vocabulary: Vocabulary::new(&plan.auxiliary),
            ..Self::default()
        };
        let learned = stored_split(&places, plan.data.train_split.as_ref(), TRAIN)?;
        let all = material.read(plan, &places, true, learned.as_deref())?;
        let held_out = if apart.is_empty() { &places } else { &apart };
        let measured = stored_split(held_out, plan.data.validation_split.as_ref(), VALIDATION)?;
        if apart.is_empty() && measured.is_none() {
            material.split(plan, all);
        } else {
            material.training = all;
            material.validation = material.read(plan, held_out, false, measured.as_deref())?;
            refuse_leaks(&material.training, &material.validation)?;
        }
        material.thin(plan);
        material.prune(plan);
        material.enumerate(plan.batch.unit);
        material.require(plan, &places)?;
        material.fingerprint = material.digest(plan)?;
        Ok(material)
    }

    /// `learning`: what is read for learning decides what classes the attributes have.
    fn read(
        &mut self,
        plan: &Plan,
        places: &[Workspace],
        learning: bool,
        split: Option<&str>,
    ) -> Result<Vec<Subject>, TrainError> {
        let mut subjects = Vec::new();
        for workspace in places {
            let root: Arc<Path> = workspace.root().into();
            let attributes = Attributes::read(&plan.auxiliary, &root)?;
            workspace.each_group(|group| {
                if split.is_some() && split != group.split.as_deref() {
                    return Ok(());
                }
                let classes = attributes.of(&group, &mut self.vocabulary, learning);
                subjects.push(subject(plan, &root, group, classes));
                Ok(())
            })?;
        }
        Ok(subjects)
    }

    /// All groups of a source image go the same way, by a number that its path and the seed decide: a source that is added
    /// later moves no other. Where chance gives validation nothing, it gets the source with the smallest number.
    fn split(&mut self, plan: &Plan, all: Vec<Subject>) {
        let share = plan.data.validation;
        let seed = plan.data.split_seed.unwrap_or(plan.seed);
        let lot =
            |subject: &Subject| number(seed, &subject.source.0, &[0]) as f64 / u64::MAX as f64;
        let smallest = all.iter().map(lot).fold(f64::INFINITY, f64::min);
        let bar = match share {
            0.0 => f64::NEG_INFINITY,
            _ if smallest < share => share,
            _ => smallest.next_up(),
        };
        (self.validation, self.training) = all.into_iter().partition(|s| lot(s) < bar);
    }

    /// Keeps as many training groups as the plan says.
    fn thin(&mut self, plan: &Plan) {
        let count = self.training.len();
        if let Some(groups) = plan.data.groups
            && groups < count
        {
            let chosen = Chance::new(plan.seed, "groups", &[]).choose(groups, count);
            let mut chosen = chosen.into_iter().peekable();
            let mut at = 0;
            self.training.retain(|_| {
                let keep = chosen.next_if_eq(&at).is_some();
                at += 1;
                keep
            });
        }
    }

    /// Takes out what says nothing.
    fn prune(&mut self, plan: &Plan) {
        let before = self.training.len() + self.validation.len();
        let scores = plan.objective() == Objective::Scores;
        self.training.retain(|s| {
            if scores {
                s.human.iter().any(|h| h.overall().is_some())
            } else {
                !s.comparisons.is_empty()
            }
        });
        self.validation.retain(|s| !s.truth.is_empty());
        self.silent = before - self.training.len() - self.validation.len();
    }

    fn enumerate(&mut self, unit: Unit) {
        for (number, subject) in self.training.iter().enumerate() {
            let number = number as u32;
            if unit == Unit::Groups {
                self.items.push(Item {
                    subject: number,
                    pair: None,
                });
                continue;
            }
            let mut pairs: Vec<(u16, u16)> = subject
                .comparisons
                .iter()
                .map(|c| (c.a as u16, c.b as u16))
                .collect();
            pairs.dedup();
            self.items.extend(pairs.into_iter().map(|pair| Item {
                subject: number,
                pair: Some(pair),
            }));
        }
    }

    fn require(&self, plan: &Plan, places: &[Workspace]) -> Result<(), TrainError> {
        let from = || {
            let roots = places.iter().map(|w| format!("'{}'", w.root().display()));
            roots.collect::<Vec<_>>().join(", ")
        };
        if self.training.is_empty() {
            return Err(TrainError::NoData(format!(
                "nothing to learn from in {}: of {} groups none has two candidates that people told apart and that the plan's \
                 [pairs] lets through",
                from(),
                self.silent + self.validation.len(),
            )));
        }
        if let Some(name) = self.vocabulary.sizes().iter().position(|n| *n == 0) {
            return Err(TrainError::NoData(format!(
                "auxiliary.attributes names '{}', but no workspace to learn from has a '{}' that names its groups ({})",
                plan.auxiliary.attributes[name],
                plan.auxiliary.file.display(),
                from()
            )));
        }
        let wanted = plan.data.validation > 0.0 || !plan.data.validation_workspaces.is_empty();
        if wanted && self.validation.is_empty() {
            return Err(TrainError::NoData(format!(
                "nothing to measure on: no validation group of {} has two candidates that people told apart; raise \
                 data.validation, or set it to 0 to train without measuring",
                from()
            )));
        }
        for name in &plan.evaluation.followed {
            if !self.validation.iter().any(|s| s.key == *name) {
                return Err(TrainError::NoData(format!(
                    "evaluation.followed names '{name}', which is none of the {} validation groups",
                    self.validation.len()
                )));
            }
        }
        Ok(())
    }

    fn digest(&self, plan: &Plan) -> Result<String, TrainError> {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        // What a resumed run may change without being another run.
        let mut lasting = plan.clone();
        lasting.length = super::plan::Length::default();
        lasting.evaluation = super::plan::Evaluation::default();
        lasting.checkpoints = super::plan::Checkpoints::default();
        lasting.compute = super::plan::Compute::default();
        lasting.register = false;
        lasting.name.clear();
        add(lasting.to_text()?.as_bytes());
        for part in [&self.training, &self.validation] {
            add(&(part.len() as u64).to_le_bytes());
            for subject in part {
                add(subject.key.as_bytes());
                add(subject.source.0.as_bytes());
                add(subject.instruction.as_bytes());
                for image in &subject.images {
                    add(image.0.as_bytes());
                }
                for c in &subject.comparisons {
                    let axis = c.axis.map_or("", crate::domain::Axis::key);
                    add(format!("{} {} {axis} {:?}", c.a, c.b, c.preference).as_bytes());
                }
                for classes in &subject.attributes {
                    add(format!("{classes:?}").as_bytes());
                }
                for human in &subject.human {
                    add(format!("{:?}", human.overall()).as_bytes());
                }
            }
        }
        Ok(hasher.finalize().to_hex()[..32].to_owned())
    }

    /// What a learner of this has to know.
    pub fn recipe(&self, plan: &Plan) -> Recipe {
        Recipe {
            auxiliary: Auxiliary {
                weight: plan.auxiliary.weight,
                classes: self.vocabulary.sizes(),
            },
            ..plan.recipe()
        }
    }

    /// How many comparisons an epoch has.
    pub fn comparisons(&self) -> usize {
        self.training.iter().map(|s| s.comparisons.len()).sum()
    }
}

/// The split to read: the one that is asked for, which has to be there, else the usual one where there is one.
fn stored_split(
    places: &[Workspace],
    asked: Option<&String>,
    usual: &str,
) -> Result<Option<String>, TrainError> {
    let mut known: Vec<String> = Vec::new();
    for workspace in places {
        known.extend(workspace.splits()?.into_keys().flatten());
    }
    let has = |name: &str| known.iter().any(|known| known == name);
    match asked {
        Some(name) if !has(name) => {
            known.sort();
            known.dedup();
            Err(TrainError::NoData(format!(
                "no group is in the split '{name}'{}; 'erw data split' makes some",
                if known.is_empty() {
                    String::new()
                } else {
                    format!(" (there are {})", known.join(", "))
                }
            )))
        }
        Some(name) => Ok(Some(name.clone())),
        None => Ok(has(usual).then(|| usual.to_owned())),
    }
}

fn open(dirs: &[PathBuf]) -> Result<Vec<Workspace>, TrainError> {
    let all: Result<Vec<_>, _> = dirs.iter().map(|dir| Workspace::open(dir)).collect();
    Ok(all?)
}

fn subject(
    plan: &Plan,
    root: &Arc<Path>,
    group: Group,
    attributes: Vec<Vec<Option<u32>>>,
) -> Subject {
    Subject {
        root: Arc::clone(root),
        attributes,
        human: human_scores(&group.candidates),
        comparisons: plan.pairs.of_group(&group),
        truth: clear_judgements(&group),
        editors: group.candidates.iter().map(|c| c.editor.clone()).collect(),
        images: group.candidates.into_iter().map(|c| c.image).collect(),
        key: group.key,
        source: group.source,
        instruction: group.instruction,
        category: group.category,
    }
}

/// No source image may be on both sides; the same file by another path is not seen here.
fn refuse_leaks(training: &[Subject], validation: &[Subject]) -> Result<(), TrainError> {
    let place = |s: &Subject| s.root.join(&s.source.0);
    let seen: std::collections::HashSet<PathBuf> = training.iter().map(place).collect();
    match validation.iter().find(|s| seen.contains(&place(s))) {
        None => Ok(()),
        Some(leak) => Err(TrainError::NoData(format!(
            "the source image '{}' of validation group '{}' is learned from too: the two workspaces must not share images",
            leak.source.0, leak.key
        ))),
    }
}
