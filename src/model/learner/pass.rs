//! One pass over sequences and back: from packed rows to the heads' numbers, and from slopes of those to gradients.
//!
//! With checkpointing, only what goes into each layer is kept; on the way back a layer is computed again, so that memory
//! holds one layer's inner values instead of all.

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{DType, Result, Tensor, Var};

use super::auxiliary::AuxiliaryHeads;
use super::criterion::Slopes;
use super::tensors::Tensors;
use crate::domain::Axis;
use crate::model::backbone::{Backbone, Packed};
use crate::model::dropout;
use crate::model::head::Heads;
use crate::model::questions::Question;

/// Gradients by tensor name, in f32.
pub(super) type Gradients = BTreeMap<String, Tensor>;

/// The heads' numbers of one pass, tracked: for each axis `(answers, outputs)`, in the order of the questions.
#[derive(Debug)]
pub(super) struct Answers {
    /// By axis: the numbers, and for each row which question it answers.
    pub(super) by_axis: Vec<(Axis, Tensor, Vec<usize>)>,
    /// By auxiliary attribute: the classes' logits, a row for each question.
    pub(super) attributes: Vec<Tensor>,
}

/// All that reads states in training.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    pub(super) heads: Heads,
    pub(super) auxiliary: AuxiliaryHeads,
}

impl Answers {
    /// What the heads say of the states that each question wants.
    pub(super) fn new(
        readers: &Readers,
        questions: &[&Question],
        states: &[Tensor],
        head_dropout: f32,
    ) -> Result<Self> {
        let mut rows: BTreeMap<Axis, (Vec<Tensor>, Vec<usize>)> = BTreeMap::new();
        for (i, (question, states)) in questions.iter().zip(states).enumerate() {
            for (axis, states) in question.answers(states)? {
                let entry = rows.entry(axis).or_default();
                entry.0.push(states);
                entry.1.push(i);
            }
        }
        let by_axis = rows
            .into_iter()
            .map(|(axis, (states, owners))| {
                let counts: Vec<usize> = states.iter().map(|s| s.dims()[0]).collect();
                let numbers =
                    readers
                        .heads
                        .forward(axis, &Tensor::cat(&states, 0)?, head_dropout)?;
                Ok((axis, averaged(&numbers, &counts)?, owners))
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            by_axis,
            attributes: readers.auxiliary.forward(states)?,
        })
    }

    /// The sum of all numbers times their slopes, whose gradient is that of the loss.
    fn surrogate(&self, slopes: &Slopes) -> Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        let mut add = |numbers: &Tensor, slopes: Vec<f32>| -> Result<()> {
            let slopes = Tensor::from_vec(slopes, numbers.shape(), numbers.device())?;
            let part = (numbers * slopes)?.sum_all()?;
            sum = Some(match sum.take() {
                None => part,
                Some(sum) => (sum + part)?,
            });
            Ok(())
        };
        for ((_, numbers, _), slopes) in self.by_axis.iter().zip(&slopes.axes) {
            let (_, outputs) = numbers.dims2()?;
            let of_row = |s: &[f64; 2]| s.map(|x| x as f32).into_iter().take(outputs);
            add(numbers, slopes.iter().flat_map(of_row).collect())?;
        }
        for (logits, slopes) in self.attributes.iter().zip(&slopes.attributes) {
            add(logits, slopes.iter().map(|x| *x as f32).collect())?;
        }
        sum.ok_or_else(|| candle_core::Error::Msg("a pass without answers".into()))
    }
}

impl Answers {
    /// Backward where nothing below the heads is trained.
    pub(super) fn backward(
        &self,
        tensors: &Tensors,
        slopes: &Slopes,
        into: &mut Gradients,
    ) -> Result<()> {
        collect(tensors, &self.surrogate(slopes)?.backward()?, into)
    }
}

/// The means over consecutive stretches of rows, `(stretches, columns)`: the reference applies a head to every token and
/// averages its outputs, not the states.
fn averaged(numbers: &Tensor, counts: &[usize]) -> Result<Tensor> {
    if counts.iter().all(|count| *count == 1) {
        return Ok(numbers.clone());
    }
    if counts.iter().all(|count| *count == counts[0]) {
        let columns = numbers.dims()[1];
        return numbers.reshape(((), counts[0], columns))?.mean(1);
    }
    let mut start = 0;
    let means = counts
        .iter()
        .map(|count| {
            start += count;
            numbers.narrow(0, start - count, *count)?.mean_keepdim(0)
        })
        .collect::<Result<Vec<_>>>()?;
    Tensor::cat(&means, 0)
}

/// A pass that waits for its slopes.
#[derive(Debug)]
pub(super) struct Pass {
    packed: Packed,
    /// With checkpointing: what went into each layer and what came out of the last, cut off from their histories.
    kept: Option<Vec<Tensor>>,
    /// The last of those as a variable.
    end: Option<Var>,
    draw: u64,
    /// What the heads say.
    pub(super) answers: Answers,
}

impl Pass {
    /// Forward. `draw` seeds what is left to chance; without it nothing is dropped.
    pub(super) fn forward(
        (backbone, readers): (&Backbone, &Readers),
        packed: Packed,
        questions: &[&Question],
        (draw, head_dropout): (Option<u64>, f32),
        checkpointing: bool,
    ) -> Result<Self> {
        let decoder = backbone.decoder();
        let seed = draw.unwrap_or_default();
        let mut kept = checkpointing.then(Vec::new);
        let mut end = None;
        let states = if let Some(kept) = &mut kept {
            let pass = packed.pass();
            let mut x = packed.x.detach();
            for i in 0..decoder.depth() {
                let next = within(draw, layer_seed(seed, i), || decoder.layer(i, &x, &pass))?;
                kept.push(std::mem::replace(&mut x, packed.after(i, &next)?.detach()));
            }
            let last = Var::from_tensor(&x)?;
            let states = decoder.finish(last.as_tensor(), &pass)?;
            end = Some(last);
            states
        } else {
            let pass = packed.pass();
            let mut x = packed.x.clone();
            for i in 0..decoder.depth() {
                let next = within(draw, layer_seed(seed, i), || decoder.layer(i, &x, &pass))?;
                x = packed.after(i, &next)?;
            }
            decoder.finish(&x, &pass)?
        };
        let states = packed.split(&states)?;
        let answers = within(draw, seed, || {
            Answers::new(readers, questions, &states, head_dropout)
        })?;
        Ok(Self {
            packed,
            kept,
            end,
            draw: seed,
            answers,
        })
    }

    /// Backward: adds the gradients of what is trained, given the loss's slopes along the answers. `dropping`: the forward
    /// pass dropped.
    pub(super) fn backward(
        self,
        backbone: &Backbone,
        tensors: &Tensors,
        slopes: &Slopes,
        dropping: bool,
        into: &mut Gradients,
    ) -> Result<()> {
        let grads = self.answers.surrogate(slopes)?.backward()?;
        collect(tensors, &grads, into)?;
        let (Some(kept), Some(end)) = (self.kept, self.end) else {
            return Ok(());
        };
        let Some(mut slope) = grads.get(end.as_tensor()).cloned() else {
            return Ok(());
        };
        let (decoder, pass) = (backbone.decoder(), self.packed.pass());
        // What the first layers add at images has a history of its own, in the vision tower.
        let mut below: Option<Tensor> = None;
        let add = |part: Tensor, to: &mut Option<Tensor>| -> Result<()> {
            *to = Some(match to.take() {
                None => part,
                Some(sum) => (sum + part)?,
            });
            Ok(())
        };
        for (i, x) in kept.into_iter().enumerate().rev() {
            if let Some(part) = self.packed.surrogate_of_added(i, &slope)? {
                add(part, &mut below)?;
            }
            let x = Var::from_tensor(&x)?;
            let draw = dropping.then_some(self.draw);
            let next = within(draw, layer_seed(self.draw, i), || {
                decoder.layer(i, x.as_tensor(), &pass)
            })?;
            let grads = (next * &slope)?.sum_all()?.backward()?;
            collect(tensors, &grads, into)?;
            let Some(next) = grads.get(x.as_tensor()) else {
                return Ok(());
            };
            slope = next.clone();
        }
        if self.packed.x.track_op() {
            add((&self.packed.x * &slope)?.sum_all()?, &mut below)?;
        }
        if let Some(below) = below {
            collect(tensors, &below.backward()?, into)?;
        }
        Ok(())
    }
}

/// Runs `work` with dropout from the stream `seed` if this pass drops at all.
fn within<T>(draw: Option<u64>, seed: u64, work: impl FnOnce() -> T) -> T {
    match draw {
        Some(_) => dropout::with_stream(seed, work),
        None => work(),
    }
}

/// A stream for each layer, so that one can be computed again without those before it.
const fn layer_seed(draw: u64, layer: usize) -> u64 {
    draw ^ (layer as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn collect(tensors: &Tensors, grads: &GradStore, into: &mut Gradients) -> Result<()> {
    let own = tensors.trained.iter().filter_map(|(name, trainee)| {
        let grad = grads.get(trainee.var.as_tensor())?;
        Some((name.clone(), grad.clone()))
    });
    add(into, own.collect())
}

/// Adds gradients to those that wait.
pub(super) fn add(waiting: &mut Gradients, more: Gradients) -> Result<()> {
    for (name, grad) in more {
        let grad = grad.to_dtype(DType::F32)?;
        let sum = match waiting.remove(&name) {
            None => grad,
            Some(sum) => (sum + grad)?,
        };
        // A gradient that shares its history with others would keep all of it alive.
        waiting.insert(name, sum.detach());
    }
    Ok(())
}
