//! Every test as a row of comma-separated values (RFC 4180). Numbers are those of the report, in full; an undefined one is an empty
//! field.

use crate::domain::text::printable;
use crate::failures::analysis::{Figure, Report};

const HEAD: &str = "model,judged,measure,measure_unit,n,groups,mean,sd,unit,per_sd,per_sd_low,per_sd_high,per_unit,per_unit_low,\
                    per_unit_high,exact_labels,spearman,spearman_low,spearman_high,partial,partial_low,partial_high,p,p_holm,q,named";

pub(super) fn table(report: &Report) -> String {
    let mut out = format!("{HEAD}\r\n");
    for effect in &report.effects {
        let is = |e: &crate::failures::analysis::Effect| {
            (e.judged, e.measure) == (effect.judged, effect.measure)
        };
        let named = report.biases.iter().any(|bias| is(&bias.effect));
        let mut cells = vec![
            text(&report.model.name),
            effect.judged.key().into(),
            effect.measure.name().into(),
            text(effect.measure.about().unit),
            effect.n.to_string(),
            effect.groups.to_string(),
            effect.mean.to_string(),
            effect.sd.to_string(),
            text(effect.unit.words()),
        ];
        cells.extend(figure(&effect.per_sd));
        cells.extend(figure(&effect.per_unit));
        cells.push(number(effect.exact_labels));
        cells.extend(figure(&effect.spearman));
        cells.extend(figure(&effect.partial));
        cells.extend([effect.p, effect.p_holm, effect.q].map(|p| p.to_string()));
        cells.push(named.to_string());
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

fn figure(figure: &Figure) -> [String; 3] {
    let ends = figure.interval;
    [figure.value, ends.map(|e| e[0]), ends.map(|e| e[1])].map(number)
}

fn number(value: Option<f64>) -> String {
    let finite = value.filter(|v| v.is_finite());
    finite.map_or_else(String::new, |v| v.to_string())
}

/// A field that calculates nothing, quoted where it has to be.
pub(super) fn text(text: &str) -> String {
    let mut text = printable(text).into_owned();
    if text.trim_start().starts_with(['=', '+', '-', '@']) {
        text.insert(0, '\'');
    }
    if text.contains([',', '"']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}
