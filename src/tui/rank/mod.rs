//! Filtering and sorting the group list off the loop: one thread, newest request wins, partial results while it works. The
//! list on screen stays until the first of them arrives. What was typed is words to look for, or a query on the candidates,
//! which the store answers.

mod rows;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering as Memory};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

pub(crate) use rows::{PIECE, Rows};

use crate::data::Match;
use crate::domain::query::Query;
use crate::domain::{CandidateId, GroupId, GroupSummary};

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
    /// The model whose scores a query means.
    pub(crate) fingerprint: Option<String>,
    /// The order.
    pub(crate) sort: Sort,
    /// The other way round.
    pub(crate) reversed: bool,
}

/// A result: row numbers in the order of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ranking {
    /// The request's.
    pub(crate) round: u64,
    /// Row numbers.
    pub(crate) rows: Arc<[u32]>,
    /// False while the worker goes on.
    pub(crate) complete: bool,
    /// Of each group that a query found, the candidate that it found first.
    pub(crate) candidates: Arc<HashMap<GroupId, CandidateId>>,
    /// What is wrong with the query; there are no rows then.
    pub(crate) problem: Option<String>,
}

/// The candidates that a query holds of; `None` if it was not wanted any more.
pub(crate) type Sought = Result<Option<Vec<Match>>, String>;

/// Answers queries under a model's scores, until the last argument says that the answer is not wanted any more.
pub(crate) type Seek = dyn Fn(&Query, Option<&str>, &dyn Fn() -> bool) -> Sought + Send;

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
    /// Starts the thread; `seek` and `answer` are called on it.
    pub(crate) fn start(
        seek: Box<Seek>,
        answer: impl Fn(Ranking) + Send + 'static,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("erw-rank".into())
            .spawn(move || {
                while let Some(request) = worker.take() {
                    let round = request.round;
                    let current = || worker.newest.load(Memory::Acquire) == round;
                    rank(&request, &seek, current, &answer);
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
pub(crate) fn rank(
    request: &RankRequest,
    seek: &(impl Fn(&Query, Option<&str>, &dyn Fn() -> bool) -> Sought + ?Sized),
    current: impl Fn() -> bool,
    answer: impl Fn(Ranking),
) {
    if Query::is_meant(&request.query) {
        by_query(request, seek, current, answer);
    } else {
        by_words(request, current, answer);
    }
}

fn left_out(request: &RankRequest, row: &GroupSummary) -> bool {
    let only = request.only.as_ref();
    only.is_some_and(|only| !only.contains(&row.id))
}

/// The groups in which a query holds of a candidate, in its order where it has one.
fn by_query(
    request: &RankRequest,
    seek: &(impl Fn(&Query, Option<&str>, &dyn Fn() -> bool) -> Sought + ?Sized),
    current: impl Fn() -> bool,
    answer: impl Fn(Ranking),
) {
    let round = request.round;
    let query = Query::parse(&request.query).map_err(|e| e.to_string());
    let ordered = query.as_ref().is_ok_and(|query| query.order().is_some());
    let sought = query.and_then(|q| seek(&q, request.fingerprint.as_deref(), &|| !current()));
    let matches = match sought {
        Ok(Some(matches)) => matches,
        Ok(None) => return,
        Err(problem) => {
            return answer(Ranking {
                round,
                complete: true,
                problem: Some(problem),
                ..Ranking::default()
            });
        }
    };
    let mut candidates = HashMap::new();
    let mut places = HashMap::new();
    for found in &matches {
        candidates.entry(found.group).or_insert(found.candidate);
        let next = u32::try_from(places.len()).unwrap_or(u32::MAX);
        places.entry(found.group).or_insert(next);
    }
    // As among words: the best match has the highest number.
    let mut hits: Vec<(u32, u32)> = request
        .rows
        .iter()
        .filter(|(_, row)| !left_out(request, row))
        .filter_map(|(index, row)| {
            let place = if ordered { *places.get(&row.id)? } else { 0 };
            places.contains_key(&row.id).then_some(())?;
            Some((u32::try_from(index).unwrap_or(u32::MAX), u32::MAX - place))
        })
        .collect();
    sort(&mut hits, request);
    answer(Ranking {
        round,
        rows: hits.iter().map(|(index, _)| *index).collect(),
        complete: true,
        candidates: Arc::new(candidates),
        problem: None,
    });
}

/// The groups that have the words typed.
fn by_words(request: &RankRequest, current: impl Fn() -> bool, answer: impl Fn(Ranking)) {
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
            ..Ranking::default()
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
        if left_out(request, row) {
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
