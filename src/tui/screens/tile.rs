//! What stands under a picture and in the candidates' table: name, numbers, ranks, labels. As spans, longest form first, so
//! that each place takes the longest that fits.

use ratatui::text::{Line, Span};

use crate::domain::{Axis, Gaussian};
use crate::tui::library::Record;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

use super::prose;

/// A candidate of a record, for its captions.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The group.
    pub(crate) record: &'a Record,
    /// Which candidate.
    pub(crate) index: usize,
    /// Whether it is the marked one.
    pub(crate) marked: bool,
    /// The theme.
    pub(crate) theme: &'a Theme,
}

impl<'a> Entry<'a> {
    /// Its number, mark and name.
    pub(crate) fn name(&self, width: u16) -> Line<'a> {
        let theme = self.theme;
        let candidate = &self.record.group.candidates[self.index];
        let name = candidate.editor.as_deref().unwrap_or(&candidate.key);
        let style = if self.marked {
            theme[Role::Selected]
        } else {
            theme[Role::Text]
        };
        let lead = format!("{} ", self.index + 1);
        let glyph = format!("{} ", theme.series_glyph(self.index));
        let room = width.saturating_sub(text::width(&lead) + text::width(&glyph));
        Line::from(vec![
            Span::styled(lead, theme[Role::KeyHint]),
            Span::styled(glyph, theme.series(self.index)),
            Span::styled(prose::line(name, room), style),
        ])
    }

    /// Why there are no numbers, if there are none.
    fn missing(&self) -> Option<Span<'a>> {
        let candidate = &self.record.group.candidates[self.index];
        if self.record.rewards.contains_key(&candidate.id) {
            return None;
        }
        let why = self.record.failures.get(&candidate.id);
        Some(match why.or(self.record.failure.as_ref()) {
            Some(why) => Span::styled(prose::line(why, 200), self.theme[Role::Bad]),
            None => Span::styled("not scored yet", self.theme[Role::Dim]),
        })
    }

    /// Both axes.
    pub(crate) fn axes(&self, width: u16) -> Line<'a> {
        if let Some(missing) = self.missing() {
            return Line::from(missing);
        }
        let theme = self.theme;
        let Some(reward) = self.record.reward(self.index) else {
            return Line::default();
        };
        let (Some(first), Some(second)) = (
            reward.on(Axis::InstructionFollowing),
            reward.on(Axis::VisualQuality),
        ) else {
            return Line::from(Span::styled("one overall score", theme[Role::Dim]));
        };
        let spans = |sigma: bool, gap: &'static str| {
            vec![
                Span::styled("IF ", theme[Role::AxisIf]),
                Span::raw(gaussian(first, sigma)),
                Span::raw(gap),
                Span::styled("VQ ", theme[Role::AxisVq]),
                Span::raw(gaussian(second, sigma)),
            ]
        };
        longest(
            width,
            [spans(true, "  "), spans(false, "  "), spans(false, " ")],
        )
    }

    /// Aggregate, chance to be the best, rank.
    pub(crate) fn overall(&self, width: u16) -> Line<'a> {
        let theme = self.theme;
        let Some(reward) = self.record.reward(self.index) else {
            return Line::default();
        };
        let judgement = &self.record.judgement;
        let best = judgement.best.get(self.index).copied().flatten();
        let rank = judgement.model_ranks.get(self.index).copied().flatten();
        let value = |sigma| Span::styled(gaussian(reward.aggregate, sigma), theme[Role::Aggregate]);
        let chance = best.map_or_else(String::new, prose::percent);
        let place = rank.map_or_else(String::new, |rank| format!("#{rank}"));
        let role = if rank == Some(1) {
            Role::Accent
        } else {
            Role::Text
        };
        longest(
            width,
            [
                vec![
                    Span::styled("both ", theme[Role::Dim]),
                    value(true),
                    Span::styled("  best ", theme[Role::Dim]),
                    Span::styled(chance.clone(), theme[role]),
                    Span::styled(format!("  {place}"), theme[role]),
                ],
                vec![
                    value(false),
                    Span::styled(" best ", theme[Role::Dim]),
                    Span::styled(chance.clone(), theme[role]),
                    Span::styled(format!(" {place}"), theme[role]),
                ],
                vec![value(false), Span::styled(format!(" {place}"), theme[role])],
            ],
        )
    }

    /// People's mean labels and rank, with a mark when a program made them.
    pub(crate) fn human(&self, width: u16) -> Line<'a> {
        let theme = self.theme;
        let judgement = &self.record.judgement;
        let Some(score) = judgement.human.get(self.index) else {
            return Line::default();
        };
        let [first, second] =
            Axis::ALL.map(|axis| score.on(axis).map(|value| format!("{value:.1}")));
        if first.is_none() && second.is_none() {
            return Line::from(Span::styled("no labels", theme[Role::Dim]));
        }
        let [first, second] = [first, second].map(|value| value.unwrap_or_else(|| "–".into()));
        let rank = judgement.human_ranks.get(self.index).copied().flatten();
        let place = rank.map_or_else(String::new, |rank| format!("#{rank}"));
        let dim = |text: &'static str| Span::styled(text, theme[Role::Dim]);
        let value = |text: String| Span::styled(text, theme[Role::Human]);
        let sim = if judgement.simulated { " sim" } else { "" };
        let short = format!("{first}/{second}");
        longest(
            width,
            [
                vec![
                    dim("labels  IF "),
                    value(first),
                    dim("  VQ "),
                    value(format!("{second}  {place}")),
                    dim(sim),
                ],
                vec![dim("labels "), value(format!("{short} {place}")), dim(sim)],
                vec![value(format!("{short} {place}")), dim(sim)],
                vec![value(short), dim(sim)],
            ],
        )
    }

    /// Everything in so many lines.
    pub(crate) fn caption(&self, width: u16, lines: u16) -> Vec<Line<'a>> {
        match lines {
            0 => Vec::new(),
            1 => vec![self.name(width)],
            2 | 3 => {
                let line = match self.missing() {
                    Some(missing) => Line::from(missing),
                    None => self.overall(width),
                };
                vec![self.name(width), line]
            }
            _ if self.missing().is_some() => {
                vec![self.name(width), self.axes(width), self.human(width)]
            }
            _ => vec![
                self.name(width),
                self.axes(width),
                self.overall(width),
                self.human(width),
            ],
        }
    }
}

/// `+0.53 ±0.21`; without uncertainty, or where it does not fit, the mean alone.
pub(crate) fn gaussian(gaussian: Gaussian, with_sigma: bool) -> String {
    let mean = prose::signed(gaussian.mean);
    if with_sigma && gaussian.log_sigma.is_finite() {
        format!("{mean} ±{:.2}", gaussian.sigma())
    } else {
        mean
    }
}

/// The first of the forms that fits; the last if none does.
fn longest<const N: usize>(width: u16, forms: [Vec<Span<'_>>; N]) -> Line<'_> {
    let mut out = Line::default();
    for form in forms {
        out = Line::from(form);
        if out.width() <= usize::from(width) {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn text(line: &Line<'_>) -> String {
        line.spans.iter().map(|s| s.content.as_ref()).collect()
    }

    #[test]
    fn a_caption_shrinks_to_its_width_and_names_what_is_missing() {
        let group = sample::group(1, 3);
        let mut rewards = sample::rewards(&group);
        rewards.remove(&group.candidates[2].id);
        let record = Record::new(group, rewards, 1.0);
        let theme = Theme::mono();
        let entry = |index| Entry {
            record: &record,
            index,
            marked: false,
            theme: &theme,
        };
        assert_eq!(text(&entry(0).axes(40)), "IF +0.90 ±0.35  VQ -0.10 ±0.60");
        assert_eq!(text(&entry(0).axes(20)), "IF +0.90  VQ -0.10");
        assert!(text(&entry(0).overall(40)).contains("#1"));
        assert_eq!(text(&entry(0).human(40)), "labels  IF 3.7  VQ 4.0  #1 sim");
        assert_eq!(text(&entry(2).axes(40)), "not scored yet");
    }
}
