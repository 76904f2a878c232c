//! The editors: made-up programs, each with habits of its own, so that statistics by editor mean something.
//!
//! A habit is a distribution over outcomes: one editor is nearly always right but compresses hard, one forgets the place, one
//! mostly hands the source back. Over all of them, following well and looking good have little to do with each other.

use rand::RngExt as _;

use super::damage::{can_have, distinct};
use super::order::Kind;
use super::outcome::{Artefact, Exclusivity, Fidelity, Grade, Outcome};
use crate::synth::raster::noise::Chance;

/// One editor: its name and how often, relative to each other, it does what.
#[derive(Debug)]
pub(super) struct Editor {
    pub(super) name: &'static str,
    /// Exact, partial, wrong operation, wrong place, opposite, nothing.
    fidelity: [u32; 6],
    /// Clean, tinted, shifted.
    exclusivity: [u32; 3],
    /// In how many of a hundred pictures it leaves an artefact.
    spoils: u32,
    /// The artefact that seven in ten of its artefacts are.
    favourite: Artefact,
    /// Mild, clear, severe.
    grades: [u32; 3],
}

const fn editor(
    name: &'static str,
    fidelity: [u32; 6],
    exclusivity: [u32; 3],
    (spoils, favourite, grades): (u32, Artefact, [u32; 3]),
) -> Editor {
    Editor {
        name,
        fidelity,
        exclusivity,
        spoils,
        favourite,
        grades,
    }
}

/// All of them.
pub(super) const EDITORS: [Editor; 14] = [
    // The good one.
    editor(
        "synthetic/atlas",
        [85, 5, 4, 2, 1, 3],
        [94, 3, 3],
        (12, Artefact::Noise, [70, 25, 5]),
    ),
    // Nearly always right, and compresses hard.
    editor(
        "synthetic/press",
        [82, 6, 4, 3, 2, 3],
        [92, 4, 4],
        (92, Artefact::Compression, [10, 40, 50]),
    ),
    // Likes strong colors.
    editor(
        "synthetic/neon",
        [62, 14, 8, 6, 5, 5],
        [80, 14, 6],
        (85, Artefact::OverSaturated, [20, 40, 40]),
    ),
    // Likes strong light.
    editor(
        "synthetic/flare",
        [45, 20, 12, 8, 8, 7],
        [84, 6, 10],
        (80, Artefact::OverBright, [20, 40, 40]),
    ),
    // Forgets the place.
    editor(
        "synthetic/drift",
        [15, 12, 8, 55, 4, 6],
        [86, 7, 7],
        (25, Artefact::Halo, [40, 40, 20]),
    ),
    // Mostly hands back what it was given.
    editor(
        "synthetic/mule",
        [12, 18, 5, 3, 2, 60],
        [96, 2, 2],
        (30, Artefact::Compression, [40, 35, 25]),
    ),
    // Does the contrary.
    editor(
        "synthetic/contrary",
        [14, 8, 8, 8, 58, 4],
        [88, 6, 6],
        (40, Artefact::Noise, [30, 40, 30]),
    ),
    // Stops half-way.
    editor(
        "synthetic/halfway",
        [14, 70, 5, 4, 2, 5],
        [90, 6, 4],
        (30, Artefact::Blur, [40, 40, 20]),
    ),
    // Does something else.
    editor(
        "synthetic/wander",
        [12, 6, 68, 6, 4, 4],
        [86, 8, 6],
        (45, Artefact::Blocks, [25, 40, 35]),
    ),
    // Soft pictures.
    editor(
        "synthetic/haze",
        [50, 16, 12, 8, 6, 8],
        [90, 5, 5],
        (85, Artefact::Blur, [15, 40, 45]),
    ),
    // Grainy pictures.
    editor(
        "synthetic/grain",
        [38, 14, 18, 8, 10, 12],
        [90, 5, 5],
        (85, Artefact::Noise, [15, 40, 45]),
    ),
    // Broken pictures.
    editor(
        "synthetic/mosaic",
        [46, 12, 14, 8, 8, 12],
        [90, 5, 5],
        (85, Artefact::Blocks, [15, 40, 45]),
    ),
    // Right, but the rest changes too.
    editor(
        "synthetic/spill",
        [72, 12, 5, 4, 4, 3],
        [20, 45, 35],
        (20, Artefact::OverBright, [50, 35, 15]),
    ),
    // Rims around everything.
    editor(
        "synthetic/corona",
        [48, 14, 12, 10, 8, 8],
        [88, 6, 6],
        (85, Artefact::Halo, [15, 40, 45]),
    ),
];

fn drawn<T: Copy>(all: &[T], weights: &[u32], chance: &mut Chance) -> Option<T> {
    let total: u32 = weights.iter().sum();
    if total == 0 {
        return None;
    }
    let mut at = chance.random_range(0..total);
    for (value, weight) in all.iter().zip(weights) {
        match at.checked_sub(*weight) {
            Some(rest) => at = rest,
            None => return Some(*value),
        }
    }
    None
}

impl Editor {
    /// What this editor makes of an order of this kind, of which only some fidelities are possible.
    pub(super) fn outcome(
        &self,
        kind: Kind,
        possible: &[Fidelity],
        chance: &mut Chance,
    ) -> Outcome {
        let mut weights = self.fidelity;
        for (weight, fidelity) in weights.iter_mut().zip(Fidelity::ALL) {
            if !possible.contains(&fidelity) {
                *weight = 0;
            }
        }
        let fidelity = drawn(&Fidelity::ALL, &weights, chance).unwrap_or(Fidelity::WrongOperation);
        let mut weights = self.exclusivity;
        for (weight, exclusivity) in weights.iter_mut().zip(Exclusivity::ALL) {
            if !can_have(exclusivity, kind) {
                *weight = 0;
            }
        }
        // Whoever does nothing changes nothing else.
        let exclusivity = if fidelity == Fidelity::Nothing {
            Exclusivity::Clean
        } else {
            drawn(&Exclusivity::ALL, &weights, chance).unwrap_or(Exclusivity::Clean)
        };
        let artefact = if chance.random_range(0..100) < self.spoils {
            self.artefact(kind, chance)
        } else {
            Artefact::None
        };
        let grade = drawn(&Grade::ALL, &self.grades, chance).unwrap_or(Grade::Clear);
        Outcome {
            fidelity,
            exclusivity,
            artefact,
            grade,
        }
    }

    fn artefact(&self, kind: Kind, chance: &mut Chance) -> Artefact {
        if chance.random_range(0..10) < 7 && distinct(self.favourite, kind) {
            return self.favourite;
        }
        let others: Vec<Artefact> = Artefact::ALL
            .into_iter()
            .filter(|artefact| distinct(*artefact, kind))
            .collect();
        others[chance.random_range(0..others.len())]
    }
}

/// How many casts are drawn for the best of them to be taken.
const DRAWS: usize = 16;

/// A group's candidates: each by another editor, no two alike, one at least exact, with differences on both axes that have
/// little to do with each other. `halves_region` is as in [`Outcome::ideal`].
pub(super) fn cast(
    kind: Kind,
    possible: &[Fidelity],
    halves_region: bool,
    chance: &mut Chance,
) -> Vec<(&'static Editor, Outcome)> {
    let number = [4, 4, 5, 5, 5, 5, 6, 6, 6, 7][chance.random_range(0..10)];
    let mut best: Option<(f32, Vec<(&'static Editor, Outcome)>)> = None;
    for _ in 0..DRAWS {
        let cast = drawn_cast(number, kind, possible, chance);
        let worth = contrast(&cast, halves_region);
        if best.as_ref().is_none_or(|(most, _)| worth > *most) {
            best = Some((worth, cast));
        }
    }
    best.map(|(_, cast)| cast).unwrap_or_default()
}

fn drawn_cast(
    number: usize,
    kind: Kind,
    possible: &[Fidelity],
    chance: &mut Chance,
) -> Vec<(&'static Editor, Outcome)> {
    let mut order: Vec<&'static Editor> = EDITORS.iter().collect();
    for i in (1..order.len()).rev() {
        order.swap(i, chance.random_range(0..=i));
    }
    let mut cast: Vec<(&'static Editor, Outcome)> = Vec::with_capacity(number);
    for editor in order {
        if cast.len() == number {
            break;
        }
        let outcome = editor.outcome(kind, possible, chance);
        let alike = |other: &Outcome| {
            other.fidelity == outcome.fidelity
                && (other.exclusivity == Exclusivity::Clean)
                    == (outcome.exclusivity == Exclusivity::Clean)
                && (other.artefact == outcome.artefact)
        };
        if !cast.iter().any(|(_, other)| alike(other)) {
            cast.push((editor, outcome));
        }
    }
    cast
}

/// What a cast is worth: differences between any two on both axes, less what the axes have in common.
fn contrast(cast: &[(&'static Editor, Outcome)], halves_region: bool) -> f32 {
    let scores: Vec<(f32, f32)> = cast
        .iter()
        .map(|(_, outcome)| outcome.ideal(halves_region))
        .collect();
    let (mut apart, mut pairs) = (0.0_f32, 0.0_f32);
    for (i, one) in scores.iter().enumerate() {
        for other in &scores[i + 1..] {
            apart += (one.0 - other.0).abs().min(1.5) + (one.1 - other.1).abs().min(1.5);
            pairs += 1.0;
        }
    }
    let exact = cast.iter().any(|(_, o)| o.fidelity == Fidelity::Exact);
    let missing = if exact { 0.0 } else { 2.0 };
    apart / pairs.max(1.0) - 0.8 * correlation(&scores).abs() - missing
}

/// Pearson's; 0 where an axis does not vary.
pub(super) fn correlation(scores: &[(f32, f32)]) -> f32 {
    let n = scores.len().max(1) as f32;
    let mean = scores
        .iter()
        .fold((0.0, 0.0), |m, s| (m.0 + s.0 / n, m.1 + s.1 / n));
    let (mut both, mut one, mut other) = (0.0_f32, 0.0_f32, 0.0_f32);
    for score in scores {
        let (a, b) = (score.0 - mean.0, score.1 - mean.1);
        both += a * b;
        one += a * a;
        other += b * b;
    }
    if one * other > 0.0 {
        both / (one * other).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::raster::noise::chance;
    use super::*;

    #[test]
    fn every_cast_differs_on_both_axes_and_has_the_right_edit() {
        let mut stream = chance(1, "cast");
        for kind in Kind::ALL {
            for _ in 0..60 {
                let cast = cast(kind, &Fidelity::ALL, false, &mut stream);
                assert!((4..=7).contains(&cast.len()), "{}", cast.len());
                let ideal: Vec<(f32, f32)> = cast.iter().map(|(_, o)| o.ideal(false)).collect();
                let range = |axis: fn(&(f32, f32)) -> f32| {
                    let values = ideal.iter().map(axis);
                    values.clone().fold(0.0, f32::max) - values.fold(9.0, f32::min)
                };
                assert!(range(|s| s.0) > 1.1 && range(|s| s.1) > 0.8, "{cast:?}");
                assert!(cast.iter().any(|(_, o)| o.fidelity == Fidelity::Exact));
                let names: std::collections::BTreeSet<_> =
                    cast.iter().map(|(e, _)| e.name).collect();
                assert_eq!(names.len(), cast.len());
            }
        }
    }

    #[test]
    fn the_axes_have_little_to_do_with_each_other() {
        let mut stream = chance(2, "axes");
        let (mut sum, mut large) = (0.0, 0);
        for i in 0..600 {
            let kind = Kind::ALL[i % Kind::ALL.len()];
            let cast = cast(kind, &Fidelity::ALL, false, &mut stream);
            let ideal: Vec<(f32, f32)> = cast.iter().map(|(_, o)| o.ideal(false)).collect();
            sum += correlation(&ideal);
            large += usize::from(correlation(&ideal).abs() > 0.6);
        }
        assert!((sum / 600.0).abs() < 0.1, "{}", sum / 600.0);
        assert!(large < 60, "{large} of 600");
    }

    #[test]
    fn editors_keep_their_habits() {
        let share = |name: &str, what: fn(&Outcome) -> bool| {
            let editor = EDITORS.iter().find(|e| e.name == name).unwrap();
            let mut stream = chance(3, name);
            let hits = (0..500)
                .filter(|i| {
                    let kind = Kind::ALL[i % Kind::ALL.len()];
                    what(&editor.outcome(kind, &Fidelity::ALL, &mut stream))
                })
                .count();
            hits as f32 / 500.0
        };
        assert!(share("synthetic/press", |o| o.artefact == Artefact::Compression) > 0.6);
        assert!(share("synthetic/press", |o| o.fidelity == Fidelity::Exact) > 0.75);
        assert!(share("synthetic/drift", |o| o.fidelity == Fidelity::WrongPlace) > 0.45);
        assert!(share("synthetic/mule", |o| o.fidelity == Fidelity::Nothing) > 0.5);
        assert!(EDITORS.iter().all(|e| e.name.starts_with("synthetic/")));
    }
}
