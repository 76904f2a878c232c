//! What a model's error follows: its scores held against people's labels, and what is left held against measures of the images.
//!
//! For each judged score (IF and VQ; the aggregate for models without axes) and each measure, the question is: among candidates
//! that people judge alike, does the model give more to those that have more of it? The answer is the slope γ of
//!
//! ```text
//! model = α + β · people + γ · measure + category + editor
//! ```
//!
//! over β, so that it is in points of people's scale: "+1 SD of saturation ≙ +0.21 VQ points". The model is mapped to people's
//! scale, and not the other way round, by a straight line: a residual in points can be compared between models. How much better a
//! rising function would fit (isotonic regression) is said beside it.
//!
//! **Regression to the mean.** Labels are noisy. If a measure follows true quality, the model, which sees the image, knows more of
//! it than a noisy label says, and a plain regression takes that for a bias. So β and γ are those of a regression corrected for
//! errors in a variable (Fuller 1987, "Measurement Error Models", section 2.2): the variance of label error, known from how far
//! annotators differ on one candidate, is taken off the variance of people's means. That is right for a model that has not seen
//! these labels; one that was trained on them shares their error, and then the plain regression is right. What a measure has to do
//! with the score is only called significant where both say so, with the larger p value of the two, and its interval reaches from the lower end
//! of both to the upper end of both. Where nobody labelled what
//! another did, the error cannot be seen: [`Settings::label_error`] is assumed, and a note says so.
//!
//! β is estimated without holding editors, since the candidates of one editor are often alike in quality, and what differs within
//! them is mostly label error; γ with instruction categories and editors held.
//!
//! **Chance.** Candidates of one group are not independent. Intervals are the central 95 % under resampling of groups; p values are by
//! Student's t with the jackknife's standard error over groups, and as many degrees of freedom as groups that the measure's spread
//! comes from (after Carter, Schnepel and Steigerwald 2017). Something is named at 5 % after Holm's correction for all tests of
//! all scores, and if one standard deviation of it is worth [`Settings::least`] at the least.
//!
//! **Stand-ins.** Measures go together: what is more saturated is more colorful. Among those that stand correction, the one that
//! explains most is named, and another only if what it adds beside it stands the correction as well; the rest are told as
//! what also follows.
//!
//! **What it does not say.** These are associations at a given human score, not experiments: what no measure sees may lie behind
//! both. A probe, which changes an image and asks again, tells.

mod effect;
mod evidence;
mod moments;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod planted_images;
mod report;
pub mod run;
mod select;
mod sentence;
mod table;

pub use report::{
    Bias, DataFacts, Effect, EffectUnit, Figure, Follower, LeftOut, ModelFacts, NO_LABELS,
    OverEditing, Point, Report, Scale, Scatter, SettingsFacts, Subgroup, Turned, TurnedPair,
    WorstCase,
};
pub use sentence::{pairs_in_words, with_interval};
pub use table::{Case, Judged};

use effect::Study;
use table::Columns;

use crate::domain::Measure;
use crate::domain::stats::{benjamini_hochberg, holm};

/// So many of the tests that do not stand correction are told in full.
const UNPROVEN: usize = 6;

/// How to analyse.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// What intervals and samples are drawn from.
    pub seed: u64,
    /// How often groups are drawn again.
    pub resamples: usize,
    /// The chance to name anything where there is nothing, in 0..1.
    pub level: f64,
    /// The least effect of one standard deviation that is named: points of people's scale, or standard deviations of the score.
    pub least: f64,
    /// The standard deviation of one annotator's error, in points, where nothing is labelled twice to see it from.
    /// A guess should be on the high side: what is named stands without correction as well, so that too much of it only hides.
    pub label_error: f64,
    /// Whether people's labels take part.
    pub labelled: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 0,
            resamples: 1000,
            level: 0.05,
            least: 0.02,
            label_error: 0.75,
            labelled: true,
        }
    }
}

/// Why nothing can be said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "only {found} candidates of {groups} groups have a score, measures{}; at least {} of {} groups are needed",
    if *.labelled { " and labels" } else { "" }, table::LEAST, table::LEAST_GROUPS
)]
pub struct TooFew {
    /// Candidates that can be used.
    pub found: usize,
    /// Their groups.
    pub groups: usize,
    /// Whether labels were wanted.
    pub labelled: bool,
}

/// Analyses cases. What the report says of the model and the data is the caller's; counts of the cases are filled in.
///
/// # Errors
///
/// Where too few candidates have a score and, with [`Settings::labelled`], labels.
pub fn analyse(
    cases: &[Case],
    settings: &Settings,
    model: ModelFacts,
    data: DataFacts,
) -> Result<Report, TooFew> {
    let axes = [Judged::If, Judged::Vq];
    let of = |judged: Judged| Columns::new(cases, judged, settings.labelled, settings.label_error);
    let mut columns: Vec<Columns<'_>> = axes.into_iter().map(of).filter(|c| c.len() > 0).collect();
    if columns.is_empty() {
        columns.push(of(Judged::Overall));
    }
    let (found, groups) = columns
        .iter()
        .map(|c| (c.len(), c.groups))
        .max()
        .unwrap_or((0, 0));
    let left_out = columns
        .iter()
        .map(|c| LeftOut {
            judged: c.judged,
            measures: c.left_out.clone(),
        })
        .collect();
    let studies: Vec<Study<'_>> = columns
        .into_iter()
        .filter_map(|columns| Study::new(columns, settings.resamples, settings.seed))
        .collect();
    if studies.is_empty() {
        return Err(TooFew {
            found,
            groups,
            labelled: settings.labelled,
        });
    }
    let mut effects: Vec<Vec<Effect>> = studies
        .iter()
        .map(|study| {
            (0..study.columns.measured.len())
                .map(|i| study.effect(i))
                .collect()
        })
        .collect();
    correct(&mut effects);
    let tests = effects.iter().map(Vec::len).sum();
    let biases = biases(&studies, &effects, settings, tests);
    let unproven = unproven(&studies, &effects, &biases, settings);
    let mut report = Report {
        model,
        data: count(data, cases, &studies, settings),
        settings: SettingsFacts {
            seed: settings.seed,
            resamples: settings.resamples,
            level: settings.level,
            least: settings.least,
            label_error: settings.label_error,
            tests,
        },
        scales: studies.iter().map(|study| study.scale.clone()).collect(),
        biases,
        unproven,
        over_editing: over_editing(&studies, &effects),
        effects: effects.into_iter().flatten().collect(),
        left_out,
        notes: Vec::new(),
    };
    report.notes = sentence::notes(&report);
    Ok(report)
}

/// Corrects p values for all tests of all scores together.
fn correct(effects: &mut [Vec<Effect>]) {
    let p: Vec<f64> = effects.iter().flatten().map(|effect| effect.p).collect();
    let corrected = holm(&p).into_iter().zip(benjamini_hochberg(&p));
    for (effect, (holm, q)) in effects.iter_mut().flatten().zip(corrected) {
        effect.p_holm = holm;
        effect.q = q;
    }
}

/// The suspected biases of all scores, those first whose effect is largest at the end of the interval that is nearer to 0.
fn biases(
    studies: &[Study<'_>],
    effects: &[Vec<Effect>],
    settings: &Settings,
    tests: usize,
) -> Vec<Bias> {
    let mut biases = Vec::new();
    for (study, effects) in studies.iter().zip(effects) {
        for named in select::named(study, effects, (settings.level, settings.least, tests)) {
            let effect = &effects[named.which];
            biases.push(bias(study, (named.which, effect), named.also, settings));
        }
    }
    let sure = |bias: &Bias| {
        let ends = bias.effect.per_sd.interval.unwrap_or([0.0, 0.0]);
        if ends[0] * ends[1] > 0.0 {
            ends[0].abs().min(ends[1].abs())
        } else {
            0.0
        }
    };
    biases.sort_by(|a, b| sure(b).total_cmp(&sure(a)));
    biases
}

/// One effect with all that makes it believable.
fn bias(
    study: &Study<'_>,
    (which, effect): (usize, &Effect),
    also: Vec<Follower>,
    settings: &Settings,
) -> Bias {
    let way = evidence::direction(effect);
    let mut bias = Bias {
        sentence: String::new(),
        effect: effect.clone(),
        also,
        strongest: evidence::strongest(study, which, way),
        scatter: evidence::scatter(study, which, effect, settings.seed),
        cases: evidence::cases(study, which, way),
        pairs: evidence::turned(study, which, way),
    };
    bias.sentence = sentence::evidence(&bias, settings.labelled);
    bias
}

/// The effects with the smallest p values among those that are neither named nor explained by one that is.
fn unproven(
    studies: &[Study<'_>],
    effects: &[Vec<Effect>],
    biases: &[Bias],
    settings: &Settings,
) -> Vec<Bias> {
    let told = |effect: &Effect| {
        let mut of_score = biases
            .iter()
            .filter(|bias| bias.effect.judged == effect.judged);
        of_score.any(|bias| {
            let mut also = bias.also.iter().map(|follower| follower.measure);
            bias.effect.measure == effect.measure || also.any(|measure| measure == effect.measure)
        })
    };
    let all = studies.iter().zip(effects);
    let mut open: Vec<(&Study<'_>, usize, &Effect)> = all
        .flat_map(|(study, effects)| {
            let numbered = effects.iter().enumerate();
            numbered.map(move |(which, effect)| (study, which, effect))
        })
        .filter(|(_, _, effect)| !told(effect) && effect.per_sd.value.is_some())
        .collect();
    open.sort_by(|a, b| a.2.p.total_cmp(&b.2.p));
    open.truncate(UNPROVEN);
    open.into_iter()
        .map(|(study, which, effect)| bias(study, (which, effect), Vec::new(), settings))
        .collect()
}

fn over_editing(studies: &[Study<'_>], effects: &[Vec<Effect>]) -> Option<OverEditing> {
    let (mut found, mut pairs, mut local) = (Vec::new(), Vec::new(), 0);
    for (study, effects) in studies.iter().zip(effects) {
        let which = effects
            .iter()
            .position(|e| e.measure == Measure::BackgroundChange);
        if let Some(which) = which {
            local = local.max(effects[which].n);
            found.push(effects[which].clone());
            pairs.extend(evidence::turned(study, which, 1.0));
        }
    }
    (!found.is_empty()).then_some(OverEditing {
        local,
        effects: found,
        pairs,
    })
}

fn count(data: DataFacts, cases: &[Case], studies: &[Study<'_>], settings: &Settings) -> DataFacts {
    let mut groups: Vec<_> = cases.iter().map(|case| case.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let simulated =
        |case: &&Case| !case.labels.is_empty() && case.labels.iter().all(|l| l.simulated);
    DataFacts {
        groups: groups.len(),
        analysed: studies.iter().map(|s| s.columns.len()).max().unwrap_or(0),
        simulated: if settings.labelled {
            cases.iter().filter(simulated).count()
        } else {
            0
        },
        local: cases.iter().filter(|case| case.local).count(),
        labels: if settings.labelled {
            data.labels
        } else {
            NO_LABELS.into()
        },
        ..data
    }
}
