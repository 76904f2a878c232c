//! What the curate screen has done away from the loop, on a workspace: reading a million scores, ranking them, saving a selection.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::screens::curate::{CurateNews, NAME, Saving, Wanted};
use crate::curate::{Cuts, NoLooks, Pool, Reason, choose, save};
use crate::data::{Workspace, WorkspaceError};
use crate::domain::CandidateId;

/// Tags of candidates that somebody looked at, whatever the cut was then: they outlive the program, and queries find them.
const GOOD: &str = "good";
const BAD: &str = "bad";

/// What came of something done: news for the screen, words for the status line.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// For the screen.
    pub(crate) news: Option<CurateNews>,
    /// For people.
    pub(crate) words: Option<String>,
}

/// Does it.
pub(crate) fn carry_out(workspace: &Workspace, wanted: Wanted, now: i64) -> Result<Done, String> {
    match wanted {
        Wanted::Read(fingerprint) => Ok(read(workspace, &fingerprint)),
        Wanted::Rank(pool, recipe) => {
            let cuts = Cuts::of(&pool, &recipe).map(Arc::new);
            let cuts = cuts.map_err(|e| e.to_string());
            Ok(Done {
                news: Some(CurateNews::Ranked(recipe, cuts)),
                words: None,
            })
        }
        Wanted::Judge(candidate, good) => {
            let set = |tag, on| workspace.tag(candidate, tag, on);
            set(GOOD, good == Some(true))
                .and_then(|_| set(BAD, good == Some(false)))
                .map_err(|e| e.to_string())?;
            Ok(Done::default())
        }
        Wanted::Save(saving) => keep(workspace, &saving, now).map(|words| Done {
            news: None,
            words: Some(words),
        }),
    }
}

fn read(workspace: &Workspace, fingerprint: &str) -> Done {
    let all = || {
        let pool = Pool::read(workspace, fingerprint, None, &mut |_| {
            ControlFlow::Continue(())
        })
        .map_err(|e| e.to_string())?;
        let good = judged(workspace).map_err(|e| e.to_string())?;
        Ok((Arc::new(pool), good))
    };
    Done {
        news: Some(CurateNews::Read(all())),
        words: None,
    }
}

fn judged(workspace: &Workspace) -> Result<BTreeMap<CandidateId, bool>, WorkspaceError> {
    let mut found = BTreeMap::new();
    for (tag, good) in [(GOOD, true), (BAD, false)] {
        let tagged = workspace.tagged(tag)?;
        found.extend(tagged.into_iter().map(|candidate| (candidate, good)));
    }
    Ok(found)
}

/// Saves what a recipe keeps, then what was thought of candidates that it decided on: who does not agree overrides it.
fn keep(workspace: &Workspace, saving: &Saving, now: i64) -> Result<String, String> {
    let Saving {
        pool,
        recipe,
        fingerprint,
        good,
    } = saving;
    let choice = choose(pool, recipe, &mut NoLooks).map_err(|e| e.to_string())?;
    let chosen = (&**pool, &choice);
    let version =
        save(workspace, NAME, chosen, recipe, fingerprint, now).map_err(|e| e.to_string())?;
    let name = format!("{NAME}@{version}");
    let selection = workspace.selection(&name).map_err(|e| e.to_string())?;
    let selection = selection.ok_or_else(|| format!("'{name}' is gone"))?;
    let mut overridden = 0;
    for (entry, reason) in pool.entries.iter().zip(&choice.reasons) {
        let Some(good) = good.get(&entry.candidate) else {
            continue;
        };
        if !reason.keeps() && *reason != Reason::BelowCut {
            continue;
        }
        let agrees = *good == reason.keeps();
        overridden += usize::from(!agrees);
        workspace
            .spot_check(&selection, entry.candidate, agrees, now)
            .map_err(|e| e.to_string())?;
    }
    let mut words = format!(
        "saved as {name}: {} candidates; 'erw export FILE --selection {NAME}' writes them",
        choice.kept.len()
    );
    if overridden > 0 {
        let _ = write!(words, " ({overridden} decided by you)");
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curate::{Cut, Recipe};

    fn news(done: Result<Done, String>) -> CurateNews {
        done.unwrap().news.unwrap()
    }

    #[test]
    fn what_people_think_outlives_the_screen_and_overrides_what_is_saved() {
        let dir = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.fill_with_scored(10, 4);
        let recipe = Recipe {
            cut: Cut::Top(10),
            ..Recipe::default()
        };
        let read = || {
            let wanted = Wanted::Read("m".into());
            match news(carry_out(&workspace, wanted, 1)) {
                CurateNews::Read(Ok(found)) => found,
                other => panic!("{other:?}"),
            }
        };
        let (pool, good) = read();
        assert!(good.is_empty());
        let choice = choose(&pool, &recipe, &mut NoLooks).unwrap();
        let id = |at: u32| pool.entries[at as usize].candidate;
        let (kept, dropped) = (id(choice.kept[0]), id(choice.order[30]));
        for (candidate, good) in [(kept, true), (kept, false), (dropped, true)] {
            carry_out(&workspace, Wanted::Judge(candidate, Some(good)), 2).unwrap();
        }
        let (_, good) = read();
        assert_eq!(good, BTreeMap::from([(kept, false), (dropped, true)]));
        let saving = Saving {
            pool,
            recipe,
            fingerprint: "m".into(),
            good,
        };
        let done = carry_out(&workspace, Wanted::Save(Box::new(saving)), 3).unwrap();
        let words = done.words.unwrap();
        assert!(
            words.contains("curated@1: 10 candidates") && words.contains("2 decided by you"),
            "{words}"
        );
        let saved = workspace.selected(NAME).unwrap().unwrap();
        let holds = |candidate| saved.iter().any(|(_, id)| *id == candidate);
        assert!(!holds(kept) && holds(dropped) && saved.len() == 10);
        carry_out(&workspace, Wanted::Judge(kept, None), 4).unwrap();
        assert_eq!(read().1.len(), 1);
    }
}
