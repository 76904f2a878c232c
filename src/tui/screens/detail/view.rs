//! Drawing the detail screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Detail;
use super::layout::Layout;
use crate::domain::{Axis, Candidate, Gaussian, stats};
use crate::tui::library::Record;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::sight::Sight;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::gaussians::{Curve, GaussianPlot, Of};
use crate::tui::widgets::image::Shown;

/// What is drawn.
pub(crate) struct View<'a> {
    /// How.
    pub(crate) detail: Detail,
    /// The group.
    pub(crate) record: &'a Record,
    /// Which candidate.
    pub(crate) index: usize,
    /// Every stored aggregate mean, ascending.
    pub(crate) scale: &'a [f64],
    /// How the pictures are looked at.
    pub(crate) sight: &'a Sight,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let group = &view.record.group;
    let Some(candidate) = group.candidates.get(view.index) else {
        return;
    };
    let theme = canvas.theme;
    header(frame, theme, layout.header, view, candidate);
    pictures(frame, canvas, layout, view, candidate);
    let lines = facts(theme, view, candidate, layout.facts.width);
    for (line, y) in lines.into_iter().zip(layout.facts.y..layout.facts.bottom()) {
        let area = Rect {
            y,
            height: 1,
            ..layout.facts
        };
        frame.render_widget(line, area);
    }
    if layout.gaussians.height >= 3
        && let Some(reward) = view.record.reward(view.index)
    {
        let mut curves: Vec<Curve> = Axis::ALL
            .iter()
            .filter_map(|axis| {
                Some(Curve {
                    label: axis.key().to_uppercase(),
                    gaussian: reward.on(*axis)?,
                    of: Of::Axis(*axis),
                })
            })
            .collect();
        curves.push(Curve {
            label: "both".into(),
            gaussian: reward.aggregate,
            of: Of::Aggregate,
        });
        frame.render_widget(GaussianPlot::new(&curves, theme), layout.gaussians);
    }
}

fn header(
    frame: &mut Frame<'_>,
    theme: &Theme,
    area: Rect,
    view: &View<'_>,
    candidate: &Candidate,
) {
    if area.is_empty() {
        return;
    }
    let count = view.record.group.candidates.len();
    let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
    let lead = Line::from(vec![
        Span::styled(format!("{}/{count} ", view.index + 1), theme[Role::KeyHint]),
        Span::styled(
            format!("{} ", theme.series_glyph(view.index)),
            theme.series(view.index),
        ),
        Span::styled(prose::line(name, 32), theme[Role::Title]),
    ]);
    let used = u16::try_from(lead.width()).unwrap_or(0).min(area.width);
    let instruction = &view.record.group.instruction;
    let line = Rect { height: 1, ..area };
    frame.render_widget(lead, line);
    if area.height >= 3 {
        let lines = prose::wrap(instruction, area.width, area.height - 1);
        for (text, y) in lines.into_iter().zip(area.y + 1..area.bottom()) {
            frame
                .buffer_mut()
                .set_string(area.x, y, text, theme[Role::Text]);
        }
    } else {
        let rest = Rect {
            x: area.x + used,
            width: area.width - used,
            ..line
        };
        let text = prose::line(instruction, rest.width.saturating_sub(2));
        frame.render_widget(Line::from(text).right_aligned(), rest);
    }
}

fn pictures(
    frame: &mut Frame<'_>,
    canvas: &Canvas<'_>,
    layout: &Layout,
    view: &View<'_>,
    candidate: &Candidate,
) {
    let theme = canvas.theme;
    let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
    let source = view.detail.source_shown && view.detail.single;
    let sight = view.sight;
    let mut one = |image: &Shown, area, title: Rect, words: &str, role| {
        canvas.shown(frame, image, area, words);
        let words = sight
            .words()
            .map_or_else(|| words.to_owned(), |how| format!("{words} · {how}"));
        let words = &words;
        let words = Span::styled(prose::line(words, title.width), theme[role]);
        frame.render_widget(Line::from(words).centered(), title);
    };
    if !view.detail.single || source {
        one(
            &sight.of_source(&view.record.group.source),
            layout.source,
            layout.titles[0],
            "source",
            Role::Dim,
        );
    }
    if !source {
        one(
            &sight.of(&candidate.image, &view.record.group.source),
            layout.candidate,
            layout.titles[1],
            name,
            Role::Accent,
        );
    }
}

/// Everything known, most important first.
fn facts<'a>(theme: &Theme, view: &View<'_>, candidate: &Candidate, width: u16) -> Vec<Line<'a>> {
    let mut lines = numbers(theme, view, candidate, width);
    lines.push(Line::default());
    lines.extend(labels(theme, view, candidate, width));
    lines.push(Line::default());
    let dim = theme[Role::Dim];
    let mut fact = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            let room = width.saturating_sub(9);
            let mut words = prose::wrap(&value, room, 3).into_iter();
            lines.push(Line::from(vec![
                Span::styled(format!("{name:<9}"), dim),
                Span::raw(words.next().unwrap_or_default()),
            ]));
            lines.extend(words.map(|rest| Line::from(format!("{:9}{rest}", ""))));
        }
    };
    fact("fault", candidate.fault.clone());
    fact("editor", candidate.editor.clone());
    fact("seed", candidate.seed.map(|seed| seed.to_string()));
    fact("image", Some(candidate.image.0.clone()));
    fact("source", Some(view.record.group.source.0.clone()));
    lines
}

fn numbers<'a>(theme: &Theme, view: &View<'_>, candidate: &Candidate, width: u16) -> Vec<Line<'a>> {
    let Some(reward) = view.record.reward(view.index) else {
        let record = view.record;
        let failure = record
            .failures
            .get(&candidate.id)
            .or(record.failure.as_ref());
        let (words, role) = failure.map_or(("not scored yet", Role::Dim), |why| {
            (why.as_str(), Role::Bad)
        });
        return prose::wrap(words, width, 5)
            .into_iter()
            .map(|line| Line::from(Span::styled(line, theme[role])))
            .collect();
    };
    let dim = theme[Role::Dim];
    let row = |name: &'static str, role: Role, g: Gaussian| {
        let (sigma, log) = if g.log_sigma.is_finite() {
            (format!("{:.3}", g.sigma()), signed3(g.log_sigma))
        } else {
            ("–".into(), "–".into())
        };
        Line::from(vec![
            Span::styled(format!("{name:<22}"), theme[role]),
            Span::raw(format!("{:>8}{sigma:>8}{log:>8}", signed3(g.mean))),
        ])
    };
    let mut lines = vec![Line::from(Span::styled(
        format!("{:<22}{:>8}{:>8}{:>8}", "", "mean", "σ", "log σ"),
        dim,
    ))];
    let names = [
        (Axis::InstructionFollowing, "IF instruction", Role::AxisIf),
        (Axis::VisualQuality, "VQ visual quality", Role::AxisVq),
    ];
    for (axis, name, role) in names {
        lines.extend(reward.on(axis).map(|g| row(name, role, g)));
    }
    lines.push(row("both", Role::Aggregate, reward.aggregate));
    let judgement = &view.record.judgement;
    let mut standing = Vec::new();
    if let Some(p) = judgement.best.get(view.index).copied().flatten() {
        standing.push(format!("P(best) {}", prose::percent(p)));
    }
    if let Some(rank) = judgement.model_ranks.get(view.index).copied().flatten() {
        standing.push(format!(
            "rank {rank} of {}",
            view.record.group.candidates.len()
        ));
    }
    if let Some(percentile) = stats::percentile_of(view.scale, reward.aggregate.mean) {
        standing.push(format!("above {percentile:.0}% of the scores here"));
    }
    for line in prose::wrap(&standing.join(" · "), width, 2) {
        lines.push(Line::from(Span::styled(line, theme[Role::Accent])));
    }
    let words = "The mean is the score, on a scale without ends or zero point: negative is normal. \
                 The head emits mean and log σ; σ is how unsure it is, in the same unit.";
    for line in prose::wrap(words, width, 4) {
        lines.push(Line::from(Span::styled(line, dim)));
    }
    lines
}

/// One row per annotator, both axes, and the mean.
fn labels<'a>(theme: &Theme, view: &View<'_>, candidate: &Candidate, width: u16) -> Vec<Line<'a>> {
    let dim = theme[Role::Dim];
    if candidate.labels.is_empty() {
        return vec![Line::from(Span::styled("no human labels", dim))];
    }
    let simulated = candidate.labels.iter().any(|l| l.simulated);
    let title = if simulated {
        "simulated labels, 1 to 4"
    } else {
        "human labels, 1 to 4"
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(
            format!("{title:<24}"),
            theme[if simulated {
                Role::Warning
            } else {
                Role::Title
            }],
        ),
        Span::styled(format!("{:>6}{:>6}", "IF", "VQ"), dim),
    ])];
    let mut people: Vec<&str> = Vec::new();
    for label in &candidate.labels {
        if !people.contains(&label.annotator.as_str()) {
            people.push(&label.annotator);
        }
    }
    let cell = |score: Option<f64>| score.map_or_else(|| "–".into(), |s| format!("{s:.1}"));
    for person in people {
        let of = |axis| {
            let mut labels = candidate.labels.iter();
            labels
                .find(|l| l.annotator == person && l.axis == axis)
                .map(|l| l.score)
        };
        let name = prose::line(person, 22.min(width));
        lines.push(Line::from(vec![
            Span::raw(format!("  {name:<22}")),
            Span::styled(
                format!(
                    "{:>6}{:>6}",
                    cell(of(Axis::InstructionFollowing)),
                    cell(of(Axis::VisualQuality))
                ),
                theme[Role::Human],
            ),
        ]));
    }
    if let Some(mean) = view.record.judgement.human.get(view.index) {
        let rank = view
            .record
            .judgement
            .human_ranks
            .get(view.index)
            .copied()
            .flatten();
        let rank = rank.map_or_else(String::new, |rank| format!("   rank {rank}"));
        lines.push(Line::from(vec![
            Span::styled(format!("  {:<22}", "mean"), dim),
            Span::styled(
                format!(
                    "{:>6}{:>6}{rank}",
                    cell(mean.instruction_following),
                    cell(mean.visual_quality)
                ),
                theme[Role::Human],
            ),
        ]));
    }
    lines
}

/// Three places: what a person compares with another program's output.
fn signed3(value: f64) -> String {
    let sign = if value < 0.0 { '-' } else { '+' };
    format!("{sign}{:.3}", value.abs())
}
