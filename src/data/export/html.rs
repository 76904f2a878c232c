//! A contact sheet: one HTML file with the pictures in it, for eyes, mail and meetings.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;

use super::markup::escaped;
use super::{Export, ExportFormat, ExportReport};
use crate::data::images::{ImageError, decode, fit, jpeg, read};
use crate::domain::{Axis, Candidate, Group, HumanScore, ImageRef, human_scores};

pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "html",
    title: "a contact sheet with the pictures in it, one file",
    ending: "html",
    says_simulated: true,
    write: |export, report, mut out| {
        out.write_all(HEAD.as_bytes())?;
        let limit = export.options.limit.unwrap_or(GROUPS);
        let mut beyond = 0;
        export.each(|group| {
            if report.groups >= limit {
                beyond += 1;
                return Ok(());
            }
            report.groups += 1;
            report.records += group.candidates.len();
            out.write_all(section(export, report, &group).as_bytes())?;
            Ok(())
        })?;
        if beyond > 0 {
            let more = format!(
                "<p>{beyond} more groups are not shown; --limit shows more than {limit}.</p>\n"
            );
            out.write_all(more.as_bytes())?;
        }
        out.write_all(b"</body></html>\n")?;
        Ok(out)
    },
};

/// So many groups are shown where no limit is given: about 20 MB.
const GROUPS: usize = 200;
/// The longer side of a picture, in pixels.
const SIDE: u32 = 256;
/// JPEG quality.
const QUALITY: u8 = 80;

const HEAD: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>erw contact sheet</title><style>
:root { color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }
body { max-width: 1400px; margin: 2rem auto; padding: 0 1rem; }
section { margin: 0 0 2rem; border-top: 1px solid #8886; padding-top: 1rem; }
h2 { font-size: 1rem; margin: 0 0 .2rem; } small { opacity: .7; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: .6rem; }
figure { margin: 0; width: 256px; } img { max-width: 100%; display: block; }
figcaption { font-size: .85rem; margin-top: .3rem; } .none { opacity: .7; font-style: italic; }
</style></head><body>
";

fn section(export: &Export<'_>, report: &mut ExportReport, group: &Group) -> String {
    let mut html = format!("<section><h2>{}</h2><small>", escaped(&group.instruction));
    let mut facts = vec![group.key.as_str()];
    facts.extend(group.category.as_deref());
    facts.extend(group.split.as_deref());
    html.push_str(&escaped(&facts.join(" · ")));
    html.push_str("</small><div class=\"row\">");
    if !group.source.is_none() {
        figure(export, report, group, &group.source, "source", &mut html);
    }
    let human = human_scores(&group.candidates);
    for (candidate, human) in group.candidates.iter().zip(&human) {
        let words = caption(candidate, human);
        figure(export, report, group, &candidate.image, &words, &mut html);
    }
    html.push_str("</div></section>\n");
    html
}

fn caption(candidate: &Candidate, human: &HumanScore) -> String {
    let mut words = candidate.key.clone();
    if let Some(editor) = candidate.editor.as_ref().filter(|e| **e != candidate.key) {
        let _ = write!(words, " · {editor}");
    }
    for axis in Axis::ALL {
        if let Some(score) = human.on(axis) {
            let _ = write!(words, " · {} {score:.2}", axis.key().to_uppercase());
        }
    }
    if !candidate.labels.is_empty() && candidate.labels.iter().all(|l| l.simulated) {
        words.push_str(" (simulated)");
    }
    words
}

fn figure(
    export: &Export<'_>,
    report: &mut ExportReport,
    group: &Group,
    image: &ImageRef,
    caption: &str,
    html: &mut String,
) {
    let picture = data_url(export.workspace.root(), image, SIDE);
    let caption = escaped(caption);
    let shown = match picture {
        Ok(data) => format!("<img alt=\"{caption}\" src=\"{data}\">"),
        Err(error) => {
            let why = escaped(&error.to_string());
            report.lacks(&group.key, &error);
            format!("<div class=\"none\">{why}</div>")
        }
    };
    let _ = write!(
        html,
        "<figure>{shown}<figcaption>{caption}</figcaption></figure>"
    );
}

/// A picture as the address of itself: JPEG in base64, no longer than `side` pixels on either side.
pub fn data_url(root: &Path, image: &ImageRef, side: u32) -> Result<String, ImageError> {
    let picture = decode(&read(root, image)?)?;
    let bytes = jpeg(&fit(&picture, side, side), QUALITY)?;
    let written = base64::engine::general_purpose::STANDARD.encode(bytes);
    Ok(format!("data:image/jpeg;base64,{written}"))
}
