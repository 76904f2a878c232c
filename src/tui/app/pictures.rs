//! Which pictures the state wants, at which sizes: those on screen, and those one step away.

use ratatui::layout::Rect;

use super::{App, Screen};
use crate::tui::library::{Record, USUAL_ASPECT};
use crate::tui::msg::Look;
use crate::tui::screens::{browse, detail};
use crate::tui::widgets::image::{Shown, Want};

impl App {
    /// Where things are on the browse screen.
    pub(super) fn browse_layout(&self, screen: Rect) -> browse::layout::Layout {
        let row = self.list.row(self.list.position());
        browse::layout::layout(
            screen,
            browse::layout::Facts {
                candidates: row.map(|_| self.candidates()),
                aspect: self.record().map_or(USUAL_ASPECT, |record| record.aspect),
                instruction: row.map_or("", |row| row.instruction.as_str()),
                browse: &self.screens.browse,
                cell: self.cell(),
            },
        )
    }

    /// Where things are on the detail screen, if it is open.
    pub(super) fn detail_layout(&self, screen: Rect) -> Option<detail::layout::Layout> {
        let detail = self.screens.detail?;
        let aspect = self.record().map_or(USUAL_ASPECT, |record| record.aspect);
        Some(detail::layout::layout(screen, detail, aspect, self.cell()))
    }

    /// What is looked at now.
    pub(super) fn looking(&self) -> Look {
        let mut look = Look {
            group: self.list.marked(),
            next: self.list.around(super::AHEAD, super::BEHIND),
            ..Look::default()
        };
        if self.too_small() {
            return look;
        }
        match self.screens.open {
            Screen::Browse => {}
            Screen::Train => return self.looking_at_runs(),
            Screen::Bench => return self.looking_at_bench(),
            Screen::Annotate => return self.looking_at_annotate(),
            Screen::Agreement | Screen::Jobs => return Look::default(),
            Screen::Failures => return self.looking_at_failures(),
            Screen::Curate => return self.looking_at_curation(),
            Screen::Probe => return self.looking_at_probe(),
        }
        if let Some(record) = self.record() {
            if self.screens.detail.is_some() {
                self.want_detail(record, &mut look);
            } else {
                self.want_tiles(record, &mut look.view);
            }
        }
        if self.screens.detail.is_none() {
            for id in &look.next {
                if let Some(record) = self.records.get(*id) {
                    self.want_tiles(record, &mut look.prefetch);
                }
            }
        }
        let view = &look.view;
        look.prefetch.retain(|want| !view.contains(want));
        look
    }

    /// Every tile of a group as it would be laid out, were it the marked one.
    fn want_tiles(&self, record: &Record, wants: &mut Vec<Want>) {
        let last = record.group.candidates.len().saturating_sub(1);
        let choice = browse::Browse {
            candidate: self.screens.browse.candidate.min(last),
            ..self.screens.browse.clone()
        };
        let layout = browse::layout::layout(
            self.screen(),
            browse::layout::Facts {
                candidates: Some(record.group.candidates.len()),
                aspect: record.aspect,
                instruction: &record.group.instruction,
                browse: &choice,
                cell: self.cell(),
            },
        );
        for tile in &layout.tiles {
            let (sight, source) = (&self.screens.sight, &record.group.source);
            let image = match tile.candidate {
                None => Some(sight.of_source(source)),
                Some(index) => {
                    let candidate = record.group.candidates.get(index);
                    candidate.map(|c| sight.of(&c.image, source))
                }
            };
            want(wants, image, tile.picture);
        }
    }

    /// The pictures of the detail screen; next, both in each other's place for blinking, and the neighbours.
    fn want_detail(&self, record: &Record, look: &mut Look) {
        let (Some(detail), screen) = (self.screens.detail, self.screen()) else {
            return;
        };
        let sight = &self.screens.sight;
        let image = |index: usize| {
            let candidate = record.group.candidates.get(index);
            candidate.map(|c| sight.of(&c.image, &record.group.source))
        };
        let source = Some(sight.of_source(&record.group.source));
        let at = self.screens.browse.candidate;
        let layout = |single| {
            let detail = detail::Detail { single, ..detail };
            detail::layout::layout(screen, detail, record.aspect, self.cell())
        };
        let (now, other) = (layout(detail.single), layout(!detail.single));
        if detail.single {
            let (shown, hidden) = if detail.source_shown {
                (source, image(at))
            } else {
                (image(at), source)
            };
            want(&mut look.view, shown, now.candidate);
            want(&mut look.prefetch, hidden, now.candidate);
        } else {
            want(&mut look.view, image(at), now.candidate);
            want(&mut look.view, source.clone(), now.source);
            want(&mut look.prefetch, source, other.source);
            want(&mut look.prefetch, image(at), other.candidate);
        }
        for neighbour in [Some(at + 1), at.checked_sub(1)].into_iter().flatten() {
            want(&mut look.prefetch, image(neighbour), now.candidate);
        }
    }
}

pub(super) fn want(wants: &mut Vec<Want>, image: Option<Shown>, room: Rect) {
    if let Some(image) = image
        && !room.is_empty()
    {
        let want = Want {
            image,
            size: room.as_size(),
        };
        if !wants.contains(&want) {
            wants.push(want);
        }
    }
}
