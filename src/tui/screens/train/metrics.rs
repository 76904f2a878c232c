//! The metrics by what their names say: in which order their charts stand, and which way is better.

use crate::tui::widgets::chart::Better;

/// What one looks at first stands first; the rest by name.
const ORDER: [&str; 10] = [
    "loss",
    "accuracy",
    "margin",
    "sigma",
    "calibration",
    "agreement",
    "correlation",
    "gradient",
    "rate",
    "per_second",
];

/// Names in the order of their charts, each once.
pub(crate) fn ordered<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut out: Vec<&str> = names.collect();
    out.sort_unstable_by_key(|name| (place(name), what(name), *name));
    out.dedup();
    out
}

fn place(name: &str) -> usize {
    let found = ORDER.iter().position(|word| name.contains(word));
    found.unwrap_or(ORDER.len())
}

/// The name without where it was measured, so that training and validation stand side by side.
fn what(name: &str) -> &str {
    let rest = name.strip_prefix("train.");
    rest.or_else(|| name.strip_prefix("val.")).unwrap_or(name)
}

/// Which way a metric is better.
pub(crate) fn better(name: &str) -> Better {
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["loss", "error", "calibration"]) {
        Better::Lower
    } else if has(&["accuracy", "agreement", "correlation", "per_second"]) {
        Better::Higher
    } else {
        Better::Neither
    }
}

/// Whether a metric's name holds every word of `query`.
pub(crate) fn matches(name: &str, query: &str) -> bool {
    let name = name.to_lowercase();
    query
        .split_whitespace()
        .all(|word| name.contains(&word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn training_and_validation_of_a_metric_stand_side_by_side() {
        let names = [
            "gradient_norm",
            "rate.heads",
            "train.accuracy",
            "train.loss",
            "val.accuracy",
            "val.accuracy.if",
            "val.loss",
            "zebra",
            "train.loss",
        ];
        assert_eq!(
            ordered(names.into_iter()),
            [
                "train.loss",
                "val.loss",
                "train.accuracy",
                "val.accuracy",
                "val.accuracy.if",
                "gradient_norm",
                "rate.heads",
                "zebra",
            ]
        );
    }

    #[test]
    fn names_say_which_way_is_better() {
        assert_eq!(better("val.loss"), Better::Lower);
        assert_eq!(better("val.calibration_error"), Better::Lower);
        assert_eq!(better("val.accuracy.vq"), Better::Higher);
        assert_eq!(better("rate.language"), Better::Neither);
    }

    #[test]
    fn every_word_of_the_filter_must_be_there() {
        assert!(matches("val.accuracy.if", "acc VAL"));
        assert!(matches("val.accuracy.if", ""));
        assert!(!matches("val.accuracy.if", "acc vq"));
    }
}
