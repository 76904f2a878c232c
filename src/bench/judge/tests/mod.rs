//! The judge as a whole, against a real server on this machine. The clock stands still, so no wait takes time.

mod faults;

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::{Answer, Ask, Case, Edit, Said, Scorer as _, Truth, Usage, Vote};
use super::{Judge, JudgeSettings};
use crate::domain::ImageRef;
use crate::remote::server::{Act, Request, Server};
use crate::remote::{FakeClock, Key, to_base64};

const SECRET: &str = "sk-test-0123456789abcdef";

/// What is asked of a judge.
trait Asked {
    fn json(&self) -> Value;

    /// The URLs of the pictures, in order.
    fn pictures(&self) -> Vec<String>;

    /// All words of the question.
    fn words(&self) -> String;
}

impl Asked for Request {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn pictures(&self) -> Vec<String> {
        let json = self.json();
        let parts = json["messages"][0]["content"].as_array().unwrap().iter();
        let urls = parts.filter_map(|part| part["image_url"]["url"].as_str());
        urls.map(str::to_owned).collect()
    }

    fn words(&self) -> String {
        let json = self.json();
        let parts = json["messages"][0]["content"].as_array().unwrap().iter();
        parts.filter_map(|part| part["text"].as_str()).collect()
    }
}

/// A judge's words, with 100 tokens in and 10 out.
fn say(text: &str) -> Act {
    Act::Send(200, "", said(text))
}

fn said(text: &str) -> String {
    json!({
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    })
    .to_string()
}

/// Cases c00, c01, … of so many edits each; the images are different for each edit: "GIF89a" and the edit's number.
fn cases(count: usize, edits: usize) -> (TempDir, Vec<Case>) {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, mark: &str| {
        std::fs::write(dir.path().join(name), format!("GIF89a{mark}")).unwrap();
        Some(ImageRef(name.to_owned()))
    };
    let source = file("source.gif", "s");
    let edits: Vec<Edit> = (0..edits)
        .map(|i| Edit {
            editor: None,
            image: file(&format!("{i}.gif"), &i.to_string()),
        })
        .collect();
    let case = |i| Case {
        id: format!("c{i:02}"),
        instruction: "make it red".into(),
        source: source.clone(),
        edits: edits.clone(),
        category: None,
        truth: Truth::Unknown,
        recorded: BTreeMap::new(),
        unseen: None,
        cluster: format!("c{i}"),
    };
    (dir, (0..count).map(case).collect())
}

/// The `data:` URL of edit `i`.
fn picture(i: usize) -> String {
    let bytes = to_base64(format!("GIF89a{i}").as_bytes());
    format!("data:image/gif;base64,{bytes}")
}

/// The verdict of someone who likes earlier edits better.
fn earlier_is_better(request: &Request) -> Act {
    let pictures = request.pictures();
    let place = |url: &str| (0..9).find(|i| picture(*i) == url).unwrap();
    say(if place(&pictures[1]) < place(&pictures[2]) {
        "The first keeps the sky.\n[[A>B]]"
    } else {
        "The second keeps the sky.\n[[B>A]]"
    })
}

/// A judge whose waits take no time, with one thread.
fn judge(server: &Server, raw: Option<&Path>) -> (Judge, Arc<FakeClock>) {
    let mut settings = JudgeSettings::new("far", &server.url(), "m");
    settings.concurrency = NonZeroUsize::MIN;
    let key = Key::new(SECRET).unwrap();
    with(settings, Some(key), raw)
}

fn with(settings: JudgeSettings, key: Option<Key>, raw: Option<&Path>) -> (Judge, Arc<FakeClock>) {
    let mut judge = Judge::new(settings, key, 7, raw.map(Path::to_owned)).unwrap();
    let clock = Arc::new(FakeClock::default());
    judge.clock = Arc::clone(&clock) as _;
    judge.patience = Duration::ZERO;
    (judge, clock)
}

/// All answers, in the order of the cases.
fn answers(
    judge: &mut Judge,
    cases: &[Case],
    ask: Ask,
    root: &Path,
) -> Result<Vec<Answer>, String> {
    let mut answers = Vec::new();
    let here = std::thread::current().id();
    judge.answer_all(
        &cases.iter().collect::<Vec<_>>(),
        ask,
        root,
        &mut |answer| {
            assert_eq!(std::thread::current().id(), here);
            answers.push(answer);
            ControlFlow::Continue(())
        },
    )?;
    answers.sort_by(|a, b| a.case.cmp(&b.case));
    Ok(answers)
}

/// The answer to the only case.
fn answer(judge: &mut Judge, dir: &TempDir, cases: &[Case], ask: Ask) -> Answer {
    let mut answers = answers(judge, cases, ask, dir.path()).unwrap();
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

fn nothing(said: &Said) -> (&str, bool) {
    match said {
        Said::Nothing { reason, unparsed } => (reason, *unparsed),
        other => panic!("{other:?}"),
    }
}

const FIRST: &[(usize, usize, Vote)] = &[(0, 1, Vote::First)];

#[test]
fn votes_are_of_the_edits_whichever_was_shown_first() {
    let (dir, cases) = cases(60, 2);
    let server = Server::start(|_, request| earlier_is_better(request));
    let (mut judge, _) = judge(&server, None);
    judge.settings.concurrency = NonZeroUsize::new(3).unwrap();
    let answers = answers(&mut judge, &cases, Ask::Votes, dir.path()).unwrap();
    assert_eq!(answers.len(), 60);
    for (answer, case) in answers.iter().zip(&cases) {
        assert_eq!(
            (&answer.case, &answer.said),
            (&case.id, &Said::Votes(FIRST.to_vec()))
        );
        let usage = Usage {
            requests: 1,
            tokens_in: 100,
            tokens_out: 10,
        };
        assert_eq!(answer.usage, Some(usage));
    }
    let requests = server.requests();
    let earlier = requests.iter().filter(|r| r.pictures()[1] == picture(0));
    let earlier = earlier.count();
    // Fewer or more than that come with less than one seed in ten thousand.
    assert!(
        (15..=45).contains(&earlier),
        "both orders are shown: {earlier} of 60"
    );
    for request in &requests {
        assert_eq!(request.path, "/v1/chat/completions");
        let bearer = format!("Bearer {SECRET}");
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
        assert_eq!(request.pictures().len(), 3);
        assert!(request.words().contains("\"make it red\""));
        assert_eq!(
            (&request.json()["model"], &request.json()["max_tokens"]),
            (&json!("m"), &json!(1024))
        );
    }
}

#[test]
fn larger_cases_are_voted_on_pair_by_pair() {
    let (dir, cases) = cases(1, 4);
    let server = Server::start(|_, request| earlier_is_better(request));
    let (mut judge, _) = judge(&server, None);
    let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    let votes = pairs.map(|(i, j)| (i, j, Vote::First));
    assert_eq!(answer.said, Said::Votes(votes.to_vec()));
    assert_eq!(answer.usage.unwrap().requests, 6);
}

#[test]
fn a_score_is_the_root_of_the_least_numbers() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|_, request| {
        // Quality is judged without the source.
        say(match request.pictures().as_slice() {
            [_, edit] if *edit == picture(0) => "{\"reasoning\": \"r\", \"score\": [8, 6]}",
            [_, _] => "score: [5]",
            [_] => "{\"reasoning\": \"r\", \"score\": [4, 9]}",
            _ => panic!("too many pictures"),
        })
    });
    let (mut judge, _) = judge(&server, None);
    let answer = answer(&mut judge, &dir, &cases, Ask::Scores);
    let Said::Scores(scores) = &answer.said else {
        panic!("{answer:?}");
    };
    let [Some(first), Some(second)] = scores.as_slice() else {
        panic!("{scores:?}");
    };
    assert!((first.value - 0.24_f64.sqrt()).abs() < 1e-12, "{first:?}");
    assert!((second.value - 0.20_f64.sqrt()).abs() < 1e-12, "{second:?}");
    assert_eq!(
        (first.axes, second.axes),
        (Some([6.0, 4.0]), Some([5.0, 4.0]))
    );
    assert_eq!((first.sigma, answer.usage.unwrap().tokens_in), (None, 400));
}

#[test]
fn an_answer_that_is_not_understood_is_asked_for_once_more() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|number, request| match number {
        1 => earlier_is_better(request),
        _ => say("Both have their charm."),
    });
    let (mut judge, _) = judge(&server, None);
    let first = answer(&mut judge, &dir, &cases, Ask::Votes);
    assert_eq!(
        (first.said, first.usage.unwrap().requests),
        (Said::Votes(FIRST.to_vec()), 2)
    );
    let scores = answer(&mut judge, &dir, &cases, Ask::Scores);
    let (reason, unparsed) = nothing(&scores.said);
    assert!(
        unparsed && reason.ends_with("it ends in 'Both have their charm.'"),
        "{reason}"
    );
    // The second question of an edit is not asked when the first came to nothing.
    assert_eq!(scores.usage.unwrap().requests, 4);
}

#[test]
fn what_was_answered_before_is_not_asked_again() {
    let (dir, cases) = cases(4, 3);
    let raw = dir.path().join("raw.jsonl");
    // Everything but the last request is answered: 4 cases of 3 pairs.
    let server = Server::start(|number, request| match number {
        11 => say("I cannot say."),
        12 => Act::Send(400, "", "{}".into()),
        _ => earlier_is_better(request),
    });
    let (mut first, _) = judge(&server, Some(&raw));
    let before = answers(&mut first, &cases, Ask::Votes, dir.path()).unwrap();
    assert!(matches!(
        before[3].said,
        Said::Nothing {
            unparsed: false,
            ..
        }
    ));
    assert_eq!(server.requests().len(), 13);
    drop(first);
    for _ in 0..2 {
        let (mut again, _) = judge(&server, Some(&raw));
        let after = answers(&mut again, &cases, Ask::Votes, dir.path()).unwrap();
        assert_eq!(after[..3], before[..3]);
        let votes = [(0, 1), (0, 2), (1, 2)].map(|(i, j)| (i, j, Vote::First));
        assert_eq!(after[3].said, Said::Votes(votes.to_vec()));
        // The tries in vain were paid for too.
        assert_eq!(after[3].usage.unwrap().requests, 5);
        assert_eq!(
            server.requests().len(),
            14,
            "only what was missing is asked"
        );
    }
    let lines = std::fs::read_to_string(&raw).unwrap();
    assert_eq!(lines.lines().count(), 14);
    // Another model is asked anew.
    let mut settings = JudgeSettings::new("far", &server.url(), "other");
    settings.concurrency = NonZeroUsize::MIN;
    let (mut other, _) = with(settings, None, Some(&raw));
    answers(&mut other, &cases, Ask::Votes, dir.path()).unwrap();
    assert_eq!(server.requests().len(), 14 + 12);
}

#[test]
fn whoever_has_heard_enough_is_not_kept_waiting() {
    let (dir, cases) = cases(40, 2);
    let server = Server::start(|number, request| match number {
        0 => earlier_is_better(request),
        _ => Act::KeepSilent,
    });
    let mut settings = JudgeSettings::new("far", &server.url(), "m");
    // Longer than a test may take: what is in flight has to be cut off.
    settings.timeout_s = 3_600.0;
    let (mut judge, _) = with(settings, None, None);
    let mut heard = 0;
    let cases: Vec<&Case> = cases.iter().collect();
    judge
        .answer_all(&cases, Ask::Votes, dir.path(), &mut |_| {
            heard += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(heard, 1);
    assert!(server.requests().len() <= 5, "four threads, and one answer");
}

#[test]
fn a_case_without_its_images_is_not_asked_about() {
    let (dir, mut cases) = cases(1, 2);
    let server = Server::start(|_, request| {
        say(match request.pictures().as_slice() {
            [_, _] => "score: [9, 9]",
            _ => "score: [4, 4]",
        })
    });
    let (mut judge, _) = judge(&server, None);
    std::fs::remove_file(dir.path().join("1.gif")).unwrap();
    let votes = answer(&mut judge, &dir, &cases, Ask::Votes);
    assert!(
        nothing(&votes.said).0.contains("'1.gif' is missing"),
        "{votes:?}"
    );
    assert_eq!((votes.usage, server.requests().len()), (None, 0));
    // The other edit has a score of its own all the same.
    let scores = answer(&mut judge, &dir, &cases, Ask::Scores);
    let Said::Scores(scores) = &scores.said else {
        panic!("{scores:?}");
    };
    assert!((scores[0].unwrap().value - 0.6).abs() < 1e-12 && scores[1].is_none());
    assert_eq!(server.requests().len(), 2);
    cases[0].id = "another".into();
    cases[0].source = None;
    for ask in [Ask::Votes, Ask::Scores] {
        let none = answer(&mut judge, &dir, &cases, ask);
        assert!(
            nothing(&none.said).0.contains("no image for the source"),
            "{none:?}"
        );
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn the_pace_of_the_settings_is_kept() {
    let (dir, cases) = cases(3, 2);
    let server = Server::start(|_, request| earlier_is_better(request));
    let mut settings = JudgeSettings::new("far", &server.url(), "m");
    settings.concurrency = NonZeroUsize::MIN;
    settings.requests_per_minute = NonZeroU32::new(20);
    let (mut judge, clock) = with(settings, None, None);
    answers(&mut judge, &cases, Ask::Votes, dir.path()).unwrap();
    assert_eq!(clock.waits(), [Duration::from_secs(3); 2]);
}

#[test]
fn equal_answers_have_equal_fingerprints() {
    let info = |model: &str, seed, retries| {
        let mut settings = JudgeSettings::new("n", "http://h/v1", model);
        settings.retries = retries;
        Judge::new(settings, None, seed, None).unwrap().info()
    };
    assert_eq!(
        (info("m", 1, 5).kind.as_str(), info("m", 1, 5)),
        ("judge", info("m", 1, 0))
    );
    assert_ne!(info("m", 1, 5).fingerprint, info("m", 2, 5).fingerprint);
    assert_ne!(info("m", 1, 5).fingerprint, info("other", 1, 5).fingerprint);
}
