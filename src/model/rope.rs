//! Rotary positions: which position each token has, and the tables of cosines and sines that follow.
//!
//! Angles are computed as torch computes them, in f32 from f32 frequencies, whatever the model's precision: at position 900
//! the last bit of a frequency is worth a few 1e-5 of a radian.

use candle_core::{DType, Device, Result, Tensor};

use super::config::{BackboneKind, TextConfig};
use super::kernels;
use super::manifest::Positions;

/// A token's position in time, height and width. All three are equal for text.
pub(super) type Position = [u32; 3];

/// Cosines and sines for a row of tokens, each `(tokens, head_dim / 2)`.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) cos: Tensor,
    pub(super) sin: Tensor,
}

impl Table {
    /// From one row of angles per token, `columns` wide.
    pub(super) fn new(
        angles: &[f32],
        columns: usize,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let shape = (angles.len() / columns, columns);
        let table = |f: fn(f32) -> f32| {
            let values: Vec<f32> = angles.iter().map(|angle| f(*angle)).collect();
            Tensor::from_vec(values, shape, device)?.to_dtype(dtype)
        };
        Ok(Self {
            cos: table(f32::cos)?,
            sin: table(f32::sin)?,
        })
    }

    /// The table of some of the tokens.
    pub(super) fn of(&self, tokens: &Tensor) -> Result<Self> {
        Ok(Self {
            cos: self.cos.index_select(tokens, 0)?,
            sin: self.sin.index_select(tokens, 0)?,
        })
    }

    /// Rotates the heads in `x` `(tokens, heads, head_dim)`, halves against halves. candle's fused operation has no gradient.
    pub(super) fn rotate(&self, x: &Tensor) -> Result<Tensor> {
        if kernels::fits(x) {
            return kernels::rotate(x, &self.cos, &self.sin);
        }
        if kernels::tracked(&[x]) {
            let heads_first = x.transpose(0, 1)?.unsqueeze(0)?.contiguous()?;
            return candle_nn::rotary_emb::rope_slow(&heads_first, &self.cos, &self.sin)?
                .squeeze(0)?
                .transpose(0, 1);
        }
        candle_nn::rotary_emb::rope_thd(&x.contiguous()?.unsqueeze(0)?, &self.cos, &self.sin)?
            .squeeze(0)
    }
}

/// The frequencies `1 / theta^(2i / dim)` for `i` in `0..dim / 2`.
///
/// The power is taken in f64 and rounded once, which is within an ulp of torch's f32 power and the same on every machine
/// whose `pow` is any good.
pub(super) fn frequencies(theta: f64, dim: usize) -> Vec<f32> {
    (0..dim / 2)
        .map(|i| {
            let exponent = (2 * i) as f32 / dim as f32;
            1.0 / theta.powf(f64::from(exponent)) as f32
        })
        .collect()
}

/// The language model's rotary embedding.
#[derive(Debug, Clone)]
pub(super) struct TextRope {
    frequencies: Vec<f32>,
    /// The axis (time, height, width) whose position turns each frequency.
    axes: Vec<usize>,
}

impl TextRope {
    pub(super) fn new(kind: BackboneKind, config: &TextConfig) -> Self {
        let frequencies = frequencies(config.rope_theta(), config.head_dim());
        let axes = match config.mrope_section() {
            None => vec![0; frequencies.len()],
            Some(section) => match kind {
                BackboneKind::Qwen2_5Vl => axes_in_blocks(section),
                BackboneKind::Qwen3Vl => axes_interleaved(section),
            },
        };
        Self { frequencies, axes }
    }

    /// The table for tokens at `positions`.
    pub(super) fn table(
        &self,
        positions: &[Position],
        dtype: DType,
        device: &Device,
    ) -> Result<Table> {
        let angles: Vec<f32> = positions
            .iter()
            .flat_map(|position| {
                self.frequencies
                    .iter()
                    .zip(&self.axes)
                    .map(|(frequency, &axis)| position[axis] as f32 * frequency)
            })
            .collect();
        Table::new(&angles, self.frequencies.len(), dtype, device)
    }
}

/// Qwen2.5-VL: the first frequencies follow time, the next height, the last width.
fn axes_in_blocks(section: &[usize]) -> Vec<usize> {
    section
        .iter()
        .enumerate()
        .flat_map(|(axis, &count)| std::iter::repeat_n(axis, count))
        .collect()
}

/// Qwen3-VL: time, height and width take turns for as long as height and width have frequencies left; the rest is time's.
fn axes_interleaved(section: &[usize]) -> Vec<usize> {
    (0..section.iter().sum::<usize>())
        .map(|i| {
            let axis = i % 3;
            if axis > 0 && i < 3 * section[axis] {
                axis
            } else {
                0
            }
        })
        .collect()
}

/// The position of every token of `ids`, in which each run of `image_pad` tokens is one of `images` (rows and columns of
/// visual tokens, in order).
///
/// Sequential positions count tokens. Three-dimensional ones give an image's tokens its first position in time and count
/// rows and columns from there; the text goes on after the larger of the two.
pub(super) fn positions(
    scheme: Positions,
    ids: &[u32],
    image_pad: u32,
    images: &[(usize, usize)],
) -> Vec<Position> {
    if scheme == Positions::Sequential {
        return (0..ids.len() as u32).map(|i| [i; 3]).collect();
    }
    let mut positions = Vec::with_capacity(ids.len());
    let mut images = images.iter();
    let mut next = 0;
    let mut i = 0;
    while i < ids.len() {
        match images.as_slice().first() {
            Some(&(height, width)) if ids[i] == image_pad => {
                images.next();
                let (rows, columns) = (height as u32, width as u32);
                for y in 0..rows {
                    positions.extend((0..columns).map(|x| [next, next + y, next + x]));
                }
                next += rows.max(columns);
                i += height * width;
            }
            _ => {
                positions.push([next; 3]);
                next += 1;
                i += 1;
            }
        }
    }
    positions.truncate(ids.len());
    positions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_fall_from_one_by_equal_ratios() {
        let f = frequencies(10_000.0, 8);
        assert_eq!(f, [1.0, 0.1, 0.01, 0.001]);
    }

    #[test]
    fn sequential_positions_count_tokens_whatever_they_are() {
        let p = positions(Positions::Sequential, &[5, 9, 9, 9, 9, 5], 9, &[(2, 2)]);
        assert_eq!(p.last(), Some(&[5; 3]));
    }

    #[test]
    fn images_spread_in_height_and_width_and_text_goes_on_after_the_larger() {
        let ids = [5, 9, 9, 9, 9, 9, 9, 5, 9, 5];
        let p = positions(Positions::Mrope, &ids, 9, &[(2, 3), (1, 1)]);
        assert_eq!(
            p,
            [
                [0, 0, 0],
                [1, 1, 1],
                [1, 1, 2],
                [1, 1, 3],
                [1, 2, 1],
                [1, 2, 2],
                [1, 2, 3],
                [4, 4, 4],
                [5, 5, 5],
                [6, 6, 6]
            ]
        );
    }

    #[test]
    fn sections_lie_in_blocks_or_take_turns() {
        assert_eq!(axes_in_blocks(&[2, 3, 3]), [0, 0, 1, 1, 1, 2, 2, 2]);
        assert_eq!(axes_interleaved(&[4, 2, 2]), [0, 1, 2, 0, 1, 2, 0, 0]);
        // Qwen3-VL-8B: 24 + 20 + 20 frequencies.
        let axes = axes_interleaved(&[24, 20, 20]);
        for (axis, count) in [24, 20, 20].into_iter().enumerate() {
            assert_eq!(axes.iter().filter(|a| **a == axis).count(), count);
        }
    }

    #[test]
    fn a_table_turns_a_pair_of_features_by_its_angle() {
        let table = Table::new(&[0.0, 0.5], 1, DType::F32, &Device::Cpu).unwrap();
        let x = Tensor::from_slice(&[1.0_f32, 0.0, 1.0, 0.0], (2, 1, 2), &Device::Cpu).unwrap();
        let turned = table.rotate(&x).unwrap().flatten_all().unwrap();
        let turned = turned.to_vec1::<f32>().unwrap();
        let wanted = [1.0, 0.0, 0.5_f32.cos(), 0.5_f32.sin()];
        for (a, b) in turned.iter().zip(wanted) {
            assert!((a - b).abs() < 1e-7, "{turned:?}");
        }
    }
}
