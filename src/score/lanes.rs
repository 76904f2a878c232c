//! What the model's thread is to do next: one place for the group on screen, and a list of those after it.
//!
//! Only bookkeeping behind one lock; it knows nothing of models or workspaces, so the rules of who goes first can be read
//! and tested by themselves.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::domain::GroupId;

/// What to do with the group in hand after one of its candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Take the next candidate.
    GoOn,
    /// It came on screen just now: say again what is known, then take the next candidate.
    Shown,
    /// Something else goes first, or nobody wants it any more.
    Leave,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Front,
    Back,
}

#[derive(Debug, Default)]
struct State {
    /// Came on screen and was not taken up yet.
    shown: Option<GroupId>,
    back: VecDeque<GroupId>,
    in_hand: Option<(GroupId, Lane)>,
    /// The group in hand is still wanted.
    wanted: bool,
    stop: bool,
}

impl State {
    fn take(&mut self) -> Option<GroupId> {
        let next = match self.shown.take() {
            Some(group) => Some((group, Lane::Front)),
            None => self.back.pop_front().map(|group| (group, Lane::Back)),
        };
        self.in_hand = next;
        self.wanted = next.is_some();
        next.map(|(group, _)| group)
    }
}

/// The two lanes, shared between the screen and the model's thread.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    state: Mutex<State>,
    news: Condvar,
}

impl Lanes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `group` is on screen: it goes first.
    pub(super) fn show(&self, group: GroupId) {
        let mut state = self.state();
        state.back.retain(|g| *g != group);
        state.shown = Some(group);
        self.news.notify_all();
    }

    /// These come after what is on screen, instead of those named before.
    pub(super) fn prefetch(&self, groups: Vec<GroupId>) {
        let mut state = self.state();
        state.back = groups.into();
        if let Some((group, lane)) = state.in_hand {
            let listed = state.back.len();
            state.back.retain(|g| *g != group);
            if lane == Lane::Back {
                state.wanted = state.back.len() < listed;
            }
        }
        if let Some(shown) = state.shown {
            state.back.retain(|g| *g != shown);
        }
        self.news.notify_all();
    }

    /// No more groups, and none of the one in hand.
    pub(super) fn stop(&self) {
        self.state().stop = true;
        self.news.notify_all();
    }

    /// How many groups wait in the back lane.
    pub(super) fn queued(&self) -> usize {
        self.state().back.len()
    }

    /// The next group, if one waits; it is then in hand.
    pub(super) fn take(&self) -> Option<GroupId> {
        let mut state = self.state();
        if state.stop { None } else { state.take() }
    }

    /// The next group, waiting for one; `None` when it is time to stop.
    pub(super) fn wait(&self) -> Option<GroupId> {
        let mut state = self.state();
        loop {
            if state.stop {
                return None;
            }
            if let Some(group) = state.take() {
                return Some(group);
            }
            state = self
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Asked between two candidates of the group in hand.
    pub(super) fn look_up(&self) -> Turn {
        let mut state = self.state();
        if state.stop {
            return Turn::Leave;
        }
        let Some((group, lane)) = state.in_hand else {
            return Turn::GoOn;
        };
        match state.shown {
            Some(shown) if shown == group => {
                state.shown = None;
                state.in_hand = Some((group, Lane::Front));
                state.wanted = true;
                Turn::Shown
            }
            Some(_) => {
                if lane == Lane::Back && state.wanted {
                    state.back.push_front(group);
                }
                Turn::Leave
            }
            None if state.wanted => Turn::GoOn,
            None => Turn::Leave,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: GroupId = GroupId(1);
    const B: GroupId = GroupId(2);
    const C: GroupId = GroupId(3);

    #[test]
    fn what_is_on_screen_goes_first_and_the_interrupted_group_comes_back_later() {
        let lanes = Lanes::default();
        lanes.prefetch(vec![A, B]);
        assert_eq!(lanes.take(), Some(A));
        assert_eq!(lanes.look_up(), Turn::GoOn);
        lanes.show(C);
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!(
            [lanes.take(), lanes.take(), lanes.take(), lanes.take()],
            [Some(C), Some(A), Some(B), None]
        );
    }

    #[test]
    fn a_group_that_is_left_is_dropped_and_one_shown_while_in_hand_is_kept() {
        let lanes = Lanes::default();
        lanes.show(A);
        assert_eq!(lanes.take(), Some(A));
        lanes.show(B);
        lanes.show(A);
        assert_eq!(lanes.look_up(), Turn::Shown);
        lanes.show(B);
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!([lanes.take(), lanes.take()], [Some(B), None]);
    }

    #[test]
    fn a_newer_list_replaces_the_older_and_drops_what_it_no_longer_names() {
        let lanes = Lanes::default();
        lanes.prefetch(vec![A, B]);
        assert_eq!(lanes.take(), Some(A));
        lanes.prefetch(vec![C, A]);
        assert_eq!(lanes.look_up(), Turn::GoOn);
        assert_eq!(lanes.queued(), 1);
        lanes.prefetch(vec![B]);
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!([lanes.take(), lanes.take()], [Some(B), None]);
    }

    #[test]
    fn a_list_does_not_touch_the_group_on_screen() {
        let lanes = Lanes::default();
        lanes.show(A);
        assert_eq!(lanes.take(), Some(A));
        lanes.prefetch(vec![A, B]);
        assert_eq!(lanes.look_up(), Turn::GoOn);
        assert_eq!([lanes.take(), lanes.take()], [Some(B), None]);
    }

    #[test]
    fn after_a_stop_nothing_is_handed_out() {
        let lanes = Lanes::default();
        lanes.show(A);
        assert_eq!(lanes.take(), Some(A));
        lanes.prefetch(vec![B]);
        lanes.stop();
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!((lanes.take(), lanes.wait()), (None, None));
    }
}
