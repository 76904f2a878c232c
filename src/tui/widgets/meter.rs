//! How far something has come: a bar with eighths of a cell, or a mark that moves while nobody knows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::text;
use crate::tui::theme::{Role, Theme};

/// Left-aligned parts of a cell.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// A bar, one row high: words, bar, percentage.
#[derive(Debug)]
pub struct Meter<'a> {
    share: f64,
    words: &'a str,
    theme: &'a Theme,
}

impl<'a> Meter<'a> {
    /// `share` is 0 to 1; anything else is taken for the nearer end, and not-a-number for 0.
    pub fn new(share: f64, words: &'a str, theme: &'a Theme) -> Self {
        let share = if share.is_nan() {
            0.0
        } else {
            share.clamp(0.0, 1.0)
        };
        Self {
            share,
            words,
            theme,
        }
    }
}

/// The percentage, never 100 before all is done.
pub fn percent(share: f64) -> String {
    if share >= 1.0 {
        "100%".into()
    } else {
        format!("{:.0}%", (share.max(0.0) * 100.0).floor())
    }
}

impl Widget for Meter<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        let percent = format!("{:>4}", percent(self.share));
        let words_width = text::width(self.words).min(area.width / 2);
        let bar = area.width.saturating_sub(words_width + 1 + 5);
        let mut x = area.x;
        if bar >= 4 {
            let words = text::shorten(self.words, words_width);
            buffer.set_stringn(x, area.y, &words, usize::from(words_width), Style::new());
            x += words_width + u16::from(words_width > 0);
            let bar = area.right().saturating_sub(x + 5);
            draw_bar(self.share, Rect::new(x, area.y, bar, 1), self.theme, buffer);
            x += bar + 1;
        }
        let style = self.theme[Role::Text]
            .fg
            .map_or(Style::new(), |fg| Style::new().fg(fg));
        buffer.set_stringn(x, area.y, &percent, usize::from(area.right() - x), style);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most eight times a width"
)]
fn draw_bar(share: f64, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let eighths = (share * f64::from(area.width) * 8.0).round() as u32;
    for (i, x) in (0_u32..).zip(area.left()..area.right()) {
        let filled = eighths.saturating_sub(i * 8).min(8) as usize;
        let cell = &mut buffer[(x, area.y)];
        match filled {
            0 => cell.set_symbol("─").set_style(theme[Role::Border]),
            8 => cell.set_symbol("█").set_style(theme[Role::BorderFocused]),
            part => cell
                .set_symbol(EIGHTHS[part])
                .set_style(theme[Role::BorderFocused]),
        };
    }
}

/// A mark that turns; advance `tick` a few times a second, and only while something is going on.
pub const fn spinner(tick: usize) -> &'static str {
    const FRAMES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    FRAMES[tick % FRAMES.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(share: f64, words: &str, width: u16) -> String {
        let area = Rect::new(0, 0, width, 1);
        let mut buffer = Buffer::empty(area);
        Meter::new(share, words, &Theme::mono()).render(area, &mut buffer);
        (0..width).map(|x| buffer[(x, 0)].symbol()).collect()
    }

    #[test]
    fn the_bar_gives_way_first_and_the_number_last() {
        assert_eq!(drawn(0.375, "loading", 24), "loading ████▏──────  37%");
        assert_eq!(drawn(1.0, "loading", 24), "loading ███████████ 100%");
        assert_eq!(drawn(0.5, "loading", 8), " 50%    ");
        assert_eq!(drawn(0.5, "loading", 3), " 50");
        assert_eq!(drawn(0.5, "loading", 0), "");
    }

    #[test]
    fn nothing_is_done_before_it_is_done() {
        assert_eq!(percent(0.9999), "99%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(-3.0), "0%");
        assert_eq!(drawn(f64::NAN, "", 12), drawn(0.0, "", 12));
    }
}
