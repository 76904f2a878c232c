//! Annotation: what people are shown and in which order, what the points of the scale mean, and how far they agree.
//!
//! What they say is the workspace's to keep, with a journal of every step.

pub mod agreement;
mod queue;
pub mod rubric;

pub use queue::{
    Item, LONGEST, Mode, Queue, QueueError, Rewards, Settings, Strategy, Unit, ordered, queue,
};
