//! What the model's thread is to do next: one place for the group on screen, one for pictures to be rated, and a list of the groups
//! after them.
//!
//! Only bookkeeping behind one lock; it knows nothing of models or workspaces, so the rules of who goes first can be read
//! and tested by themselves.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::rating::{Ask, RateJob, Rating, WAITING};
use crate::domain::GroupId;
use crate::model::Picture;

/// What the thread takes up.
#[derive(Debug)]
pub(super) enum Work {
    /// A group, to be scored.
    Group(GroupId),
    /// A picture of a job, to be rated against the source.
    Rate(u64, Picture, Ask),
    /// All of a job was rated.
    Rated(u64),
}

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
    /// Pictures to be rated; the list waits while there is such a job, even if its next picture is still being made, so that no
    /// point of a curve comes a whole candidate later.
    rating: Option<Rating>,
    back: VecDeque<GroupId>,
    in_hand: Option<(GroupId, Lane)>,
    /// The group in hand is still wanted.
    wanted: bool,
    stop: bool,
}

impl State {
    fn take(&mut self) -> Option<Work> {
        self.in_hand = None;
        self.wanted = false;
        if let Some(group) = self.shown.take() {
            return Some(self.group(group, Lane::Front));
        }
        if let Some(rating) = &mut self.rating {
            if let Some(ask) = rating.waiting.pop_front() {
                return Some(Work::Rate(rating.job.id, rating.job.source.clone(), ask));
            }
            return self
                .rating
                .take_if(|rating| rating.whole)
                .map(|rating| Work::Rated(rating.job.id));
        }
        let group = self.back.pop_front()?;
        Some(self.group(group, Lane::Back))
    }

    fn group(&mut self, group: GroupId, lane: Lane) -> Work {
        self.in_hand = Some((group, lane));
        self.wanted = true;
        Work::Group(group)
    }

    fn rating(&mut self, job: u64) -> Option<&mut Rating> {
        self.rating.as_mut().filter(|rating| rating.job.id == job)
    }
}

/// The lanes, shared between the screen and the model's thread.
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

    /// These pictures come after what is on screen and before the list, instead of those of an earlier job.
    pub(super) fn rate(&self, job: RateJob) {
        self.state().rating = Some(Rating::new(job));
        self.news.notify_all();
    }

    /// No more pictures of any job.
    pub(super) fn stop_rating(&self) {
        self.state().rating = None;
        self.news.notify_all();
    }

    /// Adds a picture to a job, once fewer than enough wait; breaks when the job is not wanted any more.
    pub(super) fn put(&self, job: u64, ask: Ask) -> ControlFlow<()> {
        let mut state = self.state();
        loop {
            if state.stop {
                return ControlFlow::Break(());
            }
            let Some(rating) = state.rating(job) else {
                return ControlFlow::Break(());
            };
            if rating.waiting.len() < WAITING {
                rating.waiting.push_back(ask);
                self.news.notify_all();
                return ControlFlow::Continue(());
            }
            state = self
                .news
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No more will be put into a job.
    pub(super) fn whole(&self, job: u64) {
        if let Some(rating) = self.state().rating(job) {
            rating.whole = true;
        }
        self.news.notify_all();
    }

    /// Whether this job is the one that is rated.
    pub(super) fn rates(&self, job: u64) -> bool {
        let mut state = self.state();
        !state.stop && state.rating(job).is_some()
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

    /// What comes next, if anything waits; it is then in hand.
    pub(super) fn take(&self) -> Option<Work> {
        let mut state = self.state();
        if state.stop {
            return None;
        }
        let work = state.take();
        if matches!(work, Some(Work::Rate(..))) {
            // There is room for another picture.
            self.news.notify_all();
        }
        work
    }

    /// What comes next, waiting for it; `None` when it is time to stop.
    pub(super) fn wait(&self) -> Option<Work> {
        let mut state = self.state();
        loop {
            if state.stop {
                return None;
            }
            if let Some(work) = state.take() {
                if matches!(work, Work::Rate(..)) {
                    self.news.notify_all();
                }
                return Some(work);
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
            None if state.wanted && lane == Lane::Back && state.rating.is_some() => {
                state.back.push_front(group);
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

    fn group(work: Option<Work>) -> Option<GroupId> {
        match work {
            Some(Work::Group(group)) => Some(group),
            None => None,
            Some(other) => panic!("{other:?}"),
        }
    }

    fn next(lanes: &Lanes) -> Option<GroupId> {
        group(lanes.take())
    }

    fn waited(lanes: &Lanes) -> Option<GroupId> {
        group(lanes.wait())
    }

    fn picture() -> Picture {
        Picture {
            bytes: Vec::new().into(),
            hash: String::new(),
        }
    }

    fn job(lanes: &Lanes, id: u64, pictures: usize) {
        let source = picture();
        lanes.rate(RateJob { id, source });
        for index in 0..pictures {
            let ask = Ask {
                index,
                picture: picture(),
                instruction: String::new(),
            };
            assert!(lanes.put(id, ask).is_continue());
        }
    }

    fn said(work: Option<Work>) -> String {
        match work {
            None => "nothing".into(),
            Some(Work::Group(group)) => format!("group {}", group.0),
            Some(Work::Rate(job, _, ask)) => format!("{job}: {}", ask.index),
            Some(Work::Rated(job)) => format!("{job} done"),
        }
    }

    #[test]
    fn pictures_come_after_what_is_on_screen_and_before_the_list_which_waits_for_all_of_them() {
        let lanes = Lanes::default();
        lanes.prefetch(vec![A, B]);
        assert_eq!(next(&lanes), Some(A));
        job(&lanes, 7, 2);
        assert_eq!(lanes.look_up(), Turn::Leave);
        lanes.show(C);
        assert_eq!(said(lanes.take()), "group 3");
        assert_eq!(lanes.look_up(), Turn::GoOn);
        let told = [(); 3].map(|()| said(lanes.take()));
        assert_eq!(told, ["7: 0", "7: 1", "nothing"]);
        lanes.whole(7);
        let told = [(); 3].map(|()| said(lanes.take()));
        assert_eq!(told, ["7 done", "group 1", "group 2"]);
    }

    #[test]
    fn a_newer_job_replaces_the_older_whose_pictures_are_not_taken_any_more() {
        let lanes = Lanes::default();
        job(&lanes, 1, 3);
        assert_eq!(said(lanes.take()), "1: 0");
        job(&lanes, 2, 1);
        let ask = Ask {
            index: 9,
            picture: picture(),
            instruction: String::new(),
        };
        assert!(lanes.put(1, ask.clone()).is_break());
        assert!(!lanes.rates(1) && lanes.rates(2));
        // The old one's end is not taken for the new one's.
        lanes.whole(1);
        assert_eq!(said(lanes.take()), "2: 0");
        assert_eq!(said(lanes.take()), "nothing");
        lanes.stop_rating();
        assert!(lanes.put(2, ask).is_break());
        lanes.prefetch(vec![B]);
        assert_eq!(said(lanes.take()), "group 2");
    }

    #[test]
    fn whoever_puts_pictures_in_waits_while_enough_wait_and_is_let_go_when_the_job_is_dropped() {
        let lanes = std::sync::Arc::new(Lanes::default());
        job(&lanes, 1, WAITING);
        let theirs = std::sync::Arc::clone(&lanes);
        let ask = |index| Ask {
            index,
            picture: picture(),
            instruction: String::new(),
        };
        let (first, second) = (ask(10), ask(11));
        let maker = std::thread::spawn(move || [theirs.put(1, first), theirs.put(1, second)]);
        // One place is free after this, so that one of the two is taken and the other waits, now or in a moment.
        assert_eq!(said(lanes.take()), "1: 0");
        while lanes.state().rating.as_ref().map(|r| r.waiting.len()) != Some(WAITING) {
            std::thread::yield_now();
        }
        lanes.stop_rating();
        let [first, second] = maker.join().unwrap();
        assert!(first.is_continue() && second.is_break());
    }

    #[test]
    fn what_is_on_screen_goes_first_and_the_interrupted_group_comes_back_later() {
        let lanes = Lanes::default();
        lanes.prefetch(vec![A, B]);
        assert_eq!(next(&lanes), Some(A));
        assert_eq!(lanes.look_up(), Turn::GoOn);
        lanes.show(C);
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!(
            [next(&lanes), next(&lanes), next(&lanes), next(&lanes)],
            [Some(C), Some(A), Some(B), None]
        );
    }

    #[test]
    fn a_group_that_is_left_is_dropped_and_one_shown_while_in_hand_is_kept() {
        let lanes = Lanes::default();
        lanes.show(A);
        assert_eq!(next(&lanes), Some(A));
        lanes.show(B);
        lanes.show(A);
        assert_eq!(lanes.look_up(), Turn::Shown);
        lanes.show(B);
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!([next(&lanes), next(&lanes)], [Some(B), None]);
    }

    #[test]
    fn a_newer_list_replaces_the_older_and_drops_what_it_no_longer_names() {
        let lanes = Lanes::default();
        lanes.prefetch(vec![A, B]);
        assert_eq!(next(&lanes), Some(A));
        lanes.prefetch(vec![C, A]);
        assert_eq!(lanes.look_up(), Turn::GoOn);
        assert_eq!(lanes.queued(), 1);
        lanes.prefetch(vec![B]);
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!([next(&lanes), next(&lanes)], [Some(B), None]);
    }

    #[test]
    fn a_list_does_not_touch_the_group_on_screen() {
        let lanes = Lanes::default();
        lanes.show(A);
        assert_eq!(next(&lanes), Some(A));
        lanes.prefetch(vec![A, B]);
        assert_eq!(lanes.look_up(), Turn::GoOn);
        assert_eq!([next(&lanes), next(&lanes)], [Some(B), None]);
    }

    #[test]
    fn after_a_stop_nothing_is_handed_out() {
        let lanes = Lanes::default();
        lanes.show(A);
        assert_eq!(next(&lanes), Some(A));
        lanes.prefetch(vec![B]);
        lanes.stop();
        assert_eq!(lanes.look_up(), Turn::Leave);
        assert_eq!((next(&lanes), waited(&lanes)), (None, None));
    }
}
