//! Reports as one HTML file that needs nothing beside it: its style and its plots are in it, and there is no script.

use std::fmt::Write as _;

use super::outline::{Cell, Column, Grid, Row, Section, leaderboard};
use super::svg;
use crate::bench::leaderboard::{Leaderboard, Measured};
use crate::bench::report::Report;
use crate::data::export::markup::escaped;

/// How it looks, in light and in dark and on paper.
pub(super) const STYLE: &str = include_str!("style.css");

/// The whole report.
pub(super) fn page(measured: &[Measured], board: &Leaderboard) -> String {
    let sections: Vec<Section<'_>> = measured.iter().map(Section::new).collect();
    // The policy keeps data from fetching or running anything, should it ever get past the escaping.
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"erw\">\n<title>Benchmark report</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n"
    );
    header(&mut out, &sections);
    out.push_str("<main>\n");
    let (grid, notes) = leaderboard(board);
    out.push_str("<section class=\"first\" aria-labelledby=\"leaderboard\">\n");
    let _ = writeln!(out, "<h2 id=\"leaderboard\">{}</h2>", escaped(&grid.title));
    table(&mut out, &grid, "leaderboard", "board");
    for note in notes {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(&note));
    }
    out.push_str("</section>\n");
    for (i, one) in sections.iter().enumerate() {
        section(&mut out, one, &format!("run-{}", i + 1));
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn header(out: &mut String, sections: &[Section<'_>]) {
    let runs = match sections.len() {
        1 => "1 run".to_owned(),
        n => format!("{n} runs"),
    };
    let _ = writeln!(
        out,
        "<header>\n<h1>Benchmark report</h1>\n<p>{runs}, measured with erw</p>\n</header>"
    );
    if sections.len() < 2 {
        return;
    }
    out.push_str("<nav aria-label=\"Runs\">\n<ol>\n");
    for (i, section) in sections.iter().enumerate() {
        let _ = writeln!(
            out,
            "<li><a href=\"#run-{}\">{}</a></li>",
            i + 1,
            escaped(&section.title)
        );
    }
    out.push_str("</ol>\n</nav>\n");
}

fn section(out: &mut String, section: &Section<'_>, id: &str) {
    let _ = writeln!(
        out,
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n<dl>",
        escaped(&section.title)
    );
    for fact in &section.facts {
        let _ = write!(out, "<dt>{}</dt>\n<dd>{}", fact.term, escaped(&fact.text));
        if !fact.examples.is_empty() {
            out.push_str("\n<ul>\n");
            for example in &fact.examples {
                let _ = writeln!(out, "<li>{}</li>", escaped(example));
            }
            out.push_str("</ul>\n");
        }
        out.push_str("</dd>\n");
    }
    out.push_str("</dl>\n");
    titled(out, &section.figures, &format!("{id}-figures"));
    plots(out, section.report, id);
    for (i, grid) in section.tables.iter().enumerate() {
        titled(out, grid, &format!("{id}-table-{}", i + 1));
    }
    out.push_str("</section>\n");
}

fn titled(out: &mut String, grid: &Grid, id: &str) {
    let _ = writeln!(out, "<h3 id=\"{id}\">{}</h3>", escaped(&grid.title));
    table(out, grid, id, "figures");
}

/// A table under the title of that id.
fn table(out: &mut String, grid: &Grid, id: &str, class: &str) {
    // A keyboard can scroll what it can focus.
    let _ = writeln!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}\">\n\
         <table class=\"{class}\" aria-labelledby=\"{id}\">\n<thead>"
    );
    head(out, &grid.columns);
    out.push_str("</thead>\n<tbody>\n");
    for row in &grid.rows {
        body_row(out, row, &grid.columns);
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

/// The titles; neighbours of one group stand under its name.
fn head(out: &mut String, columns: &[Column]) {
    let grouped = columns.iter().any(|column| column.group.is_some());
    let span = if grouped { " rowspan=\"2\"" } else { "" };
    out.push_str("<tr>");
    for group in columns.chunk_by(|a, b| a.group.is_some() && a.group == b.group) {
        match &group[0].group {
            Some(name) => {
                let _ = write!(
                    out,
                    "<th scope=\"colgroup\" colspan=\"{}\">{}</th>",
                    group.len(),
                    escaped(name)
                );
            }
            None => title(out, &group[0], span),
        }
    }
    out.push_str("</tr>\n");
    if grouped {
        out.push_str("<tr>");
        for column in columns.iter().filter(|column| column.group.is_some()) {
            title(out, column, "");
        }
        out.push_str("</tr>\n");
    }
}

fn title(out: &mut String, column: &Column, span: &str) {
    let class = if column.numbers { " class=\"n\"" } else { "" };
    let _ = write!(
        out,
        "<th scope=\"col\"{span}{class}>{}</th>",
        escaped(&column.title)
    );
}

fn body_row(out: &mut String, row: &Row, columns: &[Column]) {
    out.push_str(if row.published {
        "<tr class=\"published\">"
    } else {
        "<tr>"
    });
    for (i, (cell, column)) in row.cells.iter().zip(columns).enumerate() {
        let content = content(cell, row.published && i == 1);
        let (open, close) = match (i, column.numbers) {
            (0, _) => ("<th scope=\"row\">", "</th>"),
            (_, true) => ("<td class=\"n\">", "</td>"),
            (_, false) => ("<td>", "</td>"),
        };
        let _ = write!(out, "{open}{content}{close}");
    }
    out.push_str("</tr>\n");
}

fn content(cell: &Cell, badge: bool) -> String {
    let text = escaped(&cell.text);
    let text = if badge {
        format!("<span class=\"badge\">{text}</span>")
    } else {
        text
    };
    match &cell.aside {
        Some(aside) => format!("{text} <span class=\"aside\">{}</span>", escaped(aside)),
        None => text,
    }
}

fn plots(out: &mut String, report: &Report, id: &str) {
    if let Some(plot) = svg::forest(report, &format!("{id}-forest")) {
        let _ = writeln!(
            out,
            "<figure class=\"wide\">\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Figures, drawn\">\n\
             {plot}</div>\n<figcaption>Figures with their central 95 %; the dashed lines are the floors.</figcaption>\n\
             </figure>"
        );
    }
    let reliability = svg::reliability(&report.reliability, &format!("{id}-reliability"));
    let coverage = svg::coverage(report, &format!("{id}-coverage"));
    if reliability.is_none() && coverage.is_none() {
        return;
    }
    out.push_str("<div class=\"plots\">\n");
    if let Some(plot) = reliability {
        let _ = writeln!(
            out,
            "<figure>\n<h3>As often right as sure?</h3>\n{plot}<figcaption>How often the likelier side is right, by the \
             probability of it; the dashed line is perfect calibration. Below: how many judgements there are.</figcaption>\n\
             </figure>"
        );
    }
    if let Some(plot) = coverage {
        let beginning = if svg::is_shortened(&report.coverage) {
            " Fewer than 2 % are a handful of judgements and not drawn."
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<figure>\n<h3>Accuracy and coverage</h3>\n{plot}<figcaption>The accuracy when only the surest judgements are \
             kept; on the right all of them. Dashed: what the figures' floors are.{beginning}</figcaption>\n</figure>"
        );
    }
    out.push_str("</div>\n");
}
