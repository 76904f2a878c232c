//! Drawing the annotate screen.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::layout::{Layout, picture_of};
use super::{Annotate, Phase, Prompt, REASONS};
use crate::annotate::{Item, Mode, rubric};
use crate::domain::{Axis, Candidate, Group};
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::Role;

/// What is drawn.
pub(crate) struct View<'a> {
    pub(crate) annotate: &'a Annotate,
    /// The group of the item, if it is here.
    pub(crate) group: Option<&'a Group>,
}

/// Draws the screen.
pub(crate) fn view(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, view: &View<'_>) {
    let annotate = view.annotate;
    match (&annotate.phase, annotate.item()) {
        _ if annotate.settings.annotator.is_empty() => words(
            frame,
            canvas,
            layout.head.union(layout.body),
            "Who judges? Start with 'erw annotate --annotator NAME', or put annotator = \"NAME\" into the settings.",
            Role::Text,
        ),
        (Phase::Failed(why), _) => {
            words(
                frame,
                canvas,
                layout.head.union(layout.body),
                why,
                Role::Bad,
            );
        }
        (Phase::Ready, None) => {
            let done = format!(
                "Nothing is left to judge for {} ({}, {}). v judges in another way, o takes another order, u takes the last step back.",
                annotate.settings.annotator,
                annotate.settings.mode.name(),
                annotate.settings.strategy.name()
            );
            words(
                frame,
                canvas,
                layout.head.union(layout.body),
                &done,
                Role::Good,
            );
        }
        (Phase::Ready, Some(item)) => {
            head(frame, canvas, layout.head, annotate, view.group);
            tiles(frame, canvas, layout, annotate, item, view.group);
            foot(frame, canvas, layout.foot, annotate, item);
        }
        _ => words(
            frame,
            canvas,
            layout.head.union(layout.body),
            "looking for what is left to judge…",
            Role::Dim,
        ),
    }
    if annotate.rubric {
        draw_rubric(frame, canvas, layout.rubric, annotate.now.axis);
    }
}

fn words(frame: &mut Frame<'_>, canvas: &Canvas<'_>, area: Rect, text: &str, role: Role) {
    let lines = prose::wrap(text, area.width.saturating_sub(2), area.height);
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        put(frame, canvas, area.x + 1, y, &line, role);
    }
}

fn put(frame: &mut Frame<'_>, canvas: &Canvas<'_>, x: u16, y: u16, text: &str, role: Role) {
    let area = frame.area();
    if y < area.bottom() && x < area.right() {
        let style = canvas.theme[role];
        let room = usize::from(area.right() - x);
        frame.buffer_mut().set_stringn(x, y, text, room, style);
    }
}

/// The instruction in up to two lines, and how far one is.
fn head(
    frame: &mut Frame<'_>,
    canvas: &Canvas<'_>,
    area: Rect,
    annotate: &Annotate,
    group: Option<&Group>,
) {
    let asked = group.map_or("…", |group| group.instruction.as_str());
    let lines = prose::wrap(asked, area.width.saturating_sub(2), area.height.min(2));
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        put(frame, canvas, area.x + 1, y, &line, Role::Title);
    }
    if area.height < 3 {
        return;
    }
    let settings = &annotate.settings;
    let mut facts = vec![
        settings.annotator.clone(),
        format!(
            "{} of {}",
            annotate.now.at + 1,
            annotate.items.len() + annotate.beyond
        ),
        format!("{} judged now", annotate.now.judged),
        format!(
            "{}, {} first",
            settings.mode.name(),
            settings.strategy.name()
        ),
    ];
    if settings.blind {
        facts.push("blind".into());
    }
    if annotate.now.again.1 > 0 {
        let share = annotate.now.again.0 as f64 / annotate.now.again.1 as f64;
        facts.push(format!("{:.0} % the same when asked again", 100.0 * share));
    }
    let line = prose::line(&facts.join(" · "), area.width.saturating_sub(2));
    put(frame, canvas, area.x + 1, area.y + 2, &line, Role::Dim);
}

fn tiles(
    frame: &mut Frame<'_>,
    canvas: &Canvas<'_>,
    layout: &Layout,
    annotate: &Annotate,
    item: &Item,
    group: Option<&Group>,
) {
    let Some(group) = group else {
        for tile in &layout.tiles {
            canvas.placeholder(frame, picture_of(*tile), "…");
        }
        return;
    };
    let mut tiles = layout.tiles.iter();
    if !group.source.is_none()
        && let Some(tile) = tiles.next()
    {
        canvas.picture(frame, &group.source, picture_of(*tile), "source");
        put(
            frame,
            canvas,
            tile.x,
            tile.bottom() - 1,
            "source",
            Role::Dim,
        );
    }
    for ((place, id), tile) in item.candidates.iter().enumerate().zip(tiles) {
        let Some(candidate) = group.candidates.iter().find(|c| c.id == *id) else {
            continue;
        };
        let name = format!("{}", place + 1);
        canvas.picture(frame, &candidate.image, picture_of(*tile), &name);
        let marked = annotate.settings.mode == Mode::Likert && place == annotate.now.cursor;
        let role = if marked { Role::Accent } else { Role::Text };
        let mark = if marked { "▶ " } else { "  " };
        let caption = format!("{mark}{name}  {}", said_of(annotate, place, candidate));
        let caption = prose::line(&caption, tile.width);
        put(frame, canvas, tile.x, tile.bottom() - 1, &caption, role);
    }
}

/// What the annotator has said of a candidate, and unless blind what else is known of it.
fn said_of(annotate: &Annotate, place: usize, candidate: &Candidate) -> String {
    let mut parts = Vec::new();
    match annotate.settings.mode {
        Mode::Likert => {
            for axis in Axis::ALL {
                let said = annotate.now.scores.get(&(candidate.id, axis));
                let said = said.map_or_else(|| "·".to_owned(), u8::to_string);
                parts.push(format!("{} {said}", axis.key().to_uppercase()));
            }
        }
        Mode::Ranking => {
            let rank = annotate
                .now
                .ranking
                .iter()
                .position(|ranked| *ranked == place);
            parts.extend(rank.map(|rank| format!("rank {}", rank + 1)));
        }
        Mode::Pairwise => {}
    }
    if !annotate.settings.blind {
        parts.extend(candidate.editor.clone());
        let others = candidate.labels.iter();
        let others = others.filter(|l| l.annotator != annotate.settings.annotator);
        for axis in Axis::ALL {
            let scores: Vec<f64> = others
                .clone()
                .filter(|l| l.axis == axis)
                .map(|l| l.score)
                .collect();
            if !scores.is_empty() {
                let mean = scores.iter().sum::<f64>() / scores.len() as f64;
                parts.push(format!("others' {} {mean:.1}", axis.key().to_uppercase()));
            }
        }
    }
    parts.join("  ")
}

/// The question, and the keys that answer it.
fn foot(frame: &mut Frame<'_>, canvas: &Canvas<'_>, area: Rect, annotate: &Annotate, item: &Item) {
    let (question, keys) = match &annotate.prompt {
        Some(Prompt::Skip) => {
            let reasons = REASONS.iter().zip(1..);
            let mut reasons: Vec<String> = reasons.map(|(why, n)| format!("{n} {why}")).collect();
            reasons.push(format!("{} in my own words", REASONS.len() + 1));
            reasons.push("esc not at all".into());
            ("Why is it passed over?".to_owned(), reasons.join("   "))
        }
        Some(Prompt::Words { skip, input }) => {
            let what = if *skip {
                "Why is it passed over?"
            } else {
                "A remark on the group:"
            };
            let typed = format!("{}▏   enter keeps it, esc leaves it", input.value());
            (what.to_owned(), typed)
        }
        None => asked(annotate, item),
    };
    let room = area.width.saturating_sub(2);
    for (text, role, y) in [
        (question, Role::Accent, area.y + 1),
        (keys, Role::Text, area.y + 2),
    ] {
        if y < area.bottom() {
            put(
                frame,
                canvas,
                area.x + 1,
                y,
                &prose::line(&text, room),
                role,
            );
        }
    }
}

fn asked(annotate: &Annotate, item: &Item) -> (String, String) {
    let place = annotate.now.cursor + 1;
    match annotate.settings.mode {
        Mode::Likert => {
            let axis = Axis::ALL[annotate.now.axis.min(1)];
            let short = rubric::words(axis).into_iter().zip(1..);
            let short: Vec<String> = short.map(|(words, n)| format!("{n} {words}")).collect();
            let again = if item.again { " (asked again)" } else { "" };
            let question = format!(
                "{} of {place}{again}: {}",
                axis.key().to_uppercase(),
                rubric::question(axis)
            );
            (question, short.join("   "))
        }
        Mode::Pairwise => (
            "Which of the two is the better, all in all?".into(),
            "1 the first   2 the second   3 neither   4 both are good   5 both are bad".into(),
        ),
        Mode::Ranking => {
            let next = annotate.now.ranking.len() + 1;
            let question = match next {
                1 => "Which is the best?".to_owned(),
                next => format!("Which is number {next}?"),
            };
            let keys = "the picture's number   x takes the last one back";
            (question, keys.into())
        }
    }
}

/// What the points mean, the axis that is asked first.
fn draw_rubric(frame: &mut Frame<'_>, canvas: &Canvas<'_>, area: Rect, axis: usize) {
    let mut lines = Vec::new();
    let order = [Axis::ALL[axis.min(1)], Axis::ALL[1 - axis.min(1)]];
    let width = area.width.saturating_sub(2);
    for axis in order {
        let name = match axis {
            Axis::InstructionFollowing => "IF · instruction following",
            Axis::VisualQuality => "VQ · visual quality",
        };
        lines.push((name.to_owned(), Role::Title));
        let question = prose::wrap(rubric::question(axis), width, 4);
        lines.extend(question.into_iter().map(|line| (line, Role::Dim)));
        for (points, number) in rubric::points(axis).into_iter().zip(1..) {
            let text = prose::wrap(&format!("{number}  {points}"), width, 4);
            lines.extend(text.into_iter().map(|line| (line, Role::Text)));
        }
        lines.push((String::new(), Role::Text));
    }
    for ((line, role), y) in lines.into_iter().zip(area.y..area.bottom()) {
        put(frame, canvas, area.x + 1, y, &line, role);
    }
}
