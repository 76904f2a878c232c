//! Gaussians on a common axis: curve, mean and ±1σ of each, with its numbers. Refuses to hide what does not fit: arrows point
//! at what is off the axis, and what is no number is named as such.

mod axis;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use axis::Scale;
pub use axis::common_range;

use super::braille::{ACROSS, DOWN, Line, meet};
use super::text;
use crate::domain::{Axis, Gaussian};
use crate::tui::theme::{Role, Theme};

/// What a curve stands for, which gives it its colour and mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// One axis of one candidate.
    Axis(Axis),
    /// Both axes of one candidate, joined.
    Aggregate,
    /// The `i`th candidate of a group.
    Series(usize),
}

impl Of {
    /// The colour.
    pub fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Axis(Axis::InstructionFollowing) => theme[Role::AxisIf],
            Self::Axis(Axis::VisualQuality) => theme[Role::AxisVq],
            Self::Aggregate => theme[Role::Aggregate],
            Self::Series(i) => theme.series(i),
        }
    }

    /// The mark, one column.
    pub const fn glyph(self, theme: &Theme) -> &'static str {
        match self {
            Self::Axis(Axis::InstructionFollowing) => "◆",
            Self::Axis(Axis::VisualQuality) => "■",
            Self::Aggregate => "●",
            Self::Series(i) => theme.series_glyph(i),
        }
    }
}

/// One Gaussian with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Shown in the legend; sanitised when drawn.
    pub label: String,
    /// Mean and log sigma; what is not finite is named and not drawn.
    pub gaussian: Gaussian,
    /// What it stands for.
    pub of: Of,
}

impl Curve {
    /// Mean and sigma as text; no sigma where there is no uncertainty.
    fn numbers(&self) -> (String, String) {
        let (mean, sigma) = (self.gaussian.mean, self.gaussian.sigma());
        let sigma = if sigma.is_nan() || sigma > 0.0 && mean.is_finite() {
            format!(" ±{}", text::number(sigma))
        } else {
            String::new()
        };
        (text::number(mean), sigma)
    }

    fn is_sound(&self) -> bool {
        self.gaussian.mean.is_finite() && !self.gaussian.log_sigma.is_nan()
    }
}

/// Fewest columns for the axis before names and numbers give way to it.
const NARROW: u16 = 10;

/// Fewest rows that curves are worth.
const LOW: u16 = 3;

/// Several Gaussians on one axis. Tall areas show curves above their intervals, low ones intervals alone. Curves are drawn to
/// the cube root of their density, at least a third of the height, since true heights would leave but the narrowest visible.
#[derive(Debug)]
pub struct GaussianPlot<'a> {
    curves: &'a [Curve],
    theme: &'a Theme,
    range: Option<(f64, f64)>,
}

/// Columns for names, axis and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    names: u16,
    axis: u16,
    /// With a gap before it.
    mean: u16,
    sigma: u16,
}

impl<'a> GaussianPlot<'a> {
    /// Shows `curves`, in this order.
    pub const fn new(curves: &'a [Curve], theme: &'a Theme) -> Self {
        Self {
            curves,
            theme,
            range: None,
        }
    }

    /// The axis, where it is shared with other plots; else it is [`common_range`] of the curves.
    #[must_use]
    pub const fn range(mut self, range: (f64, f64)) -> Self {
        self.range = Some(range);
        self
    }

    /// The roomiest division of `width` that leaves the axis enough.
    fn columns(&self, width: u16) -> Columns {
        let longest = |f: &dyn Fn(&Curve) -> u16| self.curves.iter().map(f).max().unwrap_or(0);
        let name = longest(&|c| text::width(&c.label)).min(16);
        let mean = 1 + longest(&|c| text::width(&c.numbers().0));
        let sigma = longest(&|c| text::width(&c.numbers().1));
        let plans = [
            (3 + name, mean, sigma),
            (3 + name.min(6), mean, sigma),
            (2, mean, sigma),
            (3 + name.min(6), mean, 0),
            (2, mean, 0),
            (2, 0, 0),
        ];
        let (names, mean, sigma) = plans
            .into_iter()
            .find(|(names, mean, sigma)| width >= names + mean + sigma + NARROW)
            .unwrap_or((0, 0, 0));
        Columns {
            names,
            axis: width - names - mean - sigma,
            mean,
            sigma,
        }
    }

    /// Names before, numbers behind, and the interval between them.
    fn draw_interval(
        &self,
        curve: &Curve,
        columns: Columns,
        scale: &Scale,
        row: Rect,
        buffer: &mut Buffer,
    ) {
        let style = curve.of.style(self.theme);
        let glyph = curve.of.glyph(self.theme);
        if columns.names > 0 {
            let name = text::shorten(&curve.label, columns.names.saturating_sub(3));
            let words = format!("{glyph} {name}");
            buffer.set_stringn(
                row.x,
                row.y,
                words.trim_end(),
                usize::from(columns.names),
                style,
            );
        }
        let (mean, sigma) = curve.numbers();
        if columns.mean > 0 {
            let x = row.right() - columns.sigma - text::width(&mean);
            buffer.set_string(x, row.y, &mean, style);
        }
        if columns.sigma > 0 {
            buffer.set_string(row.right() - columns.sigma, row.y, &sigma, style);
        }
        if !curve.is_sound() {
            return;
        }
        let left = row.x + columns.names;
        let (mean, sigma) = (curve.gaussian.mean, curve.gaussian.sigma());
        let mut put = |column: u16, symbol: &str| {
            buffer[(left + column, row.y)]
                .set_symbol(symbol)
                .set_style(style);
        };
        if sigma > 0.0 {
            let (from, to) = (mean - sigma, mean + sigma);
            let (first, last) = (scale.column(from), scale.column(to));
            for column in first..=last {
                put(column, "─");
            }
            if first < last {
                put(first, if scale.holds(from) { "├" } else { "◂" });
                put(last, if scale.holds(to) { "┤" } else { "▸" });
            }
        }
        let at = scale.column(mean);
        if scale.holds(mean) {
            put(at, glyph);
        } else {
            put(at, if scale.is_below(mean) { "◂" } else { "▸" });
        }
    }

    fn draw_curves(&self, scale: &Scale, area: Rect, buffer: &mut Buffer) {
        let sound: Vec<(usize, &Curve)> = self
            .curves
            .iter()
            .enumerate()
            .filter(|(_, c)| c.is_sound() && c.gaussian.sigma().is_finite())
            .collect();
        let width = |curve: &Curve| curve.gaussian.sigma().max(scale.span() / 200.0);
        let narrowest = sound
            .iter()
            .map(|(_, c)| width(c))
            .fold(f64::INFINITY, f64::min);
        let dots = f64::from(area.height * DOWN - 1);
        let mut lines = Vec::new();
        let mut tops = Vec::new();
        for (i, curve) in &sound {
            let share = (narrowest / width(curve)).cbrt().max(0.35);
            // The glyph at the top takes a cell of its own.
            let height = share * dots;
            let mut line = Line::new(area.width, area.height);
            let heights = heights(curve.gaussian, scale, height);
            line.trace(&heights, if self.theme.is_mono() { *i } else { 0 });
            let mean = curve.gaussian.mean;
            if scale.holds(mean) {
                let x = mean_dot(mean, scale);
                let top = dot_of(height);
                for y in (0..=top).step_by(2) {
                    line.dot(x, area.height * DOWN - 1 - y);
                }
                tops.push((x / ACROSS, area.height - 1 - top / DOWN, *curve));
            }
            lines.push(line);
        }
        for row in 0..area.height {
            for column in 0..area.width {
                if let Some((character, owner)) = meet(&lines, column, row) {
                    buffer[(area.x + column, area.y + row)]
                        .set_char(character)
                        .set_style(sound[owner].1.of.style(self.theme));
                }
            }
        }
        for (column, row, curve) in tops {
            buffer[(area.x + column, area.y + row)]
                .set_symbol(curve.of.glyph(self.theme))
                .set_style(curve.of.style(self.theme));
        }
    }

    fn draw_axis(
        &self,
        scale: &Scale,
        rule: Option<u16>,
        labels: u16,
        x: u16,
        buffer: &mut Buffer,
    ) {
        let ticks = scale.ticks();
        if let Some(y) = rule {
            for column in 0..scale.columns() {
                let at_tick = ticks.iter().any(|(c, _)| *c == column);
                buffer[(x + column, y)]
                    .set_symbol(if at_tick { "┬" } else { "─" })
                    .set_style(self.theme[Role::Border]);
            }
        }
        let mut free = 0;
        let several = ticks.len() > 2;
        for (column, words) in ticks {
            let width = text::width(&words);
            let start = column
                .saturating_sub(width / 2)
                .min(scale.columns().saturating_sub(width));
            let moved = start + width / 2 != column;
            if start < free || moved && several {
                // No room beside its neighbour, or not where it belongs.
                continue;
            }
            free = start + width + 1;
            let room = usize::from(scale.columns() - start);
            buffer.set_stringn(x + start, labels, &words, room, self.theme[Role::Dim]);
        }
    }
}

/// The height of a curve over each column of dots, where it is high enough to be seen. Each column takes the highest value
/// within it, so that a curve narrower than a column still shows.
fn heights(gaussian: Gaussian, scale: &Scale, height: f64) -> Vec<Option<u16>> {
    let parts = scale.columns() * ACROSS;
    (0..parts)
        .map(|i| {
            let (from, to) = scale.part(u32::from(i), u32::from(parts));
            let distance = (gaussian.mean.clamp(from, to) - gaussian.mean).abs();
            let z = if distance == 0.0 {
                0.0
            } else {
                distance / gaussian.sigma()
            };
            let dots = height * (-0.5 * z * z).exp();
            (dots >= 0.4).then(|| dot_of(dots))
        })
        .collect()
}

fn mean_dot(mean: f64, scale: &Scale) -> u16 {
    let parts = scale.columns() * ACROSS;
    (0..parts)
        .find(|i| mean <= scale.part(u32::from(*i), u32::from(parts)).1)
        .unwrap_or(parts - 1)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a height within a screen"
)]
fn dot_of(height: f64) -> u16 {
    height.round() as u16
}

impl Widget for GaussianPlot<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() || self.curves.is_empty() {
            return;
        }
        let range = self
            .range
            .unwrap_or_else(|| common_range(self.curves.iter().map(|c| c.gaussian)));
        let columns = self.columns(area.width);
        let scale = Scale::new(range, columns.axis);
        let left = area.x + columns.names;

        let intervals = u16::try_from(self.curves.len())
            .unwrap_or(u16::MAX)
            .min(area.height);
        let below = area.height - intervals;
        // From what the intervals leave: numbers of the axis, then curves, then a rule between them.
        let labels = u16::from(below >= 1);
        let rule = u16::from(below > labels + LOW + 1);
        let high = below - labels - rule;
        let curves = if high >= LOW { high } else { 0 };

        if curves > 0 {
            let field = Rect::new(left, area.y, columns.axis, curves);
            self.draw_curves(&scale, field, buffer);
        }
        for (y, curve) in (area.y + curves..)
            .zip(self.curves)
            .take(usize::from(intervals))
        {
            let row = Rect::new(area.x, y, area.width, 1);
            self.draw_interval(curve, columns, &scale, row, buffer);
        }
        if labels > 0 {
            let y = area.y + curves + intervals;
            self.draw_axis(&scale, (rule > 0).then_some(y), y + rule, left, buffer);
        }
    }
}

#[cfg(test)]
mod tests;
