//! A probe in shards: groups are drawn from the workspace and cut by source image, processes without its database make the variants
//! and have them rated, and the report is made of what all of them kept, as one process that did everything makes it.
//!
//! ```text
//! plan.json           who rates, and what the report has to know of the groups                    [`Plan`]
//! 000.in.jsonl        a group a line, with the candidates that are probed and the donors         [`Probed`]
//! 000.part.jsonl      a point a line, as in points.jsonl                                         [`Answer`]
//! ```

use std::collections::HashMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ProbeError;
use super::answers::{Answer, Key, POINTS, Points, key, points, points_in};
use super::factor::Factor;
use super::report::{Rater, Report, Subject, report};
use super::run::{
    Around, Asked, Item, Making, Task, Watch, asked, donors_needed, drawn, in_order, subject,
};
use super::selection::{Lender, places};
use crate::domain::{Candidate, CandidateId, Group, GroupId, ImageRef};
use crate::model::Judge;
use crate::runs::shards::{
    Cut, IN, PART, WHOLE, Worked, check, each, finish, is_done, read_plan, write_plan,
};
use crate::runs::{Ending, Fact, Folder, Writer};

/// What all who work on shards, and whoever puts their work together, need to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// How many shards there are.
    pub shards: usize,
    /// The folder that relative image paths start from.
    root: PathBuf,
    /// The model's folder.
    pub model: PathBuf,
    /// The model.
    pub rater: Rater,
    /// How many points there are in all.
    pub points: usize,
    /// The groups, in the order in which they were drawn.
    subjects: Vec<Subject>,
}

/// A group as members get it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Probed {
    group: String,
    source: ImageRef,
    instruction: String,
    /// All candidates, by name.
    candidates: Vec<(String, ImageRef)>,
    /// Those that are probed.
    places: Vec<usize>,
    donors: Vec<Lender>,
}

impl Plan {
    /// The plan of a run.
    pub fn read(folder: &Folder) -> Result<Self, ProbeError> {
        Ok(read_plan(folder)?)
    }
}

/// Plans the run: draws the groups, and writes the files of all shards and, last, the plan.
pub fn plan(
    folder: &Folder,
    task: &Task<'_>,
    (model, rater): (PathBuf, Rater),
    shards: usize,
) -> Result<Plan, ProbeError> {
    let workspace = task.workspace;
    let drawn = drawn(task)?;
    let mut cut = Cut::begin(folder, shards)?;
    let steps: usize = task.factors.iter().map(|(_, steps)| steps.len()).sum();
    let most = donors_needed(&task.factors);
    let mut subjects = Vec::new();
    for id in drawn.chosen() {
        // One that went away meanwhile is no longer wanted.
        let Some(group) = workspace.group(*id)? else {
            continue;
        };
        let places = places(workspace, &group, task.chosen.which, &rater.fingerprint)?;
        subjects.push(subject(&group, &places));
        let donors = match most {
            0 => Vec::new(),
            most => drawn.donors(workspace, &group, most)?,
        };
        let wanted = places.len() * steps;
        let source = workspace.source_key(*id, false)?;
        let source = source.unwrap_or_else(|| group.source.0.clone());
        let candidates = group.candidates.into_iter();
        let probed = Probed {
            group: group.key,
            source: group.source,
            instruction: group.instruction,
            candidates: candidates.map(|c| (c.key, c.image)).collect(),
            places,
            donors: donors.into_iter().map(|(lender, _)| lender).collect(),
        };
        cut.add(&source, &probed, wanted)?;
    }
    let plan = Plan {
        shards,
        root: workspace.root().to_owned(),
        model: std::path::absolute(&model).unwrap_or(model),
        rater,
        points: cut.end("points")?,
        subjects,
    };
    write_plan(folder, &plan)?;
    Ok(plan)
}

/// The factors with their steps, and what grain is drawn from: what members take from the command line.
#[derive(Debug, Clone, Copy)]
pub struct Turned<'a> {
    /// As in [`Task`].
    pub factors: &'a [(Factor, Vec<f64>)],
    /// The seed.
    pub seed: u64,
}

/// Probes a shard of the run in `folder`. `load` gives the model, and is called only if there is something to do; `stop` is asked at
/// every point, and `progress` hears how many points of how many are there.
pub fn work<J: Judge, E: From<ProbeError>>(
    (folder, shard): (&Folder, usize),
    turned: Turned<'_>,
    load: impl FnOnce(&Plan) -> Result<J, E>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Worked, E> {
    check(folder, shard).map_err(ProbeError::from)?;
    let ended = |ending: Ending, reason: &str| {
        let noted = writer.end(ending, reason);
        noted.map_err(|why| E::from(why.into()))
    };
    if is_done(folder, shard) {
        ended(Ending::Done, "it was probed before")?;
        return Ok(Worked::Done);
    }
    let plan = Plan::read(folder)?;
    let phase = "loading the model".into();
    let noted = writer.note(Fact::Phase { text: phase });
    noted.map_err(ProbeError::from)?;
    let mut judge = load(&plan)?;
    let found = &judge.info().fingerprint;
    if *found != plan.rater.fingerprint {
        let wrong = format!(
            "the model in '{}' is not the one that run '{}' was planned with (fingerprint {found} instead of {}): put that one \
             back, or start a new run",
            plan.model.display(),
            folder.name(),
            plan.rater.fingerprint
        );
        return Err(ProbeError::Choice(wrong).into());
    }
    let stop = || stop() || folder.stop_asked().is_some();
    let watch = Watch {
        writer,
        stop: &stop,
        progress,
    };
    let (came, of) = probed(&mut judge, (folder, shard), &plan, turned, watch)?;
    let worked = match came {
        Asked::All => {
            finish(folder, shard).map_err(ProbeError::from)?;
            ended(Ending::Done, &format!("{of} points"))?;
            Worked::Done
        }
        Asked::Stopped(done) => {
            ended(Ending::Stopped, &format!("{done} of {of} points"))?;
            Worked::Stopped(done, of)
        }
    };
    Ok(worked)
}

/// Has everything rated that is open of a shard; how far that came, and of how many points.
fn probed(
    judge: &mut impl Judge,
    (folder, shard): (&Folder, usize),
    plan: &Plan,
    turned: Turned<'_>,
    watch: Watch<'_>,
) -> Result<(Asked, usize), ProbeError> {
    let (mut groups, mut of) = (Vec::new(), 0);
    let mut points = Points::at(folder.shard_file(shard, PART))?;
    let mut items = Vec::new();
    let steps: usize = turned.factors.iter().map(|(_, steps)| steps.len()).sum();
    each(
        &folder.shard_file(shard, IN),
        false,
        &mut |probed: Probed| {
            let number = GroupId(groups.len() as i64);
            let group = group_of(&probed, number);
            let item = |place: &usize| Item::of(&group, *place, turned.factors, &points);
            items.extend(probed.places.iter().filter_map(item));
            of += steps * probed.places.len();
            groups.push((group, probed.donors));
            Ok::<_, ProbeError>(())
        },
    )?;
    let around = |item: &Item| {
        let at = usize::try_from(item.group.0).ok();
        let Some((group, lenders)) = at.and_then(|at| groups.get(at)) else {
            return Ok(None);
        };
        let donors = lenders.iter().filter_map(|lender| lender.donor(&plan.root));
        Ok(Some(Around::new(
            group.clone(),
            donors.collect(),
            &plan.root,
        )))
    };
    let making = Making {
        root: &plan.root,
        seed: turned.seed,
        items: &items,
        around: &around,
    };
    Ok((asked(judge, &making, &mut points, watch, of)?, of))
}

fn group_of(probed: &Probed, number: GroupId) -> Group {
    let candidates = probed.candidates.iter().zip(1..);
    let candidates = candidates
        .map(|((key, image), id)| Candidate::new(CandidateId(id), key.clone(), image.clone()));
    Group::new(
        number,
        probed.group.clone(),
        probed.source.clone(),
        probed.instruction.clone(),
        candidates.collect(),
    )
}

/// Puts the points of all shards, also of those that are not done, into the run's own file beside those that are there, in the order
/// in which one process tries them.
pub fn gather(folder: &Folder, factors: &[(Factor, Vec<f64>)]) -> Result<(), ProbeError> {
    let plan = Plan::read(folder)?;
    let mut known: HashMap<Key, Answer> = HashMap::new();
    let mut take = |all: Vec<Answer>| {
        for answer in all {
            let rated = |answer: &Answer| answer.reward.is_some();
            if rated(&answer) || !known.get(&answer.key()).is_some_and(rated) {
                known.insert(answer.key(), answer);
            }
        }
    };
    take(points(folder.path())?);
    for shard in 0..plan.shards {
        let ending = if is_done(folder, shard) { WHOLE } else { PART };
        take(points_in(&folder.shard_file(shard, ending))?);
    }
    let mut text = String::new();
    for subject in &plan.subjects {
        for candidate in &subject.candidates {
            for (factor, step) in in_order(factors) {
                let Some(answer) = known.get(&key(&subject.group, candidate, factor, step)) else {
                    continue;
                };
                let line = serde_json::to_string(answer);
                let path = folder.path().join(POINTS);
                text += &line.map_err(|e| ProbeError::files("write", &path)(e.into()))?;
                text.push('\n');
            }
        }
    }
    folder.write_beside(POINTS, &text)?;
    Ok(())
}

/// Makes the report of a run all of whose shards are done.
pub fn conclude(task: &Task<'_>, writer: &Writer) -> Result<Box<Report>, ProbeError> {
    let folder = writer.folder();
    writer.note(Fact::Phase {
        text: "measuring".into(),
    })?;
    gather(folder, &task.factors)?;
    let plan = Plan::read(folder)?;
    let points = Points::open(folder.path())?;
    let report = report(&plan.rater, task, &plan.subjects, points.known());
    writer.report(&report)?;
    Ok(Box::new(report))
}
