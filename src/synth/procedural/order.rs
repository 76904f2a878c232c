//! Orders: one edit of the catalogue with its place and parameters, and what is half of it or its opposite.
//!
//! An order is data. How it is drawn for a scene is [`catalogue`](super::catalogue)'s business, how it is carried out
//! [`perform`](super::perform)'s, how a person asks for it [`wording`](super::wording)'s.

use serde::Serialize;

use crate::synth::raster::color::Ink;

/// The kinds of edit; a kind's name is the `category` of its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The whole picture brighter or darker.
    Brightness,
    /// More or less contrast.
    Contrast,
    /// Stronger or weaker colors.
    Saturation,
    /// All hues turned.
    Hue,
    /// Warmer or cooler light.
    Temperature,
    /// Black and white.
    Greyscale,
    /// Out of focus.
    Blur,
    /// Sharper.
    Sharpen,
    /// Mirrored or upside down.
    Flip,
    /// Turned by an angle.
    Rotate,
    /// Zoomed into the middle.
    Crop,
    /// Subject or background in another color.
    Recolor,
    /// Subject or background brighter or darker.
    LocalBrightness,
    /// Subject or background out of focus.
    LocalBlur,
    /// Subject or background in big square pixels.
    Pixelate,
    /// The subject gone.
    Remove,
    /// The subject larger or smaller.
    Resize,
    /// The subject moved sideways.
    Move,
    /// The subject twice.
    Duplicate,
    /// Another background.
    Background,
    /// Another photo's subject added.
    Paste,
    /// A word written.
    Text,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 22] = [
        Self::Brightness,
        Self::Contrast,
        Self::Saturation,
        Self::Hue,
        Self::Temperature,
        Self::Greyscale,
        Self::Blur,
        Self::Sharpen,
        Self::Flip,
        Self::Rotate,
        Self::Crop,
        Self::Recolor,
        Self::LocalBrightness,
        Self::LocalBlur,
        Self::Pixelate,
        Self::Remove,
        Self::Resize,
        Self::Move,
        Self::Duplicate,
        Self::Background,
        Self::Paste,
        Self::Text,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Brightness => "brightness",
            Self::Contrast => "contrast",
            Self::Saturation => "saturation",
            Self::Hue => "hue",
            Self::Temperature => "temperature",
            Self::Greyscale => "greyscale",
            Self::Blur => "blur",
            Self::Sharpen => "sharpen",
            Self::Flip => "flip",
            Self::Rotate => "rotate",
            Self::Crop => "crop",
            Self::Recolor => "recolor",
            Self::LocalBrightness => "local-brightness",
            Self::LocalBlur => "local-blur",
            Self::Pixelate => "pixelate",
            Self::Remove => "remove",
            Self::Resize => "resize",
            Self::Move => "move",
            Self::Duplicate => "duplicate",
            Self::Background => "background",
            Self::Paste => "paste",
            Self::Text => "text",
        }
    }

    /// Kinds of one family could pass for each other, so none is the wrong operation for another.
    pub(crate) const fn family(self) -> Family {
        match self {
            Self::Brightness | Self::Contrast | Self::LocalBrightness => Family::Light,
            Self::Saturation | Self::Hue | Self::Temperature | Self::Greyscale | Self::Recolor => {
                Family::Color
            }
            Self::Blur | Self::Sharpen | Self::LocalBlur | Self::Pixelate => Family::Focus,
            Self::Flip | Self::Rotate | Self::Crop => Family::Frame,
            Self::Remove | Self::Resize | Self::Move | Self::Duplicate | Self::Paste => {
                Family::Things
            }
            Self::Background => Family::Background,
            Self::Text => Family::Text,
        }
    }

    /// Whether a subject mask must be there.
    pub(crate) const fn needs_subject(self) -> bool {
        matches!(
            self,
            Self::Recolor
                | Self::LocalBrightness
                | Self::LocalBlur
                | Self::Pixelate
                | Self::Remove
                | Self::Resize
                | Self::Move
                | Self::Duplicate
                | Self::Background
        )
    }

    /// Whether it leaves a part of the picture alone.
    pub(crate) const fn is_local(self) -> bool {
        self.needs_subject() || matches!(self, Self::Paste | Self::Text)
    }
}

/// What kinds of edit have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Light,
    Color,
    Focus,
    Frame,
    Things,
    Background,
    Text,
}

/// Where an order works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Place {
    /// Everywhere.
    All,
    /// On the subject.
    Subject,
    /// On everything but the subject.
    Background,
    /// On a region of the subject's shape beside it: only ever a mistake.
    Beside,
}

/// A color that people name.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "&'static str")]
pub(crate) struct Paint {
    pub(crate) name: &'static str,
    code: u32,
}

impl From<Paint> for &'static str {
    fn from(paint: Paint) -> Self {
        paint.name
    }
}

impl Paint {
    /// The colors in use; neighbours on the list are easy to tell apart.
    pub(crate) const ALL: [Self; 9] = [
        Self::new("red", 0xd0_2020),
        Self::new("blue", 0x20_50d0),
        Self::new("yellow", 0xf0_d020),
        Self::new("purple", 0x80_30b0),
        Self::new("green", 0x20_a040),
        Self::new("pink", 0xf0_70b0),
        Self::new("black", 0x18_1818),
        Self::new("orange", 0xf0_8018),
        Self::new("white", 0xf4_f4f4),
    ];

    const fn new(name: &'static str, code: u32) -> Self {
        Self { name, code }
    }

    pub(crate) fn ink(self) -> Ink {
        Ink::hex(self.code)
    }

    /// The color that is as far away as the list allows.
    pub(crate) fn other(self) -> Self {
        let own = self.ink().lab();
        let far = |paint: &Self| {
            let lab = paint.ink().lab();
            (lab.l - own.l).abs() + (lab.a - own.a).abs() + (lab.b - own.b).abs()
        };
        Self::ALL
            .into_iter()
            .max_by(|one, other| far(one).total_cmp(&far(other)))
            .unwrap_or(self)
    }
}

/// A corner or edge of the frame, as fractions of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(into = "&'static str")]
pub(crate) struct Spot {
    pub(crate) name: &'static str,
    pub(crate) x: f32,
    pub(crate) y: f32,
}

impl From<Spot> for &'static str {
    fn from(spot: Spot) -> Self {
        spot.name
    }
}

impl Spot {
    /// Where words are written; each spot's opposite is as far from the end of the list as it is from the start.
    pub(crate) const ALL: [Self; 6] = [
        Self::new("top left", 0.0, 0.0),
        Self::new("top", 0.5, 0.0),
        Self::new("top right", 1.0, 0.0),
        Self::new("bottom left", 0.0, 1.0),
        Self::new("bottom", 0.5, 1.0),
        Self::new("bottom right", 1.0, 1.0),
    ];

    const fn new(name: &'static str, x: f32, y: f32) -> Self {
        Self { name, x, y }
    }

    /// The spot across the frame.
    pub(crate) fn other(self) -> Self {
        let at = Self::ALL.iter().position(|s| *s == self).unwrap_or(0);
        Self::ALL[Self::ALL.len() - 1 - at]
    }
}

/// What is done, with its parameters. Lengths are fractions of the picture's longer side unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub(crate) enum Action {
    /// Brighter (positive) or darker, in powers of two of the gamma.
    Light { by: f32 },
    /// 1 keeps it.
    Contrast { factor: f32 },
    /// 1 keeps it, 0 is grey.
    Saturation { factor: f32 },
    /// Hues turned on the OKLab wheel.
    Hue { degrees: f32 },
    /// Warmer (positive) or cooler light, −1..=1.
    Warmth { by: f32 },
    /// Colors gone, 1 for all of them.
    Grey { amount: f32 },
    /// Gaussian, by its standard deviation.
    Blur { radius: f32 },
    /// Unsharp mask.
    Sharpen { amount: f32 },
    /// Left and right exchanged, or top and bottom.
    Mirror { upside_down: bool },
    /// Turned clockwise; 90, 180 and 270 keep every pixel, other angles fill the frame.
    Turn { degrees: f32 },
    /// The middle made to fill the frame; below 1, the picture made small in it.
    Zoom { factor: f32 },
    /// A color laid on, keeping the shading; `amount` 1 is all of it.
    Recolor { color: Paint, amount: f32 },
    /// Squares of this side.
    Pixelate { size: f32 },
    /// Gone, its surroundings closed over it.
    Remove,
    /// The subject larger or smaller about the middle of its lower edge.
    Scale { factor: f32 },
    /// The subject moved sideways, as a fraction of the width.
    Move { dx: f32 },
    /// The subject once more, so far to the side, as a fraction of the width.
    Duplicate { dx: f32 },
    /// A plain color in its place.
    Plain { color: Paint },
    /// A gradient from top to bottom in its place.
    Gradient { top: Paint, bottom: Paint },
    /// Another photo in its place.
    Photo { file: String },
    /// Another photo's subject at the lower edge, its middle at this fraction of the width.
    Paste { file: String, x: f32 },
    /// A word.
    Text {
        word: &'static str,
        at: Spot,
        color: Paint,
    },
}

/// One edit: what, where, and how strong it is within what the catalogue draws, 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Order {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    #[serde(flatten)]
    pub(crate) action: Action,
    pub(crate) strength: f32,
}

/// The share of an edit that a half-hearted editor carries out: a little less than half, so that it cannot pass for all of it.
const HALF: f32 = 0.4;

impl Order {
    fn with(&self, action: Action) -> Self {
        Self {
            action,
            ..self.clone()
        }
    }

    /// Less than half of it, where that is a matter of a parameter.
    pub(crate) fn halved(&self) -> Option<Self> {
        let factor = |f: f32| libm::powf(f, HALF);
        let action = match self.action {
            Action::Light { by } => Action::Light { by: by * HALF },
            Action::Contrast { factor: f } => Action::Contrast { factor: factor(f) },
            Action::Saturation { factor: f } => Action::Saturation { factor: factor(f) },
            Action::Hue { degrees } => Action::Hue {
                degrees: degrees * HALF,
            },
            Action::Warmth { by } => Action::Warmth { by: by * HALF },
            Action::Grey { amount } => Action::Grey {
                amount: amount * HALF,
            },
            Action::Blur { radius } => Action::Blur {
                radius: radius * HALF,
            },
            Action::Sharpen { amount } => Action::Sharpen {
                amount: amount * HALF,
            },
            // A right angle is really half of a half turn.
            Action::Turn { degrees } => Action::Turn {
                degrees: degrees * if degrees == 180.0 { 0.5 } else { HALF },
            },
            Action::Zoom { factor: f } => Action::Zoom { factor: factor(f) },
            Action::Recolor { color, amount } => Action::Recolor {
                color,
                amount: amount * HALF,
            },
            Action::Scale { factor: f } => Action::Scale { factor: factor(f) },
            Action::Move { dx } => Action::Move { dx: dx * HALF },
            _ => return None,
        };
        Some(self.with(action))
    }

    /// The same in the other direction, or with another color, word or photo (`files`, of which there may be none).
    pub(crate) fn opposite(&self, files: &[String]) -> Option<Self> {
        let another = |own: &str| files.iter().find(|file| *file != own).cloned();
        let action = match &self.action {
            Action::Light { by } => Action::Light { by: -by },
            Action::Contrast { factor } => Action::Contrast {
                factor: if *factor > 1.0 { 0.45 } else { 1.7 },
            },
            Action::Saturation { factor } => Action::Saturation {
                factor: if *factor > 1.0 { 0.3 } else { 2.2 },
            },
            Action::Grey { .. } => Action::Saturation { factor: 2.2 },
            Action::Warmth { by } => Action::Warmth { by: -by },
            Action::Blur { .. } => Action::Sharpen { amount: 2.5 },
            Action::Sharpen { .. } => Action::Blur { radius: 0.009 },
            Action::Mirror { upside_down } => Action::Mirror {
                upside_down: !upside_down,
            },
            Action::Turn { degrees } if *degrees != 180.0 => Action::Turn { degrees: -degrees },
            Action::Zoom { factor } => Action::Zoom {
                factor: 1.0 / factor,
            },
            Action::Recolor { color, amount } => Action::Recolor {
                color: color.other(),
                amount: *amount,
            },
            Action::Scale { factor } => Action::Scale {
                factor: 1.0 / factor,
            },
            Action::Move { dx } => Action::Move { dx: -dx },
            Action::Remove => Action::Scale { factor: 1.4 },
            Action::Plain { color } => Action::Plain {
                color: color.other(),
            },
            Action::Gradient { top, bottom } => Action::Gradient {
                top: bottom.other(),
                bottom: top.other(),
            },
            Action::Photo { file } => Action::Photo {
                file: another(file)?,
            },
            Action::Paste { file, x } => Action::Paste {
                file: another(file)?,
                x: *x,
            },
            Action::Text { word, at, color } => Action::Text {
                word: super::catalogue::other_word(word),
                at: *at,
                color: *color,
            },
            Action::Duplicate { .. } => Action::Remove,
            // "By 120 degrees" does not say in which direction.
            Action::Hue { .. } | Action::Pixelate { .. } | Action::Turn { .. } => return None,
        };
        Some(self.with(action))
    }

    /// The same in the wrong place, where there is one that a careless editor might take.
    pub(crate) fn misplaced(&self) -> Option<Self> {
        let place = match (self.place, &self.action) {
            (_, Action::Text { word, at, color }) => {
                return Some(self.with(Action::Text {
                    word,
                    at: at.other(),
                    color: *color,
                }));
            }
            (_, Action::Paste { file, x }) => {
                return Some(self.with(Action::Paste {
                    file: file.clone(),
                    x: 1.0 - x,
                }));
            }
            (Place::Subject, Action::Remove) => Place::Beside,
            (
                Place::Subject,
                Action::Scale { .. } | Action::Move { .. } | Action::Duplicate { .. },
            )
            | (Place::All | Place::Beside, _) => return None,
            (Place::Subject, _) => Place::Background,
            (Place::Background, _) => Place::Subject,
        };
        Some(Self {
            place,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opposite_of_a_color_is_far_from_it() {
        for paint in Paint::ALL {
            let (one, other) = (paint.ink().lab(), paint.other().ink().lab());
            let far = (one.l - other.l).abs() + (one.a - other.a).abs() + (one.b - other.b).abs();
            assert!(far > 0.35, "{} {} {far}", paint.name, paint.other().name);
        }
    }

    #[test]
    fn spots_across_the_frame_are_each_others() {
        for spot in Spot::ALL {
            let other = spot.other();
            assert_eq!((1.0 - spot.x, 1.0 - spot.y), (other.x, other.y));
        }
    }

    #[test]
    fn names_in_the_data_are_those_of_the_catalogue() {
        for kind in Kind::ALL {
            let written = serde_json::to_string(&kind).unwrap();
            assert_eq!(written, format!("\"{}\"", kind.name()));
        }
    }
}
