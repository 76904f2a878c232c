//! Drawing the failures screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Failures, Newest};
use crate::domain::Group;
use crate::domain::curves::Ruler;
use crate::failures::analysis::{Bias, Report, with_interval};
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::grid::{Grid, Shape};
use crate::tui::screens::prose;
use crate::tui::sight::Sight;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::plot::{Cloud, Ink, Plot, Stroke};

/// What is said of what does not stand correction.
const BY_CHANCE: &str = "Not suspected: chance alone makes as much in so many tests.";

/// Everything's place; parts that found none are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Layout {
    /// The model, the data, what is under way.
    pub(crate) header: Rect,
    /// The suspicions, one a line.
    pub(crate) list: Rect,
    /// The marked one's evidence.
    pub(crate) words: Rect,
    /// Its scatter.
    pub(crate) plot: Rect,
    /// The marked case in words.
    pub(crate) case: Rect,
    /// Its source and its edit.
    pub(crate) pictures: [Rect; 2],
}

/// Lays the screen out in `area`, for pictures of `aspect` (width over height) and cells of `cell` (height over width).
pub(crate) fn layout(area: Rect, biases: usize, aspect: f64, cell: f64) -> Layout {
    let head = 2.min(area.height);
    let below = Rect {
        y: area.y + head,
        height: area.height - head,
        ..area
    };
    let wide = below.width >= 100;
    let left = Rect {
        width: if wide { below.width / 2 } else { below.width },
        height: if wide { below.height } else { below.height / 2 },
        ..below
    };
    let listed = u16::try_from(biases).unwrap_or(u16::MAX).clamp(1, 8);
    let listed = listed.min(left.height / 3);
    let words = 6.min((left.height - listed) / 2);
    let list = Rect {
        height: listed,
        ..left
    };
    let evidence = Rect {
        y: list.bottom(),
        height: words,
        ..left
    };
    let plot = Rect {
        y: evidence.bottom(),
        height: left.height - listed - words,
        ..left
    };
    let right = if wide {
        Rect {
            x: left.right() + 1,
            width: below.width - left.width - 1,
            ..below
        }
    } else {
        Rect {
            y: left.bottom(),
            height: below.height - left.height,
            ..below
        }
    };
    let case = Rect {
        height: 4.min(right.height / 3),
        ..right
    };
    let room = Rect {
        y: case.bottom(),
        height: right.height - case.height,
        ..right
    };
    let shape = Shape {
        count: 2,
        aspect,
        cell,
        caption: 0,
    };
    let tiles = Grid::best(room.as_size(), shape).tiles(room, shape);
    let pictures = match tiles[..] {
        [first, second] => [first, second],
        _ => [Rect::ZERO; 2],
    };
    Layout {
        header: Rect {
            height: head,
            ..area
        },
        list,
        words: evidence,
        plot,
        case,
        pictures,
    }
}

/// What is drawn.
pub(crate) struct View<'a> {
    /// The state.
    pub(crate) failures: &'a Failures,
    /// The group of the marked case, if it is here.
    pub(crate) group: Option<&'a Group>,
    /// How the pictures are looked at.
    pub(crate) sight: &'a Sight,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let theme = canvas.theme;
    let failures = view.failures;
    let Some(report) = failures.report() else {
        let below = Rect {
            height: frame.area().height.saturating_sub(layout.header.y + 1),
            ..layout.header
        };
        return absent(frame, theme, below, failures);
    };
    header(frame, theme, layout.header, failures, report);
    list(frame, theme, layout.list, failures);
    let Some(bias) = failures.marked() else {
        let mut lines = vec![format!(
            "No {} stands the correction for {} tests.",
            report.noun(),
            report.settings.tests
        )];
        lines.extend(report.notes.iter().cloned());
        return paragraphs(frame, theme, layout.words.union(layout.plot), &lines);
    };
    let mut words = evidence(bias);
    if !failures.is_suspected(failures.at) {
        words.insert(0, BY_CHANCE.into());
    }
    paragraphs(frame, theme, layout.words, &words);
    scatter(frame, theme, layout.plot, failures, bias);
    case(frame, canvas, layout, view);
}

/// What stands in the place of an analysis.
fn absent(frame: &mut Frame<'_>, theme: &Theme, area: Rect, failures: &Failures) {
    let lines: Vec<(String, Role)> = if let Some(why) = &failures.problem {
        vec![
            (why.clone(), Role::Bad),
            ("r reads it again.".into(), Role::Dim),
        ]
    } else if let Some(words) = failures.live {
        vec![
            (words.into(), Role::Text),
            ("T shows how far it is.".into(), Role::Dim),
        ]
    } else if failures.newest == Newest::None {
        vec![
            ("Nothing was analysed here yet.".into(), Role::Title),
            (
                "a measures the edits and holds the model's scores against people's, in the background:".into(),
                Role::Text,
            ),
            ("  erw failures measure, then erw failures analyse".into(), Role::Accent),
            (
                "What comes of it shows here: what the model falls for, how surely, and where.".into(),
                Role::Text,
            ),
        ]
    } else {
        vec![("reading…".into(), Role::Dim)]
    };
    let mut y = area.y;
    for (words, role) in lines {
        for line in prose::wrap(&words, area.width.saturating_sub(2), 4) {
            if y < area.bottom() {
                frame
                    .buffer_mut()
                    .set_string(area.x + 1, y, line, theme[role]);
                y += 1;
            }
        }
    }
}

fn header(frame: &mut Frame<'_>, theme: &Theme, area: Rect, failures: &Failures, report: &Report) {
    let data = &report.data;
    let found = report.biases.len();
    let noun = if found == 1 {
        report.noun().to_owned()
    } else {
        report
            .noun()
            .replace("bias", "biases")
            .replace("association", "associations")
    };
    let title = format!(
        "{found} suspected {noun} of {}",
        prose::line(&report.model.name, 40)
    );
    let mut facts = format!(
        "{} of {} candidates in {} groups, {} tests, Holm at {:.0} %",
        data.analysed,
        data.candidates,
        data.groups,
        report.settings.tests,
        100.0 * report.settings.level
    );
    if data.simulated > 0 {
        facts = format!("simulated labels · {facts}");
    }
    if let Some(live) = failures.live {
        facts = format!("{live} · {facts}");
    }
    let rows = [(title, Role::Title), (facts, Role::Dim)];
    for ((words, role), y) in rows.into_iter().zip(area.y..area.bottom()) {
        let words = prose::line(&words, area.width);
        frame.buffer_mut().set_string(area.x, y, words, theme[role]);
    }
}

fn list(frame: &mut Frame<'_>, theme: &Theme, area: Rect, failures: &Failures) {
    let height = usize::from(area.height);
    let top = (failures.at + 1).saturating_sub(height);
    let rows = failures.listed_all().enumerate().skip(top);
    for ((place, bias), y) in rows.zip(area.y..area.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        let marked = place == failures.at;
        if marked {
            frame.buffer_mut().set_style(row, theme[Role::Selected]);
        }
        let effect = &bias.effect;
        let suspected = failures.is_suspected(place);
        let role = match effect.judged.key() {
            _ if !suspected => Role::Dim,
            "if" => Role::AxisIf,
            "vq" => Role::AxisVq,
            _ => Role::Aggregate,
        };
        let figure = with_interval(&effect.per_sd, true);
        let words = if suspected {
            format!("{figure} per SD, p {:.1e}", effect.p_holm)
        } else {
            format!("{figure} per SD, p {:.2}, not proven", effect.p_holm)
        };
        let used = u16::try_from(words.chars().count()).unwrap_or(0) + 6;
        let line = Line::from(vec![
            Span::styled(if marked { "▌ " } else { "  " }, theme[Role::Accent]),
            Span::styled(format!("{:<3}", effect.judged.name()), theme[role]),
            Span::styled(
                prose::line(
                    effect.measure.about().words,
                    area.width.saturating_sub(used),
                ),
                theme[if suspected { Role::Text } else { Role::Dim }],
            ),
        ]);
        frame.render_widget(line, row);
        let right = Span::styled(prose::line(&words, area.width), theme[role]);
        frame.render_widget(Line::from(right).right_aligned(), row);
    }
}

/// The evidence of a suspicion, most telling first.
fn evidence(bias: &Bias) -> Vec<String> {
    let mut lines = vec![bias.sentence.clone()];
    lines.extend(bias.strongest_in_words());
    lines.extend(bias.also_in_words());
    lines
}

fn paragraphs(frame: &mut Frame<'_>, theme: &Theme, area: Rect, lines: &[String]) {
    let mut y = area.y;
    for (place, words) in lines.iter().enumerate() {
        let role = if place == 0 { Role::Text } else { Role::Dim };
        for line in prose::wrap(words, area.width, 3) {
            if y >= area.bottom() {
                return;
            }
            frame.buffer_mut().set_string(area.x, y, line, theme[role]);
            y += 1;
        }
    }
}

fn scatter(frame: &mut Frame<'_>, theme: &Theme, area: Rect, failures: &Failures, bias: &Bias) {
    let points: Vec<(f64, f64)> = bias
        .scatter
        .points
        .iter()
        .map(|point| (point.measure, point.residual))
        .collect();
    let ends = |pick: fn(&(f64, f64)) -> f64| {
        let values = points.iter().map(pick).filter(|v| v.is_finite());
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| {
            (l.min(v), h.max(v))
        });
        if low < high {
            (low, high)
        } else {
            (low.min(0.0) - 1.0, high.max(0.0) + 1.0)
        }
    };
    let (left, right) = ends(|p| p.0);
    let (bottom, top) = ends(|p| p.1);
    let fit: Vec<(f64, f64)> = bias.scatter.fit.map_or_else(Vec::new, |line| {
        [left, right].map(|x| (x, line.at(x))).to_vec()
    });
    let low: Vec<(f64, f64)> = bias
        .scatter
        .band
        .iter()
        .map(|[x, low, _]| (*x, *low))
        .collect();
    let high: Vec<(f64, f64)> = bias
        .scatter
        .band
        .iter()
        .map(|[x, _, high]| (*x, *high))
        .collect();
    let zero = [(left, 0.0), (right, 0.0)];
    let stroke = |points, role, ink| Stroke {
        points,
        role,
        ink,
        name: "",
    };
    let strokes = [
        stroke(&zero[..], Role::Border, Ink::Broken),
        stroke(&low[..], Role::Dim, Ink::Broken),
        stroke(&high[..], Role::Dim, Ink::Broken),
        stroke(&fit[..], Role::Warning, Ink::Whole),
    ];
    let about = bias.effect.measure.about();
    let chosen = failures.range();
    let part = chosen.map_or_else(String::new, |(low, high)| {
        let within = |p: &&(f64, f64)| (low..=high).contains(&p.0);
        let n = points.iter().filter(within).count();
        format!(" · {n} chosen: {low:.3} to {high:.3}")
    });
    let title = format!(
        "{}: model{} ({}) over {}{}{part}",
        bias.effect.judged.name(),
        if failures.report().is_some_and(Report::is_labelled) {
            " − people"
        } else {
            " − its mean"
        },
        bias.effect.unit.words(),
        about.name,
        if about.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", about.unit)
        },
    );
    let rulers = (
        Ruler::new(left, right, false),
        Ruler::new(bottom, top, false),
    );
    let case = failures.case().map(|case| (case.measure, case.residual));
    let plot = Plot::new(&title, rulers, &strokes, theme).cloud(Cloud {
        points: &points,
        role: Role::Accent,
        chosen,
        marked: case,
    });
    frame.render_widget(plot, area);
}

/// A measure's value with as many digits as it has room for.
fn amount(value: f64) -> String {
    if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

/// The marked case: its numbers, its source and its edit.
fn case(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let theme = canvas.theme;
    let failures = view.failures;
    let (Some(bias), Some(case)) = (failures.marked(), failures.case()) else {
        return;
    };
    let about = bias.effect.measure.about();
    let above = if case.residual < 0.0 {
        "below"
    } else {
        "above"
    };
    let people = case.human.map_or_else(
        || "what it gives on average".to_owned(),
        |human| format!("people's {human:.1}"),
    );
    let title = format!(
        "case {} of {}: {} {}{}{}",
        failures.case + 1,
        bias.cases.len(),
        about.name,
        amount(case.measure),
        if about.unit.is_empty() { "" } else { " " },
        about.unit,
    );
    let gap = format!(
        "the model's {} is {:.2} {} {above} {people}",
        prose::signed(case.model),
        case.residual.abs(),
        bias.effect.unit.words(),
    );
    let mut lines = vec![(title, Role::Title), (gap, Role::Text)];
    let candidate = view.group.and_then(|group| {
        let candidate = group.candidates.iter().find(|c| c.id == case.candidate)?;
        Some((group, candidate))
    });
    if let Some((group, candidate)) = candidate {
        lines.push((group.instruction.clone(), Role::Text));
        let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
        let mut words = vec![name.to_owned()];
        words.extend(view.sight.words());
        lines.push((words.join(" · "), Role::Dim));
        canvas.shown(
            frame,
            &view.sight.of_source(&group.source),
            layout.pictures[0],
            "source",
        );
        let shown = view.sight.of(&candidate.image, &group.source);
        canvas.shown(frame, &shown, layout.pictures[1], name);
    }
    for ((words, role), y) in lines.into_iter().zip(layout.case.y..layout.case.bottom()) {
        let words = prose::line(&words, layout.case.width);
        frame
            .buffer_mut()
            .set_string(layout.case.x, y, words, theme[role]);
    }
}
