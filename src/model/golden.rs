//! The network against the reference implementation's numbers, stage by stage and case by case.
//!
//! The golden set lies beside the project (or where `ERW_REFERENCE` says); without it these tests say that they were skipped.
//! `tests/it` and the demo model's own numbers stand in for it then.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use serde::Deserialize;

use super::backbone::{Backbone, Features, Reading, Sequence};
use super::config::{BackboneKind, Config};
use super::head::Heads;
use super::manifest::{HeadKind, Pixels, Positions};
use super::names::{self, Generation};
use super::preprocess::{Grid, Processor};
use super::weights::Weights;
use crate::domain::{Aggregate, Axis, Gaussian};

/// Absolute, on values of order one: twice the reference's own noise between f32 and f64.
const TOLERANCE: f64 = 2e-5;
/// The published budget of an image.
const PUBLISHED: Pixels = Pixels {
    min: 200_704,
    max: 200_704,
};

/// What heads say of one case: (mean, log sigma) for each axis.
type Raw = [[f64; 2]; 2];

#[derive(Deserialize)]
struct Golden {
    meta: Meta,
    cases: Vec<Case>,
    #[serde(default)]
    batches: Vec<Batch>,
}

#[derive(Deserialize)]
struct Meta {
    reward_token_id: u32,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    src: String,
    edit: String,
    input_ids: [Vec<u32>; 2],
    image_grid_thw: [[usize; 3]; 2],
    reward_index: [usize; 2],
    head_raw: Raw,
    fused: Fused<[f64; 2]>,
    /// tiny-bpe: what three-dimensional positions give.
    true_mrope: Option<Mrope>,
    /// tiny-q3-bpe: what sequential positions give.
    sequential_positions_head_raw: Option<Raw>,
}

#[derive(Deserialize)]
struct Mrope {
    head_raw: Raw,
    fused: Fused<[f64; 2]>,
}

/// Both axes joined by each rule.
#[derive(Deserialize)]
struct Fused<T> {
    mean: T,
    min: T,
    sum: T,
}

#[derive(Deserialize)]
struct Pooled {
    last: Vec<[f64; 2]>,
    mean: Vec<[f64; 2]>,
    special: Vec<[f64; 2]>,
}
#[derive(Deserialize)]
struct Preprocessing {
    pooling_variants_b0_dim1_head0: Pooled,
}
#[derive(Deserialize)]
struct Batch {
    id: String,
    cases: Vec<String>,
    padded_len: [usize; 2],
    pad_token_in_ids: u32,
    /// By axis, then by case.
    head_raw: [Vec<[f64; 2]>; 2],
    fused: Fused<Vec<[f64; 2]>>,
}

/// A tiny checkpoint, its golden numbers, and a model made of it.
struct Bench {
    folder: PathBuf,
    golden: Golden,
    config: Config,
    processor: Processor,
    backbone: Backbone,
    heads: Heads,
}

/// The reference folder, or `None` (said aloud) where there is none.
pub(super) fn reference() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference");
    let path = std::env::var_os("ERW_REFERENCE").map_or_else(|| beside.into(), PathBuf::from);
    if path.join("golden").is_dir() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: no golden data in '{}'", path.display());
    }
    None
}

fn load(dir: &Path, positions: Positions) -> (Config, Backbone, Heads) {
    let config = Config::read(dir).unwrap();
    let weights = Weights::open(dir).unwrap();
    let rows = weights.embedding_rows().unwrap();
    let expected = names::expected(&config, HeadKind::Multi, 2, rows);
    let report = weights.check(&expected);
    assert!(report.is_clean(), "{report}");
    let (vb, taken) = weights.builder(DType::F32, &Device::Cpu);
    let reading = Reading {
        rows,
        image_pad: 1192,
        positions,
    };
    let backbone = Backbone::new(&config, reading, &vb, &mut || ()).unwrap();
    let heads = Heads::new(HeadKind::Multi, &vb).unwrap();
    let bytes: usize = expected
        .iter()
        .map(|t| 4 * t.shape.iter().product::<usize>())
        .sum();
    assert_eq!(
        taken.load(std::sync::atomic::Ordering::Relaxed),
        bytes as u64
    );
    (config, backbone, heads)
}

impl Bench {
    fn new(checkpoint: &str, positions: Positions) -> Option<Self> {
        let golden = reference()?.join("golden");
        let folder = golden.join(checkpoint);
        let text = fs::read_to_string(folder.join("golden.json")).unwrap();
        let dir = golden.join("checkpoints").join(checkpoint);
        let (config, backbone, heads) = load(&dir, positions);
        let budget = match config.kind {
            BackboneKind::Qwen2_5Vl => PUBLISHED,
            BackboneKind::Qwen3Vl => Processor::own_budget(&dir, config.kind).unwrap(),
        };
        Some(Self {
            processor: Processor::from_dir(&dir, config.kind, &budget).unwrap(),
            golden: serde_json::from_str(&text).unwrap(),
            folder,
            config,
            backbone,
            heads,
        })
    }

    fn tensors(&self, case: &Case) -> HashMap<String, Tensor> {
        let path = self.folder.join(format!("{}.safetensors", case.id));
        candle_core::safetensors::load(path, &Device::Cpu).unwrap()
    }

    /// Both pictures of a case, from their files' bytes to features.
    fn see(&self, case: &Case) -> [Features; 2] {
        [(&case.src, 0), (&case.edit, 1)].map(|(name, i)| {
            let path = self.folder.with_file_name("images").join(name);
            let patches = self.processor.patches(&fs::read(path).unwrap()).unwrap();
            let [_, height, width] = case.image_grid_thw[i];
            assert_eq!(patches.grid, Grid { height, width });
            self.backbone.see(&patches).unwrap()
        })
    }

    /// The final states at the reward tokens of both axes, each sequence cut off there.
    fn states(&self, case: &Case, features: &[Features; 2]) -> [Tensor; 2] {
        let sequences: Vec<Sequence<'_>> = case
            .input_ids
            .iter()
            .zip(case.reward_index)
            .map(|(ids, reward)| {
                assert_eq!(ids[reward], self.golden.meta.reward_token_id);
                Sequence {
                    ids: &ids[..=reward],
                    pictures: features.iter().collect(),
                    wanted: vec![reward],
                }
            })
            .collect();
        let mut states = self.backbone.read(&sequences, false).unwrap().into_iter();
        std::array::from_fn(|_| states.next().unwrap())
    }

    fn read(&self, states: &[Tensor; 2]) -> [Gaussian; 2] {
        std::array::from_fn(|i| self.heads.read(Axis::ALL[i], &states[i]).unwrap())
    }
}

/// The largest absolute difference.
fn worst(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.elem_count(), b.elem_count());
    let [a, b] = [a, b].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from((a - b).abs()))
        .fold(0.0, f64::max)
}

fn off(gaussian: Gaussian, [mean, log_sigma]: [f64; 2]) -> f64 {
    let off = (gaussian.mean - mean)
        .abs()
        .max((gaussian.log_sigma - log_sigma).abs());
    assert!(!off.is_nan());
    off
}

/// Heads and all three aggregates against the reference's; gives the worst difference.
fn off_all(read: [Gaussian; 2], head_raw: &Raw, fused: &Fused<[f64; 2]>) -> f64 {
    let heads = read.iter().zip(head_raw).map(|(g, raw)| off(*g, *raw));
    let joined = [
        (Aggregate::Mean, fused.mean),
        (Aggregate::Min, fused.min),
        (Aggregate::Sum, fused.sum),
    ];
    let joined = joined
        .into_iter()
        .map(|(rule, wanted)| off(rule.of(read[0], read[1]), wanted));
    heads.chain(joined).fold(0.0, f64::max)
}

/// Every stage of every case with the checkpoint's own position scheme.
fn every_stage(bench: &Bench) {
    for case in &bench.golden.cases {
        let tensors = bench.tensors(case);
        let features = bench.see(case);
        let seen: Vec<&Tensor> = features.iter().map(|f| &f.tokens).collect();
        let vision = worst(&Tensor::cat(&seen, 0).unwrap(), &tensors["vision_out"]);
        assert!(vision < TOLERANCE, "{}: vision {vision:.1e}", case.id);
        for layer in 0..features[0].deepstack.len() {
            let rows: Vec<&Tensor> = features.iter().map(|f| &f.deepstack[layer]).collect();
            let stacked = Tensor::cat(&rows, 0).unwrap();
            let off = worst(&stacked, &tensors[&format!("deepstack_{layer}")]);
            assert!(off < TOLERANCE, "{}: deepstack {layer} {off:.1e}", case.id);
        }
        let states = bench.states(case, &features);
        for (state, axis) in states.iter().zip(["dim1", "dim2"]) {
            let hidden = worst(state, &tensors[&format!("{axis}.final_hidden_at_reward")]);
            assert!(
                hidden < TOLERANCE,
                "{} {axis}: hidden {hidden:.1e}",
                case.id
            );
        }
        let heads = off_all(bench.read(&states), &case.head_raw, &case.fused);
        assert!(heads < TOLERANCE, "{}: heads {heads:.1e}", case.id);
    }
}

#[test]
fn qwen2_5_vl_is_the_reference_at_every_stage_with_sequential_positions() {
    if let Some(bench) = Bench::new("tiny-bpe", Positions::Sequential) {
        assert_eq!(bench.golden.cases.len(), 8);
        every_stage(&bench);
    }
}

#[test]
fn qwen3_vl_is_the_reference_at_every_stage_with_its_own_positions() {
    if let Some(bench) = Bench::new("tiny-q3-bpe", Positions::Mrope) {
        assert_eq!(bench.golden.cases.len(), 6);
        every_stage(&bench);
    }
}

#[test]
fn qwen2_5_vl_is_the_reference_with_positions_in_three_dimensions() {
    let Some(bench) = Bench::new("tiny-bpe", Positions::Mrope) else {
        return;
    };
    for case in &bench.golden.cases {
        let tensors = bench.tensors(case);
        let wanted = case.true_mrope.as_ref().unwrap();
        let states = bench.states(case, &bench.see(case));
        for (state, axis) in states.iter().zip(["dim1", "dim2"]) {
            let golden = &tensors[&format!("{axis}.true_mrope.final_hidden_at_reward")];
            let hidden = worst(state, golden);
            assert!(
                hidden < TOLERANCE,
                "{} {axis}: hidden {hidden:.1e}",
                case.id
            );
        }
        let heads = off_all(bench.read(&states), &wanted.head_raw, &wanted.fused);
        assert!(heads < TOLERANCE, "{}: heads {heads:.1e}", case.id);
    }
}

#[test]
fn qwen3_vl_is_the_reference_with_sequential_positions() {
    let Some(bench) = Bench::new("tiny-q3-bpe", Positions::Sequential) else {
        return;
    };
    for case in &bench.golden.cases {
        let wanted = case.sequential_positions_head_raw.unwrap();
        let read = bench.read(&bench.states(case, &bench.see(case)));
        for (gaussian, wanted) in read.into_iter().zip(wanted) {
            let off = off(gaussian, wanted);
            assert!(off < TOLERANCE, "{}: {off:.1e}", case.id);
        }
    }
}

#[test]
fn token_positions_are_those_of_the_reference() {
    for (checkpoint, key) in [
        ("tiny-bpe", "position_ids_true_mrope"),
        ("tiny-q3-bpe", "position_ids_used"),
    ] {
        let Some(bench) = Bench::new(checkpoint, Positions::Mrope) else {
            return;
        };
        for case in &bench.golden.cases {
            let tensors = bench.tensors(case);
            let images = case.image_grid_thw.map(|[_, h, w]| (h / 2, w / 2));
            for (axis, ids) in case.input_ids.iter().enumerate() {
                let golden = tensors[&format!("dim{}.{key}", axis + 1)]
                    .to_vec2::<i32>()
                    .unwrap();
                let own = super::rope::positions(Positions::Mrope, ids, 1192, &images);
                assert_eq!(own.len(), ids.len());
                for (i, position) in own.iter().enumerate() {
                    assert_eq!(position.map(|p| p as i32), [0, 1, 2].map(|a| golden[a][i]));
                }
            }
        }
    }
}

#[test]
fn attention_windows_are_those_of_the_reference() {
    let Some(bench) = Bench::new("tiny-bpe", Positions::Sequential) else {
        return;
    };
    for case in &bench.golden.cases {
        let golden = bench.tensors(case)["window_index"]
            .to_vec1::<i32>()
            .unwrap();
        let mut cells = Vec::new();
        for [_, height, width] in case.image_grid_thw {
            let first = cells.len() as i32;
            let grid = Grid { height, width };
            let windows = super::vision::windows(&grid, bench.config.vision.window_cells());
            cells.extend(
                windows
                    .into_iter()
                    .flatten()
                    .map(|cell| first + cell as i32),
            );
        }
        assert_eq!(cells, golden, "{}", case.id);
    }
}

#[test]
fn padding_on_the_right_changes_nothing_and_padded_batches_are_the_reference() {
    let Some(bench) = Bench::new("tiny-bpe", Positions::Sequential) else {
        return;
    };
    assert_eq!(bench.golden.batches.len(), 2);
    let cases: HashMap<&str, &Case> = bench
        .golden
        .cases
        .iter()
        .map(|case| (case.id.as_str(), case))
        .collect();
    for batch in &bench.golden.batches {
        let members: Vec<&Case> = batch.cases.iter().map(|id| cases[id.as_str()]).collect();
        let features: Vec<[Features; 2]> = members.iter().map(|case| bench.see(case)).collect();
        let mut read = Vec::new();
        for axis in 0..2 {
            let padded: Vec<Vec<u32>> = members
                .iter()
                .map(|case| {
                    let mut ids = case.input_ids[axis].clone();
                    ids.resize(batch.padded_len[axis], batch.pad_token_in_ids);
                    ids
                })
                .collect();
            let sequences: Vec<Sequence<'_>> = padded
                .iter()
                .zip(&members)
                .zip(&features)
                .map(|((ids, case), features)| Sequence {
                    ids,
                    pictures: features.iter().collect(),
                    wanted: vec![case.reward_index[axis]],
                })
                .collect();
            let states = bench.backbone.read(&sequences, false).unwrap();
            let heads: Vec<Gaussian> = states
                .iter()
                .map(|state| bench.heads.read(Axis::ALL[axis], state).unwrap())
                .collect();
            read.push(heads);
        }
        for (i, case) in members.iter().enumerate() {
            let fused = Fused {
                mean: batch.fused.mean[i],
                min: batch.fused.min[i],
                sum: batch.fused.sum[i],
            };
            let raw = [batch.head_raw[0][i], batch.head_raw[1][i]];
            let off = off_all([read[0][i], read[1][i]], &raw, &fused);
            assert!(off < TOLERANCE, "{} {}: {off:.1e}", batch.id, case.id);
            let single = bench.read(&bench.states(case, &features[i]));
            for (axis, single) in single.into_iter().enumerate() {
                let padded = read[axis][i];
                let off = (single.mean - padded.mean).abs();
                assert!(off < TOLERANCE, "{} {}: {off:.1e}", batch.id, case.id);
            }
        }
    }
}

#[test]
fn the_last_token_and_the_mean_over_tokens_are_read_as_the_reference_reads_them() {
    let Some(bench) = Bench::new("tiny-bpe", Positions::Sequential) else {
        return;
    };
    let path = reference().unwrap().join("golden/preproc.json");
    let text = fs::read_to_string(path).unwrap();
    let pooled = serde_json::from_str::<Preprocessing>(&text).unwrap();
    let pooled = pooled.pooling_variants_b0_dim1_head0;
    for (i, case) in bench.golden.cases[..3].iter().enumerate() {
        let features = bench.see(case);
        let ids = &case.input_ids[0];
        let reward = case.reward_index[0];
        for (wanted, golden) in [
            (reward..reward + 1, pooled.special[i]),
            (ids.len() - 1..ids.len(), pooled.last[i]),
            (0..ids.len() - 1, pooled.mean[i]),
        ] {
            let sequence = Sequence {
                ids: &ids[..wanted.end],
                pictures: features.iter().collect(),
                wanted: wanted.collect(),
            };
            let states = bench.backbone.read(&[sequence], false).unwrap();
            let read = bench
                .heads
                .read(Axis::InstructionFollowing, &states[0])
                .unwrap();
            let off = off(read, golden);
            assert!(off < TOLERANCE, "{}: {off:.1e}", case.id);
        }
    }
}

#[test]
fn a_checkpoint_with_the_older_names_gives_the_same_numbers() {
    let Some(bench) = Bench::new("tiny-bpe", Positions::Sequential) else {
        return;
    };
    let checkpoints = reference().unwrap().join("golden/checkpoints");
    let dir = tempfile::tempdir().unwrap();
    fs::copy(
        checkpoints.join("tiny-bpe-old-names/config.json"),
        dir.path().join("config.json"),
    )
    .unwrap();
    let stored = candle_core::safetensors::load(
        checkpoints.join("tiny-bpe/model.safetensors"),
        &Device::Cpu,
    )
    .unwrap();
    let renamed: HashMap<String, Tensor> = stored
        .into_iter()
        .map(|(name, tensor)| (Generation::Old.of(&name), tensor))
        .collect();
    assert!(renamed.contains_key("visual.merger.mlp.0.weight"));
    candle_core::safetensors::save(&renamed, dir.path().join("model.safetensors")).unwrap();
    let (_, backbone, heads) = load(dir.path(), Positions::Sequential);
    let old = Bench {
        backbone,
        heads,
        ..Bench::new("tiny-bpe", Positions::Sequential).unwrap()
    };
    let case = &bench.golden.cases[0];
    let read = |bench: &Bench| bench.read(&bench.states(case, &bench.see(case)));
    assert_eq!(read(&bench), read(&old));
}
