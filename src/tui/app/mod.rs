//! Routing: every message to the part of the state it concerns, every wish of the state to an effect. Holds the parts and
//! decides between them; what a part does it does itself. Pure: no files, threads or clocks.

mod agreement;
mod annotate;
mod bench;
mod curate;
mod failures;
mod input;
mod jobs;
mod live;
mod pictures;
mod probe;
mod runs;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use ratatui::layout::{Rect, Size};

use crate::domain::GroupId;

use super::keys::Context;
use super::library::Record;
use super::msg::{Effect, Look, Msg};
use super::overlays::Chooser;
use super::rank::RankRequest;
use super::records::Records;
use super::screens::agreement::Agreement;
use super::screens::annotate::Annotate;
use super::screens::bench::Bench;
use super::screens::browse::Browse;
use super::screens::browse::list::List;
use super::screens::curate::Curate;
use super::screens::detail::Detail;
use super::screens::failures::Failures;
use super::screens::grid::USUAL_CELL;
use super::screens::jobs::Jobs;
use super::screens::probe::Probe;
use super::screens::train::Train;
use super::sight::Sight;
use super::status::{Log, Model, Phase};
use super::theme::{Depth, Theme};
use super::widgets::image::Graphics;

/// What the workspace is called on screen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Its folder's name, or "demo".
    pub(crate) name: String,
    /// Its folder, for the empty workspace's advice.
    pub(crate) folder: String,
    /// Where its runs are, for the advice where there are none.
    pub(crate) runs: String,
    /// The name of the model that came with it, if one did.
    pub(crate) model: String,
}

/// How things are painted, and whether they must be.
#[derive(Debug)]
pub(crate) struct Paint {
    /// The theme in force.
    pub(crate) theme: Theme,
    /// It was chosen, so the terminal's background does not change it.
    pub(crate) chosen: bool,
    /// How many colours there are.
    pub(crate) depth: Depth,
    /// How pictures are drawn, once known.
    pub(crate) graphics: Option<Graphics>,
    /// Something changed since the last frame.
    pub(crate) due: bool,
}

/// What one looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Screen {
    /// The groups, or one candidate large.
    #[default]
    Browse,
    /// The runs.
    Train,
    /// The benchmarks.
    Bench,
    /// What people judge.
    Annotate,
    /// How far they agree.
    Agreement,
    /// What the model falls for.
    Failures,
    /// One factor of a candidate.
    Probe,
    /// Which candidates are kept.
    Curate,
    /// The queue and what has run.
    Jobs,
}

/// The screens with their states, and which of them is open.
#[derive(Debug, Default)]
struct Screens {
    open: Screen,
    browse: Browse,
    detail: Option<Detail>,
    /// How images are looked at.
    sight: Sight,
    failures: Failures,
    probe: Probe,
    train: Train,
    bench: Bench,
    annotate: Annotate,
    agreement: Agreement,
    curate: Curate,
    jobs: Jobs,
}

/// The whole state.
#[derive(Debug)]
pub(crate) struct App {
    size: Size,
    place: Place,
    list: List,
    records: Records,
    screens: Screens,
    overlays: Vec<Chooser>,
    model: Model,
    paint: Paint,
    log: Log,
    look: Look,
    quit: bool,
}

/// Below this nothing useful fits.
const LEAST: Size = Size {
    width: 30,
    height: 8,
};
/// Groups read, scored and decoded ahead of the mark, and behind it.
const AHEAD: usize = 2;
const BEHIND: usize = 1;

impl App {
    /// A fresh app. `no_model`: why there is none, if there is none.
    pub(crate) fn new(place: Place, paint: Paint, no_model: Option<String>) -> Self {
        let phase = no_model.map_or(Phase::Waiting, Phase::Absent);
        Self {
            size: Size::ZERO,
            place,
            list: List::default(),
            records: Records::default(),
            screens: Screens::default(),
            overlays: Vec::new(),
            model: Model {
                phase,
                ..Model::default()
            },
            paint,
            log: Log::default(),
            look: Look::default(),
            quit: false,
        }
    }

    /// The first effects.
    pub(crate) fn start(&mut self) -> Vec<Effect> {
        vec![self.reread()]
    }

    fn reread(&mut self) -> Effect {
        let fingerprint = self.model.fingerprint();
        Effect::LoadRows {
            round: self.list.reread(fingerprint.clone()),
            fingerprint,
        }
    }

    /// Whether the program is to end.
    pub(crate) const fn wants_to_quit(&self) -> bool {
        self.quit
    }

    /// Whether something changed since the last frame.
    pub(crate) const fn needs_frame(&self) -> bool {
        self.paint.due
    }

    /// The frame is out.
    pub(crate) const fn drawn(&mut self) {
        self.paint.due = false;
    }

    /// The terminal's size as drawn; true if it was another.
    pub(crate) fn resized(&mut self, size: Size) -> bool {
        let changed = self.size != size;
        self.size = size;
        self.paint.due |= changed;
        changed
    }

    /// There is no shell to go back to.
    pub(crate) fn cannot_suspend(&mut self) {
        self.tell("cannot be suspended: there is no shell here that could bring it back");
    }

    fn tell(&mut self, message: impl Into<String>) {
        self.log.add(message);
        self.paint.due = true;
    }

    /// Takes one message in.
    pub(crate) fn update(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Input(event) => return self.input(&event),
            Msg::Counted(total) => {
                self.list.counted(total);
                self.paint.due = true;
            }
            Msg::Rows {
                round,
                start,
                rows,
                last,
            } => {
                if self.list.take(round, start, rows, last) {
                    self.paint.due = true;
                    return rank(self.list.rank_more());
                }
            }
            Msg::Loaded(id, record) => return self.loaded(id, record.map(|record| *record)),
            Msg::Judged(id, judgement) => {
                self.records.judge(id, *judgement);
                self.paint.due |= self.list.marked() == Some(id);
            }
            Msg::Scale(scale) => {
                self.model.scale = scale;
                self.paint.due = true;
            }
            Msg::Ranked(ranking) => {
                self.paint.due = true;
                return rank(self.list.ranked(ranking));
            }
            Msg::Model(event) => return self.heard(event),
            Msg::Pictures => self.paint.due = true,
            Msg::Runs(news) => return self.hear_of_runs(news),
            Msg::Bench(news) => self.hear_of_bench(news),
            Msg::Annotate(news) => return self.hear_of_annotate(news),
            Msg::Failures(news) => self.hear_of_failures(news),
            Msg::Probe(news) => self.hear_of_probe(news),
            Msg::Curate(news) => self.hear_of_curation(news),
            Msg::Agreed(report) => self.hear_of_agreement(report),
            Msg::Found(sought, places) => return self.found(sought, places),
            Msg::Probed {
                graphics,
                background,
            } => return self.probed(graphics, background),
            Msg::Failed(message) => {
                self.records.forget_asked();
                self.tell(message);
            }
            Msg::Troubled(message) => self.tell(message),
            Msg::Worked(words, run) => self.worked(words, run),
            Msg::Quit => self.quit = true,
            Msg::Suspend => return vec![Effect::Suspend],
            Msg::Continued => {
                self.paint.due = true;
                return vec![Effect::Repaint];
            }
            // The hands' own.
            Msg::Rested(_) => {}
        }
        Vec::new()
    }

    fn loaded(&mut self, id: GroupId, record: Option<Record>) -> Vec<Effect> {
        let grown = self.records.put(id, record);
        if self.list.marked() == Some(id) {
            self.records.sweep();
            self.paint.due = true;
        }
        if grown { self.judge(id) } else { Vec::new() }
    }

    /// Reads the scale of the percentiles anew: scores were added.
    fn rescale(&self) -> Vec<Effect> {
        let fingerprint = self.model.fingerprint();
        fingerprint.map(Effect::LoadScale).into_iter().collect()
    }

    fn judge(&self, id: GroupId) -> Vec<Effect> {
        let record = self.records.get(id);
        record
            .map(|record| Effect::Judge(id, Box::new(record.clone())))
            .into_iter()
            .collect()
    }

    fn probed(&mut self, graphics: Graphics, background: Option<(u8, u8, u8)>) -> Vec<Effect> {
        if !self.paint.chosen && background.is_some() {
            self.paint.theme = Theme::for_background(background).at_depth(self.paint.depth);
        }
        self.paint.due = true;
        if self.paint.graphics == Some(graphics) {
            return Vec::new();
        }
        self.paint.graphics = Some(graphics);
        vec![Effect::Repicture(graphics)]
    }

    /// After a batch of messages: what the state now wants. Called once per batch, so that a held key that moved the mark a
    /// hundred times reads one group and not a hundred.
    pub(crate) fn settle(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        let place = self.list.position();
        let mut near = self.list.around(AHEAD, BEHIND);
        if let Some(marked) = self.list.marked() {
            near.insert(0, marked);
        }
        match self.screens.open {
            Screen::Browse => {}
            Screen::Train => near = self.screens.train.followed_group().into_iter().collect(),
            Screen::Bench | Screen::Agreement | Screen::Jobs => near.clear(),
            Screen::Annotate => near = self.screens.annotate.near(),
            Screen::Failures => near = self.screens.failures.group().into_iter().collect(),
            Screen::Curate => near = self.screens.curate.near(),
            Screen::Probe => {
                let target = self.screens.probe.target();
                near = target.map(|target| target.group).into_iter().collect();
            }
        }
        for id in near {
            if self.records.ask(id) {
                effects.push(Effect::LoadGroup {
                    id,
                    fingerprint: self.model.fingerprint(),
                });
            }
        }
        self.go_to_found();
        let last = self.candidates().saturating_sub(1);
        if self.record().is_some() {
            self.screens.browse.candidate = self.screens.browse.candidate.min(last);
            if self.candidates() == 0 {
                self.screens.detail = None;
            }
        }
        let rows = self.browse_layout(self.screen()).rows.height;
        self.list.scroll(usize::from(rows));
        debug_assert_eq!(place, self.list.position());
        effects.extend(self.settle_runs());
        effects.extend(self.settle_bench());
        effects.extend(self.settle_annotate());
        effects.extend(self.settle_agreement());
        effects.extend(self.settle_failures());
        effects.extend(self.settle_probe());
        effects.extend(self.settle_curation());
        let look = self.looking();
        if look != self.look {
            self.look = look.clone();
            effects.push(Effect::Look(look));
        }
        effects
    }

    /// Marks the candidate that a query found in the marked group, once.
    fn go_to_found(&mut self) {
        let marked = self.list.marked();
        let found = marked.and_then(|group| self.list.found_in(group));
        let Some(found) = found else {
            self.screens.browse.found = None;
            return;
        };
        if self.screens.browse.found == marked {
            return;
        }
        let candidates = self.record().map(|record| &record.group.candidates);
        if let Some(index) = candidates.and_then(|all| all.iter().position(|c| c.id == found)) {
            self.screens.browse.candidate = index;
            self.screens.browse.found = marked;
        }
    }

    /// The record of the marked group, if it is here.
    fn record(&self) -> Option<&Record> {
        self.records.get(self.list.marked()?)
    }

    /// How many candidates the marked group has.
    fn candidates(&self) -> usize {
        match self.record() {
            Some(record) => record.group.candidates.len(),
            None => self
                .list
                .row(self.list.position())
                .map_or(0, |row| row.candidates),
        }
    }

    fn contexts(&self) -> &'static [Context] {
        use Context::{
            Agreement, Annotate, Bench, Browse, Candidates, Chooser, Detail, Dialog, Everywhere,
            Filter, Images, JobLog, JobWords, Metrics, Mistakes, Plan, Screens, Train, Value,
            Words,
        };
        if !self.overlays.is_empty() {
            return &[Chooser, Everywhere];
        }
        match self.screens.open {
            Screen::Train if self.screens.train.draft.is_typing() => &[Value, Everywhere],
            Screen::Train if self.screens.train.draft.form().is_some() => &[Plan, Everywhere],
            Screen::Train if self.screens.train.lens.typing => &[Metrics, Everywhere],
            Screen::Train => &[Train, Screens, Everywhere],
            Screen::Bench if self.screens.bench.list().is_some() => {
                &[Mistakes, Screens, Everywhere]
            }
            Screen::Bench => &[Bench, Screens, Everywhere],
            Screen::Annotate if self.screens.annotate.is_typing() => &[Words, Everywhere],
            Screen::Annotate => &[Annotate, Screens, Everywhere],
            Screen::Agreement => &[Agreement, Screens, Everywhere],
            Screen::Failures => &[Context::Failures, Images, Screens, Everywhere],
            Screen::Probe => &[Context::Probe, Images, Screens, Everywhere],
            Screen::Curate => &[Context::Curate, Screens, Everywhere],
            Screen::Jobs if self.screens.jobs.form.is_some() => &[Dialog, Everywhere],
            Screen::Jobs if self.screens.jobs.is_typing() => &[JobWords, Everywhere],
            Screen::Jobs if self.screens.jobs.is_in_log() => &[JobLog, Screens, Everywhere],
            Screen::Jobs => &[Context::Jobs, Screens, Everywhere],
            Screen::Browse if self.screens.detail.is_some() => {
                &[Detail, Candidates, Images, Screens, Everywhere]
            }
            Screen::Browse if self.list.typing => &[Filter, Everywhere],
            Screen::Browse => &[Browse, Candidates, Images, Screens, Everywhere],
        }
    }

    /// The terminal without banner and status line.
    fn screen(&self) -> Rect {
        let top = u16::from(self.model.banner().is_some()).min(self.size.height);
        Rect::new(
            0,
            top,
            self.size.width,
            self.size.height.saturating_sub(top + 1),
        )
    }

    fn too_small(&self) -> bool {
        self.size.width < LEAST.width || self.size.height < LEAST.height
    }

    /// A cell's height over its width.
    fn cell(&self) -> f64 {
        self.paint.graphics.map_or(USUAL_CELL, |graphics| {
            let (width, height) = graphics.cell;
            f64::from(height.max(1)) / f64::from(width.max(1))
        })
    }
}

fn rank(request: Option<RankRequest>) -> Vec<Effect> {
    request.map(Effect::Rank).into_iter().collect()
}

/// An aggregate's scale for sparklines: its middle 96 %, or a usual one while there are too few scores.
pub(crate) fn score_range(scale: &Arc<[f64]>) -> (f32, f32) {
    const USUAL: (f32, f32) = (-2.0, 2.0);
    let at = |share: usize| scale.get((scale.len().saturating_sub(1)) * share / 100);
    match (at(2), at(98)) {
        #[expect(clippy::cast_possible_truncation, reason = "a bound for eight heights")]
        (Some(low), Some(high)) if scale.len() >= 20 && high > low => (*low as f32, *high as f32),
        _ => USUAL,
    }
}
