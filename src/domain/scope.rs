//! Whether an edit is one of the whole picture or of a part of it: what the instruction asks for, and what was measured.

use serde::{Deserialize, Serialize};

use super::{Measure, Measures};

/// From so much of the frame on a change that touches everything is taken for one of the whole picture.
const MOST: f64 = 0.6;

/// Whether an edit is one of the whole picture, and why it is taken for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Of the whole picture, and not of a part.
    pub global: bool,
    /// The reason, a sentence without a full stop.
    pub why: String,
}

/// What the words of an instruction ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wording {
    /// The whole picture, by these words.
    Whole(String),
    /// A part of it, by these words.
    Part(String),
    /// The words leave it open.
    Open,
}

/// Words that leave no doubt.
const ALL_OF_IT: &[&str] = &[
    "whole image",
    "whole picture",
    "whole photo",
    "whole scene",
    "whole frame",
    "entire image",
    "entire picture",
    "entire photo",
    "entire scene",
    "entire frame",
    "everything",
];

/// Words of what only a whole picture has, unless a part is spoken of.
const WHOLE: &[&str] = &[
    "overall",
    "black and white",
    "black-and-white",
    "grayscale",
    "greyscale",
    "grey scale",
    "monochrome",
    "sepia",
    "vintage",
    "sketch",
    "watercolor",
    "watercolour",
    "oil painting",
    "cartoon",
    "anime",
    "pop art",
    "pixel art",
    "style of",
    "in the style",
    "-style",
    "impressionist",
    "cinematic",
    "film look",
    "hdr",
    "at night",
    "into night",
    "nighttime",
    "night time",
    "daytime",
    "sunset",
    "sunrise",
    "golden hour",
    "winter",
    "autumn",
    "snowy",
    "snowing",
    "snowfall",
    "rainy",
    "raining",
    "foggy",
    "misty",
    "stormy",
    "upside down",
    "mirror",
    "flip",
    "rotate",
    "crop",
    "zoom",
    "tilt",
    "warmer",
    "cooler",
    "color temperature",
    "colour temperature",
    "white balance",
    "invert the colors",
    "invert the colours",
    "contrast",
    "saturation",
    "saturated",
    "vivid",
    "sharper",
    "sharpen",
    "exposure",
    "denoise",
];

/// The same, where nothing but the picture is spoken of.
const PICTURE: &[&str] = &[
    "the image",
    "the picture",
    "the photo",
    "this image",
    "this picture",
    "this photo",
    "the scene",
    "the colors",
    "the colours",
    "the photograph",
];

/// Words that ask for a part.
const PART: &[&str] = &[
    "background",
    "foreground",
    "add ",
    "insert ",
    "put ",
    "place ",
    "remove ",
    "delete ",
    "erase ",
    "take away ",
    "get rid of ",
    "replace ",
    "swap ",
    "recolor ",
    "recolour ",
    "paste ",
    "duplicate ",
    "write ",
    "only ",
    "move ",
];

impl Wording {
    /// What an instruction asks for. English words are looked for; other languages leave it open.
    pub fn of(instruction: &str) -> Self {
        let text = format!(" {} ", instruction.to_lowercase());
        let said = |words: &&&str| {
            let begins = |at: usize| !text[..at].ends_with(char::is_alphanumeric);
            text.match_indices(**words)
                .any(|(at, _)| words.starts_with('-') || begins(at))
        };
        let find = |list: &'static [&'static str]| {
            list.iter().find(said).map(|words| words.trim().to_owned())
        };
        if let Some(all) = find(ALL_OF_IT) {
            return Self::Whole(all);
        }
        let picture = find(PICTURE);
        // "Add a sunset", "make the background warmer", "remove the mirror".
        if let Some(part) = find(PART) {
            return match find(WHOLE) {
                Some(whole) if picture.is_some() && part != "background" && part != "only" => {
                    Self::Whole(whole)
                }
                _ => Self::Part(part),
            };
        }
        if let Some(whole) = find(WHOLE) {
            // "Make the car more saturated" is of the car.
            let thing = thing(&text).filter(|_| picture.is_none() && tone(&whole));
            return thing.map_or(Self::Whole(whole), Self::Part);
        }
        if let Some(picture) = picture {
            return Self::Whole(picture);
        }
        thing(&text).map_or(Self::Open, Self::Part)
    }
}

/// Whether words are of tone, which a part can have too.
fn tone(words: &str) -> bool {
    [
        "contrast", "saturat", "vivid", "warm", "cool", "sharp", "exposure",
    ]
    .iter()
    .any(|tone| words.starts_with(tone))
}

/// The thing that an instruction begins by speaking of: "the car" of " make the car blue ", "the sky" of " decrease the brightness
/// of the sky ".
fn thing(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let noun = |at: usize| {
        let (article, noun) = (*words.get(at)?, *words.get(at + 1)?);
        let noun = noun.trim_matches(|c: char| !c.is_alphanumeric());
        let known = ["the", "a", "an", "his", "her", "its", "their"].contains(&article);
        (known && !noun.is_empty()).then_some((article, noun))
    };
    let (mut article, mut what) = noun(1)?;
    if tone(what) {
        let of = words.iter().position(|word| *word == "of")?;
        (article, what) = noun(of + 1)?;
    }
    (!tone(what)).then(|| format!("{article} {what}"))
}

/// How far an edit reaches, as measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// The share of the frame in edited regions, 0 to 1.
    pub share: f64,
    /// The share of a grid's cells that the edit touches, 0 to 1.
    pub spread: f64,
    /// How many regions there are.
    pub regions: usize,
    /// Whether no background is left.
    pub whole: bool,
    /// By what ΔE2000 the tone of the frame changed, where that is known.
    pub tint: Option<f64>,
}

impl Extent {
    /// From what was measured of an edit; `None` where nothing was.
    pub fn of(measures: &Measures) -> Option<Self> {
        let share = measures.get(Measure::EditShare)?;
        Some(Self {
            share,
            spread: measures.get(Measure::EditSpread)?,
            regions: measures.get(Measure::EditRegions)? as usize,
            whole: share >= 1.0,
            tint: None,
        })
    }
}

impl Scope {
    /// Judges by the instruction's wording, and where that leaves it open by what was measured. `None` where neither says anything.
    pub fn judge(extent: Option<&Extent>, instruction: &str) -> Option<Self> {
        let measured = extent.map(Self::measured);
        let (global, asks) = match Wording::of(instruction) {
            Wording::Open => return measured,
            Wording::Whole(words) => (true, format!("all of it (\"{words}\")")),
            Wording::Part(words) => (false, format!("a part (\"{words}\")")),
        };
        let mut why = format!("words ask for {asks}");
        if let Some(measured) = measured {
            let but = if global == measured.global {
                "and"
            } else {
                "although"
            };
            why = format!("{why}, {but} {}", measured.why);
        }
        Some(Self { global, why })
    }

    /// "global" or "local".
    pub const fn name(&self) -> &'static str {
        if self.global { "global" } else { "local" }
    }

    /// Judges by what was measured alone.
    pub fn measured(extent: &Extent) -> Self {
        let Extent { share, regions, .. } = *extent;
        let percent = (100.0 * share).round();
        if extent.whole {
            let why = match extent.tint.filter(|tint| *tint > 0.0) {
                Some(tint) if share < MOST => {
                    format!("the tone of the whole frame changed, by ΔE {tint:.1}")
                }
                Some(tint) => format!("the whole frame changed, its tone by ΔE {tint:.1}"),
                None => "the whole frame changed".to_owned(),
            };
            return Self { global: true, why };
        }
        let cells = (16.0 * extent.spread).round();
        if share >= MOST && cells >= 15.0 {
            return Self {
                global: true,
                why: format!("{percent} % of the frame changed, all over it"),
            };
        }
        let why = match regions {
            0 => "nothing stands out in the frame".to_owned(),
            n => format!(
                "{percent} % of the frame changed, in {n} region{}",
                if n == 1 { "" } else { "s" }
            ),
        };
        Self { global: false, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wording_tells_the_whole_from_a_part() {
        for whole in [
            "Make the photo black and white",
            "Turn this into a watercolor painting",
            "make it look like winter",
            "Increase the contrast",
            "Rotate the picture by 90 degrees",
            "Make the image brighter",
            "Make the colors more vivid",
            "Turn the scene into night",
            "Put the whole photo out of focus.",
        ] {
            assert!(
                matches!(Wording::of(whole), Wording::Whole(_)),
                "{whole}: {:?}",
                Wording::of(whole)
            );
        }
        for part in [
            "Make the cat's eyes blue",
            "Remove the small cow on the left",
            "Add a rainbow above the castle",
            "Replace the background with a beach",
            "Blur the background",
            "Make the car more saturated",
            "Change the cup to green",
            "Write SALE on the wall",
            "Decrease the brightness of the sky only.",
            "Dim the instruments.",
        ] {
            assert!(
                matches!(Wording::of(part), Wording::Part(_)),
                "{part}: {:?}",
                Wording::of(part)
            );
        }
        for open in ["", "surprise me", "把背景换成海滩"] {
            assert_eq!(Wording::of(open), Wording::Open, "{open}");
        }
    }

    #[test]
    fn what_was_measured_decides_where_the_words_do_not() {
        let local = Extent {
            share: 0.2,
            spread: 0.3,
            regions: 1,
            whole: false,
            tint: None,
        };
        let whole = Extent {
            share: 1.0,
            whole: true,
            ..local
        };
        let judge = |extent, words| Scope::judge(extent, words).map(|scope| scope.name());
        assert_eq!(judge(Some(&local), "surprise me"), Some("local"));
        assert_eq!(judge(Some(&whole), "surprise me"), Some("global"));
        assert_eq!(judge(None, "surprise me"), None);
        assert_eq!(judge(None, "make the cat blue"), Some("local"));
        assert_eq!(judge(Some(&whole), "make the cat blue"), Some("local"));
        assert_eq!(Extent::of(&Measures::default()), None);
    }
}
