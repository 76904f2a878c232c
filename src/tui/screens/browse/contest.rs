//! The judgements that the benchmarks sent groups here for: which candidates of a group are meant, by the letters that the list of
//! mistakes gives them, and which one people and which one the scorer preferred.

use std::collections::HashMap;

use ratatui::text::Span;

use crate::bench::case::Vote;
use crate::bench::protocol::Verdict;
use crate::domain::GroupId;
use crate::tui::screens::prose;
use crate::tui::screens::tile::Badge;
use crate::tui::theme::{Role, Theme};

/// One judgement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Contest {
    edits: Vec<usize>,
    truth: String,
    said: String,
    votes: Option<[Vote; 2]>,
}

impl Contest {
    /// Of a verdict.
    pub(crate) fn new(verdict: &Verdict) -> Self {
        Self {
            edits: verdict.edits.clone(),
            truth: verdict.truth.clone(),
            said: verdict.said.clone(),
            votes: verdict.votes,
        }
    }

    /// What marks a candidate; `None` for those that were not judged.
    pub(super) fn badge(&self, candidate: usize) -> Option<Badge> {
        let place = self.edits.iter().position(|edit| *edit == candidate)?;
        let prefers = |who: usize| {
            let vote = self.votes.map(|votes| votes[who]);
            matches!(
                (vote, place),
                (Some(Vote::First), 0) | (Some(Vote::Second), 1)
            )
        };
        Some(Badge {
            people: prefers(0),
            scorer: prefers(1),
        })
    }

    /// "people B ≻ D  scorer D ≻ B by 0.70".
    pub(super) fn words(&self, theme: &Theme) -> Vec<Span<'static>> {
        let dim = |word: &'static str| Span::styled(word, theme[Role::Dim]);
        vec![
            dim("people "),
            Span::styled(prose::line(&self.truth, 30), theme[Role::Human]),
            dim("  scorer "),
            Span::styled(prose::line(&self.said, 30), theme[Role::Aggregate]),
        ]
    }
}

/// The judgements of all groups that were sent here together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contests {
    words: String,
    of: HashMap<GroupId, Contest>,
}

impl Contests {
    /// A judgement a group, for as long as the list shows only those that `words` tell of.
    pub(crate) const fn new(words: String, of: HashMap<GroupId, Contest>) -> Self {
        Self { words, of }
    }

    /// The judgement of a group, where the list shows `only` what was sent here.
    pub(super) fn of(&self, only: Option<&str>, group: GroupId) -> Option<&Contest> {
        let shown = only.is_some_and(|words| words == self.words);
        self.of.get(&group).filter(|_| shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample_of_benchmarks as sample;

    #[test]
    fn both_edits_of_a_pair_are_marked_and_the_preferred_ones_told_apart() {
        let mut verdict = sample::judged().0.remove(0);
        verdict.edits = vec![3, 1];
        verdict.votes = Some([Vote::First, Vote::Second]);
        let contest = Contest::new(&verdict);
        let badge = |people, scorer| Some(Badge { people, scorer });
        assert_eq!(contest.badge(3), badge(true, false));
        assert_eq!(contest.badge(1), badge(false, true));
        assert_eq!(contest.badge(0), None);
        verdict.votes = Some([Vote::BothBad, Vote::First]);
        assert_eq!(Contest::new(&verdict).badge(1), badge(false, false));
        // Of runs from before votes were kept.
        verdict.votes = None;
        assert_eq!(Contest::new(&verdict).badge(3), badge(false, false));
    }

    #[test]
    fn marks_go_with_the_list_that_they_came_with() {
        let contest = Contest::new(&sample::judged().0[0]);
        let of = HashMap::from([(GroupId(7), contest)]);
        let contests = Contests::new("Wrong: demo".into(), of);
        let is_marked = |only, id| contests.of(only, GroupId(id)).is_some();
        assert!(is_marked(Some("Wrong: demo"), 7));
        assert!(!is_marked(Some("Wrong: demo"), 8));
        assert!(!is_marked(Some("step 7"), 7) && !is_marked(None, 7));
    }
}
