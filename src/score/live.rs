//! The one thread that owns a model while somebody browses: what is on screen first, then pictures that somebody wants rated, the
//! rest after.
//!
//! A candidate once begun is finished (and kept); between two candidates the thread looks up. It never decides what is worth
//! scoring: the screen says what it shows and what comes next.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::group::{Outcome, Place, score_group};
use super::lanes::{Lanes, Turn, Work};
use super::rating::{Ask, Feed, RateJob};
use crate::data::Workspace;
use crate::domain::{CandidateId, Group, GroupId, Reward};
use crate::model::{Judge, LoadOptions, LoadProgress, ModelInfo, Packing, Picture, RewardModel};

/// What the live scorer tells its listener.
#[derive(Debug, Clone)]
pub enum LiveEvent {
    /// Weights are being read.
    Loading(LoadProgress),
    /// The model is loaded.
    Ready(Arc<ModelInfo>),
    /// It could not be loaded; nothing more will come. The text is for the user.
    LoadFailed(String),
    /// A group was taken up. What was known of it before is told again after this.
    Started(GroupId),
    /// A candidate has a reward, just computed or (`stored`) found in the workspace.
    Scored {
        /// Its group.
        group: GroupId,
        /// Itself.
        candidate: CandidateId,
        /// What the model says.
        reward: Reward,
        /// Found, not computed.
        stored: bool,
    },
    /// A candidate (or with `None` the whole group) could not be scored.
    Failed {
        /// The group.
        group: GroupId,
        /// The candidate, or `None` for source or instruction.
        candidate: Option<CandidateId>,
        /// Why, for the user.
        message: String,
    },
    /// A group is done or was left.
    Finished(GroupId),
    /// A picture of a job was rated.
    Rated {
        /// The job.
        job: u64,
        /// What its owner knows the picture by.
        index: usize,
        /// What the model says, or why it says nothing.
        result: Result<Reward, String>,
    },
    /// All pictures of a job were rated. Not told of one that another took the place of.
    RateDone {
        /// The job.
        job: u64,
    },
    /// The state of the queue: groups waiting, and candidates per second over the last while.
    Rate {
        /// Groups waiting in the back lane.
        queued: usize,
        /// Candidates computed per second, 0 when idle.
        per_second: f32,
    },
}

/// The one thread that owns a model: what is on screen first, then pictures to be rated, the rest after. Dropping it stops the thread
/// after the candidate in hand, without waiting for that.
#[derive(Debug)]
pub struct LiveScorer {
    lanes: Arc<Lanes>,
}

impl LiveScorer {
    /// Starts the thread, which loads the model at once. `listener` is called on that thread.
    pub fn start(
        model_dir: PathBuf,
        options: LoadOptions,
        workspace: Workspace,
        listener: impl Fn(LiveEvent) + Send + 'static,
    ) -> Self {
        // Whoever looks at the screen waits for each score.
        let options = LoadOptions {
            packing: Packing::Prompt,
            ..options
        };
        Self::start_with(
            move |progress| {
                RewardModel::load(&model_dir, &options, progress).map_err(|e| e.to_string())
            },
            workspace,
            listener,
        )
    }

    /// The same with any judge: `load` runs on the thread, and its error is for the user.
    pub fn start_with<J: Judge>(
        load: impl FnOnce(&mut dyn FnMut(LoadProgress)) -> Result<J, String> + Send + 'static,
        workspace: Workspace,
        listener: impl Fn(LiveEvent) + Send + 'static,
    ) -> Self {
        let lanes = Arc::new(Lanes::default());
        // Shared until the thread takes it, so that a system that is out of threads can still be told of.
        let listener = Arc::new(Mutex::new(Some(listener)));
        let take =
            |slot: &Mutex<Option<_>>| slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (on_thread, theirs) = (Arc::clone(&lanes), Arc::clone(&listener));
        let spawned = thread::Builder::new()
            .name("erw-model".into())
            .spawn(move || {
                if let Some(listener) = take(&theirs) {
                    work(load, &workspace, &on_thread, &listener);
                }
            });
        if let Err(e) = spawned
            && let Some(listener) = take(&listener)
        {
            listener(LiveEvent::LoadFailed(format!(
                "cannot start the model's thread: {e}"
            )));
        }
        Self { lanes }
    }

    /// This group is on screen now: it goes first, and the one before is dropped after its candidate in hand.
    pub fn show(&self, group: GroupId) {
        self.lanes.show(group);
    }

    /// These come after (replacing the earlier list).
    pub fn prefetch(&self, groups: Vec<GroupId>) {
        self.lanes.prefetch(groups);
    }

    /// Pictures to be rated, after what is on screen and before the rest, instead of those of an earlier job; they are put into
    /// what this returns, as they are made. Never waits.
    pub fn rate(&self, job: RateJob) -> Feed {
        let id = job.id;
        self.lanes.rate(job);
        Feed {
            job: id,
            lanes: Arc::clone(&self.lanes),
        }
    }

    /// Nobody wants pictures rated any more. The one in hand may still be told of.
    pub fn stop_rating(&self) {
        self.lanes.stop_rating();
    }
}

impl Drop for LiveScorer {
    fn drop(&mut self) {
        self.lanes.stop();
    }
}

fn work<J: Judge>(
    load: impl FnOnce(&mut dyn FnMut(LoadProgress)) -> Result<J, String>,
    workspace: &Workspace,
    lanes: &Lanes,
    listener: &dyn Fn(LiveEvent),
) {
    let mut judge = match load(&mut |progress| listener(LiveEvent::Loading(progress))) {
        Ok(judge) => judge,
        Err(message) => return listener(LiveEvent::LoadFailed(message)),
    };
    listener(LiveEvent::Ready(Arc::new(judge.info().clone())));
    let mut pace = Pace::default();
    loop {
        let next = lanes.take().or_else(|| {
            listener(LiveEvent::Rate {
                queued: lanes.queued(),
                per_second: 0.0,
            });
            lanes.wait()
        });
        match next {
            None => return,
            Some(Work::Group(group)) => {
                take_up(&mut judge, group, workspace, lanes, (&mut pace, listener));
            }
            Some(Work::Rate(job, source, ask)) => {
                let index = ask.index;
                let result = rate(&mut judge, &source, ask);
                // Of a job that is gone nobody wants to hear.
                if lanes.rates(job) {
                    listener(LiveEvent::Rated { job, index, result });
                }
            }
            Some(Work::Rated(job)) => listener(LiveEvent::RateDone { job }),
        }
    }
}

fn take_up(
    judge: &mut impl Judge,
    group: GroupId,
    workspace: &Workspace,
    lanes: &Lanes,
    (pace, listener): (&mut Pace, &dyn Fn(LiveEvent)),
) {
    listener(LiveEvent::Started(group));
    match workspace.group(group) {
        Ok(Some(found)) => score(judge, &found, workspace, lanes, (pace, listener)),
        Ok(None) => fail(group, "this group is no longer in the workspace", listener),
        Err(e) => fail(group, &e.to_string(), listener),
    }
    listener(LiveEvent::Finished(group));
}

/// Rates one picture, which does not come back.
fn rate(judge: &mut impl Judge, source: &Picture, ask: Ask) -> Result<Reward, String> {
    let mut said = None;
    judge.score_passing(source, &ask.instruction, &[ask.picture], &mut |passed| {
        said = passed.into_iter().next().map(|(_, reward)| reward);
        ControlFlow::Break(())
    })?;
    said.unwrap_or_else(|| Err("the model gave no answer".into()))
}

fn fail(group: GroupId, message: &str, listener: &dyn Fn(LiveEvent)) {
    listener(LiveEvent::Failed {
        group,
        candidate: None,
        message: message.to_owned(),
    });
}

fn score(
    judge: &mut impl Judge,
    group: &Group,
    workspace: &Workspace,
    lanes: &Lanes,
    (pace, listener): (&mut Pace, &dyn Fn(LiveEvent)),
) {
    let place = Place {
        root: workspace.root(),
        shelf: Some(workspace),
    };
    // What was said of this group so far, to be said again if it comes on screen while in hand.
    let mut said = Vec::new();
    let mut since = Instant::now();
    let _ = score_group(judge, group, place, &mut |outcome| {
        let computed = matches!(outcome, Outcome::Scored { stored: false, .. });
        let event = event_of(group, outcome);
        listener(event.clone());
        said.push(event);
        if computed {
            pace.record(since.elapsed());
            listener(LiveEvent::Rate {
                queued: lanes.queued(),
                per_second: pace.per_second(),
            });
        }
        since = Instant::now();
        match lanes.look_up() {
            Turn::GoOn => ControlFlow::Continue(()),
            Turn::Leave => ControlFlow::Break(()),
            Turn::Shown => {
                listener(LiveEvent::Started(group.id));
                said.iter().cloned().for_each(listener);
                ControlFlow::Continue(())
            }
        }
    });
}

fn event_of(group: &Group, outcome: Outcome) -> LiveEvent {
    match outcome {
        Outcome::Scored {
            index,
            reward,
            stored,
        } => LiveEvent::Scored {
            group: group.id,
            candidate: group.candidates[index].id,
            reward,
            stored,
        },
        Outcome::Failed { index, message } => LiveEvent::Failed {
            group: group.id,
            candidate: index.map(|i| group.candidates[i].id),
            message,
        },
    }
}

/// How fast candidates were computed lately: over the last few of them, counting only the time they took, so that a pause
/// in browsing does not look like a slow model.
#[derive(Debug, Default)]
struct Pace {
    took: VecDeque<Duration>,
}

impl Pace {
    const WINDOW: usize = 16;

    fn record(&mut self, took: Duration) {
        if self.took.len() == Self::WINDOW {
            self.took.pop_front();
        }
        self.took.push_back(took);
    }

    fn per_second(&self) -> f32 {
        let busy: Duration = self.took.iter().sum();
        if busy.is_zero() {
            0.0
        } else {
            self.took.len() as f32 / busy.as_secs_f32()
        }
    }
}
