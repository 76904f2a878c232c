//! Filtering and sorting the group list off the loop: one thread, newest request wins, partial results while it works. The
//! list on screen stays until the first of them arrives.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::domain::{GroupId, GroupSummary};

/// The rows of the list, in shared pieces of equal size (the last may be shorter): a snapshot for the worker is a copy of
/// pointers, and a new score copies one piece at most.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    pieces: Vec<Arc<Vec<GroupSummary>>>,
    len: usize,
}

/// Rows per piece, and per reading of the store.
pub(crate) const PIECE: usize = 1024;

impl Rows {
    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The row at `index` of the workspace's order.
    pub(crate) fn get(&self, index: usize) -> Option<&GroupSummary> {
        self.pieces.get(index / PIECE)?.get(index % PIECE)
    }

    /// Changes one row in place.
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut GroupSummary> {
        Arc::make_mut(self.pieces.get_mut(index / PIECE)?).get_mut(index % PIECE)
    }

    /// Puts a piece at row `start`, over what was there; `last` cuts what follows. A piece that does not begin where one
    /// begins is refused.
    pub(crate) fn put(&mut self, start: usize, rows: Vec<GroupSummary>, last: bool) {
        let piece = start / PIECE;
        if !start.is_multiple_of(PIECE) || piece > self.pieces.len() || rows.len() > PIECE {
            return;
        }
        if piece < self.pieces.len() {
            self.pieces[piece] = Arc::new(rows);
        } else {
            self.pieces.push(Arc::new(rows));
        }
        if last {
            self.pieces.truncate(piece + 1);
        }
        self.pieces.retain(|piece| !piece.is_empty());
        self.len = self.pieces.iter().map(|piece| piece.len()).sum();
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &GroupSummary)> {
        self.pieces
            .iter()
            .flat_map(|piece| piece.iter())
            .enumerate()
    }
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// The workspace's order; with a filter, the best match first.
    #[default]
    Order,
    /// Least agreement between annotators first.
    Agreement,
    /// Largest distance between best and worst score first.
    Spread,
    /// Highest score first.
    Best,
    /// By the kind of edit.
    Category,
}

impl Sort {
    /// The next in the cycle.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Order => Self::Agreement,
            Self::Agreement => Self::Spread,
            Self::Spread => Self::Best,
            Self::Best => Self::Category,
            Self::Category => Self::Order,
        }
    }

    /// For the list's title.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Agreement => "least agreement",
            Self::Spread => "score spread",
            Self::Best => "best score",
            Self::Category => "category",
        }
    }
}

/// One job for the worker.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RankRequest {
    /// Tells its results from earlier ones'.
    pub(crate) round: u64,
    /// The rows as they are now.
    pub(crate) rows: Rows,
    /// Only these groups, if they were chosen elsewhere.
    pub(crate) only: Option<Arc<HashSet<GroupId>>>,
    /// What was typed.
    pub(crate) query: String,
    /// The order.
    pub(crate) sort: Sort,
    /// The other way round.
    pub(crate) reversed: bool,
}

/// A result: row numbers in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ranking {
    /// The request's.
    pub(crate) round: u64,
    /// Row numbers.
    pub(crate) rows: Arc<[u32]>,
    /// False while the worker goes on.
    pub(crate) complete: bool,
}

/// A partial result after this long, then at twice the distance each time.
const FIRST_RESULT: Duration = Duration::from_millis(12);
/// Characters of a row that are searched: an instruction of ten thousand characters is found by its beginning.
const HAYSTACK: usize = 400;

/// The worker's handle; dropping it ends the thread.
pub(crate) struct Ranker {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    wake: Condvar,
    newest: AtomicU64,
}

#[derive(Default)]
struct Slot {
    request: Option<RankRequest>,
    closed: bool,
}

impl Ranker {
    /// Starts the thread; `answer` is called on it.
    pub(crate) fn start(answer: impl Fn(Ranking) + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("erw-rank".into())
            .spawn(move || {
                while let Some(request) = worker.take() {
                    let round = request.round;
                    let current = || worker.newest.load(Memory::Acquire) == round;
                    rank(&request, current, &answer);
                }
            })?;
        Ok(Self { shared })
    }

    /// Replaces whatever was asked before.
    pub(crate) fn request(&self, request: RankRequest) {
        self.shared.newest.store(request.round, Memory::Release);
        self.shared.slot().request = Some(request);
        self.shared.wake.notify_one();
    }
}

impl Drop for Ranker {
    fn drop(&mut self) {
        self.shared.newest.store(u64::MAX, Memory::Release);
        self.shared.slot().closed = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn slot(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<RankRequest> {
        let mut slot = self.slot();
        loop {
            if slot.closed {
                return None;
            }
            if let Some(request) = slot.request.take() {
                return Some(request);
            }
            slot = self.wake.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Works a request off; gives up as soon as it is not `current` any more.
pub(crate) fn rank(request: &RankRequest, current: impl Fn() -> bool, answer: impl Fn(Ranking)) {
    let query = request.query.trim();
    let pattern = Pattern::parse(query, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let (mut haystack, mut buffer) = (String::new(), Vec::new());
    let mut hits: Vec<(u32, u32)> = Vec::new();
    let (mut next, mut pause) = (Instant::now() + FIRST_RESULT, FIRST_RESULT);
    let send = |hits: &[(u32, u32)], complete| {
        let mut hits = hits.to_vec();
        sort(&mut hits, request);
        answer(Ranking {
            round: request.round,
            rows: hits.iter().map(|(index, _)| *index).collect(),
            complete,
        });
    };
    for (index, row) in request.rows.iter() {
        if index.is_multiple_of(256) {
            if !current() {
                return;
            }
            if Instant::now() >= next && !query.is_empty() {
                send(&hits, false);
                pause *= 2;
                next = Instant::now() + pause;
            }
        }
        let left_out = |only: &Arc<HashSet<GroupId>>| !only.contains(&row.id);
        if request.only.as_ref().is_some_and(left_out) {
            continue;
        }
        let score = if query.is_empty() {
            Some(0)
        } else {
            fill(&mut haystack, row);
            pattern.score(Utf32Str::new(&haystack, &mut buffer), &mut matcher)
        };
        if let Some(score) = score {
            hits.push((u32::try_from(index).unwrap_or(u32::MAX), score));
        }
    }
    send(&hits, true);
}

fn fill(haystack: &mut String, row: &GroupSummary) {
    haystack.clear();
    for part in [
        row.instruction.as_str(),
        row.category.as_deref().unwrap_or_default(),
        &row.key,
    ] {
        let room = HAYSTACK.saturating_sub(haystack.len());
        let end = part
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= room)
            .last();
        haystack.push_str(&part[..end.unwrap_or(0)]);
        haystack.push(' ');
    }
}

/// Keys are taken once per row, not once per comparison; equal keys stay in the workspace's order.
fn sort(hits: &mut Vec<(u32, u32)>, request: &RankRequest) {
    let reversed = request.reversed;
    let row = |index: u32| request.rows.get(index as usize);
    let number = |hits: &[(u32, u32)], key: fn(&GroupSummary) -> Option<f64>| {
        let mut keyed: Vec<_> = hits
            .iter()
            .map(|hit| (row(hit.0).and_then(key), *hit))
            .collect();
        keyed.sort_by(|a, b| missing_last(a.0, b.0, reversed, f64::total_cmp).then(a.1.cmp(&b.1)));
        keyed.into_iter().map(|(_, hit)| hit).collect()
    };
    match request.sort {
        Sort::Order if request.query.trim().is_empty() => {
            if reversed {
                hits.reverse();
            }
        }
        Sort::Order if reversed => hits.sort_by_key(|hit| (hit.1, hit.0)),
        Sort::Order => hits.sort_by_key(|hit| (std::cmp::Reverse(hit.1), hit.0)),
        Sort::Agreement => *hits = number(hits, |row| row.agreement),
        Sort::Spread => *hits = number(hits, |row| spread(row).map(|s| -s)),
        Sort::Best => *hits = number(hits, |row| best(row).map(|s| -s)),
        Sort::Category => {
            let mut keyed: Vec<_> = hits
                .iter()
                .map(|hit| (row(hit.0).and_then(|r| r.category.as_deref()), *hit))
                .collect();
            keyed.sort_by(|a, b| missing_last(a.0, b.0, reversed, Ord::cmp).then(a.1.cmp(&b.1)));
            *hits = keyed.into_iter().map(|(_, hit)| hit).collect();
        }
    }
}

/// Ascending (or descending), rows without a value at the end either way.
fn missing_last<T>(
    a: Option<T>,
    b: Option<T>,
    reversed: bool,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if reversed => compare(&b, &a),
        (Some(a), Some(b)) => compare(&a, &b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

fn best(row: &GroupSummary) -> Option<f64> {
    row.scores
        .iter()
        .flatten()
        .map(|s| f64::from(*s))
        .max_by(f64::total_cmp)
}

fn spread(row: &GroupSummary) -> Option<f64> {
    let worst = row
        .scores
        .iter()
        .flatten()
        .map(|s| f64::from(*s))
        .min_by(f64::total_cmp)?;
    Some(best(row)? - worst)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::tui::sample;

    fn rows(count: usize) -> Rows {
        let mut rows = Rows::default();
        let all = sample::summaries(count);
        for (i, piece) in all.chunks(PIECE).enumerate() {
            rows.put(i * PIECE, piece.to_vec(), (i + 1) * PIECE >= count);
        }
        rows
    }

    fn ranked(request: &RankRequest) -> Vec<u32> {
        let (tx, rx) = mpsc::channel();
        rank(request, || true, |r| tx.send(r).unwrap());
        rx.try_iter()
            .find(|r| r.complete)
            .map(|r| r.rows.to_vec())
            .unwrap()
    }

    fn request(rows: Rows, query: &str, sort: Sort) -> RankRequest {
        RankRequest {
            only: None,
            round: 1,
            rows,
            query: query.into(),
            sort,
            reversed: false,
        }
    }

    #[test]
    fn rows_are_found_across_pieces_and_a_reload_replaces_them() {
        let mut all = rows(PIECE + 10);
        assert_eq!(all.len(), PIECE + 10);
        assert_eq!(
            all.get(PIECE + 3),
            sample::summaries(PIECE + 10).get(PIECE + 3)
        );
        all.put(0, sample::summaries(3), true);
        assert_eq!(all.len(), 3);
        assert_eq!(all.get(3), None);
    }

    #[test]
    fn a_filter_finds_words_out_of_instruction_category_and_key() {
        let all = rows(40);
        let wanted = all.get(7).unwrap().clone();
        assert_eq!(
            ranked(&request(all.clone(), &wanted.key, Sort::Order))[0],
            7
        );
        assert!(ranked(&request(all, "no such thing anywhere", Sort::Order)).is_empty());
    }

    #[test]
    fn groups_without_a_value_sort_last_in_both_directions() {
        let mut all = rows(3);
        for (index, agreement) in [(0, None), (1, Some(0.9)), (2, Some(0.1))] {
            all.get_mut(index).unwrap().agreement = agreement;
        }
        let mut ask = request(all, "", Sort::Agreement);
        assert_eq!(ranked(&ask), [2, 1, 0]);
        ask.reversed = true;
        assert_eq!(ranked(&ask), [1, 2, 0]);
    }

    #[test]
    fn a_request_that_is_no_longer_wanted_answers_nothing() {
        let (tx, rx) = mpsc::channel();
        rank(
            &request(rows(10), "a", Sort::Order),
            || false,
            |r| tx.send(r).unwrap(),
        );
        assert!(rx.try_recv().is_err());
    }

    #[test]
    fn the_worker_answers_the_newest_request() {
        let (tx, rx) = mpsc::channel();
        let ranker = Ranker::start(move |ranking| tx.send(ranking).unwrap()).unwrap();
        let all = rows(5);
        for round in 1..=20 {
            let mut ask = request(all.clone(), "", Sort::Order);
            ask.round = round;
            ranker.request(ask);
        }
        let last = rx.iter().find(|r| r.round == 20 && r.complete).unwrap();
        assert_eq!(last.rows.len(), 5);
    }
}
