//! `erw synth`: groups of one's own, from photos, by chance or by a recipe.

use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;

use super::args::SynthArgs;
use super::exit::Exit;
use super::print;
use super::progress::{Progress, Unit};
use crate::synth::procedural::{self, Ceiling, Choice};
use crate::synth::{Options, Recipe, Report, generate};

/// Makes the data; the report names what was written.
pub(super) fn run(args: &SynthArgs) -> anyhow::Result<Exit> {
    match &args.recipe {
        Some(recipe) => by_recipe(args, recipe),
        None => by_chance(args),
    }
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    report: Report,
    ceiling: Ceiling,
}

fn by_chance(args: &SynthArgs) -> anyhow::Result<Exit> {
    let groups = args.groups.unwrap_or(procedural::DEFAULT_GROUPS);
    let options = Options {
        seed: args.seed,
        groups: Some(groups),
        long_side: args.long_side.unwrap_or(procedural::DEFAULT_LONG_SIDE),
    };
    let choice = Choice {
        only: args.only.as_deref().map_or(Ok(Vec::new()), names)?,
        except: args.except.as_deref().map_or(Ok(Vec::new()), names)?,
        no_masks: args.no_masks,
    };
    let mut bar = Progress::new("making groups", Unit::Groups, groups as u64);
    let (report, ceiling) =
        procedural::generate(&args.photos, &choice, &args.out, options, &mut |p| {
            bar.set(p.done as u64, p.total as u64);
        })?;
    drop(bar);
    if args.answer.json {
        print::json(&Answer { report, ceiling })?;
    } else {
        let percent =
            |v: Option<f64>| v.map_or("undefined".into(), |v| format!("{:.1} %", 100.0 * v));
        print::out(&format!(
            "{}\nideal scores agree with the labels on pairs that differ: IF {}, VQ {}",
            summary(&report, &args.out),
            percent(ceiling.following),
            percent(ceiling.looks),
        ))?;
    }
    Ok(Exit::Done)
}

fn by_recipe(args: &SynthArgs, recipe: &Path) -> anyhow::Result<Exit> {
    let recipe = if recipe == Path::new("sample") {
        Recipe::built_in()?
    } else {
        let text = std::fs::read_to_string(recipe)
            .with_context(|| format!("cannot read the recipe '{}'", recipe.display()))?;
        Recipe::parse(&text).with_context(|| format!("recipe '{}'", recipe.display()))?
    };
    let options = Options {
        seed: args.seed,
        groups: args.groups,
        long_side: args.long_side.unwrap_or(Options::default().long_side),
    };
    let groups = args.groups.unwrap_or(recipe.len()) as u64;
    let mut bar = Progress::new("making groups", Unit::Groups, groups);
    let report = generate(&recipe, &args.photos, &args.out, options, &mut |p| {
        bar.set(p.done as u64, p.total as u64);
    })?;
    drop(bar);
    if args.answer.json {
        print::json(&report)?;
    } else {
        print::out(&summary(&report, &args.out))?;
    }
    Ok(Exit::Done)
}

fn summary(report: &Report, out: &Path) -> String {
    let alpha = |a: Option<f64>| a.map_or("undefined".into(), |a| format!("{a:.2}"));
    format!(
        "{} groups with {} candidates from {} photos in '{}' ({:.1} MB)\n\
         agreement of the simulated annotators (Krippendorff's ordinal alpha): IF {}, VQ {}",
        report.groups,
        report.candidates,
        report.photos,
        out.display(),
        report.bytes as f64 / 1e6,
        alpha(report.alpha_following),
        alpha(report.alpha_quality),
    )
}

/// The names in a file, one a line, where there is a file of that name; else those between the commas.
fn names(list: &str) -> anyhow::Result<Vec<String>> {
    let text = if Path::new(list).is_file() {
        std::fs::read_to_string(list)
            .with_context(|| format!("cannot read the names in '{list}'"))?
    } else {
        list.replace(',', "\n")
    };
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_line_or_from_a_file() {
        assert_eq!(names("a, b,,c").unwrap(), ["a", "b", "c"]);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "cat\n\n dog \n").unwrap();
        let path = file.path().to_str().unwrap();
        assert_eq!(names(path).unwrap(), ["cat", "dog"]);
    }
}
