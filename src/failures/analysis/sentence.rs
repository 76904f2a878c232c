//! Findings in words.

use super::report::{Bias, EffectUnit, Figure, Report, Turned};
use crate::domain::Measure;

/// A bend that a straight calibration should not be trusted beyond.
const BENT: f64 = 0.05;

/// The evidence of a suspected bias in one sentence.
pub(super) fn evidence(bias: &Bias, labelled: bool) -> String {
    let effect = &bias.effect;
    let about = effect.measure.about();
    let alike = if labelled {
        "at the same human score, "
    } else {
        ""
    };
    let of = match effect.unit {
        EffectUnit::Points => format!("{} points", effect.judged.name()),
        EffectUnit::Deviations => format!("SD of the {} score", effect.judged.name()),
    };
    let mut text = format!(
        "{alike}+1 SD of {} ({}) ≙ {} {of}, p = {} after Holm's correction, {} candidates of {} groups",
        about.name,
        step(effect.sd, about.unit),
        with_interval(&effect.per_sd, true),
        probability(effect.p_holm),
        effect.n,
        effect.groups
    );
    if let Some(turned) = bias.pairs.as_ref().filter(|turned| turned.turned > 0) {
        text.push_str("; ");
        text.push_str(&pairs_in_words(
            turned,
            effect.measure,
            effect.per_sd.value.unwrap_or(0.0) < 0.0,
        ));
    }
    if !labelled {
        text.push_str(
            " (an association: without labels it is not known whether people would agree)",
        );
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// What became of the pairs that a bias could turn.
pub fn pairs_in_words(turned: &Turned, measure: Measure, less: bool) -> String {
    let which = if less { "less" } else { "more" };
    format!(
        "the model prefers the one with clearly {which} {} in {} of {} pairs in which people do not",
        measure.name(),
        turned.turned,
        turned.of
    )
}

impl Bias {
    /// Where it is strongest, in a sentence without a full stop.
    pub fn strongest_in_words(&self) -> Option<String> {
        self.strongest.as_ref().map(|part| {
            format!(
                "Strongest for {} {}: {} {} per SD ({} candidates of {} groups, the strongest of {})",
                part.by,
                part.name,
                with_interval(&part.per_sd, true),
                self.effect.unit.words(),
                part.n,
                part.groups,
                part.of
            )
        })
    }

    /// What goes along with it, in a sentence without a full stop.
    pub fn also_in_words(&self) -> Option<String> {
        let also: Vec<String> = self
            .also
            .iter()
            .map(|f| format!("{} (correlation {:+.2})", f.measure.name(), f.correlation))
            .collect();
        let by = self.effect.measure.name();
        (!also.is_empty()).then(|| format!("Also follows, explained by {by}: {}", also.join(", ")))
    }
}

/// "0.21 [0.15, 0.27]".
pub fn with_interval(figure: &Figure, signed: bool) -> String {
    let written = |v: f64| {
        if signed {
            format!("{v:+.2}")
        } else {
            format!("{v:.2}")
        }
    };
    match (figure.value, figure.interval) {
        (Some(value), Some([low, high])) => {
            format!("{} [{}, {}]", written(value), written(low), written(high))
        }
        (Some(value), None) => written(value),
        (None, _) => "undefined".into(),
    }
}

fn step(sd: f64, unit: &str) -> String {
    let digits = if sd >= 10.0 {
        0
    } else if sd >= 1.0 {
        1
    } else if sd >= 0.1 {
        2
    } else {
        3
    };
    let unit = if unit.is_empty() {
        String::new()
    } else {
        format!(" {unit}")
    };
    format!("{sd:.digits$}{unit}")
}

fn probability(p: f64) -> String {
    if p < 1e-4 {
        "0.0001 or less".into()
    } else {
        format!("{p:.4}")
    }
}

/// What whoever reads a report has to know.
pub(super) fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    let data = &report.data;
    if !report.is_labelled() {
        notes.push(
            "No labels took part: these are associations of the model's scores with measures, without ground truth, and none of \
             them is known to be a bias."
                .into(),
        );
    }
    if data.unscored > 0 {
        notes.push(format!(
            "{} of {} candidates have no score of this model; 'erw score' gives them one.",
            data.unscored, data.candidates
        ));
    }
    if data.unmeasured > 0 {
        notes.push(format!(
            "{} of {} candidates are not measured; 'erw failures measure' measures them.",
            data.unmeasured, data.candidates
        ));
    }
    if data.simulated > 0 {
        notes.push(format!(
            "The labels of {} of {} candidates were made by a program, not by people.",
            data.simulated, data.analysed
        ));
    }
    for scale in &report.scales {
        let name = scale.judged.name();
        if !report.is_labelled() {
            continue;
        }
        if scale.unit == EffectUnit::Deviations {
            notes.push(format!(
                "The model's {name} does not surely rise with people's, so effects on it are in standard deviations of its score."
            ));
        }
        if scale.assumed_error {
            notes.push(format!(
                "No {name} label is by two annotators, so their error cannot be seen: one annotator's standard deviation of {} \
                 points is assumed (--label-error). If it is larger, a measure that follows true quality may look like a bias.",
                report.settings.label_error
            ));
        }
        if scale.reliability.is_some_and(|r| r < 0.2) {
            notes.push(format!(
                "Label error is nearly all of the variance of people's {name} scores, so that next to nothing can be said; more \
                 labels of each candidate would help."
            ));
        } else if let Some(reliability) = scale.reliability.filter(|r| *r < 0.5) {
            notes.push(format!(
                "{:.0} % of the variance of people's {name} scores is label error; effects are uncertain.",
                100.0 * (1.0 - reliability)
            ));
        }
        if let Some(bend) = scale.bend.filter(|bend| *bend > BENT) {
            notes.push(format!(
                "The model's {name} does not follow people's in a straight line (a rising curve explains {:.0} % more), so that \
                 effects at the ends of the scale may be the calibration's.",
                100.0 * bend
            ));
        }
    }
    if report.is_labelled() {
        notes.push(
            "Labels that the model was trained on share their error with it: analyse what it has not seen (--split). These are \
             associations at a given human score; a probe tells whether the measure itself is the cause."
                .into(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_their_intervals() {
        let figure = Figure {
            value: Some(0.213),
            interval: Some([0.15, 0.27]),
            undefined: None,
        };
        assert_eq!(with_interval(&figure, true), "+0.21 [+0.15, +0.27]");
        assert_eq!(with_interval(&Figure::undefined("none"), true), "undefined");
        assert_eq!(step(0.0451, ""), "0.045");
        assert_eq!(step(12.3, "ΔE2000"), "12 ΔE2000");
        assert_eq!(probability(1e-9), "0.0001 or less");
    }
}
