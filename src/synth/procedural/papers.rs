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

/// Of finished groups.
pub(super) fn ceiling(finished: &[Finished]) -> Ceiling {
    let judged: Vec<Judged<'_>> = finished
        .iter()
        .map(|group| {
            let labels = group.line.candidates.iter().map(|c| c.labels.as_slice());
            group.ideals.iter().copied().zip(labels).collect()
        })
        .collect();
    ceiling_of(&judged)
}

/// A group's candidates: ideal scores and labels.
type Judged<'a> = Vec<((f32, f32), &'a [SimulatedLabel])>;

/// Over all pairs within groups.
fn ceiling_of(groups: &[Judged<'_>]) -> Ceiling {
    let share = |ideal: fn((f32, f32)) -> f32, label: fn(&SimulatedLabel) -> u8| {
        let (mut right, mut pairs) = (0.0_f64, 0.0_f64);
        for group in groups {
            let scores: Vec<(f32, u32)> = group
                .iter()
                .map(|(scores, labels)| {
                    let sum = labels.iter().map(|l| u32::from(label(l))).sum();
                    (ideal(*scores), sum)
                })
                .collect();
            for (i, one) in scores.iter().enumerate() {
                for other in scores[..i].iter().filter(|other| other.1 != one.1) {
                    pairs += 1.0;
                    if (one.0 - other.0).abs() < 1e-3 {
                        right += 0.5;
                    } else if (one.0 > other.0) == (one.1 > other.1) {
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

#[cfg(test)]
mod tests {
    use super::super::editors::cast;
    use super::super::order::Kind;
    use super::super::outcome::Fidelity;
    use super::*;
    use crate::domain::stats::{Level, krippendorff_alpha};
    use crate::synth::labels::Annotators;
    use crate::synth::raster::noise::chance;

    type Scores = (f32, f32);

    /// 800 groups as they are cast and judged, without their pictures.
    fn judged(seed: u64) -> Vec<Vec<(Scores, Vec<SimulatedLabel>)>> {
        let annotators = Annotators::of_different_strictness(seed);
        let mut stream = chance(seed, "judged");
        (0..800)
            .map(|i| {
                let kind = Kind::ALL[i % Kind::ALL.len()];
                let cast = cast(kind, &Fidelity::ALL, i % 3 == 0, &mut stream);
                cast.into_iter()
                    .map(|(_, outcome)| {
                        let ideal = outcome.ideal(i % 3 == 0);
                        (ideal, annotators.judge(ideal, &mut stream))
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_labels_can_be_predicted_and_still_agree_only_as_people_do() {
        for seed in [1, 11, 977] {
            let groups = judged(seed);
            let views: Vec<Judged<'_>> = groups
                .iter()
                .map(|g| g.iter().map(|(s, l)| (*s, l.as_slice())).collect())
                .collect();
            let ceiling = ceiling_of(&views);
            let (following, looks) = (ceiling.following.unwrap(), ceiling.looks.unwrap());
            assert!(following >= 0.93 && looks >= 0.90, "{ceiling:?}");
            let alpha = |label: fn(&SimulatedLabel) -> u8| {
                let units: Vec<Vec<f64>> = groups
                    .iter()
                    .flatten()
                    .map(|(_, labels)| labels.iter().map(|l| f64::from(label(l))).collect())
                    .collect();
                krippendorff_alpha(&units, Level::Ordinal).unwrap()
            };
            let (following, looks) = (alpha(|l| l.following), alpha(|l| l.looks));
            assert!((0.63..0.77).contains(&following), "{following}");
            assert!((0.53..0.67).contains(&looks), "{looks}");
            assert!(looks < following);
        }
    }

    #[test]
    fn equal_ideal_scores_predict_nothing() {
        let label = |following, looks| SimulatedLabel {
            annotator: "simulated-1".to_owned(),
            following,
            looks,
            simulated: true,
        };
        let (one, other) = ([label(4, 2)], [label(1, 2)]);
        let group = |ideal: f32| vec![((4.0, 3.0), &one[..]), ((ideal, 1.0), &other[..])];
        let ceiling = |ideal| ceiling_of(&[group(ideal)]).following;
        assert_eq!(
            (ceiling(1.0), ceiling(4.0), ceiling(5.0)),
            (Some(1.0), Some(0.5), Some(0.0))
        );
        assert_eq!(ceiling_of(&[group(1.0)]).looks, None);
    }
}
