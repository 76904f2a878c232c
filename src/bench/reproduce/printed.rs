//! Figures in print that can be recomputed from public tables.
//!
//! VIEScore's project page is of an unrounded O: values that are equal in exact arithmetic differ in their last bit there, which
//! splits ties. Its O is therefore held against that form, which `erw` computes only for this.

use super::Cell;

/// A figure that a paper or a repository prints.
#[derive(Clone, Copy)]
pub(super) struct Printed {
    pub(super) cell: &'static str,
    value: f64,
    /// In percent with two decimals; else as it is, with four.
    percent: bool,
    from: &'static str,
    known: Option<&'static str>,
}

/// Where the figures of VIEScore's judges are printed.
const PAGE: &str = "VIEScore, project page";
/// The repository has answers for 168 to 178 of the 179 inputs.
const OTHER_ANSWERS: &str = "the repository's answers of this judge give another figure";
/// The figure is within a hundredth of the last digit of half of it.
const HALF: &str = "so near to half of the last digit that it was rounded the other way";

/// All of them.
#[rustfmt::skip]
pub(super) const PRINTED: &[Printed] = &[
    percent("imagenhub_human_to_human/O/published_style_double_tanh", 41.84, "EditReward, table 3"),
    percent("imagenhub_text_guided_ie_judges/gpt4o_0shot/O/tanh_of_mean", 38.21, "EditReward, table 3"),
    percent("imagenhub_text_guided_ie_judges/gemini_0shot/O/tanh_of_mean", 27.28, PAGE),
    percent("genai_bench_image_edition/random", 25.90, "EditReward, table 3"),
    percent("genai_bench_image_edition/gpt4o", 53.54, "EditReward, table 3"),
    page("imagenhub_human_to_human/SC/published_style_double_tanh", 0.4230),
    known(page("imagenhub_human_to_human/PQ/published_style_double_tanh", 0.5052), HALF),
    page("imagenhub_human_to_human/O/published_style_double_tanh", 0.4184),
    page("imagenhub_text_guided_ie_judges/gpt4o_0shot/SC/tanh_of_mean", 0.4062),
    page("imagenhub_text_guided_ie_judges/gpt4o_0shot/PQ/tanh_of_mean", 0.4863),
    page("imagenhub_text_guided_ie_judges/gpt4o_0shot/O/tanh_of_mean_ties_split", 0.3821),
    page("imagenhub_text_guided_ie_judges/gpt4o_1shot/SC/tanh_of_mean", 0.3684),
    page("imagenhub_text_guided_ie_judges/gpt4o_1shot/PQ/tanh_of_mean", 0.1939),
    page("imagenhub_text_guided_ie_judges/gpt4o_1shot/O/tanh_of_mean_ties_split", 0.3438),
    page("imagenhub_text_guided_ie_judges/gemini_0shot/SC/tanh_of_mean", 0.2836),
    page("imagenhub_text_guided_ie_judges/gemini_0shot/PQ/tanh_of_mean", 0.4291),
    page("imagenhub_text_guided_ie_judges/gemini_0shot/O/tanh_of_mean_ties_split", 0.2728),
    page("imagenhub_text_guided_ie_judges/gemini_1shot/SC/tanh_of_mean", 0.2805),
    page("imagenhub_text_guided_ie_judges/gemini_1shot/PQ/tanh_of_mean", 0.4657),
    page("imagenhub_text_guided_ie_judges/gemini_1shot/O/tanh_of_mean_ties_split", 0.2648),
    known(page("imagenhub_text_guided_ie_judges/gpt4v_0shot/SC/tanh_of_mean", 0.2610), OTHER_ANSWERS),
    known(page("imagenhub_text_guided_ie_judges/gpt4v_0shot/PQ/tanh_of_mean", 0.4274), OTHER_ANSWERS),
    known(page("imagenhub_text_guided_ie_judges/gpt4v_0shot/O/tanh_of_mean_ties_split", 0.2456), OTHER_ANSWERS),
    known(page("imagenhub_text_guided_ie_judges/gpt4v_1shot/SC/tanh_of_mean", 0.2428), HALF),
    page("imagenhub_text_guided_ie_judges/gpt4v_1shot/PQ/tanh_of_mean", 0.3402),
    page("imagenhub_text_guided_ie_judges/gpt4v_1shot/O/tanh_of_mean_ties_split", 0.2279),
    page("imagenhub_text_guided_ie_judges/llava_0shot/SC/tanh_of_mean", 0.0448),
    page("imagenhub_text_guided_ie_judges/llava_0shot/PQ/tanh_of_mean", 0.0583),
    page("imagenhub_text_guided_ie_judges/llava_0shot/O/tanh_of_mean_ties_split", 0.0273),
    page("imagenhub_text_guided_ie_judges/llava_1shot/SC/tanh_of_mean", 0.0185),
    page("imagenhub_text_guided_ie_judges/llava_1shot/PQ/tanh_of_mean", -0.0107),
    page("imagenhub_text_guided_ie_judges/llava_1shot/O/tanh_of_mean_ties_split", 0.0258),
];

const fn percent(cell: &'static str, value: f64, from: &'static str) -> Printed {
    Printed {
        cell,
        value,
        percent: true,
        from,
        known: None,
    }
}

const fn page(cell: &'static str, value: f64) -> Printed {
    Printed {
        percent: false,
        ..percent(cell, value, PAGE)
    }
}

const fn known(printed: Printed, why: &'static str) -> Printed {
    Printed {
        known: Some(why),
        ..printed
    }
}

impl Printed {
    /// The figure beside what is recomputed, at the precision of print.
    pub(super) fn held_against(&self, recomputed: Option<f64>) -> Cell {
        let (scale, shift, unit) = if self.percent {
            (100.0, 1e2, ", %")
        } else {
            (1.0, 1e4, "")
        };
        let rounded = recomputed.map(|value| (value * scale * shift).round() / shift);
        let equal = rounded.is_some_and(|v| (v - self.value).abs() < 0.1 / shift);
        Cell {
            cell: format!("{} (in print{unit})", self.cell),
            published: Some(self.value),
            from: self.from.into(),
            recomputed: rounded,
            equal,
            known: self.known.filter(|_| !equal),
        }
    }
}
