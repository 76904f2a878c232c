//! Routing for the curate screen: its keys, what is read, ranked, noted and saved for it, and the pictures of a sample.

use ratatui::layout::Rect;

use super::pictures::want;
use super::{App, Screen};
use crate::tui::library::{Record, USUAL_ASPECT};
use crate::tui::msg::{Action, Effect, Look};
use crate::tui::screens::curate::{self, CurateNews};
use crate::tui::widgets::image::Shown;

impl App {
    /// Does what an action says on the curate screen; `None` if it is none of its own.
    pub(super) fn act_on_curation(&mut self, action: Action) -> Option<Vec<Effect>> {
        let screen = &mut self.screens.curate;
        if screen.act(action) {
            return Some(Vec::new());
        }
        let wanted = match action {
            Action::Agree(agrees) => screen.judge(Some(agrees)),
            Action::NoOpinion => screen.judge(None),
            Action::SaveKept => screen.saving(),
            Action::OpenSample => return Some(self.open_sample()),
            Action::Rescan => {
                screen.expire();
                None
            }
            Action::Back => {
                self.screens.open = Screen::Browse;
                None
            }
            _ => return None,
        };
        Some(wanted.map(Effect::Curate).into_iter().collect())
    }

    /// Shows the sample's group in Browse.
    fn open_sample(&mut self) -> Vec<Effect> {
        let Some((group, candidate)) = self.screens.curate.sample() else {
            return Vec::new();
        };
        let index = self.records.get(group).and_then(|record| {
            let candidates = &record.group.candidates;
            candidates.iter().position(|c| c.id == candidate)
        });
        self.screens.open = Screen::Browse;
        self.screens.detail = None;
        self.screens.browse.candidate = index.unwrap_or(0);
        self.list.show_only("the sample".into(), [group].into());
        super::rank(self.list.rank(false))
    }

    /// The record of the sample's group, if it is here.
    pub(super) fn sampled_record(&self) -> Option<&Record> {
        let (group, _) = self.screens.curate.sample()?;
        self.records.get(group)
    }

    /// Where things are on the curate screen.
    pub(super) fn curate_layout(&self, screen: Rect) -> curate::Layout {
        let aspect = self.sampled_record().map_or(USUAL_ASPECT, |r| r.aspect);
        curate::layout(screen, aspect, self.cell())
    }

    /// The pictures of the sample.
    pub(super) fn looking_at_curation(&self) -> Look {
        let mut look = Look::default();
        let (Some(record), Some((group, candidate))) =
            (self.sampled_record(), self.screens.curate.sample())
        else {
            return look;
        };
        look.group = Some(group);
        let layout = self.curate_layout(self.screen());
        let mut candidates = record.group.candidates.iter();
        let edit = candidates.find(|c| c.id == candidate);
        let edit = edit.map(|c| Shown::plain(c.image.clone()));
        want(&mut look.view, edit, layout.pictures[1]);
        let source = Shown::plain(record.group.source.clone());
        want(&mut look.view, Some(source), layout.pictures[0]);
        look
    }

    /// Something was read or ranked.
    pub(super) fn hear_of_curation(&mut self, news: CurateNews) {
        self.screens.curate.hear(news);
        self.paint.due |= self.screens.open == Screen::Curate;
    }

    /// What the screen wants after a batch of messages.
    pub(super) fn settle_curation(&mut self) -> Vec<Effect> {
        if self.screens.open != Screen::Curate {
            return Vec::new();
        }
        let wanted = self
            .screens
            .curate
            .wanted(self.model.fingerprint().as_deref());
        wanted.map(Effect::Curate).into_iter().collect()
    }
}
