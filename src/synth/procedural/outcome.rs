//! Outcomes: how far an editor followed the order, what else it changed, what it did to the picture, and what a fair judge
//! would score that.
//!
//! # The rule of the ideal scores
//!
//! Instruction following (IF), on a scale from 1 to 4 with fractions, begins with the fidelity:
//!
//! | fidelity | IF |
//! |---|---|
//! | exact | 4.0 |
//! | partial: about half of the strength, or half of the region | 2.5 |
//! | wrong place: background for subject, a region beside it, the other side | 1.6 |
//! | wrong operation, opposite, nothing | 1.0 |
//!
//! If the editor also tinted or changed the rest, what lies above 1 shrinks by 40 %: an exact edit with a tinted background
//! scores 2.8. Artefacts do not touch IF.
//!
//! Visual quality (VQ) is 4.0 without an artefact, 2.9 with a mild one, 2.0 with a clear one, 1.1 with a severe one, of
//! whatever sort. A region changed by halves and a tinted rest look odd and cost 0.3 each, never below 1. How far the order was
//! followed does not touch VQ otherwise: a picture left as it was is a good picture.

use serde::Serialize;

/// How far the order was followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fidelity {
    /// As asked.
    Exact,
    /// Half of the strength or of the region.
    Partial,
    /// Another edit of the catalogue.
    WrongOperation,
    /// The right edit in the wrong place.
    WrongPlace,
    /// Brighter for darker, left for right, another color.
    Opposite,
    /// The source again.
    Nothing,
}

impl Fidelity {
    pub(super) const ALL: [Self; 6] = [
        Self::Exact,
        Self::Partial,
        Self::WrongOperation,
        Self::WrongPlace,
        Self::Opposite,
        Self::Nothing,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Partial => "partial",
            Self::WrongOperation => "wrong operation",
            Self::WrongPlace => "wrong place",
            Self::Opposite => "opposite",
            Self::Nothing => "nothing done",
        }
    }
}

/// What else was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Exclusivity {
    /// Nothing.
    Clean,
    /// What should have been left alone took on a color.
    Tinted,
    /// The whole picture was zoomed into off-centre, or its light changed.
    Shifted,
}

impl Exclusivity {
    pub(super) const ALL: [Self; 3] = [Self::Clean, Self::Tinted, Self::Shifted];
}

/// What is wrong with the picture as a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Artefact {
    /// Nothing.
    None,
    /// Hard JPEG compression.
    Compression,
    /// Grain.
    Noise,
    /// Square patches out of place, like a broken video.
    Blocks,
    /// Out of focus.
    Blur,
    /// A glowing rim around what was edited, or around every edge.
    Halo,
    /// Garish colors.
    OverSaturated,
    /// Burnt-out lights.
    OverBright,
}

impl Artefact {
    /// All but none.
    pub(super) const ALL: [Self; 7] = [
        Self::Compression,
        Self::Noise,
        Self::Blocks,
        Self::Blur,
        Self::Halo,
        Self::OverSaturated,
        Self::OverBright,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Compression => "compression",
            Self::Noise => "noise",
            Self::Blocks => "blocks",
            Self::Blur => "blur",
            Self::Halo => "halo",
            Self::OverSaturated => "over-saturated",
            Self::OverBright => "over-bright",
        }
    }
}

/// How bad an artefact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Grade {
    /// To be found when looked for.
    Mild,
    /// Seen at once.
    Clear,
    /// The picture is spoilt.
    Severe,
}

impl Grade {
    pub(super) const ALL: [Self; 3] = [Self::Mild, Self::Clear, Self::Severe];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mild => "mild",
            Self::Clear => "clear",
            Self::Severe => "severe",
        }
    }
}

/// What one candidate came out as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    pub(super) fidelity: Fidelity,
    pub(super) exclusivity: Exclusivity,
    pub(super) artefact: Artefact,
    /// Of the artefact; says nothing without one.
    pub(super) grade: Grade,
}

impl Outcome {
    /// What a fair judge would score: (instruction following, visual quality), by the rule above.
    pub(super) fn ideal(self, halved_region: bool) -> (f32, f32) {
        let followed = match self.fidelity {
            Fidelity::Exact => 4.0,
            Fidelity::Partial => 2.5,
            Fidelity::WrongPlace => 1.6,
            Fidelity::WrongOperation | Fidelity::Opposite | Fidelity::Nothing => 1.0,
        };
        let rest_too = self.exclusivity != Exclusivity::Clean;
        let following = if rest_too {
            1.0 + 0.6 * (followed - 1.0)
        } else {
            followed
        };
        let looks: f32 = match (self.artefact, self.grade) {
            (Artefact::None, _) => 4.0,
            (_, Grade::Mild) => 2.9,
            (_, Grade::Clear) => 2.0,
            (_, Grade::Severe) => 1.1,
        };
        let odd = [
            halved_region && self.fidelity == Fidelity::Partial,
            self.exclusivity == Exclusivity::Tinted,
        ];
        let cost = 0.3 * odd.iter().filter(|odd| **odd).count() as f32;
        (following, (looks - cost).max(1.0))
    }

    /// In words, for the data's `fault`.
    pub(super) fn in_words(self) -> String {
        let mut parts = Vec::new();
        if self.fidelity != Fidelity::Exact {
            parts.push(self.fidelity.name().to_owned());
        }
        match self.exclusivity {
            Exclusivity::Clean => {}
            Exclusivity::Tinted => parts.push("the rest tinted".to_owned()),
            Exclusivity::Shifted => parts.push("the whole picture changed too".to_owned()),
        }
        if self.artefact != Artefact::None {
            parts.push(format!("{} ({})", self.artefact.name(), self.grade.name()));
        }
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: Outcome = Outcome {
        fidelity: Fidelity::Exact,
        exclusivity: Exclusivity::Clean,
        artefact: Artefact::None,
        grade: Grade::Mild,
    };

    #[test]
    fn the_right_edit_scores_full_marks_and_each_axis_has_its_own_faults() {
        assert_eq!(RIGHT.ideal(false), (4.0, 4.0));
        let nothing = Outcome {
            fidelity: Fidelity::Nothing,
            ..RIGHT
        };
        assert_eq!(nothing.ideal(false), (1.0, 4.0));
        let spoilt = Outcome {
            artefact: Artefact::Blocks,
            grade: Grade::Severe,
            ..RIGHT
        };
        assert_eq!(spoilt.ideal(false), (4.0, 1.1));
    }

    #[test]
    fn every_outcome_stays_on_the_scale() {
        for fidelity in Fidelity::ALL {
            for exclusivity in Exclusivity::ALL {
                for artefact in Artefact::ALL {
                    for grade in Grade::ALL {
                        let outcome = Outcome {
                            fidelity,
                            exclusivity,
                            artefact,
                            grade,
                        };
                        let (following, looks) = outcome.ideal(true);
                        assert!((1.0..=4.0).contains(&following) && (1.0..=4.0).contains(&looks));
                        assert_ne!(outcome.in_words(), "none");
                    }
                }
            }
        }
        assert_eq!(RIGHT.in_words(), "none");
    }
}
