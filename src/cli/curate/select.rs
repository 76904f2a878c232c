//! `erw curate select`, and what all of curation has to gather first.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::args::SelectArgs;
use super::tell;
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::progress::{Progress, Unit};
use crate::cli::stop::Stop;
use crate::curate::{CurateError, NearBy, Pool, Recipe, Report, Stored, choose, report, save};
use crate::data::{Look, Workspace};
use crate::domain::CandidateId;
use crate::domain::query::Query;
use crate::workbench::Workbench;

#[derive(Serialize)]
pub(super) struct Answer<'a> {
    /// The version that was saved; null where nothing was.
    pub(super) selection: Option<String>,
    /// How it was chosen.
    pub(super) recipe: &'a Recipe,
    #[serde(flatten)]
    pub(super) report: &'a Report,
}

/// Selects, saves and tells; where fewer were left than asked for, the exit code says so.
pub(super) fn run(args: &SelectArgs) -> anyhow::Result<Exit> {
    let recipe = args.recipe.recipe(args.only.query.as_deref())?;
    let bench = Workbench::new(args.place.choices())?;
    let workspace = bench.workspace()?;
    let (_, fingerprint) = args.scores.model(&bench, &workspace)?;
    let only = args.only.matches(&workspace, &bench)?;
    let only = only.map(|found| found.into_iter().map(|one| one.candidate).collect());
    let stop = Stop::watch();
    let pool = read(&workspace, &fingerprint, only.as_ref(), &stop)?;
    if pool.considered().next().is_none() {
        return Err(CurateError::Choice(unscored(&pool, recipe.filter.is_some())).into());
    }
    let choice = choose(&pool, &recipe, &mut Looking::at(&workspace, &stop))?;
    let told = report(&pool, &choice, &recipe, &fingerprint, &[]);
    let saved = if args.dry_run {
        None
    } else {
        let chosen = (&pool, &choice);
        let version = save(&workspace, &args.name, chosen, &recipe, &fingerprint, now())?;
        Some(format!("{}@{version}", args.name.trim()))
    };
    if args.answer.json {
        print::json(&Answer {
            selection: saved.clone(),
            recipe: &recipe,
            report: &told,
        })?;
    } else {
        print::out(&tell::told(&told, Style::of_stdout()))?;
    }
    match &saved {
        Some(name) => print::note(&format!("saved as {name}")),
        None => print::note("nothing was saved (--dry-run)"),
    }
    let short = told.asked.is_some_and(|asked| told.kept < asked);
    if short {
        print::note(&format!(
            "{} were asked for; no more were left",
            count(told.asked.unwrap_or(0), "candidate")
        ));
    }
    Ok(if short { Exit::LeftOut } else { Exit::Done })
}

fn unscored(pool: &Pool, filtered: bool) -> String {
    let scored = pool.entries.iter().filter(|e| e.is_scored()).count();
    match scored {
        0 => "no candidate has a score of this model; 'erw score' scores them".into(),
        n if filtered => format!(
            "the filter holds of none of the {} that have a score",
            count(n, "candidate")
        ),
        _ => "there is nothing to select from".into(),
    }
}

/// Every candidate with its scores, with a bar.
pub(super) fn read(
    workspace: &Workspace,
    fingerprint: &str,
    only: Option<&HashSet<CandidateId>>,
    stop: &Stop,
) -> anyhow::Result<Pool> {
    let all = workspace.candidate_count()? as u64;
    let mut bar = Progress::new("reading scores", Unit::Candidates, all);
    Ok(Pool::read(workspace, fingerprint, only, &mut |done| {
        bar.set(done as u64, all);
        stop.check()
    })?)
}

/// The pool that a stored selection was chosen from, as far as it is still the same: the candidates and scores of now.
pub(super) fn again(workspace: &Workspace, stored: &Stored, stop: &Stop) -> anyhow::Result<Pool> {
    read_for(workspace, &stored.recipe, &stored.model, stop)
}

/// Every candidate with its scores, those marked that a recipe's filter holds of.
pub(super) fn read_for(
    workspace: &Workspace,
    recipe: &Recipe,
    fingerprint: &str,
    stop: &Stop,
) -> anyhow::Result<Pool> {
    let Some(filter) = &recipe.filter else {
        return read(workspace, fingerprint, None, stop);
    };
    let query = Query::parse(filter)
        .map_err(|e| CurateError::Choice(format!("the filter '{filter}': {e}")))?;
    let found = workspace.matching(&query, Some(fingerprint), &|| stop.asked())?;
    let found = found.ok_or(CurateError::Stopped)?;
    let only = found.into_iter().map(|one| one.candidate).collect();
    read(workspace, fingerprint, Some(&only), stop)
}

/// Looks at images with a bar, until it is stopped.
pub(super) struct Looking<'a> {
    workspace: &'a Workspace,
    stop: &'a Stop,
    bar: Option<Progress>,
}

impl<'a> Looking<'a> {
    pub(super) fn at(workspace: &'a Workspace, stop: &'a Stop) -> Self {
        Self {
            workspace,
            stop,
            bar: None,
        }
    }
}

impl NearBy for Looking<'_> {
    fn looks(&mut self, candidates: &[CandidateId]) -> Result<Vec<Look>, CurateError> {
        let workspace = self.workspace;
        let bar = self.bar.get_or_insert_with(|| {
            Progress::new("looking for near duplicates", Unit::Candidates, 0)
        });
        let mut out = Vec::with_capacity(candidates.len());
        // In pieces, so that it stops soon, and what was looked at is kept.
        for piece in candidates.chunks(64) {
            if self.stop.asked() {
                return Err(CurateError::Stopped);
            }
            out.extend(workspace.looks(piece)?);
            bar.add(piece.len() as u64);
        }
        Ok(out)
    }
}

/// In milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
