//! Drawing the list of mistakes, and one case of it: what was asked for, what people said and what the scorer said, with the
//! pictures where they are.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::layout::{Layout, picture_of};
use super::mistakes::{Listing, Mistake, Mistakes};
use super::view::draw_words;
use super::words::{self, Words, count};
use crate::bench::case::letter;
use crate::bench::{Said, Score};
use crate::domain::ImageRef;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::prose;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

/// Columns of the list: how sure, people, scorer, kind, case; the instruction takes the rest.
const COLUMNS: [(&str, u16); 5] = [
    ("sure", 6),
    ("people", 18),
    ("scorer", 22),
    ("kind", 12),
    ("case", 16),
];
/// An instruction narrower than this says nothing.
const INSTRUCTION: u16 = 24;

/// The list with its title and heads.
pub(super) fn list(frame: &mut Frame<'_>, theme: &Theme, layout: &Layout, list: &Listing) {
    let area = layout.list;
    let title = format!("Wrong: {}", list.title);
    put(frame, area, 0, &title, theme, Role::Title);
    let (words, role) = match &list.read {
        None => ("reading what it got wrong…".to_owned(), Role::Dim),
        Some(Err(why)) => (why.clone(), Role::Bad),
        Some(Ok(mistakes)) => (summary(mistakes), Role::Dim),
    };
    put(frame, area, 1, &words, theme, role);
    if list.mistakes().is_empty() {
        return;
    }
    let kinds = list.mistakes().iter().any(|m| m.verdict.category.is_some());
    let widths = widths(area.width, kinds);
    let mut heads: Vec<&str> = COLUMNS.iter().map(|(head, _)| *head).collect();
    if matches!(&list.read, Some(Ok(mistakes)) if mistakes.are_ratings()) {
        heads[0] = "off by";
    }
    heads.push("instruction");
    let row = Rect {
        y: area.y + 2,
        height: u16::from(area.height > 2),
        ..area
    };
    let heads: Vec<(String, Role)> = heads.iter().map(|h| ((*h).to_owned(), Role::Dim)).collect();
    cells(frame, theme, row, &widths, &heads);
    let shown = list.mistakes().iter().enumerate().skip(list.top());
    for ((number, mistake), y) in shown.zip(layout.rows.y..layout.rows.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..layout.rows
        };
        let marked = number == list.at();
        if marked {
            frame.buffer_mut().set_style(row, theme[Role::Selected]);
            frame
                .buffer_mut()
                .set_string(row.x, y, "▌", theme[Role::Accent]);
        }
        cells(frame, theme, row, &widths, &columns(mistake));
    }
}

fn summary(mistakes: &Mistakes) -> String {
    if mistakes.all == 0 {
        return "no judgement counts for this figure that could be right or wrong".into();
    }
    if mistakes.wrong == 0 {
        return format!("all right: {}", count(mistakes.all, "judgement"));
    }
    let order = if mistakes.are_ratings() {
        "furthest off first"
    } else {
        "most confident first"
    };
    let mut words = format!(
        "{} of {}, {order}",
        mistakes.wrong,
        count(mistakes.all, "judgement")
    );
    if mistakes.kept.len() < mistakes.wrong {
        let _ = write!(words, "; the first {} are listed", mistakes.kept.len());
    }
    words
}

/// How wide each column is; 0 where it gives way to the instruction, or where there are no `kinds`.
fn widths(room: u16, kinds: bool) -> Vec<u16> {
    let mut widths: Vec<u16> = COLUMNS.iter().map(|(_, width)| *width).collect();
    if !kinds {
        widths[3] = 0;
    }
    let used = |widths: &[u16]| -> u16 {
        let shown = widths.iter().filter(|w| **w > 0);
        shown.map(|w| w + 1).sum::<u16>() + 1
    };
    // The case's name gives way first, then its kind: both show when it is opened.
    for column in [4, 3, 0] {
        if used(&widths) + INSTRUCTION > room {
            widths[column] = 0;
        }
    }
    let rest = room.saturating_sub(used(&widths));
    widths.push(rest);
    widths
}

fn columns(mistake: &Mistake) -> Vec<(String, Role)> {
    let verdict = &mistake.verdict;
    let instruction = mistake.seen.as_ref().map_or("", |s| &s.shown.instruction);
    let kind = verdict.category.as_deref().unwrap_or("–");
    vec![
        (weight(mistake), Role::Text),
        (verdict.truth.clone(), Role::Human),
        (verdict.said.clone(), Role::Aggregate),
        (kind.to_owned(), Role::Dim),
        (verdict.case.clone(), Role::Dim),
        (instruction.to_owned(), Role::Text),
    ]
}

fn weight(mistake: &Mistake) -> String {
    let weight = mistake.verdict.weight;
    if weight.is_finite() {
        text::number(weight)
    } else {
        "–".into()
    }
}

fn cells(
    frame: &mut Frame<'_>,
    theme: &Theme,
    row: Rect,
    widths: &[u16],
    texts: &[(String, Role)],
) {
    let mut x = row.x + 1;
    for (width, (text, role)) in widths.iter().zip(texts) {
        let width = (*width).min(row.right().saturating_sub(x));
        if width == 0 || row.is_empty() {
            continue;
        }
        let text = prose::line(text, width);
        frame.buffer_mut().set_string(x, row.y, text, theme[*role]);
        x += width + 1;
    }
}

/// The case that is looked at, with its pictures.
pub(super) fn case(frame: &mut Frame<'_>, canvas: &Canvas<'_>, layout: &Layout, list: &Listing) {
    let theme = canvas.theme;
    let lines = case_lines(list, layout.case.width);
    draw_words(frame, theme, layout.case, &lines, list.scroll);
    for ((image, name), tile) in pictures(list).iter().zip(&layout.tiles) {
        let picture = picture_of(*tile);
        canvas.picture(frame, image, picture, name);
        let caption = Rect {
            y: picture.bottom(),
            height: tile.height - picture.height,
            ..*tile
        };
        put(frame, caption, 0, name, theme, Role::Dim);
    }
}

/// The pictures of the case that is looked at, as far as they are there, each with its name.
pub(super) fn pictures(list: &Listing) -> Vec<(ImageRef, String)> {
    let Some(images) = list.images() else {
        return Vec::new();
    };
    let named = images.iter().enumerate().filter_map(|(place, path)| {
        let path = path.as_ref()?.to_str()?;
        Some((ImageRef(path.to_owned()), image_name(list, place)))
    });
    named.collect()
}

/// "source", or an edit's letter and editor.
fn image_name(list: &Listing, place: usize) -> String {
    let Some(edit) = place.checked_sub(1) else {
        return "source".into();
    };
    let seen = list.case().and_then(|mistake| mistake.seen.as_ref());
    let editor = seen.and_then(|s| s.shown.edits.get(edit)?.0.clone());
    editor.map_or_else(
        || letter(edit),
        |editor| format!("{} {editor}", letter(edit)),
    )
}

/// The case in words.
pub(super) fn case_lines(list: &Listing, width: u16) -> Vec<Words> {
    let Some(mistake) = list.case() else {
        return Vec::new();
    };
    let verdict = &mistake.verdict;
    let of = list.mistakes().len();
    let head = format!("Wrong {}/{of}: {}", list.at() + 1, list.title);
    let mut out = words::wrapped(&head, Role::Title, 0, width);
    out.push(Vec::new());
    if let Some(seen) = &mistake.seen {
        out.extend(words::wrapped(
            &seen.shown.instruction,
            Role::Text,
            0,
            width,
        ));
        out.push(Vec::new());
    }
    let mut fact = |name: &str, value: &str, role| {
        out.extend(words::fact(name, value, role, width));
    };
    fact("people", &verdict.truth, Role::Human);
    fact("scorer", &verdict.said, Role::Aggregate);
    if let Some(Said::Nothing { reason, .. }) = mistake.seen.as_ref().and_then(|s| s.said.as_ref())
    {
        fact("", reason, Role::Warning);
    }
    let name = if verdict.edits.len() == 1 {
        "off by"
    } else {
        "sure"
    };
    fact(name, &weight(mistake), Role::Text);
    if let Some(kind) = &verdict.category {
        fact("kind", kind, Role::Text);
    }
    fact("case", &verdict.case, Role::Text);
    out.push(Vec::new());
    out.extend(edits(list, mistake, width));
    out
}

/// The edits with their editors, scores and images.
fn edits(list: &Listing, mistake: &Mistake, width: u16) -> Vec<Words> {
    let Some(seen) = &mistake.seen else {
        let words = "the run keeps no case of that name: there is nothing more to show";
        return words::wrapped(words, Role::Warning, 0, width);
    };
    let images = list.images();
    let path = |place: usize| {
        let found = images.and_then(|images| images.get(place)?.as_ref());
        found.map(|path| path.display().to_string())
    };
    let mut out = Vec::new();
    if let Some(path) = path(0) {
        out.extend(words::fact("source", &path, Role::Dim, width));
    }
    for (place, (editor, _)) in seen.shown.edits.iter().enumerate() {
        let judged = mistake.verdict.edits.contains(&place);
        let mark = if judged { "▸ " } else { "  " };
        let role = if judged { Role::Text } else { Role::Dim };
        let editor = editor.as_deref().unwrap_or("unknown editor");
        let name = format!("{mark}{}", letter(place));
        let value = match score(seen.said.as_ref(), place) {
            Some(score) => format!("{editor}: {score}"),
            None => editor.to_owned(),
        };
        out.extend(words::fact(&name, &value, role, width));
        if let Some(path) = path(place + 1) {
            out.extend(words::fact("", &path, Role::Dim, width));
        }
    }
    if let Some(Said::Votes(votes)) = &seen.said {
        for (a, b, vote) in votes {
            let words = vote.in_words((*a, *b));
            out.extend(words::fact("voted", &words, Role::Text, width));
        }
    }
    out.push(Vec::new());
    let words = match images {
        None => "looking for the images…",
        Some(images) if images.iter().all(Option::is_none) => "no images are there",
        Some(images) if images.iter().any(Option::is_none) => "some images are not there",
        Some(_) => return out,
    };
    out.extend(words::wrapped(words, Role::Dim, 0, width));
    out
}

fn score(said: Option<&Said>, place: usize) -> Option<String> {
    let Said::Scores(scores) = said? else {
        return None;
    };
    let Some(Score { value, sigma, axes }) = scores.get(place).copied().flatten() else {
        return Some("not scored".into());
    };
    let mut words = format!("{value:.4}");
    if let Some(sigma) = sigma {
        let _ = write!(words, " ±{sigma:.4}");
    }
    if let Some([following, looks]) = axes {
        let _ = write!(words, " (IF {following:.3}, VQ {looks:.3})");
    }
    Some(words)
}

fn put(frame: &mut Frame<'_>, area: Rect, row: u16, words: &str, theme: &Theme, role: Role) {
    if row < area.height {
        let line = Rect {
            y: area.y + row,
            height: 1,
            ..area
        };
        let words = prose::line(words, area.width);
        frame.render_widget(Span::styled(words, theme[role]), line);
    }
}
