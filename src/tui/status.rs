//! The line at the bottom: where one is, how the model is doing, what to press. And the state those words come from.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::domain::GroupId;
use crate::model::{LoadProgress, ModelInfo};
use crate::score::LiveEvent;

use super::screens::prose;
use super::theme::{Role, Theme};

/// How the model is doing.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// Whether it can be used.
    pub(crate) phase: Phase,
    /// Groups waiting in the back lane.
    pub(crate) queued: usize,
    /// Candidates computed per second; 0 when idle.
    pub(crate) per_second: f32,
    /// The group in hand.
    pub(crate) scoring: Option<GroupId>,
    /// Every stored aggregate mean under it, ascending.
    pub(crate) scale: Arc<[f64]>,
}

/// Whether the model can be used.
#[derive(Debug, Clone, Default)]
pub(crate) enum Phase {
    /// There is none; the text says why and what to do.
    Absent(String),
    /// It is about to be loaded.
    #[default]
    Waiting,
    /// It is being loaded.
    Loading(LoadProgress),
    /// It scores.
    Ready(Arc<ModelInfo>),
    /// It could not be loaded; the text is for the user.
    Failed(String),
}

impl Model {
    /// The loaded model.
    pub(crate) fn info(&self) -> Option<&ModelInfo> {
        match &self.phase {
            Phase::Ready(info) => Some(info),
            _ => None,
        }
    }

    /// What scores are stored under.
    pub(crate) fn fingerprint(&self) -> Option<String> {
        self.info().map(|info| info.fingerprint.clone())
    }

    /// Takes in news about the model itself; scores are not its business.
    pub(crate) fn hear(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::Loading(progress) => self.phase = Phase::Loading(*progress),
            LiveEvent::Ready(info) => self.phase = Phase::Ready(Arc::clone(info)),
            LiveEvent::LoadFailed(why) => self.phase = Phase::Failed(why.clone()),
            LiveEvent::Started(group) => self.scoring = Some(*group),
            LiveEvent::Finished(group) if self.scoring == Some(*group) => self.scoring = None,
            LiveEvent::Rate { queued, per_second } => {
                self.queued = *queued;
                self.per_second = *per_second;
            }
            _ => {}
        }
    }

    /// The line over every screen while scores mean nothing.
    pub(crate) fn banner(&self) -> Option<&'static str> {
        self.info()
            .is_some_and(|info| !info.trained)
            .then_some("untrained demo weights: scores mean nothing yet")
    }

    /// Why a candidate has no scores, for the place where they would be.
    pub(crate) fn why_no_scores(&self) -> String {
        match &self.phase {
            Phase::Absent(why) | Phase::Failed(why) => why.clone(),
            Phase::Waiting | Phase::Loading(_) => self.words(),
            Phase::Ready(_) => "scores are on their way".into(),
        }
    }

    /// Its state in a few words.
    fn words(&self) -> String {
        match &self.phase {
            Phase::Absent(_) => "no model".into(),
            Phase::Waiting => "model: starting".into(),
            Phase::Loading(p) if p.total > 0 => {
                format!("model: loading {}%", p.done.saturating_mul(100) / p.total)
            }
            Phase::Loading(_) => "model: loading".into(),
            Phase::Failed(_) => "model failed".into(),
            Phase::Ready(info) => {
                let name = prose::line(&info.name, 24);
                let device = prose::line(&info.device, 24);
                let mut words = format!("{name} · {device}");
                if self.scoring.is_some() || self.queued > 0 {
                    let _ = write!(words, " · queue {}", self.queued);
                }
                if self.per_second > 0.0 {
                    let _ = write!(words, " · {:.1}/s", self.per_second);
                }
                words
            }
        }
    }

    fn role(&self) -> Role {
        match &self.phase {
            Phase::Absent(_) | Phase::Waiting | Phase::Loading(_) => Role::Fair,
            Phase::Failed(_) => Role::Bad,
            Phase::Ready(_) => Role::Good,
        }
    }
}

/// Messages kept for the log.
const KEPT: usize = 200;

/// What went wrong or is worth knowing.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: VecDeque<String>,
    unseen: bool,
}

impl Log {
    /// Adds a message; it shows in the status line until the next key.
    pub(crate) fn add(&mut self, message: impl Into<String>) {
        let message = message.into();
        if self.lines.back() != Some(&message) {
            self.lines.push_back(message);
        }
        if self.lines.len() > KEPT {
            self.lines.pop_front();
        }
        self.unseen = true;
    }

    /// Adds a message for whoever looks, without showing it.
    pub(crate) fn note(&mut self, message: impl Into<String>) {
        let unseen = self.unseen;
        self.add(message);
        self.unseen = unseen;
    }

    /// The newest message has been seen; false if it had been.
    pub(crate) fn seen(&mut self) -> bool {
        std::mem::take(&mut self.unseen)
    }

    /// All messages, newest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().rev()
    }

    fn toast(&self) -> Option<&String> {
        self.lines.back().filter(|_| self.unseen)
    }
}

/// What the status line shows.
pub(crate) struct Status<'a> {
    /// Workspace and place in it.
    pub(crate) place: String,
    /// Filter and sort, if any.
    pub(crate) order: Option<String>,
    /// The runs under way, if any.
    pub(crate) runs: Option<String>,
    /// The model.
    pub(crate) model: &'a Model,
    /// Protocol and theme.
    pub(crate) look: String,
    /// Keys and words, most useful first.
    pub(crate) hints: Vec<(String, &'static str)>,
    /// Messages.
    pub(crate) log: &'a Log,
}

impl Status<'_> {
    /// Draws the line: a new message alone, else as many parts as fit, the less important first to go.
    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let bar = theme[Role::StatusBar];
        frame.buffer_mut().set_style(area, bar);
        if let Some(message) = self.log.toast() {
            let text = prose::line(message, area.width.saturating_sub(2));
            let style = bar.patch(theme[Role::Warning]);
            frame.render_widget(Line::from(Span::styled(format!(" {text}"), style)), area);
            return;
        }
        let mut left = vec![
            Span::styled(format!(" {}", self.place), bar.patch(theme[Role::Title])),
            Span::styled(
                format!("  {}", self.model.words()),
                bar.patch(theme[self.model.role()]),
            ),
        ];
        if let Some(order) = &self.order {
            left.insert(
                1,
                Span::styled(format!("  {order}"), bar.patch(theme[Role::Accent])),
            );
        }
        if let Some(runs) = &self.runs {
            left.insert(
                1,
                Span::styled(format!("  {runs}"), bar.patch(theme[Role::Good])),
            );
        }
        left.push(Span::styled(
            format!("  {}", self.look),
            bar.patch(theme[Role::Dim]),
        ));
        let room = usize::from(area.width);
        while left.len() > 1 && width(&left) > room {
            left.pop();
        }
        let mut used = width(&left) + 2;
        let mut right = Vec::new();
        for (key, words) in &self.hints {
            let wide = key.width() + words.width() + 3;
            if used + wide > room {
                break;
            }
            used += wide;
            right.push(Span::styled(key.clone(), bar.patch(theme[Role::KeyHint])));
            right.push(Span::styled(
                format!(" {words}  "),
                bar.patch(theme[Role::Dim]),
            ));
        }
        frame.render_widget(Line::from(left), area);
        frame.render_widget(Line::from(right).right_aligned(), area);
    }
}

fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loading_shows_whole_percents_and_an_unknown_total_none() {
        let mut model = Model::default();
        model.hear(&LiveEvent::Loading(LoadProgress {
            done: 37,
            total: 100,
        }));
        assert_eq!(model.words(), "model: loading 37%");
        model.hear(&LiveEvent::Loading(LoadProgress { done: 0, total: 0 }));
        assert_eq!(model.words(), "model: loading");
    }

    #[test]
    fn the_log_keeps_the_newest_and_says_a_thing_once() {
        let mut log = Log::default();
        for i in 0..KEPT + 50 {
            log.add(format!("message {i}"));
        }
        log.add("again");
        log.add("again");
        assert_eq!(log.lines().count(), KEPT);
        assert_eq!(log.lines().filter(|l| *l == "again").count(), 1);
        assert!(log.seen());
        assert!(!log.seen());
    }
}
