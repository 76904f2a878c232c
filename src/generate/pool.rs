//! The threads that make candidates: so many for each editor, each taking one after the other, telling what becomes of it to the
//! one thread that writes.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::editor::{Editor, Order, Picture, asked};
use super::plan::Missing;
use crate::config::EditorSettings;
use crate::data::{Workspace, WorkspaceError, images};
use crate::domain::Group;
use crate::remote::{Clock, Failure, Stop};

/// What the threads tell.
pub(super) enum News {
    /// A candidate was made, or will not be.
    Done(Box<Done>),
    /// A try came to nothing; for the log.
    Setback(String),
    /// An editor can make none.
    Useless(usize, String),
    /// The workspace cannot be read.
    Broken(WorkspaceError),
}

/// What became of a candidate.
pub(super) struct Done {
    pub(super) missing: Missing,
    /// The group's name.
    pub(super) group: String,
    pub(super) instruction: String,
    /// Equal for what was made of the same by the same.
    pub(super) asked: String,
    pub(super) outcome: Result<Picture, String>,
    pub(super) tries: u32,
    pub(super) ms: u64,
}

/// An editor and what it is to make.
pub(super) struct Bench<'a> {
    pub(super) settings: &'a EditorSettings,
    pub(super) editor: Box<dyn Editor + 'a>,
    pub(super) queue: Vec<Missing>,
    next: AtomicUsize,
    given_up: AtomicBool,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        settings: &'a EditorSettings,
        editor: Box<dyn Editor + 'a>,
        queue: Vec<Missing>,
    ) -> Self {
        Self {
            settings,
            editor,
            queue,
            next: AtomicUsize::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    /// Has its threads take no more.
    pub(super) fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }
}

/// What the threads share.
pub(super) struct Pool<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) benches: &'a [Bench<'a>],
    pub(super) clock: &'a dyn Clock,
    pub(super) stop: &'a Stop,
}

impl Pool<'_> {
    /// Starts the threads in `scope`; what they tell ends when they do.
    pub(super) fn start<'scope, 'env>(
        &'env self,
        scope: &'scope std::thread::Scope<'scope, 'env>,
    ) -> std::io::Result<Receiver<News>> {
        let threads = |bench: &Bench<'_>| bench.settings.workers.get().min(bench.queue.len());
        // Bounded, so that images do not pile up where they are made faster than they can be written.
        let (tell, heard) = sync_channel(self.benches.iter().map(threads).sum());
        for (place, bench) in self.benches.iter().enumerate() {
            for number in 0..threads(bench) {
                let tell = tell.clone();
                std::thread::Builder::new()
                    .name(format!("editor-{place}-{number}"))
                    .spawn_scoped(scope, move || self.work(place, bench, &tell))?;
            }
        }
        Ok(heard)
    }

    /// Makes one candidate after the other, until there are no more or nothing more is wanted.
    fn work(&self, place: usize, bench: &Bench<'_>, tell: &SyncSender<News>) {
        while !self.stop.is_rung()
            && !bench.given_up.load(Ordering::Relaxed)
            && let Some(missing) = bench.queue.get(bench.next.fetch_add(1, Ordering::Relaxed))
        {
            let news = match self.workspace.group(missing.group) {
                Ok(Some(group)) => match self.made(bench, *missing, group, tell) {
                    Ok(done) => News::Done(Box::new(done)),
                    Err(Failure::All(why) | Failure::Question(why)) => News::Useless(place, why),
                    Err(Failure::Stopped) => return,
                },
                Ok(None) => News::Done(Box::new(Done {
                    missing: *missing,
                    group: format!("number {}", missing.group.0),
                    instruction: String::new(),
                    asked: String::new(),
                    outcome: Err("the group is not in the workspace any more".into()),
                    tries: 0,
                    ms: 0,
                })),
                Err(error) => News::Broken(error),
            };
            let last = !matches!(news, News::Done(_));
            if tell.send(news).is_err() || last {
                return;
            }
        }
    }

    fn made(
        &self,
        bench: &Bench<'_>,
        missing: Missing,
        group: Group,
        tell: &SyncSender<News>,
    ) -> Result<Done, Failure> {
        let order = Order {
            group: &group.key,
            instruction: &group.instruction,
            root: self.workspace.root(),
            source: &group.source,
            seed: missing.seed,
        };
        let in_vain = Cell::new(0);
        let told = |why: &str| {
            in_vain.set(in_vain.get() + 1);
            let place = format!("group '{}', seed {}: {why}", group.key, missing.seed);
            // Whoever listens is gone only when all is over.
            let _ = tell.send(News::Setback(place));
        };
        let source =
            images::read(order.root, order.source).map(|bytes| images::content_hash(&bytes));
        let asked = asked(bench.settings, &order, &source.unwrap_or_default());
        let began = self.clock.now();
        let outcome = match bench.editor.make(&order, &told) {
            Ok(success) => Ok(success),
            Err(Failure::Question(why)) => Err(why),
            Err(failure) => return Err(failure),
        };
        Ok(Done {
            missing,
            asked,
            tries: in_vain.get() + u32::from(outcome.is_ok()),
            outcome,
            ms: self.clock.now().saturating_sub(began).as_millis() as u64,
            group: group.key,
            instruction: group.instruction,
        })
    }
}
