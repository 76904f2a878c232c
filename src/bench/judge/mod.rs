//! A vision-language model as a judge: it answers cases over HTTP, at any endpoint that speaks OpenAI's chat completions.
//!
//! Votes are asked for pair by pair, in an order drawn by lot; scores by VIEScore's two questions for each edit. Requests go
//! out on threads of their own, and every word that comes back is written down before anything is made of it. No answer is
//! ever made up: what was not heard, or not understood, is [`Said::Nothing`](super::Said::Nothing) with the reason.

mod parse;
mod pictures;
mod prompts;
mod raw;
mod reply;
mod settings;
mod sitting;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::answer::{Answer, Usage};
use super::case::Case;
use super::scorer::{Ask, Scorer, ScorerInfo};
use crate::remote::{
    Client, Clock, Failure, Key, Pace, RealClock, RingAtEnd, Shared, Stop, digest,
};
use prompts::Form;
use raw::Raw;
use sitting::Sitting;

pub use settings::{JudgeSettings, TokensAs, cost, key};

/// How long requests in flight may still take once nothing more is wanted: they are paid for, and their answers are kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// A judge behind an endpoint.
pub struct Judge {
    settings: JudgeSettings,
    key: Option<Key>,
    seed: u64,
    /// Of what is asked, and how.
    fingerprint: String,
    raw: Raw,
    pace: Pace,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge")
            .field("settings", &self.settings)
            .field("key", &self.key)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

impl Judge {
    /// A judge that shows pairs in an order drawn by `seed`, and writes each answer to the file `raw`, word for word, as a
    /// line of JSON. Answers that the file holds already are not asked for again. An error where it cannot be read or
    /// written, or holds something else.
    pub fn new(
        settings: JudgeSettings,
        key: Option<Key>,
        seed: u64,
        raw: Option<PathBuf>,
    ) -> Result<Self, String> {
        let words = Form::ALL.map(Form::words).join("\n");
        Ok(Self {
            fingerprint: settings::fingerprint(&settings, &words),
            pace: Pace::new(settings.requests_per_minute.map(std::num::NonZeroU32::get)),
            raw: raw.map_or_else(|| Ok(Raw::default()), Raw::open)?,
            settings,
            key,
            seed,
            clock: Arc::new(RealClock::new()),
            patience: PATIENCE,
        })
    }
}

impl Scorer for Judge {
    fn info(&self) -> ScorerInfo {
        ScorerInfo {
            name: self.settings.name.clone(),
            kind: "judge".into(),
            fingerprint: digest([&*self.fingerprint, &self.seed.to_string()]),
        }
    }

    fn cost(&self, usage: Usage) -> Option<f64> {
        cost(&self.settings, &usage)
    }

    /// Cases are answered by [`JudgeSettings::concurrency`] threads. Where `on_answer` stops the rest, or an error does,
    /// nothing more is asked; requests in flight have a few seconds to come to their end.
    fn answer_all(
        &mut self,
        cases: &[&Case],
        ask: Ask,
        root: &Path,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let stop = Stop::default();
        let shared = Shared {
            clock: &*self.clock,
            stop: &stop,
            pace: &self.pace,
        };
        let endpoint = settings::endpoint(&self.settings);
        let client = Client::new(endpoint, self.key.as_ref(), shared, self.seed)?;
        let sitting = Sitting {
            client: &client,
            settings: &self.settings,
            raw: &self.raw,
            root,
            ask,
            fingerprint: &self.fingerprint,
            seed: self.seed,
            in_vain: AtomicUsize::new(0),
        };
        let next = AtomicUsize::new(0);
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            // Also when `on_answer` panics: the scope waits for its threads.
            let _last = RingAtEnd(&stop);
            for number in 0..self.settings.concurrency.get().min(cases.len()) {
                let (sender, sitting, next, stop) = (sender.clone(), &sitting, &next, &stop);
                std::thread::Builder::new()
                    .name(format!("judge-{number}"))
                    .spawn_scoped(scope, move || work(sitting, cases, next, stop, &sender))
                    .map_err(|why| format!("cannot start a thread: {why}"))?;
            }
            drop(sender);
            self.listen(&receiver, &stop, &client, on_answer)
        })
    }
}

impl Judge {
    /// Hands answers on as they come, until all threads are done.
    fn listen(
        &self,
        receiver: &Receiver<Result<Answer, String>>,
        stop: &Stop,
        client: &Client,
        on_answer: &mut dyn FnMut(Answer) -> ControlFlow<()>,
    ) -> Result<(), String> {
        let (mut wanted, mut outcome) = (true, Ok(()));
        let mut hang_up_at: Option<Instant> = None;
        loop {
            let message = match hang_up_at {
                Some(time) => receiver.recv_timeout(time.saturating_duration_since(Instant::now())),
                None => receiver.recv().map_err(RecvTimeoutError::from),
            };
            let end = match message {
                Ok(Ok(answer)) => {
                    wanted = wanted && on_answer(answer).is_continue();
                    !wanted
                }
                Ok(Err(why)) => {
                    if wanted && outcome.is_ok() {
                        outcome = Err(why);
                    }
                    true
                }
                Err(RecvTimeoutError::Timeout) => {
                    client.hang_up();
                    hang_up_at = None;
                    false
                }
                Err(RecvTimeoutError::Disconnected) => return outcome,
            };
            if end && !stop.is_rung() {
                stop.ring();
                hang_up_at = Some(Instant::now() + self.patience);
            }
        }
    }
}

/// Answers one case after the other, until there are no more or the bell is rung.
fn work(
    sitting: &Sitting,
    cases: &[&Case],
    next: &AtomicUsize,
    stop: &Stop,
    sender: &Sender<Result<Answer, String>>,
) {
    while !stop.is_rung()
        && let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed))
    {
        let message = match sitting.answer(case) {
            Ok(answer) => Ok(answer),
            Err(Failure::All(why) | Failure::Question(why)) => Err(why),
            Err(Failure::Stopped) => return,
        };
        let failed = message.is_err();
        if sender.send(message).is_err() || failed {
            return;
        }
    }
}
