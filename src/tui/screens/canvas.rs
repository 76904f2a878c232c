//! What every screen draws with: the theme, the pictures, and where an overlay will come to lie.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::domain::ImageRef;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::image::{Picture, PictureState, Pictures, Shown};

/// A screen's means.
#[derive(Clone, Copy)]
pub(crate) struct Canvas<'a> {
    /// The theme.
    pub(crate) theme: &'a Theme,
    /// The pictures, once it is known how to draw them.
    pub(crate) pictures: Option<&'a Pictures>,
    /// The topmost overlay's place.
    pub(crate) cover: Option<Rect>,
}

impl Canvas<'_> {
    /// Draws the line between two panes.
    pub(crate) fn divider(&self, frame: &mut Frame<'_>, area: Rect) {
        for y in area.y..area.bottom() {
            frame
                .buffer_mut()
                .set_string(area.x, y, "│", self.theme[Role::Border]);
        }
    }

    /// Draws an image as it is into `area`, or a tile with its name in its place.
    pub(crate) fn picture(&self, frame: &mut Frame<'_>, image: &ImageRef, area: Rect, name: &str) {
        self.shown(frame, &Shown::plain(image.clone()), area, name);
    }

    /// The same with the image as it is to be shown.
    pub(crate) fn shown(&self, frame: &mut Frame<'_>, image: &Shown, area: Rect, name: &str) {
        let state = self.pictures.map_or(PictureState::Loading, |pictures| {
            pictures.get(image, area.as_size())
        });
        self.draw(frame, &state, area, name);
    }

    /// Draws the tile of an image of which not even the file is known yet.
    pub(crate) fn placeholder(&self, frame: &mut Frame<'_>, area: Rect, name: &str) {
        self.draw(frame, &PictureState::Loading, area, name);
    }

    fn draw(&self, frame: &mut Frame<'_>, state: &PictureState, area: Rect, name: &str) {
        if area.is_empty() {
            return;
        }
        let picture = Picture::new(state, self.theme)
            .label(name)
            .covered_by(self.cover);
        frame.render_widget(picture, area);
    }
}
