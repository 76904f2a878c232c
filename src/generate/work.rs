//! The one thread that writes: what was made is put in its place and noted, what failed is noted, and a group is sampled once
//! nothing of it is open any more.

use std::collections::HashMap;
use std::path::{Component, Path};
use std::time::{Duration, Instant};

use super::answers::{ANSWERS, Answer, Lines, SAMPLES, Sample};
use super::editor::{Order, Picture, asked, by};
use super::error::GenerateError;
use super::ledger::{Known, Ledger, Made};
use super::plan::{Keys, Lacking, Missing};
use super::pool::Done;
use super::run::{Heard, Task};
use super::{place, sample};
use crate::config::EditorSettings;
use crate::data::{Added, NewCandidate, images};
use crate::domain::text::printable;
use crate::domain::{Group, GroupId};
use crate::runs::{Fact, Writer};

/// How often progress is noted.
const NOTE: Duration = Duration::from_millis(500);

/// A candidate whose image is in its place, and which is not in the workspace yet.
struct Fresh {
    editor: usize,
    seed: u64,
    /// Below the folder of images.
    image: String,
    hash: String,
}

/// What is known while candidates are made.
pub(super) struct Work<'a> {
    task: &'a Task<'a>,
    writer: &'a Writer,
    hear: &'a mut dyn FnMut(Heard<'_>),
    ledger: Ledger,
    answers: Lines,
    samples: Lines,
    lacking: HashMap<GroupId, Lacking>,
    fresh: HashMap<GroupId, Vec<Fresh>>,
    /// What the run made or took up before this process.
    answered: Keys,
    run: String,
    done: usize,
    of: usize,
    noted: Instant,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        (task, writer): (&'a Task<'a>, &'a Writer),
        ledger: Ledger,
        lacking: HashMap<GroupId, Lacking>,
        (answered, done, of): (Keys, usize, usize),
        hear: &'a mut dyn FnMut(Heard<'_>),
    ) -> Result<Self, GenerateError> {
        let folder = writer.folder().path();
        let mut work = Self {
            task,
            writer,
            hear,
            ledger,
            answers: Lines::open(folder.join(ANSWERS))?,
            samples: Lines::open(folder.join(SAMPLES))?,
            lacking,
            fresh: HashMap::new(),
            answered,
            run: writer.folder().name(),
            done,
            of,
            noted: Instant::now(),
        };
        work.note()?;
        Ok(work)
    }

    /// Candidates that are neither made nor failed.
    pub(super) fn open(&self) -> usize {
        self.lacking.values().map(|group| group.open).sum()
    }

    /// Candidates that were made or failed, and all there are.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.done, self.of)
    }

    /// Says a line to whoever watches, and to the log.
    pub(super) fn say(&mut self, line: &str) -> Result<(), GenerateError> {
        (self.hear)(Heard::Line(line));
        self.log(line)
    }

    /// Adds a line to the log alone.
    pub(super) fn log(&mut self, line: &str) -> Result<(), GenerateError> {
        Ok(self.writer.log(&printable(line))?)
    }

    /// Takes up an image that was made before, if it is there and was made of the same by the same; whether it was.
    pub(super) fn take_up(&mut self, missing: Missing) -> Result<bool, GenerateError> {
        let Some(group) = self.task.workspace.group(missing.group)? else {
            return Ok(false);
        };
        let editor = &self.task.editors[missing.editor];
        let key = (group.key.clone(), editor.name.clone(), missing.seed);
        let Some(known) = self.ledger.known().get(&key).cloned() else {
            return Ok(false);
        };
        if !self.is_of(&known, editor, &group, missing.seed) || !self.is_there(&known)? {
            return Ok(false);
        }
        if !self.answered.contains(&key) {
            self.answers.add(&Answer {
                group: group.key.clone(),
                editor: editor.name.clone(),
                seed: missing.seed,
                image: Some(known.image.clone()),
                // One whose last step a kill cut off is this run's own.
                earlier: known.run != self.run,
                failed: None,
                tries: 0,
                ms: 0,
            })?;
        }
        let fresh = Fresh {
            editor: missing.editor,
            seed: missing.seed,
            image: known.image,
            hash: known.hash,
        };
        self.keep(missing.group, &group.key, fresh)?;
        self.ended(missing.group, &group.key)?;
        Ok(true)
    }

    /// Whether it was made of what would be asked for now.
    fn is_of(&self, known: &Known, editor: &EditorSettings, group: &Group, seed: u64) -> bool {
        let root = self.task.workspace.root();
        let Ok(source) = images::read(root, &group.source) else {
            return false;
        };
        let order = Order {
            group: &group.key,
            instruction: &group.instruction,
            root,
            source: &group.source,
            seed,
        };
        known.asked == asked(editor, &order, &images::content_hash(&source))
    }

    /// Whether the image is what it was; one that a kill kept from its place is put there.
    fn is_there(&self, known: &Known) -> Result<bool, GenerateError> {
        let inside = |part| matches!(part, Component::Normal(_));
        if !Path::new(&known.image).components().all(inside) {
            // Not written by us: images are below the folder.
            return Ok(false);
        }
        let file = self.ledger.folder().join(&known.image);
        let same = |file| images::file_hash(file).is_ok_and(|hash| hash == known.hash);
        if same(&file) {
            return Ok(true);
        }
        let settled = !file.exists() && same(&place::beside(&file));
        if settled {
            place::settle(&file).map_err(GenerateError::files("write", &file))?;
        }
        Ok(settled)
    }

    /// Takes in what became of a candidate.
    pub(super) fn take(&mut self, done: Done) -> Result<(), GenerateError> {
        let editor = &self.task.editors[done.missing.editor];
        let answer = Answer {
            group: done.group.clone(),
            editor: editor.name.clone(),
            seed: done.missing.seed,
            image: None,
            earlier: false,
            failed: None,
            tries: done.tries,
            ms: done.ms,
        };
        match done.outcome {
            Ok(picture) => {
                let of = (done.group.as_str(), done.instruction, done.asked);
                let fresh = self.put(done.missing, of, &picture)?;
                let image = Some(fresh.image.clone());
                self.answers.add(&Answer { image, ..answer })?;
                self.keep(done.missing.group, &done.group, fresh)?;
            }
            Err(why) => {
                self.say(&format!(
                    "group '{}', seed {}: {why}",
                    done.group, done.missing.seed
                ))?;
                self.answers.add(&Answer {
                    failed: Some(why),
                    ..answer
                })?;
            }
        }
        self.ended(done.missing.group, &done.group)
    }

    /// Puts an image in its place. It is noted before it is there, so that a kill in between leaves either nothing, or what is
    /// known and can be put in its place.
    fn put(
        &mut self,
        missing: Missing,
        (group, instruction, asked): (&str, String, String),
        picture: &Picture,
    ) -> Result<Fresh, GenerateError> {
        let editor = &self.task.editors[missing.editor];
        let folder = self.ledger.folder().to_owned();
        let image = place::free(&folder, group, &editor.name, missing.seed, picture.ending);
        let file = folder.join(&image);
        let failed = || GenerateError::files("write", &file);
        place::write_beside(&file, &picture.bytes).map_err(failed())?;
        let hash = images::content_hash(&picture.bytes);
        self.ledger.add(Made {
            group: group.to_owned(),
            editor: editor.name.clone(),
            seed: missing.seed,
            image: image.clone(),
            hash: hash.clone(),
            asked,
            instruction,
            by: by(editor),
            run: self.run.clone(),
        })?;
        place::settle(&file).map_err(failed())?;
        Ok(Fresh {
            editor: missing.editor,
            seed: missing.seed,
            image,
            hash,
        })
    }

    /// Adds a candidate to the workspace, or has it wait until its group is sampled.
    fn keep(&mut self, group: GroupId, name: &str, fresh: Fresh) -> Result<(), GenerateError> {
        if self.task.sample.is_some() {
            self.fresh.entry(group).or_default().push(fresh);
            return Ok(());
        }
        self.add(group, name, &[&fresh])
    }

    fn add(&mut self, group: GroupId, name: &str, fresh: &[&Fresh]) -> Result<(), GenerateError> {
        let new = fresh.iter().map(|one| {
            let editor = self.task.editors[one.editor].name.clone();
            NewCandidate {
                key: format!("{editor}-{}", one.seed),
                image: self.ledger.folder().join(&one.image),
                hash: one.hash.clone(),
                editor,
                seed: one.seed,
            }
        });
        let new: Vec<NewCandidate> = new.collect();
        let added = self.task.workspace.add_candidates(group, &new)?;
        for (new, added) in new.iter().zip(added) {
            if matches!(added, Added::Known(_)) {
                self.say(&format!(
                    "group '{name}': a candidate by editor '{}' and seed {} has come in meanwhile; '{}' stays unused",
                    new.editor,
                    new.seed,
                    new.image.display()
                ))?;
            }
        }
        Ok(())
    }

    /// Notes that one more candidate of a group is not open any more.
    fn ended(&mut self, group: GroupId, name: &str) -> Result<(), GenerateError> {
        if let Some(lacking) = self.lacking.get_mut(&group) {
            lacking.open -= 1;
            if lacking.open == 0
                && let Some(lacking) = self.lacking.remove(&group)
            {
                self.draw(group, name, &lacking.present)?;
            }
        }
        self.done += 1;
        (self.hear)(Heard::Progress(self.done, self.of));
        if self.noted.elapsed() >= NOTE {
            self.note()?;
        }
        Ok(())
    }

    /// Draws which of a group's new candidates go into the workspace.
    fn draw(
        &mut self,
        group: GroupId,
        name: &str,
        present: &[(usize, u64)],
    ) -> Result<(), GenerateError> {
        let (Some(most), Some(fresh)) = (self.task.sample, self.fresh.remove(&group)) else {
            return Ok(());
        };
        let editors = &self.task.editors;
        let all = present.iter().copied();
        let all = all.chain(fresh.iter().map(|one| (one.editor, one.seed)));
        let all: Vec<(&str, u64)> = all
            .map(|(e, seed)| (editors[e].name.as_str(), seed))
            .collect();
        let order = sample::order(self.task.seed, name, &all);
        let new = order
            .into_iter()
            .filter_map(|i| fresh.get(i.checked_sub(present.len())?));
        let new: Vec<&Fresh> = new.collect();
        let (taken, left) = new.split_at(new.len().min(most.saturating_sub(present.len())));
        let images = |of: &[&Fresh]| of.iter().map(|one| one.image.clone()).collect();
        self.samples.add(&Sample {
            group: name.to_owned(),
            taken: images(taken),
            left: images(left),
            present: present.len(),
        })?;
        self.add(group, name, taken)
    }

    /// Notes how far it is.
    pub(super) fn note(&mut self) -> Result<(), GenerateError> {
        self.noted = Instant::now();
        Ok(self.writer.note(Fact::Progress {
            done: self.done as u64,
            total: Some(self.of as u64),
            unit: "candidates".into(),
        })?)
    }
}
