//! Pictures that are rated beside the groups of a workspace: the points of a probe, the patches of an occlusion. They come as they
//! are made, on whatever thread makes them, and wait here, a few at a time; a newer job takes the place of the older.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::lanes::Lanes;
use crate::model::Picture;

/// How many pictures may wait to be rated: enough for the model never to wait for one that is made in less time than it is
/// rated, and little memory.
pub(super) const WAITING: usize = 4;

/// Something to be rated.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What the job's owner knows it by.
    pub index: usize,
    /// The edited picture.
    pub picture: Picture,
    /// What was asked for.
    pub instruction: String,
}

/// Pictures to be rated against one source.
#[derive(Debug, Clone)]
pub struct RateJob {
    /// What its results are told under; of the owner's choice, another for each job.
    pub id: u64,
    /// The picture before the edit.
    pub source: Picture,
}

/// A job that has the model's thread, until the next one takes it.
#[derive(Debug)]
pub(super) struct Rating {
    pub(super) job: RateJob,
    pub(super) waiting: VecDeque<Ask>,
    /// No more will come.
    pub(super) whole: bool,
}

impl Rating {
    pub(super) fn new(job: RateJob) -> Self {
        Self {
            job,
            waiting: VecDeque::new(),
            whole: false,
        }
    }
}

/// The end of a job that pictures are put in at. It may go to another thread, which makes them. Dropped, the job is whole: it is
/// done when what waits is rated.
#[derive(Debug)]
pub struct Feed {
    pub(super) job: u64,
    pub(super) lanes: Arc<Lanes>,
}

impl Feed {
    /// Puts one more in, waiting while enough wait already, so that it is not for the thread that hears keys. Breaks when the job
    /// is not wanted any more, and nothing need be made for it.
    pub fn put(&self, ask: Ask) -> ControlFlow<()> {
        self.lanes.put(self.job, ask)
    }

    /// Whether another job, or the end of the scorer, took this one's place.
    pub fn is_dropped(&self) -> bool {
        !self.lanes.rates(self.job)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.lanes.whole(self.job);
    }
}
