//! What keys say of what is judged: scores, preferences, rankings.

use super::{Annotate, Wanted};
use crate::annotate::{Item, Mode};
use crate::data::Said;
use crate::domain::{Axis, CandidateId, Choice, Group, Label};
use crate::tui::msg::Action;

impl Annotate {
    pub(super) fn judge(&mut self, action: Action, group: Option<&Group>) -> Vec<Wanted> {
        self.before = Some(self.now.clone());
        if action == Action::TakeBack {
            self.busy = true;
            return vec![Wanted::Undo(self.settings.annotator.clone())];
        }
        let Some(item) = self.item().cloned() else {
            return Vec::new();
        };
        match (self.settings.mode, action) {
            (Mode::Likert, Action::Pick(score @ 1..=4)) => self.score(&item, score, group),
            (Mode::Likert, Action::SameAgain) => self.same_again(&item, group),
            (Mode::Pairwise, Action::Pick(number)) => self.prefer(&item, number),
            (Mode::Ranking, Action::Pick(number)) => self.rank(&item, number),
            _ => Vec::new(),
        }
    }

    /// A score of the candidate under judgement on the axis that is asked.
    fn score(&mut self, item: &Item, score: u8, group: Option<&Group>) -> Vec<Wanted> {
        let Some(&candidate) = item.candidates.get(self.now.cursor) else {
            return Vec::new();
        };
        let axis = Axis::ALL[self.now.axis.min(1)];
        let said = self.scored(item, candidate, axis, score, group);
        self.last[self.now.axis.min(1)] = Some(score);
        if self.now.axis == 0 {
            self.now.axis = 1;
            self.last[1] = None;
        } else {
            self.next_candidate(item);
        }
        vec![self.say(item.group, vec![said])]
    }

    fn scored(
        &mut self,
        item: &Item,
        candidate: CandidateId,
        axis: Axis,
        score: u8,
        group: Option<&Group>,
    ) -> Said {
        let score_of = f64::from(score);
        if !item.again {
            self.now.scores.insert((candidate, axis), score);
            return Said::Label {
                candidate,
                axis,
                score: score_of,
            };
        }
        if let Some(first) = self.first_word(candidate, axis, group) {
            self.now.again.1 += 1;
            self.now.again.0 += usize::from((first - score_of).abs() < 1e-9);
        }
        Said::Repeat {
            candidate,
            axis,
            score: score_of,
        }
    }

    /// What the annotator said of a candidate when first asked.
    fn first_word(&self, candidate: CandidateId, axis: Axis, group: Option<&Group>) -> Option<f64> {
        if let Some(score) = self.now.scores.get(&(candidate, axis)) {
            return Some(f64::from(*score));
        }
        let candidate = group?.candidates.iter().find(|c| c.id == candidate)?;
        let mine = |l: &&Label| l.annotator == self.settings.annotator && l.axis == axis;
        candidate.labels.iter().find(mine).map(|l| l.score)
    }

    fn next_candidate(&mut self, item: &Item) {
        if self.now.cursor + 1 < item.candidates.len() {
            self.now.cursor += 1;
            self.now.axis = 0;
        } else {
            self.advance();
        }
    }

    /// The last candidate's scores for this one as well, as one step.
    fn same_again(&mut self, item: &Item, group: Option<&Group>) -> Vec<Wanted> {
        let ([Some(following), Some(looks)], Some(&candidate)) =
            (self.last, item.candidates.get(self.now.cursor))
        else {
            return Vec::new();
        };
        let both = [following, looks];
        let said = Axis::ALL.into_iter().zip(both);
        let said = said
            .map(|(axis, score)| self.scored(item, candidate, axis, score, group))
            .collect();
        self.next_candidate(item);
        vec![self.say(item.group, said)]
    }

    fn prefer(&mut self, item: &Item, number: u8) -> Vec<Wanted> {
        let choice = match number {
            1 => Choice::A,
            2 => Choice::B,
            3 => Choice::Tie,
            4 => Choice::BothGood,
            5 => Choice::BothBad,
            _ => return Vec::new(),
        };
        let &[a, b] = item.candidates.as_slice() else {
            return Vec::new();
        };
        self.advance();
        let vote = Said::Vote {
            a,
            b,
            axis: None,
            choice,
        };
        vec![self.say(item.group, vec![vote])]
    }

    /// The next best; when one is left it is the last, and all is said.
    fn rank(&mut self, item: &Item, number: u8) -> Vec<Wanted> {
        let count = item.candidates.len();
        let place = usize::from(number).wrapping_sub(1);
        if place >= count || self.now.ranking.contains(&place) {
            return Vec::new();
        }
        self.now.ranking.push(place);
        if self.now.ranking.len() + 1 < count {
            return Vec::new();
        }
        let left = (0..count).filter(|place| !self.now.ranking.contains(place));
        let order: Vec<usize> = self.now.ranking.iter().copied().chain(left).collect();
        let mut votes = Vec::new();
        for (i, better) in order.iter().enumerate() {
            for worse in &order[i + 1..] {
                votes.push(Said::Vote {
                    a: item.candidates[*better],
                    b: item.candidates[*worse],
                    axis: None,
                    choice: Choice::A,
                });
            }
        }
        self.advance();
        vec![self.say(item.group, votes)]
    }
}
