//! The groups at hand: the one on screen and those around it, so that the next step shows at once. Bounded; the one that was
//! not looked at for longest goes first.

use std::collections::{HashMap, HashSet, VecDeque};

use crate::domain::{CandidateId, GroupId, Reward};

use super::judgement::Judgement;
use super::library::Record;

/// Groups held at most: a screenful of steps either way, each a few kilobytes.
const HELD: usize = 64;

/// The groups at hand.
#[derive(Debug, Default)]
pub(crate) struct Records {
    held: HashMap<GroupId, Record>,
    /// Least recently used first.
    order: VecDeque<GroupId>,
    asked: HashSet<GroupId>,
    gone: HashSet<GroupId>,
    /// Rewards that arrived while their group was still being read.
    early: HashMap<GroupId, Vec<(CandidateId, Reward)>>,
}

impl Records {
    /// The record of a group, if it is here.
    pub(crate) fn get(&self, id: GroupId) -> Option<&Record> {
        self.held.get(&id)
    }

    /// Whether the group is known to be in the list but not in the store any more.
    pub(crate) fn is_gone(&self, id: GroupId) -> bool {
        self.gone.contains(&id)
    }

    /// Whether it must be asked for now; remembers that it was.
    pub(crate) fn ask(&mut self, id: GroupId) -> bool {
        if let Some(at) = self.order.iter().position(|held| *held == id) {
            self.order.remove(at);
            self.order.push_back(id);
            return false;
        }
        !self.gone.contains(&id) && self.asked.insert(id)
    }

    /// Takes a record in, or learns that there is none. True if rewards had arrived before it, so that it must be judged.
    pub(crate) fn put(&mut self, id: GroupId, record: Option<Record>) -> bool {
        self.asked.remove(&id);
        let early = self.early.remove(&id).unwrap_or_default();
        let Some(mut record) = record else {
            self.gone.insert(id);
            return false;
        };
        let before = record.rewards.len();
        record.rewards.extend(early);
        let grown = record.rewards.len() > before;
        self.held.insert(id, record);
        if !self.order.contains(&id) {
            self.order.push_back(id);
        }
        while self.order.len() > HELD {
            if let Some(oldest) = self.order.pop_front() {
                self.held.remove(&oldest);
            }
        }
        grown
    }

    /// Asking for a group failed: it may be asked for again.
    pub(crate) fn forget_asked(&mut self) {
        self.asked.clear();
    }

    /// After another model or a rescan nothing of this holds, but what is on screen may stay until it is read again.
    pub(crate) fn expire(&mut self) {
        self.order.clear();
        self.asked.clear();
        self.gone.clear();
        self.early.clear();
        // Records stay readable; without a place in `order` they are asked for again, and replaced.
    }

    /// Drops the records that were not read again; called when the group on screen was.
    pub(crate) fn sweep(&mut self) {
        let order = &self.order;
        self.held.retain(|id, _| order.contains(id));
    }

    /// A candidate's reward; returns the record to judge again and the candidate's place in it.
    pub(crate) fn score(
        &mut self,
        id: GroupId,
        candidate: CandidateId,
        reward: Reward,
    ) -> Option<usize> {
        let Some(record) = self.held.get_mut(&id) else {
            if self.asked.contains(&id) {
                self.early.entry(id).or_default().push((candidate, reward));
            }
            return None;
        };
        let index = record
            .group
            .candidates
            .iter()
            .position(|c| c.id == candidate)?;
        record.failures.remove(&candidate);
        record.failure = None;
        record.rewards.insert(candidate, reward);
        Some(index)
    }

    /// A candidate, or with `None` the whole group, could not be scored.
    pub(crate) fn fail(&mut self, id: GroupId, candidate: Option<CandidateId>, message: String) {
        if let Some(record) = self.held.get_mut(&id) {
            match candidate {
                Some(candidate) => {
                    record.failures.insert(candidate, message);
                }
                None => record.failure = Some(message),
            }
        }
    }

    /// New preferences and ranks of a group.
    pub(crate) fn judge(&mut self, id: GroupId, judgement: Judgement) {
        if let Some(record) = self.held.get_mut(&id) {
            record.judgement = judgement;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;

    fn record(n: i64) -> Record {
        Record::new(sample::group(n, 2), HashMap::new(), 1.0)
    }

    #[test]
    fn a_group_is_asked_for_once_until_it_arrives() {
        let mut records = Records::default();
        assert!(records.ask(GroupId(1)));
        assert!(!records.ask(GroupId(1)));
        records.put(GroupId(1), Some(record(1)));
        assert!(!records.ask(GroupId(1)));
        records.put(GroupId(2), None);
        assert!(!records.ask(GroupId(2)));
        assert!(records.is_gone(GroupId(2)));
    }

    #[test]
    fn what_was_not_looked_at_for_longest_goes_first() {
        let mut records = Records::default();
        for n in 0..i64::try_from(HELD).unwrap() {
            records.put(GroupId(n), Some(record(n + 1)));
        }
        records.ask(GroupId(0));
        records.put(GroupId(1000), Some(record(1)));
        assert!(records.get(GroupId(0)).is_some());
        assert!(records.get(GroupId(1)).is_none());
    }

    #[test]
    fn a_reward_that_arrives_before_its_group_is_kept_for_it() {
        let mut records = Records::default();
        let group = sample::group(1, 2);
        let candidate = group.candidates[1].id;
        assert!(records.ask(group.id));
        assert_eq!(records.score(group.id, candidate, sample::reward(0)), None);
        assert!(records.put(group.id, Some(record(1))));
        assert!(records.get(group.id).unwrap().reward(1).is_some());
    }

    #[test]
    fn after_expiry_a_record_shows_until_it_is_read_again() {
        let mut records = Records::default();
        records.put(GroupId(1), Some(record(1)));
        records.put(GroupId(2), Some(record(2)));
        records.expire();
        assert!(records.get(GroupId(1)).is_some());
        assert!(records.ask(GroupId(1)));
        records.put(GroupId(1), Some(record(1)));
        records.sweep();
        assert!(records.get(GroupId(1)).is_some());
        assert!(records.get(GroupId(2)).is_none());
    }
}
