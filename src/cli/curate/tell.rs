//! `erw curate list`, `show`, `why` and `rm`.

use std::fmt::Write as _;

use serde::Serialize;

use super::args::{ListArgs, NamedArgs, WhyArgs};
use super::select::{Answer, Looking, again};
use crate::cli::data::opened;
use crate::cli::exit::Exit;
use crate::cli::print::{self, Style, count};
use crate::cli::stop::Stop;
use crate::cli::table::{Side, Table};
use crate::curate::{CurateError, Reason, Report, Share, Stored, choose, report, stored};
use crate::data::{Selection, Verdict, Workspace};
use crate::domain::text::printable;

#[derive(Serialize)]
struct Listed {
    selections: Vec<ListedOne>,
}

#[derive(Serialize)]
struct ListedOne {
    name: String,
    version: usize,
    newest: bool,
    candidates: usize,
    origin: String,
    model: Option<String>,
    /// Milliseconds since 1970.
    at: i64,
}

/// Lists selections, the newest first.
pub(super) fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    let selections = opened(args.workspace.as_deref())?.selections()?;
    if args.answer.json {
        let one = |s: Selection| ListedOne {
            name: s.name,
            version: s.version,
            newest: s.newest,
            candidates: s.candidates,
            origin: s.origin,
            model: s.model,
            at: s.at,
        };
        print::json(&Listed {
            selections: selections.into_iter().map(one).collect(),
        })?;
        return Ok(Exit::Done);
    }
    if selections.is_empty() {
        print::note("there are no selections; 'erw curate select NAME --top N' makes one");
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("selection", Side::Left),
        ("candidates", Side::Right),
        ("how it came about", Side::Left),
    ]);
    for selection in &selections {
        let cells = vec![
            printable(&selection.full_name()).into_owned(),
            selection.candidates.to_string(),
            printable(&selection.origin).into_owned(),
        ];
        table.row(cells, selection.newest);
    }
    print::out(table.render(Style::of_stdout()).trim_end())?;
    Ok(Exit::Done)
}

/// What a stored selection did, reckoned anew with what people found since.
pub(super) fn reckoned(
    workspace: &Workspace,
    stored: &Stored,
    stop: &Stop,
) -> anyhow::Result<(crate::curate::Pool, Report)> {
    let pool = again(workspace, stored, stop)?;
    let choice = choose(&pool, &stored.recipe, &mut Looking::at(workspace, stop))?;
    let checks = workspace.spot_checks(&stored.selection)?;
    let told = report(&pool, &choice, &stored.recipe, &stored.model, &checks);
    // What people decided since is no change of the data.
    let verdicts = workspace.verdicts(&stored.selection)?;
    let keeps = |verdict: &&Verdict| Reason::of(verdict).is_some_and(Reason::keeps);
    let kept = verdicts.iter().filter(keeps).count();
    if told.kept != kept {
        print::note(&format!(
            "the recipe of '{}' kept {} when it was made; by the scores and candidates of now it keeps {}",
            stored.selection.full_name(),
            count(kept, "candidate"),
            told.kept
        ));
    }
    Ok((pool, told))
}

/// Shows one.
pub(super) fn show(args: &NamedArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let stored = stored(&workspace, &args.name)?;
    let (_, report) = reckoned(&workspace, &stored, &Stop::watch())?;
    if args.answer.json {
        print::json(&Answer {
            selection: Some(stored.selection.full_name()),
            recipe: &stored.recipe,
            report: &report,
        })?;
    } else {
        print::out(&told(&report, Style::of_stdout()))?;
    }
    Ok(Exit::Done)
}

/// A report for people.
pub(super) fn told(report: &Report, style: Style) -> String {
    let mut lines = vec![
        style.strong(&printable(&report.recipe)),
        format!(
            "{} kept of {} considered, of {}",
            report.kept,
            report.considered,
            count(report.candidates, "candidate")
        ),
    ];
    if let Some(cut) = report.at_cut {
        lines.push(format!("the last one kept has {cut:+.3}"));
    }
    let cost = &report.cost;
    if let Some(mean) = cost.mean {
        let mut line = format!("mean of those kept {mean:+.3}");
        if let Some(free) = cost.unconstrained.filter(|free| free - mean > 5e-4) {
            let _ = write!(
                line,
                "; {free:+.3} without regard to groups, quotas and duplicates"
            );
        }
        if let Some(next) = cost.next_tenth {
            let _ = write!(line, "; {next:+.3} of the next tenth below");
        }
        lines.push(line);
    }
    lines.push(String::new());
    let mut reasons = Table::new(&[("reason", Side::Left), ("candidates", Side::Right)]);
    for reason in &report.reasons {
        reasons.row(
            vec![reason.words.clone(), reason.count.to_string()],
            reason.keeps,
        );
    }
    lines.push(reasons.render(style).trim_end().to_owned());
    lines.push(String::new());
    let mut scores = Table::new(&[
        ("score", Side::Left),
        ("mean before", Side::Right),
        ("mean after", Side::Right),
    ]);
    let amount = |v: Option<f64>| v.map_or_else(|| "–".to_owned(), |v| format!("{v:+.3}"));
    for score in &report.scores {
        let cells = vec![
            score.score.clone(),
            amount(score.mean_before),
            amount(score.mean_after),
        ];
        scores.row(cells, false);
    }
    lines.push(scores.render(style).trim_end().to_owned());
    for (what, shares) in [
        ("category", &report.categories),
        ("editor", &report.editors),
    ] {
        lines.push(String::new());
        lines.push(shares_of(what, shares).render(style).trim_end().to_owned());
    }
    lines.join("\n")
}

/// Shares before and after, the largest first.
pub(super) fn shares_of(what: &str, shares: &[Share]) -> Table {
    const ROWS: usize = 12;
    let all = |of: fn(&Share) -> usize| shares.iter().map(of).sum::<usize>().max(1) as f64;
    let (before, after) = (all(|s| s.before), all(|s| s.after));
    let mut table = Table::new(&[
        (what, Side::Left),
        ("before", Side::Right),
        ("share", Side::Right),
        ("after", Side::Right),
        ("share", Side::Right),
    ]);
    let percent = |n: usize, of: f64| format!("{:.1} %", 100.0 * n as f64 / of);
    for share in shares.iter().take(ROWS) {
        let cells = vec![
            printable(&share.name).into_owned(),
            share.before.to_string(),
            percent(share.before, before),
            share.after.to_string(),
            percent(share.after, after),
        ];
        table.row(cells, false);
    }
    if shares.len() > ROWS {
        table.sentence(Vec::new(), format!("and {} more", shares.len() - ROWS));
    }
    table
}

#[derive(Serialize)]
struct Why {
    candidates: Vec<WhyOne>,
}

#[derive(Serialize)]
struct WhyOne {
    candidate: String,
    editor: Option<String>,
    /// Null where it was not there when the selection was made.
    reason: Option<&'static str>,
    words: String,
}

/// Tells what decided on the candidates of a group.
pub(super) fn why(args: &WhyArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    let selection = stored(&workspace, &args.name)?.selection;
    let place = workspace.groups_by_key(std::slice::from_ref(&args.group))?;
    let group = match place.first().copied().flatten() {
        Some(id) => workspace.group(id)?,
        None => None,
    };
    let group = group.ok_or_else(|| {
        CurateError::Choice(format!("there is no group '{}'", printable(&args.group)))
    })?;
    let mut found = Vec::new();
    for candidate in &group.candidates {
        if args
            .candidate
            .as_ref()
            .is_some_and(|key| *key != candidate.key)
        {
            continue;
        }
        let verdict = workspace.verdict(&selection, candidate.id)?;
        let reason = verdict.as_ref().and_then(Reason::of);
        let mut words = reason
            .map_or("not there when it was made", Reason::words)
            .to_owned();
        if let Some(other) = verdict.and_then(|v| v.other) {
            let _ = write!(words, ": {}", named(&workspace, other)?);
        }
        found.push(WhyOne {
            candidate: candidate.key.clone(),
            editor: candidate.editor.clone(),
            reason: reason.map(Reason::name),
            words,
        });
    }
    if found.is_empty() {
        return Err(CurateError::Choice(format!(
            "group '{}' has no candidate '{}'",
            printable(&args.group),
            printable(args.candidate.as_deref().unwrap_or_default())
        ))
        .into());
    }
    if args.answer.json {
        print::json(&Why { candidates: found })?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("candidate", Side::Left),
        ("editor", Side::Left),
        ("why", Side::Left),
    ]);
    for one in &found {
        let cells = vec![
            printable(&one.candidate).into_owned(),
            printable(one.editor.as_deref().unwrap_or("–")).into_owned(),
            printable(&one.words).into_owned(),
        ];
        let kept = one.reason == Some(Reason::Kept.name());
        table.row(cells, kept || one.reason == Some(Reason::KeptToFill.name()));
    }
    print::out(table.render(Style::of_stdout()).trim_end())?;
    Ok(Exit::Done)
}

/// A candidate as people know it.
fn named(workspace: &Workspace, candidate: crate::domain::CandidateId) -> anyhow::Result<String> {
    let Some(group) = workspace.group_of(candidate)? else {
        return Ok(format!("candidate number {}", candidate.0));
    };
    let key = group.candidates.iter().find(|c| c.id == candidate);
    let key = key.map_or("", |c| c.key.as_str());
    Ok(format!(
        "{} of group {}",
        printable(key),
        printable(&group.key)
    ))
}

#[derive(Serialize)]
struct Removed<'a> {
    removed: &'a str,
}

/// Forgets one.
pub(super) fn remove(args: &NamedArgs) -> anyhow::Result<Exit> {
    let workspace = opened(args.workspace.as_deref())?;
    if !workspace.remove_selection(&args.name)? {
        return Err(CurateError::Choice(format!(
            "there is no selection '{}'; 'erw curate list' lists them",
            printable(&args.name)
        ))
        .into());
    }
    if args.answer.json {
        print::json(&Removed {
            removed: &args.name,
        })?;
    } else {
        print::note(&format!("'{}' is forgotten", printable(&args.name)));
    }
    Ok(Exit::Done)
}
