//! Probes of a selection as a run: groups drawn, variants made on a thread of their own while the model rates the ones before,
//! every point kept the moment it is there, the report made at the end.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::ProbeError;
use super::answers::{Answer, Points, key};
use super::curve::rated;
use super::factor::{Factor, order};
use super::material::{Donor, Material, Variant};
use super::report::{Report, Subject, report};
use super::selection::{Chosen, Drawn, picture, places, preferences};
use crate::data::Workspace;
use crate::domain::{Group, GroupId};
use crate::model::{Judge, Picture};
use crate::runs::{Ending, Fact, Writer};

/// How often progress is noted.
const NOTE: Duration = Duration::from_millis(500);

/// How many variants may wait for the model: little memory, and the model waits for none that is made faster than it is rated.
const WAITING: usize = 4;

/// What is to be done.
#[derive(Debug)]
pub struct Task<'a> {
    /// The groups.
    pub workspace: &'a Workspace,
    /// Which of them.
    pub chosen: Chosen,
    /// What is turned, with the steps of each as [`Factor::steps`] gives them.
    pub factors: Vec<(Factor, Vec<f64>)>,
    /// How often groups are drawn anew for an interval.
    pub resamples: usize,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// All steps were tried.
    Done(Box<Report>),
    /// Somebody asked it to stop.
    Stopped {
        /// Steps that were tried.
        done: usize,
        /// All steps.
        of: usize,
    },
}

/// A candidate that is probed, and what is not known of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) group: GroupId,
    /// Its place in the group.
    place: usize,
    /// Its name.
    candidate: String,
    /// In the order in which they are best tried.
    open: Vec<(Factor, f64)>,
}

impl Item {
    /// A candidate of a group, by its place there; `None` where all is known.
    pub(super) fn of(
        group: &Group,
        place: usize,
        factors: &[(Factor, Vec<f64>)],
        points: &Points,
    ) -> Option<Self> {
        let candidate = group.candidates[place].key.clone();
        let lacks =
            |factor: Factor, step: f64| !points.has(&key(&group.key, &candidate, factor, step));
        let open = in_order(factors).filter(|(factor, step)| lacks(*factor, *step));
        let open: Vec<(Factor, f64)> = open.collect();
        (!open.is_empty()).then_some(Self {
            group: group.id,
            place,
            candidate,
            open,
        })
    }
}

/// The steps of a candidate in the order in which they are best tried.
pub(super) fn in_order(factors: &[(Factor, Vec<f64>)]) -> impl Iterator<Item = (Factor, f64)> {
    factors.iter().flat_map(|(factor, steps)| {
        let order = order(steps, factor.about().neutral).into_iter();
        order.map(move |i| (*factor, steps[i]))
    })
}

/// A step that is ready to be rated against a source, or why it cannot be.
type Ready = (Answer, Result<(Picture, Variant), String>);

/// Does the work of a run. `stop` is asked at every point; `progress` hears how many points of how many are there.
pub fn run(
    judge: &mut (impl Judge + ?Sized),
    task: &Task<'_>,
    writer: &Writer,
    stop: &dyn Fn() -> bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Outcome, ProbeError> {
    let phase = |text: &str| writer.note(Fact::Phase { text: text.into() });
    phase("drawing groups")?;
    let drawn = drawn(task)?;
    let mut points = Points::open(writer.folder().path())?;
    let (subjects, items) = items(&judge.info().fingerprint, task, &drawn, &points)?;
    let steps: usize = task.factors.iter().map(|(_, steps)| steps.len()).sum();
    let candidates: usize = subjects.iter().map(|s| s.candidates.len()).sum();
    let around = |item: &Item| around(task, &drawn, item);
    let making = Making {
        root: task.workspace.root(),
        seed: task.chosen.seed,
        items: &items,
        around: &around,
    };
    let watch = Watch {
        writer,
        stop,
        progress,
    };
    let of = candidates * steps;
    if let Asked::Stopped(done) = asked(judge, &making, &mut points, watch, of)? {
        return Ok(Outcome::Stopped { done, of });
    }
    phase("measuring")?;
    let report = report(&judge.info().into(), task, &subjects, points.known());
    writer.report(&report)?;
    Ok(Outcome::Done(Box::new(report)))
}

/// The groups to be probed; an error where there is none.
pub(super) fn drawn(task: &Task<'_>) -> Result<Drawn, ProbeError> {
    let drawn = Drawn::of(task.workspace, &task.chosen)?;
    if drawn.chosen().is_empty() {
        return Err(ProbeError::Choice(
            "no group with a source image is chosen, so there is nothing to probe".into(),
        ));
    }
    Ok(drawn)
}

/// Whoever watches, and may stop.
pub(super) struct Watch<'a> {
    pub(super) writer: &'a Writer,
    pub(super) stop: &'a dyn Fn() -> bool,
    pub(super) progress: &'a mut dyn FnMut(usize, usize),
}

/// How far the asking came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// All points were tried.
    All,
    /// So many, before somebody asked to stop.
    Stopped(usize),
}

/// Has the model rate all that is open of `of` points, each kept the moment it is there.
pub(super) fn asked(
    judge: &mut (impl Judge + ?Sized),
    making: &Making<'_>,
    points: &mut Points,
    watch: Watch<'_>,
    of: usize,
) -> Result<Asked, ProbeError> {
    let Watch {
        writer,
        stop,
        progress,
    } = watch;
    writer.note(Fact::Phase {
        text: "asking the model".into(),
    })?;
    let open: usize = making.items.iter().map(|item| item.open.len()).sum();
    let mut noted = Noted::new(writer, of - open, of)?;
    let stopped = std::thread::scope(|scope| {
        let (give, take) = sync_channel(WAITING);
        let maker = std::thread::Builder::new()
            .name("erw-variants".into())
            .spawn_scoped(scope, move || making.make(&give))
            .map_err(|why| ProbeError::Choice(format!("cannot start a thread: {why}")))?;
        let asked = ask(judge, take, points, &mut || {
            noted.add()?;
            progress(noted.done, of);
            Ok(stop() || writer.stop_asked())
        });
        match maker.join() {
            Ok(made) => made.and(asked),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })?;
    noted.note()?;
    if stopped && noted.done < of {
        return Ok(Asked::Stopped(noted.done));
    }
    Ok(Asked::All)
}

/// Notes how a run ended.
pub fn end(writer: &Writer, outcome: &Outcome) -> Result<(), ProbeError> {
    let (ending, reason) = match outcome {
        Outcome::Done(report) => {
            let failed = match report.failed {
                0 => String::new(),
                failed => format!(", {failed} without a score"),
            };
            (Ending::Done, format!("{} points{failed}", report.points))
        }
        Outcome::Stopped { done, of } => (Ending::Stopped, format!("{done} of {of} points")),
    };
    Ok(writer.end(ending, &reason)?)
}

/// The report of a finished run.
pub fn read_report(folder: &Path) -> Result<Report, ProbeError> {
    let path = folder.join("report.json");
    let text = std::fs::read_to_string(&path).map_err(ProbeError::files("read", &path))?;
    serde_json::from_str(&text).map_err(|e| ProbeError::files("read", &path)(e.into()))
}

/// The groups that are probed, and the candidates of them that have points open.
fn items(
    fingerprint: &str,
    task: &Task<'_>,
    drawn: &Drawn,
    points: &Points,
) -> Result<(Vec<Subject>, Vec<Item>), ProbeError> {
    let (mut subjects, mut items) = (Vec::new(), Vec::new());
    for id in drawn.chosen() {
        // One that went away meanwhile is no longer wanted.
        let Some(group) = task.workspace.group(*id)? else {
            continue;
        };
        let places = places(task.workspace, &group, task.chosen.which, fingerprint)?;
        let of = |place: &usize| Item::of(&group, *place, &task.factors, points);
        items.extend(places.iter().filter_map(of));
        subjects.push(subject(&group, &places));
    }
    Ok((subjects, items))
}

/// What the report has to know of a group.
pub(super) fn subject(group: &Group, places: &[usize]) -> Subject {
    let name = |place: usize| group.candidates[place].key.clone();
    let (preferred, simulated) = preferences(group);
    let preferred = preferred.iter().map(|(a, b)| (name(*a), name(*b)));
    Subject {
        group: group.key.clone(),
        candidates: places.iter().map(|place| name(*place)).collect(),
        preferred: preferred.collect(),
        simulated,
    }
}

/// How many other groups the factors need.
pub(super) fn donors_needed(factors: &[(Factor, Vec<f64>)]) -> usize {
    let factors = factors.iter();
    factors
        .filter(|(factor, _)| factor.needs_donors())
        .flat_map(|(_, steps)| steps)
        .fold(0.0_f64, |most, step| most.max(*step)) as usize
}

/// A group with all that its candidates share; `None` if it went away.
fn around(task: &Task<'_>, drawn: &Drawn, item: &Item) -> Result<Option<Around>, ProbeError> {
    let Some(group) = task.workspace.group(item.group)? else {
        return Ok(None);
    };
    let donors = match donors_needed(&task.factors) {
        0 => Vec::new(),
        most => drawn.donors(task.workspace, &group, most)?,
    };
    let donors = donors.into_iter().map(|(_, donor)| donor).collect();
    Ok(Some(Around::new(group, donors, task.workspace.root())))
}

/// Has everything rated that comes; whether somebody asked to stop. `on_point` hears of each point that was kept, and says whether
/// to stop.
fn ask(
    judge: &mut (impl Judge + ?Sized),
    take: Receiver<Ready>,
    points: &mut Points,
    on_point: &mut dyn FnMut() -> Result<bool, ProbeError>,
) -> Result<bool, ProbeError> {
    for (mut answer, variant) in take {
        let outcome = variant.and_then(|(source, variant)| {
            let point = rated(judge, &source, variant);
            answer.words = point.words;
            answer.dose = Some(point.dose);
            point.outcome
        });
        match outcome {
            Ok(reward) => answer.reward = Some(reward),
            Err(why) => answer.failed = Some(why),
        }
        points.add(answer)?;
        // Leaving this drops the channel, which lets whoever makes variants go.
        if on_point()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the thread that makes variants knows.
pub(super) struct Making<'a> {
    /// Where relative paths of images start.
    pub(super) root: &'a Path,
    /// What grain is drawn from.
    pub(super) seed: u64,
    /// What is to be made.
    pub(super) items: &'a [Item],
    /// Finds the group of an item; `None` if it went away.
    pub(super) around: &'a (dyn Fn(&Item) -> Result<Option<Around>, ProbeError> + Sync),
}

impl Making<'_> {
    /// Makes all variants; ends early when nobody takes them any more.
    fn make(&self, give: &SyncSender<Ready>) -> Result<(), ProbeError> {
        let mut last: Option<Around> = None;
        for item in self.items {
            let around = match last.take_if(|around| around.group.id == item.group) {
                Some(around) => around,
                None => match (self.around)(item)? {
                    Some(around) => around,
                    None => continue,
                },
            };
            let material = self.material(&around, item);
            for &(factor, step) in &item.open {
                let answer = Answer {
                    group: around.group.key.clone(),
                    candidate: item.candidate.clone(),
                    factor,
                    step,
                    words: String::new(),
                    dose: None,
                    reward: None,
                    failed: None,
                };
                let variant = material
                    .as_ref()
                    .map_err(Clone::clone)
                    .and_then(|material| {
                        let variant = material.variant(factor, step).map_err(|e| e.to_string())?;
                        Ok((material.source().clone(), variant))
                    });
                if give.send((answer, variant)).is_err() {
                    return Ok(());
                }
            }
            last = Some(around);
        }
        Ok(())
    }

    /// What a candidate's variants are made of, or why there are none.
    fn material(&self, around: &Around, item: &Item) -> Result<Material, String> {
        let source = around.source.clone()?;
        let candidate = around.group.candidates.get(item.place);
        let candidate = candidate
            .filter(|candidate| candidate.key == item.candidate)
            .ok_or("the candidate went away while the run went on")?;
        let edit = picture(self.root, &candidate.image).map_err(|e| e.to_string())?;
        let instruction = around.group.instruction.as_str();
        let material =
            Material::new(source, edit, instruction, self.seed).map_err(|e| e.to_string())?;
        let needs_map = item.open.iter().any(|(factor, _)| factor.needs_map());
        let material = material.with_donors(around.donors.clone());
        Ok(if needs_map {
            material.mapped()
        } else {
            material
        })
    }
}

/// A group, its source, and others.
pub(super) struct Around {
    group: Group,
    source: Result<Picture, String>,
    donors: Vec<Donor>,
}

impl Around {
    /// A group with its source, whose path starts at `root` where it is relative.
    pub(super) fn new(group: Group, donors: Vec<Donor>, root: &Path) -> Self {
        Self {
            source: picture(root, &group.source).map_err(|e| e.to_string()),
            group,
            donors,
        }
    }
}

/// Progress, noted now and then.
struct Noted<'a> {
    writer: &'a Writer,
    done: usize,
    of: usize,
    last: Instant,
}

impl<'a> Noted<'a> {
    fn new(writer: &'a Writer, done: usize, of: usize) -> Result<Self, ProbeError> {
        let noted = Self {
            writer,
            done,
            of,
            last: Instant::now(),
        };
        noted.note()?;
        Ok(noted)
    }

    fn add(&mut self) -> Result<(), ProbeError> {
        self.done += 1;
        if self.last.elapsed() >= NOTE {
            self.last = Instant::now();
            self.note()?;
        }
        Ok(())
    }

    fn note(&self) -> Result<(), ProbeError> {
        Ok(self.writer.note(Fact::Progress {
            done: self.done as u64,
            total: Some(self.of as u64),
            unit: "points".into(),
        })?)
    }
}
