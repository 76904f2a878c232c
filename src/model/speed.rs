//! How fast a model scores on this machine: candidates of one source in one pass, held against each sequence by itself, and both
//! against what the device can do.
//!
//! Pictures are noise, as many pixels as the model takes; everything from their bytes to the rewards is timed. Both ways take
//! turns in every round, so that what else the machine does falls on both alike, and medians are told.

use std::path::Path;
use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use serde::Serialize;

use super::error::ModelError;
use super::{LoadOptions, LoadProgress, Packing, Picture, Precision, RewardModel, Work, device};

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeedPlan {
    /// How many candidates a source has, one row of the report each.
    pub candidates: Vec<usize>,
    /// Rounds, of which the medians are told.
    pub rounds: usize,
    /// Width and height of the pictures, in pixels.
    pub picture: (u32, u32),
}

/// How long a way takes, and what it computes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Timed {
    /// Milliseconds a candidate, the median of the rounds.
    pub milliseconds: f64,
    /// Rows (tokens) of the language model a candidate.
    pub rows: f64,
    /// Counted floating-point operations a candidate, in 10¹².
    pub teraflop: f64,
    /// Their rate over the device's matrix product's, 0 to 1.
    pub share: f64,
}

/// Both ways for so many candidates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpeedRow {
    /// Candidates of one source.
    pub candidates: usize,
    /// All in one pass, what they share once.
    pub tree: Timed,
    /// Each sequence by itself.
    pub plain: Timed,
    /// The median of the rounds' ratios of plain time to tree time.
    pub ratio: f64,
    /// The largest difference between the two in any mean or log sigma.
    pub apart: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpeedReport {
    /// The model's name.
    pub model: String,
    /// Its backbone in words.
    pub backbone: String,
    /// The device in words.
    pub device: String,
    /// The number format.
    pub precision: String,
    /// The side of the square matrices whose product was timed.
    pub product_side: usize,
    /// What that product reached, in 10¹² floating-point operations a second.
    pub product_teraflops: f64,
    /// Rounds.
    pub rounds: usize,
    /// Columns and rows of the pictures.
    pub picture: (u32, u32),
    /// One for each number of candidates.
    pub rows: Vec<SpeedRow>,
}

/// What a square matrix product reaches where and in the format that a model would be loaded: its side, and 10¹² floating-point
/// operations a second, the best of some.
pub fn matrix_product(options: &LoadOptions) -> Result<(usize, f64), ModelError> {
    let device = device::open(options.device)?;
    let precision = options.precision.unwrap_or(Precision::of(&device));
    product(&device, precision.dtype())
}

fn product(device: &Device, dtype: DType) -> Result<(usize, f64), ModelError> {
    // Large enough to keep the device busy, small enough for a second.
    let side: usize = if device.is_cpu() { 1536 } else { 8192 };
    let matrix = Tensor::rand(-1.0_f32, 1.0, (side, side), device)?.to_dtype(dtype)?;
    let mut best = f64::INFINITY;
    for _ in 0..4 {
        device.synchronize()?;
        let start = Instant::now();
        let out = matrix.matmul(&matrix)?;
        device.synchronize()?;
        drop(out);
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok((side, 2.0 * (side as f64).powi(3) / best / 1e12))
}

/// Measures a model; `progress` hears of loading, then `on_round` of every round done.
pub fn measure(
    dir: &Path,
    options: &LoadOptions,
    plan: &SpeedPlan,
    progress: &mut dyn FnMut(LoadProgress),
    on_round: &mut dyn FnMut(usize),
) -> Result<SpeedReport, ModelError> {
    let (side, peak) = matrix_product(options)?;
    let mut model = RewardModel::load(dir, options, progress)?;
    let info = model.info().clone();
    let mut rows = Vec::with_capacity(plan.candidates.len());
    for &candidates in &plan.candidates {
        rows.push(row(&mut model, plan, candidates.max(1), peak, on_round)?);
    }
    Ok(SpeedReport {
        model: info.name,
        backbone: info.backbone,
        device: info.device,
        precision: info.precision.to_owned(),
        product_side: side,
        product_teraflops: peak,
        rounds: plan.rounds,
        picture: plan.picture,
        rows,
    })
}

fn row(
    model: &mut RewardModel,
    plan: &SpeedPlan,
    candidates: usize,
    peak: f64,
    on_round: &mut dyn FnMut(usize),
) -> Result<SpeedRow, ModelError> {
    let pictures: Vec<Picture> = (0..=candidates)
        .map(|salt| noise(plan.picture, salt as u32))
        .collect();
    let (mut trees, mut plains, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut apart = 0.0_f64;
    for _ in 0..plan.rounds.max(1) {
        let tree = pass(model, Packing::Tree, &pictures)?;
        let plain = pass(model, Packing::Plain, &pictures)?;
        let pairs = tree.said.iter().zip(&plain.said);
        apart = pairs.fold(apart, |most, (a, b)| most.max((a - b).abs()));
        ratios.push(plain.seconds / tree.seconds);
        trees.push(tree);
        plains.push(plain);
        on_round(candidates);
    }
    Ok(SpeedRow {
        candidates,
        tree: timed(&trees, candidates, peak),
        plain: timed(&plains, candidates, peak),
        ratio: median(ratios),
        apart,
    })
}

/// One way through one group, once.
struct Once {
    seconds: f64,
    work: Work,
    /// All means and log sigmas.
    said: Vec<f64>,
}

fn pass(
    model: &mut RewardModel,
    packing: Packing,
    pictures: &[Picture],
) -> Result<Once, ModelError> {
    model.repack(packing);
    let before = model.work();
    let mut rewards = Vec::new();
    let start = Instant::now();
    model.score_group(
        &pictures[0],
        "make the sandwich a hot dog",
        &pictures[1..],
        &mut |passed| {
            rewards.extend(passed);
            std::ops::ControlFlow::Continue(())
        },
    )?;
    let seconds = start.elapsed().as_secs_f64();
    let mut said = Vec::new();
    for (_, reward) in rewards {
        let reward = reward?;
        let axes = [reward.instruction_following, reward.visual_quality];
        let all = axes.into_iter().flatten().chain([reward.aggregate]);
        said.extend(all.flat_map(|gaussian| [gaussian.mean, gaussian.log_sigma]));
    }
    Ok(Once {
        seconds,
        work: model.work() - before,
        said,
    })
}

fn timed(rounds: &[Once], candidates: usize, peak: f64) -> Timed {
    let each = 1.0 / candidates as f64;
    let seconds = median(rounds.iter().map(|once| once.seconds).collect()) * each;
    let (rows, flops) = rounds
        .first()
        .map_or((0, 0), |once| (once.work.rows, once.work.flops()));
    let teraflop = flops as f64 * each / 1e12;
    Timed {
        milliseconds: 1000.0 * seconds,
        rows: rows as f64 * each,
        teraflop,
        share: teraflop / seconds / peak,
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A bitmap of noise.
fn noise(size: (u32, u32), salt: u32) -> Picture {
    let mut state = salt.wrapping_mul(2_654_435_761) | 1;
    bitmap(size, |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
}

/// A bitmap of so many columns and rows, from its bytes by their places; rows are filled up to a multiple of four bytes.
pub(super) fn bitmap((width, height): (u32, u32), byte: impl FnMut(u32) -> u8) -> Picture {
    let size = (3 * width).next_multiple_of(4) * height;
    let header = [54 + size, 0, 54, 40, width, height, 1 | 24 << 16, 0, size];
    let mut bytes = b"BM".to_vec();
    bytes.extend(header.into_iter().chain([0; 4]).flat_map(u32::to_le_bytes));
    bytes.extend((0..size).map(byte));
    Picture {
        hash: blake3::hash(&bytes).to_hex().to_string(),
        bytes: bytes.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::engine::tests::copy;

    #[test]
    fn what_is_measured_has_both_ways_the_same_scores_and_counted_work() {
        let dir = copy();
        let plan = SpeedPlan {
            candidates: vec![1, 3],
            rounds: 1,
            picture: (56, 28),
        };
        let mut rounds = 0;
        let options = LoadOptions::default();
        let report = measure(dir.path(), &options, &plan, &mut |_| (), &mut |_| {
            rounds += 1;
        })
        .unwrap();
        assert_eq!((rounds, report.rows.len()), (2, 2));
        for row in &report.rows {
            assert!(row.apart < 1e-4 && row.ratio > 0.0, "{row:?}");
            assert!(row.tree.rows < row.plain.rows && row.tree.teraflop < row.plain.teraflop);
        }
        assert!(report.rows[1].tree.rows < report.rows[0].tree.rows);
        assert!(report.product_teraflops > 0.0);
    }
}
