//! Faults: what a candidate got wrong on purpose, and what a fair judge would score it.
//!
//! A candidate has a deed (how far the instruction was followed) and a flaw (what is wrong with the picture as a picture);
//! instruction following hangs mostly on the first, visual quality mostly on the second, so the two axes come apart. How a
//! fault is put into a picture is [`spoil`](super::spoil)'s business.

use rand::RngExt as _;

use super::edits::Nature;
use super::raster::noise::Chance;

/// How far the instruction was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Deed {
    /// As asked.
    Exact,
    /// Less than half of the change.
    Faint,
    /// Only one side of what should have changed.
    Partial,
    /// Far more than asked.
    Overdone,
    /// Another edit altogether.
    WrongOperation,
    /// The source again.
    Nothing,
    /// As asked, and the rest of the picture changed too.
    RestToo,
    /// The right change to everything but the right place.
    WrongPlace,
}

/// What is wrong with the picture as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// Hard JPEG compression.
    Compression,
    /// Out of focus.
    Blur,
    /// Grainy.
    Noise,
    /// Enlarged from few pixels.
    LowResolution,
    /// Cropped off-centre and enlarged.
    Shift,
    /// A color over everything.
    Cast,
    /// Colors far too strong.
    Oversaturated,
}

impl Deed {
    /// Every fault of following, by the names that a recipe's `avoid` uses.
    pub(crate) const FAULTS: [(Self, &str); 7] = [
        (Self::Faint, "faint"),
        (Self::Partial, "partial"),
        (Self::Overdone, "overdone"),
        (Self::WrongOperation, "wrong-operation"),
        (Self::Nothing, "nothing"),
        (Self::RestToo, "rest-too"),
        (Self::WrongPlace, "wrong-place"),
    ];

    /// The names alone.
    pub(crate) const NAMES: [&str; 7] = {
        let mut names = [""; 7];
        let mut i = 0;
        while i < 7 {
            names[i] = Self::FAULTS[i].1;
            i += 1;
        }
        names
    };

    pub(crate) fn name(self) -> &'static str {
        Self::FAULTS
            .iter()
            .find(|(deed, _)| *deed == self)
            .map_or("exact", |(_, name)| name)
    }
}

impl Flaw {
    /// Every flaw with its name.
    pub(crate) const ALL: [(Self, &str); 7] = [
        (Self::Compression, "compressed"),
        (Self::Blur, "blurred"),
        (Self::Noise, "noisy"),
        (Self::LowResolution, "low-resolution"),
        (Self::Shift, "shifted"),
        (Self::Cast, "color-cast"),
        (Self::Oversaturated, "over-saturated"),
    ];

    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(flaw, _)| *flaw == self)
            .map_or("clean", |(_, name)| name)
    }
}

/// What one candidate will be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fault {
    pub(crate) deed: Deed,
    /// How bad the deed's fault is, 0..=1.
    pub(crate) deed_grade: f32,
    pub(crate) flaw: Flaw,
    /// How bad the flaw is, 0..=1.
    pub(crate) flaw_grade: f32,
}

impl Fault {
    /// The right edit, without a flaw.
    pub(crate) const NONE: Self = Self {
        deed: Deed::Exact,
        deed_grade: 0.0,
        flaw: Flaw::None,
        flaw_grade: 0.0,
    };

    /// The made-up editor that has this fault as its habit.
    pub(crate) fn editor(self) -> String {
        match (self.deed, self.flaw) {
            (deed, Flaw::None) => format!("synthetic/{}", deed.name()),
            (Deed::Exact, flaw) => format!("synthetic/{}", flaw.name()),
            (deed, flaw) => format!("synthetic/{}+{}", deed.name(), flaw.name()),
        }
    }

    /// What a fair judge would score, (instruction following, visual quality), each 1..=4 with fractions.
    ///
    /// Instruction following counts the asked change, its completeness, and that nothing else changes; visual quality counts
    /// artefacts, plausibility and looks. The edit's nature tells what a half-done one looks like: paler, a double exposure, or
    /// broken.
    pub(crate) fn ideal(self, nature: Nature) -> (f32, f32) {
        let bad = self.deed_grade;
        let (following, looks) = match (self.deed, nature) {
            (Deed::Exact, _) => (3.95, 3.9),
            (Deed::Faint, Nature::Shift | Nature::Filter) => (2.8 - 0.6 * bad, 3.75),
            (Deed::Faint, _) => (2.3 - 0.4 * bad, 2.4 - 0.3 * bad),
            (Deed::Partial, Nature::Shift | Nature::Filter) => (2.4, 2.8),
            (Deed::Partial, Nature::Content) => (2.3, 2.4),
            (Deed::Partial, Nature::Shape) => (1.9, 1.7),
            (Deed::Overdone, _) => (3.3 - 0.6 * bad, 2.8 - 0.6 * bad),
            (Deed::WrongOperation, _) => (1.1, 3.6),
            (Deed::Nothing, _) => (1.0, 3.9),
            (Deed::RestToo, _) => (2.9 - 0.6 * bad, 3.1 - 0.5 * bad),
            (Deed::WrongPlace, _) => (1.4, 2.5),
        };
        let bad = self.flaw_grade;
        let (loss, cap) = match self.flaw {
            Flaw::None => (0.0, 4.0),
            Flaw::Compression => (0.15, 2.1 - 1.0 * bad),
            Flaw::Blur => (0.2, 2.2 - 0.9 * bad),
            Flaw::Noise => (0.15, 2.3 - 0.9 * bad),
            Flaw::LowResolution => (0.25, 2.1 - 0.9 * bad),
            Flaw::Shift => (0.6, 3.2 - 0.4 * bad),
            Flaw::Cast => (0.5, 2.6 - 0.6 * bad),
            Flaw::Oversaturated => (0.4, 2.6 - 0.6 * bad),
        };
        let both = if looks < 3.2 && cap < 3.5 { 0.3 } else { 0.0 };
        (
            (following - loss).clamp(1.0, 4.0),
            (looks.min(cap) - both).clamp(1.0, 4.0),
        )
    }
}

/// Chooses a group's candidates: always the right edit, one that follows badly and one that looks bad; then others, now and
/// then with both faults; in random order, so that the first is not always right.
pub(crate) fn chosen(deeds: &[Deed], chance: &mut Chance) -> Vec<Fault> {
    let number = [4, 4, 4, 5, 5, 5, 5, 6, 6, 7][chance.random_range(0..10)];
    let draw = |follow: bool, look: bool, chance: &mut Chance| Fault {
        deed: if follow {
            deeds[chance.random_range(0..deeds.len())]
        } else {
            Deed::Exact
        },
        deed_grade: chance.random(),
        flaw: if look {
            Flaw::ALL[chance.random_range(0..Flaw::ALL.len())].0
        } else {
            Flaw::None
        },
        flaw_grade: chance.random(),
    };
    let mut faults = vec![
        Fault::NONE,
        draw(true, false, chance),
        draw(false, true, chance),
    ];
    for _ in 0..200 {
        if faults.len() >= number {
            break;
        }
        let (follow, look) = match chance.random_range(0..100) {
            0..55 => (true, false),
            55..82 => (false, true),
            _ => (true, true),
        };
        let next = draw(follow, look, chance);
        // No two candidates of the same kind, and no flaw twice.
        let known = faults.iter().any(|f| {
            (f.deed == next.deed
                && (f.flaw == Flaw::None) == (next.flaw == Flaw::None)
                && next.flaw == Flaw::None)
                || (next.flaw != Flaw::None && f.flaw == next.flaw)
        });
        if !known {
            faults.push(next);
        }
    }
    for i in (1..faults.len()).rev() {
        faults.swap(i, chance.random_range(0..=i));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::super::raster::noise::chance;
    use super::*;

    #[test]
    fn every_choice_has_the_right_edit_one_bad_follower_and_one_bad_look() {
        let deeds = Deed::FAULTS.map(|(deed, _)| deed);
        let mut first_is_right = 0;
        for seed in 0..200 {
            let faults = chosen(&deeds, &mut chance(seed, "choice"));
            assert!((4..=7).contains(&faults.len()));
            assert_eq!(faults.iter().filter(|f| **f == Fault::NONE).count(), 1);
            assert!(
                faults
                    .iter()
                    .any(|f| f.deed != Deed::Exact && f.flaw == Flaw::None)
            );
            assert!(faults.iter().any(|f| f.flaw != Flaw::None));
            first_is_right += usize::from(faults[0] == Fault::NONE);
        }
        assert!((15..80).contains(&first_is_right), "{first_is_right}");
    }

    #[test]
    fn ideal_scores_stay_on_the_scale_and_know_the_axes_apart() {
        for (deed, _) in Deed::FAULTS {
            for (flaw, _) in Flaw::ALL {
                for (grade, nature) in [(0.0, Nature::Shift), (1.0, Nature::Shape)] {
                    let fault = Fault {
                        deed,
                        deed_grade: grade,
                        flaw,
                        flaw_grade: grade,
                    };
                    let (following, looks) = fault.ideal(nature);
                    assert!((1.0..=4.0).contains(&following) && (1.0..=4.0).contains(&looks));
                }
            }
        }
        let nothing = Fault {
            deed: Deed::Nothing,
            ..Fault::NONE
        }
        .ideal(Nature::Shift);
        let noisy = Fault {
            flaw: Flaw::Noise,
            flaw_grade: 0.5,
            ..Fault::NONE
        }
        .ideal(Nature::Shift);
        assert!(nothing.0 < 1.5 && nothing.1 > 3.5 && noisy.0 > 3.5 && noisy.1 < 2.5);
    }
}
