//! How images are looked at, on every screen that shows a group: through which lens, how near, and which part. One sight for all of
//! a group's pictures, so that the same part of each shows in the same way.

use std::sync::Arc;

use crate::domain::{GroupId, ImageRef};
use crate::failures::overlay::{Heat, Lens};

use super::msg::Action;
use super::widgets::image::{Seen, Shown, Zoom};

/// A lens as a key names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Glass {
    /// Edited regions.
    Edits,
    /// Heat of change.
    Change,
    /// The background alone.
    Background,
    /// Saturation.
    Saturation,
    /// The source left of a line.
    Wipe,
    /// What the score hangs on, if that was found out.
    Occlusion,
}

/// What the score of an image hangs on, as far as it was found out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// The image.
    pub(crate) image: ImageRef,
    /// The heat: IF, VQ and both, where the model has them.
    pub(crate) heats: [Option<Arc<Heat>>; 3],
    /// How many parts of it were looked at.
    pub(crate) patches: usize,
    /// Whether that is all.
    pub(crate) whole: bool,
}

/// What heat is of, in the order of [`Found::heats`].
const HEATS: [&str; 3] = ["IF", "VQ", "the score"];

/// How images are looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sight {
    glass: Option<Glass>,
    /// Where a wipe's line is, in percent of the width.
    line: u8,
    zoom: Zoom,
    /// The source in every candidate's place.
    blink: bool,
    /// Which of the heats shows.
    heat: usize,
    /// What scores hang on.
    pub(crate) found: Option<Found>,
    /// What is being found out.
    pub(crate) hanging: Hanging,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            glass: None,
            line: 50,
            zoom: Zoom::default(),
            blink: false,
            heat: 0,
            found: None,
            hanging: Hanging::default(),
        }
    }
}

/// Percent that a wipe's line moves by.
const STEP: u8 = 5;

impl Sight {
    /// What to show of a candidate's image.
    pub(crate) fn of(&self, image: &ImageRef, source: &ImageRef) -> Shown {
        if self.blink {
            return self.of_source(source);
        }
        let lens = self.glass.and_then(|glass| {
            Some(match glass {
                Glass::Edits => Lens::Edits,
                Glass::Change => Lens::Change,
                Glass::Background => Lens::Background,
                Glass::Saturation => Lens::Saturation,
                Glass::Wipe => Lens::Wipe(self.line),
                Glass::Occlusion => {
                    let found = self.found.as_ref().filter(|found| found.image == *image)?;
                    Lens::Occlusion(Arc::clone(found.heats[self.heat].as_ref()?))
                }
            })
        });
        Shown {
            image: image.clone(),
            seen: lens.map(|lens| Seen {
                lens,
                source: source.clone(),
            }),
            zoom: self.zoom,
        }
    }

    /// What to show of the source: there is no change to see in it, only its saturation.
    pub(crate) fn of_source(&self, source: &ImageRef) -> Shown {
        let saturation = self.glass == Some(Glass::Saturation);
        Shown {
            image: source.clone(),
            seen: saturation.then(|| Seen {
                lens: Lens::Saturation,
                source: source.clone(),
            }),
            zoom: self.zoom,
        }
    }

    /// Does what concerns only how one looks; false if the action is none of it.
    pub(crate) fn act(&mut self, action: Action) -> bool {
        match action {
            // Each press the next score's.
            Action::Look(Glass::Occlusion)
                if self.glass == Some(Glass::Occlusion) && self.heat + 1 < HEATS.len() =>
            {
                self.heat += 1;
            }
            Action::Look(glass) => {
                self.heat = 0;
                self.glass = (self.glass != Some(glass)).then_some(glass);
                self.blink = false;
            }
            Action::BlinkAll => self.blink = !self.blink,
            Action::WipeLeft => self.move_line(self.line.saturating_sub(STEP)),
            Action::WipeRight => self.move_line((self.line + STEP).min(100)),
            Action::Nearer => self.zoom = self.zoom.by(true),
            Action::Farther => self.zoom = self.zoom.by(false),
            Action::WholeImage => self.zoom = Zoom::default(),
            Action::PanImage(x, y) => {
                self.zoom = self.zoom.moved((f64::from(x) / 4.0, f64::from(y) / 4.0));
            }
            _ => return false,
        }
        true
    }

    fn move_line(&mut self, to: u8) {
        self.line = to;
        self.glass = Some(Glass::Wipe);
    }

    /// Takes the lens away, then the zoom; false if all is as it is.
    pub(crate) fn back(&mut self) -> bool {
        let plain = self.glass.is_none() && !self.blink;
        if plain && self.zoom.is_whole() {
            return false;
        }
        if plain {
            self.zoom = Zoom::default();
        }
        self.glass = None;
        self.blink = false;
        true
    }

    /// The lens.
    pub(crate) const fn glass(&self) -> Option<Glass> {
        self.glass
    }

    /// What the score hangs on, as far as it was looked at.
    fn hangs(&self) -> String {
        let of = HEATS[self.heat];
        match &self.found {
            Some(found) if found.heats[self.heat].is_none() => {
                format!("the model has no {of} of its own")
            }
            Some(found) if found.whole => {
                format!("what {of} hangs on ({} parts looked at)", found.patches)
            }
            Some(found) => format!("what {of} hangs on ({} parts so far…)", found.patches),
            None => format!("what {of} hangs on: looking…"),
        }
    }

    /// What is to be said of it, if anything: "heat of change · 2×".
    pub(crate) fn words(&self) -> Option<String> {
        let mut words = Vec::new();
        if self.blink {
            words.push("the source in every place".to_owned());
        } else if let Some(glass) = self.glass {
            words.push(match glass {
                Glass::Edits => Lens::Edits.words().to_owned(),
                Glass::Change => Lens::Change.words().to_owned(),
                Glass::Background => Lens::Background.words().to_owned(),
                Glass::Saturation => Lens::Saturation.words().to_owned(),
                Glass::Wipe => format!("the source left of the line ({}%)", self.line),
                Glass::Occlusion => self.hangs(),
            });
        }
        if !self.zoom.is_whole() {
            words.push(format!("{:.1}×", self.zoom.times()));
        }
        (!words.is_empty()).then(|| words.join(" · "))
    }
}

/// What is being found out of what a score hangs on, or of a factor: the newest job, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hanging {
    /// The newest job.
    pub(crate) job: u64,
    /// The candidate whose score's reasons are looked for, as group and place in it.
    pub(crate) target: Option<(GroupId, usize)>,
    /// Whether the model's thread may be at work for it.
    pub(crate) busy: bool,
}

impl Hanging {
    /// A job of its own.
    pub(crate) const fn next(&mut self) -> u64 {
        self.job += 1;
        self.busy = true;
        self.job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refs() -> (ImageRef, ImageRef) {
        (ImageRef("edit.png".into()), ImageRef("source.png".into()))
    }

    #[test]
    fn a_lens_is_held_before_edits_and_taken_away_by_the_same_key() {
        let (edit, source) = refs();
        let mut sight = Sight::default();
        assert_eq!(sight.of(&edit, &source), Shown::plain(edit.clone()));
        assert!(sight.act(Action::Look(Glass::Change)));
        let seen = sight.of(&edit, &source).seen.unwrap();
        assert_eq!((seen.lens, seen.source), (Lens::Change, source.clone()));
        assert_eq!(sight.of_source(&source).seen, None);
        sight.act(Action::Look(Glass::Change));
        assert_eq!(sight.of(&edit, &source).seen, None);
    }

    #[test]
    fn moving_the_line_of_a_wipe_holds_the_wipe_before_the_edits() {
        let (edit, source) = refs();
        let mut sight = Sight::default();
        sight.act(Action::WipeRight);
        let lens = sight.of(&edit, &source).seen.unwrap().lens;
        assert_eq!(lens, Lens::Wipe(55));
        for _ in 0..40 {
            sight.act(Action::WipeLeft);
        }
        assert_eq!(sight.of(&edit, &source).seen.unwrap().lens, Lens::Wipe(0));
    }

    #[test]
    fn all_pictures_of_a_group_show_the_same_part() {
        let (edit, source) = refs();
        let mut sight = Sight::default();
        sight.act(Action::Nearer);
        sight.act(Action::PanImage(1, 0));
        assert_eq!(sight.of(&edit, &source).zoom, sight.of_source(&source).zoom);
        assert!(!sight.of(&edit, &source).zoom.is_whole());
        assert!(sight.words().unwrap().contains('×'));
        assert!(sight.back() && !sight.back());
        assert_eq!(sight.words(), None);
    }

    #[test]
    fn blinking_puts_the_source_in_the_place_of_every_edit() {
        let (edit, source) = refs();
        let mut sight = Sight::default();
        sight.act(Action::BlinkAll);
        assert_eq!(sight.of(&edit, &source).image, source);
        sight.act(Action::BlinkAll);
        assert_eq!(sight.of(&edit, &source).image, edit);
    }

    #[test]
    fn what_the_score_hangs_on_shows_only_on_the_image_it_was_found_out_for() {
        let (edit, source) = refs();
        let mut sight = Sight::default();
        sight.act(Action::Look(Glass::Occlusion));
        assert_eq!(sight.of(&edit, &source).seen, None);
        let heat = Some(Arc::new(Heat::of(1, &[0.5]).unwrap()));
        sight.found = Some(Found {
            image: edit.clone(),
            heats: [heat, None, None],
            patches: 3,
            whole: true,
        });
        assert!(sight.of(&edit, &source).seen.is_some());
        assert!(sight.words().unwrap().contains("3 parts"));
        assert_eq!(sight.of(&ImageRef("other.png".into()), &source).seen, None);
    }

    #[test]
    fn each_press_shows_the_next_scores_heat_and_the_last_takes_it_away() {
        let mut sight = Sight::default();
        let press = |sight: &mut Sight| {
            sight.act(Action::Look(Glass::Occlusion));
            sight.words()
        };
        let words: Vec<_> = (0..4).map(|_| press(&mut sight)).collect();
        assert!(words[0].as_ref().unwrap().contains("IF"));
        assert!(words[1].as_ref().unwrap().contains("VQ"));
        assert!(words[2].as_ref().unwrap().contains("the score"));
        assert_eq!(words[3], None);
    }
}
