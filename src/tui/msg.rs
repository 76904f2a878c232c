//! What goes in and what comes out: every message the loop hands to the app, every effect the app can ask for. Plain data, so that tests speak the same language as the terminal.

use std::sync::Arc;

use ratatui::crossterm::event::Event;

use crate::annotate::agreement::AgreementReport;
use crate::domain::{CandidateId, GroupId, GroupSummary, Reward};
use crate::jobs::Force;
use crate::score::LiveEvent;

pub(crate) use super::action::Action;
use super::judgement::Judgement;
use super::library::Record;
use super::probing::{ProbeNews, Wish};
use super::rank::{RankRequest, Ranking};
use super::screens::annotate::{self, AnnotateNews};
use super::screens::bench::{BenchNews, Wanted};
use super::screens::curate::{self, CurateNews};
use super::screens::failures::FailureNews;
use super::screens::jobs;
use super::screens::train::{RunNews, Watch};
use super::widgets::image::{Graphics, Want};

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Msg {
    /// A key, the mouse, a paste, or a new size of the terminal.
    Input(Event),
    /// How many groups the workspace holds.
    Counted(usize),
    /// The next rows of the group list; `round` tells a reload from the one before.
    Rows {
        /// Which reading of the list they belong to.
        round: u64,
        /// Where in the list they start.
        start: usize,
        /// The rows, in workspace order.
        rows: Vec<GroupSummary>,
        /// Whether these were the last.
        last: bool,
    },
    /// A group with all that is stored about it; `None` if it is gone.
    Loaded(GroupId, Option<Box<Record>>),
    /// Preferences and ranks of a group, computed from its rewards.
    Judged(GroupId, Box<Judgement>),
    /// All stored aggregate means under the model, ascending.
    Scale(Arc<[f64]>),
    /// The list filtered and sorted, in whole or so far.
    Ranked(Ranking),
    /// News from the model.
    Model(LiveEvent),
    /// Pictures became ready, or turned out broken.
    Pictures,
    /// News of runs.
    Runs(RunNews),
    /// What was read of finished benchmarks.
    Bench(BenchNews),
    /// An analysis was read.
    Failures(FailureNews),
    /// News of a probe, or of what a score hangs on.
    Probe(ProbeNews),
    /// What was read or reckoned for the curate screen.
    Curate(CurateNews),
    /// How far people agree.
    Agreed(Result<Box<AgreementReport>, String>),
    /// What was stored for the annotate screen.
    Annotate(AnnotateNews),
    /// Where the groups with some keys are; `None` for those that the workspace does not have.
    Found(Sought, Vec<(String, Option<GroupId>)>),
    /// What the terminal can show, as far as is known by now.
    Probed {
        /// The way of drawing pictures.
        graphics: Graphics,
        /// The background's colour, if the terminal told it.
        background: Option<(u8, u8, u8)>,
    },
    /// A held key was let go: the look of that number, if still the newest, may be taken.
    Rested(u64),
    /// Something asked for was done to a run: what to say of it, and the run to look at, if it is a new one.
    Worked(String, Option<String>),
    /// Something failed in the background; for the message log.
    Failed(String),
    /// Something is wrong with the runs; for the message log.
    Troubled(String),
    /// The terminal or the system asks for the end.
    Quit,
    /// The terminal or the system asks for a pause.
    Suspend,
    /// The program runs on after a pause.
    Continued,
}

/// Something to be done to a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    /// Start a training.
    Start {
        /// What its plan calls the model.
        title: String,
        /// The plan's text.
        plan: String,
    },
    /// Make it stop.
    Stop {
        /// Its name.
        run: String,
        /// How hard.
        force: Force,
    },
    /// Have it go on from where it was.
    Resume {
        /// Its name.
        run: String,
    },
    /// Measure the workspace's edits, then analyse the model's scores.
    Analyse {
        /// The model's name; empty for that of the settings.
        model: String,
    },
    /// Do what it did again, as a new run.
    Retry {
        /// Its name.
        run: String,
    },
    /// Remove its folder.
    Remove {
        /// Its name.
        run: String,
    },
    /// Have another erw put something into a queue.
    Launch {
        /// The dialog that asks for it.
        ticket: jobs::Ticket,
        /// The words of its command line.
        words: Vec<String>,
    },
}

/// Why groups were looked up by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sought {
    /// A run follows them.
    Followed,
    /// A step was made of them; the words name it.
    Step(String),
    /// A run judged them wrong.
    Mistakes {
        /// Which run, by which figure.
        words: String,
        /// The one to look at.
        chosen: String,
    },
}

/// What one looks at: the group and its pictures, and what is likely next. Newest wins; work for what a held key passes is
/// not begun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// The group on screen.
    pub(crate) group: Option<GroupId>,
    /// The groups to score after it.
    pub(crate) next: Vec<GroupId>,
    /// Pictures on screen.
    pub(crate) view: Vec<Want>,
    /// Pictures to have ready.
    pub(crate) prefetch: Vec<Want>,
}

/// Something to be done outside, answered (if at all) by a [`Msg`].
#[derive(Debug, PartialEq)]
pub(crate) enum Effect {
    /// Count the groups, then read the list from the start.
    LoadRows {
        /// Which reading of the list this is.
        round: u64,
        /// Whose scores.
        fingerprint: Option<String>,
    },
    /// Read one group.
    LoadGroup {
        /// Which.
        id: GroupId,
        /// Whose scores.
        fingerprint: Option<String>,
    },
    /// Compute preferences and ranks.
    Judge(GroupId, Box<Record>),
    /// Read the scale of the percentiles.
    LoadScale(String),
    /// Filter and sort.
    Rank(RankRequest),
    /// Look groups up by their keys.
    Find(Sought, Vec<String>),
    /// Read the report of an analysis.
    ReadFailures(String),
    /// Read, rank, note or save for the curate screen.
    Curate(curate::Wanted),
    /// Write the report of an analysis for people to read elsewhere.
    ExportFailures(String),
    /// Keep candidates as a selection.
    Keep {
        /// Its name.
        name: String,
        /// How it came about.
        origin: String,
        /// The candidates.
        candidates: Vec<CandidateId>,
    },
    /// Put a tag on a candidate, or take it off.
    Tag {
        /// The candidate.
        candidate: CandidateId,
        /// The tag.
        tag: String,
    },
    /// Find out what a factor does to a candidate's scores, or what they hang on.
    Probe(Wish),
    /// Find out no more.
    StopProbe,
    /// What the model said of a picture, for whoever waits for it.
    Heard {
        /// The job.
        job: u64,
        /// The picture's number.
        index: usize,
        /// What it said.
        result: Result<Reward, String>,
    },
    /// Watch these runs from here on.
    Watch(Watch),
    /// Read what finished benchmarks left behind.
    Bench(Wanted),
    /// Measure how far people agree, with this model as a rater.
    Agree(Option<String>),
    /// Store a judgement, take one back, or build the queue of what is judged.
    Annotate(annotate::Wanted),
    /// Start, stop or resume a run.
    Work(Work),
    /// Find something out for the jobs screen.
    Jobs(jobs::Wanted),
    /// Tell of something also where nobody looks at this terminal.
    Notify(String),
    /// Score and decode what is looked at.
    Look(Look),
    /// Draw pictures this way from here on.
    Repicture(Graphics),
    /// Paint the whole screen, whatever was there.
    Repaint,
    /// Hand the terminal back and stop.
    Suspend,
}
