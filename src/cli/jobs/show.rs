//! `erw jobs list` and `show`: runs as a table, and one of them in full.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::super::exit::Exit;
use super::super::print::{self, Style};
use super::super::table::{Side, Table};
use super::args::{ListArgs, NameArgs};
use super::named;
use crate::domain::text::printable;
use crate::jobs::Launchers;
use crate::runs::{Follower, Manifest, Member, Progress, Run, State, Summary, glance, now};
use crate::workbench::{Choices, Workbench};

/// A run as programs get it.
#[derive(Debug, Serialize)]
struct Row {
    run: String,
    path: String,
    verb: String,
    title: String,
    state: State,
    reason: Option<String>,
    phase: Option<String>,
    progress: Option<Progress>,
    created: f64,
    started: Option<f64>,
    latest: Option<f64>,
    device: Option<String>,
    launcher: String,
}

impl Row {
    fn new(run: &Run, summary: &Summary, state: State) -> Self {
        let manifest = &run.manifest;
        Self {
            run: run.folder.name(),
            path: run.folder.path().display().to_string(),
            verb: manifest.verb.clone(),
            title: manifest.title.clone(),
            state,
            reason: summary.reason(state),
            phase: summary.phase.clone(),
            progress: summary.progress(),
            created: manifest.created,
            started: summary.started,
            latest: summary.latest,
            device: manifest.device.clone(),
            launcher: manifest.launcher.clone(),
        }
    }
}

/// The runs, newest first.
pub(super) fn list(args: &ListArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct List {
        root: String,
        runs: Vec<Row>,
        broken: Vec<String>,
    }
    let bench = Workbench::new(Choices::default())?;
    let root = args.root.path(&bench)?;
    // After a restart of the machine, whoever looks first has the queue go on.
    let launchers = Launchers::new(&root, &bench.config.slurm);
    launchers.named("local")?.wake()?;
    let listing = Run::list(&root)?;
    let mut broken: Vec<String> = listing.broken.iter().map(ToString::to_string).collect();
    let mut rows = Vec::new();
    for run in listing.runs.iter().take(args.limit.unwrap_or(usize::MAX)) {
        // What a cluster ended without a word is found out by asking it; one that cannot be asked keeps no list from showing.
        if let Err(why) = launchers.of(run).and_then(|launcher| launcher.settle(run)) {
            broken.push(why.to_string());
        }
        match glance(&run.folder) {
            Ok((summary, state)) => rows.push(Row::new(run, &summary, state)),
            Err(why) => broken.push(why.to_string()),
        }
    }
    if args.answer.json {
        print::json(&List {
            root: root.display().to_string(),
            runs: rows,
            broken,
        })?;
        return Ok(Exit::Done);
    }
    for why in &broken {
        print::note(why);
    }
    if rows.is_empty() {
        print::note(&format!("no runs in '{}' yet", root.display()));
        return Ok(Exit::Done);
    }
    print::out(&table(&rows).render(Style::of_stdout()))?;
    Ok(Exit::Done)
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        ("run", Side::Left),
        ("state", Side::Left),
        ("done", Side::Right),
        ("rate", Side::Right),
        ("left", Side::Right),
        ("made", Side::Right),
        ("", Side::Left),
    ]);
    let now = now();
    for row in rows {
        let progress = row.progress.as_ref();
        let live = row.state.is_live();
        let rate = progress.filter(|_| live).and_then(|p| p.rate);
        let left = progress.filter(|_| live).and_then(|p| p.seconds_left);
        let words = row
            .reason
            .as_deref()
            .or(row.phase.as_deref().filter(|_| live));
        let cells = vec![
            printable(&row.run).into_owned(),
            row.state.word().into(),
            progress.map_or(String::new(), done),
            rate.map_or(String::new(), |r| format!("{r:.2}/s")),
            left.map_or(String::new(), span),
            format!("{} ago", span((now - row.created).max(0.0))),
        ];
        table.sentence(cells, shortened(&printable(words.unwrap_or_default()), 60));
    }
    table
}

/// Share and count: "42 % of 1000".
fn done(progress: &Progress) -> String {
    match progress.total {
        Some(total) if total > 0 => {
            let percent = 100 * progress.done.min(total) / total;
            format!("{percent} % of {total}")
        }
        _ => progress.done.to_string(),
    }
}

/// "48 s", "7 min", "3 h 05 min", "12 d".
fn span(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..100 => format!("{s} s"),
        100..6000 => format!("{} min", (s + 30) / 60),
        6000..172_800 => format!("{} h {:02} min", s / 3600, s / 60 % 60),
        _ => format!("{} d", s / 86_400),
    }
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(most - 1).collect();
    out.push('…');
    out
}

/// A value that was measured, as JSON can hold it.
#[derive(Debug, Serialize)]
struct Measured {
    step: u64,
    /// Null where it is not finite; `text` says what it is.
    value: Option<f64>,
    text: String,
}

/// A saved state.
#[derive(Debug, Serialize)]
struct SavedState {
    step: u64,
    path: String,
}

/// One run in full.
pub(super) fn show(args: &NameArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Show {
        #[serde(flatten)]
        row: Row,
        note: Option<String>,
        metrics: BTreeMap<String, Measured>,
        checkpoint: Option<SavedState>,
        best: Option<SavedState>,
        unreadable: u64,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        shards: Vec<Member>,
        manifest: Manifest,
    }
    let (run, _) = named(&args.root, &args.run)?;
    let mut follower = Follower::new(run.folder.clone());
    follower.catch_up()?;
    let summary = &follower.summary;
    let row = Row::new(&run, summary, follower.state());
    if !args.answer.json {
        print::out(&page(&row, summary, &run.manifest, Style::of_stdout()))?;
        return Ok(Exit::Done);
    }
    let saved = |saved: &Option<(u64, std::path::PathBuf)>| {
        let (step, path) = saved.as_ref()?;
        let path = run.folder.path().join(path).display().to_string();
        Some(SavedState { step: *step, path })
    };
    let metrics = summary.metrics.iter().map(|(name, (step, value))| {
        let measured = Measured {
            step: *step,
            value: value.is_finite().then_some(*value),
            text: value.to_string(),
        };
        (name.clone(), measured)
    });
    print::json(&Show {
        note: summary.note.clone(),
        metrics: metrics.collect(),
        checkpoint: saved(&summary.checkpoint),
        best: saved(&summary.best),
        unreadable: follower.unreadable(),
        shards: summary.members.clone(),
        manifest: run.manifest.clone(),
        row,
    })?;
    Ok(Exit::Done)
}

fn page(row: &Row, summary: &Summary, manifest: &Manifest, style: Style) -> String {
    let mut out = format!("{}\n", style.strong(&printable(&row.run)));
    let mut line = |what: &str, text: &str| {
        let _ = writeln!(out, "{what:<12}{}", printable(text));
    };
    let reason = row
        .reason
        .as_deref()
        .map_or(String::new(), |r| format!(": {r}"));
    line("state", &format!("{}{reason}", row.state.word()));
    if let Some(progress) = &row.progress {
        let rate = progress
            .rate
            .map_or(String::new(), |r| format!(", {r:.2}/s"));
        let left = progress
            .seconds_left
            .map_or(String::new(), |s| format!(", {} left", span(s)));
        line(
            "done",
            &format!("{} {}{rate}{left}", done(progress), progress.unit),
        );
    }
    for (what, text) in [
        ("phase", row.phase.as_ref().filter(|_| row.state.is_live())),
        ("note", summary.note.as_ref()),
    ] {
        if let Some(text) = text {
            line(what, text);
        }
    }
    let command = format!("erw {} {}", manifest.verb, manifest.arguments.join(" "));
    line("command", command.trim_end());
    line("in", &manifest.directory.display().to_string());
    line("folder", &row.path);
    line("erw", &manifest.erw);
    if let Some((pid, host)) = &summary.process {
        line("process", &format!("{pid} on {host}"));
    }
    if let Some(device) = &row.device {
        line("device", device);
    }
    for (what, print) in [("model", &manifest.model), ("data", &manifest.data)] {
        if let Some(print) = print {
            line(what, &format!("{} ({})", print.name, print.fingerprint));
        }
    }
    for (what, saved) in [("checkpoint", &summary.checkpoint), ("best", &summary.best)] {
        if let Some((step, path)) = saved {
            line(what, &format!("step {step}: {}", path.display()));
        }
    }
    if !summary.metrics.is_empty() {
        let mut table = Table::new(&[
            ("metric", Side::Left),
            ("last", Side::Right),
            ("step", Side::Right),
        ]);
        for (name, (step, value)) in &summary.metrics {
            let value = format!("{value:.4}");
            table.row(
                vec![printable(name).into_owned(), value, step.to_string()],
                false,
            );
        }
        let _ = write!(out, "\n{}", table.render(style));
    }
    if !summary.members.is_empty() {
        let _ = write!(out, "\n{}", shards(&summary.members).render(style));
    }
    out
}

/// Those who work on the shards of a run.
fn shards(members: &[Member]) -> Table {
    let mut table = Table::new(&[
        ("shard", Side::Right),
        ("state", Side::Left),
        ("done", Side::Right),
        ("rate", Side::Right),
        ("process", Side::Left),
        ("", Side::Left),
    ]);
    for member in members {
        let progress = member.progress.as_ref();
        let rate = progress.filter(|_| member.state.is_live());
        let rate = rate.and_then(|p| p.rate);
        let process = member.process.as_ref();
        let cells = vec![
            format!("{:03}", member.shard),
            member.state.word().into(),
            progress.map_or(String::new(), done),
            rate.map_or(String::new(), |r| format!("{r:.2}/s")),
            process.map_or(String::new(), |(pid, host)| {
                printable(&format!("{pid} on {host}")).into_owned()
            }),
        ];
        let reason = member.reason.as_deref().unwrap_or_default();
        table.sentence(cells, shortened(&printable(reason), 60));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_as_exactly_as_one_wants_to_know() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (99.0, "99 s"),
            (100.0, "2 min"),
            (3600.0, "60 min"),
            (7500.0, "2 h 05 min"),
            (200_000.0, "2 d"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn a_table_of_runs_says_how_far_each_is_and_why_it_ended() {
        let row = |run: &str, state, reason: Option<&str>, progress| Row {
            run: run.into(),
            path: String::new(),
            verb: "train".into(),
            title: String::new(),
            state,
            reason: reason.map(str::to_owned),
            phase: Some("step\u{1b}[31m".into()),
            progress,
            created: now() - 200_000.0,
            started: None,
            latest: None,
            device: None,
            launcher: "here".into(),
        };
        let progress = Progress {
            done: 420,
            total: Some(1000),
            unit: "steps".into(),
            rate: Some(2.0),
            seconds_left: Some(290.0),
        };
        let rows = [
            row("b", State::Running, None, Some(progress.clone())),
            row("a", State::Failed, Some("disk full"), Some(progress)),
        ];
        assert_eq!(
            table(&rows).render(Style::plain()),
            "run  state            done    rate   left     made\n\
             b    running  42 % of 1000  2.00/s  5 min  2 d ago  step [31m\n\
             a    failed   42 % of 1000                 2 d ago  disk full\n"
        );
    }
}
