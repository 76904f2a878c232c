//! Scorers with known biases put in place of a model over workspaces of images: from files through stored measures and scores to a
//! run's report.

use image::RgbImage;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::run::{LabelChoice, Outcome, Read, Task, cases, end, read_report, run};
use super::*;
use crate::data::Workspace;
use crate::data::images::{decode, fit, png, read};
use crate::domain::color::{colorfulness, mean_saturation};
use crate::domain::query::Query;
use crate::domain::stats::draws;
use crate::domain::{
    Aggregate, Axis, Gaussian, Group, GroupId, ImageRef, Measures, Reward, human_scores,
};
use crate::failures::{AnalysisError, measure, raster};
use crate::runs::{Folder, Manifest};

const FAKE: &str = "fake";
const GROUPS: usize = 40;
const SIDE: u32 = 6;

fn pixels(picture: &RgbImage) -> Vec<[u8; 3]> {
    picture.pixels().map(|p| p.0).collect()
}

/// Away from grey by a factor.
fn saturated(picture: &RgbImage, by: f64) -> RgbImage {
    let mut out = picture.clone();
    for pixel in out.pixels_mut() {
        let grey = pixel.0.iter().map(|c| f64::from(*c)).sum::<f64>() / 3.0;
        pixel.0 = pixel.0.map(|c| {
            (grey + by * (f64::from(c) - grey))
                .round()
                .clamp(0.0, 255.0) as u8
        });
    }
    out
}

/// A workspace of tiny pictures, each group's candidates more or less saturated than its source, with labels that do not care.
fn workspace(root: &std::path::Path, seed: u64) -> Workspace {
    let mut uniform = draws(seed);
    let mut lines = String::new();
    for group in 0..GROUPS {
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        let color: Vec<f64> = (0..3).map(|_| 128.0 + 25.0 * normal()).collect();
        let source = RgbImage::from_fn(SIDE, SIDE, |_, _| {
            let mut part = |c: f64| (c + 10.0 * normal()).clamp(60.0, 200.0) as u8;
            image::Rgb([part(color[0]), part(color[1]), part(color[2])])
        });
        let name = format!("{group}.png");
        std::fs::write(root.join(&name), png(&source).unwrap()).unwrap();
        let mut candidates = Vec::new();
        for candidate in 0..5 {
            let quality = (2.5 + 0.9 * normal()).clamp(1.0, 4.0);
            let edit = saturated(&source, (1.1 + 0.35 * normal()).clamp(0.2, 2.2));
            let image = format!("{group}-{candidate}.png");
            std::fs::write(root.join(&image), png(&edit).unwrap()).unwrap();
            let labels: Vec<_> = (1..=3)
                .map(|who| {
                    let mut say = || (quality + 0.6 * normal()).round().clamp(1.0, 4.0);
                    serde_json::json!({"annotator": format!("ann-{who}"), "if": say(), "vq": say()})
                })
                .collect();
            candidates.push(serde_json::json!({
                "id": candidate.to_string(), "image": image, "editor": format!("editor-{candidate}"), "labels": labels
            }));
        }
        let record = serde_json::json!({
            "id": group.to_string(), "source": name, "instruction": "leave it", "category": format!("c{}", group % 3),
            "candidates": candidates
        });
        lines.push_str(&record.to_string());
        lines.push('\n');
    }
    std::fs::write(root.join("groups.jsonl"), lines).unwrap();
    let workspace = Workspace::create(root).unwrap();
    workspace.import_jsonl(&root.join("groups.jsonl")).unwrap();
    workspace
}

/// Measures of vividness of one candidate.
fn measured(source: &RgbImage, edit: &RgbImage) -> Measures {
    let (source, edit) = (pixels(source), pixels(edit));
    let mut measures = Measures::default();
    let more = |of: fn(&[[u8; 3]]) -> Option<f64>| of(&edit).unwrap() - of(&source).unwrap();
    measures.set(Measure::SatDelta, more(mean_saturation));
    measures.set(Measure::ColorfulnessDelta, more(colorfulness));
    measures
}

/// Stores measures of all candidates, and what a fake scorer says: what `human` gives for each candidate of a group, and `k`
/// points for each unit of saturation on VQ.
fn fill(workspace: &Workspace, k: f64, side: u32, human: &mut dyn FnMut(&Group) -> Vec<[f64; 2]>) {
    let picture = |image: &ImageRef| {
        let whole = decode(&read(workspace.root(), image).unwrap()).unwrap();
        fit(&whole, side, side)
    };
    for number in 1..=workspace.group_count().unwrap() {
        let group = workspace.group(GroupId(number as i64)).unwrap().unwrap();
        let hashes = workspace.hashes(group.id).unwrap();
        let (source, source_hash) = (picture(&group.source), hashes.source.unwrap());
        let said = human(&group);
        let mut rewards = Vec::new();
        for ((candidate, (_, hash)), said) in
            group.candidates.iter().zip(hashes.candidates).zip(said)
        {
            let measures = measured(&source, &picture(&candidate.image));
            let sat = measures.get(Measure::SatDelta).unwrap();
            let hash = hash.unwrap();
            workspace
                .save_measures(&[(&source_hash, &hash, measures)])
                .unwrap();
            let gaussian = |mean| Gaussian::new(mean, -1.0);
            let reward = Reward::of_axes(
                gaussian(said[0]),
                gaussian(said[1] + k * sat),
                Aggregate::Mean,
            );
            rewards.push((candidate.id, hash, reward));
        }
        workspace
            .save_scores(group.id, FAKE, &source_hash, &rewards)
            .unwrap();
    }
}

fn task(workspace: &Workspace) -> Task<'_> {
    Task {
        workspace,
        model: ModelFacts {
            name: FAKE.into(),
            fingerprint: FAKE.into(),
        },
        labels: LabelChoice::All,
        split: None,
        set: None,
        only: None,
        settings: Settings {
            resamples: 150,
            ..Settings::default()
        },
    }
}

fn reported(task: &Task<'_>, root: &std::path::Path) -> Result<Report, AnalysisError> {
    let manifest = Manifest::new("failures analyse", Vec::new(), FAKE);
    let folder = Folder::create(&root.join("runs"), &manifest).unwrap();
    let writer = folder.take_up().unwrap();
    let outcome = run(task, &writer, &|| false, &mut |_, _| {})?;
    end(&writer, &outcome).unwrap();
    let Outcome::Done(report) = outcome else {
        panic!("nobody asked it to stop");
    };
    assert_eq!(read_report(folder.path()).unwrap(), *report);
    Ok(*report)
}

/// What people said on average, with an error of the scorer's own.
fn like_people(seed: u64) -> impl FnMut(&Group) -> Vec<[f64; 2]> {
    let mut uniform = ChaCha8Rng::seed_from_u64(seed);
    move |group| {
        let mut normal = || (0..12).map(|_| uniform.random::<f64>()).sum::<f64>() - 6.0;
        let scores = human_scores(&group.candidates);
        let axes = Axis::ALL;
        let of = |h: &crate::domain::HumanScore, axis| h.on(axis).unwrap();
        scores
            .iter()
            .map(|h| axes.map(|axis| of(h, axis) + 0.3 * normal()))
            .collect()
    }
}

#[test]
fn a_scorer_that_likes_saturation_is_found_out_from_files_to_report() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 1);
    fill(&workspace, 9.0, SIDE, &mut like_people(2));
    let report = reported(&task(&workspace), dir.path()).unwrap();
    let names: Vec<_> = report
        .biases
        .iter()
        .map(|b| (b.effect.judged, b.effect.measure))
        .collect();
    assert_eq!(names, [(Judged::Vq, Measure::SatDelta)]);
    let bias = &report.biases[0];
    let [low, high] = bias.effect.per_unit.interval.unwrap();
    assert!(low <= 9.0 && 9.0 <= high, "{low} {high}");
    assert!(
        bias.sentence
            .starts_with("At the same human score, +1 SD of sat_delta")
    );
    assert_eq!(bias.scatter.points.len(), GROUPS * 5);
    assert!(!bias.cases.is_empty() && bias.pairs.as_ref().unwrap().turned > 0);

    // The same without labels is an association, and says so.
    let without = Task {
        labels: LabelChoice::None,
        ..task(&workspace)
    };
    let report = reported(&without, dir.path()).unwrap();
    assert_eq!(
        (report.noun(), report.data.labels.as_str()),
        ("association", "none")
    );
    assert!(report.notes[0].contains("without ground truth"));
    assert!(report.biases.iter().any(|b| b.effect.judged == Judged::Vq));
    assert!(
        report
            .biases
            .iter()
            .all(|b| b.sentence.contains("association"))
    );
}

#[test]
fn a_scorer_that_likes_nothing_is_not_suspected_and_what_is_missing_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 3);
    let lacking = reported(&task(&workspace), dir.path())
        .unwrap_err()
        .to_string();
    assert!(
        lacking.contains("'erw score'") && lacking.contains("'erw failures measure'"),
        "{lacking}"
    );
    fill(&workspace, 0.0, SIDE, &mut like_people(4));
    let report = reported(&task(&workspace), dir.path()).unwrap();
    assert!(report.biases.is_empty(), "{:?}", report.biases);
    let real = Task {
        labels: LabelChoice::Simulated,
        ..task(&workspace)
    };
    let none = reported(&real, dir.path()).unwrap_err().to_string();
    assert!(
        none.contains("200 of 200 have no simulated labels"),
        "{none}"
    );
}

/// A demo workspace with all measures of all candidates, taken of small versions of its images.
fn measured_demo(root: &std::path::Path) -> Workspace {
    const SIDE: u32 = 96;
    let workspace = Workspace::demo_in(root).unwrap();
    let picture = |image: &ImageRef| {
        let whole = decode(&read(workspace.root(), image).unwrap()).unwrap();
        fit(&whole, SIDE, SIDE)
    };
    for number in 1..=workspace.group_count().unwrap() {
        let group = workspace.group(GroupId(number as i64)).unwrap().unwrap();
        let hashes = workspace.hashes(group.id).unwrap();
        let (source, source_hash) = (picture(&group.source), hashes.source.unwrap());
        for (candidate, (_, hash)) in group.candidates.iter().zip(hashes.candidates) {
            let edit = picture(&candidate.image);
            let measures = measure(raster(&source).unwrap(), raster(&edit).unwrap());
            let row = (source_hash.as_str(), &*hash.unwrap(), measures);
            workspace.save_measures(&[row]).unwrap();
        }
    }
    workspace
}

/// Stores what a scorer says that agrees with people but for an error of its own, and adds `k` points per unit of a measure.
fn plant(workspace: &Workspace, (judged, measure, k): (Judged, Measure, f64), seed: u64) {
    let mut said = like_people(seed);
    for number in 1..=workspace.group_count().unwrap() {
        let group = workspace.group(GroupId(number as i64)).unwrap().unwrap();
        let hashes = workspace.hashes(group.id).unwrap();
        let measures = workspace.measures(group.id).unwrap();
        let rows: Vec<_> = said(&group)
            .into_iter()
            .zip(&hashes.candidates)
            .map(|(said, (id, hash))| {
                let measures = measures.iter().find(|(of, _)| of == id);
                let more = k * measures.and_then(|(_, m)| m.get(measure)).unwrap_or(0.0);
                let on = |this, said| {
                    Gaussian::new(said + if judged == this { more } else { 0.0 }, -1.0)
                };
                let axes = (on(Judged::If, said[0]), on(Judged::Vq, said[1]));
                (
                    *id,
                    hash.clone().unwrap(),
                    Reward::of_axes(axes.0, axes.1, Aggregate::Mean),
                )
            })
            .collect();
        let source = hashes.source.unwrap();
        workspace
            .save_scores(group.id, FAKE, &source, &rows)
            .unwrap();
    }
}

fn named(report: &Report) -> Vec<(Judged, Measure)> {
    let biases = report.biases.iter();
    biases
        .map(|b| (b.effect.judged, b.effect.measure))
        .collect()
}

#[test]
fn over_the_demo_a_planted_bias_is_named_with_its_size_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = measured_demo(dir.path());
    // One likes saturation; one forgives what was done to the background, which is asked of local edits that have one.
    let plans = [
        (Judged::Vq, Measure::SatDelta, 6.0, "edit_share >= 0"),
        (
            Judged::If,
            Measure::BackgroundChange,
            0.2,
            "scope = local and background_change >= 0",
        ),
    ];
    for (judged, measure, k, asked) in plans {
        plant(&workspace, (judged, measure, k), 5);
        let query = Query::parse(asked).unwrap();
        let found = workspace.matching(&query, None, &|| false).unwrap();
        let task = Task {
            only: found.map(|found| found.into_iter().map(|one| one.candidate).collect()),
            ..task(&workspace)
        };
        let report = reported(&task, dir.path()).unwrap();
        assert_eq!(named(&report), [(judged, measure)]);
        let [low, high] = report.biases[0].effect.per_unit.interval.unwrap();
        assert!(low <= k && k <= high, "{measure:?}: {low} {high}");
    }
}

#[test]
fn over_the_demo_a_scorer_without_a_bias_is_hardly_ever_suspected() {
    const SEEDS: u64 = 40;
    let dir = tempfile::tempdir().unwrap();
    let workspace = measured_demo(dir.path());
    let task = task(&workspace);
    plant(&workspace, (Judged::Vq, Measure::SatDelta, 0.0), 0);
    let Read::All(mut all, data) = cases(&task, &|| false, &mut |_, _| {}).unwrap() else {
        panic!("nobody asked it to stop");
    };
    let people: Vec<[f64; 2]> = all
        .iter()
        .map(|case| {
            let mean = |axis| {
                let of = case.labels.iter().filter(|l| l.axis == axis);
                let (sum, n) = of.fold((0.0, 0.0), |(sum, n), l| (sum + l.score, n + 1.0));
                sum / n
            };
            Axis::ALL.map(mean)
        })
        .collect();
    let settings = Settings {
        // What is named does not hang on intervals.
        resamples: 20,
        ..task.settings
    };
    let mut suspected = Vec::new();
    for seed in 0..SEEDS {
        let mut uniform = ChaCha8Rng::seed_from_u64(1000 + seed);
        for (case, people) in all.iter_mut().zip(&people) {
            let mut normal = || (0..12).map(|_| uniform.random::<f64>()).sum::<f64>() - 6.0;
            let [if_, vq] = people.map(|said| Gaussian::new(said + 0.3 * normal(), -1.0));
            case.reward = Reward::of_axes(if_, vq, Aggregate::Mean);
        }
        let report = analyse(&all, &settings, task.model.clone(), data.clone()).unwrap();
        if !report.biases.is_empty() {
            suspected.push((seed, named(&report)));
        }
    }
    assert!(suspected.len() as u64 * 20 <= SEEDS, "{suspected:?}");
}
