//! Reports of a made-up analysis in every form.

use std::collections::BTreeMap;

use super::*;
use crate::domain::Measure;
use crate::domain::stats::Line;
use crate::failures::analysis::{
    Bias, DataFacts, Effect, EffectUnit, Figure, Judged, ModelFacts, Point, Scatter, SettingsFacts,
    WorstCase,
};
use crate::failures::probe;

const BAD: &str = "<script>alert(\"x\")</script>, =1+1 | *a*";

fn figure(value: f64) -> Figure {
    Figure {
        value: Some(value),
        interval: Some([value - 0.05, value + 0.05]),
        undefined: None,
    }
}

fn report() -> Report {
    let effect = Effect {
        measure: Measure::SatDelta,
        judged: Judged::Vq,
        n: 3,
        groups: 2,
        mean: 0.1,
        sd: 0.05,
        unit: EffectUnit::Points,
        per_sd: figure(0.21),
        per_unit: figure(4.2),
        exact_labels: Some(0.2),
        spearman: figure(0.3),
        partial: Figure::undefined("all values are the same"),
        p: 1e-6,
        p_holm: 3e-5,
        q: 2e-5,
    };
    let point = |i: i64| Point {
        measure: 0.1 * i as f64,
        residual: i as f64 - 2.0,
        group: GroupId(1),
        candidate: CandidateId(i),
    };
    Report {
        model: ModelFacts {
            name: BAD.into(),
            fingerprint: "f0".into(),
        },
        data: DataFacts {
            labels: "all".into(),
            analysed: 3,
            ..DataFacts::default()
        },
        settings: SettingsFacts {
            seed: 1,
            resamples: 10,
            level: 0.05,
            least: 0.02,
            label_error: 0.7,
            tests: 1,
        },
        scales: Vec::new(),
        biases: vec![Bias {
            sentence: format!("It follows {BAD}"),
            effect: effect.clone(),
            also: Vec::new(),
            strongest: None,
            scatter: Scatter {
                points: (1..4).map(point).collect(),
                of: 9,
                fit: Some(Line {
                    intercept: -1.0,
                    slope: 4.2,
                }),
                band: vec![[0.1, -1.0, 0.0], [0.3, 0.0, 1.0]],
            },
            cases: vec![WorstCase {
                group: GroupId(1),
                candidate: CandidateId(3),
                measure: 0.3,
                residual: 1.0,
                model: 2.0,
                human: Some(1.5),
            }],
            pairs: None,
        }],
        unproven: Vec::new(),
        over_editing: None,
        effects: vec![effect],
        left_out: Vec::new(),
        notes: vec![BAD.into()],
    }
}

fn shown() -> Shown {
    Shown {
        groups: BTreeMap::from([(
            GroupId(1),
            ShownGroup {
                key: BAD.into(),
                instruction: BAD.into(),
                source: Some(Err(BAD.into())),
            },
        )]),
        candidates: BTreeMap::from([(
            CandidateId(3),
            ShownCandidate {
                key: BAD.into(),
                editor: Some(BAD.into()),
                picture: Some(Ok("data:image/jpeg;base64,AAAA".into())),
            },
        )]),
    }
}

#[test]
fn html_has_plot_and_pictures_in_it_and_no_text_from_data_is_markup() {
    let page = render(&report(), &shown(), Format::Html).unwrap();
    assert!(page.contains("<svg") && page.contains("class=\"band\"") && page.contains("+0.21"));
    assert!(page.contains("src=\"data:image/jpeg;base64,AAAA\""));
    assert!(page.contains("3 of 9 candidates are drawn"));
    assert!(!page.contains("<script") && !page.contains("alert(\"x\")"));
    assert!(!page.contains("http://") || page.matches("http://").count() == 1);
}

#[test]
fn what_came_near_is_written_as_not_proven() {
    let mut near = report();
    near.unproven = std::mem::take(&mut near.biases);
    near.unproven[0].sentence = "It came near".into();
    for format in [Format::Html, Format::Markdown] {
        let page = render(&near, &shown(), format).unwrap();
        let (_, rest) = page.split_once("Not proven").unwrap();
        assert!(rest.contains("It came near"), "{page}");
    }
}

#[test]
fn markdown_keeps_text_from_data_as_text() {
    let page = render(&report(), &shown(), Format::Markdown).unwrap();
    assert!(
        page.contains("| VQ | `sat_delta` | 3 | +0.21 [+0.16, +0.26] | undefined | < 0.0001 |")
    );
    let all = page.matches("<script").count();
    assert!(all > 0 && all == page.matches("\\<script").count());
}

#[test]
fn csv_has_a_row_a_test_with_as_many_fields_as_its_head() {
    let table = render(&report(), &Shown::default(), Format::Csv).unwrap();
    let mut lines = table.lines();
    let head = lines.next().unwrap().split(',').count();
    let row = lines.next().unwrap();
    // The model's name is quoted and has one comma.
    assert_eq!(row.split(',').count(), head + 1);
    assert!(row.contains(",vq,sat_delta,,3,2,") && row.ends_with("true"));
    assert_eq!(lines.next(), None);
}

#[test]
fn json_comes_back_as_it_was() {
    let text = render(&report(), &Shown::default(), Format::Json).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report());
    assert!("pdf".parse::<Format>().is_err());
}

#[test]
fn a_finished_analysis_is_written_beside_its_run_also_where_its_workspace_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let run = Folder::at(root.path());
    assert!(write_beside(&run).is_err(), "there is no report yet");
    run.write_report(&report()).unwrap();
    let written = write_beside(&run).unwrap();
    let names: Vec<_> = written.iter().map(|p| p.file_name().unwrap()).collect();
    assert_eq!(names, ["report.html", "report.md"]);
    let html = std::fs::read_to_string(&written[0]).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("<svg"));
    let markdown = std::fs::read_to_string(&written[1]).unwrap();
    assert!(markdown.starts_with("# "));
}

#[test]
fn a_case_that_is_gone_is_told_by_its_number() {
    let shown = Shown::of(&report(), None, Format::Html);
    assert_eq!(
        shown.name(GroupId(4), CandidateId(7)),
        "group 4 · candidate 7"
    );
}

fn probed() -> probe::Report {
    let estimate = |value: f64| probe::Estimate {
        value,
        interval: Some([value - 0.1, value + 0.1]),
    };
    let both = |of_if: f64, of_vq: f64| probe::ByAxis {
        instruction_following: Some(estimate(of_if)),
        visual_quality: Some(estimate(of_vq)),
        overall: None,
    };
    let step = |step: f64, words: &str, response| probe::StepReport {
        step,
        words: words.into(),
        dose: Some(0.1 * step),
        candidates: 4,
        response,
    };
    let about = probe::Factor::Blur.about();
    probe::Report {
        workspace: "/home/ann/edits".into(),
        model: BAD.into(),
        fingerprint: "f0".into(),
        trained: true,
        seed: 1,
        resamples: 10,
        which: probe::Which::Best,
        groups: 4,
        candidates: 4,
        points: 8,
        failed: 0,
        spread: probe::ByAxis::default(),
        small: probe::ByAxis::default(),
        factors: vec![probe::FactorReport {
            factor: probe::Factor::Blur,
            words: about.words.into(),
            step: about.step.into(),
            dose: "step".into(),
            faithful: about.faithful.into(),
            candidates: 4,
            left_out: 1,
            steps: vec![
                step(0.0, "as it is", both(0.0, 0.0)),
                step(4.0, "4 px", both(0.02, -1.5)),
            ],
            slope: both(0.0, -0.4),
            verdicts: vec![probe::Verdict {
                axis: crate::domain::Axis::VisualQuality,
                arm: probe::Arm::Above,
                step: 4.0,
                response: estimate(-1.5),
                should: probe::Expectation::Falling,
                as_expected: Some(false),
                words: BAD.into(),
            }],
            flips: None,
        }],
        failures: Vec::new(),
    }
}

#[test]
fn a_probe_is_written_in_every_form_and_its_text_stays_text() {
    let written = |format| probes::render(&probed(), format).unwrap();
    let page = written(Format::Html);
    assert!(
        page.contains("class=\"band\"") && page.contains("<td class=\"n\">-1.50 [-1.60, -1.40]")
    );
    assert!(!page.contains("<script") && !page.contains("alert(\"x\")"));
    let picture = written(Format::Svg);
    assert!(picture.starts_with("<svg") && picture.contains("<style>"));
    assert!(picture.contains("class=\"bad\"") && !picture.contains("<script"));
    let text = written(Format::Markdown);
    assert!(text.contains("| 4 px | +0.02 [-0.08, +0.12] | -1.50 [-1.60, -1.40] | - | 4 |"));
    let rows = written(Format::Csv);
    let last = rows.lines().last().unwrap();
    assert!(
        last.ends_with(",blur,4,4 px,0.4,vq,-1.5,-1.6,-1.4,4"),
        "{last}"
    );
    let json = written(Format::Json);
    assert_eq!(
        serde_json::from_str::<probe::Report>(&json).unwrap(),
        probed()
    );
}

#[test]
fn a_probe_without_a_score_is_no_picture_and_says_so() {
    let mut report = probed();
    report.factors[0].steps.clear();
    let why = probes::render(&report, Format::Svg).unwrap_err();
    assert!(why.to_string().contains("no step"), "{why}");
    assert!(probes::render(&report, Format::Html).is_ok());
}
