//! `erw jobs run`: any program as a run.

use anyhow::Context as _;
use serde::Serialize;

use super::super::exit::Exit;
use super::super::print;
use super::super::stop::Stop;
use super::args::RunCommandArgs;
use crate::jobs::{Attended, attend};
use crate::runs::{Ending, Manifest};
use crate::workbench::{Choices, Workbench};

const VERB: &str = "jobs run";

/// Runs the program, here or from the queue.
pub(super) fn run(args: &RunCommandArgs) -> anyhow::Result<Exit> {
    #[derive(Serialize)]
    struct Report {
        run: String,
        path: String,
        outcome: &'static str,
    }
    let bench = Workbench::new(Choices::default())?;
    let title = args.title.clone().unwrap_or_else(|| {
        let program = args.command.first().map(std::path::Path::new);
        let stem = program.and_then(|p| p.file_stem());
        stem.unwrap_or_default().to_string_lossy().into_owned()
    });
    let begun = args.run.begin(&bench, VERB, |arguments| Manifest {
        device: args.device.clone(),
        ..Manifest::new(VERB, arguments, &title)
    })?;
    let folder = begun.folder().clone();
    let report = |outcome| Report {
        run: folder.name(),
        path: folder.path().display().to_string(),
        outcome,
    };
    if begun.is_queued() {
        if args.answer.json {
            print::json(&report("queued"))?;
        }
        return Ok(Exit::Done);
    }
    let stop = Stop::watch();
    let writer = folder.take_up()?;
    let task = Attended {
        command: args.command.clone(),
        follow: args.follow.clone(),
        environment: std::collections::BTreeMap::new(),
    };
    let ending = writer
        .attend(|| {
            let mut said = |line: &str| {
                print::note(line);
                let _ = writer.log(line);
            };
            attend(&writer, &task, &mut said, &|| stop.asked())
        })
        .with_context(|| format!("run '{}'", folder.name()))?;
    let (outcome, exit) = match ending {
        Ending::Done => ("done", Exit::Done),
        Ending::Failed => ("failed", Exit::Failed),
        Ending::Stopped => ("stopped", Exit::Stopped),
    };
    if args.answer.json {
        print::json(&report(outcome))?;
    } else {
        print::note(&format!("{}: {outcome}", folder.name()));
    }
    Ok(exit)
}
