//! What is missing: for every chosen group, each editor and seed that it has no candidate by.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::error::GenerateError;
use super::ledger::Known;
use crate::config::EditorSettings;
use crate::data::Workspace;
use crate::domain::GroupId;

/// Which groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Only these, by name.
    pub names: Option<HashSet<String>>,
    /// Only those of this part of the data.
    pub split: Option<String>,
    /// Only those that came with this data set.
    pub set: Option<String>,
}

/// A candidate that a group lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Missing {
    pub(super) group: GroupId,
    /// Its place in the list of editors.
    pub(super) editor: usize,
    pub(super) seed: u64,
}

/// A group that lacks something, while it is worked on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Candidates that are wanted and there, by place of editor and seed.
    pub(super) present: Vec<(usize, u64)>,
    /// So many are neither made nor failed yet.
    pub(super) open: usize,
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) counts: Counts,
    /// An image of each was made before, by what `made.jsonl` says, in the order of groups.
    pub(super) on_disk: Vec<Missing>,
    /// An editor each, in the order of groups.
    pub(super) to_make: Vec<Vec<Missing>>,
    pub(super) lacking: HashMap<GroupId, Lacking>,
    /// Of those with an image, how many the run has heard of.
    pub(super) again: usize,
}

/// Candidates by group, editor and seed.
pub(super) type Keys = HashSet<(String, String, u64)>;

/// What is to be done, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Chosen groups.
    pub groups: usize,
    /// Of these, how many have no source image, so that nothing can be made of them.
    pub without_source: usize,
    /// Of these, how many lack nothing.
    pub complete: usize,
    /// Wanted candidates that are in the workspace.
    pub present: usize,
    /// Candidates that are missing, and an image of which was made before.
    pub on_disk: usize,
    /// Candidates to make, by editor.
    pub to_make: BTreeMap<String, usize>,
}

impl Counts {
    /// Candidates to make in all.
    pub fn missing(&self) -> usize {
        self.to_make.values().sum()
    }
}

/// Looks at every group; `sample` is how many candidates of a group are enough, `made` what there is an image of, `answered` what
/// the run made or took up before.
pub(super) fn plan(
    workspace: &Workspace,
    (chosen, sample): (&Chosen, Option<usize>),
    editors: &[EditorSettings],
    made: &HashMap<(String, String, u64), Known>,
    answered: &Keys,
) -> Result<Plan, GenerateError> {
    let mut plan = Plan {
        to_make: vec![Vec::new(); editors.len()],
        ..Plan::default()
    };
    let mut unmet = chosen.names.clone().unwrap_or_default();
    workspace.each_outline(|group| {
        unmet.remove(&group.key);
        let is = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        let named = chosen.names.as_ref();
        if !is(&chosen.split, &group.split)
            || !is(&chosen.set, &group.set)
            || named.is_some_and(|names| !names.contains(&group.key))
        {
            return;
        }
        plan.counts.groups += 1;
        if !group.has_source {
            plan.counts.without_source += 1;
            return;
        }
        let has: HashSet<(&str, u64)> = group
            .made_by
            .iter()
            .map(|(editor, seed)| (editor.as_str(), *seed))
            .collect();
        let (mut present, mut missing) = (Vec::new(), Vec::new());
        for (editor, settings) in editors.iter().enumerate() {
            for &seed in &settings.seeds {
                if has.contains(&(settings.name.as_str(), seed)) {
                    present.push((editor, seed));
                } else {
                    missing.push((editor, seed));
                }
            }
        }
        plan.counts.present += present.len();
        if missing.is_empty() || sample.is_some_and(|enough| present.len() >= enough) {
            plan.counts.complete += 1;
            return;
        }
        let open = missing.len();
        plan.lacking.insert(group.id, Lacking { present, open });
        for (editor, seed) in missing {
            let one = Missing {
                group: group.id,
                editor,
                seed,
            };
            let key = (group.key.clone(), editors[editor].name.clone(), seed);
            if made.contains_key(&key) {
                plan.on_disk.push(one);
                plan.again += usize::from(answered.contains(&key));
            } else {
                plan.to_make[editor].push(one);
            }
        }
    })?;
    if let Some(name) = unmet.iter().min() {
        return Err(GenerateError::Choice(format!(
            "the workspace has no group '{name}' ({} of the names are of none)",
            unmet.len()
        )));
    }
    plan.counts.on_disk = plan.on_disk.len();
    let to_make = editors.iter().zip(&plan.to_make);
    plan.counts.to_make = to_make
        .map(|(e, missing)| (e.name.clone(), missing.len()))
        .collect();
    Ok(plan)
}
