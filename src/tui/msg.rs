//! What goes in and what comes out: every message the loop hands to the app, every action a key can mean, every effect the
//! app can ask for. Plain data, so that tests speak the same language as the terminal.

use std::sync::Arc;

use ratatui::crossterm::event::Event;

use crate::annotate::agreement::AgreementReport;
use crate::domain::{GroupId, GroupSummary};
use crate::jobs::Force;
use crate::score::LiveEvent;

use super::judgement::Judgement;
use super::library::Record;
use super::rank::{RankRequest, Ranking};
use super::screens::annotate::{self, AnnotateNews};
use super::screens::bench::{BenchNews, Wanted};
use super::screens::train::{RunNews, Watch};
use super::sight::Glass;
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

/// What a key, a click or a command of the palette means. Nameable, so that help and palette can run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Down one group.
    NextGroup,
    /// Up one group.
    PreviousGroup,
    /// Down half a page of the list.
    HalfPageDown,
    /// Up half a page of the list.
    HalfPageUp,
    /// Down a page of the list.
    PageDown,
    /// Up a page of the list.
    PageUp,
    /// To the top of the list.
    FirstGroup,
    /// To the end of the list.
    LastGroup,
    /// To the next group in which a candidate has no score yet.
    NextUnscored,
    /// To the previous one.
    PreviousUnscored,
    /// To the next candidate.
    NextCandidate,
    /// To the previous candidate.
    PreviousCandidate,
    /// To the candidate of this number, from 1.
    Pick(u8),
    /// Shows the candidate large.
    OpenDetail,
    /// Swaps source and candidate in place.
    Blink,
    /// Side by side or one picture.
    NextDetailView,
    /// Gaussians or matrix.
    NextPanel,
    /// Grid or pair.
    NextPictures,
    /// Holds a lens before the pictures, or takes it away.
    Look(Glass),
    /// The source in every candidate's place, or no longer.
    BlinkAll,
    /// Moves the line between source and edit to the left.
    WipeLeft,
    /// Moves it to the right.
    WipeRight,
    /// Shows a smaller part of the pictures, larger.
    Nearer,
    /// Shows a larger part.
    Farther,
    /// Shows all of the pictures.
    WholeImage,
    /// Moves the part that shows, by quarters of it: right and down.
    PanImage(i8, i8),
    /// Starts typing a filter.
    Filter,
    /// Stops typing, keeps the filter.
    KeepFilter,
    /// Stops typing, drops the filter.
    DropFilter,
    /// The next sort key.
    NextSort,
    /// The same key the other way round.
    ReverseSort,
    /// Reads the workspace again.
    Rescan,
    /// One layer out.
    Back,
    /// To the screen of groups.
    ToBrowse,
    /// To the screen of runs.
    ToTrain,
    /// To the screen of benchmarks.
    ToBench,
    /// To the screen where people judge.
    ToAnnotate,
    /// To the screen of how far they agree.
    ToAgreement,
    /// The next disputed group.
    NextDisputed,
    /// The disputed group before.
    PreviousDisputed,
    /// The next question that was asked of people.
    NextQuestion,
    /// Counts the model as a rater, or no longer.
    ModelToo,
    /// Shows the disputed groups in Browse.
    OpenDisputed,
    /// The next thing to judge, this one not judged.
    NextItem,
    /// The thing before.
    PreviousItem,
    /// The next candidate of it.
    NextOfItem,
    /// The candidate before.
    PreviousOfItem,
    /// The other axis.
    OtherAxis,
    /// The last candidate's scores for this one.
    SameAgain,
    /// Takes the last step back.
    TakeBack,
    /// Takes the last rank back.
    Unrank,
    /// Passes the group over.
    SkipItem,
    /// A remark on the group.
    WriteNote,
    /// What the points mean.
    ShowRubric,
    /// Hides or shows names, scores and what others said.
    Blind,
    /// Scores, pairs or rankings.
    NextMode,
    /// What comes first.
    NextOrder,
    /// A group or a candidate at a time.
    NextUnit,
    /// Keeps the words typed.
    TakeWords,
    /// Leaves the words typed.
    LeaveWords,
    /// Down one scorer.
    NextRow,
    /// Up one scorer.
    PreviousRow,
    /// To the first scorer.
    FirstRow,
    /// To the last scorer.
    LastRow,
    /// To the next benchmark.
    NextColumn,
    /// To the previous benchmark.
    PreviousColumn,
    /// To the first benchmark.
    FirstColumn,
    /// To the last benchmark.
    LastColumn,
    /// Sorts by the benchmark under the cursor, or no longer.
    SortColumn,
    /// The other end first.
    TurnSort,
    /// The next older run behind the cell.
    OlderRun,
    /// Figures, tables or a curve.
    NextBenchPane,
    /// Down half a page of the detail.
    DetailDown,
    /// Up half a page of the detail.
    DetailUp,
    /// Lists what the run under the cursor got wrong.
    OpenCell,
    /// Down one mistake.
    NextMistake,
    /// Up one mistake.
    PreviousMistake,
    /// Down a page of mistakes, or of the case's words.
    MistakesDown,
    /// Up a page of mistakes, or of the case's words.
    MistakesUp,
    /// To the surest mistake.
    FirstMistake,
    /// To the least sure one.
    LastMistake,
    /// Shows the mistake's group in Browse, or its case in words.
    OpenMistake,
    /// Down one run.
    NextRun,
    /// Up one run.
    PreviousRun,
    /// Down a page of runs.
    RunsDown,
    /// Up a page of runs.
    RunsUp,
    /// To the newest run.
    NewestRun,
    /// To the oldest run.
    OldestRun,
    /// Keeps the marked run in the charts, or no longer.
    ShowRun,
    /// Compares the others with the marked run, or no longer.
    PinRun,
    /// To the next chart.
    NextChart,
    /// To the previous chart.
    PreviousChart,
    /// One chart alone, or all.
    EnlargeChart,
    /// The cursor one column to the left.
    CursorLeft,
    /// The cursor one column to the right.
    CursorRight,
    /// The cursor ten columns to the left.
    CursorFarLeft,
    /// The cursor ten columns to the right.
    CursorFarRight,
    /// A smaller part of the horizontal axis.
    ZoomIn,
    /// A larger part of it.
    ZoomOut,
    /// An earlier part of it.
    PanLeft,
    /// A later part of it.
    PanRight,
    /// All of it.
    ShowAll,
    /// Its end, wherever that is by now.
    FollowEnd,
    /// Smooths curves more.
    Smoother,
    /// Smooths curves less.
    Rougher,
    /// Values by factors, or evenly.
    LogValues,
    /// The horizontal axis by factors, or evenly.
    LogAcross,
    /// Steps, epochs or hours.
    NextAcross,
    /// Starts typing which metrics show.
    FilterMetrics,
    /// Stops typing, keeps the filter.
    KeepMetrics,
    /// Stops typing, drops the filter.
    DropMetrics,
    /// Charts alone, a followed group, or the log.
    NextTrainPane,
    /// To the next followed group.
    NextFollowed,
    /// To the previous followed group.
    PreviousFollowed,
    /// Shows the groups of the step at the cursor in Browse.
    OpenStep,
    /// Writes a plan for a new run.
    NewRun,
    /// Writes a plan like the marked run's.
    ForkRun,
    /// Asks how the marked run is to stop.
    StopRun,
    /// Has the marked run go on.
    ResumeRun,
    /// To the next key of the plan.
    NextKey,
    /// To the previous key of the plan.
    PreviousKey,
    /// Ten keys on.
    NextKeys,
    /// Ten keys back.
    PreviousKeys,
    /// Begins to type the marked value.
    EditValue,
    /// Sets the marked key, or leaves it to its default.
    SetKey,
    /// Takes the value typed.
    TakeValue,
    /// Leaves the value as it was.
    LeaveValue,
    /// Starts a run of the plan.
    StartPlan,
    /// Puts the plan aside.
    LeavePlan,
    /// Begins the plan anew.
    ResetPlan,
    /// The key table.
    Help,
    /// The command palette.
    Palette,
    /// The theme picker.
    Themes,
    /// The message log.
    Messages,
    /// Takes the marked line of a chooser.
    Choose,
    /// Closes the chooser.
    Close,
    /// Down one line.
    NextChoice,
    /// Up one line.
    PreviousChoice,
    /// Down a page of lines.
    NextChoices,
    /// Up a page of lines.
    PreviousChoices,
    /// Draws everything again.
    Redraw,
    /// Stops the process, as Ctrl-Z does in a shell.
    Suspend,
    /// Ends the program.
    Quit,
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
    /// Score and decode what is looked at.
    Look(Look),
    /// Draw pictures this way from here on.
    Repicture(Graphics),
    /// Paint the whole screen, whatever was there.
    Repaint,
    /// Hand the terminal back and stop.
    Suspend,
}
