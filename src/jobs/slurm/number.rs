//! The number that Slurm knows a run by.

use super::Jobs;
use crate::runs::Folder;

/// The number of the job, or of the array, that was submitted last for the run in `folder`; `None` where none was.
pub fn job_number(folder: &Folder) -> Option<String> {
    let last = Jobs::of(folder).ok()?.submitted.pop()?;
    Some(last.job)
}
