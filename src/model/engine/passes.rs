//! One group in as few passes as there is room for.
//!
//! The pictures of some candidates go through the vision tower together, then their sequences through the language model: the
//! source once, each edited picture once, what is common to the rubrics once a candidate.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::{RewardModel, is_usable};
use crate::domain::{Gaussian, Reward};
use crate::model::backbone::{Features, Sequence};
use crate::model::error::ModelError;
use crate::model::judge::OnScored;
use crate::model::preprocess::Patches;
use crate::model::questions::Question;
use crate::model::{Packing, Picture};

/// Candidates that are taken up together at most: enough to keep a GPU busy in the vision tower.
const TOGETHER: usize = 8;
/// Rows of a pass over the language model at most, unless one candidate has more. Seven candidates of one source have 7,370 with
/// the published rubrics; a 7B model's widest activation of so many rows takes 0.6 GB in bf16.
const PASS_ROWS: usize = 8192;
/// A screen is not to wait longer for the next scores.
const MOMENT: Duration = Duration::from_millis(250);

/// Whether a picture's features are kept for another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// In the cache.
    Kept,
    /// Only until the next one.
    Passing,
}

/// A picture's features, or what is wrong with it.
type Seen = Result<Arc<Features>, ModelError>;

impl RewardModel {
    pub(super) fn score_each(
        &mut self,
        (source, instruction): (&Picture, &str),
        candidates: &[Picture],
        memory: Memory,
        on_scored: &mut OnScored<'_, ModelError>,
    ) -> Result<(), ModelError> {
        if self.packing == Packing::Plain {
            return self.score_plainly(source, instruction, candidates, on_scored);
        }
        let source = self
            .see(std::slice::from_ref(source), Memory::Kept)
            .remove(0)?;
        let mut done = 0;
        while done < candidates.len() {
            let count = self.together().min(candidates.len() - done);
            let began = Instant::now();
            let seen = self.see(&candidates[done..done + count], memory);
            let asked = self.ask(&source, instruction, &seen)?;
            let mut seen = seen.into_iter().zip(asked).peekable();
            while seen.peek().is_some() {
                let mut pass = Pass::default();
                while let Some((one, questions)) = seen.next_if(|(one, questions)| {
                    one.is_err() || self.fits(&source, &pass, one.as_ref().ok(), questions)
                }) {
                    pass.add(one, questions);
                }
                let rewards = self.read(&source, pass);
                let told: Vec<_> = (done..).zip(rewards).collect();
                done += told.len();
                let left = seen.peek().is_some();
                if !left {
                    self.took = Some(began.elapsed() / count as u32);
                }
                if on_scored(told).is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// As the published code does: every sequence by itself and whole, both of its pictures encoded for it alone. What sharing is
    /// held against, in numbers and in time.
    fn score_plainly(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, ModelError>,
    ) -> Result<(), ModelError> {
        // An error in the source ends the call, whatever becomes of the candidates.
        let grid = self.processor.patches(&source.bytes)?.grid;
        for (index, candidate) in candidates.iter().enumerate() {
            let reward = match self.processor.patches(&candidate.bytes) {
                Ok(patches) => {
                    let questions = self.questions.ask(instruction, [grid, patches.grid])?;
                    self.answer_plainly([source, candidate], &questions)
                }
                Err(error) => Err(error),
            };
            if on_scored(vec![(index, reward)]).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn answer_plainly(
        &mut self,
        pictures: [&Picture; 2],
        questions: &[Question],
    ) -> Result<Reward, ModelError> {
        let mut gaussians = Vec::new();
        for question in questions {
            let mut seen = self.look_at(&pictures);
            let (edited, source) = (seen.remove(1)?, seen.remove(0)?);
            let sequence = question.sequence(&source, &edited);
            let packed = self.backbone.pack(&[sequence], false)?;
            let states = self.backbone.run_whole(&packed)?;
            gaussians.extend(question.read(&self.heads, &states[0])?);
            self.work.add_whole(&self.costs, packed.extent());
        }
        self.work.candidates += 1;
        self.reward(&gaussians)
    }

    /// How many candidates to take up at once.
    fn together(&self) -> usize {
        match (self.packing, self.took) {
            (Packing::Tree | Packing::Plain, _) => TOGETHER,
            (Packing::Prompt, None) => 1,
            (Packing::Prompt, Some(took)) => {
                let fitting = MOMENT.as_secs_f64() / took.as_secs_f64().max(1e-6);
                (fitting as usize).clamp(1, TOGETHER)
            }
        }
    }

    /// What is to be asked of each candidate; nothing of those that cannot be seen.
    fn ask(
        &self,
        source: &Features,
        instruction: &str,
        seen: &[Seen],
    ) -> Result<Vec<Vec<Question>>, ModelError> {
        seen.iter()
            .map(|one| match one {
                Ok(edited) => self.questions.ask(instruction, [source.grid, edited.grid]),
                Err(_) => Ok(Vec::new()),
            })
            .collect()
    }

    /// Whether a candidate has room in a pass with those that are in it.
    fn fits(
        &self,
        source: &Features,
        pass: &Pass,
        one: Option<&Arc<Features>>,
        questions: &[Question],
    ) -> bool {
        let Some(edited) = one.filter(|_| !pass.is_empty()) else {
            return true;
        };
        let mut sequences = pass.sequences(source);
        sequences.extend(
            questions
                .iter()
                .map(|question| question.sequence(source, edited)),
        );
        // Most groups have room even if nothing were shared. Sequences that cannot be put together are for `read` to refuse.
        let whole: usize = sequences.iter().map(|sequence| sequence.ids.len()).sum();
        let shared = || self.backbone.rows_of(&sequences);
        whole <= PASS_ROWS || shared().is_ok_and(|rows| rows <= PASS_ROWS)
    }

    /// Reads a pass; what each of its candidates gets. A pass that cannot be computed, for want of memory say, is read one by one,
    /// so that only what cannot be computed by itself has no reward.
    fn read(&mut self, source: &Features, pass: Pass) -> Vec<Result<Reward, ModelError>> {
        match self.answers(source, &pass) {
            Ok(answers) => {
                let answers = &mut answers.into_iter();
                let own = |(seen, questions): (Seen, Vec<Question>)| {
                    seen?;
                    let own: Vec<Gaussian> = answers.take(questions.len()).flatten().collect();
                    self.reward(&own)
                };
                pass.0.into_iter().map(own).collect()
            }
            Err(error) if pass.0.len() == 1 => vec![Err(error)],
            Err(_) => {
                let alone = pass.0.into_iter().map(|one| Pass(vec![one]));
                alone.flat_map(|one| self.read(source, one)).collect()
            }
        }
    }

    /// What the heads say to each question of a pass.
    fn answers(
        &mut self,
        source: &Features,
        pass: &Pass,
    ) -> Result<Vec<Vec<Gaussian>>, ModelError> {
        let sequences = pass.sequences(source);
        if sequences.is_empty() {
            return Ok(Vec::new());
        }
        let packed = self.backbone.pack(&sequences, true)?;
        let states = self.backbone.run(&packed)?;
        let candidates = pass.0.iter().filter(|(seen, _)| seen.is_ok()).count();
        self.work.add_read(&self.costs, packed.extent(), candidates);
        pass.questions()
            .zip(&states)
            .map(|((_, question), states)| Ok(question.read(&self.heads, states)?))
            .collect()
    }

    fn reward(&self, gaussians: &[Gaussian]) -> Result<Reward, ModelError> {
        if !gaussians.iter().all(is_usable) {
            return Err(ModelError::NotFinite {
                precision: self.precision.key(),
            });
        }
        Ok(match gaussians {
            [a, b] => Reward::of_axes(*a, *b, self.rule),
            _ => Reward::overall(gaussians[0]),
        })
    }

    /// The features of some pictures, from the cache, from the last of those that passed by, or anew.
    pub(super) fn see(&mut self, pictures: &[Picture], memory: Memory) -> Vec<Seen> {
        let mut seen: Vec<Option<Seen>> = pictures.iter().map(|p| self.known(p).map(Ok)).collect();
        let first = |place: usize| pictures.iter().position(|p| p.hash == pictures[place].hash);
        let fresh: Vec<usize> = (0..pictures.len())
            .filter(|&place| seen[place].is_none() && first(place) == Some(place))
            .collect();
        let looked = self.look_at(
            &fresh
                .iter()
                .map(|&place| &pictures[place])
                .collect::<Vec<_>>(),
        );
        for (&place, found) in fresh.iter().zip(looked) {
            if let Ok(features) = &found {
                self.remember(&pictures[place].hash, features, memory);
            }
            seen[place] = Some(found);
        }
        // What is left is a picture once more: what was made of the first, or what is wrong with it.
        let again = |place: usize| match first(place).and_then(|first| seen[first].as_ref()) {
            Some(Ok(features)) => Ok(features.clone()),
            _ => self.look_at(&[&pictures[place]]).remove(0),
        };
        let rest: Vec<usize> = (0..pictures.len())
            .filter(|&place| seen[place].is_none())
            .collect();
        let rest: Vec<Seen> = rest.into_iter().map(again).collect();
        let mut rest = rest.into_iter();
        seen.into_iter()
            .filter_map(|found| found.or_else(|| rest.next()))
            .collect()
    }

    fn remember(&mut self, hash: &str, features: &Arc<Features>, memory: Memory) {
        match memory {
            Memory::Kept => self.features.put(hash, features.clone()),
            Memory::Passing => self.passing = Some((hash.to_owned(), features.clone())),
        }
    }

    fn known(&mut self, picture: &Picture) -> Option<Arc<Features>> {
        self.features.get(&picture.hash).or_else(|| {
            let (hash, features) = self.passing.as_ref()?;
            (*hash == picture.hash).then(|| features.clone())
        })
    }

    /// Decodes and encodes pictures: on a GPU all of them in one pass over the tower, on a CPU, which gains nothing by that, one
    /// after the other, so that the last bit of a picture's features does not hang on the others.
    fn look_at(&mut self, pictures: &[&Picture]) -> Vec<Seen> {
        let cut: Vec<Result<Patches, ModelError>> = pictures
            .par_iter()
            .map(|picture| self.processor.patches(&picture.bytes))
            .collect();
        let good: Vec<&Patches> = cut.iter().flatten().collect();
        let alone = good.len() < 2 || self.backbone.is_on_cpu();
        let grids: Vec<_> = good.iter().map(|patches| patches.grid).collect();
        let encoded = if self.backbone.is_on_cpu() {
            good.iter()
                .map(|patches| self.backbone.see(patches))
                .collect()
        } else {
            self.backbone.see_all(&good)
        };
        let mut encoded = match encoded {
            Ok(features) => features.into_iter(),
            Err(error) => {
                let error = error.to_string();
                let told = |one: Result<Patches, ModelError>| {
                    one.and_then(|_| Err(ModelError::from(candle_core::Error::Msg(error.clone()))))
                };
                return cut.into_iter().map(told).collect();
            }
        };
        self.work.add_seen(&self.costs, &grids);
        let own = |patches: Result<Patches, ModelError>| {
            patches?;
            let features = encoded.next().ok_or_else(|| {
                ModelError::Inconsistent("the vision tower left out a picture".into())
            })?;
            // By itself, so that memory goes when this picture's features go.
            Ok(Arc::new(if alone {
                features
            } else {
                features.copied()?
            }))
        };
        cut.into_iter().map(own).collect()
    }
}

/// Candidates that are read together, each with what is asked of it.
#[derive(Default)]
struct Pass(Vec<(Seen, Vec<Question>)>);

impl Pass {
    fn add(&mut self, seen: Seen, questions: Vec<Question>) {
        self.0.push((seen, questions));
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|(seen, _)| seen.is_err())
    }

    fn questions(&self) -> impl Iterator<Item = (&Features, &Question)> {
        self.0.iter().flat_map(|(seen, questions)| {
            let edited = seen.as_ref().ok();
            questions
                .iter()
                .filter_map(move |question| Some((edited?.as_ref(), question)))
        })
    }

    fn sequences<'a>(&'a self, source: &'a Features) -> Vec<Sequence<'a>> {
        self.questions()
            .map(|(edited, question)| question.sequence(source, edited))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::{Axis, Reward};
    use crate::model::LoadOptions;
    use crate::model::engine::Work;
    use crate::model::engine::tests::{copy, edit, picture, score};

    fn load(dir: &Path, packing: Packing) -> RewardModel {
        let options = LoadOptions {
            packing,
            ..LoadOptions::default()
        };
        RewardModel::load(dir, &options, &mut |_| ()).unwrap()
    }

    fn candidates(count: u32) -> Vec<Picture> {
        (2..2 + count).map(picture).collect()
    }

    fn scored(dir: &Path, packing: Packing, candidates: &[Picture]) -> (Vec<Reward>, Work) {
        let mut model = load(dir, packing);
        let rewards = score(&mut model, candidates);
        let rewards = rewards.into_iter().map(Result::unwrap).collect();
        (rewards, model.work())
    }

    /// By how much two rewards differ at most, in mean and log sigma.
    fn apart(a: &Reward, b: &Reward) -> f64 {
        let both = Axis::ALL.map(|axis| [a, b].map(|r| r.on(axis).unwrap()));
        both.into_iter()
            .flat_map(|[a, b]| [a.mean - b.mean, a.log_sigma - b.log_sigma])
            .map(f64::abs)
            .fold(0.0, f64::max)
    }

    #[test]
    fn candidates_of_one_pass_score_as_each_sequence_read_whole_whatever_the_prompt_and_the_positions()
     {
        let all = candidates(7);
        for changes in [
            &[][..],
            &[("reward_token = \"special\"", "reward_token = \"last\"")],
            &[("reward_token = \"special\"", "reward_token = \"mean\"")],
            &[("\"sequential\"", "\"mrope\"")],
            &[("\"images-first\"", "\"rubric-first\"")],
        ] {
            let dir = copy();
            for (from, to) in changes {
                edit(dir.path(), "reward.toml", from, to);
            }
            let (plain, whole) = scored(dir.path(), Packing::Plain, &all);
            let (tree, shared) = scored(dir.path(), Packing::Tree, &all);
            for (a, b) in plain.iter().zip(&tree) {
                assert!(apart(a, b) < 1e-5, "{changes:?}: {a:?} {b:?}");
            }
            assert_eq!(shared.passes, 1);
            assert!(whole.passes >= 7 && whole.pictures == 2 * whole.passes);
            assert!(shared.rows < whole.rows && shared.flops() < whole.flops());
        }
    }

    #[test]
    fn every_token_that_sequences_share_is_read_once() {
        let dir = copy();
        let (_, whole) = scored(dir.path(), Packing::Plain, &candidates(7));
        let (_, shared) = scored(dir.path(), Packing::Tree, &candidates(7));
        let model = load(dir.path(), Packing::Tree);
        let grid = model.processor.patches(&picture(1).bytes).unwrap().grid;
        let questions = model.questions.ask("make it blue", [grid, grid]).unwrap();
        let [a, b] = [questions[0].ids(), questions[1].ids()];
        let common = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        // Of what both begin with, all up to the last picture is the source's.
        let tokens = grid.tokens();
        let alike = |start: &usize| a[*start..].iter().take(tokens).all(|id| *id == a[*start]);
        let edited = (0..=common - tokens).rfind(alike).unwrap();
        let each = common - edited + (a.len() - common) + (b.len() - common);
        assert_eq!(whole.rows as usize, 7 * (a.len() + b.len()));
        assert_eq!(shared.rows as usize, edited + 7 * each);
    }

    #[test]
    fn a_screen_gets_the_first_score_alone_and_of_a_quick_model_the_rest_together() {
        let dir = copy();
        let mut model = load(dir.path(), Packing::Prompt);
        let mut passes = Vec::new();
        model
            .score_group(&picture(1), "x", &candidates(9), &mut |passed| {
                passes.push(passed.len());
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!((passes[0], passes.iter().sum::<usize>()), (1, 9));
        // Whether one is quick is for the machine to say; what follows from it is not.
        model.took = Some(Duration::from_millis(80));
        assert_eq!(model.together(), 3);
        model.took = Some(Duration::from_secs(9));
        assert_eq!(model.together(), 1);
        model.took = Some(Duration::from_micros(50));
        assert_eq!(model.together(), TOGETHER);
    }

    #[test]
    fn the_same_picture_twice_is_seen_once_and_the_same_broken_one_fails_twice() {
        let dir = copy();
        let mut model = load(dir.path(), Packing::Tree);
        let broken = Picture {
            bytes: b"no image".as_slice().into(),
            hash: "x".into(),
        };
        let all = [picture(2), broken.clone(), picture(2), broken, picture(3)];
        let rewards = score(&mut model, &all);
        let failed: Vec<bool> = rewards.iter().map(Result::is_err).collect();
        assert_eq!(failed, [false, true, false, true, false]);
        // The source, and two that can be seen.
        assert_eq!(model.work().pictures, 3);
        let [first, again] = [0, 2].map(|i: usize| rewards[i].as_ref().unwrap());
        assert!(apart(first, again) < 1e-5);
    }
}
