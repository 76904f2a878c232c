//! The questions that a case makes, and the answer that comes of what is heard: by pairs for votes, edit by edit for scores.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::answer::{Answer, Said, Score, Usage};
use super::super::case::Case;
use super::super::scorer::Ask;
use super::parse::{Heard, parse};
use super::pictures::Pictures;
use super::prompts::Form;
use super::raw::{Line, Raw, sum};
use super::reply::{self, Reply};
use super::settings::JudgeSettings;
use crate::domain::ImageRef;
use crate::domain::text::printable;
use crate::remote::{Attempt, Client, Failure, Request, Spoils, digest, draw};

/// So many questions in a row without a reply, and nothing more is asked: the endpoint is at fault, not the questions.
const IN_A_ROW: usize = 8;

/// How often an answer is asked for that cannot be understood.
const ROUNDS: usize = 2;

/// The scale of the numbers that judges are asked for.
const SCALE: f64 = 10.0;

/// What one call asks, as its threads share it.
pub(super) struct Sitting<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) settings: &'a JudgeSettings,
    pub(super) raw: &'a Raw,
    pub(super) root: &'a Path,
    pub(super) ask: Ask,
    /// Of what is asked, and how.
    pub(super) fingerprint: &'a str,
    /// Decides which edit of a pair is shown first.
    pub(super) seed: u64,
    /// Questions in a row that got no reply.
    pub(super) in_vain: AtomicUsize,
}

/// A part of a case's answer that stands or falls by itself.
struct Item<'a> {
    /// Positions of the edits in it: one, or two in rising order.
    edits: Vec<usize>,
    questions: Vec<Question<'a>>,
}

/// One question about a case.
struct Question<'a> {
    case: &'a Case,
    form: Form,
    /// Positions of the edits, in the order in which they are shown.
    shown: Vec<usize>,
    /// Equal for the same question.
    asked: String,
}

/// Why an item says nothing.
struct Silence {
    reason: String,
    unparsed: bool,
}

impl From<Silence> for Said {
    fn from(Silence { reason, unparsed }: Silence) -> Self {
        Self::Nothing { reason, unparsed }
    }
}

impl Sitting<'_> {
    /// The answer to a case; a failure where there is none to be had, for the bell was rung or nothing can be answered.
    pub(super) fn answer(&self, case: &Case) -> Result<Answer, Failure> {
        let items = self.items(case);
        let said = match self.said(case, &items) {
            Ok(said) => said,
            Err(Failure::Question(reason)) => Said::Nothing {
                reason,
                unparsed: false,
            },
            Err(failure) => return Err(failure),
        };
        let questions = items.iter().flat_map(|item| &item.questions);
        let usage = questions
            .map(|q| self.raw.before(&q.asked).usage)
            .fold(Usage::default(), sum);
        Ok(Answer {
            usage: (usage != Usage::default()).then_some(usage),
            ..Answer::new(case.id.clone(), said)
        })
    }

    fn items<'c>(&self, case: &'c Case) -> Vec<Item<'c>> {
        let count = case.edits.len();
        let item = |edits: Vec<usize>, questions: &[(Form, Vec<usize>)]| Item {
            questions: questions
                .iter()
                .map(|(form, shown)| self.question(case, *form, shown.clone()))
                .collect(),
            edits,
        };
        match self.ask {
            Ask::Scores => (0..count)
                .map(|i| item(vec![i], &[(Form::Sc, vec![i]), (Form::Pq, vec![i])]))
                .collect(),
            Ask::Votes => (0..count)
                .flat_map(|i| (i + 1..count).map(move |j| [i, j]))
                .map(|pair| {
                    let mut shown = pair.to_vec();
                    if self.turned(case, pair) {
                        shown.reverse();
                    }
                    item(pair.to_vec(), &[(Form::Pairwise, shown)])
                })
                .collect(),
        }
    }

    /// Whether the later edit of the pair is shown first: by lot, the same for the same seed, case and pair.
    fn turned(&self, case: &Case, pair: [usize; 2]) -> bool {
        let pair = pair.map(|i| i.to_string());
        draw([
            "shown",
            &self.seed.to_string(),
            &case.id,
            &pair[0],
            &pair[1],
        ]) & 1
            == 1
    }

    fn question<'c>(&self, case: &'c Case, form: Form, shown: Vec<usize>) -> Question<'c> {
        let image = |i: &usize| case.edits.get(*i).and_then(|edit| edit.image.as_ref());
        let path = |image: Option<&ImageRef>| image.map_or("", |i| i.0.as_str()).to_owned();
        let mut texts = vec![
            self.fingerprint.to_owned(),
            case.id.clone(),
            format!("{form:?} {shown:?}"),
            case.instruction.clone(),
            path(case.source.as_ref()),
        ];
        texts.extend(shown.iter().map(|i| path(image(i))));
        Question {
            case,
            form,
            asked: digest(texts.iter().map(String::as_str)),
            shown,
        }
    }

    fn said(&self, case: &Case, items: &[Item]) -> Result<Said, Failure> {
        if items.is_empty() {
            return Ok(Said::Nothing {
                reason: match self.ask {
                    Ask::Scores => "the case has no edit".into(),
                    Ask::Votes => "the case has no two edits to compare".into(),
                },
                unparsed: false,
            });
        }
        let read = OnceCell::new();
        let pictures = || {
            let most = self.settings.max_side.map(std::num::NonZeroU32::get);
            read.get_or_init(|| Pictures::read(self.root, case, most))
        };
        let known = |item: &Item| {
            let mut questions = item.questions.iter();
            questions.all(|q| self.raw.before(&q.asked).heard.is_some())
        };
        let missing = |item: &Item| {
            if known(item) {
                return None;
            }
            pictures().missing(&item.edits)
        };
        if self.ask == Ask::Votes
            && let Some(reason) = items.iter().find_map(missing)
        {
            // What is decided by all pairs together is not decided by some.
            return Ok(Said::Nothing {
                reason,
                unparsed: false,
            });
        }
        let mut heard = Vec::with_capacity(items.len());
        for item in items {
            heard.push(match missing(item) {
                Some(reason) => Err(Silence {
                    reason,
                    unparsed: false,
                }),
                None => self.hear_out(item, &pictures)?,
            });
        }
        Ok(match self.ask {
            Ask::Scores => scores(&heard),
            Ask::Votes => votes(items, &heard),
        }
        .unwrap_or_else(|| {
            let silent: Vec<Silence> = heard.into_iter().filter_map(Result::err).collect();
            let unparsed = silent.iter().any(|s| s.unparsed);
            let first = silent.into_iter().find(|s| s.unparsed == unparsed);
            let reason = first.map_or_else(String::new, |s| s.reason);
            Silence { reason, unparsed }.into()
        }))
    }

    /// All that is heard of an item, a question after the other, up to the first that cannot be understood.
    fn hear_out<'p>(
        &self,
        item: &Item,
        pictures: &dyn Fn() -> &'p Pictures,
    ) -> Result<Result<Vec<Heard>, Silence>, Failure> {
        let mut heard = Vec::with_capacity(item.questions.len());
        for question in &item.questions {
            match self.hear(question, pictures)? {
                Ok(one) => heard.push(one),
                Err(silence) => return Ok(Err(silence)),
            }
        }
        Ok(Ok(heard))
    }

    /// What is heard of a question: from before, or by asking, and once more where the answer is not understood.
    fn hear<'p>(
        &self,
        question: &Question,
        pictures: &dyn Fn() -> &'p Pictures,
    ) -> Result<Result<Heard, Silence>, Failure> {
        if let Some(heard) = self.raw.before(&question.asked).heard {
            return Ok(Ok(heard));
        }
        let pictures = pictures();
        let source = pictures.source.as_deref().ok();
        let edits: Vec<&str> = question
            .shown
            .iter()
            .filter_map(|i| pictures.edits.get(*i)?.as_deref().ok())
            .collect();
        let form = question.form;
        let instruction = &question.case.instruction;
        let body = form.body(self.settings, instruction, source, &edits);
        let body = serde_json::to_vec(&body).map_err(|e| Failure::Question(e.to_string()))?;
        let read = |answer: &[u8]| {
            let mut reply = reply::read(answer).map_err(|why| (Spoils::Try, why))?;
            reply.text = self.client.without_key(&reply.text);
            Ok(reply)
        };
        let mut reason = String::new();
        for round in 1..=ROUNDS {
            let name = format!("{} {round}", question.asked);
            let note = |attempt: Attempt<'_, Reply>| self.raw.note(line(question, &attempt));
            let request = Request {
                name: &name,
                content_type: "application/json",
                body: &body,
            };
            let reply = self
                .client
                .ask(request, &read, &note)
                .map_err(|failure| self.counted(failure))?;
            self.in_vain.store(0, Ordering::Relaxed);
            match parse(form, &reply.text) {
                Ok(heard) => return Ok(Ok(heard)),
                Err(why) => reason = why,
            }
            if reply.cut_off {
                reason = format!(
                    "{reason}; it was cut off at max_tokens = {}",
                    self.settings.max_tokens
                );
            }
        }
        Ok(Err(Silence {
            reason: format!("the answer cannot be understood: {}", printable(&reason)),
            unparsed: true,
        }))
    }

    /// The failure, or one of everything where it is one too many in a row.
    fn counted(&self, failure: Failure) -> Failure {
        let Failure::Question(why) = failure else {
            return failure;
        };
        let most = IN_A_ROW.max(2 * self.settings.concurrency.get());
        if self.in_vain.fetch_add(1, Ordering::Relaxed) + 1 < most {
            return Failure::Question(why);
        }
        Failure::All(format!(
            "{most} questions in a row got no answer, so nothing more is asked; the last: {why}"
        ))
    }
}

fn line(question: &Question, attempt: &Attempt<'_, Reply>) -> Line {
    let (status, text, failed, usage) = match attempt.outcome {
        Ok(reply) => (Some(200), &reply.text, None, reply.usage),
        Err(setback) => {
            let usage = Usage {
                requests: 1,
                ..Usage::default()
            };
            let failed = Some(setback.why.clone());
            (setback.status, &setback.text, failed, usage)
        }
    };
    Line {
        case: question.case.id.clone(),
        shown: question.shown.clone(),
        form: question.form,
        asked: question.asked.clone(),
        status,
        text: text.clone(),
        failed,
        usage,
        ms: attempt.ms,
    }
}

/// The votes that were heard, first edit first whichever was shown first; `None` if there is none.
fn votes(items: &[Item], heard: &[Result<Vec<Heard>, Silence>]) -> Option<Said> {
    let vote = |(item, heard): (&Item, &Result<Vec<Heard>, Silence>)| {
        let (Ok([Heard::Vote(vote)]), &[i, j]) = (heard.as_deref(), item.edits.as_slice()) else {
            return None;
        };
        let turned = item.questions.first()?.shown != item.edits;
        Some((i, j, if turned { vote.swapped() } else { *vote }))
    };
    let votes: Vec<_> = items.iter().zip(heard).filter_map(vote).collect();
    (!votes.is_empty()).then_some(Said::Votes(votes))
}

/// A score for each edit that both questions were answered of; `None` if there is none.
///
/// SC and PQ are each the least of their numbers, and the score is the root of their product, from 0 to 1 (VIEScore, section 3).
fn scores(heard: &[Result<Vec<Heard>, Silence>]) -> Option<Said> {
    let score = |heard: &Result<Vec<Heard>, Silence>| {
        let Ok([Heard::Numbers(sc), Heard::Numbers(pq)]) = heard.as_deref() else {
            return None;
        };
        let least = |numbers: &[f64]| numbers.iter().copied().reduce(f64::min);
        let (sc, pq) = (least(sc)?, least(pq)?);
        Some(Score {
            value: (sc / SCALE * pq / SCALE).sqrt(),
            sigma: None,
            axes: Some([sc, pq]),
        })
    };
    let scores: Vec<_> = heard.iter().map(score).collect();
    scores
        .iter()
        .any(Option::is_some)
        .then_some(Said::Scores(scores))
}
