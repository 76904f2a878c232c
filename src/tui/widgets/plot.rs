//! A small plot of lines over a plane whose both axes are known beforehand: a curve of shares with its dots, and straight lines
//! to hold it against (a diagonal, a floor) that are broken and bear their names; behind them a cloud of points, whose density
//! shows as shade where there are many in a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::axes::{Axes, BELOW, row};
use super::braille::{ACROSS, DOWN, Line};
use super::text;
use crate::domain::curves::Ruler;
use crate::tui::theme::{Role, Theme};

/// Columns beside the field for numbers, and the line of words over it.
const BESIDE: u16 = 6;
const HEAD: u16 = 1;
/// Below this there is no room for numbers beside the field, or under it.
const WIDE: u16 = 24;
const TALL: u16 = 8;
/// Dots drawn and left out of a broken line.
const DASH: (u16, u16) = (3, 3);

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// As a whole, with a dot at each of its points.
    Dotted,
    /// As a whole.
    Whole,
    /// Broken, and thin, behind the others.
    Broken,
}

/// A line of the plot.
#[derive(Debug, Clone, Copy)]
pub struct Stroke<'a> {
    /// Its points, in the order in which they are joined.
    pub points: &'a [(f64, f64)],
    /// What it means, as a colour.
    pub role: Role,
    /// How it is drawn.
    pub ink: Ink,
    /// Its name, at its right end; empty for none.
    pub name: &'a str,
}

/// Lines over a plane.
#[derive(Debug)]
pub struct Plot<'a> {
    title: &'a str,
    across: Ruler,
    up: Ruler,
    strokes: &'a [Stroke<'a>],
    cloud: Option<Cloud<'a>>,
    theme: &'a Theme,
}

/// Points behind the lines.
#[derive(Debug, Clone, Copy)]
pub struct Cloud<'a> {
    /// The points.
    pub points: &'a [(f64, f64)],
    /// What they mean, as a colour.
    pub role: Role,
    /// The part of the axis across whose points are chosen, if any: the others are drawn fainter.
    pub chosen: Option<(f64, f64)>,
    /// The point that is looked at.
    pub marked: Option<(f64, f64)>,
}

impl<'a> Plot<'a> {
    /// With points behind the lines.
    #[must_use]
    pub const fn cloud(mut self, cloud: Cloud<'a>) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// Shows `strokes`, the last in front, over these ranges; `title` says what lies on which axis.
    pub const fn new(
        title: &'a str,
        (across, up): (Ruler, Ruler),
        strokes: &'a [Stroke<'a>],
        theme: &'a Theme,
    ) -> Self {
        Self {
            title,
            across,
            up,
            strokes,
            cloud: None,
            theme,
        }
    }

    fn field(area: Rect) -> Rect {
        let beside = if area.width >= WIDE { BESIDE } else { 0 };
        let below = if area.height >= TALL { BELOW } else { 0 };
        Rect::new(
            area.x + beside,
            area.y + HEAD.min(area.height),
            area.width - beside,
            area.height.saturating_sub(HEAD + below),
        )
    }

    fn draw_axes(&self, area: Rect, field: Rect, buffer: &mut Buffer) {
        let axes = Axes {
            area,
            field,
            across: (&self.across, usize::from(field.width / 8).clamp(1, 10)),
            up: (&self.up, usize::from(field.height / 2).clamp(1, 6)),
            column,
            theme: self.theme,
        };
        axes.draw(buffer);
    }

    fn draw_cloud(&self, cloud: &Cloud<'_>, field: Rect, buffer: &mut Buffer) {
        let cells = usize::from(field.width) * usize::from(field.height);
        let (mut counts, mut dots) = (vec![0_u32; cells], Line::new(field.width, field.height));
        let mut chosen = vec![false; cells];
        let (right, bottom) = (
            f64::from(field.width * ACROSS) - 1.0,
            f64::from(field.height * DOWN) - 1.0,
        );
        let within = |share: &f64| (0.0..=1.0).contains(share);
        for (x, y) in cloud.points {
            let place = self.across.share(*x).zip(self.up.share(*y));
            let Some((across, up)) = place.filter(|(x, y)| within(x) && within(y)) else {
                continue;
            };
            let at = (
                (across * right).round() as u16,
                ((1.0 - up) * bottom).round() as u16,
            );
            dots.dot(at.0, at.1);
            let cell =
                usize::from(at.1 / DOWN) * usize::from(field.width) + usize::from(at.0 / ACROSS);
            counts[cell] += 1;
            chosen[cell] |= cloud
                .chosen
                .is_none_or(|(low, high)| (low..=high).contains(x));
        }
        let most = counts.iter().copied().max().unwrap_or(0);
        for (at, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let place = (
                field.x + (at % usize::from(field.width)) as u16,
                field.y + (at / usize::from(field.width)) as u16,
            );
            let bits = dots.cell(place.0 - field.x, place.1 - field.y);
            let symbol = char::from_u32(0x2800 + u32::from(bits)).unwrap_or('·');
            let role = if chosen[at] { cloud.role } else { Role::Dim };
            buffer[place].set_char(symbol).set_style(self.theme[role]);
            // More points than a cell has dots for: the shade tells how many.
            if *count > u32::from(ACROSS * DOWN) {
                let share = (f64::from(*count).ln() / f64::from(most.max(2)).ln()).min(1.0);
                let shade = self.theme.shade(role, 0.15 + 0.45 * share);
                buffer[place].set_style(Style { fg: None, ..shade });
            }
        }
        if let Some((x, y)) = cloud.marked
            && let Some(place) = column(field, &self.across, x).zip(row(field, &self.up, y))
        {
            buffer[place]
                .set_char('◉')
                .set_style(self.theme[Role::Warning]);
        }
    }

    /// Marks the ends of the chosen part on the axis under the field.
    fn draw_chosen(&self, cloud: &Cloud<'_>, field: Rect, buffer: &mut Buffer) {
        let Some((low, high)) = cloud.chosen else {
            return;
        };
        for (end, symbol) in [(low, "▶"), (high, "◀")] {
            if let Some(x) = column(field, &self.across, end)
                && field.bottom() < buffer.area.bottom()
            {
                buffer.set_string(x, field.bottom(), symbol, self.theme[Role::Accent]);
            }
        }
    }

    fn draw_stroke(&self, stroke: &Stroke<'_>, field: Rect, buffer: &mut Buffer) {
        let style = self.theme[stroke.role];
        let dots: Vec<(f64, f64)> = stroke
            .points
            .iter()
            .filter_map(|(x, y)| Some((self.across.share(*x)?, self.up.share(*y)?)))
            .map(|(x, y)| {
                let right = f64::from(field.width * ACROSS) - 1.0;
                let bottom = f64::from(field.height * DOWN) - 1.0;
                (x * right, (1.0 - y) * bottom)
            })
            .collect();
        let mut line = Line::new(field.width, field.height);
        for ends in dots.windows(2) {
            if stroke.ink == Ink::Broken {
                dashes(&mut line, ends[0], ends[1], field.width * ACROSS);
            } else {
                line.segment(ends[0], ends[1]);
            }
        }
        if let [(x, y)] = dots[..] {
            line.segment((x, y), (x, y));
        }
        put(&line, field, style, buffer);
        if stroke.ink == Ink::Dotted {
            for (x, y) in stroke.points {
                let place = column(field, &self.across, *x).zip(row(field, &self.up, *y));
                if let Some((x, y)) = place {
                    buffer.set_string(x, y, "●", style);
                }
            }
        }
    }

    /// A line's name over its right end, or under it where that is the top.
    fn draw_name(&self, stroke: &Stroke<'_>, field: Rect, buffer: &mut Buffer) {
        let Some((_, value)) = stroke.points.last() else {
            return;
        };
        let Some(y) = row(field, &self.up, *value).filter(|_| !stroke.name.is_empty()) else {
            return;
        };
        let words = text::shorten(stroke.name, field.width);
        let x = field.right() - text::width(&words);
        let y = if y > field.y { y - 1 } else { y + 1 };
        if y < field.bottom() {
            buffer.set_string(x, y, words, self.theme[stroke.role]);
        }
    }
}

/// A broken line between two places.
fn dashes(line: &mut Line, from: (f64, f64), to: (f64, f64), across: u16) {
    let length = to.0 - from.0;
    if !(length > 0.0 && length.is_finite()) {
        return;
    }
    let at = |x: f64| from.1 + (to.1 - from.1) * (x - from.0) / length;
    for start in (0..across).step_by(usize::from(DASH.0 + DASH.1)) {
        let (a, b) = (f64::from(start), f64::from(start + DASH.0 - 1));
        let (a, b) = (a.max(from.0), b.min(to.0));
        if a <= b {
            line.segment((a, at(a)), (b, at(b)));
        }
    }
}

fn put(line: &Line, field: Rect, style: Style, buffer: &mut Buffer) {
    for row in 0..field.height {
        for column in 0..field.width {
            let dots = line.cell(column, row);
            if dots != 0 {
                let symbol = char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' ');
                buffer[(field.x + column, field.y + row)]
                    .set_char(symbol)
                    .set_style(style);
            }
        }
    }
}

/// The column of a place; none outside the field.
fn column(field: Rect, across: &Ruler, value: f64) -> Option<u16> {
    let share = across.share(value).filter(|s| (0.0..=1.0).contains(s))?;
    let dots = f64::from(field.width * ACROSS) - 1.0;
    Some(field.x + (share * dots).round() as u16 / ACROSS)
}

impl Widget for Plot<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let title = text::shorten(self.title, area.width);
        buffer.set_string(area.x, area.y, title, self.theme[Role::Title]);
        let field = Self::field(area);
        if field.is_empty() {
            return;
        }
        self.draw_axes(area, field, buffer);
        if let Some(cloud) = &self.cloud {
            self.draw_cloud(cloud, field, buffer);
            self.draw_chosen(cloud, field, buffer);
        }
        for stroke in self.strokes {
            self.draw_stroke(stroke, field, buffer);
        }
        for stroke in self.strokes {
            self.draw_name(stroke, field, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::tui::widgets::testing::drawn_text;

    const HALVES: (f64, f64) = (50.0, 100.0);

    fn plot(width: u16, height: u16) -> String {
        let theme = Theme::mono();
        let curve = [(52.0, 50.0), (64.0, 61.0), (77.0, 80.0), (93.0, 88.0)];
        let strokes = [
            Stroke {
                points: &[(50.0, 50.0), (100.0, 100.0)],
                role: Role::Dim,
                ink: Ink::Broken,
                name: "",
            },
            Stroke {
                points: &[(50.0, 58.0), (100.0, 58.0)],
                role: Role::Fair,
                ink: Ink::Broken,
                name: "all ties 58.0",
            },
            Stroke {
                points: &curve,
                role: Role::Accent,
                ink: Ink::Dotted,
                name: "",
            },
        ];
        let ruler = Ruler::new(HALVES.0, HALVES.1, false);
        let title = "share right over confidence, in percent";
        drawn_text(
            width,
            height,
            Plot::new(title, (ruler, ruler), &strokes, &theme),
        )
    }

    #[test]
    fn curve_diagonal_and_floor_are_told_apart() {
        assert_snapshot!(plot(60, 16));
    }

    #[test]
    fn no_size_panics_and_numbers_give_way_first() {
        for width in 0..70 {
            for height in 0..20 {
                plot(width, height);
            }
        }
        assert!(!plot(20, 6).contains("100"));
    }

    #[test]
    fn a_cloud_lies_behind_its_fit_with_the_chosen_part_marked() {
        let theme = Theme::mono();
        let points: Vec<(f64, f64)> = (0..400)
            .map(|i| (f64::from(i % 20) / 20.0, f64::from(i * 7 % 31) / 31.0))
            .collect();
        let fit = [(0.0, 0.2), (1.0, 0.9)];
        let strokes = [Stroke {
            points: &fit,
            role: Role::Accent,
            ink: Ink::Whole,
            name: "",
        }];
        let ruler = Ruler::new(0.0, 1.0, false);
        let plot =
            Plot::new("residual over saturation", (ruler, ruler), &strokes, &theme).cloud(Cloud {
                points: &points,
                role: Role::Text,
                chosen: Some((0.5, 0.75)),
                marked: Some((0.6, 0.5)),
            });
        assert_snapshot!(drawn_text(50, 12, plot));
    }

    #[test]
    fn no_size_of_a_cloud_panics() {
        let theme = Theme::mono();
        let points = [(0.0, 0.0), (1.0, 1.0), (f64::NAN, 0.5), (7.0, 0.5)];
        let ruler = Ruler::new(0.0, 1.0, false);
        for width in 0..40 {
            for height in 0..12 {
                let plot = Plot::new("", (ruler, ruler), &[], &theme).cloud(Cloud {
                    points: &points,
                    role: Role::Text,
                    chosen: Some((-1.0, 0.5)),
                    marked: Some((0.5, 0.5)),
                });
                drawn_text(width, height, plot);
            }
        }
    }

    #[test]
    fn what_has_no_place_on_the_plane_is_left_out() {
        let theme = Theme::mono();
        let strokes = [Stroke {
            points: &[(f64::NAN, 1.0), (0.5, f64::INFINITY), (9.0, 9.0)],
            role: Role::Accent,
            ink: Ink::Dotted,
            name: "far",
        }];
        let ruler = Ruler::new(0.0, 1.0, false);
        let plot = Plot::new("", (ruler, ruler), &strokes, &theme);
        let drawn = drawn_text(30, 10, plot);
        assert!(!drawn.contains('●') && !drawn.contains("far"), "{drawn}");
    }
}
