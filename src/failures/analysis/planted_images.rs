//! Scorers with known biases put in place of a model over workspaces of images: from files through stored measures and scores to a
//! run's report.

use image::RgbImage;

use super::run::{LabelChoice, Outcome, Read, Task, cases, end, read_report, run};
use super::*;
use crate::data::Workspace;
use crate::data::images::{decode, fit, png, read};
use crate::domain::color::{colorfulness, mean_saturation};
use crate::domain::stats::draws;
use crate::domain::{
    Aggregate, Axis, Gaussian, Group, GroupId, ImageRef, Measures, Reward, human_scores,
};
use crate::failures::AnalysisError;
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
    let mut uniform = draws(seed);
    move |group| {
        let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
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

#[test]
#[ignore = "decodes the demo's images: half a minute without optimisation"]
#[allow(clippy::print_stderr, reason = "its figures are what it is run for")]
fn over_the_demo_an_annotator_with_a_taste_for_saturation_is_found_out_by_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = Workspace::demo_in(dir.path()).unwrap();
    for k in [0.0, 12.0] {
        let mut third = |group: &Group| {
            let said = |axis, labels: &[crate::domain::Label]| {
                let mut of = labels
                    .iter()
                    .filter(|l| l.axis == axis && l.annotator.ends_with('3'));
                of.next().map_or(2.5, |label| label.score)
            };
            let of = |c: &crate::domain::Candidate| Axis::ALL.map(|axis| said(axis, &c.labels));
            group.candidates.iter().map(of).collect()
        };
        fill(&workspace, k, 64, &mut third);
        let task = task(&workspace);
        let Read::All(mut all, data) = cases(&task, &|| false, &mut |_, _| {}).unwrap() else {
            panic!("nobody asked it to stop");
        };
        for case in &mut all {
            case.labels.retain(|label| !label.annotator.ends_with('3'));
        }
        let report = analyse(&all, &task.settings, task.model.clone(), data).unwrap();
        for effect in &report.effects {
            eprintln!(
                "k = {k}: {} {} {:?} p {:.1e}",
                effect.judged.name(),
                effect.measure.name(),
                effect.per_unit,
                effect.p
            );
        }
        let names: Vec<_> = report
            .biases
            .iter()
            .map(|b| (b.effect.judged, b.effect.measure))
            .collect();
        if k > 0.0 {
            assert_eq!(names, [(Judged::Vq, Measure::SatDelta)]);
            let [low, high] = report.biases[0].effect.per_unit.interval.unwrap();
            assert!(low <= k && k <= high, "{low} {high}");
        } else {
            assert_eq!(names, []);
        }
    }
}
