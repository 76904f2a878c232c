//! The plan of an experiment, as its file has it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::ExternalCommand;
use crate::curate::{By, CurateError, Cut, Recipe};

/// What is compared: selections by one recipe, cut in several ways, each put through the same steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What it is called; selections are called so with a number behind.
    pub name: String,
    /// How candidates are chosen, but for the cut.
    #[serde(default)]
    pub recipe: Recipe,
    /// The cuts.
    #[serde(rename = "arm")]
    pub arms: Vec<ArmPlan>,
    /// The format of the file that a selection becomes.
    #[serde(default = "format")]
    pub format: String,
    /// What is done with each, one after the other.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// What of that which the steps measure the table shows; all of it, where none is named.
    #[serde(default)]
    pub metrics: Vec<String>,
}

fn format() -> String {
    "sharegpt-4o-image".into()
}

/// A cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmPlan {
    /// How many are kept.
    pub cut: Cut,
    /// What is ranked by, where it is not what the recipe says.
    #[serde(default)]
    pub by: Option<By>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What it is called: "finetune", "evaluate".
    pub name: String,
    /// The program and its arguments, with placeholders. Left out, it is `[commands.NAME]` of the settings.
    #[serde(default)]
    pub command: Vec<String>,
    /// What is added to its environment, with placeholders.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The folder into which it writes files with measurements, with placeholders.
    #[serde(default)]
    pub follow: Option<String>,
}

impl Plan {
    /// Reads a plan; commands that it leaves out are those of the settings.
    ///
    /// # Errors
    /// Where the file cannot be read, is no plan, or names a command that there is none of.
    pub fn read(
        path: &Path,
        commands: &BTreeMap<String, ExternalCommand>,
    ) -> Result<Self, CurateError> {
        let wrong = |why: String| CurateError::Choice(format!("'{}': {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let mut plan: Self = toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |s| {
                1 + text[..s.start.min(text.len())].matches('\n').count()
            });
            wrong(format!("line {line}: {}", e.message().replace('`', "'")))
        })?;
        if plan.arms.is_empty() || plan.steps.is_empty() {
            return Err(wrong(
                "an experiment has at least one [[arm]] and one [[step]]".into(),
            ));
        }
        if plan.name.trim().is_empty() || plan.name.contains(['@', '/', '\\']) {
            return Err(wrong("the name is empty, or has '@' or '/' in it".into()));
        }
        for step in &mut plan.steps {
            if step.command.is_empty() {
                let known = commands.get(&step.name).ok_or_else(|| {
                    wrong(format!(
                        "step '{0}' has no command, and the settings have no [commands.{0}]",
                        step.name
                    ))
                })?;
                step.command.clone_from(&known.command);
                step.follow = step.follow.take().or_else(|| known.follow.clone());
                for (name, value) in &known.environment {
                    let own = step.environment.entry(name.clone());
                    own.or_insert_with(|| value.clone());
                }
            }
            if step.command.is_empty() {
                return Err(wrong(format!("step '{}' has an empty command", step.name)));
            }
        }
        for arm in 0..plan.arms.len() {
            plan.recipe_of(arm).check()?;
        }
        Ok(plan)
    }

    /// The recipe of an arm.
    pub fn recipe_of(&self, arm: usize) -> Recipe {
        let ArmPlan { cut, by } = &self.arms[arm];
        Recipe {
            cut: *cut,
            by: by.unwrap_or(self.recipe.by),
            ..self.recipe.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Plan, CurateError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("plan.toml");
        std::fs::write(&path, text).unwrap();
        let known = ExternalCommand {
            command: vec!["tune".into(), "{export}".into()],
            environment: BTreeMap::from([("SEED".into(), "1".into())]),
            follow: None,
        };
        Plan::read(&path, &BTreeMap::from([("finetune".to_owned(), known)]))
    }

    const PLAN: &str = "name = 'table'\n[recipe]\nsigmas = 1.0\n[[arm]]\ncut = { top = 40 }\n[[arm]]\ncut = { top = 40 }\nby = 'random'\n[[arm]]\ncut = 'all'\n[[step]]\nname = 'finetune'\n";

    #[test]
    fn arms_share_the_recipe_and_steps_come_from_the_settings_where_they_have_no_command() {
        let plan = read(PLAN).unwrap();
        assert_eq!(plan.arms.len(), 3);
        assert_eq!(
            plan.recipe_of(0).words(),
            "the top 40 by overall, mean − 1 sigma"
        );
        assert_eq!(plan.recipe_of(1).by, By::Random);
        assert_eq!(plan.steps[0].command, ["tune", "{export}"]);
        assert_eq!(plan.steps[0].environment["SEED"], "1");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str, told: &str| {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        };
        wrong(&PLAN.replace("'finetune'", "'other'"), "[commands.other]");
        wrong(&PLAN.replace("top = 40", "topp = 40"), "line 5");
        wrong("name = 'x'\narm = []\nstep = []\n", "at least one");
        wrong(&PLAN.replace("'table'", "'a@1'"), "'@'");
        wrong(&PLAN.replacen("top = 40", "top = 0", 1), "at least 1");
    }
}
