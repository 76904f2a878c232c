//! Runs: one execution of a long verb and its folder, which any face can follow, live or years later.
//!
//! ```text
//! <yyyymmdd-hhmmss>-<verb>-<slug>/
//!   run.toml       what it is: verb, arguments, version, fingerprints, seed, host, launcher, plan     [`Manifest`]
//!   events.jsonl   what happened, one fact a line, appended only                                      [`Fact`]
//!   log.txt        what a person would have seen
//!   lock           held while a process works on it; names the process
//!   heartbeat      touched while alive; silence is how a crash is told from afar
//!   control        a request to stop, by whoever asks
//!   checkpoints/   states to go on from
//!   tensorboard/   the metrics once more, for other dashboards
//!   report.json    the result
//!   shards/        what several processes work on at a time, and a folder like this one for each      [`Member`]
//! ```
//!
//! A process makes a folder ([`Folder::create`]) and takes it up ([`Folder::take_up`]), which gives it a [`Writer`]. Anybody
//! reads it with a [`Reader`], or as well that of another program with a [`Source`], or with a [`Follower`], which adds it up to
//! a [`Summary`], a [`History`] and a [`State`].

mod error;
mod event;
mod folder;
mod follower;
pub mod foreign;
mod host;
pub mod log;
mod manifest;
mod number;
mod pulse;
mod reader;
mod series;
pub mod shards;
mod source;
mod summary;
mod team;
mod tensorboard;
#[cfg(test)]
mod tests;
mod weight;
mod writer;

pub use error::RunError;
pub use event::{Ending, Event, Fact, now};
pub use folder::{Folder, Listing, Run};
pub use follower::{Follower, News, glance};
pub use host::host;
pub use manifest::{Fingerprint, Manifest};
pub use pulse::{SILENCE, Vitals};
pub use reader::{Batch, Reader};
pub use series::{History, Opinion, Point, Saved};
pub use source::Source;
pub use summary::{Ended, Progress, State, Summary};
pub use team::Member;
pub use weight::Weight;
pub use writer::{Writer, end_the_last_line};
