//! What stands under a picture and in the candidates' table: name, numbers, ranks, labels. As spans, longest form first, so
//! that each place takes the longest that fits.

use ratatui::text::{Line, Span};

use crate::bench::case::letter;
use crate::domain::{Axis, Gaussian};
use crate::tui::library::Record;
use crate::tui::theme::{Role, Theme};
use crate::tui::widgets::text;

use super::prose;

/// What marks a candidate that a benchmark's judgement is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Badge {
    /// People preferred it.
    pub(crate) people: bool,
    /// So did the scorer.
    pub(crate) scorer: bool,
}

/// A candidate of a record, for its captions.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The group.
    pub(crate) record: &'a Record,
    /// Which candidate.
    pub(crate) index: usize,
    /// Whether it is the marked one.
    pub(crate) marked: bool,
    /// Whether it was judged by what sent the group here.
    pub(crate) badge: Option<Badge>,
    /// The theme.
    pub(crate) theme: &'a Theme,
}

impl<'a> Entry<'a> {
    /// Its number, mark and name; if it was judged, its letter, and who preferred it where that fits.
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
        let letter = self
            .badge
            .map_or_else(String::new, |_| format!("[{}] ", letter(self.index)));
        let used = text::width(&lead) + text::width(&glyph) + text::width(&letter);
        let room = width.saturating_sub(used);
        let preferred = self.preferred(room);
        let of = preferred.iter().map(|span| text::width(&span.content));
        let name = prose::line(name, room.saturating_sub(of.sum()));
        let mut spans = vec![
            Span::styled(lead, theme[Role::KeyHint]),
            Span::styled(glyph, theme.series(self.index)),
            Span::styled(letter, theme[Role::Accent]),
            Span::styled(name, style),
        ];
        spans.extend(preferred);
        Line::from(spans)
    }

    /// Who preferred it, as long as a few letters of its name stay in so much `room`.
    fn preferred(&self, room: u16) -> Vec<Span<'static>> {
        const NAME: u16 = 6;
        let Some(badge) = self.badge else {
            return Vec::new();
        };
        let who = [
            (badge.people, "people", Role::Human),
            (badge.scorer, "scorer", Role::Aggregate),
        ];
        let spans = |lead: &'static str| -> Vec<Span<'static>> {
            let who = who.iter().filter(|(prefers, ..)| *prefers);
            who.map(|(_, who, role)| Span::styled(format!("{lead}{who}"), self.theme[*role]))
                .collect()
        };
        let forms = [spans("  preferred by "), spans(" ◂")];
        let fits = |form: &Vec<Span<'_>>| {
            let wide: u16 = form.iter().map(|span| text::width(&span.content)).sum();
            wide + NAME <= room
        };
        forms.into_iter().find(fits).unwrap_or_default()
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

    fn words(line: &Line<'_>) -> String {
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
            badge: None,
            theme: &theme,
        };
        assert_eq!(words(&entry(0).axes(40)), "IF +0.90 ±0.35  VQ -0.10 ±0.60");
        assert_eq!(words(&entry(0).axes(20)), "IF +0.90  VQ -0.10");
        assert!(words(&entry(0).overall(40)).contains("#1"));
        assert_eq!(words(&entry(0).human(40)), "labels  IF 3.7  VQ 4.0  #1 sim");
        assert_eq!(words(&entry(2).axes(40)), "not scored yet");
    }

    #[test]
    fn a_judged_candidate_bears_its_letter_and_who_preferred_it_where_there_is_room() {
        let group = sample::group(1, 3);
        let record = Record::new(group, std::collections::HashMap::new(), 1.0);
        let theme = Theme::mono();
        let name = |people, scorer, width| {
            let entry = Entry {
                record: &record,
                index: 1,
                marked: false,
                badge: Some(Badge { people, scorer }),
                theme: &theme,
            };
            let line = words(&entry.name(width));
            assert!(text::width(&line) <= width, "{line}");
            line.split_once("[B] ").unwrap().1.to_owned()
        };
        assert_eq!(name(true, false, 50), "qwen-edit  preferred by people");
        assert_eq!(name(false, true, 30), "qwen-edit ◂scorer");
        assert_eq!(name(true, true, 34), "qwen-edit ◂people ◂scorer");
        assert_eq!(name(true, false, 18), "qwen-edit");
        assert_eq!(name(false, false, 50), "qwen-edit");
    }
}
