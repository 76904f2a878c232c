//! The annotate screen: one thing to judge at a time, keys for scores, and nothing shown as said that is not on the disk.
//!
//! A key asks for a judgement to be stored, and the screen goes on when it was. Keys pressed meanwhile wait their turn, so
//! that fast hands lose nothing.

mod judging;
pub(crate) mod layout;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{HashMap, VecDeque};

use tui_input::Input;

use crate::annotate::{Item, Queue, Settings};
use crate::data::{Said, Undone};
use crate::domain::{Axis, CandidateId, Group, GroupId};
use crate::tui::msg::Action;

pub(crate) use view::{View, view};

/// What is to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// Build the queue, by what the model of that fingerprint says.
    Queue(Settings, Option<String>),
    /// Store what is said.
    Say {
        /// Who says it.
        annotator: String,
        /// In which sitting.
        session: String,
        /// Of which group.
        group: GroupId,
        /// What.
        said: Vec<Said>,
    },
    /// Take the annotator's last step back.
    Undo(String),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum AnnotateNews {
    /// The queue, or why there is none.
    Queue(Result<Queue, String>),
    /// It is on the disk, or why it is not.
    Said(GroupId, Result<(), String>),
    /// What was taken back; `None` if there was nothing.
    Undone(Result<Option<Undone>, String>),
}

/// Where the queue is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Phase {
    /// Nobody asked for it.
    #[default]
    Unasked,
    /// It is being built.
    Reading,
    /// It is there.
    Ready,
    /// It cannot be built.
    Failed(String),
}

/// What is typed or chosen in between.
#[derive(Debug, Clone)]
pub(crate) enum Prompt {
    /// Why a group is passed over: a number, or words.
    Skip,
    /// Words: a remark, or a reason of one's own.
    Words {
        /// A reason, and no remark.
        skip: bool,
        /// The words.
        input: Input,
    },
}

/// Reasons to pass a group over, by number.
pub(super) const REASONS: [&str; 4] = [
    "an image is broken or missing",
    "the instruction is unclear",
    "I cannot tell",
    "not suitable",
];

/// The screen's state.
#[derive(Debug, Default)]
pub(crate) struct Annotate {
    pub(crate) settings: Settings,
    /// Names the sitting in the journal.
    pub(crate) session: String,
    phase: Phase,
    items: Vec<Item>,
    /// What is left beyond them.
    beyond: usize,
    /// Where one is in them.
    now: Mark,
    /// Something is being stored; keys wait.
    busy: bool,
    waiting: VecDeque<Action>,
    /// The last candidate's scores, to give them again.
    last: [Option<u8>; 2],
    rubric: bool,
    prompt: Option<Prompt>,
    /// Where one was before what is being stored, should that fail.
    before: Option<Mark>,
}

/// Where one is in the queue, and what was said up to there.
#[derive(Debug, Clone, Default)]
struct Mark {
    at: usize,
    /// The candidate under judgement, as a place in the item.
    cursor: usize,
    /// The axis that the next score is of.
    axis: usize,
    /// Candidates from the best on, as places in the item.
    ranking: Vec<usize>,
    /// Things judged in this sitting.
    judged: usize,
    /// Answers to what was asked again that were the same, and all.
    again: (usize, usize),
    /// What was said in this sitting, by candidate and axis.
    scores: HashMap<(CandidateId, Axis), u8>,
}

impl Annotate {
    /// What has to be read first, once.
    pub(crate) fn wanted(&mut self, fingerprint: Option<String>) -> Option<Wanted> {
        if self.phase != Phase::Unasked || self.settings.annotator.is_empty() {
            return None;
        }
        self.phase = Phase::Reading;
        Some(Wanted::Queue(self.settings.clone(), fingerprint))
    }

    /// Reads the queue anew.
    pub(crate) fn requeue(&mut self) {
        self.phase = Phase::Unasked;
        self.prompt = None;
    }

    /// What is to be judged now.
    pub(crate) fn item(&self) -> Option<&Item> {
        self.items.get(self.now.at)
    }

    /// The groups to have at hand: this and the next.
    pub(crate) fn near(&self) -> Vec<GroupId> {
        let next = self.items.iter().skip(self.now.at).take(2);
        next.map(|item| item.group).collect()
    }

    /// Whether the rubric shows.
    pub(crate) const fn shows_rubric(&self) -> bool {
        self.rubric
    }

    /// Whether words are being typed.
    pub(crate) const fn is_typing(&self) -> bool {
        matches!(self.prompt, Some(Prompt::Words { .. }))
    }

    /// Changes the words that are typed.
    pub(crate) fn type_into(&mut self, change: impl FnOnce(&mut Input)) {
        if let Some(Prompt::Words { input, .. }) = &mut self.prompt {
            change(input);
        }
    }

    /// Takes news in: what has to be told the user, and the group that has changed.
    pub(crate) fn hear(&mut self, news: AnnotateNews) -> (Option<String>, Option<GroupId>) {
        match news {
            AnnotateNews::Queue(Ok(queue)) => {
                self.beyond = queue.left.saturating_sub(crate::annotate::LONGEST);
                self.items = queue.items;
                self.phase = Phase::Ready;
                self.busy = false;
                self.waiting.clear();
                self.go_to(0);
                (None, None)
            }
            AnnotateNews::Queue(Err(why)) => {
                self.phase = Phase::Failed(why);
                (None, None)
            }
            AnnotateNews::Said(group, Ok(())) => (None, Some(group)),
            AnnotateNews::Said(_, Err(why)) => {
                // What was not stored was not said.
                self.waiting.clear();
                self.busy = false;
                if let Some(before) = self.before.take() {
                    self.now = before;
                }
                (Some(format!("not stored: {why}")), None)
            }
            AnnotateNews::Undone(Ok(Some(undone))) => {
                self.busy = false;
                let group = undone.group;
                let words = self.took_back(&undone);
                (Some(words), Some(group))
            }
            AnnotateNews::Undone(Ok(None)) => {
                self.busy = false;
                (Some("there is nothing to take back".into()), None)
            }
            AnnotateNews::Undone(Err(why)) => {
                self.busy = false;
                (Some(format!("not taken back: {why}")), None)
            }
        }
    }

    /// Goes back to where something was taken back.
    fn took_back(&mut self, undone: &Undone) -> String {
        let mut first = None;
        for said in &undone.said {
            if let Said::Label {
                candidate, axis, ..
            }
            | Said::Repeat {
                candidate, axis, ..
            } = said
            {
                self.now.scores.remove(&(*candidate, *axis));
                first.get_or_insert((*candidate, *axis));
            }
        }
        let candidate = first.map(|(candidate, _)| candidate);
        let has = |item: &Item| {
            item.group == undone.group && candidate.is_none_or(|c| item.candidates.contains(&c))
        };
        let upto = self.items.len().min(self.now.at + 1);
        let place = self.items[..upto].iter().rposition(has);
        let place = place.unwrap_or_else(|| {
            // It was judged in another sitting, and so is not in this one's queue.
            let candidates = match candidate {
                Some(candidate) => vec![candidate],
                None => undone.said.iter().flat_map(candidates_of).collect(),
            };
            let item = Item {
                group: undone.group,
                candidates,
                again: false,
            };
            let at = self.now.at.min(self.items.len());
            if !item.candidates.is_empty() {
                self.items.insert(at, item);
            }
            at
        });
        self.now.judged = self.now.judged.saturating_sub(1);
        self.go_to(place);
        if let (Some((candidate, axis)), Some(item)) = (first, self.item()) {
            let at = item.candidates.iter().position(|c| *c == candidate);
            self.now.cursor = at.unwrap_or(0);
            self.now.axis = usize::from(axis == Axis::VisualQuality);
        }
        "taken back".into()
    }

    fn go_to(&mut self, at: usize) {
        self.now.at = at.min(self.items.len());
        self.now.cursor = 0;
        self.now.axis = 0;
        self.now.ranking.clear();
        self.prompt = None;
    }

    /// The next item, after this one was judged.
    fn advance(&mut self) {
        self.now.judged += 1;
        self.go_to(self.now.at + 1);
    }

    /// Does what concerns only this screen; `None` if the action is none of it. `group` is the item's, if it is here.
    pub(crate) fn act(&mut self, action: Action, group: Option<&Group>) -> Option<Vec<Wanted>> {
        if let Some(done) = self.act_on_prompt(action) {
            return Some(done);
        }
        let none = Some(Vec::new());
        match action {
            Action::ShowRubric => self.rubric = !self.rubric,
            Action::Blind => {
                self.settings.blind = !self.settings.blind;
                self.requeue();
            }
            Action::NextMode => {
                self.settings.mode = self.settings.mode.next();
                self.requeue();
            }
            Action::NextOrder => {
                self.settings.strategy = self.settings.strategy.next();
                self.requeue();
            }
            Action::NextUnit => {
                self.settings.unit = self.settings.unit.next();
                self.requeue();
            }
            Action::Rescan => self.requeue(),
            Action::NextItem if !self.busy => self.go_to(self.now.at + 1),
            Action::PreviousItem if !self.busy => self.go_to(self.now.at.saturating_sub(1)),
            Action::NextOfItem => self.step(1),
            Action::PreviousOfItem => self.step(-1),
            Action::OtherAxis => self.now.axis = 1 - self.now.axis,
            Action::Unrank => {
                self.now.ranking.pop();
            }
            Action::SkipItem if self.item().is_some() => self.prompt = Some(Prompt::Skip),
            Action::WriteNote if self.item().is_some() => {
                self.prompt = Some(Prompt::Words {
                    skip: false,
                    input: Input::default(),
                });
            }
            Action::Pick(_) | Action::SameAgain | Action::TakeBack => {
                if self.busy {
                    self.waiting.push_back(action);
                    return none;
                }
                return Some(self.judge(action, group));
            }
            _ => return None,
        }
        none
    }

    fn act_on_prompt(&mut self, action: Action) -> Option<Vec<Wanted>> {
        let prompt = self.prompt.as_ref()?;
        match (action, prompt) {
            (Action::Back | Action::LeaveWords, _) => self.prompt = None,
            (Action::Pick(number), Prompt::Skip) => {
                let chosen = REASONS.get(usize::from(number).wrapping_sub(1));
                if let Some(reason) = chosen {
                    let reason = (*reason).to_owned();
                    self.prompt = None;
                    return Some(self.skip(reason));
                }
                if usize::from(number) == REASONS.len() + 1 {
                    self.prompt = Some(Prompt::Words {
                        skip: true,
                        input: Input::default(),
                    });
                }
            }
            (Action::TakeWords, Prompt::Words { skip, input }) => {
                let (skip, words) = (*skip, input.value().trim().to_owned());
                self.prompt = None;
                if words.is_empty() {
                    return Some(Vec::new());
                }
                if skip {
                    return Some(self.skip(words));
                }
                let Some(item) = self.item() else {
                    return Some(Vec::new());
                };
                let group = item.group;
                return Some(vec![self.say(group, vec![Said::Note { text: words }])]);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn skip(&mut self, reason: String) -> Vec<Wanted> {
        self.before = Some(self.now.clone());
        let Some(item) = self.item() else {
            return Vec::new();
        };
        let group = item.group;
        let wanted = self.say(group, vec![Said::Skip { reason }]);
        // All of the group that is left.
        let mut next = self.now.at + 1;
        while self.items.get(next).is_some_and(|item| item.group == group) {
            next += 1;
        }
        self.go_to(next);
        vec![wanted]
    }

    fn say(&mut self, group: GroupId, said: Vec<Said>) -> Wanted {
        self.busy = true;
        Wanted::Say {
            annotator: self.settings.annotator.clone(),
            session: self.session.clone(),
            group,
            said,
        }
    }

    fn step(&mut self, by: isize) {
        let count = self.item().map_or(0, |item| item.candidates.len());
        let last = count.saturating_sub(1);
        self.now.cursor = self.now.cursor.saturating_add_signed(by).min(last);
        self.now.axis = 0;
    }

    /// The keys that waited, now that the last judgement is stored.
    pub(crate) fn go_on(&mut self, group: Option<&Group>) -> Vec<Wanted> {
        self.busy = false;
        while let Some(action) = self.waiting.pop_front() {
            let wanted = self.judge(action, group);
            if !wanted.is_empty() {
                return wanted;
            }
        }
        Vec::new()
    }
}

/// The candidates that something was said of.
fn candidates_of(said: &Said) -> Vec<CandidateId> {
    match said {
        Said::Label { candidate, .. } | Said::Repeat { candidate, .. } => vec![*candidate],
        Said::Vote { a, b, .. } => vec![*a, *b],
        Said::Skip { .. } | Said::Note { .. } => Vec::new(),
    }
}
