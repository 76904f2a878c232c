//! The report as one HTML file that needs nothing beside it: style, plots and pictures are in it, and there is no script.

use std::fmt::Write as _;

use super::markdown::plural;
use super::{CASES, PAIRS, Picture, Shown, amount, facts, plot, probability};
use crate::data::export::markup::escaped;
use crate::data::export::page::framed;
use crate::domain::{CandidateId, GroupId, Measure};
use crate::failures::analysis::{Bias, OverEditing, Report, pairs_in_words, with_interval};

pub(super) fn page(report: &Report, shown: &Shown) -> String {
    let mut out = String::new();
    if report.biases.is_empty() {
        let _ = writeln!(
            out,
            "<section>\n<h2>Suspected {}</h2>\n<p>None of {} tests stands correction.</p>\n</section>",
            plural(report.noun()),
            report.settings.tests
        );
    }
    for (i, bias) in report.biases.iter().enumerate() {
        section(&mut out, report, bias, i + 1, shown);
    }
    if !report.unproven.is_empty() {
        out.push_str("<section>\n<h2>Not proven</h2>\n<p>What came nearest without standing correction.</p>\n<ul>\n");
        for bias in &report.unproven {
            let _ = writeln!(out, "<li>{}.</li>", escaped(&bias.sentence));
        }
        out.push_str("</ul>\n</section>\n");
    }
    if let Some(over) = &report.over_editing {
        over_editing(&mut out, over, shown);
    }
    tests(&mut out, report);
    if !report.notes.is_empty() {
        out.push_str("<section>\n<h2>Notes</h2>\n<ul>\n");
        for note in &report.notes {
            let _ = writeln!(out, "<li>{}</li>", escaped(note));
        }
        out.push_str("</ul>\n</section>\n");
    }
    let title = format!("What {} falls for", report.model.name);
    framed(&title, &facts(report), &out)
}

fn section(out: &mut String, report: &Report, bias: &Bias, number: usize, shown: &Shown) {
    let about = bias.effect.measure.about();
    let _ = writeln!(
        out,
        "<section>\n<h2>{number}. {} on {}</h2>\n<p>{}.</p>",
        escaped(about.words),
        bias.effect.judged.name(),
        escaped(&bias.sentence)
    );
    let more = [bias.strongest_in_words(), bias.also_in_words()];
    for words in more.into_iter().flatten() {
        let _ = writeln!(out, "<p>{}.</p>", escaped(&words));
    }
    if let Some(plot) = plot::scatter(bias, &format!("plot-{number}"), report.is_labelled(), false)
    {
        let (points, of) = (bias.scatter.points.len(), bias.scatter.of);
        let sample = if points < of {
            format!(" {points} of {of} candidates are drawn, a sample by the seed.")
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "<figure class=\"plot\">\n{plot}<figcaption>Each point is a candidate. The line is the effect with category and editor \
             held, the band its central 95 %.{sample}</figcaption>\n</figure>"
        );
    }
    out.push_str("<div class=\"cases\">\n");
    for case in bias.cases.iter().take(CASES) {
        let human = case
            .human
            .map_or_else(String::new, |h| format!(", people {h:.2}"));
        let words = format!(
            "{}: {} {}, {:+.2} {}{human}",
            shown.name(case.group, case.candidate),
            about.name,
            amount(case.measure),
            case.residual,
            bias.effect.unit.words()
        );
        pictures(out, shown, case.group, &[case.candidate], &words);
    }
    out.push_str("</div>\n</section>\n");
}

/// Source and candidates side by side, with words.
fn pictures(
    out: &mut String,
    shown: &Shown,
    group: GroupId,
    candidates: &[CandidateId],
    words: &str,
) {
    out.push_str("<figure>\n<div class=\"case\">");
    let known = shown.groups.get(&group);
    if let Some(picture) = known.and_then(|group| group.source.as_ref()) {
        picture_of(out, picture, "source");
    }
    for candidate in candidates {
        if let Some(known) = shown.candidates.get(candidate)
            && let Some(picture) = &known.picture
        {
            picture_of(out, picture, known.editor.as_deref().unwrap_or(&known.key));
        }
    }
    let instruction = known.map_or_else(String::new, |group| format!("“{}” ", group.instruction));
    let _ = writeln!(
        out,
        "</div>\n<figcaption>{}{}</figcaption>\n</figure>",
        escaped(&instruction),
        escaped(words)
    );
}

fn picture_of(out: &mut String, picture: &Picture, what: &str) {
    let what = escaped(what);
    let _ = match picture {
        Ok(address) => {
            let address = escaped(address);
            write!(
                out,
                "<img src=\"{address}\" alt=\"{what}\" title=\"{what}\">"
            )
        }
        Err(why) => write!(out, "<div class=\"none\">{}</div>", escaped(why)),
    };
}

fn over_editing(out: &mut String, over: &OverEditing, shown: &Shown) {
    let _ = writeln!(
        out,
        "<section>\n<h2>Over-editing</h2>\n<p>Among {} local edits:</p>\n<ul>",
        over.local
    );
    for effect in &over.effects {
        let _ = writeln!(
            out,
            "<li>{}: {} {} per SD of background change ({} ΔE2000), p = {} before correction</li>",
            effect.judged.name(),
            escaped(&with_interval(&effect.per_sd, true)),
            effect.unit.words(),
            amount(effect.sd),
            escaped(&probability(effect.p))
        );
    }
    for turned in &over.pairs {
        let _ = writeln!(
            out,
            "<li>{}: {}; the other way round in {} of {}</li>",
            turned.judged.name(),
            escaped(&pairs_in_words(turned, Measure::BackgroundChange, false)),
            turned.turned_reverse,
            turned.of_reverse
        );
    }
    out.push_str("</ul>\n<div class=\"cases\">\n");
    for pair in over
        .pairs
        .iter()
        .flat_map(|turned| turned.pairs.iter().take(PAIRS))
    {
        let words = format!(
            "{} preferred to {}: {:+.1} ΔE2000 of background, model {:+.2}, people {:+.2}",
            shown.name(pair.group, pair.more),
            shown.name(pair.group, pair.less),
            pair.measure,
            pair.model,
            pair.human
        );
        pictures(out, shown, pair.group, &[pair.more, pair.less], &words);
    }
    out.push_str("</div>\n</section>\n");
}

fn tests(out: &mut String, report: &Report) {
    out.push_str(
        "<section>\n<h2>All tests</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All tests\">\n<table>\n\
         <thead><tr><th>score</th><th>measure</th><th class=\"n\">n</th><th class=\"n\">per SD</th>\
         <th class=\"n\">rank correlation</th><th class=\"n\">category and editor held</th><th class=\"n\">p (Holm)</th>\
         <th class=\"n\">q</th></tr></thead>\n<tbody>\n",
    );
    for effect in &report.effects {
        let is = |bias: &Bias| {
            (bias.effect.judged, bias.effect.measure) == (effect.judged, effect.measure)
        };
        let class = if report.biases.iter().any(is) {
            " class=\"named\""
        } else {
            ""
        };
        let _ = write!(
            out,
            "<tr{class}><td>{}</td><td>{}</td>",
            effect.judged.name(),
            effect.measure.name()
        );
        for cell in [
            effect.n.to_string(),
            with_interval(&effect.per_sd, true),
            with_interval(&effect.spearman, true),
            with_interval(&effect.partial, true),
            probability(effect.p_holm),
            probability(effect.q),
        ] {
            let _ = write!(out, "<td class=\"n\">{}</td>", escaped(&cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n</section>\n");
}
