//! `erw synth`: sample data of one's own, from photos and a recipe.

use anyhow::Context as _;

use super::args::SynthArgs;
use super::exit::Exit;
use super::print;
use super::progress::{Progress, Unit};
use crate::synth::{Options, Recipe, generate};

/// Makes the data; the report names what was written.
pub(super) fn run(args: &SynthArgs) -> anyhow::Result<Exit> {
    let recipe = match &args.recipe {
        None => Recipe::built_in()?,
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the recipe '{}'", file.display()))?;
            Recipe::parse(&text).with_context(|| format!("recipe '{}'", file.display()))?
        }
    };
    let options = Options {
        seed: args.seed,
        groups: args.groups,
        long_side: args.long_side,
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
        let alpha = |a: Option<f64>| a.map_or("undefined".into(), |a| format!("{a:.2}"));
        print::out(&format!(
            "{} groups with {} candidates from {} photos in '{}' ({:.1} MB)\n\
             agreement of the simulated annotators (Krippendorff's ordinal alpha): IF {}, VQ {}",
            report.groups,
            report.candidates,
            report.photos,
            args.out.display(),
            report.bytes as f64 / 1e6,
            alpha(report.alpha_following),
            alpha(report.alpha_quality),
        ))?;
    }
    Ok(Exit::Done)
}
