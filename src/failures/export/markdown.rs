//! The report as Markdown.

use std::fmt::Write as _;

use super::{CASES, PAIRS, Shown, amount, facts, probability};
use crate::data::export::markup::plain;
use crate::failures::analysis::{Bias, Effect, OverEditing, Report, pairs_in_words, with_interval};

pub(super) fn page(report: &Report, shown: &Shown) -> String {
    let mut out = format!("# What {} falls for\n\n", plain(&report.model.name));
    for (term, text) in facts(report) {
        let _ = writeln!(out, "* {term}: {}", plain(&text));
    }
    let noun = report.noun();
    let _ = write!(out, "\n## Suspected {}\n\n", plural(noun));
    if report.biases.is_empty() {
        let _ = writeln!(
            out,
            "None of {} tests stands correction.",
            report.settings.tests
        );
    }
    for (i, bias) in report.biases.iter().enumerate() {
        section(&mut out, bias, i + 1, shown);
    }
    if !report.unproven.is_empty() {
        out.push_str("\n## Not proven\n\nWhat came nearest without standing correction:\n\n");
        for bias in &report.unproven {
            let _ = writeln!(out, "* {}", plain(&bias.sentence));
        }
    }
    if let Some(over) = &report.over_editing {
        over_editing(&mut out, over, shown);
    }
    out.push_str("\n## All tests\n\n");
    table(&mut out, &report.effects);
    if !report.notes.is_empty() {
        out.push_str("\n## Notes\n\n");
        for note in &report.notes {
            let _ = writeln!(out, "* {}", plain(note));
        }
    }
    out
}

fn section(out: &mut String, bias: &Bias, number: usize, shown: &Shown) {
    let about = bias.effect.measure.about();
    let _ = write!(
        out,
        "### {number}. {} on {}\n\n{}.\n\n",
        about.words,
        bias.effect.judged.name(),
        plain(&bias.sentence)
    );
    let more = [bias.strongest_in_words(), bias.also_in_words()];
    for words in more.into_iter().flatten() {
        let _ = write!(out, "{}.\n\n", plain(&words));
    }
    if bias.cases.is_empty() {
        return;
    }
    out.push_str("| case | measure | model less people | people |\n|---|---:|---:|---:|\n");
    for case in bias.cases.iter().take(CASES) {
        let human = case.human.map_or_else(|| "-".into(), |h| format!("{h:.2}"));
        let _ = writeln!(
            out,
            "| {} | {} | {:+.2} | {human} |",
            plain(&shown.name(case.group, case.candidate)),
            amount(case.measure),
            case.residual
        );
    }
    out.push('\n');
}

fn over_editing(out: &mut String, over: &OverEditing, shown: &Shown) {
    let _ = write!(
        out,
        "\n## Over-editing\n\nAmong {} local edits:\n\n",
        over.local
    );
    for effect in &over.effects {
        let _ = writeln!(
            out,
            "* {}: {} {} per SD of background change ({} ΔE2000), p = {} before correction",
            effect.judged.name(),
            with_interval(&effect.per_sd, true),
            effect.unit.words(),
            amount(effect.sd),
            probability(effect.p)
        );
    }
    for turned in &over.pairs {
        let _ = writeln!(
            out,
            "* {}: {}; the other way round in {} of {}",
            turned.judged.name(),
            pairs_in_words(turned, crate::domain::Measure::BackgroundChange, false),
            turned.turned_reverse,
            turned.of_reverse
        );
        for pair in turned.pairs.iter().take(PAIRS) {
            let _ = writeln!(
                out,
                "  * {} over {}: {:+.1} ΔE2000, model {:+.2}, people {:+.2}",
                plain(&shown.name(pair.group, pair.more)),
                plain(&shown.name(pair.group, pair.less)),
                pair.measure,
                pair.model,
                pair.human
            );
        }
    }
}

fn table(out: &mut String, effects: &[Effect]) {
    out.push_str("| score | measure | n | per SD | partial rank correlation | p (Holm) | q |\n|---|---|---:|---:|---:|---:|---:|\n");
    for effect in effects {
        let _ = writeln!(
            out,
            "| {} | `{}` | {} | {} | {} | {} | {} |",
            effect.judged.name(),
            effect.measure.name(),
            effect.n,
            with_interval(&effect.per_sd, true),
            with_interval(&effect.partial, true),
            probability(effect.p_holm),
            probability(effect.q)
        );
    }
}

pub(super) fn plural(noun: &str) -> String {
    if noun.ends_with('s') {
        format!("{noun}es")
    } else {
        format!("{noun}s")
    }
}
