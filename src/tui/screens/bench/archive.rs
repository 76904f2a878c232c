//! The reports of finished benchmarks: which runs there are, which reports are here, which have yet to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::bench::leaderboard::Measured;
use crate::bench::report::Report;
use crate::runs::{Manifest, State};
use crate::tui::screens::train::Entry;

/// What a run of a benchmark calls itself.
const VERB: &str = "bench run";

/// The archive.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    /// Finished runs, newest first; `None` before the list was read.
    finished: Option<Vec<String>>,
    /// Benchmarks under way.
    live: usize,
    /// What was read, in the order of `finished`.
    measured: Vec<Measured>,
    /// Asked for and not here yet.
    asked: BTreeSet<String>,
    /// Could not be read.
    broken: BTreeSet<String>,
    /// Where runs were told that relative image paths start.
    images: BTreeMap<String, PathBuf>,
}

impl Archive {
    /// The list of runs was read; true if what is here changed by that.
    pub(crate) fn list(&mut self, entries: &[Entry]) -> bool {
        let benchmarks = || entries.iter().filter(|e| e.manifest.verb == VERB);
        let done: Vec<String> = benchmarks()
            .filter(|entry| entry.state == State::Done)
            .map(|entry| entry.name.clone())
            .collect();
        let live = benchmarks().filter(|entry| entry.state.is_live()).count();
        self.images = benchmarks()
            .filter_map(|entry| Some((entry.name.clone(), image_root(&entry.manifest)?)))
            .collect();
        let changed = self.live != live || self.finished.as_ref() != Some(&done);
        self.live = live;
        if changed {
            // A run that goes on after its end measures anew.
            self.measured.retain(|one| done.contains(&one.run));
            self.asked.retain(|run| done.contains(run));
            self.broken.retain(|run| done.contains(run));
            self.finished = Some(done);
            self.order();
        }
        changed
    }

    /// Reports that must be read; remembers that they were asked for.
    pub(crate) fn unread(&mut self) -> Vec<String> {
        let finished = self.finished.as_deref().unwrap_or_default();
        let unread: Vec<String> = finished
            .iter()
            .filter(|run| !self.asked.contains(*run) && !self.broken.contains(*run))
            .filter(|run| !self.measured.iter().any(|one| one.run == **run))
            .cloned()
            .collect();
        self.asked.extend(unread.iter().cloned());
        unread
    }

    /// A report was read; `None` if that could not be done. What nobody asked for any longer is passed over.
    pub(crate) fn put(&mut self, run: String, report: Option<Report>) {
        if !self.asked.remove(&run) {
            return;
        }
        match report {
            Some(report) => self.measured.push(Measured { run, report }),
            None => {
                self.broken.insert(run);
            }
        }
        self.order();
    }

    /// All reports are to be read again; what is here stays until then.
    pub(crate) fn expire(&mut self) -> Vec<String> {
        let finished = self.finished.clone().unwrap_or_default();
        self.broken.clear();
        self.asked.extend(finished.iter().cloned());
        finished
    }

    /// The older of two reports of a run is void, and the newest run comes first.
    fn order(&mut self) {
        let finished = self.finished.as_deref().unwrap_or_default();
        let place = |run: &str| finished.iter().position(|name| name == run);
        self.measured.reverse();
        self.measured.sort_by_key(|one| place(&one.run));
        self.measured.dedup_by(|a, b| a.run == b.run);
    }

    /// What was read, newest first.
    pub(crate) fn measured(&self) -> &[Measured] {
        &self.measured
    }

    /// The report of a run.
    pub(crate) fn report(&self, run: &str) -> Option<&Report> {
        let found = self.measured.iter().find(|one| one.run == run);
        found.map(|one| &one.report)
    }

    /// Benchmarks under way.
    pub(crate) const fn live(&self) -> usize {
        self.live
    }

    /// Reports that are being read.
    pub(crate) fn under_way(&self) -> usize {
        self.asked.len()
    }

    /// Whether the list of runs was read.
    pub(crate) const fn is_listed(&self) -> bool {
        self.finished.is_some()
    }

    /// The folders in which images of a run may be, likeliest first.
    pub(crate) fn image_roots(&self, run: &str) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> = self.images.get(run).cloned().into_iter().collect();
        if let Some(report) = self.report(run) {
            let data = PathBuf::from(&report.data.path);
            let beside = data.parent().map(PathBuf::from);
            roots.push(data);
            roots.extend(beside);
        }
        roots
    }
}

/// When a run began, "2026-11-27 15:57", by its name; `None` for one that was renamed.
pub(super) fn begun(run: &str) -> Option<String> {
    let (stamp, _) = run.split_at_checked("yyyymmdd-hhmmss".len())?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (day, time) = stamp.split_once('-')?;
    if day.len() != 8 || !digits(day) || !digits(time) {
        return None;
    }
    Some(format!(
        "{}-{}-{} {}:{}",
        &day[..4],
        &day[4..6],
        &day[6..],
        &time[..2],
        &time[2..4]
    ))
}

/// What follows `--images` on the command line of a run.
fn image_root(manifest: &Manifest) -> Option<PathBuf> {
    const FLAG: &str = "--images";
    let mut arguments = manifest.arguments.iter();
    let typed = loop {
        let argument = arguments.next()?;
        if argument == FLAG {
            break arguments.next()?.as_str();
        }
        if let Some(rest) = argument
            .strip_prefix(FLAG)
            .and_then(|r| r.strip_prefix('='))
        {
            break rest;
        }
    };
    Some(manifest.directory.join(typed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample_of_benchmarks as sample;

    fn names(archive: &Archive) -> Vec<&str> {
        archive.measured().iter().map(|m| m.run.as_str()).collect()
    }

    #[test]
    fn reports_are_asked_for_once_and_lie_newest_first() {
        let mut archive = Archive::default();
        assert!(!archive.is_listed());
        let entries = sample::entries();
        assert!(archive.list(&entries) && !archive.list(&entries));
        let unread = archive.unread();
        assert_eq!(unread.len(), entries.len());
        assert!(archive.unread().is_empty());
        for run in unread.iter().rev() {
            archive.put(run.clone(), sample::report(run));
        }
        assert_eq!(names(&archive), unread);
        assert_eq!(archive.under_way(), 0);
    }

    #[test]
    fn other_runs_and_unfinished_ones_are_none_of_it() {
        let mut archive = Archive::default();
        let mut entries = sample::entries();
        entries[0].state = State::Running;
        entries[1].manifest.verb = "train".into();
        archive.list(&entries);
        assert_eq!(archive.live(), 1);
        assert_eq!(archive.unread().len(), entries.len() - 2);
    }

    #[test]
    fn a_run_that_is_gone_or_goes_on_takes_its_report_along() {
        let mut archive = Archive::default();
        let mut entries = sample::entries();
        archive.list(&entries);
        for run in archive.unread() {
            archive.put(run.clone(), sample::report(&run));
        }
        let first = entries[0].name.clone();
        entries[0].state = State::Running;
        assert!(archive.list(&entries));
        assert!(archive.report(&first).is_none());
        entries[0].state = State::Done;
        archive.list(&entries);
        assert_eq!(archive.unread(), [first]);
    }

    #[test]
    fn what_cannot_be_read_is_not_asked_for_again_until_all_is() {
        let mut archive = Archive::default();
        let entries = sample::entries();
        archive.list(&entries);
        for run in archive.unread() {
            archive.put(run, None);
        }
        assert!(archive.unread().is_empty() && archive.measured().is_empty());
        let again = archive.expire();
        assert_eq!(again.len(), entries.len());
        for run in again {
            archive.put(run.clone(), sample::report(&run));
        }
        for run in archive.expire() {
            archive.put(run.clone(), sample::report(&run));
        }
        assert_eq!(names(&archive).len(), entries.len(), "none is there twice");
    }

    #[test]
    fn images_are_looked_for_where_the_run_was_told_and_beside_its_data() {
        let mut archive = Archive::default();
        let mut entries = sample::entries();
        entries[0].manifest.directory = "/home/ann".into();
        entries[0].manifest.arguments = ["genai-edit", "--images", "pictures"]
            .map(Into::into)
            .into();
        archive.list(&entries);
        let run = entries[0].name.clone();
        for run in archive.unread() {
            archive.put(run.clone(), sample::report(&run));
        }
        let data = PathBuf::from(&archive.report(&run).unwrap().data.path);
        let roots = archive.image_roots(&run);
        assert_eq!(roots[0], PathBuf::from("/home/ann/pictures"));
        assert_eq!(roots[1], data);
        entries[0].manifest.arguments = vec!["--images=/mnt/all".into()];
        archive.list(&entries);
        assert_eq!(archive.image_roots(&run)[0], PathBuf::from("/mnt/all"));
    }
}
