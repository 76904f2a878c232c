//! What goes with the pictures: where they are from, what they are good for, and how well their labels can be predicted.

use serde::Serialize;

use super::group::Finished;
use super::{Ceiling, Choice};
use crate::synth::labels::{ANNOTATORS, SimulatedLabel};
use crate::synth::{Options, Report};

/// How the folder was made; enough to make it again.
#[derive(Debug, Serialize)]
pub(super) struct Provenance {
    generator: &'static str,
    seed: u64,
    groups: usize,
    long_side: u32,
    masks: bool,
    /// The photos that groups could be made from.
    photos: Vec<String>,
}

pub(super) fn provenance(
    choice: &Choice,
    files: &[String],
    groups: usize,
    options: Options,
) -> Provenance {
    Provenance {
        generator: concat!("erw ", env!("CARGO_PKG_VERSION"), " (procedural)"),
        seed: options.seed,
        groups,
        long_side: options.long_side,
        masks: !choice.no_masks,
        photos: files.to_vec(),
    }
}

/// Over all pairs within groups.
pub(super) fn ceiling(finished: &[Finished]) -> Ceiling {
    let share = |ideal: fn(&(f32, f32)) -> f32, label: fn(&SimulatedLabel) -> u8| {
        let (mut right, mut pairs) = (0.0_f64, 0.0_f64);
        for group in finished {
            let means: Vec<u32> = group
                .line
                .candidates
                .iter()
                .map(|c| c.labels.iter().map(|l| u32::from(label(l))).sum())
                .collect();
            for i in 0..means.len() {
                for j in 0..i {
                    if means[i] == means[j] {
                        continue;
                    }
                    let (one, other) = (ideal(&group.ideals[i]), ideal(&group.ideals[j]));
                    pairs += 1.0;
                    if (one - other).abs() < 1e-3 {
                        right += 0.5;
                    } else if (one > other) == (means[i] > means[j]) {
                        right += 1.0;
                    }
                }
            }
        }
        (pairs > 0.0).then(|| right / pairs)
    };
    Ceiling {
        following: share(|s| s.0, |l| l.following),
        looks: share(|s| s.1, |l| l.looks),
    }
}

/// The folder's README.
pub(super) fn readme(
    report: &Report,
    ceiling: Ceiling,
    credited: bool,
    options: Options,
) -> String {
    let number = |v: Option<f64>| v.map_or_else(|| "undefined".to_owned(), |v| format!("{v:.2}"));
    let percent = |v: Option<f64>| {
        v.map_or_else(|| "undefined".to_owned(), |v| format!("{:.1} %", 100.0 * v))
    };
    let credits = if credited {
        "`CREDITS.tsv`: author, licence and source of every photo, and what was changed. The pictures are derived from them \
         under the same terms."
    } else {
        "The photos came without `CREDITS.tsv`: nothing here says who made them. Do not publish these pictures unless you know."
    };
    format!(
        "# Generated edits with simulated labels

{groups} groups in `groups.jsonl` (`erw import` takes it), one JSON object a line: a crop of a photo, an instruction, and 4 to
7 candidate edits ({candidates} in all) by made-up editors whose faults are known, because they were put in. Seed {seed}, longer
side {side} pixels.

**The labels are simulated.** No person judged these pictures. Each candidate has ideal scores by this rule:

* Instruction following (`if`): exact 4.0; partial (half of the strength or of the region) 2.5; wrong place 1.6; wrong operation,
  opposite or nothing 1.0. If the rest was tinted or changed too, what lies above 1 shrinks by 40 %.
* Visual quality (`vq`): 4.0 without an artefact, 2.9 with a mild, 2.0 with a clear, 1.1 with a severe one; 0.3 less for a region
  changed by halves and for a tinted rest, never below 1. Whether a filled hole looks natural is not judged.

{annotators}
Krippendorff's ordinal alpha of the labels is {alpha_if} (if) and {alpha_vq} (vq). On pairs of a group whose mean labels differ,
the ideal scores point the right way in {ceiling_if} (if) and {ceiling_vq} (vq): no model can do better, but for luck. Use the data
to train and test the program, not to claim anything about people.

* `photos/`: the sources. `edits/`: the candidates. `masks/`: where the right edit works (white), unless left out.
* `truth.jsonl`: a line a group: photo, crop, edit and parameters, region; per candidate what was done, fidelity, exclusivity,
  artefact, grade and ideal scores.
* {credits}
* `provenance.toml`: how this folder was made. The same photos, seed and size give the same bytes, and group *i* is the same however
  many there are.
",
        groups = report.groups,
        candidates = report.candidates,
        seed = options.seed,
        side = options.long_side,
        annotators = ANNOTATORS,
        alpha_if = number(report.alpha_following),
        alpha_vq = number(report.alpha_quality),
        ceiling_if = percent(ceiling.following),
        ceiling_vq = percent(ceiling.looks),
    )
}
