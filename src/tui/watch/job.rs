//! What the jobs screen wants to know beside the list: all that one run has told, a window of its log, and what the live runs
//! take of this machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::jobs::resources::{Gpus, Sampler, Usage};
use crate::runs::log::Log;
use crate::runs::{Folder, Source, State};
use crate::tui::screens::jobs::{JobNews, JobWatch, LogWish, Page, Taken, Window};
use crate::tui::screens::train::Entry;

/// Between two looks at what the runs take: processors are counted in hundredths of a second.
const SAMPLE: Duration = Duration::from_secs(1);

/// What is read of one run.
pub(super) struct Eye {
    run: String,
    turn: u64,
    folder: Folder,
    source: Source,
    fresh: bool,
    log: Log,
    /// What was told of the log last, and what for.
    told: Option<(LogWish, Page)>,
    stamp: Option<(u64, SystemTime)>,
    unread: bool,
}

impl Eye {
    /// On the run of this watch; nothing is read yet.
    pub(super) fn on(root: &Path, watch: &JobWatch) -> Self {
        let folder = Folder::at(root.join(&watch.run));
        Self {
            run: watch.run.clone(),
            turn: watch.turn,
            source: Source::of(&folder),
            log: Log::new(&folder.log()),
            folder,
            fresh: true,
            told: None,
            stamp: None,
            unread: true,
        }
    }

    /// Whether it is on the run of this watch, and told it to a screen that has not forgotten it since.
    pub(super) fn is_on(&self, watch: &JobWatch) -> bool {
        self.run == watch.run && self.turn == watch.turn
    }

    /// Reads on, so many events or for so long at most: whether there is more to read at once, and what is wrong.
    pub(super) fn look(
        &mut self,
        watch: &JobWatch,
        amount: (usize, Duration),
        answer: &impl Fn(JobNews),
    ) -> (bool, Vec<String>) {
        let looks = [
            self.look_at_events(amount, answer),
            // Of a run whose events cannot be read, the log may say why.
            self.look_at_log(&watch.log, answer),
        ];
        let more = looks.contains(&Ok(true));
        (more, looks.into_iter().filter_map(Result::err).collect())
    }

    fn look_at_events(
        &mut self,
        (events, time): (usize, Duration),
        answer: &impl Fn(JobNews),
    ) -> Result<bool, String> {
        let batch = self.source.poll(events, time).map_err(|e| e.to_string())?;
        let fresh = std::mem::take(&mut self.fresh);
        if fresh || batch.anew || !batch.events.is_empty() {
            answer(JobNews::Told {
                run: self.run.clone(),
                events: batch.events,
                anew: batch.anew || fresh,
            });
        }
        Ok(batch.more)
    }

    fn look_at_log(&mut self, wish: &LogWish, answer: &impl Fn(JobNews)) -> Result<bool, String> {
        let path = match wish.shard {
            Some(shard) => self.folder.shard(shard).log(),
            None => self.folder.log(),
        };
        if self.log.path() != path {
            self.log = Log::new(&path);
            self.told = None;
        }
        let stamp = super::stamp(&path);
        let same = self.told.as_ref().is_some_and(|(last, _)| last == wish);
        if same && !self.unread && stamp == self.stamp {
            return Ok(false);
        }
        self.stamp = stamp;
        let read = |e: std::io::Error| format!("cannot read '{}': {e}", path.display());
        self.log.seek(&wish.search);
        self.unread = self.log.poll().map_err(read)?;
        let page = self.page(wish).map_err(read)?;
        if self.told.as_ref().is_none_or(|(_, last)| *last != page) {
            answer(JobNews::Log(page.clone()));
        }
        self.told = Some((wish.clone(), page));
        Ok(self.unread)
    }

    fn page(&self, wish: &LogWish) -> std::io::Result<Page> {
        let all = self.log.lines();
        let (first, lines) = match wish.window {
            // Before all lines were counted nobody knows which these are.
            Window::End(count) if self.unread => (None, self.log.end(count)?),
            Window::End(count) => {
                let first = all.saturating_sub(count);
                (Some(first), self.log.window(first, count)?)
            }
            Window::From(first, count) => (Some(first), self.log.window(first, count)?),
        };
        // Of a search that found nothing new the places are not copied once more.
        let hits = match &self.told {
            Some((last, page))
                if last.search == wish.search && page.hits[..] == *self.log.hits() =>
            {
                Arc::clone(&page.hits)
            }
            _ => self.log.hits().into(),
        };
        Ok(Page {
            run: self.run.clone(),
            shard: wish.shard,
            first,
            lines,
            all,
            whole: !self.unread,
            search: wish.search.clone(),
            hits,
            missed: self.log.missed(),
        })
    }
}

/// What the live runs take.
#[derive(Default)]
pub(super) struct Gauge {
    last: Option<Instant>,
    sampler: Sampler,
    gpus: Option<Gpus>,
    /// Something was told last, and not that there is nothing more.
    told: bool,
}

impl Gauge {
    /// Looks at the live ones among `entries`, if it is time to.
    pub(super) fn look(&mut self, root: &Path, entries: &[Entry], now: Instant) -> Option<JobNews> {
        if self.last.is_some_and(|last| now - last < SAMPLE) {
            return None;
        }
        self.last = Some(now);
        let live = |entry: &&Entry| matches!(entry.state, State::Running | State::Stalled);
        let live: Vec<(&str, Vec<u32>)> = entries
            .iter()
            .filter(live)
            .map(|entry| {
                (
                    entry.name.as_str(),
                    processes(root.join(&entry.name), entry),
                )
            })
            .filter(|(_, pids)| !pids.is_empty())
            .collect();
        let all: Vec<u32> = live.iter().flat_map(|(_, pids)| pids.clone()).collect();
        self.sampler.retain(&all);
        if live.is_empty() {
            let told = std::mem::take(&mut self.told);
            return told.then(|| JobNews::Taken(Vec::new(), Vec::new()));
        }
        self.told = true;
        let gpus = self.gpus.get_or_insert_with(Gpus::find).sample();
        let mut taken = Vec::new();
        for (name, pids) in live {
            let samples = pids.iter().filter_map(|pid| self.sampler.sample(*pid, now));
            let (usages, trees): (Vec<Usage>, Vec<Vec<u32>>) = samples.unzip();
            if usages.is_empty() {
                continue;
            }
            let processors: Vec<f64> = usages.iter().filter_map(|u| u.processors).collect();
            let usage = Usage {
                processors: (processors.len() == usages.len()).then(|| processors.iter().sum()),
                memory: usages.iter().map(|usage| usage.memory).sum(),
            };
            let tree = trees.concat();
            let own = gpus.iter().map(|gpu| gpu.of(&tree)).collect();
            taken.push((name.to_owned(), Taken { usage, own }));
        }
        Some(JobNews::Taken(taken, gpus))
    }
}

/// The processes on this machine that work on a run: its own, or those of its shards.
fn processes(folder: PathBuf, entry: &Entry) -> Vec<u32> {
    let folder = Folder::at(folder);
    let shards = 0..entry.manifest.shards.unwrap_or(0);
    let of_shards = shards.filter_map(|shard| folder.shard(shard).process());
    folder.process().into_iter().chain(of_shards).collect()
}
