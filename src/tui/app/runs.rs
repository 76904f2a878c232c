//! Routing for the train screen: its keys and clicks, news of runs, the groups that it shows and those that it sends to Browse.

use std::collections::HashSet;

use ratatui::layout::{Position, Rect};

use super::pictures::want;
use super::{App, Screen};
use crate::domain::GroupId;
use crate::tui::library::{Record, USUAL_ASPECT};
use crate::tui::msg::{Action, Effect, Look, Sought, Work};
use crate::tui::overlays;
use crate::tui::screens::jobs;
use crate::tui::screens::train::{self, Pane, RunNews};
use crate::tui::widgets::image::Shown;

impl App {
    /// Where things are on the train screen.
    pub(super) fn train_layout(&self, screen: Rect) -> train::layout::Layout {
        let train = &self.screens.train;
        let record = self.followed_record();
        train::layout::layout(
            screen,
            train::layout::Facts {
                charts: train.metrics().len(),
                large: train.large,
                pane: train.pane,
                runs: train.shelf.entries().len(),
                pictures: record.map_or(0, |record| record.group.candidates.len() + 1),
                aspect: record.map_or(USUAL_ASPECT, |record| record.aspect),
                cell: self.cell(),
            },
        )
    }

    /// The followed group on screen, if it is here.
    pub(super) fn followed_record(&self) -> Option<&Record> {
        self.records.get(self.screens.train.followed_group()?)
    }

    /// Does what an action says on the train screen; `None` if it is none of its own.
    pub(super) fn act_on_runs(&mut self, action: Action) -> Option<Vec<Effect>> {
        let layout = self.train_layout(self.screen());
        if self.screens.train.act(action, &layout) {
            return Some(Vec::new());
        }
        match action {
            Action::Back => {
                self.screens.train.back();
                Some(Vec::new())
            }
            Action::OpenStep => Some(self.open_step()),
            Action::ForkRun => Some(self.fork()),
            Action::StartPlan => Some(self.start_plan()),
            Action::StopRun => Some(self.ask_to_stop()),
            Action::ResumeRun => Some(self.resume()),
            Action::Rescan => {
                self.screens.train.forget_places();
                None
            }
            _ => None,
        }
    }

    /// Looks the groups of the step at the cursor up, to show them in Browse.
    fn open_step(&mut self) -> Vec<Effect> {
        let train = &self.screens.train;
        let title = train.shelf.marked().map_or("", |entry| entry.title());
        if let Some((step, keys)) = train.samples() {
            let words = format!("Step {step} of {title}");
            return vec![Effect::Find(Sought::Step(words), keys)];
        }
        let step = train.step_at_cursor();
        let words = step.map_or("there is no step here".into(), |step| {
            format!("the run does not say which groups step {step} was made of")
        });
        self.tell(words);
        Vec::new()
    }

    /// A plan like the marked run's.
    fn fork(&mut self) -> Vec<Effect> {
        let train = &mut self.screens.train;
        let Some(entry) = train.shelf.marked() else {
            return Vec::new();
        };
        if let Some(plan) = &entry.manifest.plan {
            train.draft.fork(entry.title(), plan);
        } else {
            let words = format!("'{}' keeps no plan that could be forked", entry.title());
            self.tell(words);
        }
        Vec::new()
    }

    /// Starts what the plan says, if it can be carried out.
    fn start_plan(&mut self) -> Vec<Effect> {
        match self.screens.train.draft.start() {
            Some(Ok(work)) => return vec![Effect::Work(work)],
            Some(Err(why)) => self.tell(format!("not started: {why}")),
            None => {}
        }
        Vec::new()
    }

    fn ask_to_stop(&mut self) -> Vec<Effect> {
        let Some(entry) = self.screens.train.shelf.marked() else {
            return Vec::new();
        };
        if entry.state.is_live() {
            let question = overlays::stop(&entry.name, entry.title(), entry.state);
            self.overlays.push(question);
        } else {
            let words = format!("'{}' is over: {}", entry.title(), entry.state.word());
            self.tell(words);
        }
        Vec::new()
    }

    fn resume(&mut self) -> Vec<Effect> {
        let Some(entry) = self.screens.train.shelf.marked() else {
            return Vec::new();
        };
        let run = entry.name.clone();
        vec![Effect::Work(Work::Resume { run })]
    }

    /// Something was done to a run.
    pub(super) fn worked(&mut self, words: String, run: Option<String>) {
        if let Some(run) = run {
            let train = &mut self.screens.train;
            train.draft.started();
            train.shelf.wait_for(run);
        }
        self.tell(words);
    }

    /// Where the plan's form covers pictures.
    pub(super) fn plan_cover(&self) -> Option<Rect> {
        if self.screens.open == Screen::Jobs {
            let form = self.screens.jobs.form.as_ref();
            return form.map(|form| jobs::form_area(self.screen(), form));
        }
        let open = self.screens.open == Screen::Train;
        let form = self.screens.train.draft.form();
        form.filter(|_| open)
            .map(|_| train::form_area(self.screen()))
    }

    /// A key or a paste that is no command goes into what is being typed.
    pub(super) fn type_on_runs(&mut self, change: impl FnOnce(&mut tui_input::Input)) {
        let train = &mut self.screens.train;
        if train.draft.is_typing() {
            train.draft.type_into(change);
        } else if train.lens.typing {
            change(&mut train.lens.filter);
        } else {
            return;
        }
        self.paint.due = true;
    }

    /// Groups were looked up.
    pub(super) fn found(
        &mut self,
        sought: Sought,
        places: Vec<(String, Option<GroupId>)>,
    ) -> Vec<Effect> {
        self.paint.due = true;
        let words = match sought {
            Sought::Followed => {
                self.screens.train.place(places);
                return Vec::new();
            }
            Sought::Mistakes { words, chosen } => {
                return self.found_mistakes(words, &chosen, places);
            }
            Sought::Step(words) => words,
        };
        let all = places.len();
        let here: HashSet<GroupId> = places.into_iter().filter_map(|(_, id)| id).collect();
        if here.is_empty() {
            self.tell(format!(
                "none of the {all} groups of {} is in this workspace",
                words.replacen("Step", "step", 1)
            ));
            return Vec::new();
        }
        if here.len() < all {
            let missing = all - here.len();
            self.tell(format!(
                "{missing} of the {all} groups are not in this workspace"
            ));
        }
        self.screens.open = Screen::Browse;
        self.screens.detail = None;
        self.list.show_only(words, here);
        super::rank(self.list.rank(true))
    }

    /// News of runs.
    pub(super) fn hear_of_runs(&mut self, news: RunNews) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let RunNews::Job(news) = news {
            self.hear_of_jobs(news);
            return effects;
        }
        if let RunNews::Listed(entries) = &news {
            effects = self.tell_of_ends(entries);
            self.screens.jobs.listed(entries);
            self.paint.due |= self.screens.open == Screen::Jobs;
            let changed = self.screens.bench.listed(entries);
            self.paint.due |= changed && self.screens.open == Screen::Bench;
            let changed = self.screens.failures.listed(entries);
            self.paint.due |= changed && self.screens.open == Screen::Failures;
        }
        let before = self.screens.train.shelf.digest();
        let changed = self.screens.train.hear(news);
        let open = self.screens.open == Screen::Train;
        self.paint.due |= changed && open || before != self.screens.train.shelf.digest();
        effects
    }

    /// What the train screen wants after a batch of messages.
    pub(super) fn settle_runs(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let open = self.screens.open == Screen::Train;
        let mut watch = self.screens.train.watch(open);
        if self.screens.open == Screen::Jobs {
            let layout = self.jobs_layout(self.screen());
            self.screens.jobs.settle(&layout);
            watch.job = self.screens.jobs.watch(&layout);
        }
        if self.screens.train.watch.as_ref() != Some(&watch) {
            self.screens.train.watch = Some(watch.clone());
            effects.push(Effect::Watch(watch));
        }
        if open {
            let keys = self.screens.train.unplaced();
            if !keys.is_empty() {
                effects.push(Effect::Find(Sought::Followed, keys));
            }
            let layout = self.train_layout(self.screen());
            self.screens.train.scroll(&layout);
        }
        effects
    }

    /// The pictures of the followed group.
    pub(super) fn looking_at_runs(&self) -> Look {
        let mut look = Look::default();
        let layout = self.train_layout(self.screen());
        if let Some(record) = self.followed_record()
            && self.screens.train.pane == Pane::Followed
        {
            let group = &record.group;
            let candidates = group.candidates.iter().map(|candidate| &candidate.image);
            let images = std::iter::once(&group.source).chain(candidates);
            for (image, tile) in images.zip(&layout.tiles) {
                want(
                    &mut look.view,
                    Some(Shown::plain(image.clone())),
                    train::panes::picture_of(*tile),
                );
            }
        }
        look
    }

    pub(super) fn mouse_on_runs(&mut self, turn: isize, at: Position) {
        if self.screens.train.draft.form().is_some() {
            if turn != 0 {
                let action = if turn > 0 {
                    Action::NextKey
                } else {
                    Action::PreviousKey
                };
                self.screens.train.draft.act(action);
            }
            return;
        }
        let layout = self.train_layout(self.screen());
        if turn == 0 {
            self.screens.train.click(at, &layout);
        } else {
            self.screens.train.wheel(turn > 0, at, &layout);
        }
    }
}
