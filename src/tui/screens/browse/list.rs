//! The group list: which rows there are, which of them show in which order, which one is marked. State only; the rows come
//! in pieces and the order from a worker, and what is on screen stays until something newer is there.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tui_input::Input;

use crate::domain::{CandidateId, GroupId, GroupSummary};
use crate::tui::rank::{RankRequest, Ranking, Rows, Sort};

/// How far the reading of the list has come.
#[derive(Debug, Default)]
struct Reading {
    round: u64,
    total: Option<usize>,
    complete: bool,
    /// The model whose scores the rows have.
    fingerprint: Option<String>,
}

/// The order from the worker, and whether a newer one is under way.
#[derive(Debug, Default)]
struct Order {
    round: u64,
    rows: Option<Arc<[u32]>>,
    complete: bool,
    /// Something changed while the worker was busy: ask again when it is done.
    stale: bool,
    /// Mark the first row when it is done, as after typing.
    to_first: bool,
    /// Of each group that a query found, the candidate.
    candidates: Arc<HashMap<GroupId, CandidateId>>,
    /// What is wrong with the query.
    problem: Option<String>,
}

/// Groups that were chosen elsewhere.
#[derive(Debug, Clone)]
struct Only {
    words: String,
    groups: Arc<HashSet<GroupId>>,
}

/// The list's state.
#[derive(Debug, Default)]
pub(crate) struct List {
    rows: Rows,
    reading: Reading,
    order: Order,
    /// What was typed.
    pub(crate) filter: Input,
    /// Whether the filter has the keyboard.
    pub(crate) typing: bool,
    /// Groups that were chosen elsewhere, and how.
    only: Option<Only>,
    /// The order asked for.
    pub(crate) sort: Sort,
    /// The other way round.
    pub(crate) reversed: bool,
    marked: usize,
    marked_id: Option<GroupId>,
    top: usize,
}

impl List {
    /// Begins a new reading; rows on screen stay until their successors arrive. Returns its number.
    pub(crate) fn reread(&mut self, fingerprint: Option<String>) -> u64 {
        self.reading.fingerprint = fingerprint;
        self.reading.round += 1;
        self.reading.complete = false;
        self.reading.round
    }

    /// The workspace's number of groups.
    pub(crate) fn counted(&mut self, total: usize) {
        self.reading.total = Some(total);
    }

    /// Takes rows in; false if they belong to an earlier reading.
    pub(crate) fn take(
        &mut self,
        round: u64,
        start: usize,
        rows: Vec<GroupSummary>,
        last: bool,
    ) -> bool {
        if round != self.reading.round {
            return false;
        }
        self.rows.put(start, rows, last);
        self.reading.complete = last;
        if last {
            self.reading.total = Some(self.rows.len());
        }
        if self.order.rows.is_none() {
            self.remark();
        }
        true
    }

    /// What the worker should do now, if anything. `typed`: the filter changed, so the best match is to be marked.
    pub(crate) fn rank(&mut self, typed: bool) -> Option<RankRequest> {
        let plain = self.is_plain();
        self.order.round += 1;
        self.order.problem = None;
        if plain {
            self.order.candidates = Arc::default();
            self.order.rows = None;
            self.order.complete = true;
            self.order.stale = false;
            self.remark();
            return None;
        }
        self.order.complete = false;
        self.order.stale = false;
        self.order.to_first = typed;
        Some(RankRequest {
            round: self.order.round,
            rows: self.rows.clone(),
            only: self.only.as_ref().map(|only| Arc::clone(&only.groups)),
            query: self.query().to_owned(),
            fingerprint: self.reading.fingerprint.clone(),
            sort: self.sort,
            reversed: self.reversed,
        })
    }

    /// More rows came: rank again, but let a running request finish, or it would never get to answer.
    pub(crate) fn rank_more(&mut self) -> Option<RankRequest> {
        if self.order.rows.is_none() && (self.order.complete || self.is_plain()) {
            return None;
        }
        if self.order.complete {
            let to_first = self.order.to_first;
            return self.rank(to_first);
        }
        self.order.stale = true;
        None
    }

    fn is_plain(&self) -> bool {
        let all = self.only.is_none() && self.query().is_empty();
        all && self.sort == Sort::Order && !self.reversed
    }

    /// Only `groups` show from now on, which `words` tell of; the filter makes way for them.
    pub(crate) fn show_only(&mut self, words: String, groups: HashSet<GroupId>) {
        self.typing = false;
        self.filter.reset();
        let groups = Arc::new(groups);
        self.only = Some(Only { words, groups });
    }

    /// All groups show again; false if they did.
    pub(crate) fn show_every(&mut self) -> bool {
        self.only.take().is_some()
    }

    /// What tells of the groups that alone show, if that is so.
    pub(crate) fn only(&self) -> Option<&str> {
        self.only.as_ref().map(|only| only.words.as_str())
    }

    /// Takes an order in; asks again if rows came in the meantime.
    pub(crate) fn ranked(&mut self, ranking: Ranking) -> Option<RankRequest> {
        if ranking.round != self.order.round {
            return None;
        }
        // What is on screen stays while a query is not finished.
        self.order.problem = ranking.problem;
        if self.order.problem.is_none() {
            self.order.rows = Some(ranking.rows);
            self.order.candidates = ranking.candidates;
        }
        self.order.complete = ranking.complete;
        if ranking.complete {
            if self.order.to_first {
                self.order.to_first = false;
                self.mark(0);
            } else {
                self.remark();
            }
            if self.order.stale {
                return self.rank(false);
            }
        }
        None
    }

    /// What is wrong with the query that was typed.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.order.problem.as_deref()
    }

    /// The candidate of a group that the query found.
    pub(crate) fn found_in(&self, group: GroupId) -> Option<CandidateId> {
        self.order.candidates.get(&group).copied()
    }

    /// What was typed, trimmed.
    pub(crate) fn query(&self) -> &str {
        self.filter.value().trim()
    }

    /// How many rows show.
    pub(crate) fn shown(&self) -> usize {
        self.order
            .rows
            .as_ref()
            .map_or(self.rows.len(), |order| order.len())
    }

    /// How many groups there are in all, as far as is known.
    pub(crate) fn total(&self) -> usize {
        self.reading.total.unwrap_or(0).max(self.rows.len())
    }

    /// Whether the list is known to hold no group.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.rows.len() == 0 && (self.reading.complete || self.reading.total == Some(0))
    }

    /// Whether all rows are here.
    pub(crate) const fn is_complete(&self) -> bool {
        self.reading.complete
    }

    /// Whether the worker is still at it.
    pub(crate) fn is_ranking(&self) -> bool {
        !self.order.complete && !self.is_plain()
    }

    /// The row at `position` of the list.
    pub(crate) fn row(&self, position: usize) -> Option<&GroupSummary> {
        self.rows.get(self.index(position)?)
    }

    fn index(&self, position: usize) -> Option<usize> {
        match &self.order.rows {
            Some(order) => order.get(position).map(|index| *index as usize),
            None => (position < self.rows.len()).then_some(position),
        }
    }

    /// The marked row's place in the list.
    pub(crate) const fn position(&self) -> usize {
        self.marked
    }

    /// The marked group.
    pub(crate) fn marked(&self) -> Option<GroupId> {
        self.row(self.marked).map(|row| row.id)
    }

    /// Marks the row at `position`, or the last.
    pub(crate) fn mark(&mut self, position: usize) {
        self.marked = position.min(self.shown().saturating_sub(1));
        self.marked_id = self.marked();
    }

    /// Marks this group as soon as it shows, wherever it is then.
    pub(crate) const fn expect(&mut self, id: GroupId) {
        self.marked_id = Some(id);
    }

    /// The row of a group, if it was read, whether it shows or not.
    pub(crate) fn summary(&self, id: GroupId) -> Option<&GroupSummary> {
        self.rows.get(self.index_of(id)?)
    }

    /// Moves the mark by so many rows, stopping at both ends.
    pub(crate) fn step(&mut self, by: isize) {
        self.mark(self.marked.saturating_add_signed(by));
    }

    /// Moves the mark to the next row (or with `back` the previous) that has a candidate without a score.
    pub(crate) fn step_to_unscored(&mut self, back: bool) -> bool {
        let unscored = |position: &usize| {
            self.row(*position)
                .is_some_and(|r| r.scores.len() < r.candidates || r.scores.contains(&None))
        };
        let found = if back {
            (0..self.marked).rev().find(unscored)
        } else {
            (self.marked + 1..self.shown()).find(unscored)
        };
        if let Some(position) = found {
            self.mark(position);
        }
        found.is_some()
    }

    /// After the rows or their order changed: the same group stays marked, wherever it is now.
    fn remark(&mut self) {
        if self.marked() != self.marked_id {
            let found = self.marked_id.and_then(|id| self.find(id));
            self.marked = found.unwrap_or(self.marked);
        }
        self.mark(self.marked);
    }

    fn find(&self, id: GroupId) -> Option<usize> {
        match &self.order.rows {
            Some(order) => order.iter().position(|index| {
                self.rows
                    .get(*index as usize)
                    .is_some_and(|row| row.id == id)
            }),
            None => self.index_of(id),
        }
    }

    /// Rows are in the order of their numbers, so this is a search by halves.
    fn index_of(&self, id: GroupId) -> Option<usize> {
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low.midpoint(high);
            let at = self.rows.get(middle)?.id;
            match at.cmp(&id) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Puts a new score into a row; false if that row is not here or had it.
    pub(crate) fn score(&mut self, id: GroupId, candidate: usize, mean: f32) -> bool {
        let Some(index) = self.index_of(id) else {
            return false;
        };
        let known = self
            .rows
            .get(index)
            .and_then(|row| row.scores.get(candidate));
        if known == Some(&Some(mean)) {
            return false;
        }
        let Some(row) = self.rows.get_mut(index) else {
            return false;
        };
        if row.scores.len() <= candidate {
            row.scores.resize(candidate + 1, None);
        }
        row.scores[candidate] = Some(mean);
        true
    }

    /// The first row on screen.
    pub(crate) const fn top(&self) -> usize {
        self.top
    }

    /// Scrolls so that the mark is within `height` rows.
    pub(crate) fn scroll(&mut self, height: usize) {
        let height = height.max(1);
        self.top = self
            .top
            .min(self.marked)
            .max((self.marked + 1).saturating_sub(height))
            .min(self.shown().saturating_sub(height));
    }

    /// The groups around the mark, nearest first: those ahead in the direction of reading before those behind.
    pub(crate) fn around(&self, ahead: usize, behind: usize) -> Vec<GroupId> {
        let after = (1..=ahead).filter_map(|by| self.row(self.marked + by));
        let before = (1..=behind).filter_map(|by| self.row(self.marked.checked_sub(by)?));
        after.chain(before).map(|row| row.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn list(count: usize) -> List {
        let mut list = List::default();
        let round = list.reread(None);
        assert!(list.take(round, 0, sample::summaries(count), true));
        list
    }

    #[test]
    fn the_mark_stops_at_both_ends_and_survives_an_empty_list() {
        let mut list = list(3);
        list.step(-5);
        assert_eq!(list.position(), 0);
        list.step(500);
        assert_eq!(list.position(), 2);
        let mut empty = List::default();
        empty.step(1);
        assert_eq!(empty.marked(), None);
    }

    #[test]
    fn rows_of_an_earlier_reading_are_refused() {
        let mut list = list(3);
        let old = list.reading.round;
        list.reread(None);
        assert!(!list.take(old, 0, sample::summaries(9), true));
        assert_eq!(list.shown(), 3);
    }

    #[test]
    fn a_new_order_keeps_the_marked_group_and_a_new_filter_marks_the_best_match() {
        let mut list = list(4);
        list.mark(1);
        let id = list.marked();
        list.reversed = true;
        let round = list.rank(false).unwrap().round;
        let ranking = |round, rows: &[u32]| Ranking {
            round,
            rows: rows.into(),
            complete: true,
            ..Ranking::default()
        };
        list.ranked(ranking(round, &[3, 2, 1, 0]));
        assert_eq!((list.position(), list.marked()), (2, id));
        let round = list.rank(true).unwrap().round;
        list.ranked(ranking(round, &[3, 0]));
        assert_eq!(list.position(), 0);
    }

    #[test]
    fn rows_that_arrive_during_a_ranking_are_ranked_after_it() {
        let mut list = list(2);
        list.sort = Sort::Best;
        let round = list.rank(false).unwrap().round;
        assert_eq!(list.rank_more(), None);
        let again = list.ranked(Ranking {
            round,
            rows: [0, 1].into(),
            complete: true,
            ..Ranking::default()
        });
        assert!(again.is_some());
    }

    #[test]
    fn groups_chosen_elsewhere_show_alone_until_all_are_wanted_again() {
        let mut list = list(6);
        list.filter = "hat".into();
        let chosen: HashSet<GroupId> = [2, 5].map(GroupId).into();
        list.show_only("step 7".into(), chosen);
        let request = list.rank(true).unwrap();
        assert_eq!((request.query.as_str(), list.only()), ("", Some("step 7")));
        let done = std::cell::RefCell::new(None);
        crate::tui::rank::rank(
            &request,
            &|_, _, _| Ok(None),
            || true,
            |r| *done.borrow_mut() = Some(r),
        );
        list.ranked(done.into_inner().unwrap());
        assert_eq!(list.shown(), 2);
        assert_eq!(list.marked(), Some(GroupId(2)));
        assert!(list.show_every() && !list.show_every());
        assert_eq!(list.rank(false), None);
        assert_eq!(list.shown(), 6);
    }

    #[test]
    fn a_score_lands_in_its_row() {
        let mut list = list(3);
        let id = list.row(2).unwrap().id;
        assert!(list.score(id, 1, 0.25));
        assert_eq!(list.row(2).unwrap().scores[1], Some(0.25));
        assert!(!list.score(id, 1, 0.25));
        assert!(!list.score(GroupId(999), 0, 0.0));
    }

    #[test]
    fn scrolling_keeps_the_mark_on_screen_and_fills_the_screen() {
        let mut list = list(10);
        list.mark(9);
        list.scroll(4);
        assert_eq!(list.top(), 6);
        list.mark(7);
        list.scroll(4);
        assert_eq!(list.top(), 6);
        list.mark(0);
        list.scroll(40);
        assert_eq!(list.top(), 0);
    }
}
