//! Drawing the state: banner, screen, status line, overlays. Reads everything, changes nothing.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{App, Screen, score_range};
use crate::tui::keys::{hints, label_of};
use crate::tui::rank::Sort;
use crate::tui::screens::canvas::Canvas;
use crate::tui::screens::{
    agreement, annotate, bench, browse, curate, detail, failures, jobs, probe, prose, train,
};
use crate::tui::status::{Phase, Status};
use crate::tui::theme::Role;
use crate::tui::widgets::image::Pictures;

impl App {
    /// Draws one frame.
    pub(crate) fn view(&self, frame: &mut Frame<'_>, pictures: Option<&Pictures>) {
        let area = frame.area();
        let theme = &self.paint.theme;
        frame.buffer_mut().set_style(area, theme[Role::Text]);
        if self.too_small() {
            self.view_too_small(frame);
            return;
        }
        if let Some(words) = self.model.banner() {
            let line = Rect { height: 1, ..area };
            frame.buffer_mut().set_style(line, theme[Role::Banner]);
            let words = Span::styled(prose::line(words, area.width), theme[Role::Banner]);
            frame.render_widget(Line::from(words).centered(), line);
        }
        let overlay = self.overlays.last();
        let canvas = Canvas {
            theme,
            pictures,
            cover: overlay
                .map(|top| top.area(self.screen()))
                .or(self.plan_cover()),
        };
        self.view_screen(frame, &canvas);
        let line = Rect {
            y: area.bottom() - 1,
            height: 1,
            ..area
        };
        self.status().draw(frame, line, theme);
        for overlay in &self.overlays {
            overlay.draw(frame, self.screen(), theme);
        }
    }

    fn view_screen(&self, frame: &mut Frame<'_>, canvas: &Canvas<'_>) {
        let screen = self.screen();
        if self.screens.open == Screen::Train {
            let view = train::View {
                train: &self.screens.train,
                record: self.followed_record(),
                screen,
                folder: &self.place.runs,
            };
            train::view(frame, canvas, &self.train_layout(screen), &view);
            return;
        }
        if self.screens.open == Screen::Bench {
            let layout = self.bench_layout(screen);
            bench::view(frame, canvas, &layout, &self.screens.bench);
            return;
        }
        if self.screens.open == Screen::Agreement {
            agreement::view(frame, canvas, screen, &self.screens.agreement);
            return;
        }
        if self.screens.open == Screen::Annotate {
            let item = self.screens.annotate.item();
            let view = annotate::View {
                annotate: &self.screens.annotate,
                group: item
                    .and_then(|item| self.records.get(item.group))
                    .map(|record| record.group.as_ref()),
            };
            annotate::view(frame, canvas, &self.annotate_layout(screen), &view);
            return;
        }
        if self.screens.open == Screen::Failures {
            let view = failures::View {
                failures: &self.screens.failures,
                group: self.case_record().map(|record| record.group.as_ref()),
                sight: &self.screens.sight,
            };
            failures::view(frame, canvas, &self.failures_layout(screen), &view);
            return;
        }
        if self.screens.open == Screen::Curate {
            let view = curate::View {
                curate: &self.screens.curate,
                group: self.sampled_record().map(|record| record.group.as_ref()),
                why_no_scores: &self.model.why_no_scores(),
            };
            curate::view(frame, canvas, &self.curate_layout(screen), &view);
            return;
        }
        if self.screens.open == Screen::Jobs {
            let view = jobs::View {
                jobs: &self.screens.jobs,
                screen,
                folder: &self.place.runs,
            };
            jobs::view(frame, canvas, &self.jobs_layout(screen), &view);
            return;
        }
        if self.screens.open == Screen::Probe {
            let why_no_scores = self.model.why_no_scores();
            let view = probe::View {
                probe: &self.screens.probe,
                group: self.probed_record().map(|record| record.group.as_ref()),
                sight: &self.screens.sight,
                why_no_scores: &why_no_scores,
            };
            probe::view(frame, canvas, &self.probe_layout(screen), &view);
            return;
        }
        if let (Some(detail), Some(layout)) = (self.screens.detail, self.detail_layout(screen)) {
            if let Some(record) = self.record() {
                let view = detail::View {
                    detail,
                    record,
                    index: self.screens.browse.candidate,
                    scale: &self.model.scale,
                    sight: &self.screens.sight,
                };
                detail::view(frame, canvas, &layout, &view);
            } else {
                canvas.placeholder(frame, layout.candidate, "candidate");
            }
            return;
        }
        let marked = self.list.marked();
        let why_no_scores = self.model.why_no_scores();
        let view = browse::View {
            list: &self.list,
            browse: &self.screens.browse,
            record: self.record(),
            gone: marked.is_some_and(|id| self.records.is_gone(id)),
            range: score_range(&self.model.scale),
            why_no_scores: &why_no_scores,
            folder: &self.place.folder,
            sight: &self.screens.sight,
        };
        browse::view(frame, canvas, &self.browse_layout(screen), &view);
    }

    fn view_too_small(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let words = format!(
            "terminal too small: {}×{}, needs {}×{}",
            self.size.width,
            self.size.height,
            super::LEAST.width,
            super::LEAST.height
        );
        let style = self.paint.theme[Role::Warning];
        for (line, y) in prose::wrap(&words, area.width, area.height)
            .into_iter()
            .zip(area.y..area.bottom())
        {
            frame.buffer_mut().set_string(area.x, y, line, style);
        }
    }

    fn status(&self) -> Status<'_> {
        let position = if self.list.shown() == 0 {
            "0/0".to_owned()
        } else {
            format!("{}/{}", self.list.position() + 1, self.list.shown())
        };
        let mut order = Vec::new();
        if self.screens.open == Screen::Browse {
            order.extend(self.list.only().map(|words| prose::line(words, 30)));
            if !self.list.query().is_empty() {
                order.push(format!("/{}", prose::line(self.list.query(), 20)));
            }
            if self.list.sort != Sort::Order || self.list.reversed {
                let turned = if self.list.reversed { " ↑" } else { "" };
                order.push(format!("by {}{turned}", self.list.sort.words()));
            }
        }
        order.extend(self.screens.sight.words());
        let mut look: Vec<String> = Vec::new();
        look.extend(self.paint.graphics.map(|g| g.protocol.to_string()));
        look.push(self.paint.theme.name().to_owned());
        let on_browse = self.screens.open == Screen::Browse;
        let position = match self.screens.open {
            Screen::Browse => position,
            Screen::Train => "runs".into(),
            Screen::Bench => "benchmarks".into(),
            Screen::Annotate => "annotate".into(),
            Screen::Agreement => "agreement".into(),
            Screen::Failures => "failures".into(),
            Screen::Curate => "curate".into(),
            Screen::Probe => "probe".into(),
            Screen::Jobs => "jobs".into(),
        };
        Status {
            place: format!("{} {position}", self.place.name),
            order: (!order.is_empty() && (on_browse || self.screens.open == Screen::Probe))
                .then(|| order.join("  ")),
            runs: self.screens.train.shelf.digest(),
            model: &self.model,
            look: look.join(" · "),
            hints: self.hints(),
            log: &self.log,
        }
    }

    /// The keys most useful here, with short words.
    fn hints(&self) -> Vec<(String, &'static str)> {
        let contexts = self.contexts();
        hints(contexts.first().copied())
            .iter()
            .filter_map(|(action, words)| Some((label_of(contexts, *action)?, *words)))
            .filter(|(key, _)| key.width() < 12)
            .collect()
    }

    /// Why there is no model, in full, for the message log.
    pub(crate) fn explain_model(&mut self) {
        if let Phase::Absent(why) = &self.model.phase {
            self.log.note(why.clone());
        }
    }
}
