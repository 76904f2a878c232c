//! Routing for the probe screen, and for what a score hangs on wherever pictures show: what is to be found out, and what became
//! of it. One thing at a time, the newest wish first.

use ratatui::layout::Rect;

use super::{App, Screen};
use crate::domain::{GroupId, Reward};
use crate::tui::library::{Record, USUAL_ASPECT};
use crate::tui::msg::{Action, Effect, Look};
use crate::tui::probing::{ProbeNews, What, Wish};
use crate::tui::screens::probe::{self, Target};
use crate::tui::sight::{Found, Glass};

use super::pictures::want;

/// Groups beside the probed one that others' things are taken from.
const OTHERS: usize = 4;

impl App {
    /// Opens the probe screen on the marked candidate.
    pub(super) fn open_probe(&mut self) {
        let Some(group) = self.list.marked().filter(|_| self.candidates() > 0) else {
            return;
        };
        self.screens.probe.open(Target {
            group,
            index: self.screens.browse.candidate,
        });
        self.screens.open = Screen::Probe;
    }

    /// Does what an action says on the probe screen; `None` if it is none of its own.
    pub(super) fn act_on_probe(&mut self, action: Action) -> Option<Vec<Effect>> {
        if self.screens.probe.act(action) || self.screens.sight.act(action) {
            return Some(Vec::new());
        }
        if action == Action::Back {
            if !self.screens.sight.back() {
                self.screens.open = Screen::Browse;
            }
            return Some(Vec::new());
        }
        None
    }

    /// The record of the probed group, if it is here.
    pub(super) fn probed_record(&self) -> Option<&Record> {
        self.records.get(self.screens.probe.target()?.group)
    }

    /// Where things are on the probe screen.
    pub(super) fn probe_layout(&self, screen: Rect) -> probe::Layout {
        let aspect = self.probed_record().map_or(USUAL_ASPECT, |r| r.aspect);
        probe::layout(screen, aspect, self.cell())
    }

    /// What is looked at on the probe screen.
    pub(super) fn looking_at_probe(&self) -> Look {
        let mut look = Look::default();
        let (Some(record), Some(target)) = (self.probed_record(), self.screens.probe.target())
        else {
            return look;
        };
        let Some(candidate) = record.group.candidates.get(target.index) else {
            return look;
        };
        look.group = Some(target.group);
        let layout = self.probe_layout(self.screen());
        let (sight, probe) = (&self.screens.sight, &self.screens.probe);
        let source = &record.group.source;
        let image = probe.image().unwrap_or(&candidate.image);
        want(
            &mut look.view,
            Some(sight.of(image, source)),
            layout.variant,
        );
        want(&mut look.view, Some(sight.of_source(source)), layout.source);
        for image in probe.beside() {
            want(
                &mut look.prefetch,
                Some(sight.of(image, source)),
                layout.variant,
            );
        }
        look
    }

    /// News of what is being found out.
    pub(super) fn hear_of_probe(&mut self, news: ProbeNews) {
        if let ProbeNews::Heat {
            job,
            heats,
            patches,
            whole,
        } = news
        {
            let target = self.screens.sight.hanging.target;
            if job == self.screens.sight.hanging.job
                && let Some((group, index)) = target
                && let Some(record) = self.records.get(group)
                && let Some(candidate) = record.group.candidates.get(index)
            {
                self.screens.sight.found = Some(Found {
                    image: candidate.image.clone(),
                    heats,
                    patches,
                    whole,
                });
                self.paint.due = true;
            }
            return;
        }
        let failed = match &news {
            ProbeNews::Failed { job, why } => Some((*job, why.clone())),
            _ => None,
        };
        if self.screens.probe.hear(news) {
            self.paint.due |= self.screens.open == Screen::Probe;
        } else if let Some((job, why)) = failed
            && job == self.screens.sight.hanging.job
        {
            self.tell(format!("what the score hangs on: {why}"));
        }
    }

    /// The model rated a picture that is in no group.
    pub(super) fn rated(
        &mut self,
        job: u64,
        index: usize,
        result: Result<Reward, String>,
    ) -> Vec<Effect> {
        if self.screens.sight.hanging.target.is_some() && job == self.screens.sight.hanging.job {
            return vec![Effect::Heard { job, index, result }];
        }
        if self.screens.probe.rated(job, index, result) {
            self.paint.due |= self.screens.open == Screen::Probe;
        }
        Vec::new()
    }

    /// What is to be found out after a batch of messages.
    pub(super) fn settle_probe(&mut self) -> Vec<Effect> {
        let on_probe = self.screens.open == Screen::Probe;
        if on_probe && self.screens.probe.is_due() {
            return self.turn_factor().into_iter().collect();
        }
        let occlusion = self.screens.sight.glass() == Some(Glass::Occlusion);
        let looked_at = match self.screens.open {
            Screen::Browse => self
                .list
                .marked()
                .map(|group| (group, self.screens.browse.candidate)),
            // A curve is drawn to its end first.
            Screen::Probe if self.screens.probe.is_done() => {
                let target = self.screens.probe.target();
                target.map(|target| (target.group, target.index))
            }
            _ => None,
        };
        if let (true, Some(looked_at)) = (occlusion, looked_at) {
            if self.screens.sight.hanging.target != Some(looked_at) {
                return self.occlude(looked_at).into_iter().collect();
            }
            return Vec::new();
        }
        if self.screens.sight.hanging.busy && !on_probe {
            self.screens.sight.hanging.busy = false;
            self.screens.sight.hanging.target = None;
            self.screens.sight.found = None;
            return vec![Effect::StopProbe];
        }
        Vec::new()
    }

    fn turn_factor(&mut self) -> Option<Effect> {
        let target = self.screens.probe.target()?;
        let record = self.records.get(target.group)?;
        let group = std::sync::Arc::clone(&record.group);
        let rival = |index: &usize| record.reward(*index).map(|r| r.aggregate.mean);
        let rivals = (0..group.candidates.len()).filter(|index| *index != target.index);
        let rivals: Vec<f64> = rivals.filter_map(|index| rival(&index)).collect();
        let job = self.screens.sight.hanging.next();
        self.screens.sight.hanging.target = None;
        let factor = self.screens.probe.begin(job, rivals)?;
        Some(Effect::Probe(Wish {
            job,
            group,
            index: target.index,
            what: What::Factor(factor),
            others: self.others(target.group),
        }))
    }

    fn occlude(&mut self, (id, index): (GroupId, usize)) -> Option<Effect> {
        let group = std::sync::Arc::clone(&self.records.get(id)?.group);
        let job = self.screens.sight.hanging.next();
        self.screens.sight.hanging.target = Some((id, index));
        self.screens.sight.found = None;
        Some(Effect::Probe(Wish {
            job,
            group,
            index,
            what: What::Occlusion,
            others: Vec::new(),
        }))
    }

    /// Other groups, near in the list.
    fn others(&self, group: GroupId) -> Vec<GroupId> {
        let near = self.list.around(OTHERS, OTHERS);
        let others = near.into_iter().filter(|id| *id != group);
        others.take(OTHERS).collect()
    }
}
