//! The catalogue: which edits a scene allows, and the parameters that chance gives them.
//!
//! Parameters are drawn so that the edit is plain to see in a thumbnail; whether it is in this very picture (a grey photo made
//! grey shows nothing) is checked once it is carried out, by [`seen`](super::perform::seen).

use rand::RngExt as _;

use super::order::{Action, Kind, Order, Paint, Place, Spot};
use super::scene::{Scene, Stock};
use crate::synth::raster::noise::Chance;

/// What is written into pictures.
const WORDS: [&str; 12] = [
    "HELLO", "SALE", "OPEN", "SUMMER", "LOVE", "WILD", "NEWS", "HOME", "PARTY", "DREAM", "MUSIC",
    "ENJOY",
];

/// A word that differs in length and letters.
pub(super) fn other_word(word: &str) -> &'static str {
    let at = WORDS.iter().position(|w| *w == word).unwrap_or(0);
    WORDS[(at + 5) % WORDS.len()]
}

/// How often a kind is drawn, relative to the others.
const fn weight(kind: Kind) -> u32 {
    match kind {
        Kind::Contrast | Kind::Sharpen | Kind::Hue => 3,
        Kind::Recolor | Kind::Background => 11,
        // Many scenes have no room for these.
        Kind::Remove | Kind::Resize | Kind::Move | Kind::Duplicate => 12,
        Kind::LocalBrightness | Kind::LocalBlur | Kind::Flip | Kind::Rotate => 5,
        _ => 4,
    }
}

/// The kinds that a scene allows.
pub(super) fn possible(scene: &Scene, stock: &Stock<'_>) -> Vec<Kind> {
    let pasted = stock
        .files
        .iter()
        .any(|file| *file != scene.file && stock.has_subject(file));
    Kind::ALL
        .into_iter()
        .filter(|kind| match kind {
            Kind::Paste => pasted,
            Kind::Remove | Kind::Move | Kind::Resize | Kind::Duplicate => {
                scene.subject.as_ref().is_some_and(|s| s.share < 0.42)
            }
            kind => scene.subject.is_some() || !kind.needs_subject(),
        })
        .collect()
}

/// One of the kinds, by weight.
pub(super) fn drawn_kind(kinds: &[Kind], chance: &mut Chance) -> Kind {
    let total: u32 = kinds.iter().map(|kind| weight(*kind)).sum();
    let mut at = chance.random_range(0..total.max(1));
    for kind in kinds {
        match at.checked_sub(weight(*kind)) {
            Some(rest) => at = rest,
            None => return *kind,
        }
    }
    Kind::Brightness
}

fn one_of<T: Copy>(all: &[T], chance: &mut Chance) -> T {
    all[chance.random_range(0..all.len())]
}

/// An order of this kind for the scene; `None` where the scene leaves no room for it.
pub(super) fn drawn(
    kind: Kind,
    scene: &Scene,
    stock: &Stock<'_>,
    chance: &mut Chance,
) -> Option<Order> {
    let strength: f32 = chance.random();
    let up: bool = chance.random();
    let (place, action) = if kind.is_local() {
        local(kind, (scene, stock), (strength, up), chance)?
    } else {
        (Place::All, global(kind, (strength, up), chance)?)
    };
    Some(Order {
        kind,
        place,
        action,
        strength,
    })
}

/// An edit of the whole picture, stronger or in the one direction or the other; `None` for a kind that is none.
fn global(kind: Kind, (strength, up): (f32, bool), chance: &mut Chance) -> Option<Action> {
    let way = |v: f32| if up { v } else { -v };
    Some(match kind {
        Kind::Brightness => Action::Light {
            by: way(0.8 + 0.5 * strength),
        },
        Kind::Contrast => Action::Contrast {
            factor: if up {
                1.6 + 0.6 * strength
            } else {
                0.5 - 0.2 * strength
            },
        },
        Kind::Saturation => Action::Saturation {
            factor: if up {
                2.0 + 0.8 * strength
            } else {
                0.4 - 0.25 * strength
            },
        },
        Kind::Hue => Action::Hue {
            degrees: 80.0 + 60.0 * strength,
        },
        Kind::Temperature => Action::Warmth {
            by: way(0.6 + 0.4 * strength),
        },
        Kind::Greyscale => Action::Grey { amount: 1.0 },
        Kind::Blur => Action::Blur {
            radius: 0.011 + 0.008 * strength,
        },
        Kind::Sharpen => Action::Sharpen {
            amount: 2.0 + 1.5 * strength,
        },
        Kind::Flip => Action::Mirror { upside_down: !up },
        Kind::Rotate => turned(strength, way, chance),
        Kind::Crop => Action::Zoom {
            factor: 1.5 + 0.7 * strength,
        },
        _ => return None,
    })
}

/// An edit of a part of the picture and where it works; `None` where there is no room for it, or for a kind that is none.
fn local(
    kind: Kind,
    (scene, stock): (&Scene, &Stock<'_>),
    (strength, up): (f32, bool),
    chance: &mut Chance,
) -> Option<(Place, Action)> {
    let somewhere = if up {
        Place::Subject
    } else {
        Place::Background
    };
    Some(match kind {
        Kind::Recolor => (
            if chance.random_range(0..10) < 7 {
                Place::Subject
            } else {
                Place::Background
            },
            Action::Recolor {
                color: one_of(&Paint::ALL, chance),
                amount: 1.0,
            },
        ),
        Kind::LocalBrightness => (
            somewhere,
            Action::Light {
                by: if chance.random() { 1.0 } else { -1.0 } * (0.9 + 0.5 * strength),
            },
        ),
        Kind::LocalBlur => (
            somewhere,
            Action::Blur {
                radius: 0.013 + 0.009 * strength,
            },
        ),
        Kind::Pixelate => (
            somewhere,
            Action::Pixelate {
                size: 0.035 + 0.025 * strength,
            },
        ),
        Kind::Remove => (Place::Subject, Action::Remove),
        Kind::Resize => (
            Place::Subject,
            Action::Scale {
                factor: if up {
                    1.45 + 0.3 * strength
                } else {
                    0.6 - 0.15 * strength
                },
            },
        ),
        Kind::Move => (Place::Subject, moved(scene, up)?),
        Kind::Duplicate => (Place::Subject, doubled(scene, up)?),
        Kind::Background => (Place::Background, behind(scene, stock, chance)),
        Kind::Paste => (Place::All, pasted(scene, stock, up, chance)?),
        Kind::Text => (
            Place::All,
            Action::Text {
                word: one_of(&WORDS, chance),
                at: one_of(&Spot::ALL, chance),
                color: one_of(&Paint::ALL, chance),
            },
        ),
        _ => return None,
    })
}

fn turned(strength: f32, way: impl Fn(f32) -> f32, chance: &mut Chance) -> Action {
    let degrees = match chance.random_range(0..5) {
        0 => 180.0,
        1 | 2 => way(90.0),
        _ => way(5.0 * (3.0 + 2.0 * strength).round()),
    };
    Action::Turn { degrees }
}

/// To the side with more room, or, with room on both, as chance has it.
fn moved(scene: &Scene, up: bool) -> Option<Action> {
    let extent = scene.subject.as_ref()?.extent;
    let (left, right) = (extent.left, 1.0 - extent.right);
    let wide = extent.right - extent.left;
    let right_it_is = if left.min(right) > 0.2 {
        up
    } else {
        right > left
    };
    // Up to a third of it may leave the frame.
    let room = left.max(right).max(0.2) + wide / 3.0;
    let dx = room.clamp(0.2, 0.38);
    (left.max(right) > 0.06).then_some(Action::Move {
        dx: if right_it_is { dx } else { -dx },
    })
}

/// Beside itself, where there is room for most of it.
fn doubled(scene: &Scene, up: bool) -> Option<Action> {
    let extent = scene.subject.as_ref()?.extent;
    let (left, right) = (extent.left, 1.0 - extent.right);
    let wide = extent.right - extent.left;
    let far = (wide * 0.9).max(0.22);
    let fits = |room: f32| room + 0.35 * wide >= far.min(0.9 * wide + 0.05);
    match (fits(left), fits(right)) {
        (true, true) => Some(if up { far } else { -far }),
        (true, false) => Some(-far),
        (false, true) => Some(far),
        (false, false) => None,
    }
    .map(|dx| Action::Duplicate { dx })
}

fn behind(scene: &Scene, stock: &Stock<'_>, chance: &mut Chance) -> Action {
    let others: Vec<&String> = stock.files.iter().filter(|f| **f != scene.file).collect();
    match chance.random_range(0..10) {
        0..4 => Action::Plain {
            color: one_of(&Paint::ALL, chance),
        },
        4..6 => {
            let top = one_of(&Paint::ALL, chance);
            let rest: Vec<Paint> = Paint::ALL.into_iter().filter(|p| *p != top).collect();
            Action::Gradient {
                top,
                bottom: one_of(&rest, chance),
            }
        }
        _ if others.is_empty() => Action::Plain {
            color: one_of(&Paint::ALL, chance),
        },
        _ => Action::Photo {
            file: one_of(&others, chance).clone(),
        },
    }
}

/// On the side where there is less of the subject.
fn pasted(scene: &Scene, stock: &Stock<'_>, up: bool, chance: &mut Chance) -> Option<Action> {
    let others: Vec<&String> = stock
        .files
        .iter()
        .filter(|file| **file != scene.file && stock.has_subject(file))
        // "Add a cat" to a picture of a cat could mean anything.
        .filter(|file| stock.subject_name(file) != scene.name)
        .collect();
    if others.is_empty() {
        return None;
    }
    let on_the_left = scene
        .subject
        .as_ref()
        .map_or(up, |s| s.extent.middle().0 > 0.5);
    Some(Action::Paste {
        file: one_of(&others, chance).clone(),
        x: if on_the_left { 0.22 } else { 0.78 },
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::raster::noise::chance;
    use super::*;

    #[test]
    fn every_kind_is_drawn_by_its_weight() {
        let mut stream = chance(1, "kinds");
        let mut drawn = std::collections::BTreeMap::new();
        for _ in 0..20_000 {
            *drawn
                .entry(drawn_kind(&Kind::ALL, &mut stream))
                .or_insert(0_u32) += 1;
        }
        assert_eq!(drawn.len(), Kind::ALL.len());
        assert!(drawn[&Kind::Recolor] > drawn[&Kind::Hue] * 2);
    }

    #[test]
    fn another_word_is_another_word() {
        for word in WORDS {
            assert_ne!(other_word(word), word);
        }
    }
}
