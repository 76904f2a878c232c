//! What the plot looks like, at the sizes it meets.

use insta::assert_snapshot;

use super::*;
use crate::tui::widgets::testing::{drawn, drawn_text};

fn curve(label: &str, mean: f64, sigma: f64, of: Of) -> Curve {
    Curve {
        label: label.into(),
        gaussian: Gaussian::new(mean, sigma.ln()),
        of,
    }
}

fn axes() -> Vec<Curve> {
    vec![
        curve("IF", 0.52, 0.31, Of::Axis(Axis::InstructionFollowing)),
        curve("VQ", -0.94, 0.78, Of::Axis(Axis::VisualQuality)),
        curve("both", -0.21, 0.49, Of::Aggregate),
    ]
}

fn series(numbers: &[(f64, f64)]) -> Vec<Curve> {
    ["a", "b", "c", "d", "e"]
        .iter()
        .zip(numbers)
        .enumerate()
        .map(|(i, (label, (mean, sigma)))| curve(label, *mean, *sigma, Of::Series(i)))
        .collect()
}

fn text_of(curves: &[Curve], width: u16, height: u16) -> String {
    drawn_text(width, height, GaussianPlot::new(curves, &Theme::mono()))
}

#[test]
fn a_candidates_axes_in_a_roomy_pane() {
    assert_snapshot!(text_of(&axes(), 60, 14));
}

#[test]
fn a_candidates_axes_under_its_picture() {
    assert_snapshot!(text_of(&axes(), 34, 4));
}

#[test]
fn seven_rows_have_room_for_low_curves() {
    assert_snapshot!(text_of(&axes(), 40, 7));
}

#[test]
fn a_group_in_one_plot() {
    let curves = series(&[(1.1, 0.3), (0.4, 0.5), (-0.7, 0.2), (-1.9, 0.9)]);
    assert_snapshot!(text_of(&curves, 72, 16));
}

#[test]
fn names_and_numbers_give_way_to_the_axis() {
    let shapes: Vec<String> = [30, 24, 18, 10, 3]
        .map(|width| text_of(&axes(), width, 4))
        .into();
    assert_snapshot!(shapes.join("\n~\n"));
}

#[test]
fn random_weights_are_shown_and_what_is_off_the_axis_is_pointed_at() {
    let curves = series(&[
        (0.1, 0.003),
        (0.3, 0.2),
        (0.2, 700.0),
        (0.25, 0.1),
        (9e4, 0.1),
    ]);
    assert_snapshot!(text_of(&curves, 60, 12));
}

#[test]
fn certain_scores_are_spikes_and_nonsense_is_named() {
    let mut curves = series(&[(0.5, 0.0), (f64::NAN, 1.0), (-0.5, 0.4)]);
    curves.push(Curve {
        gaussian: Gaussian::new(0.0, f64::NAN),
        ..curves[0].clone()
    });
    curves.push(Curve {
        gaussian: Gaussian::new(0.0, f64::INFINITY),
        ..curves[0].clone()
    });
    assert_snapshot!(text_of(&curves, 50, 12));
}

#[test]
fn curves_have_the_colours_of_what_they_stand_for() {
    let theme = Theme::load("graphite").unwrap();
    let curves = axes();
    let buffer = drawn(60, 14, GaussianPlot::new(&curves, &theme));
    for role in [Role::AxisIf, Role::AxisVq, Role::Aggregate] {
        let cells = buffer
            .content
            .iter()
            .filter(|c| c.fg == theme[role].fg.unwrap() && c.symbol() != " ");
        assert!(cells.count() > 15, "{role:?}");
    }
}

#[test]
fn a_shared_axis_puts_the_same_score_in_the_same_column() {
    let column = |curves: &[Curve]| {
        let theme = Theme::mono();
        let plot = GaussianPlot::new(curves, &theme).range((-4.0, 4.0));
        let text = drawn_text(30, 1, plot);
        text.chars().position(|c| c == '●' || c == '■').unwrap()
    };
    let alone = curve("x", 1.5, 0.1, Of::Aggregate);
    let wide = curve("x", 1.5, 3.0, Of::Axis(Axis::VisualQuality));
    // The first column of the row is the mark before the name, so look behind it.
    let skip = |c: Curve| Curve {
        label: String::new(),
        ..c
    };
    assert_eq!(column(&[skip(alone)]), column(&[skip(wide)]));
}

#[test]
fn no_size_and_no_number_makes_it_fall_over() {
    let wild = [0.0, -1.5, 1e300, -1e300, f64::NAN, f64::INFINITY, 1e-300];
    let curves: Vec<Curve> = wild
        .iter()
        .flat_map(|&mean| {
            wild.iter().map(move |&log_sigma| Curve {
                label: "日本語 \u{1b}[2J".into(),
                gaussian: Gaussian::new(mean, log_sigma),
                of: Of::Series(3),
            })
        })
        .collect();
    let theme = Theme::mono();
    for (width, height) in [
        (0, 0),
        (1, 1),
        (2, 40),
        (40, 2),
        (7, 7),
        (120, 60),
        (300, 5),
    ] {
        for curves in [&curves[..], &curves[..1], &curves[7..9], &[]] {
            drawn(width, height, GaussianPlot::new(curves, &theme));
            drawn(
                width,
                height,
                GaussianPlot::new(curves, &theme).range((f64::NAN, 1.0)),
            );
            drawn(
                width,
                height,
                GaussianPlot::new(curves, &theme).range((0.0, 1e-300)),
            );
        }
    }
}
