//! The learner that learns: a model directory taken into training by a recipe.
//!
//! On a GPU a batch is one pass, on a CPU one for each example, side by side. All its pictures go through the vision tower
//! together, and all that is asked of its candidates through the language model as one tree, so that a group's source (and,
//! rubrics first, its instruction) is read once. The loss and its slopes are computed in f64 from the heads' numbers; only
//! the slopes go back into the tensors.

use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use rayon::prelude::*;

use super::auxiliary::AuxiliaryHeads;
use super::criterion::{Criterion, Outcome};
use super::look_back::LookBack;
use super::optimizer::Optimizer;
use super::pass::{Answers, Gradients, Pass, Readers, add};
use super::pictures::{Cut, Pictures, Seen};
use super::recipe::{Recipe, Trained};
use super::states::States;
use super::tensors::Tensors;
use super::{Example, Learner, Measured, Rates, Update};
use crate::model::backbone::{Backbone, Reading};
use crate::model::config::Config;
use crate::model::head::{Heads, effective_rule};
use crate::model::manifest::Manifest;
use crate::model::names::{self, Expected};
use crate::model::opened::{Opened, clean};
use crate::model::questions::{Question, Questions};
use crate::model::{LoadOptions, ModelError, ModelInfo, Precision, device};

/// The environment variable that says how many passes run side by side on a CPU.
pub const THREADS: &str = "ERW_THREADS";

/// A model in training.
#[derive(Debug)]
pub struct Network {
    pub(super) dir: PathBuf,
    pub(super) manifest: Manifest,
    pub(super) config: Config,
    pub(super) expected: Vec<Expected>,
    pub(super) tensors: Tensors,
    pub(super) optimizer: Optimizer,
    /// The format that an export's weights are stored in, as the model dir's are.
    pub(super) stored: DType,
    recipe: Recipe,
    reading: Reading,
    questions: Questions,
    criterion: Criterion,
    pictures: Pictures,
    states: States,
    waiting: Gradients,
    workers: rayon::ThreadPool,
    device: Device,
    precision: Precision,
}

/// What is asked of a batch: for each example and candidate its questions.
struct Asked {
    questions: Vec<Question>,
    /// Example and candidate of each question.
    owners: Vec<(usize, usize)>,
}

impl Network {
    /// Takes the model in `dir` into training. Everything is checked as for scoring, but for heads that `recipe` has drawn
    /// anew.
    pub fn new(dir: &Path, recipe: &Recipe, options: &LoadOptions) -> Result<Self, ModelError> {
        let Opened {
            config,
            manifest,
            prompter,
            processor,
            weights,
            expected,
            mut report,
            reading,
        } = Opened::new(dir, |manifest| recipe.apply(manifest))?;
        // Heads may be missing, or be others.
        report.missing.retain(|name| !names::is_head(name));
        report.unexpected.retain(|name| !names::is_head(name));
        clean(dir, &report)?;
        let device = device::open(options.device)?;
        let precision = options.precision.unwrap_or(Precision::of(&device));
        let stored = weights.dtype(names::EMBEDDING).unwrap_or(DType::F32);
        let reward = prompter.reward_id();
        let questions = Questions::new(prompter, &manifest);
        let look = recipe
            .from_scratch
            .then(|| LookBack::new((&questions, &processor), &config, reading))
            .transpose()?;
        let tensors = Tensors::new(
            &expected,
            recipe,
            (reward, look.as_ref()),
            (precision.dtype(), &device),
            |name, dtype| weights.tensor(name, dtype, &device),
        )?;
        let rule = effective_rule(manifest.head, manifest.aggregate);
        Ok(Self {
            dir: dir.to_owned(),
            optimizer: Optimizer::new(recipe.optimizer),
            criterion: Criterion::new(recipe.objective, manifest.head, rule)
                .beside(recipe.auxiliary.weight),
            questions,
            pictures: Pictures::new(processor),
            states: States::default(),
            waiting: Gradients::new(),
            workers: workers()?,
            recipe: recipe.clone(),
            manifest,
            config,
            expected,
            tensors,
            stored,
            reading,
            device,
            precision,
        })
    }

    /// What is being trained, in the words of a loaded model.
    pub fn info(&self) -> ModelInfo {
        ModelInfo {
            name: self.manifest.name.clone(),
            fingerprint: String::new(),
            backbone: self.config.describe(),
            aggregate: self.manifest.aggregate,
            device: if self.device.is_cpu() {
                device::describe_cpu(self.workers.current_num_threads())
            } else {
                device::describe(&self.device)
            },
            precision: self.precision.key(),
            parameters: self
                .expected
                .iter()
                .map(|t| t.shape.iter().product::<usize>() as u64)
                .sum(),
            trained: self.manifest.trained,
        }
    }

    /// How many of the model's numbers are trained.
    pub fn trained_parameters(&self) -> u64 {
        let own = |name: &&String| !AuxiliaryHeads::has(name);
        let trained = self.tensors.trained.iter();
        trained
            .filter(|(name, _)| own(name))
            .map(|(_, trainee)| trainee.var.elem_count() as u64)
            .sum()
    }

    /// The norm of the gradient that waits for a tensor.
    #[cfg(test)]
    pub(super) fn gradient_of(&self, name: &str) -> Option<f64> {
        let squares = self.waiting.get(name)?.sqr().and_then(|t| t.sum_all());
        let sum = squares.and_then(|t| t.to_scalar::<f32>()).ok()?;
        Some(f64::from(sum).sqrt())
    }

    fn build(&self, learning: bool) -> Result<(Backbone, Readers), ModelError> {
        let vb = self.tensors.builder(learning);
        Ok((
            Backbone::new(&self.config, self.reading, &vb, &mut || ())?,
            Readers {
                heads: Heads::new(self.manifest.head, &vb)?,
                auxiliary: AuxiliaryHeads::new(&self.recipe.auxiliary, &vb)?,
            },
        ))
    }

    fn ask(&self, examples: &[Example], seen: &Seen) -> Result<Asked, ModelError> {
        let mut asked = Asked {
            questions: Vec::new(),
            owners: Vec::new(),
        };
        for (e, example) in examples.iter().enumerate() {
            for (c, candidate) in example.candidates.iter().enumerate() {
                let grids = [seen[&example.source.hash].grid, seen[&candidate.hash].grid];
                for question in self.questions.ask(&example.instruction, grids)? {
                    asked.questions.push(question);
                    asked.owners.push((e, c));
                }
            }
        }
        Ok(asked)
    }

    /// A pass over `examples`; with `learning` (a scale and a draw) one that leaves gradients.
    fn pass(
        &mut self,
        examples: &[Example],
        learning: Option<(f64, u64)>,
    ) -> Result<Measured, ModelError> {
        let Trained { vision, merger, .. } = self.recipe.trained;
        if self.recipe.trained == Trained::HEADS {
            return self.pass_of_heads(examples, learning);
        }
        let (backbone, readers) = self.build(learning.is_some())?;
        let known = if vision || merger {
            Seen::new()
        } else {
            self.pictures.see(&backbone, examples)?
        };
        let (pictures, workers) = (&mut self.pictures, &self.workers);
        let cut = workers.install(|| pictures.cut(examples, &known))?;
        let net = (&backbone, &readers);
        // A GPU is busiest with everything at once. Cores are, at these sizes, with a pass each: and the sum of the passes
        // taken in order does not depend on how many there are.
        let size = if self.device.is_cpu() {
            1
        } else {
            examples.len().max(1)
        };
        let parts: Vec<&[Example]> = examples.chunks(size).collect();
        let outcomes = self.workers.install(|| {
            parts
                .par_iter()
                .enumerate()
                .map(|(i, part)| {
                    let learning = learning.map(|(scale, draw)| (scale, draw ^ (i as u64) << 48));
                    self.part(net, part, (&known, &cut), learning)
                })
                .collect::<Result<Vec<_>, ModelError>>()
        })?;
        let mut whole = Measured::default();
        for (i, (measured, gradients)) in outcomes.into_iter().enumerate() {
            whole.append(measured, i * size);
            add(&mut self.waiting, gradients)?;
        }
        Ok(whole)
    }

    /// One pass over some of the examples, and the gradients it leaves.
    fn part(
        &self,
        (backbone, readers): (&Backbone, &Readers),
        examples: &[Example],
        (known, cut): (&Seen, &Cut),
        learning: Option<(f64, u64)>,
    ) -> Result<(Measured, Gradients), ModelError> {
        let new = cut.see(backbone, examples)?;
        let seen: Seen = known
            .iter()
            .map(|(k, f)| (k.clone(), f.clone()))
            .chain(new)
            .collect();
        let asked = self.ask(examples, &seen)?;
        let sequences: Vec<_> = asked
            .questions
            .iter()
            .zip(&asked.owners)
            .map(|(question, &(e, c))| {
                let source = &seen[&examples[e].source.hash];
                question.sequence(source, &seen[&examples[e].candidates[c].hash])
            })
            .collect();
        let questions: Vec<&Question> = asked.questions.iter().collect();
        let packed = backbone.pack(&sequences, true)?;
        let draw = learning.map(|(_, draw)| draw);
        let checkpointing = self.recipe.checkpointing && learning.is_some();
        let pass = Pass::forward(
            (backbone, readers),
            packed,
            &questions,
            (draw, self.head_dropout()),
            checkpointing,
        )?;
        let outcome = self
            .criterion
            .judge(examples, &asked.owners, &pass.answers, draw)?;
        let mut gradients = Gradients::new();
        if let Some((scale, _)) = learning {
            let slopes = outcome.scaled(scale);
            pass.backward(backbone, &self.tensors, &slopes, true, &mut gradients)?;
        }
        Ok((outcome.measured, gradients))
    }

    /// The same where nothing below the heads changes: what the heads read is kept.
    fn pass_of_heads(
        &mut self,
        examples: &[Example],
        learning: Option<(f64, u64)>,
    ) -> Result<Measured, ModelError> {
        let (backbone, readers) = self.build(learning.is_some())?;
        let mut questions = Vec::new();
        let mut states = Vec::new();
        let mut owners = Vec::new();
        for (e, example) in examples.iter().enumerate() {
            if self.states.of(example).is_none() {
                let one = std::slice::from_ref(example);
                let seen = self.pictures.see(&backbone, one)?;
                let asked = self.ask(one, &seen)?;
                let sequences: Vec<_> = asked
                    .questions
                    .iter()
                    .zip(&asked.owners)
                    .map(|(question, &(_, c))| {
                        let source = &seen[&example.source.hash];
                        question.sequence(source, &seen[&example.candidates[c].hash])
                    })
                    .collect();
                let read = backbone.read(&sequences, true)?;
                let places = asked.owners.iter().map(|(_, c)| *c);
                let kept = asked.questions.into_iter().zip(places).zip(read);
                self.states
                    .keep(example, kept.map(|((q, c), s)| (q, c, s)).collect());
            }
            for (question, c, state) in self.states.of(example).into_iter().flatten() {
                questions.push(question.clone());
                states.push(state.clone());
                owners.push((e, *c));
            }
        }
        let draw = learning.map(|(_, draw)| draw);
        let share = self.head_dropout();
        let questions: Vec<&Question> = questions.iter().collect();
        let answer = || Answers::new(&readers, &questions, &states, share);
        let answers = match draw {
            Some(draw) => crate::model::dropout::with_stream(draw, answer)?,
            None => answer()?,
        };
        let outcome: Outcome = self.criterion.judge(examples, &owners, &answers, draw)?;
        if let Some((scale, _)) = learning {
            answers.backward(&self.tensors, &outcome.scaled(scale), &mut self.waiting)?;
        }
        Ok(outcome.measured)
    }

    const fn head_dropout(&self) -> f32 {
        self.recipe.head_dropout as f32
    }
}

impl Learner for Network {
    fn accumulate(
        &mut self,
        examples: &[Example],
        scale: f64,
        draw: u64,
    ) -> Result<Measured, ModelError> {
        self.pass(examples, Some((scale, draw)))
    }

    fn update(&mut self, rates: &Rates, clip: Option<f64>) -> Result<Update, ModelError> {
        let gradients = std::mem::take(&mut self.waiting);
        let gradient_norm = self
            .optimizer
            .step(&self.tensors, &gradients, rates, clip)?;
        Ok(Update { gradient_norm })
    }

    fn measure(&mut self, examples: &[Example]) -> Result<Measured, ModelError> {
        self.pass(examples, None)
    }

    fn save(&self, dir: &Path) -> Result<(), ModelError> {
        self.write_state(dir)
    }

    fn restore(&mut self, dir: &Path) -> Result<(), ModelError> {
        self.waiting.clear();
        self.read_state(dir)
    }

    fn export(&self, dir: &Path, name: &str) -> Result<(), ModelError> {
        self.write_model(dir, name)
    }
}

/// As many threads as [`THREADS`] says, else as candle would take.
fn workers() -> Result<rayon::ThreadPool, ModelError> {
    let threads = std::env::var(THREADS)
        .ok()
        .and_then(|count| count.parse().ok())
        .filter(|count| *count > 0)
        .unwrap_or_else(candle_core::utils::get_num_threads);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("learner {i}"))
        .build()
        .map_err(|error| ModelError::Device(format!("cannot start threads: {error}")))
}
