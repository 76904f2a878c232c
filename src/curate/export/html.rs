//! The report as one HTML file, with histograms before and after and pictures of what was kept, dropped, and nearly either.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::markdown::totals;
use super::{Shown, amount, facts, percent};
use crate::curate::report::{Bins, Report, Share};
use crate::data::export::markup::escaped;
use crate::data::export::page::framed;
use crate::data::export::svg::{Anchor, Axis, Drawing, Ticks};

pub(super) fn page(report: &Report, name: &str, shown: &HashMap<i64, Shown>) -> String {
    let mut out = String::from("<section>\n<h2>Scores before and after</h2>\n");
    for bins in &report.scores {
        let mark = (bins.score == report.by.name()).then_some(report.at_cut);
        if let Some(plot) = histogram(bins, mark.flatten()) {
            let _ = writeln!(
                out,
                "<figure class=\"plot\">{plot}<figcaption>{}: all that were considered (line), those kept (bars; each as a share of its own number). Mean {} before, {} after.</figcaption></figure>",
                escaped(&bins.score),
                amount(bins.mean_before),
                amount(bins.mean_after)
            );
        }
    }
    out.push_str("</section>\n<section>\n<h2>Reasons</h2>\n<table>\n<tr><th>reason</th><th class=\"n\">candidates</th></tr>\n");
    for reason in &report.reasons {
        let class = if reason.keeps { " class=\"named\"" } else { "" };
        let _ = writeln!(
            out,
            "<tr{class}><td>{}</td><td class=\"n\">{}</td></tr>",
            escaped(&reason.words),
            reason.count
        );
    }
    out.push_str("</table>\n</section>\n");
    table(&mut out, "Categories", &report.categories);
    table(&mut out, "Editors", &report.editors);
    let grids = [
        ("Kept", "drawn at random", &report.examples.kept),
        (
            "Dropped by rank",
            "drawn at random",
            &report.examples.dropped,
        ),
        (
            "Borderline",
            "the last that were kept, then the first that were not",
            &report.examples.borderline,
        ),
    ];
    for (title, how, ids) in grids {
        grid(&mut out, title, how, ids, shown);
    }
    framed(name, &facts(report), &out)
}

/// Shares before as a line, after as bars, and the cut; `None` without candidates.
fn histogram(bins: &Bins, cut: Option<f64>) -> Option<String> {
    const SIZE: (f64, f64) = (640.0, 240.0);
    const LEFT: f64 = 56.0;
    const RIGHT: f64 = SIZE.0 - 16.0;
    const TOP: f64 = 12.0;
    const BOTTOM: f64 = SIZE.1 - 28.0;
    let share = |counts: &[usize]| -> Vec<f64> {
        let all = counts.iter().sum::<usize>().max(1) as f64;
        counts.iter().map(|n| *n as f64 / all).collect()
    };
    let (before, after) = (share(&bins.before), share(&bins.after));
    let top = before.iter().chain(&after).copied().fold(0.0, f64::max);
    let to = bins.from + bins.width * before.len() as f64;
    let x = Axis::around([bins.from, to], (LEFT, RIGHT), Ticks::Plain)?;
    let y = Axis::around([0.0, top], (BOTTOM, TOP), Ticks::Percent)?;
    let id = format!("histogram-{}", bins.score);
    let title = format!("{} before and after", bins.score);
    let mut drawing = Drawing::new(SIZE, &id, &title, "Shares of candidates by score");
    for (at, text) in y.ticks() {
        drawing.line("grid", (LEFT, at), (RIGHT, at));
        drawing.text("muted", (LEFT - 8.0, at + 4.0), Anchor::End, &text);
    }
    for (at, text) in x.ticks() {
        drawing.text("muted", (at, BOTTOM + 16.0), Anchor::Middle, &text);
    }
    let place = |bin: usize| bins.from + bins.width * bin as f64;
    for (bin, share) in after.iter().enumerate().filter(|(_, s)| **s > 0.0) {
        let (left, right, high) = (x.at(place(bin)), x.at(place(bin + 1)), y.at(*share));
        drawing.bar((left, high), (right - left, y.at(0.0) - high));
    }
    let curve: Vec<(f64, f64)> = before
        .iter()
        .enumerate()
        .map(|(bin, share)| (x.at(place(bin) + 0.5 * bins.width), y.at(*share)))
        .collect();
    drawing.curve(&curve);
    drawing.line("axis", (LEFT, BOTTOM), (RIGHT, BOTTOM));
    if let Some(cut) = cut.filter(|cut| (x.low()..=x.high()).contains(cut)) {
        drawing.line("axis", (x.at(cut), TOP), (x.at(cut), BOTTOM));
        drawing.text("muted", (x.at(cut) - 4.0, TOP + 10.0), Anchor::End, "cut");
    }
    Some(drawing.done())
}

fn table(out: &mut String, title: &str, shares: &[Share]) {
    let (before, after) = totals(shares);
    let _ = writeln!(
        out,
        "<section>\n<h2>{title}</h2>\n<div class=\"scroll\"><table>\n<tr><th>name</th><th class=\"n\">before</th><th class=\"n\">share</th><th class=\"n\">after</th><th class=\"n\">share</th></tr>"
    );
    for share in shares {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
            escaped(&share.name),
            share.before,
            percent(share.before, before),
            share.after,
            percent(share.after, after)
        );
    }
    out.push_str("</table></div>\n</section>\n");
}

fn grid(out: &mut String, title: &str, how: &str, ids: &[i64], shown: &HashMap<i64, Shown>) {
    let _ = writeln!(
        out,
        "<section>\n<h2>{title}</h2>\n<p class=\"note\">Source and edit; {how}.</p>\n<div class=\"cases\">"
    );
    for id in ids {
        let Some(one) = shown.get(id) else {
            let _ = writeln!(
                out,
                "<figure class=\"none\">candidate {id} is gone</figure>"
            );
            continue;
        };
        out.push_str("<figure><div class=\"case\">");
        for picture in &one.pictures {
            let _ = match picture {
                Ok(data) => write!(out, "<img alt=\"\" src=\"{data}\">"),
                Err(why) => write!(out, "<div class=\"none\">{}</div>", escaped(why)),
            };
        }
        let _ = writeln!(
            out,
            "</div><figcaption>{}<br>{}</figcaption></figure>",
            escaped(&one.instruction),
            escaped(one.editor.as_deref().unwrap_or("–"))
        );
    }
    out.push_str("</div>\n</section>\n");
}
