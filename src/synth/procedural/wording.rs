//! How people ask: several wordings of each kind of edit, in the imperative, with the subject's name and the parameters.
//!
//! `{s}` is the subject ("the cat"), `{b}` the background, `{p}` whichever of them the edit works on, `{c}`, `{d}` colors,
//! `{n}` a number of degrees, `{w}` a word to write, `{at}` where, `{side}` left or right, `{a}` another photo's subject with
//! its article, `{v}` the surroundings of another photo.

use rand::RngExt as _;

use super::order::{Action, Kind, Order, Place};
use super::scene::{Scene, Stock};
use crate::synth::raster::noise::Chance;

const BRIGHTER: &[&str] = &[
    "Make the image brighter.",
    "Brighten the photo.",
    "Increase the brightness of the picture.",
    "The photo is too dark, lighten it up.",
    "Turn up the exposure of this image.",
];
const DARKER: &[&str] = &[
    "Make the image darker.",
    "Darken the photo.",
    "Decrease the brightness of the picture.",
    "The photo is too bright, tone it down.",
    "Lower the exposure of this image.",
];
const MORE_CONTRAST: &[&str] = &[
    "Increase the contrast.",
    "Give the photo more contrast.",
    "Make the darks darker and the lights lighter.",
    "The picture looks flat, boost its contrast.",
];
const LESS_CONTRAST: &[&str] = &[
    "Reduce the contrast.",
    "Give the photo less contrast.",
    "Make the image look flat and faded, with low contrast.",
    "Lower the contrast of the picture.",
];
const MORE_COLOR: &[&str] = &[
    "Increase the saturation.",
    "Make the colors more vivid.",
    "Boost the colors of the photo.",
    "Make the picture more colorful.",
];
const LESS_COLOR: &[&str] = &[
    "Reduce the saturation.",
    "Make the colors more muted.",
    "Tone the colors of the photo down.",
    "Make the picture less colorful, almost grey.",
];
const HUE: &[&str] = &[
    "Shift the hue by {n} degrees.",
    "Rotate all colors by {n} degrees on the color wheel.",
    "Change the hue of the whole image by {n} degrees.",
    "Apply a hue shift of {n} degrees to the photo.",
];
const WARMER: &[&str] = &[
    "Make the photo warmer.",
    "Give the image a warm, golden tone.",
    "Use a warmer color temperature.",
    "Warm up the colors of the picture.",
];
const COOLER: &[&str] = &[
    "Make the photo cooler.",
    "Give the image a cold, bluish tone.",
    "Use a cooler color temperature.",
    "Cool down the colors of the picture.",
];
const GREY: &[&str] = &[
    "Make the photo black and white.",
    "Convert the image to greyscale.",
    "Remove all color from the picture.",
    "Turn this into a black-and-white photograph.",
];
const BLUR: &[&str] = &[
    "Blur the whole image.",
    "Make the photo blurry.",
    "Apply a soft blur to the entire picture.",
    "Put the whole photo out of focus.",
];
const SHARPEN: &[&str] = &[
    "Sharpen the image.",
    "Make the details crisper.",
    "Apply strong sharpening to the photo.",
    "Bring out the fine details of the picture.",
];
const MIRROR: &[&str] = &[
    "Flip the image horizontally.",
    "Mirror the photo left to right.",
    "Make a mirror image of the picture.",
    "Swap the left and right sides of the photo.",
];
const UPSIDE_DOWN: &[&str] = &[
    "Flip the image vertically.",
    "Mirror the photo top to bottom.",
    "Swap the top and the bottom of the photo.",
    "Flip the picture along its horizontal axis, as if reflected in water.",
];
const HALF_TURN: &[&str] = &[
    "Rotate the image by 180 degrees.",
    "Turn the photo by 180 degrees.",
    "Rotate the picture half a turn.",
    "Turn the whole image around by a half turn.",
];
const TURN_RIGHT: &[&str] = &[
    "Rotate the image {n} degrees clockwise.",
    "Turn the photo {n} degrees to the right.",
    "Rotate the picture clockwise by {n} degrees.",
    "Tilt the whole image {n} degrees to the right.",
];
const TURN_LEFT: &[&str] = &[
    "Rotate the image {n} degrees counterclockwise.",
    "Turn the photo {n} degrees to the left.",
    "Rotate the picture counterclockwise by {n} degrees.",
    "Tilt the whole image {n} degrees to the left.",
];
const CROP: &[&str] = &[
    "Zoom into the center of the image.",
    "Crop the photo to its middle.",
    "Crop tightly around the center of the picture.",
    "Zoom in.",
];
const RECOLOR: &[&str] = &[
    "Make {p} {c}.",
    "Change the color of {p} to {c}.",
    "Turn {p} {c}.",
    "Recolor {p} in {c}.",
    "Paint {p} {c}.",
];
const PART_BRIGHTER: &[&str] = &[
    "Make only {p} brighter.",
    "Brighten {p} and leave the rest alone.",
    "Lighten {p}.",
    "Increase the brightness of {p} only.",
];
const PART_DARKER: &[&str] = &[
    "Make only {p} darker.",
    "Darken {p} and leave the rest alone.",
    "Dim {p}.",
    "Decrease the brightness of {p} only.",
];
const PART_BLUR: &[&str] = &[
    "Blur {p}.",
    "Blur only {p}, keep the rest sharp.",
    "Put {p} out of focus.",
    "Make {p} blurry.",
];
const PIXELATE: &[&str] = &[
    "Pixelate {p}.",
    "Turn {p} into big pixels.",
    "Apply a mosaic effect to {p} only.",
    "Censor {p} with large square pixels.",
];
const REMOVE: &[&str] = &[
    "Remove {s}.",
    "Erase {s} from the photo.",
    "Delete {s} and fill in what is behind.",
    "Take {s} out of the picture.",
    "Get rid of {s}.",
];
const LARGER: &[&str] = &[
    "Make {s} larger.",
    "Enlarge {s}.",
    "Scale {s} up.",
    "Make {s} appear bigger in the picture.",
];
const SMALLER: &[&str] = &[
    "Make {s} smaller.",
    "Shrink {s}.",
    "Scale {s} down.",
    "Make {s} appear smaller in the picture.",
];
const MOVE: &[&str] = &[
    "Move {s} to the {side}.",
    "Shift {s} towards the {side}.",
    "Put {s} further to the {side}.",
    "Place {s} more to the {side} of the frame.",
];
const DUPLICATE: &[&str] = &[
    "Duplicate {s}, with the copy on the {side}.",
    "Add a second copy of {s} to the {side}.",
    "Copy {s} and put the copy on the {side}.",
    "Show {s} twice, the twin on the {side}.",
];
const PLAIN: &[&str] = &[
    "Replace the background with plain {c}.",
    "Put {s} in front of a {c} wall.",
    "Change the background to solid {c}.",
    "Cut out {s} and place the cutout on a {c} background.",
];
const GRADIENT: &[&str] = &[
    "Replace the background with a gradient from {c} to {d}.",
    "Put {s} in front of a gradient, {c} at the top and {d} at the bottom.",
    "Change the background to a color gradient from {c} down to {d}.",
    "Use a {c} to {d} gradient as the background.",
];
const OTHER_SCENE: &[&str] = &[
    "Replace the background with {v}.",
    "Put {s} in front of {v}.",
    "Change the background of {s} to {v}.",
    "Swap the background for {v}.",
];
const PASTE: &[&str] = &[
    "Add {a} on the {side}.",
    "Put {a} on the {side} side of the picture.",
    "Insert {a} at the {side}.",
    "Place {a} in the {side} half of the image.",
];
const TEXT: &[&str] = &[
    "Write \"{w}\" in {c} at the {at}.",
    "Add the text \"{w}\" in {c} letters at the {at}.",
    "Put the word \"{w}\" at the {at} in {c}.",
    "Add a {c} caption \"{w}\" at the {at}.",
];

/// All wordings of an order.
fn wordings(order: &Order) -> &'static [&'static str] {
    match &order.action {
        Action::Light { by } => match (order.kind, *by > 0.0) {
            (Kind::LocalBrightness, true) => PART_BRIGHTER,
            (Kind::LocalBrightness, false) => PART_DARKER,
            (_, true) => BRIGHTER,
            (_, false) => DARKER,
        },
        Action::Contrast { factor } if *factor > 1.0 => MORE_CONTRAST,
        Action::Contrast { .. } => LESS_CONTRAST,
        Action::Saturation { factor } if *factor > 1.0 => MORE_COLOR,
        Action::Saturation { .. } => LESS_COLOR,
        Action::Hue { .. } => HUE,
        Action::Warmth { by } if *by > 0.0 => WARMER,
        Action::Warmth { .. } => COOLER,
        Action::Grey { .. } => GREY,
        Action::Blur { .. } if order.place == Place::All => BLUR,
        Action::Blur { .. } => PART_BLUR,
        Action::Sharpen { .. } => SHARPEN,
        Action::Mirror { upside_down: false } => MIRROR,
        Action::Mirror { upside_down: true } => UPSIDE_DOWN,
        Action::Turn { degrees } if *degrees == 180.0 => HALF_TURN,
        Action::Turn { degrees } if *degrees > 0.0 => TURN_RIGHT,
        Action::Turn { .. } => TURN_LEFT,
        Action::Zoom { .. } => CROP,
        Action::Recolor { .. } => RECOLOR,
        Action::Pixelate { .. } => PIXELATE,
        Action::Remove => REMOVE,
        Action::Scale { factor } if *factor > 1.0 => LARGER,
        Action::Scale { .. } => SMALLER,
        Action::Move { .. } => MOVE,
        Action::Duplicate { .. } => DUPLICATE,
        Action::Plain { .. } => PLAIN,
        Action::Gradient { .. } => GRADIENT,
        Action::Photo { .. } => OTHER_SCENE,
        Action::Paste { .. } => PASTE,
        Action::Text { .. } => TEXT,
    }
}

/// The order as a person might type it; one in eight leaves out the capital letter and the full stop.
pub(super) fn worded(
    order: &Order,
    scene: &Scene,
    stock: &Stock<'_>,
    chance: &mut Chance,
) -> String {
    let all = wordings(order);
    let template = all[chance.random_range(0..all.len())];
    let part = match order.place {
        Place::Background => &scene.background,
        _ => &scene.name,
    };
    let mut text = template
        .replace("{p}", part)
        .replace("{s}", &scene.name)
        .replace("{b}", &scene.background);
    let side = |right: bool| if right { "right" } else { "left" };
    match &order.action {
        Action::Hue { degrees } | Action::Turn { degrees } => {
            text = text.replace("{n}", &format!("{:.0}", degrees.abs()));
        }
        Action::Move { dx } | Action::Duplicate { dx } => {
            text = text.replace("{side}", side(*dx > 0.0));
        }
        Action::Recolor { color, .. } | Action::Plain { color } => {
            text = text.replace("{c}", color.name);
        }
        Action::Gradient { top, bottom } => {
            text = text.replace("{c}", top.name).replace("{d}", bottom.name);
        }
        Action::Photo { file } => text = text.replace("{v}", &surroundings(file, stock)),
        Action::Paste { file, x } => {
            let thing = with_article(&stock.subject_name(file));
            text = text
                .replace("{a}", &thing)
                .replace("{side}", side(*x > 0.5));
        }
        Action::Text { word, at, color } => {
            text = text
                .replace("{w}", word)
                .replace("{at}", at.name)
                .replace("{c}", color.name);
        }
        _ => {}
    }
    let text = text.replace("a orange", "an orange");
    if chance.random_range(0..8) == 0 {
        casual(&text)
    } else {
        text
    }
}

fn casual(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

/// What another photo shows, as a place to stand in front of.
fn surroundings(file: &str, stock: &Stock<'_>) -> String {
    match stock.view(file) {
        Some(view) => view,
        None => "another photo".to_owned(),
    }
}

/// "the cat" → "a cat", "the dogs" → "dogs", "the main subject" → "the main subject of another photo".
fn with_article(name: &str) -> String {
    let Some(bare) = name.strip_prefix("the ") else {
        return name.to_owned();
    };
    if bare == "main subject" {
        return "the main subject of another photo".to_owned();
    }
    let many = bare.ends_with('s') && !bare.ends_with("ss");
    if many {
        bare.to_owned()
    } else if bare.starts_with(['a', 'e', 'i', 'o', 'u']) {
        format!("an {bare}")
    } else {
        format!("a {bare}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&[&str]; 33] = [
        BRIGHTER,
        DARKER,
        MORE_CONTRAST,
        LESS_CONTRAST,
        MORE_COLOR,
        LESS_COLOR,
        HUE,
        WARMER,
        COOLER,
        GREY,
        BLUR,
        SHARPEN,
        MIRROR,
        UPSIDE_DOWN,
        HALF_TURN,
        TURN_RIGHT,
        TURN_LEFT,
        CROP,
        RECOLOR,
        PART_BRIGHTER,
        PART_DARKER,
        PART_BLUR,
        PIXELATE,
        REMOVE,
        LARGER,
        SMALLER,
        MOVE,
        DUPLICATE,
        PLAIN,
        GRADIENT,
        OTHER_SCENE,
        PASTE,
        TEXT,
    ];

    #[test]
    fn every_kind_has_four_wordings_and_no_two_kinds_share_one() {
        let mut seen = std::collections::BTreeSet::new();
        for wordings in ALL {
            assert!(wordings.len() >= 4, "{wordings:?}");
            for wording in wordings {
                assert!(seen.insert(wording), "{wording}");
            }
        }
    }

    #[test]
    fn articles_follow_the_name() {
        assert_eq!(with_article("the cat"), "a cat");
        assert_eq!(with_article("the arch"), "an arch");
        assert_eq!(with_article("the dogs"), "dogs");
        assert_eq!(
            with_article("the main subject"),
            "the main subject of another photo"
        );
    }

    #[test]
    fn casual_writing_has_no_capital_and_no_stop() {
        assert_eq!(casual("Make it red."), "make it red");
    }
}
