//! Every action that a key, a click or a command can mean.

use super::sight::Glass;

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
    /// To the screen of what the model falls for.
    ToFailures,
    /// Goes to the screen where candidates are kept and dropped.
    ToCurate,
    /// Moves the cut by hundredths of all: more are kept, or fewer.
    MoveCut(i8),
    /// Moves the cut by one candidate.
    NudgeCut(i8),
    /// Ranks by the next score.
    NextBy,
    /// Subtracts half a sigma more, or less.
    Sigmas(bool),
    /// Keeps at most so many of each group, or any number.
    NextBestOf,
    /// Keeps the mix of categories, or no longer.
    KeepMix,
    /// Shows the histogram, or both axes.
    Joint,
    /// Goes to the next strip of samples: kept, dropped, borderline.
    NextStrip,
    /// Goes to the next sample.
    NextSample,
    /// Goes to the sample before.
    PreviousSample,
    /// Agrees with the decision on the sample, or does not.
    Agree(bool),
    /// Takes back what was said of the sample.
    NoOpinion,
    /// Shows the sample's group in Browse.
    OpenSample,
    /// Saves what is kept as a selection.
    SaveKept,
    /// The next suspicion.
    NextBias,
    /// The suspicion before.
    PreviousBias,
    /// The next case of it.
    NextCase,
    /// The case before.
    PreviousCase,
    /// Moves the low end of the chosen part up, or down.
    LowEnd(bool),
    /// Moves the high end of it up, or down.
    HighEnd(bool),
    /// Nothing of the plot is chosen.
    WholeRange,
    /// Shows the groups of what is chosen in Browse.
    OpenCases,
    /// Keeps what is chosen as a selection.
    KeepChosen,
    /// Tags the case with the measure's name, or takes that off.
    TagCase,
    /// Writes the report for people to read elsewhere.
    ExportReport,
    /// Measures and analyses in the background.
    Analyse,
    /// To the screen of one candidate's factors.
    ToProbe,
    /// The next factor.
    NextFactor,
    /// The factor before.
    PreviousFactor,
    /// The next step of it.
    NextStep,
    /// The step before.
    PreviousStep,
    /// Its first step.
    FirstStep,
    /// Its last step.
    LastStep,
    /// The step that leaves all as it is.
    NeutralStep,
    /// Turns the factor anew.
    ProbeAgain,
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
    /// To the screen of jobs.
    ToJobs,
    /// Starts typing which runs show.
    FilterRuns,
    /// Asks what is to be started.
    NewJob,
    /// Does what the marked run did again, as a new run.
    RetryRun,
    /// Asks whether the marked run is to be removed.
    RemoveRun,
    /// To the next pane: log, curves, facts.
    NextJobPane,
    /// The pane alone, or all.
    JobLarge,
    /// The keyboard goes to the log.
    IntoLog,
    /// The keyboard goes back to the list.
    OutOfLog,
    /// The log of the next part of a run in shards, or of the one before.
    NextPart(bool),
    /// Moves the log by lines.
    LogLines(i8),
    /// Half a page down, or up.
    LogHalf(bool),
    /// A page down, or up.
    LogPage(bool),
    /// To its beginning.
    LogStart,
    /// To its end, which is followed.
    LogEnd,
    /// Follows the end, or no longer.
    FollowLog,
    /// Moves long lines to the left, or back.
    LogAside(bool),
    /// Breaks long lines, or no longer.
    WrapLog,
    /// Starts typing what is searched for in the log.
    SearchLog,
    /// The next find, or the one before.
    NextFind(bool),
    /// Keeps what was typed as filter or search.
    TakeJobWords,
    /// Drops it.
    DropJobWords,
    /// The next field of a dialog.
    NextField,
    /// The field before.
    PreviousField,
    /// The next of what is offered for it.
    NextOffer,
    /// The one before.
    PreviousOffer,
    /// Starts what the dialog says.
    StartJob,
    /// Closes the dialog.
    LeaveForm,
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
