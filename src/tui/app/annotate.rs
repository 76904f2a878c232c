//! Routing for the annotate screen: its keys, what is stored for it, and the pictures of what is judged.

use std::sync::Arc;

use ratatui::layout::Rect;

use super::pictures::want;
use super::{App, Screen};
use crate::domain::Group;
use crate::tui::msg::{Action, Effect, Look};
use crate::tui::screens::annotate::{self, AnnotateNews, layout};
use crate::tui::widgets::image::Shown;

impl App {
    /// Opens with this screen, for this annotator.
    pub(crate) fn annotate(
        &mut self,
        settings: crate::annotate::Settings,
        session: String,
        open: bool,
    ) {
        self.screens.annotate.settings = settings;
        self.screens.annotate.session = session;
        if open {
            self.screens.open = Screen::Annotate;
        }
    }

    /// The group of what is judged, if it is here.
    fn judged_group(&self) -> Option<Arc<Group>> {
        let item = self.screens.annotate.item()?;
        Some(Arc::clone(&self.records.get(item.group)?.group))
    }

    /// Where things are on the annotate screen.
    pub(super) fn annotate_layout(&self, screen: Rect) -> layout::Layout {
        let state = &self.screens.annotate;
        let record = state.item().and_then(|item| self.records.get(item.group));
        let source = record.is_none_or(|record| !record.group.source.is_none());
        let facts = layout::Facts {
            pictures: state
                .item()
                .map_or(0, |item| item.candidates.len() + usize::from(source)),
            aspect: record.map_or(crate::tui::library::USUAL_ASPECT, |record| record.aspect),
            cell: self.cell(),
            rubric: state.shows_rubric(),
        };
        layout::layout(screen, facts)
    }

    /// Does what an action says on the annotate screen; `None` if it is none of its own.
    pub(super) fn act_on_annotate(&mut self, action: Action) -> Option<Vec<Effect>> {
        let group = self.judged_group();
        let wanted = self.screens.annotate.act(action, group.as_deref())?;
        Some(wanted.into_iter().map(Effect::Annotate).collect())
    }

    /// Something was stored or read for this screen.
    pub(super) fn hear_of_annotate(&mut self, news: AnnotateNews) -> Vec<Effect> {
        let stored = matches!(news, AnnotateNews::Said(_, Ok(())));
        let (words, changed) = self.screens.annotate.hear(news);
        if let Some(words) = words {
            self.tell(words);
        }
        let mut effects = Vec::new();
        if let Some(id) = changed {
            effects.push(Effect::LoadGroup {
                id,
                fingerprint: self.model.fingerprint(),
            });
        }
        if stored {
            let group = self.judged_group();
            let wanted = self.screens.annotate.go_on(group.as_deref());
            effects.extend(wanted.into_iter().map(Effect::Annotate));
        }
        self.paint.due |= self.screens.open == Screen::Annotate;
        effects
    }

    /// What the screen wants after a batch of messages. Nothing is read for it before it was looked at.
    pub(super) fn settle_annotate(&mut self) -> Vec<Effect> {
        if self.screens.open != Screen::Annotate {
            return Vec::new();
        }
        let fingerprint = self.model.fingerprint();
        let wanted = self.screens.annotate.wanted(fingerprint);
        wanted.into_iter().map(Effect::Annotate).collect()
    }

    /// The pictures of what is judged, and of what is next.
    pub(super) fn looking_at_annotate(&self) -> Look {
        let mut look = Look::default();
        let layout = self.annotate_layout(self.screen());
        let state = &self.screens.annotate;
        let Some((item, group)) = state.item().zip(self.judged_group()) else {
            return look;
        };
        let source = (!group.source.is_none()).then_some(&group.source);
        let candidates = item.candidates.iter().filter_map(|id| {
            let candidate = group.candidates.iter().find(|c| c.id == *id)?;
            Some(&candidate.image)
        });
        for (image, tile) in source.into_iter().chain(candidates).zip(&layout.tiles) {
            want(
                &mut look.view,
                Some(Shown::plain(image.clone())),
                annotate::layout::picture_of(*tile),
            );
        }
        if let Some(next) = state.near().get(1).and_then(|id| self.records.get(*id)) {
            let room = layout
                .tiles
                .first()
                .copied()
                .map(annotate::layout::picture_of);
            let images = next.group.candidates.iter().map(|c| &c.image);
            for image in images.chain([&next.group.source]) {
                want(
                    &mut look.prefetch,
                    Some(Shown::plain(image.clone())),
                    room.unwrap_or_default(),
                );
            }
        }
        look
    }
}
