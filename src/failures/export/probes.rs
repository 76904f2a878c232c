//! Reports of probes as files for others.

use std::fmt::Write as _;

use super::{Format, curves, rows};
use crate::data::export::markup::escaped;
use crate::data::export::markup::plain;
use crate::data::export::page::framed;
use crate::failures::AnalysisError;
use crate::failures::probe::{Estimate, FactorReport, Flips, Report, Verdict, Which};

const COLUMNS: [&str; 5] = ["step", "IF", "VQ", "overall", "candidates"];

/// The whole report. CSV has a row for each step and score, with numbers in full.
///
/// # Errors
///
/// Where it cannot be written as JSON, or there is nothing to draw.
pub fn render(report: &Report, format: Format) -> Result<String, AnalysisError> {
    Ok(match format {
        Format::Markdown => markdown(report),
        Format::Html => page(report),
        Format::Csv => table(report),
        Format::Json => {
            let mut text = serde_json::to_string_pretty(report)?;
            text.push('\n');
            text
        }
        Format::Svg => curves::alone(report)
            .ok_or_else(|| AnalysisError::Choice("no step of the probe has a score".into()))?,
    })
}

fn title(report: &Report) -> String {
    format!("How {} answers changes", report.model)
}

fn facts(report: &Report) -> Vec<(&'static str, String)> {
    let which = match report.which {
        Which::All => "",
        Which::Best => ", the best of each group",
    };
    let mut facts = vec![
        ("model", report.model.clone()),
        (
            "data",
            format!(
                "{} candidates of {} groups in {}{which}",
                report.candidates, report.groups, report.workspace
            ),
        ),
        (
            "response",
            format!(
                "the mean difference to the same candidates as they are; intervals are the central 95 % of {} resamples of groups, \
                 seed {}",
                report.resamples, report.seed
            ),
        ),
    ];
    if !report.trained {
        facts.push((
            "weights",
            "random: what this model says means nothing".into(),
        ));
    }
    if report.failed > 0 {
        facts.push(("without a score", format!("{} steps", report.failed)));
    }
    facts
}

/// What is said below a factor's table.
fn remarks(factor: &FactorReport) -> Vec<String> {
    let mut remarks = vec![factor.slope_in_words()];
    remarks.extend(factor.verdicts.iter().map(Verdict::marked));
    remarks.extend(factor.flips.as_ref().map(Flips::in_words));
    if factor.left_out > 0 {
        remarks.push(format!(
            "{} candidates have no curve: what it changes is not in them, or they got no score",
            factor.left_out
        ));
    }
    remarks
}

/// The cells of a factor's table.
fn cells(factor: &FactorReport) -> impl Iterator<Item = [String; 5]> {
    factor.steps.iter().map(|step| {
        let [a, b, c] = step.response.in_words();
        [step.words.clone(), a, b, c, step.candidates.to_string()]
    })
}

fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n", plain(&title(report)));
    for (term, text) in facts(report) {
        let _ = writeln!(out, "* {term}: {}", plain(&text));
    }
    for factor in &report.factors {
        let _ = write!(
            out,
            "\n## {}\n\nA step is {}. A faithful judge: {}.\n\n| {} |\n|---|---:|---:|---:|---:|\n",
            plain(&factor.words),
            plain(&factor.step),
            plain(&factor.faithful),
            COLUMNS.join(" | ")
        );
        for [words, numbers @ ..] in cells(factor) {
            let _ = writeln!(out, "| {} | {} |", plain(&words), numbers.join(" | "));
        }
        out.push('\n');
        for remark in remarks(factor) {
            let _ = writeln!(out, "* {}", plain(&remark));
        }
    }
    out
}

fn page(report: &Report) -> String {
    let mut out = String::new();
    for (number, factor) in report.factors.iter().enumerate() {
        let _ = writeln!(
            out,
            "<section>\n<h2>{}</h2>\n<p>A step is {}. A faithful judge: {}.</p>",
            escaped(&factor.words),
            escaped(&factor.step),
            escaped(&factor.faithful)
        );
        if let Some(plot) = curves::of_factor(factor, &format!("curves-{number}")) {
            let _ = writeln!(out, "<figure class=\"plot wide\">\n{plot}</figure>");
        }
        out.push_str("<div class=\"scroll\"><table>\n<thead><tr>");
        for (place, column) in COLUMNS.iter().enumerate() {
            let class = if place > 0 { " class=\"n\"" } else { "" };
            let _ = write!(out, "<th{class}>{column}</th>");
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        for cells in cells(factor) {
            out.push_str("<tr>");
            for (place, cell) in cells.iter().enumerate() {
                let class = if place > 0 { " class=\"n\"" } else { "" };
                let _ = write!(out, "<td{class}>{}</td>", escaped(cell));
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody>\n</table></div>\n<ul>\n");
        for remark in remarks(factor) {
            let _ = writeln!(out, "<li>{}</li>", escaped(&remark));
        }
        out.push_str("</ul>\n</section>\n");
    }
    framed(&title(report), &facts(report), &out)
}

fn table(report: &Report) -> String {
    let mut out =
        "model,factor,step,step_words,dose,score,response,low,high,candidates\r\n".to_owned();
    for factor in &report.factors {
        for step in &factor.steps {
            let of = &step.response;
            let scores = [
                ("if", of.instruction_following),
                ("vq", of.visual_quality),
                ("overall", of.overall),
            ];
            for (score, estimate) in scores {
                let Some(Estimate { value, interval }) = estimate else {
                    continue;
                };
                let number =
                    |number: Option<f64>| number.map_or_else(String::new, |n| n.to_string());
                let cells = [
                    rows::text(&report.model),
                    factor.factor.name().into(),
                    step.step.to_string(),
                    rows::text(&step.words),
                    number(step.dose),
                    score.into(),
                    value.to_string(),
                    number(interval.map(|ends| ends[0])),
                    number(interval.map(|ends| ends[1])),
                    step.candidates.to_string(),
                ];
                out.push_str(&cells.join(","));
                out.push_str("\r\n");
            }
        }
    }
    out
}
