//! P(A ≻ B) for every pair of candidates: percentages on their shades, or, where there is no room, shades alone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::Widget;

use super::text;
use crate::tui::theme::{Role, Theme};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `73.4%`
    Decimal,
    /// `73%`
    Percent,
    /// `73`
    Number,
    /// `73` without a gap, from 1 to 99.
    Tight,
    /// `▓`
    Shade,
}

impl Form {
    const fn columns(self) -> u16 {
        match self {
            Self::Decimal => 7,
            Self::Percent => 5,
            Self::Number => 4,
            Self::Tight => 2,
            Self::Shade => 1,
        }
    }

    /// Never "100%" or "0%": the model is never that sure.
    fn write(self, p: f64) -> String {
        let percent = p * 100.0;
        match self {
            Self::Decimal if percent >= 99.95 => ">99.9%".into(),
            Self::Decimal if percent < 0.05 => "<0.1%".into(),
            Self::Decimal => format!("{percent:.1}%"),
            Self::Percent if percent >= 99.5 => ">99%".into(),
            Self::Percent if percent < 0.5 => "<1%".into(),
            Self::Percent => format!("{percent:.0}%"),
            Self::Number if percent >= 99.5 => ">99".into(),
            Self::Number if percent < 0.5 => "<1".into(),
            Self::Number => format!("{percent:.0}"),
            Self::Tight => format!("{:.0}", percent.clamp(1.0, 99.0)),
            Self::Shade => match p {
                p if p < 0.125 => " ",
                p if p < 0.375 => "░",
                p if p < 0.625 => "▒",
                p if p < 0.875 => "▓",
                _ => "█",
            }
            .into(),
        }
    }
}

/// What stands before a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    /// Mark and name.
    Name,
    /// The mark alone.
    Mark,
    /// Nothing.
    None,
}

/// From the roomiest to the tightest.
const PLANS: [(Head, Form); 10] = [
    (Head::Name, Form::Decimal),
    (Head::Name, Form::Percent),
    (Head::Name, Form::Number),
    (Head::Mark, Form::Percent),
    (Head::Mark, Form::Number),
    (Head::Mark, Form::Tight),
    (Head::None, Form::Tight),
    (Head::Mark, Form::Shade),
    (Head::None, Form::Shade),
    (Head::None, Form::Shade),
];

/// Longest name shown before a row.
const LONGEST_NAME: u16 = 12;

/// Row beats column.
#[derive(Debug)]
pub struct PreferenceMatrix<'a> {
    labels: &'a [String],
    p: &'a [Vec<f64>],
    theme: &'a Theme,
    cursor: Option<usize>,
}

impl<'a> PreferenceMatrix<'a> {
    /// `p[i][j]` is the probability that candidate `i` is preferred to `j`; the diagonal is not looked at. Where a value is
    /// missing or no number, the cell says `—`. Labels are sanitised when drawn.
    pub const fn new(labels: &'a [String], p: &'a [Vec<f64>], theme: &'a Theme) -> Self {
        Self {
            labels,
            p,
            theme,
            cursor: None,
        }
    }

    /// Marks one candidate's row and column.
    #[must_use]
    pub const fn cursor(mut self, cursor: Option<usize>) -> Self {
        self.cursor = cursor;
        self
    }

    fn head_columns(&self, head: Head) -> u16 {
        let longest = self.labels.iter().map(|l| text::width(l)).max();
        match head {
            Head::Name => 3 + longest.unwrap_or(0).min(LONGEST_NAME),
            Head::Mark => 1,
            Head::None => 0,
        }
    }

    /// The roomiest plan that fits.
    fn plan(&self, columns: u16) -> (Head, Form) {
        let n = u16::try_from(self.labels.len()).unwrap_or(u16::MAX);
        PLANS
            .into_iter()
            .find(|(head, form)| {
                self.head_columns(*head)
                    .saturating_add(n.saturating_mul(form.columns()))
                    <= columns
            })
            .unwrap_or((Head::None, Form::Shade))
    }

    fn label_style(&self, i: usize) -> Style {
        let style = self.theme.series(i);
        if self.cursor == Some(i) {
            style.patch(self.theme[Role::Selected])
        } else {
            style
        }
    }

    fn value_style(&self, p: f64, form: Form) -> Style {
        let certainty = ((p - 0.5).abs() * 2.0).min(1.0);
        let (role, weight) = if p >= 0.5 {
            (Role::Good, Modifier::BOLD)
        } else {
            (Role::Bad, Modifier::DIM)
        };
        if self.theme.is_mono() {
            // Shades speak for themselves; numbers are told apart by weight.
            return if form == Form::Shade {
                Style::new()
            } else {
                Style::new().add_modifier(weight)
            };
        }
        if form == Form::Shade {
            return self.theme[role];
        }
        self.theme.shade(role, 0.75 * certainty)
    }

    fn value(&self, i: usize, j: usize) -> Option<f64> {
        let p = *self.p.get(i)?.get(j)?;
        p.is_finite().then(|| p.clamp(0.0, 1.0))
    }

    fn draw_header(&self, form: Form, area: Rect, buffer: &mut Buffer) {
        let step = form.columns();
        let named = self.labels.iter().all(|l| text::width(l) < step);
        for (j, label) in self.labels.iter().enumerate() {
            let x = area.x + step * u16::try_from(j).unwrap_or(u16::MAX);
            let words = if named {
                text::shorten(label, step - 1)
            } else {
                self.theme.series_glyph(j).to_owned()
            };
            let room = if step >= 5 { step - 1 } else { step };
            put_right(&words, x, room, area, self.label_style(j), buffer);
        }
    }

    fn draw_row(&self, i: usize, form: Form, area: Rect, buffer: &mut Buffer) {
        let step = form.columns();
        for j in 0..self.labels.len() {
            let x = area.x + step * u16::try_from(j).unwrap_or(u16::MAX);
            let cell = Rect::new(x, area.y, step, 1).intersection(area);
            if cell.is_empty() {
                break;
            }
            if i == j {
                continue;
            }
            let (words, style) = match self.value(i, j) {
                Some(p) => (form.write(p), self.value_style(p, form)),
                None => ("—".to_owned(), self.theme[Role::Dim]),
            };
            buffer.set_style(cell, style);
            // One column of air on the right, where there are columns to spare.
            let room = if step >= 5 { step - 1 } else { step };
            put_right(&words, x, room, area, style, buffer);
        }
    }
}

/// Writes `words` so that they end at the right of `columns` from `x`.
fn put_right(words: &str, x: u16, columns: u16, area: Rect, style: Style, buffer: &mut Buffer) {
    let start = x + columns.saturating_sub(text::width(words));
    if start < area.right() {
        buffer.set_stringn(
            start,
            area.y,
            words,
            usize::from(area.right() - start),
            style,
        );
    }
}

impl Widget for PreferenceMatrix<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() || self.labels.is_empty() {
            return;
        }
        let (head, form) = self.plan(area.width);
        let head_columns = self.head_columns(head).min(area.width);
        let right = Rect::new(area.x + head_columns, area.y, area.width - head_columns, 1);
        let mut rows = area.rows();
        if usize::from(area.height) > self.labels.len()
            && let Some(row) = rows.next()
        {
            self.draw_header(form, Rect { y: row.y, ..right }, buffer);
        }
        for (i, row) in rows.enumerate().take(self.labels.len()) {
            let hidden = self.labels.len() - i;
            if row.y + 1 == area.bottom() && hidden > 1 && area.height > 1 {
                let words = format!("… {hidden} more");
                buffer.set_stringn(
                    row.x,
                    row.y,
                    &words,
                    usize::from(row.width),
                    self.theme[Role::Dim],
                );
                break;
            }
            let words = match head {
                Head::Name => format!(
                    "{} {}",
                    self.theme.series_glyph(i),
                    text::shorten(&self.labels[i], LONGEST_NAME)
                ),
                Head::Mark => self.theme.series_glyph(i).to_owned(),
                Head::None => String::new(),
            };
            buffer.set_stringn(
                row.x,
                row.y,
                &words,
                usize::from(head_columns),
                self.label_style(i),
            );
            self.draw_row(i, form, Rect { y: row.y, ..right }, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::{Gaussian, p_prefer};
    use crate::tui::widgets::testing::{drawn, drawn_text};

    fn labels() -> Vec<String> {
        ["right", "half-done", "overdone", "nothing"]
            .map(Into::into)
            .into()
    }

    fn probabilities() -> Vec<Vec<f64>> {
        let scores = [(1.2, 0.4), (0.1, 0.6), (-0.4, 0.3), (-6.0, 0.2)]
            .map(|(mean, sigma): (f64, f64)| Gaussian::new(mean, sigma.ln()));
        scores
            .iter()
            .map(|a| scores.iter().map(|b| p_prefer(*a, *b)).collect())
            .collect()
    }

    fn text_of(width: u16, height: u16) -> String {
        let (labels, p, theme) = (labels(), probabilities(), Theme::mono());
        drawn_text(width, height, PreferenceMatrix::new(&labels, &p, &theme))
    }

    #[test]
    fn a_roomy_matrix_has_names_and_decimals() {
        assert_snapshot!(text_of(45, 6));
    }

    #[test]
    fn decimals_then_names_then_numbers_give_way() {
        let shapes: Vec<String> = [33, 29, 22, 17, 9, 8, 5, 4, 2]
            .map(|width| text_of(width, 5))
            .into();
        assert_snapshot!(shapes.join("\n~\n"));
    }

    #[test]
    fn rows_that_do_not_fit_are_counted() {
        assert_snapshot!(text_of(33, 3));
        assert_eq!(text_of(33, 4).lines().count(), 4);
    }

    #[test]
    fn missing_values_are_dashes() {
        let (labels, theme) = (labels(), Theme::mono());
        let p = vec![vec![f64::NAN, 0.5], vec![f64::NAN, 7.0], vec![-3.0]];
        assert_snapshot!(drawn_text(
            32,
            5,
            PreferenceMatrix::new(&labels, &p, &theme)
        ));
    }

    #[test]
    fn numbers_read_on_their_shades_in_every_theme() {
        use crate::tui::theme::Rgb;
        let (labels, p) = (labels(), probabilities());
        for name in Theme::names() {
            let theme = Theme::load(name).unwrap();
            let buffer = drawn(44, 5, PreferenceMatrix::new(&labels, &p, &theme));
            for cell in &buffer.content {
                if let (Some(ink), Some(shade)) = (Rgb::of(cell.fg), Rgb::of(cell.bg)) {
                    assert!(ink.contrast(shade) >= 4.5, "{name}: {cell:?}");
                }
            }
        }
    }

    #[test]
    fn without_colour_winners_are_bold_and_losers_dim() {
        let (labels, p, theme) = (labels(), probabilities(), Theme::mono());
        let buffer = drawn(33, 5, PreferenceMatrix::new(&labels, &p, &theme));
        let modifiers = |x: u16, y: u16| buffer[(x, y)].modifier;
        // Rows begin under the header; the columns of 5 after a head of 12.
        assert_eq!(modifiers(12 + 5 + 2, 1), Modifier::BOLD);
        assert_eq!(modifiers(12 + 2, 2), Modifier::DIM);
    }

    #[test]
    fn no_size_makes_it_fall_over() {
        let theme = Theme::load("paper").unwrap();
        let many: Vec<String> = (0..40).map(|i| format!("日本{i}\u{1b}[2J")).collect();
        let p = vec![vec![0.3; 40]; 40];
        for (width, height) in [(0, 0), (1, 1), (3, 2), (40, 1), (80, 24), (500, 100)] {
            let matrix = PreferenceMatrix::new(&many, &p, &theme).cursor(Some(39));
            drawn(width, height, matrix);
            drawn(width, height, PreferenceMatrix::new(&[], &p, &theme));
        }
    }
}
