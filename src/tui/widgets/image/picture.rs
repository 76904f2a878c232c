//! The widget: an image in its area, or a quiet tile that says why not. Never draws outside its area, never cuts an image.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::pictures::PictureState;
use super::preview::Preview;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

/// An image, centred in its area.
#[derive(Debug)]
pub struct Picture<'a> {
    state: &'a PictureState,
    theme: &'a Theme,
    label: &'a str,
    cover: Option<Rect>,
}

impl<'a> Picture<'a> {
    /// Shows `state`.
    pub const fn new(state: &'a PictureState, theme: &'a Theme) -> Self {
        Self {
            state,
            theme,
            label: "",
            cover: None,
        }
    }

    /// The name for a tile in the image's place. Sanitised here.
    #[must_use]
    pub const fn label(mut self, label: &'a str) -> Self {
        self.label = label;
        self
    }

    /// Where an overlay will be drawn over this frame. Sixel and iTerm2 images under it give way to their tile: such an image
    /// is one sequence in its first cell, and what an overlay once wrote into it would stay after the overlay has gone.
    #[must_use]
    pub const fn covered_by(mut self, overlay: Option<Rect>) -> Self {
        self.cover = overlay;
        self
    }

    /// The area that the image itself will cover, for a caption right below it, say; `None` where a tile will stand.
    pub fn image_area(&self, area: Rect, screen: Rect) -> Option<Rect> {
        let PictureState::Ready(preview) = self.state else {
            return None;
        };
        let placed = place(preview, area, screen)?;
        let hidden = preview.is_opaque() && self.cover.is_some_and(|c| c.intersects(placed));
        (!hidden).then_some(placed)
    }

    fn tile(&self, area: Rect, buffer: &mut Buffer) {
        let shade = Style {
            fg: None,
            ..self.theme.shade(Role::Border, 0.35)
        };
        for position in area.positions() {
            let background = buffer[position].bg;
            buffer[position].reset();
            buffer[position].set_bg(background).set_style(shade);
        }
        let dim = self.theme[Role::Dim];
        let mut lines: Vec<(String, Style)> = Vec::new();
        let width = area.width.saturating_sub(2);
        match self.state {
            PictureState::Ready(_) => {}
            PictureState::Loading => lines.push(("loading…".into(), dim)),
            PictureState::Broken(reason) => {
                lines.push(("✗ no image".into(), self.theme[Role::Bad]));
                lines.extend(text::wrap(reason, width).into_iter().map(|l| (l, dim)));
            }
        }
        if !self.label.is_empty() {
            lines.insert(0, (self.label.to_owned(), dim));
        }
        // The reason counts more than the name, and its first line more than its last.
        if lines.len() > usize::from(area.height) && !self.label.is_empty() && lines.len() > 1 {
            lines.remove(0);
        }
        lines.truncate(usize::from(area.height));
        let top = area.y + (area.height - u16::try_from(lines.len()).unwrap_or(0)) / 2;
        for (y, (line, style)) in (top..).zip(&lines) {
            let line = text::shorten(line, if width == 0 { area.width } else { width });
            let start = area.x + (area.width - text::width(&line)) / 2;
            buffer.set_stringn(start, y, &line, usize::from(area.width), *style);
        }
    }
}

impl Widget for Picture<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let area = area.intersection(buffer.area);
        if area.is_empty() {
            return;
        }
        match (self.image_area(area, buffer.area), self.state) {
            (Some(placed), PictureState::Ready(preview)) => preview.render(placed, buffer),
            _ => self.tile(area, buffer),
        }
    }
}

/// Where an image stands in its area; `None` if it does not fit.
fn place(preview: &Preview, area: Rect, screen: Rect) -> Option<Rect> {
    let size = preview.size();
    if area.is_empty() || !preview.fits(area.as_size()) {
        return None;
    }
    let mut placed = Rect::new(
        area.x + (area.width - size.width) / 2,
        area.y + (area.height - size.height) / 2,
        size.width,
        size.height,
    );
    if preview.scrolls_at_the_bottom() && placed.bottom() >= screen.bottom() {
        if placed.y == area.y {
            return None;
        }
        placed.y -= 1;
    }
    Some(placed)
}
