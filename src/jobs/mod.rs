//! Jobs: runs that a process of their own works on, behind whoever asked for them. A job is the same command that could be
//! typed, started by a [`Launcher`]; what it does is read from its run's folder, and closing the asker stops nothing.
//!
//! On this machine ([`Local`]) runs wait in a queue of files beside the runs, one device runs one at a time, and a small
//! process without a terminal starts one after the other and goes when none is left. On a cluster ([`Slurm`]) they are batch jobs,
//! or arrays of them with a step at the end that puts together what the members did.

mod again;
mod attend;
mod drain;
mod error;
mod launcher;
mod local;
mod process;
mod queue;
pub mod resources;
mod slurm;

pub use again::{have_done, words_again};
pub use attend::{Attended, attend};
pub use drain::drain;
pub use error::JobError;
pub use launcher::{Force, Launcher, Launchers, StopOutcome, remove, retry};
pub use local::Local;
pub use process::{end_group, in_a_group, leave_terminal, replace_with};
pub use queue::{Queue, Waiting};
pub use slurm::{Slurm, job_number};
