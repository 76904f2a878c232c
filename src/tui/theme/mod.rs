//! Themes: what a thing on screen means, as a style. Screens and widgets name roles, never colours; the colours are in
//! `themes/*.toml`, embedded, or in a file of the user's. A theme that cannot be read is an error that says where, never a
//! silent default.

mod colour;
mod file;

use std::ops::Index;
use std::path::{Path, PathBuf};

use ratatui::style::{Color, Modifier, Style};

pub use colour::Rgb;

/// What is styled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Text, on the theme's background. Fill the frame with it first; the other roles keep the background they are drawn on.
    Text,
    /// Text of less weight: units, hints, what is missing.
    Dim,
    /// What catches the eye: the best candidate, the cursor.
    Accent,
    /// Titles of panes.
    Title,
    /// Borders.
    Border,
    /// The border of the pane that has the keyboard.
    BorderFocused,
    /// The row or cell under the cursor (a background).
    Selected,
    /// A good value.
    Good,
    /// A middling value.
    Fair,
    /// A bad value.
    Bad,
    /// Something the reader must not overlook.
    Warning,
    /// The instruction-following axis.
    AxisIf,
    /// The visual-quality axis.
    AxisVq,
    /// Both axes joined.
    Aggregate,
    /// Human labels.
    Human,
    /// The status line (with background).
    StatusBar,
    /// A key, where keys are listed.
    KeyHint,
    /// Overlays: help, palette, dialogs (with background).
    Overlay,
    /// The line that says the numbers mean nothing yet (with background).
    Banner,
}

impl Role {
    /// Every role, in the order of declaration.
    pub const ALL: [Self; 19] = [
        Self::Text,
        Self::Dim,
        Self::Accent,
        Self::Title,
        Self::Border,
        Self::BorderFocused,
        Self::Selected,
        Self::Good,
        Self::Fair,
        Self::Bad,
        Self::Warning,
        Self::AxisIf,
        Self::AxisVq,
        Self::Aggregate,
        Self::Human,
        Self::StatusBar,
        Self::KeyHint,
        Self::Overlay,
        Self::Banner,
    ];

    /// The role's name in theme files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Accent => "accent",
            Self::Title => "title",
            Self::Border => "border",
            Self::BorderFocused => "border_focused",
            Self::Selected => "selected",
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Bad => "bad",
            Self::Warning => "warning",
            Self::AxisIf => "axis_if",
            Self::AxisVq => "axis_vq",
            Self::Aggregate => "aggregate",
            Self::Human => "human",
            Self::StatusBar => "status_bar",
            Self::KeyHint => "key_hint",
            Self::Overlay => "overlay",
            Self::Banner => "banner",
        }
    }

    /// The style without colour: modifiers alone.
    const fn mono(self) -> Style {
        let style = Style::new();
        match self {
            Self::Dim | Self::Border => style.add_modifier(Modifier::DIM),
            Self::Accent | Self::Title | Self::BorderFocused | Self::Good | Self::KeyHint => {
                style.add_modifier(Modifier::BOLD)
            }
            Self::Bad => style.add_modifier(Modifier::UNDERLINED),
            Self::Warning => style.add_modifier(Modifier::BOLD.union(Modifier::UNDERLINED)),
            Self::Human => style.add_modifier(Modifier::ITALIC),
            Self::Selected | Self::StatusBar | Self::Banner => {
                style.add_modifier(Modifier::REVERSED)
            }
            Self::Text
            | Self::Fair
            | Self::AxisIf
            | Self::AxisVq
            | Self::Aggregate
            | Self::Overlay => style,
        }
    }
}

/// Why a theme could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No embedded theme of that name.
    #[error(
        "there is no theme '{name}': choose one of {}, or give the path of a .toml file",
        Theme::names().join(", ")
    )]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The file could not be read.
    #[error("theme file '{}' cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file was read and is wrong.
    #[error("{file}:{line}: {}{problem}", if key.is_empty() { String::new() } else { format!("'{key}': ") })]
    Invalid {
        /// The file, or `<name>` for an embedded theme.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key, with dots for its table ("roles.accent"); empty where the file is no TOML at all.
        key: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The embedded themes, the first dark and the first light one being the defaults.
const EMBEDDED: [(&str, &str); 4] = [
    ("graphite", include_str!("../../../themes/graphite.toml")),
    ("ember", include_str!("../../../themes/ember.toml")),
    ("paper", include_str!("../../../themes/paper.toml")),
    ("okabe-ito", include_str!("../../../themes/okabe-ito.toml")),
];

/// Marks that tell candidates apart without colour, one column each.
const GLYPHS: [&str; 8] = ["●", "■", "▲", "◆", "▼", "★", "○", "□"];

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 24 bits.
    True,
    /// The 256-colour palette.
    Indexed,
}

/// A style for every role, and a colour for every candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    name: String,
    background: Option<Rgb>,
    /// As written in the file.
    truth: [Style; Role::ALL.len()],
    /// As the terminal can show them.
    styles: [Style; Role::ALL.len()],
    series: Vec<Style>,
    depth: Depth,
}

impl Index<Role> for Theme {
    type Output = Style;

    fn index(&self, role: Role) -> &Style {
        &self.styles[role as usize]
    }
}

impl Theme {
    /// The embedded themes' names.
    pub fn names() -> Vec<&'static str> {
        EMBEDDED.iter().map(|(name, _)| *name).collect()
    }

    /// An embedded theme by its name, or a file by its path (anything with a path separator or ending in `.toml`).
    ///
    /// # Errors
    /// An unknown name; a file that cannot be read, is no TOML, names an unknown key, role or colour, or lacks a role.
    pub fn load(name_or_path: &str) -> Result<Self, ThemeError> {
        let path = Path::new(name_or_path);
        let is_path =
            path.components().count() > 1 || path.extension().is_some_and(|e| e == "toml");
        file::load(name_or_path, is_path)
    }

    /// The default for a terminal with this background; dark where the terminal did not say.
    pub fn for_background(background: Option<(u8, u8, u8)>) -> Self {
        let light = background.is_some_and(|(r, g, b)| Rgb(r, g, b).luminance() > 0.18);
        Self::load(if light { "paper" } else { "graphite" }).unwrap_or_else(|_| Self::mono())
    }

    /// No colour at all (`NO_COLOR`): modifiers and glyphs say everything.
    pub fn mono() -> Self {
        Self {
            name: "mono".into(),
            background: None,
            truth: Role::ALL.map(Role::mono),
            styles: Role::ALL.map(Role::mono),
            series: Vec::new(),
            depth: Depth::True,
        }
    }

    /// The theme's name, or its file's path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The background it was made for and paints; `None` without colour.
    pub const fn background(&self) -> Option<Rgb> {
        self.background
    }

    /// Whether the theme has no colour.
    pub const fn is_mono(&self) -> bool {
        self.background.is_none()
    }

    /// The style of the `i`th candidate or run; colours repeat after as many as the theme has.
    pub fn series(&self, i: usize) -> Style {
        match self.series.len() {
            0 => Style::new(),
            n => at_depth(self.series[i % n], self.depth),
        }
    }

    /// The same colour sunk into the ground, for what stands behind; dim without colour.
    pub fn series_behind(&self, i: usize) -> Style {
        /// How much of the colour is left: enough to follow noise by, too little to be taken for a line in front.
        const LEFT: f64 = 0.42;
        let ink = match self.series.len() {
            0 => None,
            n => self.series[i % n].fg.and_then(Rgb::of),
        };
        match (self.background, ink) {
            (Some(background), Some(ink)) => {
                let style = Style::new().fg(background.mix(ink, LEFT).color());
                at_depth(style, self.depth)
            }
            _ => Style::new().add_modifier(Modifier::DIM),
        }
    }

    /// The mark of the `i`th candidate or run, one column wide, so that colour never carries a meaning alone.
    pub const fn series_glyph(&self, i: usize) -> &'static str {
        GLYPHS[i % GLYPHS.len()]
    }

    /// A background between the theme's and a role's foreground (`share` 0..=1 of it), with an ink that reads on it; no style at
    /// all without colour.
    pub fn shade(&self, role: Role, share: f64) -> Style {
        let tint = self.truth[role as usize].fg.and_then(Rgb::of);
        match (self.background, tint) {
            (Some(background), Some(tint)) => {
                let shade = background.mix(tint, share);
                let style = Style::new().bg(shade.color()).fg(shade.ink().color());
                at_depth(style, self.depth)
            }
            _ => Style::new(),
        }
    }

    /// The same theme for a terminal of fewer or more colours.
    #[must_use]
    pub fn at_depth(mut self, depth: Depth) -> Self {
        self.depth = depth;
        self.styles = self.truth.map(|style| at_depth(style, depth));
        self
    }
}

fn at_depth(mut style: Style, depth: Depth) -> Style {
    if depth == Depth::Indexed {
        let convert =
            |color: Color| Rgb::of(color).map_or(color, |rgb| Color::Indexed(rgb.indexed()));
        style.fg = style.fg.map(convert);
        style.bg = style.bg.map(convert);
    }
    style
}

#[cfg(test)]
mod tests;
