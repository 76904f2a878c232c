//! What a probe can turn: one table of factors, with what their steps mean and what a faithful judge would do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ProbeError;
use crate::domain::Axis;

/// One thing that is changed of a candidate, or of what was asked for, while all else stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// How saturated the edit is.
    Saturation,
    /// How bright it is.
    Brightness,
    /// How much its light and dark differ.
    Contrast,
    /// All of its hues turned by one angle.
    Hue,
    /// Edges made steeper.
    Sharpening,
    /// Edges made softer.
    Blur,
    /// Compressed as a JPEG file.
    Jpeg,
    /// Grain.
    Noise,
    /// What lies outside the edited regions made the source's again.
    BackgroundRestored,
    /// What lies outside the edited regions tinted.
    BackgroundTinted,
    /// What lies outside the edited regions blurred.
    BackgroundBlurred,
    /// What lies outside the edited regions replaced by another group's source.
    BackgroundReplaced,
    /// How far the edit goes from the source, and beyond itself.
    Strength,
    /// The source handed in as its own edit.
    NoOp,
    /// Another group's edit handed in.
    OtherEdit,
    /// Another group's instruction.
    InstructionReplaced,
    /// The instruction's opposite.
    InstructionNegated,
    /// No instruction.
    InstructionEmptied,
}

/// How a score should go, the further a factor is turned away from where it leaves all as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// It should not move.
    Flat,
    /// Down.
    Falling,
    /// Up.
    Rising,
    /// Not up: what is changed is no merit, and may be a fault.
    NotRising,
    /// Not down: what is changed is no fault, and may mend one.
    NotFalling,
    /// It depends on the image.
    Open,
}

impl Expectation {
    /// In a sentence after "should".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Flat => "be flat",
            Self::Falling => "fall",
            Self::Rising => "rise",
            Self::NotRising => "be flat or fall",
            Self::NotFalling => "be flat or rise",
            Self::Open => "do as the image has it",
        }
    }
}

/// On which side of the step that leaves all as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Lower steps.
    Below,
    /// Higher steps.
    Above,
}

impl Arm {
    /// Both, the lower first.
    pub const ALL: [Self; 2] = [Self::Below, Self::Above];
}

/// What is to be known of a factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AboutFactor {
    /// On command lines and in files.
    pub name: &'static str,
    /// In sentences and on axes.
    pub words: &'static str,
    /// What a step is.
    pub step: &'static str,
    /// What follows the number of a step ("°"), or precedes it where it is "×".
    pub unit: &'static str,
    /// The steps that a probe has when none are named, ascending, with the neutral one.
    pub steps: &'static [f64],
    /// The step that leaves all as it is.
    pub neutral: f64,
    /// The least and the greatest step there can be.
    pub range: [f64; 2],
    /// Whether steps are numbers of things, and not amounts.
    pub counted: bool,
    /// What a faithful judge would do, in words.
    pub faithful: &'static str,
    /// The same on instruction following: below the neutral step, above it.
    pub if_should: [Expectation; 2],
    /// On visual quality.
    pub vq_should: [Expectation; 2],
}

impl Factor {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 18] = [
        Self::Saturation,
        Self::Brightness,
        Self::Contrast,
        Self::Hue,
        Self::Sharpening,
        Self::Blur,
        Self::Jpeg,
        Self::Noise,
        Self::BackgroundRestored,
        Self::BackgroundTinted,
        Self::BackgroundBlurred,
        Self::BackgroundReplaced,
        Self::Strength,
        Self::NoOp,
        Self::OtherEdit,
        Self::InstructionReplaced,
        Self::InstructionNegated,
        Self::InstructionEmptied,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Whether it makes an image look livelier when it is turned up: what preferences flip by is counted for these.
    pub const fn is_vividness(self) -> bool {
        matches!(self, Self::Saturation | Self::Brightness | Self::Contrast)
    }

    /// Whether it works outside the edited regions, so that these must be known.
    pub const fn needs_map(self) -> bool {
        matches!(
            self,
            Self::BackgroundRestored
                | Self::BackgroundTinted
                | Self::BackgroundBlurred
                | Self::BackgroundReplaced
        )
    }

    /// Whether it takes something of other groups.
    pub const fn needs_donors(self) -> bool {
        matches!(
            self,
            Self::BackgroundReplaced | Self::OtherEdit | Self::InstructionReplaced
        )
    }

    /// Whether its steps differ in the instruction, and not in the image.
    pub const fn is_of_instruction(self) -> bool {
        matches!(
            self,
            Self::InstructionReplaced | Self::InstructionNegated | Self::InstructionEmptied
        )
    }

    /// What a faithful judge would do on an axis, away from the neutral step.
    pub const fn should(self, axis: Axis, arm: Arm) -> Expectation {
        let about = self.about();
        let both = match axis {
            Axis::InstructionFollowing => about.if_should,
            Axis::VisualQuality => about.vq_should,
        };
        both[arm as usize]
    }

    /// A step in words: "× 1.5", "30 °", "number 2".
    pub fn step_in_words(self, step: f64) -> String {
        let about = self.about();
        if step == about.neutral {
            return "as it is".into();
        }
        match about.unit {
            "×" => format!("× {step}"),
            "" if about.counted && about.range[1] > 1.0 => format!("number {step}"),
            "" if about.counted => about.words.into(),
            unit => format!("{step} {unit}").trim_end().to_owned(),
        }
    }

    /// The steps of a probe: those named (or the factor's own), ascending, each once, with the neutral one among them. An error
    /// names the step that cannot be.
    pub fn steps(self, named: &[f64]) -> Result<Vec<f64>, ProbeError> {
        let about = self.about();
        let [low, high] = about.range;
        let mut steps = if named.is_empty() {
            about.steps.to_vec()
        } else {
            named.to_vec()
        };
        let bad = |step: &&f64| {
            !step.is_finite()
                || **step < low
                || **step > high
                || (about.counted && step.fract() != 0.0)
        };
        if let Some(&step) = steps.iter().find(bad) {
            return Err(ProbeError::Step {
                factor: about.name,
                step,
                wanted: format!(
                    "{}, {} from {low} to {high}",
                    about.step,
                    if about.counted {
                        "a whole number"
                    } else {
                        "a number"
                    }
                ),
            });
        }
        steps.push(about.neutral);
        // -0 and 0 are one step, and it is written as 0.
        for step in &mut steps {
            *step += 0.0;
        }
        steps.sort_by(f64::total_cmp);
        steps.dedup();
        Ok(steps)
    }

    /// What it is.
    #[rustfmt::skip]
    pub const fn about(self) -> AboutFactor {
        use Expectation::{Falling, Flat, NotFalling, NotRising, Open};
        const TIMES: [f64; 2] = [0.0, 4.0];
        const SHARE: [f64; 2] = [0.0, 1.0];
        const ONCE: &[f64] = &[0.0, 1.0];
        const OTHERS: &[f64] = &[0.0, 1.0, 2.0, 3.0];
        const NUMBERS: [f64; 2] = [0.0, 32.0];
        const AS_A_WHOLE: &str = "an amount of vividness is no merit: flat near the neutral step, falling where it looks wrong";
        let (name, words, step, unit, steps, neutral, range, counted): (_, _, _, _, &[f64], _, _, _) = match self {
            Self::Saturation => ("saturation", "saturation", "how many times as saturated (HSV, lightness of the brightest component kept)", "×",
                &[0.5, 0.625, 0.75, 0.875, 1.0, 1.25, 1.5, 1.75, 2.0], 1.0, TIMES, false),
            Self::Brightness => ("brightness", "brightness", "how many times as bright (8-bit values)", "×",
                &[0.5, 0.7, 0.85, 0.95, 1.0, 1.05, 1.15, 1.3, 1.5], 1.0, TIMES, false),
            Self::Contrast => ("contrast", "contrast", "how many times as far from the mean grey", "×",
                &[0.5, 0.7, 0.85, 0.95, 1.0, 1.1, 1.25, 1.5, 2.0], 1.0, TIMES, false),
            Self::Hue => ("hue", "hue", "by how many degrees all hues turn", "°",
                &[-90.0, -45.0, -20.0, -10.0, 0.0, 10.0, 20.0, 45.0, 90.0], 0.0, [-180.0, 180.0], false),
            Self::Sharpening => ("sharpening", "sharpening", "the amount of an unsharp mask", "",
                &[0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0], 0.0, [0.0, 10.0], false),
            Self::Blur => ("blur", "blur", "σ of a Gaussian, in pixels of an image 512 wide or high", "px",
                &[0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0], 0.0, [0.0, 64.0], false),
            Self::Jpeg => ("jpeg", "JPEG compression", "the quality of the JPEG file, from 1; 100 is not compressed at all", "",
                &[10.0, 20.0, 30.0, 45.0, 60.0, 75.0, 90.0, 95.0, 100.0], 100.0, [1.0, 100.0], true),
            Self::Noise => ("noise", "noise", "σ of Gaussian grain, in 8-bit steps", "",
                &[0.0, 2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0], 0.0, [0.0, 128.0], false),
            Self::BackgroundRestored => ("background_restored", "background restored", "how much of the background is the source's again", "",
                &[0.0, 0.25, 0.5, 0.75, 1.0], 0.0, SHARE, false),
            Self::BackgroundTinted => ("background_tinted", "background tinted", "how much of the background's color is orange", "",
                &[0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5], 0.0, SHARE, false),
            Self::BackgroundBlurred => ("background_blurred", "background blurred", "σ of a Gaussian, in pixels of an image 512 wide or high", "px",
                &[0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0], 0.0, [0.0, 64.0], false),
            Self::BackgroundReplaced => ("background_replaced", "background replaced", "the number of the other source", "",
                OTHERS, 0.0, NUMBERS, true),
            Self::Strength => ("strength", "edit strength", "how far from the source (0) to the edit (1), and beyond", "",
                &[0.0, 0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5], 1.0, [0.0, 2.0], false),
            Self::NoOp => ("no_op", "source as its own edit", "1 for the source", "", ONCE, 0.0, SHARE, true),
            Self::OtherEdit => ("other_edit", "another group's edit", "the number of the other edit", "", OTHERS, 0.0, NUMBERS, true),
            Self::InstructionReplaced => ("instruction_replaced", "another instruction", "the number of the other instruction", "",
                OTHERS, 0.0, NUMBERS, true),
            Self::InstructionNegated => ("instruction_negated", "instruction negated", "1 for the opposite", "", ONCE, 0.0, SHARE, true),
            Self::InstructionEmptied => ("instruction_emptied", "instruction emptied", "1 for none", "", ONCE, 0.0, SHARE, true),
        };
        let (if_should, vq_should, faithful) = match self {
            Self::Saturation | Self::Brightness | Self::Contrast => ([NotRising; 2], [NotRising; 2], AS_A_WHOLE),
            Self::Hue => ([NotRising; 2], [NotRising; 2], "turned hues are a change that nobody asked for: flat or falling both ways"),
            Self::Sharpening => ([Flat; 2], [NotRising; 2], "what was asked for is there as before; halos are a fault"),
            Self::Blur => ([NotRising; 2], [Falling; 2], "what was asked for is there as before, until it is not seen; blur is a fault"),
            Self::Jpeg => ([Flat; 2], [Falling; 2], "what was asked for is there as before; blocks are a fault"),
            Self::Noise => ([Flat; 2], [Falling; 2], "what was asked for is there as before; grain is a fault"),
            Self::BackgroundRestored => ([NotFalling; 2], [NotFalling; 2], "flat where the edit left the background alone, rising where it did not"),
            Self::BackgroundTinted | Self::BackgroundBlurred => ([Falling; 2], [NotRising; 2], "nobody asked for another background: instruction following falls"),
            Self::BackgroundReplaced => ([Falling; 2], [NotRising; 2], "another place altogether: instruction following falls"),
            Self::Strength => ([Falling, Open], [Open, NotRising], "half an edit follows the instruction less; an exaggerated one looks no better"),
            Self::NoOp => ([Falling; 2], [NotFalling; 2], "nothing was done: instruction following falls, and a photo is without faults"),
            Self::OtherEdit => ([Falling; 2], [Open; 2], "another picture: instruction following falls"),
            Self::InstructionReplaced => ([Falling; 2], [Flat; 2], "what was done is not what was asked for; it looks as before"),
            Self::InstructionNegated => ([Falling; 2], [Flat; 2], "what was done is what was not to be done; it looks as before"),
            Self::InstructionEmptied => ([NotRising; 2], [Flat; 2], "nothing was asked for; it looks as before"),
        };
        AboutFactor { name, words, step, unit, steps, neutral, range, counted, faithful, if_should, vq_should }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Factor {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let wanted = name.replace('-', "_").to_lowercase();
        Self::ALL
            .into_iter()
            .find(|factor| factor.name() == wanted)
            .ok_or_else(|| {
                let all: Vec<&str> = Self::ALL.iter().map(|factor| factor.name()).collect();
                format!("there is no factor '{name}'; there are {}", all.join(", "))
            })
    }
}

/// The order in which steps (ascending) are tried, by their places: the neutral one, against which all others are seen; the ends;
/// then always the one that is farthest from those tried, so that a curve has its shape after a few points.
pub fn order(steps: &[f64], neutral: f64) -> Vec<usize> {
    let first = steps.iter().position(|step| *step == neutral);
    let mut tried: Vec<usize> = first.into_iter().collect();
    for end in [steps.len().checked_sub(1), (!steps.is_empty()).then_some(0)] {
        tried.extend(end.filter(|end| !tried.contains(end)));
    }
    while tried.len() < steps.len() {
        let distance = |i: usize| tried.iter().map(|t| t.abs_diff(i)).min().unwrap_or(0);
        // Of equals the highest: more is asked about more often than less.
        let Some(next) = (0..steps.len()).max_by_key(|&i| distance(i)) else {
            break;
        };
        tried.push(next);
    }
    tried
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_factor_has_a_name_of_its_own_and_sound_steps() {
        for factor in Factor::ALL {
            let about = factor.about();
            assert_eq!(about.name.parse(), Ok(factor));
            assert_eq!(about.name.replace('_', "-").parse(), Ok(factor));
            let written = serde_json::to_string(&factor).unwrap();
            assert_eq!(written, format!("\"{}\"", about.name));
            assert_eq!(factor.steps(&[]).unwrap(), about.steps, "{factor}");
            assert!(about.steps.contains(&about.neutral));
        }
        let unknown = "glamour".parse::<Factor>().unwrap_err();
        assert!(unknown.contains("'glamour'") && unknown.contains("saturation"));
    }

    #[test]
    fn named_steps_are_sorted_and_get_the_neutral_one() {
        let steps = Factor::Saturation.steps(&[2.0, 0.5, 2.0]).unwrap();
        assert_eq!(steps, [0.5, 1.0, 2.0]);
        assert_eq!(Factor::Hue.steps(&[-0.0]).unwrap(), [0.0]);
        for (factor, step) in [
            (Factor::Saturation, -1.0),
            (Factor::Saturation, f64::NAN),
            (Factor::Strength, 3.0),
            (Factor::OtherEdit, 1.5),
            (Factor::Jpeg, 0.0),
        ] {
            let error = factor.steps(&[step]).unwrap_err().to_string();
            assert!(error.contains(factor.name()), "{error}");
        }
    }

    #[test]
    fn a_curve_is_tried_from_the_neutral_step_to_the_ends_to_the_gaps() {
        let steps = Factor::Saturation.about().steps;
        assert_eq!(order(steps, 1.0), [4, 8, 0, 6, 2, 7, 5, 3, 1]);
        assert_eq!(order(&[0.0, 1.0], 0.0), [0, 1]);
        assert_eq!(order(&[5.0], 5.0), [0]);
        assert_eq!(order(&[], 0.0), [0_usize; 0]);
        let mut all = order(Factor::Jpeg.about().steps, 100.0);
        assert_eq!(all[..2], [8, 0]);
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn steps_are_said_in_words() {
        assert_eq!(Factor::Saturation.step_in_words(1.5), "× 1.5");
        assert_eq!(Factor::Saturation.step_in_words(1.0), "as it is");
        assert_eq!(Factor::Hue.step_in_words(-20.0), "-20 °");
        assert_eq!(Factor::OtherEdit.step_in_words(2.0), "number 2");
        assert_eq!(Factor::NoOp.step_in_words(1.0), "source as its own edit");
        assert_eq!(Factor::Noise.step_in_words(8.0), "8");
    }
}
