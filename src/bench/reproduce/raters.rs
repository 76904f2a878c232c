//! ImagenHub's raters: people against each other, and the judges that VIEScore recorded against people.

use std::path::Path;

use super::Cells;
use super::cells::{missing, put};
use crate::bench::answer::Said;
use crate::bench::case::Dataset;
use crate::bench::error::BenchError;
use crate::bench::protocols::raters::{Aspect, Raters, TASK, imagenhub_tables};
use crate::bench::protocols::sources;
use crate::domain::stats::{Level, fleiss_kappa, krippendorff_alpha, spearman};

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// tanh of the mean of atanh.
fn fisher(values: &[f64]) -> f64 {
    mean(&values.iter().map(|v| v.atanh()).collect::<Vec<_>>()).tanh()
}

/// ImagenHub, text-guided editing: the judges that VIEScore recorded, and people against each other.
pub(super) fn judges(data: &Path, cells: &mut Cells) -> Result<(), BenchError> {
    let raters = Raters::read(data, TASK)?;
    if raters.files.is_empty() {
        return Err(missing(
            "raters' tables Text-Guided_IE_rater1.tsv to 3, as in ImagenHub and VIEScore",
            data,
        ));
    }
    for aspect in Aspect::ALL {
        people(&raters, aspect, cells);
    }
    let set = imagenhub_tables(data)?;
    let mut judges: Vec<&String> = set.cases.iter().flat_map(|c| c.recorded.keys()).collect();
    judges.sort_unstable();
    judges.dedup();
    for judge in judges {
        for aspect in Aspect::ALL {
            let at = format!("imagenhub_text_guided_ie_judges/{judge}/{}", aspect.name());
            let mut all = Vec::new();
            for editor in raters.ranked() {
                let (mut said, mut human) = (Vec::new(), Vec::new());
                for (row, input) in raters.inputs.iter().enumerate() {
                    let score = recorded(&set, input, judge, &raters.editors[editor]);
                    let rated = raters.mean(editor, row, aspect);
                    if let (Some(score), Some(rated)) = (score, rated) {
                        said.push(match aspect {
                            Aspect::Overall => score.0,
                            Aspect::Sc => score.1[0].trunc(),
                            // The published code cuts a judge's scores to whole numbers; one of them, 8.5, is none.
                            Aspect::Pq => score.1[1].trunc(),
                        });
                        human.push(rated);
                    }
                }
                let rho = spearman(&said, &human);
                put(
                    cells,
                    &format!("{at}/per_model/{}", raters.editors[editor]),
                    rho,
                );
                all.extend(rho.ok());
            }
            cells.insert(format!("{at}/mean"), Some(mean(&all)));
            cells.insert(format!("{at}/fisher"), Some(fisher(&all)));
            cells.insert(format!("{at}/tanh_of_mean"), Some(mean(&all).tanh()));
        }
        let at = format!("imagenhub_text_guided_ie_judges/{judge}/O/tanh_of_mean_ties_split");
        cells.insert(at, Some(unrounded(&raters, &set, judge)));
    }
    Ok(())
}

/// The published form of a judge's O as the published code computes it, nothing rounded before ranking: values that are equal in
/// exact arithmetic differ in their last bit, and ties are split by that.
fn unrounded(raters: &Raters, set: &Dataset, judge: &str) -> f64 {
    let mut all = Vec::new();
    for editor in raters.ranked() {
        let (mut said, mut human) = (Vec::new(), Vec::new());
        for (row, input) in raters.inputs.iter().enumerate() {
            let rated = &raters.cells[editor][row];
            let score = recorded(set, input, judge, &raters.editors[editor]);
            if let (Some((_, axes)), false) = (score, rated.is_empty()) {
                let [sc, pq] = axes.map(|v| (v.trunc() / 10.0).clamp(0.0, 1.0));
                said.push((sc * pq).sqrt());
                let each = rated.iter().map(|[sc, pq]| (sc * pq).sqrt());
                human.push(each.sum::<f64>() / rated.len() as f64);
            }
        }
        all.extend(spearman(&said, &human).ok());
    }
    mean(&all).tanh()
}

/// A recorded judge's O, and its SC and PQ.
fn recorded(set: &Dataset, input: &str, judge: &str, editor: &str) -> Option<(f64, [f64; 2])> {
    let case = set.cases.iter().find(|case| case.id == input)?;
    let Said::Scores(scores) = case.recorded.get(judge)? else {
        return None;
    };
    let at = case
        .edits
        .iter()
        .position(|edit| edit.editor.as_deref() == Some(editor))?;
    let score = (*scores.get(at)?)?;
    Some((score.value, score.axes?))
}

/// Each rater against the mean of the others.
fn people(raters: &Raters, aspect: Aspect, cells: &mut Cells) {
    let at = format!("imagenhub_human_to_human/{}", aspect.name());
    let (mut plain, mut tanhs, mut fishers) = (Vec::new(), Vec::new(), Vec::new());
    for editor in raters.ranked() {
        let name = &raters.editors[editor];
        let units = raters.units(editor, aspect);
        let mut rhos = Vec::new();
        for rater in 0..3 {
            let (mut one, mut others) = (Vec::new(), Vec::new());
            for unit in units.iter().filter(|unit| unit.len() == 3) {
                one.push(unit[rater]);
                let sum: f64 = (0..3).filter(|r| *r != rater).map(|r| unit[r]).sum();
                others.push(sources::rounded(sum / 2.0));
            }
            let rho = spearman(&one, &others);
            put(
                cells,
                &format!("{at}/per_model_per_rater_rho/{name}[{rater}]"),
                rho,
            );
            rhos.extend(rho.ok());
        }
        cells.insert(
            format!("{at}/per_model_tanh_mean/{name}"),
            Some(mean(&rhos).tanh()),
        );
        plain.push(mean(&rhos));
        tanhs.push(mean(&rhos).tanh());
        fishers.push(fisher(&rhos));
    }
    cells.insert(format!("{at}/plain_mean_rho"), Some(mean(&plain)));
    cells.insert(format!("{at}/fisher_of_fisher"), Some(fisher(&fishers)));
    cells.insert(
        format!("{at}/published_style_double_tanh"),
        Some(mean(&tanhs).tanh()),
    );
}

/// How far ImagenHub's raters agree, an editor and an aspect at a time, and pooled.
pub(super) fn agreement(data: &Path, cells: &mut Cells) -> Result<(), BenchError> {
    let raters = Raters::read(data, TASK)?;
    if raters.files.is_empty() {
        // The part before says so.
        return Ok(());
    }
    for aspect in Aspect::ALL {
        let mut pooled = Vec::new();
        for (editor, name) in raters.editors.iter().enumerate() {
            let units = raters.units(editor, aspect);
            let at = format!(
                "imagenhub_agreement/Text-Guided_IE/{name}/{}",
                aspect.name()
            );
            for (level, key) in [
                (Level::Interval, "alpha_interval"),
                (Level::Nominal, "alpha_nominal"),
                (Level::Ordinal, "alpha_ordinal"),
            ] {
                put(
                    cells,
                    &format!("{at}/{key}"),
                    krippendorff_alpha(&units, level),
                );
            }
            put(cells, &format!("{at}/fleiss_kappa"), fleiss_kappa(&units));
            let of_rater = |rater: usize| {
                let all: Vec<f64> = units.iter().filter_map(|u| u.get(rater).copied()).collect();
                mean(&all)
            };
            let means = [0, 1, 2].map(of_rater);
            let middle = mean(&means);
            let spread = mean(&means.map(|m| (m - middle).powi(2))).sqrt();
            cells.insert(format!("{at}/mean"), Some(middle));
            cells.insert(format!("{at}/std_of_rater_means"), Some(spread));
            if raters.ranked().contains(&editor) {
                pooled.extend(units);
            }
        }
        let at = format!(
            "imagenhub_agreement_pooled_8_editors_1432_items/{}",
            aspect.name()
        );
        put(cells, &format!("{at}/fleiss_kappa"), fleiss_kappa(&pooled));
        let alpha = krippendorff_alpha(&pooled, Level::Ordinal);
        put(cells, &format!("{at}/alpha_ordinal"), alpha);
    }
    Ok(())
}
