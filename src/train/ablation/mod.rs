//! Ablations: one plan, some of its settings varied, each variant trained from several seeds and held against the first.
//!
//! [`Grid`] is what a person writes; [`Grid::trials`] the plans that follow from it; [`Comparison`] what came of their runs.

mod comparison;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use comparison::{Comparison, Estimate, Outcome, Standing};

use super::plan::{Plan, PlanError};

/// What is varied, and around what.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// What the ablation is called; by itself the file's name.
    #[serde(default)]
    pub name: String,
    /// The plan that all variants share; a relative path starts at the grid's folder.
    pub plan: PathBuf,
    /// What chance is drawn from: a run for each; none: the plan's own.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// Which variants there are.
    #[serde(default)]
    pub combine: Combine,
    /// What is varied; the first choice of each is the one that the others are held against.
    pub vary: Vec<Factor>,
}

/// Which variants a grid has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// The first choices, and each other choice alone against them: as a paper's ablation table.
    #[default]
    OneByOne,
    /// Every choice with every other.
    All,
}

/// Something that is varied: either a key of the plan and its values, or named choices that set several keys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// A dotted key of the plan, such as "loss.kind".
    #[serde(default)]
    key: Option<String>,
    /// Its values.
    #[serde(default)]
    values: Vec<toml::Value>,
    /// Choices by name.
    #[serde(default)]
    choices: Vec<Choice>,
}

/// A named choice.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the table calls it.
    name: String,
    /// Dotted keys of the plan and their values; none: as the plan has it.
    #[serde(default)]
    set: toml::Table,
}

impl Factor {
    /// Each choice's name and changes.
    fn settled(&self) -> Result<Vec<(String, Vec<String>)>, String> {
        let change = |key: &str, value: &toml::Value| format!("{key}={value}");
        let all: Vec<_> = match (&self.key, self.values.as_slice(), self.choices.as_slice()) {
            (Some(key), values @ [_, ..], []) => {
                let bare = |value: &toml::Value| match value {
                    toml::Value::String(word) => word.clone(),
                    other => other.to_string(),
                };
                let name = |value| format!("{key} {}", bare(value));
                values
                    .iter()
                    .map(|value| (name(value), vec![change(key, value)]))
                    .collect()
            }
            (None, [], choices @ [_, ..]) => choices
                .iter()
                .map(|choice| {
                    let set = choice.set.iter().map(|(key, value)| change(key, value));
                    (choice.name.clone(), set.collect())
                })
                .collect(),
            _ => {
                return Err("each [[vary]] has a key with values, or choices (each a name and what it sets)".into());
            }
        };
        if all.len() < 2 {
            return Err(format!(
                "'{}' is the only choice of its [[vary]]; nothing varies",
                all[0].0
            ));
        }
        Ok(all)
    }
}

/// A variant and a seed: one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Which of the grid's [variants](Grid::variants).
    pub variant: usize,
    /// What chance is drawn from.
    pub seed: u64,
    /// The plan.
    pub plan: Plan,
}

/// A variant: its name, and its changes to the plan, each "key=value".
type Variant = (String, Vec<String>);

impl Grid {
    /// Reads the grid at `file`.
    pub fn read(file: &Path) -> Result<Self, PlanError> {
        let text = std::fs::read_to_string(file).map_err(|e| PlanError::Unreadable {
            file: file.to_owned(),
            reason: e.to_string(),
        })?;
        let invalid = |line: usize, reason: String| PlanError::Invalid {
            file: file.to_owned(),
            line,
            reason,
        };
        let mut grid: Self = toml::from_str(&text).map_err(|e| {
            let start = e.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text[..start].matches('\n').count();
            invalid(line, e.message().replace('`', "'"))
        })?;
        if grid.vary.is_empty() {
            return Err(invalid(1, "nothing is varied: write a [[vary]]".into()));
        }
        let mut headers = text
            .lines()
            .enumerate()
            .filter_map(|(i, line)| line.trim_start().starts_with("[[vary]]").then_some(i + 1));
        for factor in &grid.vary {
            let line = headers.next().unwrap_or(1);
            factor.settled().map_err(|reason| invalid(line, reason))?;
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        grid.plan = folder.join(&grid.plan);
        if grid.name.is_empty() {
            let stem = file.file_stem().unwrap_or_default();
            grid.name = stem.to_string_lossy().into_owned();
        }
        let mut seeds = grid.seeds.clone();
        seeds.sort_unstable();
        seeds.dedup();
        if seeds.len() < grid.seeds.len() {
            return Err(invalid(1, "seeds: one of them is there twice".into()));
        }
        Ok(grid)
    }

    /// The names of the variants, the one that others are held against first.
    pub fn variants(&self) -> Vec<String> {
        self.combined().into_iter().map(|(name, _)| name).collect()
    }

    fn combined(&self) -> Vec<Variant> {
        // A grid that was read has no other.
        let factors: Vec<Vec<Variant>> =
            self.vary.iter().filter_map(|f| f.settled().ok()).collect();
        let join = |parts: &[&Variant]| -> Variant {
            let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
            let changes = parts.iter().flat_map(|(_, changes)| changes.clone());
            (names.join(", "), changes.collect())
        };
        match self.combine {
            Combine::All => {
                let mut all: Vec<Vec<&Variant>> = vec![Vec::new()];
                for factor in &factors {
                    all = all
                        .into_iter()
                        .flat_map(|parts| {
                            factor
                                .iter()
                                .map(move |choice| [&parts[..], &[choice]].concat())
                        })
                        .collect();
                }
                all.iter().map(|parts| join(parts)).collect()
            }
            Combine::OneByOne => {
                let firsts: Vec<&Variant> = factors.iter().map(|choices| &choices[0]).collect();
                let mut all = vec![join(&firsts)];
                for (i, factor) in factors.iter().enumerate() {
                    for choice in &factor[1..] {
                        let mut parts = firsts.clone();
                        parts[i] = choice;
                        // What is as in the first row goes without saying.
                        all.push((choice.0.clone(), join(&parts).1));
                    }
                }
                all
            }
        }
    }

    /// All runs, seed by seed, so that a first answer for every variant is there early.
    pub fn trials(&self) -> Result<Vec<Trial>, PlanError> {
        let shared = Plan::read(&self.plan, &[])?;
        let own = shared.seed;
        // All are measured on the same groups.
        let split = shared.data.split_seed.unwrap_or(own);
        let seeds = if self.seeds.is_empty() {
            vec![own]
        } else {
            self.seeds.clone()
        };
        let mut trials = Vec::new();
        for seed in seeds {
            for (variant, (name, changes)) in self.combined().into_iter().enumerate() {
                let of_all = [format!("data.split_seed={split}"), format!("seed={seed}")];
                let changes = [&of_all[..], &changes].concat();
                let mut plan = Plan::read(&self.plan, &changes)?;
                plan.name = format!("{}: {name}, seed {seed}", self.name);
                // A variant is for its row of the table; its model stays in the run's folder.
                plan.register = false;
                trials.push(Trial {
                    variant,
                    seed,
                    plan,
                });
            }
        }
        Ok(trials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(text: &str) -> Result<Grid, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("plan.toml"), "seed = 9\n").unwrap();
        let file = dir.path().join("losses.toml");
        std::fs::write(&file, format!("plan = 'plan.toml'\n{text}")).unwrap();
        let read = Grid::read(&file).map_err(|e| e.to_string())?;
        // The plans are read while the folder is there.
        read.trials().map_err(|e| e.to_string())?;
        Ok(read)
    }

    const TWO: &str = "
        [[vary]]
        key = 'loss.kind'
        values = ['uncertainty', 'regression']
        [[vary]]
        choices = [{name = 'hard', set = {'pairs.labels' = 'hard'}}, {name = 'soft', set = {'pairs.labels' = 'soft'}}, \
                   {name = 'as it is'}]";

    #[test]
    fn one_by_one_each_other_choice_stands_alone_against_the_first_row() {
        let grid = grid(TWO).unwrap();
        assert_eq!(grid.name, "losses");
        let wanted = [
            "loss.kind uncertainty, hard",
            "loss.kind regression",
            "soft",
            "as it is",
        ];
        assert_eq!(grid.variants(), wanted);
    }

    #[test]
    fn all_has_every_choice_with_every_other() {
        let grid = grid(&format!("combine = 'all'\n{TWO}")).unwrap();
        assert_eq!(grid.variants().len(), 6);
        assert_eq!(grid.variants()[4], "loss.kind regression, soft");
    }

    #[test]
    fn a_trial_is_the_plan_with_its_changes_its_seed_and_a_name_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("p.toml"), "seed = 9\nregister = true\n").unwrap();
        let file = dir.path().join("g.toml");
        std::fs::write(&file, format!("plan = 'p.toml'\nseeds = [1, 2]\n{TWO}")).unwrap();
        let trials = Grid::read(&file).unwrap().trials().unwrap();
        assert_eq!(trials.len(), 8);
        let sixth = &trials[5];
        assert_eq!((sixth.variant, sixth.seed, sixth.plan.seed), (1, 2, 2));
        assert_eq!(sixth.plan.data.split_seed, Some(9));
        assert_eq!(
            sixth.plan.loss.kind,
            crate::train::plan::LossKind::Regression
        );
        assert_eq!(sixth.plan.name, "g: loss.kind regression, seed 2");
        assert!(!sixth.plan.register);
    }

    #[test]
    fn what_is_wrong_with_a_grid_is_told_with_its_line() {
        for (text, wanted) in [
            ("", "missing field 'vary'"),
            (
                "[[vary]]\nkey = 'loss.kind'\n",
                "losses.toml:2: each [[vary]] has a key with values",
            ),
            (
                "[[vary]]\nkey = 'seed'\nvalues = [1]\n",
                "losses.toml:2: 'seed 1' is the only choice",
            ),
            ("[[vary]]\nkey = 'loss.king'\nvalues = [1, 2]\n", "king"),
            (
                "seeds = [1, 1]\n[[vary]]\nkey = 'loss.k'\nvalues = [2.0, 3.0]\n",
                "twice",
            ),
        ] {
            let error = grid(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
