//! Work that is done ahead by threads, and handed out in order: reading images while the model computes. How far ahead is
//! bounded, and so is the memory that it takes.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// A piece of work.
pub(super) type Job<T> = Box<dyn FnOnce() -> T + Send>;

/// Results of jobs, in the order of the jobs.
pub(super) struct Ahead<T> {
    shared: Arc<Shared<T>>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    jobs: Box<dyn Iterator<Item = Job<T>> + Send>,
    /// Jobs handed to threads.
    begun: u64,
    /// Results handed out.
    taken: u64,
    /// How many jobs may be begun and not yet handed out.
    window: u64,
    ready: BTreeMap<u64, T>,
    /// No job is left.
    exhausted: bool,
    /// Nobody waits any more, or a thread died.
    closed: bool,
}

impl<T: Send + 'static> Ahead<T> {
    /// Begins `jobs` with so many threads, at most `window` of them ahead of what is taken. Where the system gives no thread,
    /// jobs are done as they are asked for.
    pub(super) fn new(
        threads: usize,
        window: usize,
        jobs: impl Iterator<Item = Job<T>> + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                jobs: Box::new(jobs),
                begun: 0,
                taken: 0,
                window: window.max(1) as u64,
                ready: BTreeMap::new(),
                exhausted: false,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let spawn = |number| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("erw-reader-{number}"))
                .spawn(move || {
                    let _closing = Closing(&shared);
                    while shared.work() {}
                })
        };
        let threads = (0..threads).map_while(|n| spawn(n).ok()).collect();
        Self { shared, threads }
    }

    /// The next result; `None` after the last.
    pub(super) fn next(&mut self) -> Option<T> {
        loop {
            let mut state = self.shared.lock();
            let wanted = state.taken;
            if let Some(result) = state.ready.remove(&wanted) {
                state.taken += 1;
                self.shared.changed.notify_all();
                return Some(result);
            }
            if state.closed || state.exhausted && state.taken == state.begun {
                return None;
            }
            if self.threads.is_empty() {
                drop(state);
                self.shared.work();
                continue;
            }
            drop(self.shared.wait(state));
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State<T>>) -> MutexGuard<'a, State<T>> {
        self.changed
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one job; false when there is none left.
    fn work(&self) -> bool {
        let mut state = self.lock();
        while !state.closed && !state.exhausted && state.begun - state.taken >= state.window {
            state = self.wait(state);
        }
        if state.closed || state.exhausted {
            return false;
        }
        let Some(job) = state.jobs.next() else {
            state.exhausted = true;
            self.changed.notify_all();
            return false;
        };
        let number = state.begun;
        state.begun += 1;
        drop(state);
        let result = job();
        self.lock().ready.insert(number, result);
        self.changed.notify_all();
        true
    }
}

/// Wakes everybody when a thread dies of a panic, so that nobody waits for what it was to give.
struct Closing<'a, T>(&'a Shared<T>);

impl<T> Drop for Closing<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().closed = true;
            self.0.changed.notify_all();
        }
    }
}

impl<T> Drop for Ahead<T> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs_however_they_are_done() {
        for threads in [0, 1, 3] {
            // The first job of each two ends only after the second.
            let jobs = (0..10).map(move |pair| {
                let (tell, told) = channel();
                let both: [Job<usize>; 2] = [
                    Box::new(move || {
                        if threads > 1 {
                            told.recv().unwrap();
                        }
                        2 * pair
                    }),
                    Box::new(move || {
                        let _ = tell.send(());
                        2 * pair + 1
                    }),
                ];
                both
            });
            let mut ahead = Ahead::new(threads, 4, jobs.flatten());
            let all: Vec<usize> = std::iter::from_fn(|| ahead.next()).collect();
            assert_eq!(all, (0..20).collect::<Vec<_>>());
        }
    }

    #[test]
    fn no_more_is_done_ahead_than_the_window_allows() {
        let (begun, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let taken = Arc::new(AtomicUsize::new(0));
        let jobs = {
            let (begun, most, taken) = (Arc::clone(&begun), Arc::clone(&most), Arc::clone(&taken));
            (0..50).map(move |i| {
                let (begun, most, taken) =
                    (Arc::clone(&begun), Arc::clone(&most), Arc::clone(&taken));
                let job: Job<i32> = Box::new(move || {
                    let ahead = begun.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(ahead - taken.load(Ordering::SeqCst), Ordering::SeqCst);
                    i
                });
                job
            })
        };
        let mut ahead = Ahead::new(2, 3, jobs);
        while ahead.next().is_some() {
            taken.fetch_add(1, Ordering::SeqCst);
        }
        assert_eq!(begun.load(Ordering::SeqCst), 50);
        // One more may have been taken before it was counted here.
        assert!(most.load(Ordering::SeqCst) <= 4);
    }

    #[test]
    fn a_thread_that_dies_leaves_nobody_waiting_and_an_unfinished_row_can_be_left() {
        let jobs: Vec<Job<i32>> = vec![
            Box::new(|| 1),
            Box::new(|| std::panic::resume_unwind(Box::new("x"))),
        ];
        let mut ahead = Ahead::new(1, 4, jobs.into_iter());
        // The first may be lost with it; what counts is that an end comes.
        while ahead.next().is_some() {}
        let endless = std::iter::repeat_with(|| -> Job<i32> { Box::new(|| 0) });
        drop(Ahead::new(2, 4, endless));
    }
}
