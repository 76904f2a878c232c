//! Runs that several processes work on at a time, each on a shard of its own.
//!
//! ```text
//! <run>/shards/
//!   000/     signs of life, events and log of the process that works on the first shard, as in a run's folder
//!   001/     ...
//! ```
//!
//! What the run does follows from what they do, as long as no process has the run itself.

use std::path::PathBuf;

use serde::Serialize;

use super::folder::Folder;
use super::summary::{Progress, State, Summary};

/// How the work on one shard stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Member {
    /// Which shard, from 0.
    pub shard: usize,
    /// What its process does.
    pub state: State,
    /// Why, in words, where there is something to say.
    pub reason: Option<String>,
    /// How far it has come.
    pub progress: Option<Progress>,
    /// The process that took it up last, and its machine.
    pub process: Option<(u32, String)>,
}

impl Folder {
    /// Where the files of shards are.
    pub fn shards_dir(&self) -> PathBuf {
        self.path().join("shards")
    }

    /// The folder of the process that works on a shard.
    #[must_use]
    pub fn shard(&self, shard: usize) -> Self {
        Self::at(self.shards_dir().join(format!("{shard:03}")))
    }

    /// A file of a shard's: `000.in.jsonl` for the ending "in.jsonl".
    pub fn shard_file(&self, shard: usize, ending: &str) -> PathBuf {
        self.shards_dir().join(format!("{shard:03}.{ending}"))
    }

    /// The shards of the run, rising; none where it has none.
    fn shards(&self) -> Vec<usize> {
        let Ok(entries) = std::fs::read_dir(self.shards_dir()) else {
            return Vec::new();
        };
        let mut shards: Vec<usize> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let shard = entry.file_name().to_str()?.parse().ok()?;
                entry.path().is_dir().then_some(shard)
            })
            .collect();
        shards.sort_unstable();
        shards
    }
}

/// Looks at all who work on shards of the run.
pub(super) fn members(folder: &Folder, here: &str) -> Vec<Member> {
    let look = |shard: usize| {
        let folder = folder.shard(shard);
        let vitals = folder.vitals();
        let summary = Summary::glance(&folder).unwrap_or_default();
        let mut state = summary.state(vitals, here);
        if state == State::Failed && summary.ended.is_none() {
            state = summary.state(folder.vitals(), here);
        }
        Member {
            shard,
            state,
            reason: summary.reason(state),
            progress: summary.progress(),
            process: summary.process,
        }
    };
    folder.shards().into_iter().map(look).collect()
}

/// What all of them are doing, in words.
pub(super) fn words(members: &[Member]) -> String {
    let of = |states: &[State]| members.iter().filter(|m| states.contains(&m.state)).count();
    let mut parts = vec![format!(
        "{} of {} shards done",
        of(&[State::Done]),
        members.len()
    )];
    for (count, what) in [
        (of(&[State::Running]), "at work"),
        (of(&[State::Stalled]), "stalled"),
        (of(&[State::Queued]), "waiting"),
        (of(&[State::Failed, State::Stopped]), "broken off"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.join(", ")
}

/// How far all of them have come together.
pub(super) fn progress(members: &[Member]) -> Option<Progress> {
    let known: Vec<&Progress> = members.iter().filter_map(|m| m.progress.as_ref()).collect();
    let unit = known.first()?.unit.clone();
    let done = known.iter().map(|p| p.done).sum();
    let total = known.iter().map(|p| p.total).sum::<Option<u64>>();
    let at_work = members.iter().filter(|m| m.state == State::Running);
    let rates: Vec<f64> = at_work.filter_map(|m| m.progress.as_ref()?.rate).collect();
    let rate = (!rates.is_empty()).then(|| rates.iter().sum::<f64>());
    let left = total.map(|total: u64| total.saturating_sub(done) as f64);
    Some(Progress {
        done,
        total,
        unit,
        rate,
        seconds_left: left.zip(rate).map(|(left, rate)| left / rate),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{Ending, Fact, Manifest, glance};

    #[test]
    fn a_run_in_shards_does_what_those_who_work_on_them_do() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &Manifest::new("score", vec![], "a")).unwrap();
        let progress = |done| Fact::Progress {
            done,
            total: Some(10),
            unit: "candidates".into(),
        };
        let queued = || Fact::Queued {
            device: "slurm".into(),
        };
        for shard in 0..2 {
            std::fs::create_dir_all(folder.shard(shard).path()).unwrap();
            folder.shard(shard).add([queued(), progress(0)]).unwrap();
        }
        folder.add([queued()]).unwrap();
        assert_eq!(glance(&folder).unwrap().1, State::Queued);
        let member = folder.shard(1).take_up().unwrap();
        member.note(progress(4)).unwrap();
        let (summary, state) = glance(&folder).unwrap();
        assert_eq!(state, State::Running);
        let told = summary.progress().unwrap();
        assert_eq!((told.done, told.total), (4, Some(20)));
        assert_eq!(
            summary.phase.as_deref(),
            Some("0 of 2 shards done, 1 at work, 1 waiting")
        );
        member.end(Ending::Done, "").unwrap();
        drop(member);
        assert_eq!(glance(&folder).unwrap().1, State::Queued);
        let merging = folder.take_up().unwrap();
        assert_eq!(glance(&folder).unwrap().1, State::Running);
        // What failed is handed over to others, who are waited for.
        merging.note(queued()).unwrap();
        drop(merging);
        assert_eq!(glance(&folder).unwrap().1, State::Queued);
        let alone = folder.take_up().unwrap();
        let own = Fact::Progress {
            done: 15,
            total: Some(20),
            unit: "candidates".into(),
        };
        alone.note(own).unwrap();
        assert_eq!(glance(&folder).unwrap().0.progress().unwrap().done, 15);
        alone.note(queued()).unwrap();
        drop(alone);
        assert_eq!(glance(&folder).unwrap().0.progress().unwrap().done, 4);
        folder
            .add([Fact::Ended {
                ending: Ending::Stopped,
                reason: "x".into(),
            }])
            .unwrap();
        assert_eq!(glance(&folder).unwrap().1, State::Stopped);
    }
}
