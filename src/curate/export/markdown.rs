//! The report as Markdown.

use std::fmt::Write as _;

use super::{amount, facts, percent};
use crate::curate::report::{Report, Share};
use crate::data::export::markup::plain;

pub(super) fn page(report: &Report, name: &str) -> String {
    let mut out = format!("# {}\n\n", plain(name));
    for (term, text) in facts(report) {
        let _ = writeln!(out, "- **{term}**: {}", plain(&text));
    }
    out.push_str("\n## Scores\n\n| score | mean before | mean after |\n| --- | ---: | ---: |\n");
    for score in &report.scores {
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            score.score,
            amount(score.mean_before),
            amount(score.mean_after)
        );
    }
    out.push_str("\n## Reasons\n\n| reason | candidates |\n| --- | ---: |\n");
    for reason in &report.reasons {
        let _ = writeln!(out, "| {} | {} |", reason.words, reason.count);
    }
    table(&mut out, "Categories", "category", &report.categories);
    table(&mut out, "Editors", "editor", &report.editors);
    out
}

fn table(out: &mut String, title: &str, what: &str, shares: &[Share]) {
    let (before, after) = totals(shares);
    let _ = write!(
        out,
        "\n## {title}\n\n| {what} | before | share | after | share |\n| --- | ---: | ---: | ---: | ---: |\n"
    );
    for share in shares {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            plain(&share.name),
            share.before,
            percent(share.before, before),
            share.after,
            percent(share.after, after)
        );
    }
}

/// How many there were before and after.
pub(super) fn totals(shares: &[Share]) -> (usize, usize) {
    let before = shares.iter().map(|s| s.before).sum();
    (before, shares.iter().map(|s| s.after).sum())
}
