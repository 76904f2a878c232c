//! What is measured on a source and an edit of it: how much changed and where, how vivid the edit is, how clean. The numbers
//! come from `failures`; their names, units and ranges are here, because the store keeps them, filters name them and reports
//! explain them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One number about a source and an edit of it. Differences are edit - source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How far pixels are apart on average.
    Change,
    /// The share of the frame in edited regions.
    EditShare,
    /// How many edited regions there are.
    EditRegions,
    /// The share of an even grid's cells that the edited regions touch.
    EditSpread,
    /// How far pixels inside the edited regions are apart on average.
    EditStrength,
    /// How far pixels outside the edited regions are apart on average.
    BackgroundChange,
    /// Structural similarity inside the edited regions.
    SsimInside,
    /// Structural similarity outside the edited regions.
    SsimOutside,
    /// Mean saturation.
    SatDelta,
    /// 95th percentile of saturation.
    SatP95Delta,
    /// Mean luminance.
    LumDelta,
    /// Contrast.
    ContrastDelta,
    /// Colourfulness.
    ColorfulnessDelta,
    /// The share of pixels at an end of the scale.
    ClippedDelta,
    /// Sharpness.
    SharpnessDelta,
    /// Noise.
    NoiseDelta,
    /// Edges on the grid of 8 × 8 blocks.
    BlockinessDelta,
    /// Whether the edit is the source again.
    NoOp,
    /// How many times the source's pixels the edit has.
    SizeRatio,
    /// How many times as wide for its height the edit is.
    AspectRatio,
}

/// What is to be known of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AboutMeasure {
    /// In tables and filters.
    pub name: &'static str,
    /// In sentences and on axes.
    pub words: &'static str,
    /// "" for none.
    pub unit: &'static str,
    /// The least and the most it can be, in words.
    pub range: &'static str,
    /// Whose definition it is.
    pub source: &'static str,
}

impl Measure {
    /// Counts up when a measure comes, goes, or is computed otherwise: what was stored under another is measured again.
    pub const VERSION: i64 = 1;

    /// All, in the order in which they are stored.
    pub const ALL: [Self; 20] = [
        Self::Change,
        Self::EditShare,
        Self::EditRegions,
        Self::EditSpread,
        Self::EditStrength,
        Self::BackgroundChange,
        Self::SsimInside,
        Self::SsimOutside,
        Self::SatDelta,
        Self::SatP95Delta,
        Self::LumDelta,
        Self::ContrastDelta,
        Self::ColorfulnessDelta,
        Self::ClippedDelta,
        Self::SharpnessDelta,
        Self::NoiseDelta,
        Self::BlockinessDelta,
        Self::NoOp,
        Self::SizeRatio,
        Self::AspectRatio,
    ];

    /// The measure of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.about().name == name)
    }

    /// Its name in tables and filters.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// What it is.
    #[rustfmt::skip]
    pub const fn about(self) -> AboutMeasure {
        const CIE: &str = "CIEDE2000 (Sharma, Wu, Dalal 2005)";
        const SSIM: &str = "SSIM (Wang et al. 2004), on luma";
        let (name, words, unit, range, source) = match self {
            Self::Change => ("change", "change of the frame", "ΔE2000", "0 to 100", CIE),
            Self::EditShare => ("edit_share", "share edited", "", "0 to 1", "edit map"),
            Self::EditRegions => ("edit_regions", "edited regions", "", "0 and more", "edit map"),
            Self::EditSpread => ("edit_spread", "spread of the edit", "", "0 to 1", "edit map, cells of a 4 × 4 grid"),
            Self::EditStrength => ("edit_strength", "change inside the edit", "ΔE2000", "0 to 100", CIE),
            Self::BackgroundChange => ("background_change", "change of the background", "ΔE2000", "0 to 100", CIE),
            Self::SsimInside => ("ssim_inside", "similarity inside the edit", "", "-1 to 1", SSIM),
            Self::SsimOutside => ("ssim_outside", "similarity outside the edit", "", "-1 to 1", SSIM),
            Self::SatDelta => ("sat_delta", "more saturation", "", "-1 to 1", "HSV (Smith 1978), mean"),
            Self::SatP95Delta => ("sat_p95_delta", "more saturation at the top", "", "-1 to 1", "HSV (Smith 1978), 95th percentile"),
            Self::LumDelta => ("lum_delta", "more lightness", "L*", "-100 to 100", "CIELAB (CIE 15:2004), mean"),
            Self::ContrastDelta => ("contrast_delta", "more contrast", "L*", "-50 to 50", "CIELAB (CIE 15:2004), standard deviation"),
            Self::ColorfulnessDelta => ("colorfulness_delta", "more colorfulness", "", "about -150 to 150", "Hasler and Süsstrunk 2003, M3"),
            Self::ClippedDelta => ("clipped_delta", "more clipped pixels", "", "-1 to 1", "share of pixels with a component at 0 or 255"),
            Self::SharpnessDelta => ("sharpness_delta", "more sharpness", "ln", "unbounded", "log variance of the Laplacian (Pech-Pacheco et al. 2000)"),
            Self::NoiseDelta => ("noise_delta", "more noise", "8-bit steps", "-255 to 255", "Immerkær 1996"),
            Self::BlockinessDelta => ("blockiness_delta", "more blocks", "8-bit steps", "-255 to 255", "steps across 8 × 8 blocks over steps within (after Wang, Sheikh, Bovik 2002)"),
            Self::NoOp => ("no_op", "source returned", "", "0 or 1", "equal up to encoding"),
            Self::SizeRatio => ("size_ratio", "pixels of the edit over the source's", "×", "above 0", "headers"),
            Self::AspectRatio => ("aspect_ratio", "aspect of the edit over the source's", "×", "above 0", "headers"),
        };
        AboutMeasure { name, words, unit, range, source }
    }
}

/// What was measured on one source and one edit: a number each, or why there is none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Measures {
    values: BTreeMap<Measure, f64>,
    /// Why measures are missing, in words.
    undefined: BTreeMap<Measure, String>,
}

impl Measures {
    /// The number, where it is defined.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        self.values.get(&measure).copied()
    }

    /// Sets a number; one that is not finite is not defined.
    pub fn set(&mut self, measure: Measure, value: f64) {
        if value.is_finite() {
            self.undefined.remove(&measure);
            self.values.insert(measure, value);
        } else {
            self.forgo(measure, "the formula has no value here");
        }
    }

    /// Says why there is no number.
    pub fn forgo(&mut self, measure: Measure, why: impl Into<String>) {
        self.values.remove(&measure);
        self.undefined.insert(measure, why.into());
    }

    /// Why there is no number; `None` where there is one, or where nothing is known.
    pub fn why_not(&self, measure: Measure) -> Option<&str> {
        self.undefined.get(&measure).map(String::as_str)
    }

    /// All reasons.
    pub fn undefined(&self) -> &BTreeMap<Measure, String> {
        &self.undefined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_measure_has_a_name_of_its_own_and_is_found_by_it() {
        for measure in Measure::ALL {
            assert_eq!(Measure::of_name(measure.name()), Some(measure));
            let written = serde_json::to_string(&measure).unwrap();
            assert_eq!(written, format!("\"{}\"", measure.name()));
        }
        assert_eq!(Measure::of_name("beauty"), None);
    }

    #[test]
    fn a_number_that_is_none_is_undefined_with_a_reason() {
        let mut measures = Measures::default();
        measures.set(Measure::SatDelta, 0.25);
        measures.set(Measure::NoiseDelta, f64::NAN);
        measures.forgo(Measure::SsimInside, "nothing was edited");
        assert_eq!(measures.get(Measure::SatDelta), Some(0.25));
        assert_eq!(measures.get(Measure::NoiseDelta), None);
        assert!(measures.why_not(Measure::NoiseDelta).is_some());
        assert_eq!(
            measures.why_not(Measure::SsimInside),
            Some("nothing was edited")
        );
        assert_eq!(measures.why_not(Measure::SatDelta), None);
    }
}
