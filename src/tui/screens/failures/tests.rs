//! What the failures screen makes of an analysis, and whole frames of it.

use insta::assert_snapshot;

use super::FailureNews;
use crate::domain::stats::Line;
use crate::domain::{CandidateId, GroupId, Measure};
use crate::failures::analysis::{
    Bias, DataFacts, Effect as Evidence, EffectUnit, Figure, Follower, Judged, ModelFacts, Point,
    Report, Scatter, SettingsFacts, Subgroup, WorstCase,
};
use crate::runs::{Manifest, State};
use crate::tui::msg::{Effect, Msg, Work};
use crate::tui::rig::{Rig, groups};
use crate::tui::sample;
use crate::tui::screens::train::RunNews;

fn figure(value: f64, low: f64, high: f64) -> Figure {
    Figure::new(Ok(value), Some([low, high]))
}

fn bias(measure: Measure, judged: Judged, per_sd: f64) -> Bias {
    let points: Vec<Point> = (0..60)
        .map(|i| {
            let measure = f64::from(i) / 100.0 - 0.2;
            Point {
                measure,
                residual: per_sd * measure * 5.0 + f64::from(i * 7 % 13) / 13.0 - 0.5,
                group: GroupId(i64::from(i % 4) + 1),
                candidate: CandidateId((i64::from(i % 4) + 1) * 100 + i64::from(i % 3)),
            }
        })
        .collect();
    let case = |group: i64| WorstCase {
        group: GroupId(group),
        candidate: CandidateId(group * 100 + 1),
        measure: 0.35,
        residual: 1.2,
        model: 0.9,
        human: Some(1.7),
    };
    Bias {
        sentence: format!(
            "The model gives more {} to edits with {} than people do: +1 SD ≙ {per_sd:+.2} points [0.15, 0.27].",
            judged.name(),
            measure.about().words
        ),
        effect: Evidence {
            measure,
            judged,
            n: 260,
            groups: 54,
            mean: 0.03,
            sd: 0.12,
            unit: EffectUnit::Points,
            per_sd: figure(per_sd, 0.15, 0.27),
            per_unit: figure(per_sd / 0.12, 1.2, 2.3),
            exact_labels: None,
            spearman: figure(0.31, 0.2, 0.4),
            partial: figure(0.28, 0.17, 0.37),
            p: 1e-6,
            p_holm: 3e-5,
            q: 1e-5,
        },
        also: vec![Follower {
            measure: Measure::ColorfulnessDelta,
            correlation: 0.8,
            per_sd: Some(0.18),
            p_beside: Some(0.7),
        }],
        strongest: Some(Subgroup {
            by: "editor".into(),
            name: "step1x".into(),
            n: 60,
            groups: 40,
            per_sd: figure(0.4, 0.2, 0.6),
            of: 5,
        }),
        scatter: Scatter {
            points,
            of: 60,
            fit: Some(Line {
                intercept: 0.0,
                slope: per_sd * 5.0,
            }),
            band: vec![[-0.2, -0.4, 0.1], [0.1, 0.0, 0.3], [0.39, 0.2, 0.8]],
        },
        cases: vec![case(2), case(1)],
        pairs: None,
    }
}

fn report(biases: Vec<Bias>) -> Report {
    Report {
        model: ModelFacts {
            name: "demo-qwen".into(),
            fingerprint: "f00d".into(),
        },
        data: DataFacts {
            workspace: "/home/ann/edits".into(),
            labels: "all".into(),
            groups: 54,
            candidates: 267,
            analysed: 260,
            unscored: 7,
            simulated: 260,
            local: 180,
            ..DataFacts::default()
        },
        settings: SettingsFacts {
            seed: 0,
            resamples: 1000,
            level: 0.05,
            least: 0.05,
            tests: 36,
            label_error: 0.5,
        },
        scales: Vec::new(),
        biases,
        unproven: Vec::new(),
        over_editing: None,
        effects: Vec::new(),
        left_out: Vec::new(),
        notes: vec!["Labels are simulated.".into()],
    }
}

/// A rig on the failures screen with a finished analysis among the runs.
fn analysed(width: u16, height: u16, biases: Vec<Bias>) -> Rig {
    let mut rig = Rig::new(groups(4, 3), width, height);
    rig.scored(true);
    let mut runs = sample::runs(2);
    runs[0].manifest = Manifest::new("failures analyse", Vec::new(), "demo");
    runs[0].state = State::Done;
    let run = runs[0].name.clone();
    rig.send(Msg::Runs(RunNews::Listed(runs)));
    rig.keys("F");
    assert!(rig.effects.contains(&Effect::ReadFailures(run.clone())));
    let report = Ok(Box::new(report(biases)));
    rig.send(Msg::Failures(FailureNews { run, report }));
    rig
}

fn two() -> Vec<Bias> {
    vec![
        bias(Measure::SatDelta, Judged::Vq, 0.21),
        bias(Measure::BackgroundChange, Judged::If, 0.17),
    ]
}

#[test]
fn suspicions_their_scatter_and_a_case_on_a_large_a_usual_and_a_small_terminal() {
    assert_snapshot!("large", analysed(170, 48, two()).frame());
    assert_snapshot!("usual", analysed(110, 34, two()).frame());
    assert_snapshot!("small", analysed(80, 24, two()).frame());
}

#[test]
fn without_an_analysis_a_key_begins_one() {
    let mut rig = Rig::new(groups(2, 2), 100, 30);
    rig.send(Msg::Runs(RunNews::Listed(sample::runs(0))));
    rig.keys("F");
    assert_snapshot!(rig.frame());
    rig.keys("a");
    let model = String::new();
    assert!(rig.effects.contains(&Effect::Work(Work::Analyse { model })));
}

#[test]
fn an_analysis_that_named_nothing_says_so() {
    let rig = analysed(100, 30, Vec::new());
    assert!(
        rig.frame().contains("stands the correction"),
        "{}",
        rig.frame()
    );
}

#[test]
fn what_chance_may_have_made_is_listed_as_not_proven() {
    let mut rig = analysed(120, 40, Vec::new());
    let mut near = report(Vec::new());
    near.unproven = two();
    for bias in &mut near.unproven {
        bias.effect.p_holm = 0.15;
    }
    rig.keys("r");
    let run = sample::runs(2)[0].name.clone();
    let report = Ok(Box::new(near));
    rig.send(Msg::Failures(FailureNews { run, report }));
    assert_snapshot!(rig.frame());
}

#[test]
fn a_part_of_the_plot_is_chosen_kept_and_browsed() {
    let mut rig = analysed(120, 40, two());
    for _ in 0..15 {
        rig.keys(">");
    }
    assert!(rig.frame().contains("chosen"), "{}", rig.frame());
    rig.effects.clear();
    rig.keys("s");
    let kept = rig.effects.iter().find_map(|effect| match effect {
        Effect::Keep {
            origin, candidates, ..
        } => Some((origin.clone(), candidates.len())),
        _ => None,
    });
    let (origin, n) = kept.unwrap();
    assert!(origin.starts_with("sat_delta >= "), "{origin}");
    assert!((10..20).contains(&n), "{n}");
    rig.keys("enter");
    assert!(rig.frame().contains("vq sat_delta"), "{}", rig.frame());
}

#[test]
fn a_case_is_tagged_with_what_it_is_a_case_of_and_can_be_probed() {
    let mut rig = analysed(120, 40, two());
    rig.keys("l y");
    let tag = Effect::Tag {
        candidate: CandidateId(101),
        tag: "sat_delta".into(),
    };
    assert!(rig.effects.contains(&tag));
    rig.keys("P");
    assert!(rig.frame().contains("Probe"), "{}", rig.frame());
}

#[test]
fn a_key_writes_the_report_that_shows_and_nothing_where_there_is_none() {
    let mut rig = analysed(120, 40, two());
    rig.keys("X");
    let run = sample::runs(2)[0].name.clone();
    assert!(rig.effects.contains(&Effect::ExportFailures(run)));

    let mut empty = Rig::new(groups(2, 2), 100, 30);
    empty.send(Msg::Runs(RunNews::Listed(sample::runs(0))));
    empty.keys("F X");
    let exports = |effect: &Effect| matches!(effect, Effect::ExportFailures(_));
    assert!(!empty.effects.iter().any(exports));
}

#[test]
fn an_analysis_that_cannot_be_read_says_why() {
    let mut rig = analysed(100, 30, two());
    rig.keys("r");
    let run = rig.effects.iter().rev().find_map(|effect| match effect {
        Effect::ReadFailures(run) => Some(run.clone()),
        _ => None,
    });
    let (run, report) = (run.unwrap(), Err("report.json is cut short".to_owned()));
    rig.send(Msg::Failures(FailureNews { run, report }));
    // What was read before stays.
    assert!(rig.frame().contains("sat") || rig.frame().contains("more saturation"));
}

#[test]
fn nothing_leaves_the_screen_at_any_size() {
    for (width, height) in [(30, 8), (60, 12), (99, 20), (100, 10), (200, 60)] {
        analysed(width, height, two()).frame();
    }
}
