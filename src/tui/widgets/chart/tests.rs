//! What charts look like, at the sizes they meet.

use insta::assert_snapshot;

use super::*;
use crate::domain::curves::smooth;
use crate::tui::widgets::testing::{drawn, drawn_text};

struct Data {
    x: Vec<f64>,
    raw: Vec<f64>,
    smooth: Vec<f64>,
}

fn data(count: usize, f: impl Fn(f64) -> f64) -> Data {
    let x: Vec<f64> = (1..=count).map(|i| i as f64).collect();
    let raw: Vec<f64> = x.iter().map(|x| f(*x)).collect();
    let smooth = smooth(&x, &raw, 0.97, 1.0);
    Data { x, raw, smooth }
}

/// A falling loss that trembles.
fn loss(start: f64) -> Data {
    data(600, move |x| {
        start * (-x / 200.0).exp() + 0.25 + 0.06 * (x * 1.7).sin() * (x * 0.31).cos()
    })
}

fn curve(data: &Data, series: usize) -> Curve<'_> {
    Curve {
        x: &data.x,
        raw: &data.raw,
        smooth: &data.smooth,
        series,
    }
}

fn steps(high: f64) -> Ruler {
    Ruler::new(0.0, high, false)
}

#[test]
fn two_runs_with_a_baseline_in_a_roomy_pane() {
    let (a, b) = (loss(0.7), loss(0.5));
    let curves = [curve(&a, 0), curve(&b, 1)];
    let theme = Theme::mono();
    let chart = Chart::new("train.loss", &curves, steps(600.0), &theme)
        .compared(Some(0), Better::Lower)
        .focused(true);
    assert_snapshot!(drawn_text(70, 18, chart));
}

#[test]
fn the_cursor_reads_the_values_where_it_stands() {
    let (a, b) = (loss(0.7), loss(0.5));
    let curves = [curve(&a, 0), curve(&b, 1)];
    let theme = Theme::mono();
    let chart = Chart::new("train.loss", &curves, steps(600.0), &theme)
        .compared(Some(0), Better::Lower)
        .cursor(Some(150.0));
    assert_snapshot!(drawn_text(60, 12, chart));
}

#[test]
fn factors_show_small_values_and_what_has_no_place_is_marked() {
    let mut a = data(400, |x| (-x / 40.0).exp());
    a.raw[100] = f64::NAN;
    a.raw[200] = f64::INFINITY;
    a.raw[300] = -1.0;
    a.smooth.clone_from(&a.raw);
    let curves = [Curve {
        smooth: &a.raw,
        ..curve(&a, 0)
    }];
    let theme = Theme::mono();
    let chart = Chart::new("train.loss", &curves, steps(400.0), &theme).log(true);
    assert_snapshot!(drawn_text(60, 14, chart));
}

#[test]
fn nothing_one_point_and_a_constant_are_charts_too() {
    let theme = Theme::mono();
    let (none, one, still) = (data(0, |x| x), data(1, |_| 0.5), data(50, |_| 0.5));
    let mut out = String::new();
    for (data, high) in [(&none, 10.0), (&one, 2.0), (&still, 50.0)] {
        let curves = [curve(data, 0)];
        out += &drawn_text(
            40,
            9,
            Chart::new("val.accuracy", &curves, steps(high), &theme),
        );
        out += "\n~\n";
    }
    assert_snapshot!(out);
}

#[test]
fn small_panes_keep_the_name_and_the_value() {
    let a = loss(0.7);
    let curves = [curve(&a, 2)];
    let theme = Theme::mono();
    let shapes: Vec<String> = [(40, 5), (24, 4), (12, 3), (20, 2), (5, 1)]
        .map(|(width, height)| {
            drawn_text(
                width,
                height,
                Chart::new("train.loss", &curves, steps(600.0), &theme),
            )
        })
        .into();
    assert_snapshot!(shapes.join("\n~\n"));
}

#[test]
fn no_size_and_no_window_panics_or_leaves_the_area() {
    let (a, b) = (loss(0.7), data(3, |_| f64::NAN));
    let curves = [curve(&a, 0), curve(&b, 1)];
    let theme = Theme::for_background(None);
    for width in 0..50 {
        for height in 0..24 {
            for (low, high) in [(0.0, 600.0), (200.2, 200.3), (5e5, 6e5), (-9.0, -1.0)] {
                let x = Ruler::new(low, high, false);
                let chart = Chart::new("train.loss", &curves, x, &theme)
                    .cursor(Some(200.0))
                    .log(width % 2 == 0);
                drawn(width, height, chart);
                let area = Rect::new(3, 2, width, height);
                assert_eq!(Chart::field(area).intersection(area), Chart::field(area));
            }
        }
    }
}

#[test]
fn a_cell_has_the_colour_of_one_curve_only_and_the_last_is_in_front() {
    let theme = Theme::for_background(None);
    let (a, b) = (data(100, |_| 0.5), data(100, |x| x / 100.0));
    let lines = |series: [usize; 2]| {
        let curves = [(&a, series[0]), (&b, series[1])].map(|(data, series)| Curve {
            smooth: &data.raw,
            ..curve(data, series)
        });
        let chart = Chart::new("m", &curves, steps(100.0), &theme);
        drawn(60, 20, chart)
    };
    let field = Chart::field(Rect::new(0, 0, 60, 20));
    let buffer = lines([0, 1]);
    let crossing = (field.y..field.bottom())
        .flat_map(|y| (field.x + 20..field.x + 32).map(move |x| (x, y)))
        .filter(|at| buffer[*at].fg == theme.series(1).fg.unwrap_or_default())
        .count();
    assert!(
        crossing >= 6,
        "the curve in front is whole where they cross"
    );
    for cell in &buffer.content {
        let inks = [0, 1].map(|i| theme.series(i).fg.unwrap_or_default());
        let braille = ('\u{2801}'..='\u{28ff}').contains(&cell.symbol().chars().next().unwrap());
        assert!(!braille || inks.contains(&cell.fg), "{cell:?}");
    }
}

#[test]
fn what_was_measured_stands_behind_in_a_fainter_colour() {
    let theme = Theme::for_background(None);
    let a = loss(0.7);
    let curves = [curve(&a, 0)];
    let buffer = drawn(60, 16, Chart::new("m", &curves, steps(600.0), &theme));
    let count = |style: Style| {
        let cells = buffer.content.iter();
        cells.filter(|cell| Some(cell.fg) == style.fg).count()
    };
    assert!(count(theme.series(0)) > 30);
    assert!(count(theme.series_behind(0)) > 30);
}

#[test]
fn a_hundred_thousand_points_draw_as_few_cells_as_the_field_has() {
    let theme = Theme::for_background(None);
    let a = data(100_000, |x| (x * 0.37).sin() + x / 3e4);
    let curves = [curve(&a, 0)];
    let area = Rect::new(0, 0, 160, 40);
    let buffer = drawn(160, 40, Chart::new("m", &curves, steps(1e5), &theme));
    let field = Chart::field(area);
    // Every column is touched, and the extremes of the noise show at every place.
    for x in field.x..field.right() {
        let touched = (field.y..field.bottom()).filter(|y| buffer[(x, *y)].symbol() != " ");
        assert!(touched.count() >= 10, "column {x}");
    }
    let thinned = crate::domain::curves::thin(
        &a.x,
        &a.raw,
        &steps(1e5),
        &Ruler::new(-2.0, 5.0, false),
        usize::from(field.width) * 2,
    );
    assert!(thinned.columns.len() <= usize::from(field.width) * 2);
}
