//! Runs: one execution of a long verb and its folder, which any face can follow, live or years later.

mod event;

pub use event::{Ending, Event, Fact};
