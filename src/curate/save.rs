//! A choice as a selection of the workspace, and back.

use super::CurateError;
use super::choose::Choice;
use super::pool::Pool;
use super::recipe::Recipe;
use crate::data::{NewSelection, Selection, Verdict, Workspace};
use crate::domain::CandidateId;

/// Saves a choice as the next version of a name, with the reason of every candidate; which version that is. `at` is in milliseconds
/// since 1970.
///
/// # Errors
/// Where the workspace does not take it; nothing is saved then.
pub fn save(
    workspace: &Workspace,
    name: &str,
    (pool, choice): (&Pool, &Choice),
    recipe: &Recipe,
    model: &str,
    at: i64,
) -> Result<usize, CurateError> {
    let candidate = |at: u32| pool.entries[at as usize].candidate;
    let candidates: Vec<CandidateId> = choice.kept.iter().map(|at| candidate(*at)).collect();
    let mut verdicts: Vec<Verdict> = (0..)
        .zip(&choice.reasons)
        .map(|(at, reason)| Verdict {
            candidate: candidate(at),
            code: reason.code(),
            other: choice.duplicates.get(&at).copied(),
        })
        .collect();
    verdicts.sort_unstable_by_key(|verdict| verdict.candidate.0);
    let recipe_text = serde_json::to_string(recipe).map_err(|e| CurateError::Recipe {
        name: name.to_owned(),
        why: e.to_string(),
    })?;
    Ok(workspace.save_curated(&NewSelection {
        name,
        origin: &recipe.words(),
        at,
        recipe: Some(&recipe_text),
        model: Some(model),
        candidates: &candidates,
        verdicts: &verdicts,
    })?)
}

/// A selection that was curated.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Itself.
    pub selection: Selection,
    /// Its recipe.
    pub recipe: Recipe,
    /// The fingerprint of the model that decided.
    pub model: String,
}

/// A selection's recipe and model, by its name ("best", or "best@2" for a version).
///
/// # Errors
/// Where there is none of that name, or it was put together by hand.
pub fn stored(workspace: &Workspace, name: &str) -> Result<Stored, CurateError> {
    let selection = workspace.selection(name)?.ok_or_else(|| {
        CurateError::Choice(format!(
            "there is no selection '{name}'; 'erw curate list' lists them"
        ))
    })?;
    let (Some(recipe), Some(model)) = (&selection.recipe, &selection.model) else {
        return Err(CurateError::Choice(format!(
            "'{}' was put together by hand ({}), and has no recipe",
            selection.full_name(),
            selection.origin
        )));
    };
    let recipe = serde_json::from_str(recipe).map_err(|e| CurateError::Recipe {
        name: selection.full_name(),
        why: e.to_string(),
    })?;
    let model = model.clone();
    Ok(Stored {
        selection,
        recipe,
        model,
    })
}
