//! A benchmark in shards: what its model has to score is planned, scored and taken in as `erw score` does it, by members that know of
//! no benchmark and no labels; the process after them makes the report of it, as one that did all by itself makes it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::super::exit::Exit;
use super::super::print::count;
use super::super::score::shards::{gather, scored};
use super::super::shards::{self, Merge, refuse};
use super::super::stop::Stop;
use super::args::BenchRunArgs;
use super::model::{answer_of, group_of, nothing};
use super::run::{Asked, tell, whole};
use super::scorers::Spec;
use crate::bench::report::Report;
use crate::bench::run::{self as bench_run, Outcome};
use crate::bench::{Answer, Ask, Case, Scorer, ScorerInfo};
use crate::data::Workspace;
use crate::domain::{Group, GroupId};
use crate::runs::shards::{is_planned, left};
use crate::runs::{Folder, Writer};
use crate::score::shards::{Plan, Told, merge, plan, plan_loose};
use crate::workbench::Workbench;

/// What is to be written into the folder of a run in shards. The data is read before there is one: what is wrong with it, or with
/// what was asked for, leaves none behind.
pub(super) struct Draft {
    shards: usize,
    model: PathBuf,
    fingerprint: String,
    what: What,
}

enum What {
    Stored(Workspace, Vec<(GroupId, usize)>),
    Loose(PathBuf, Vec<Group>),
}

/// Drafts a run in so many shards.
pub(super) fn draft(asked: &Asked<'_>, shards: usize) -> anyhow::Result<Draft> {
    if !matches!(asked.spec, Spec::Model(_)) || asked.protocol.ask().is_none() {
        return refuse(
            "--shards divides what a model computes, and no model is asked here; leave it out, and one Slurm job does it all".into(),
        );
    }
    let workspace = asked.workspace()?;
    let place = workspace.as_ref();
    let model = asked
        .spec
        .model_dir(asked.bench, place)?
        .unwrap_or_default();
    let task = asked.task(place)?;
    let data = bench_run::read(&task)?;
    let root = task.root(&data);
    // A case that has no images needs no model, and what is said of it is found where the report is made.
    let groups = data.cases.iter();
    let groups = groups.filter_map(|case| Some(group_of(case, place).ok()?.0));
    let groups: Vec<Group> = groups.collect();
    Ok(Draft {
        shards,
        fingerprint: asked.bench.identity(&model)?.1,
        model,
        what: match workspace {
            Some(workspace) => {
                let ids = groups
                    .iter()
                    .map(|group| (group.id, group.candidates.len()));
                What::Stored(workspace, ids.collect())
            }
            None => What::Loose(root, groups),
        },
    })
}

impl Draft {
    /// Plans the run.
    pub(super) fn write(&self, folder: &Folder) -> anyhow::Result<()> {
        let model = (self.model.as_path(), self.fingerprint.as_str());
        let plan = match &self.what {
            What::Stored(workspace, groups) => plan(folder, workspace, groups, model, self.shards),
            What::Loose(root, groups) => {
                let groups = groups.iter().cloned();
                plan_loose(folder, root, groups, model, self.shards)
            }
        }?;
        let wanted = format!("{} to score", count(plan.wanted, "candidate"));
        shards::planned(&wanted, self.shards, plan.known.stored);
        Ok(())
    }
}

/// Works on a shard: a model that scores, which needs nothing of the benchmark.
pub(super) fn member(args: &BenchRunArgs, bench: &Workbench, shard: usize) -> anyhow::Result<Exit> {
    let call = (&args.run, args.answer.json);
    let options = bench.load_options()?;
    shards::member(call, shard, |folder, writer, stop| {
        scored(&options, (folder, shard), writer, stop)
    })
}

/// A benchmark whose cases were scored in shards.
struct Gathered<'a> {
    asked: Asked<'a>,
    folder: Folder,
    plan: Plan,
    workspace: Option<Workspace>,
    report: Option<Box<Report>>,
}

impl Merge for Gathered<'_> {
    type Report = Report;

    fn take_in(&mut self, writer: &Writer, parts: bool) -> anyhow::Result<Vec<usize>> {
        Ok(match &self.workspace {
            Some(workspace) => merge(&self.folder, workspace, writer, parts)?.missing,
            None => left(&self.folder, self.plan.shards),
        })
    }

    fn conclude(&mut self, writer: &Writer, stop: &Stop) -> anyhow::Result<Option<bool>> {
        let name = match &self.asked.spec {
            Spec::Model(Some(name)) => name.clone(),
            _ => self.asked.bench.identity(&self.plan.model)?.0,
        };
        let mut scorer = Knowing {
            info: ScorerInfo {
                name,
                kind: "model".into(),
                fingerprint: self.plan.fingerprint.clone(),
            },
            told: Told::read(&self.folder)?,
            workspace: self.workspace.clone(),
            rest: None,
        };
        let place = self.workspace.as_ref();
        let outcome = self
            .asked
            .measured(place, Some(&mut scorer), writer, stop)?;
        Ok(match outcome {
            Outcome::Done(report) => Some(whole(self.report.insert(report))),
            Outcome::Stopped { .. } => None,
        })
    }

    fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    fn tell(&self) -> anyhow::Result<()> {
        self.report()
            .map_or(Ok(()), |report| tell(self.asked.args, report))
    }
}

/// Takes in what was scored, and makes the report of it.
pub(super) fn put_together(asked: Asked<'_>) -> anyhow::Result<Exit> {
    let (args, bench) = (asked.args, asked.bench);
    let call = (&args.run, args.answer.json);
    shards::put_together(call, bench, |folder| {
        Ok(Gathered {
            workspace: asked.workspace()?,
            plan: Plan::read(folder)?,
            folder: folder.clone(),
            report: None,
            asked,
        })
    })
}

/// A scorer that does not do again what members of its run did, for a process that goes on alone.
pub(super) fn knowing(
    scorer: Box<dyn Scorer>,
    folder: &Folder,
    workspace: Option<&Workspace>,
    writer: &Writer,
) -> anyhow::Result<Box<dyn Scorer>> {
    if !is_planned(folder) {
        return Ok(scorer);
    }
    if let Some(workspace) = workspace {
        // Where it finds scores by itself.
        gather(folder, workspace, writer)?;
        return Ok(scorer);
    }
    Ok(Box::new(Knowing {
        info: scorer.info(),
        told: Told::read(folder)?,
        workspace: None,
        rest: Some(scorer),
    }))
}

/// A scorer that says what was scored in shards, and asks another, where there is one, for the rest.
struct Knowing {
    info: ScorerInfo,
    told: Told,
    workspace: Option<Workspace>,
    rest: Option<Box<dyn Scorer>>,
}

impl Knowing {
    fn answer(&self, case: &Case) -> Option<Answer> {
        let workspace = self.workspace.as_ref();
        let (group, edits) = match group_of(case, workspace) {
            Ok(found) => found,
            Err(reason) => return Some(nothing(case, reason)),
        };
        let stored = workspace.map(|w| w.scores(group.id, &self.info.fingerprint));
        let stored = match stored.transpose() {
            Ok(stored) => stored.unwrap_or_default().into_iter().collect(),
            Err(why) => return Some(nothing(case, why.to_string())),
        };
        let scores = self.told.of(&group, &stored)?;
        // What one process could not score another may.
        let again = self.rest.is_some() && scores.left_out() > 0;
        (!again).then(|| answer_of(case, &edits, scores))
    }
}

impl Scorer for Knowing {
    fn info(&self) -> ScorerInfo {
        self.info.clone()
    }

    fn answer_all(
        &mut self,
        cases: &[&Case],
        ask: Ask,
        root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let mut rest = Vec::new();
        for case in cases {
            let answer = match (self.answer(case), &self.rest) {
                (Some(answer), _) => answer,
                (None, Some(_)) => {
                    rest.push(*case);
                    continue;
                }
                (None, None) => nothing(case, "it was not among what was scored".into()),
            };
            if on_answer(answer).is_break() {
                return Ok(());
            }
        }
        match &mut self.rest {
            Some(scorer) if !rest.is_empty() => scorer.answer_all(&rest, ask, root, on_answer),
            _ => Ok(()),
        }
    }
}
