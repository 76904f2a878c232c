//! Probes of a selection as a whole: biases are planted in a judge, and the report must name them and their size, and no others.
//! True files, no weights.

use std::cell::Cell;
use std::path::Path;

use image::RgbImage;

use super::pictures::{pasted, photo, plain};
use super::planted::Planted;
use super::run::{Outcome, Task, end, read_report, run};
use super::shards::{self, Plan, Turned};
use super::{
    Arm, Chosen, Factor, POINTS, ProbeError, Rater, Report, Which, donors_near, material, points,
    tone,
};
use crate::data::{Workspace, images};
use crate::domain::Axis;
use crate::domain::color::mean_saturation;
use crate::model::Judge as _;
use crate::runs::shards::{IN, Worked};
use crate::runs::{Folder, Manifest, State, glance};

const SIDE: u32 = 24;
const IF: Option<Axis> = Some(Axis::InstructionFollowing);
const VQ: Option<Axis> = Some(Axis::VisualQuality);

/// A workspace of groups with two candidates each: a local edit, and the same on a duller picture. People prefer the first, on both
/// axes.
struct Rig {
    dir: tempfile::TempDir,
    workspace: Workspace,
}

impl Rig {
    fn new(groups: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut lines = Vec::new();
        for g in 1..=groups {
            let save = |name: &str, picture: &RgbImage| {
                let name = format!("{name}{g}.png");
                std::fs::write(dir.path().join(&name), images::png(picture).unwrap()).unwrap();
                name
            };
            let source = photo(SIDE, SIDE, g);
            let edit = pasted(&source, &plain(SIDE, SIDE, [210, 60, 90]), [8, 8, 8, 8]);
            let dull = tone::saturated(&edit, 0.8);
            let label = |score| format!(r#"[{{"annotator": "a", "if": {score}, "vq": {score}}}]"#);
            lines.push(format!(
                r#"{{"id": "g{g}", "source": "{}", "instruction": "Do {g}.", "candidates": [{{"id": "a", "image": "{}", "labels": {}}}, {{"id": "b", "image": "{}", "labels": {}}}]}}"#,
                save("s", &source),
                save("a", &edit),
                label(4),
                save("b", &dull),
                label(2)
            ));
        }
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        Self { dir, workspace }
    }

    fn task(&self, factors: &[Factor]) -> Task<'_> {
        let with_steps = |factor: &Factor| (*factor, factor.steps(&[]).unwrap());
        Task {
            workspace: &self.workspace,
            chosen: Chosen::default(),
            factors: factors.iter().map(with_steps).collect(),
            resamples: 200,
        }
    }

    fn folder(&self) -> Folder {
        let manifest = Manifest::new("failures probe", Vec::new(), "test");
        Folder::create(&self.dir.path().join("runs"), &manifest).unwrap()
    }

    fn report(&self, judge: &mut Planted, factors: &[Factor]) -> Report {
        match go(judge, &self.task(factors), &self.folder(), usize::MAX) {
            Outcome::Done(report) => *report,
            stopped @ Outcome::Stopped { .. } => panic!("{stopped:?}"),
        }
    }
}

/// Takes a run up, and asks it to stop after so many points.
fn go(judge: &mut Planted, task: &Task<'_>, folder: &Folder, most: usize) -> Outcome {
    let writer = folder.take_up().unwrap();
    let heard = Cell::new(0);
    let outcome = run(
        judge,
        task,
        &writer,
        &|| heard.get() >= most,
        &mut |_, _| {
            heard.set(heard.get() + 1);
        },
    )
    .unwrap();
    end(&writer, &outcome).unwrap();
    outcome
}

#[test]
fn a_planted_taste_for_saturation_is_the_slope_that_is_reported_and_none_is_reported_as_none() {
    let rig = Rig::new(4);
    for k in [0.8, 0.0] {
        let report = rig.report(
            &mut Planted::saturation(k),
            &[Factor::Saturation, Factor::Blur],
        );
        assert_eq!((report.groups, report.candidates, report.failed), (4, 8, 0));
        let [saturation, blur] = &report.factors[..] else {
            panic!("{report:?}");
        };
        let slope = saturation.slope.on(VQ).unwrap();
        let [low, high] = slope.interval.unwrap();
        assert!(
            (slope.value - k).abs() < 1e-9 && low <= k + 1e-9 && k - 1e-9 <= high,
            "{slope:?}"
        );
        assert_eq!(saturation.slope.on(IF).unwrap().value, 0.0);
        let above = |axis| {
            let verdicts = saturation.verdicts.iter();
            verdicts
                .clone()
                .find(|v| v.axis == axis && v.arm == Arm::Above)
                .unwrap()
        };
        let vq = above(Axis::VisualQuality);
        assert_eq!(vq.as_expected, Some(k == 0.0), "{}", vq.words);
        assert!(
            vq.words
                .starts_with("VQ at × 2: should be flat or fall; is "),
            "{}",
            vq.words
        );
        assert_eq!(above(Axis::InstructionFollowing).as_expected, Some(true));
        // What the judge does not look at but through saturation: blurring an even picture leaves that nearly as it is.
        assert!(blur.slope.on(IF).unwrap().value.abs() < 1e-12);
    }
}

#[test]
fn a_judge_that_ignores_the_background_is_flat_where_a_faithful_one_would_fall() {
    let middle = |edit: &RgbImage| {
        let inside = |x, y| edit.get_pixel(x, y).0;
        let pixels: Vec<_> = (9..15)
            .flat_map(|y| (9..15).map(move |x| inside(x, y)))
            .collect();
        mean_saturation(&pixels).unwrap()
    };
    let rig = Rig::new(3);
    let factors = [Factor::BackgroundTinted, Factor::BackgroundRestored];
    let report = rig.report(
        &mut Planted::new(move |_, _, edit| [middle(edit); 2]),
        &factors,
    );
    for factor in &report.factors {
        assert_eq!(factor.left_out, 0, "{:?}", report.failures);
        for step in &factor.steps {
            assert!(
                step.response.on(IF).unwrap().value.abs() < 1e-12,
                "{step:?}"
            );
        }
    }
    let tinted = &report.factors[0].verdicts[0];
    assert_eq!(
        (tinted.axis, tinted.as_expected),
        (Axis::InstructionFollowing, Some(false))
    );
    assert!(
        report.factors[1]
            .verdicts
            .iter()
            .all(|v| v.as_expected == Some(true))
    );

    // One that compares all of the edit with the source falls, and is said to do as expected.
    let faithful = |source: &RgbImage, _: &str, edit: &RgbImage| {
        let values = source.as_raw().iter().zip(edit.as_raw());
        let apart: u32 = values.map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        [-f64::from(apart) / 1e5; 2]
    };
    let report = rig.report(&mut Planted::new(faithful), &factors[..1]);
    assert!(
        report.factors[0]
            .verdicts
            .iter()
            .all(|v| v.as_expected == Some(true))
    );
}

#[test]
fn a_boost_that_turns_preferences_around_is_counted_by_step_and_by_group() {
    let rig = Rig::new(3);
    // The better candidate is the more saturated: a judge of saturation agrees, until the other is boosted.
    let report = rig.report(&mut Planted::saturation(1.0), &[Factor::Saturation]);
    let flips = report.factors[0].flips.as_ref().unwrap();
    assert_eq!((flips.pairs, flips.groups, flips.simulated), (3, 3, false));
    let at: Vec<(f64, usize)> = flips
        .steps
        .iter()
        .map(|step| (step.step, step.pairs))
        .collect();
    assert_eq!(at[0].0, 1.25);
    assert!(at.windows(2).all(|w| w[0].1 <= w[1].1), "{at:?}");
    assert_eq!(
        (flips.any.pairs, flips.any.groups, flips.any.share.value),
        (3, 3, 1.0)
    );
    // One that disagrees with people from the first has nothing to turn.
    let report = rig.report(&mut Planted::saturation(-1.0), &[Factor::Saturation]);
    assert_eq!(report.factors[0].flips, None);
}

#[test]
fn a_run_that_is_stopped_anywhere_goes_on_where_it_was_and_ends_the_same() {
    let rig = Rig::new(2);
    let mut task = rig.task(&[Factor::Saturation, Factor::OtherEdit]);
    task.factors[0].1 = vec![0.5, 1.0, 2.0];
    task.factors[1].1 = vec![0.0, 1.0];
    let whole = rig.folder();
    let mut judge = Planted::saturation(0.5);
    go(&mut judge, &task, &whole, usize::MAX);
    assert_eq!(judge.asked, 2 * 2 * 5);
    for after in [1, 7, 19] {
        let folder = rig.folder();
        let mut first = Planted::saturation(0.5);
        let outcome = go(&mut first, &task, &folder, after);
        assert!(
            matches!(outcome, Outcome::Stopped { done, of: 20 } if done == after),
            "{outcome:?}"
        );
        assert_eq!(glance(&folder).unwrap().1, State::Stopped);
        // A kill in the middle of a line.
        let mut text = std::fs::read_to_string(folder.path().join(POINTS)).unwrap();
        text.push_str(r#"{"group": "g1", "cand"#);
        std::fs::write(folder.path().join(POINTS), text).unwrap();
        let mut second = Planted::saturation(0.5);
        go(&mut second, &task, &folder, usize::MAX);
        assert_eq!(first.asked + second.asked, 20);
        let [one, other] = [&folder, &whole].map(|f| read_report(f.path()).unwrap());
        assert_eq!(one, other);
    }
}

#[test]
fn what_cannot_be_probed_is_left_out_with_its_reason_and_does_not_stop_the_rest() {
    let rig = Rig::new(2);
    std::fs::write(rig.dir.path().join("a1.png"), "not a picture").unwrap();
    // All of it is edited, so there is no background.
    let other = images::png(&plain(SIDE, SIDE, [3, 200, 40])).unwrap();
    std::fs::write(rig.dir.path().join("b2.png"), other).unwrap();
    let report = rig.report(
        &mut Planted::saturation(1.0),
        &[Factor::BackgroundTinted, Factor::OtherEdit],
    );
    let why = |group: &str, candidate: &str, step: f64| {
        let found = report
            .failures
            .iter()
            .find(|f| (f.group.as_str(), f.candidate.as_str(), f.step) == (group, candidate, step));
        found.map(|failure| failure.why.clone()).unwrap_or_default()
    };
    assert!(
        why("g1", "a", 0.5).starts_with("the edit cannot be used"),
        "{report:?}"
    );
    assert!(why("g2", "b", 0.5).contains("no background"), "{report:?}");
    assert!(why("g2", "a", 3.0).contains("there are 1"), "{report:?}");
    assert_eq!(report.factors[0].left_out, 2);
    assert!(report.failed > 0 && report.points > 0);
}

#[test]
fn a_seeded_sample_is_the_same_each_time_and_the_best_candidate_is_the_one_that_people_prefer() {
    let rig = Rig::new(6);
    let groups = |seed| {
        let mut task = rig.task(&[Factor::NoOp]);
        task.chosen = Chosen {
            limit: Some(2),
            which: Which::Best,
            seed,
            ..Chosen::default()
        };
        let folder = rig.folder();
        go(&mut Planted::saturation(1.0), &task, &folder, usize::MAX);
        let answers = points(folder.path()).unwrap();
        assert!(answers.iter().all(|answer| answer.candidate == "a"));
        let mut groups: Vec<String> = answers.into_iter().map(|answer| answer.group).collect();
        groups.dedup();
        groups
    };
    let first = groups(1);
    assert_eq!((first.len(), &first), (2, &groups(1)));
    assert!((2..20).any(|seed| groups(seed) != first));
}

#[test]
fn a_workspace_without_groups_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = Workspace::create(dir.path()).unwrap();
    let task = Task {
        workspace: &workspace,
        chosen: Chosen::default(),
        factors: vec![(Factor::NoOp, vec![0.0, 1.0])],
        resamples: 10,
    };
    let manifest = Manifest::new("failures probe", Vec::new(), "test");
    let folder = Folder::create(Path::new(&dir.path().join("runs")), &manifest).unwrap();
    let writer = folder.take_up().unwrap();
    let refused = run(
        &mut Planted::saturation(1.0),
        &task,
        &writer,
        &|| false,
        &mut |_, _| (),
    );
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("nothing to probe")
    );
}

#[test]
fn one_candidate_is_taken_from_the_workspace_with_others_near_it() {
    let rig = Rig::new(4);
    let id = rig.workspace.groups_by_key(&["g4".to_owned()]).unwrap()[0].unwrap();
    let group = rig.workspace.group(id).unwrap().unwrap();
    let donors = donors_near(&rig.workspace, &group, 2).unwrap();
    let keys: Vec<&str> = donors.iter().map(|donor| donor.key.as_str()).collect();
    assert_eq!(keys, ["g1", "g2"]);
    assert!(donors.iter().all(|donor| donor.edit.is_some()));
    let one = material(&rig.workspace, &group, 1, 0)
        .unwrap()
        .with_donors(donors);
    let variant = one.variant(Factor::OtherEdit, 2.0).unwrap();
    assert_eq!(variant.words, "edit of 'g2'");
    assert!(
        material(&rig.workspace, &group, 2, 0)
            .unwrap_err()
            .to_string()
            .contains("'g4'")
    );
}

#[test]
fn shards_that_are_stopped_again_and_again_have_the_points_and_the_report_of_one_piece() {
    let rig = Rig::new(6);
    let factors = [
        Factor::Saturation,
        Factor::OtherEdit,
        Factor::BackgroundBlurred,
    ];
    // A candidate without a picture has points without a reward, for the same reasons.
    std::fs::remove_file(rig.dir.path().join("b2.png")).unwrap();
    let task = rig.task(&factors);
    let whole = rig.folder();
    let Outcome::Done(expected) = go(&mut Planted::saturation(0.8), &task, &whole, usize::MAX)
    else {
        panic!("it was stopped");
    };
    assert!(expected.failed > 0);
    let folder = rig.folder();
    let rater = Rater::from(Planted::saturation(0.8).info());
    let plan = shards::plan(&folder, &task, ("model".into(), rater), 3).unwrap();
    assert_eq!(plan.points, expected.points + expected.failed);
    let turned = Turned {
        factors: &task.factors,
        seed: task.chosen.seed,
    };
    let work = |shard: usize, judge: Planted| {
        let writer = folder.shard(shard).take_up().unwrap();
        let heard = Cell::new(0);
        let (stop, load) = (|| heard.get() >= 40, |_: &Plan| Ok::<_, ProbeError>(judge));
        let mut hear = |_, _| heard.set(heard.get() + 1);
        shards::work((&folder, shard), turned, load, &writer, &stop, &mut hear)
    };
    let mut other = Planted::saturation(0.8);
    other.rename("planted-2");
    let full = |shard: &usize| folder.shard_file(*shard, IN).metadata().unwrap().len() > 0;
    let full = (0..3).find(full).unwrap();
    let refused = work(full, other).unwrap_err().to_string();
    assert!(refused.contains("put that one back"), "{refused}");
    for shard in 0..3 {
        let mut rounds = 0;
        while work(shard, Planted::saturation(0.8)).unwrap() != Worked::Done {
            rounds += 1;
            assert!(rounds < 99, "it never ends");
        }
    }
    let writer = folder.take_up().unwrap();
    let report = shards::conclude(&task, &writer).unwrap();
    assert_eq!(report, expected);
    let lines = |folder: &Folder| std::fs::read_to_string(folder.path().join(POINTS)).unwrap();
    assert_eq!(lines(&folder), lines(&whole));
}
