//! What makes a suspected bias believable: where it is strongest, what it looks like, and whom it favours.

use std::collections::BTreeMap;

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::effect::{Study, mean};
use super::report::{Effect, Figure, Point, Scatter, Subgroup, Turned, TurnedPair, WorstCase};
use crate::domain::Measure;
use crate::domain::stats::{Line, central_95};

/// A scatter has so many points at the most.
const POINTS: usize = 3000;
/// The band is known at so many places.
const PLACES: usize = 21;
/// So many cases and pairs are told.
const CASES: usize = 24;
/// A part of the data has so many candidates and groups at least.
const PART: (usize, usize) = (20, 6);
/// ΔE2000 that is seen at once: what is clearly more change of the background.
const SEEN: f64 = 1.0;
/// Standard deviations that are clearly more of any other measure.
const CLEARLY: f64 = 0.5;

/// Which way a bias goes: 1 where more of the measure is rewarded, -1 where less.
pub(super) fn direction(effect: &Effect) -> f64 {
    if effect.per_sd.value.unwrap_or(0.0) < 0.0 {
        -1.0
    } else {
        1.0
    }
}

/// The part of the data in which the effect is largest the way it goes: slopes within each editor's and each category's candidates.
pub(super) fn strongest(study: &Study<'_>, which: usize, way: f64) -> Option<Subgroup> {
    let (columns, z) = (&study.columns, &study.columns.measured[which].z);
    let mut parts: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (i, case) in columns
        .cases
        .iter()
        .enumerate()
        .filter(|(i, _)| z[*i].is_finite())
    {
        let named = [("editor", &case.editor), ("category", &case.category)];
        for (by, name) in named {
            if let Some(name) = name {
                parts.entry((by, name)).or_default().push(i);
            }
        }
    }
    let mut found: Vec<Subgroup> = Vec::new();
    for ((by, name), rows) in parts {
        let mut groups: Vec<usize> = rows.iter().map(|i| columns.group[*i]).collect();
        groups.sort_unstable();
        groups.dedup();
        if rows.len() < PART.0 || groups.len() < PART.1 || rows.len() == columns.len() {
            continue;
        }
        if let Some(per_sd) = slope_within(study, which, &rows) {
            found.push(Subgroup {
                by: by.into(),
                name: name.into(),
                n: rows.len(),
                groups: groups.len(),
                per_sd,
                of: 0,
            });
        }
    }
    let of = found.len();
    let along = |part: &Subgroup| way * part.per_sd.value.unwrap_or(0.0);
    let best = found
        .into_iter()
        .max_by(|a, b| along(a).total_cmp(&along(b)))?;
    (of > 1 && along(&best) > 0.0).then_some(Subgroup { of, ..best })
}

/// The slope of the residual on the measure among some candidates, with its interval by the same resamples.
fn slope_within(study: &Study<'_>, which: usize, rows: &[usize]) -> Option<Figure> {
    let z = &study.columns.measured[which].z;
    let mut sums = vec![[0.0; 5]; study.moments.blocks];
    for i in rows {
        let (x, y) = (z[*i], study.residual[*i]);
        let parts = [1.0, x, y, x * x, x * y];
        let of = &mut sums[study.moments.block[*i]];
        of.iter_mut().zip(parts).for_each(|(to, part)| *to += part);
    }
    let slope = |weight: &dyn Fn(usize) -> f64| {
        let mut all = [0.0; 5];
        for (b, sums) in sums.iter().enumerate() {
            let times = weight(b);
            all.iter_mut()
                .zip(sums)
                .for_each(|(to, part)| *to += times * part);
        }
        let [n, x, y, xx, xy] = all;
        let under = xx - x * x / n;
        let slope = (xy - x * y / n) / under;
        (under > 1e-3 * n && slope.is_finite()).then_some(slope)
    };
    let value = slope(&|_| 1.0)?;
    let mut values: Vec<f64> = study
        .weights
        .iter()
        .filter_map(|drawn| slope(&|b| f64::from(drawn[b])))
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    let whole = values.len() * 10 >= study.weights.len() * 9;
    let interval = central_95(&values).filter(|_| whole);
    Some(Figure {
        value: Some(value),
        interval,
        undefined: None,
    })
}

/// The points, the line of the effect through their middle, and where that line might lie.
pub(super) fn scatter(study: &Study<'_>, which: usize, effect: &Effect, seed: u64) -> Scatter {
    let measured = &study.columns.measured[which];
    let raw = |z: f64| measured.sd.mul_add(z, measured.mean);
    let mut rows: Vec<usize> = (0..study.columns.len())
        .filter(|i| measured.z[*i].is_finite())
        .collect();
    let of = rows.len();
    let (low, high) = rows
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), i| {
            (l.min(measured.z[*i]), h.max(measured.z[*i]))
        });
    let middle = mean(&study.pick(which, &study.residual));
    if of > POINTS {
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        rows.truncate(POINTS);
        rows.sort_unstable();
    }
    let point = |i: &usize| Point {
        measure: raw(measured.z[*i]),
        residual: study.residual[*i],
        group: study.columns.cases[*i].group,
        candidate: study.columns.cases[*i].candidate,
    };
    let fit = effect.per_unit.value.map(|slope| Line {
        intercept: middle - slope * measured.mean,
        slope,
    });
    Scatter {
        points: rows.iter().map(point).collect(),
        of,
        band: if fit.is_some() {
            band(study, which, (low, high), &raw)
        } else {
            Vec::new()
        },
        fit,
    }
}

fn band(
    study: &Study<'_>,
    which: usize,
    (low, high): (f64, f64),
    raw: &dyn Fn(f64) -> f64,
) -> Vec<[f64; 3]> {
    let z = &study.columns.measured[which].z;
    let mut sums = vec![[0.0; 3]; study.moments.blocks];
    for i in (0..z.len()).filter(|i| z[*i].is_finite()) {
        let of = &mut sums[study.moments.block[i]];
        let parts = [1.0, z[i], study.residual[i]];
        of.iter_mut().zip(parts).for_each(|(to, part)| *to += part);
    }
    let lines: Vec<Line> = study
        .resampled_effects(which)
        .iter()
        .zip(&study.weights)
        .filter_map(|(slope, drawn)| {
            let slope = (*slope)?;
            let mut all = [0.0; 3];
            for (sums, times) in sums.iter().zip(drawn) {
                let times = f64::from(*times);
                all.iter_mut()
                    .zip(sums)
                    .for_each(|(to, part)| *to += times * part);
            }
            let [n, x, y] = all;
            (n > 0.0).then_some(Line {
                intercept: (y - slope * x) / n,
                slope,
            })
        })
        .collect();
    (0..PLACES)
        .filter_map(|place| {
            let x = low + (high - low) * place as f64 / (PLACES - 1) as f64;
            let mut values: Vec<f64> = lines.iter().map(|line| line.at(x)).collect();
            values.sort_unstable_by(f64::total_cmp);
            let [from, to] = central_95(&values)?;
            Some([raw(x), from, to])
        })
        .collect()
}

/// The candidates that the model overrates most, among the quarter that has most of what it rewards.
pub(super) fn cases(study: &Study<'_>, which: usize, way: f64) -> Vec<WorstCase> {
    let (columns, measured) = (&study.columns, &study.columns.measured[which]);
    let mut rows: Vec<usize> = (0..columns.len())
        .filter(|i| measured.z[*i].is_finite())
        .collect();
    rows.sort_by(|a, b| (way * measured.z[*b]).total_cmp(&(way * measured.z[*a])));
    rows.truncate(rows.len().div_ceil(4));
    rows.retain(|i| study.residual[*i] > 0.0);
    rows.sort_by(|a, b| study.residual[*b].total_cmp(&study.residual[*a]));
    rows.truncate(CASES);
    rows.into_iter()
        .map(|i| WorstCase {
            group: columns.cases[i].group,
            candidate: columns.cases[i].candidate,
            measure: measured.sd.mul_add(measured.z[i], measured.mean),
            residual: study.residual[i],
            model: columns.score[i],
            human: columns.human.get(i).copied(),
        })
        .collect()
}

/// The pairs in which the model prefers the one that has clearly more (`way` 1) or less (-1) of the measure, and people do not.
/// `None` without labels.
pub(super) fn turned(study: &Study<'_>, which: usize, way: f64) -> Option<Turned> {
    let (columns, measured) = (&study.columns, &study.columns.measured[which]);
    if !columns.is_labelled() {
        return None;
    }
    let margin = if measured.measure == Measure::BackgroundChange {
        SEEN
    } else {
        CLEARLY * measured.sd
    };
    let mut turned = Turned {
        judged: columns.judged,
        margin,
        ..Turned::default()
    };
    let unit = unit(study);
    let mut groups = vec![Vec::new(); columns.groups];
    for i in (0..columns.len()).filter(|i| measured.z[*i].is_finite()) {
        groups[columns.group[i]].push(i);
    }
    for rows in groups {
        for (at, &a) in rows.iter().enumerate() {
            for &b in &rows[at + 1..] {
                let apart = way * measured.sd * (measured.z[a] - measured.z[b]);
                if apart.abs() < margin {
                    continue;
                }
                let (more, less) = if apart > 0.0 { (a, b) } else { (b, a) };
                let human = columns.human[more] - columns.human[less];
                let model = columns.score[more] - columns.score[less];
                if human >= 0.0 {
                    turned.of_reverse += 1;
                    turned.turned_reverse += usize::from(model < 0.0);
                }
                if human <= 0.0 {
                    turned.of += 1;
                    if model > 0.0 {
                        turned.turned += 1;
                        turned.pairs.push(TurnedPair {
                            group: columns.cases[more].group,
                            more: columns.cases[more].candidate,
                            less: columns.cases[less].candidate,
                            measure: measured.sd * (measured.z[more] - measured.z[less]),
                            model: model / unit,
                            human,
                        });
                    }
                }
            }
        }
    }
    turned
        .pairs
        .sort_by(|a, b| (b.model - b.human).total_cmp(&(a.model - a.human)));
    turned.pairs.truncate(CASES);
    Some(turned)
}

/// What a difference on the model's scale is divided by.
fn unit(study: &Study<'_>) -> f64 {
    match (study.scale.unit, study.scale.calibration) {
        (super::report::EffectUnit::Points, Some(line)) => line.slope,
        _ => study.scale.sd,
    }
}
