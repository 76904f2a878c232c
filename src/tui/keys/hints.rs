//! The keys that each place names at the bottom of the screen: the most useful first, in words short enough to stand beside others.

use super::Context;
use crate::tui::msg::Action;
use crate::tui::sight::Glass;

type Hint = (Action, &'static str);

/// What is most useful in a context.
pub(crate) const fn hints(context: Option<Context>) -> &'static [Hint] {
    match context {
        Some(Context::Browse) => BROWSE,
        Some(Context::Detail) => DETAIL,
        Some(Context::Failures) => FAILURES,
        Some(Context::Curate) => CURATE,
        Some(Context::Probe) => PROBE,
        Some(Context::Train) => TRAIN,
        Some(Context::Jobs) => JOBS,
        Some(Context::JobLog) => JOB_LOG,
        Some(Context::JobWords) => JOB_WORDS,
        Some(Context::Dialog) => DIALOG,
        Some(Context::Bench) => BENCH,
        Some(Context::Annotate) => ANNOTATE,
        Some(Context::Agreement) => AGREEMENT,
        Some(Context::Words) => WORDS,
        Some(Context::Mistakes) => MISTAKES,
        Some(Context::Plan) => PLAN,
        Some(Context::Value) => VALUE,
        Some(Context::Metrics) => METRICS,
        Some(Context::Filter) => FILTER,
        _ => CHOICE,
    }
}

const BROWSE: &[Hint] = &[
    (Action::Help, "help"),
    (Action::OpenDetail, "open"),
    (Action::Filter, "filter"),
    (Action::NextSort, "sort"),
    (Action::NextPanel, "panel"),
    (Action::ToTrain, "runs"),
    (Action::Palette, "commands"),
    (Action::Quit, "quit"),
];

const DETAIL: &[Hint] = &[
    (Action::Help, "help"),
    (Action::Blink, "blink"),
    (Action::NextDetailView, "one or two"),
    (Action::Back, "back"),
    (Action::NextCandidate, "next"),
];

const FAILURES: &[Hint] = &[
    (Action::Help, "help"),
    (Action::OpenCases, "browse"),
    (Action::NextCase, "case"),
    (Action::LowEnd(true), "choose"),
    (Action::KeepChosen, "keep"),
    (Action::ToProbe, "probe"),
    (Action::Analyse, "analyse"),
    (Action::ExportReport, "report"),
    (Action::ToBrowse, "groups"),
];

const CURATE: &[Hint] = &[
    (Action::Help, "help"),
    (Action::MoveCut(1), "move the cut"),
    (Action::NextSample, "sample"),
    (Action::Agree(true), "agree"),
    (Action::Agree(false), "not"),
    (Action::NextStrip, "kept, dropped"),
    (Action::NextBy, "by"),
    (Action::SaveKept, "save"),
    (Action::ToBrowse, "groups"),
];

const PROBE: &[Hint] = &[
    (Action::Help, "help"),
    (Action::NextFactor, "what is turned"),
    (Action::NextStep, "step"),
    (Action::NeutralStep, "as it is"),
    (Action::Look(Glass::Occlusion), "why"),
    (Action::Look(Glass::Change), "heat"),
    (Action::Back, "back"),
];

const TRAIN: &[Hint] = &[
    (Action::Help, "help"),
    (Action::CursorLeft, "cursor"),
    (Action::OpenStep, "groups of the step"),
    (Action::ShowRun, "keep"),
    (Action::PinRun, "compare"),
    (Action::Smoother, "smooth"),
    (Action::ZoomIn, "zoom"),
    (Action::NextTrainPane, "pane"),
    (Action::NewRun, "new"),
    (Action::ToBrowse, "groups"),
];

const JOBS: &[Hint] = &[
    (Action::Help, "help"),
    (Action::NewJob, "start"),
    (Action::IntoLog, "log"),
    (Action::StopRun, "stop"),
    (Action::ResumeRun, "resume"),
    (Action::RetryRun, "again"),
    (Action::RemoveRun, "remove"),
    (Action::FilterRuns, "filter"),
    (Action::NextJobPane, "pane"),
    (Action::ToBrowse, "groups"),
];

const JOB_LOG: &[Hint] = &[
    (Action::Help, "help"),
    (Action::SearchLog, "search"),
    (Action::NextFind(true), "next"),
    (Action::FollowLog, "follow"),
    (Action::WrapLog, "wrap"),
    (Action::JobLarge, "large"),
    (Action::OutOfLog, "list"),
];

const JOB_WORDS: &[Hint] = &[
    (Action::TakeJobWords, "keep"),
    (Action::DropJobWords, "drop"),
];

const DIALOG: &[Hint] = &[
    (Action::StartJob, "start"),
    (Action::NextField, "field"),
    (Action::NextOffer, "offered"),
    (Action::LeaveForm, "leave"),
];

const BENCH: &[Hint] = &[
    (Action::Help, "help"),
    (Action::OpenCell, "what it got wrong"),
    (Action::NextBenchPane, "pane"),
    (Action::OlderRun, "older run"),
    (Action::SortColumn, "sort"),
    (Action::DetailDown, "scroll"),
    (Action::ToBrowse, "groups"),
];

const ANNOTATE: &[Hint] = &[
    (Action::Help, "help"),
    (Action::TakeBack, "take back"),
    (Action::SameAgain, "the same again"),
    (Action::SkipItem, "pass over"),
    (Action::WriteNote, "remark"),
    (Action::ShowRubric, "rubric"),
    (Action::NextMode, "way"),
    (Action::NextOrder, "order"),
    (Action::ToBrowse, "groups"),
];

const AGREEMENT: &[Hint] = &[
    (Action::Help, "help"),
    (Action::OpenDisputed, "browse them"),
    (Action::NextQuestion, "question"),
    (Action::ModelToo, "the model too"),
    (Action::Rescan, "anew"),
    (Action::ToBrowse, "groups"),
];

const WORDS: &[Hint] = &[(Action::TakeWords, "keep"), (Action::LeaveWords, "leave")];

const MISTAKES: &[Hint] = &[
    (Action::Help, "help"),
    (Action::OpenMistake, "open"),
    (Action::NextMistake, "next"),
    (Action::Back, "back"),
];

const PLAN: &[Hint] = &[
    (Action::EditValue, "type"),
    (Action::SetKey, "set or not"),
    (Action::StartPlan, "start"),
    (Action::ResetPlan, "anew"),
    (Action::LeavePlan, "leave"),
];

const VALUE: &[Hint] = &[(Action::TakeValue, "take"), (Action::LeaveValue, "leave")];

const METRICS: &[Hint] = &[
    (Action::KeepMetrics, "keep"),
    (Action::DropMetrics, "show all"),
];

const FILTER: &[Hint] = &[(Action::KeepFilter, "keep"), (Action::DropFilter, "drop")];

const CHOICE: &[Hint] = &[(Action::Choose, "take"), (Action::Close, "close")];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keys::TABLE;

    #[test]
    fn every_hint_is_of_an_action_that_has_a_key() {
        let lists = [
            BROWSE, DETAIL, FAILURES, PROBE, TRAIN, JOBS, JOB_LOG, JOB_WORDS, DIALOG, BENCH,
            ANNOTATE, AGREEMENT, WORDS, MISTAKES, PLAN, VALUE, METRICS, FILTER, CHOICE,
        ];
        for (action, words) in lists.into_iter().flatten() {
            assert!(TABLE.iter().any(|row| row.action == *action), "{words}");
        }
    }
}
