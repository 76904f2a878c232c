//! What goes wrong on the way: a busy, broken, silent or unwilling server, and the key that must show nowhere.

use std::time::Duration;

use serde_json::json;

use super::super::super::{Ask, Said, Scorer as _, Vote};
use super::super::JudgeSettings;
use super::{
    FIRST, SECRET, answer, answers, cases, earlier_is_better, judge, nothing, said, say, with,
};
use crate::remote::server::{Act, Server};

#[test]
fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|number, request| match number {
        0 => Act::Send(429, "Retry-After: 3\r\n", "{}".into()),
        _ => earlier_is_better(request),
    });
    let (mut judge, clock) = judge(&server, None);
    let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
    assert_eq!(answer.said, Said::Votes(FIRST.to_vec()));
    assert_eq!(answer.usage.unwrap().requests, 2);
    assert_eq!(clock.waits(), [Duration::from_secs(3)]);
}

#[test]
fn a_server_that_asks_for_hours_ends_the_call() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|_, _| Act::Send(429, "Retry-After: 7200\r\n", "{}".into()));
    let (mut judge, clock) = judge(&server, None);
    let error = answers(&mut judge, &cases, Ask::Votes, dir.path()).unwrap_err();
    assert!(error.contains("come back in 120 minutes"), "{error}");
    assert_eq!((server.requests().len(), clock.waits()), (1, vec![]));
}

#[test]
fn what_may_pass_is_tried_again_with_growing_waits() {
    for (name, fault) in [
        ("500", (|| Act::Send(500, "", "oops".into())) as fn() -> Act),
        ("half an answer", || Act::BreakOff(said("[[A>B]]"))),
        ("no JSON", || Act::Send(200, "", "<html>".into())),
        ("half of the JSON", || {
            Act::Send(200, "", "{\"choices\": [".into())
        }),
        ("an error as an answer", || {
            Act::Send(200, "", "{\"error\": {\"message\": \"x\"}}".into())
        }),
    ] {
        let (dir, cases) = cases(1, 2);
        let server = Server::start(move |number, request| match number {
            0..3 => fault(),
            _ => earlier_is_better(request),
        });
        let (mut judge, clock) = judge(&server, None);
        let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
        assert_eq!(answer.said, Said::Votes(FIRST.to_vec()), "{name}");
        assert_eq!(answer.usage.unwrap().requests, 4, "{name}");
        let waits = clock.waits();
        assert_eq!(waits.len(), 3, "{name}");
        for (wait, limit) in waits.iter().zip([500, 1_000, 2_000]) {
            assert!(*wait <= Duration::from_millis(limit), "{name}: {waits:?}");
        }
    }
}

#[test]
fn a_server_that_fails_for_ever_is_a_reason_and_no_answer() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|_, _| Act::Send(500, "", "{\"error\": \"no GPU\"}".into()));
    let (mut judge, _) = judge(&server, None);
    judge.settings.retries = 2;
    let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
    let (reason, unparsed) = nothing(&answer.said);
    let url = server.url();
    assert_eq!(
        reason,
        format!("judge 'far': {url}/chat/completions: status 500 (it says: no GPU); tried 3 times")
    );
    assert!(!unparsed);
    assert_eq!(answer.usage.unwrap().requests, 3);
}

#[test]
fn a_silent_server_is_waited_for_no_longer_than_the_settings_say() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|_, _| Act::KeepSilent);
    let (mut judge, _) = judge(&server, None);
    (judge.settings.timeout_s, judge.settings.retries) = (0.05, 1);
    let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
    let (reason, _) = nothing(&answer.said);
    assert!(
        reason.contains("no answer within 0.05 s (timeout_s); tried 2 times"),
        "{reason}"
    );
}

#[test]
fn what_is_refused_for_good_is_not_asked_again() {
    for (act, requests, reason) in [
        (
            (|| Act::Send(400, "", "{\"message\": \"bad image\"}".into())) as fn() -> Act,
            1,
            "bad image",
        ),
        (
            || Act::Send(200, "", "x".repeat(5 << 20)),
            1,
            "longer than 4 MiB",
        ),
    ] {
        let (dir, cases) = cases(1, 2);
        let server = Server::start(move |_, _| act());
        let (mut judge, _) = judge(&server, None);
        let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
        assert!(nothing(&answer.said).0.contains(reason), "{answer:?}");
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn a_status_is_told_with_the_setting_of_a_judge_that_it_may_come_from() {
    for (status, part) in [
        (400, "tokens_as"),
        (404, "/chat/completions begins"),
        (405, "no chat endpoint"),
        (413, "set max_side for this judge"),
    ] {
        let (dir, cases) = cases(1, 2);
        let server = Server::start(move |_, _| Act::Send(status, "", String::new()));
        let (mut judge, _) = judge(&server, None);
        // One that spoils all is an error, one that spoils the question its reason.
        let told = match answers(&mut judge, &cases, Ask::Votes, dir.path()) {
            Ok(answers) => nothing(&answers[0].said).0.to_owned(),
            Err(error) => error,
        };
        assert!(told.contains(part), "{status}: {told}");
    }
}

#[test]
fn a_wrong_key_ends_the_call_and_shows_nowhere() {
    let (dir, cases) = cases(5, 2);
    let echo =
        json!({"error": {"message": format!("Incorrect API key: {SECRET}, or sk-t***cdef")}});
    let server = Server::start(move |_, _| Act::Send(401, "", echo.to_string()));
    let raw = dir.path().join("raw.jsonl");
    let (mut judge, _) = judge(&server, Some(&raw));
    let error = answers(&mut judge, &cases, Ask::Votes, dir.path()).unwrap_err();
    assert!(
        error.contains("/chat/completions: status 401: it wants a key"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 1);
    let kept = std::fs::read_to_string(&raw).unwrap();
    assert!(kept.contains("\"status\":401"), "{kept}");
    for text in [
        error,
        kept,
        format!("{judge:?}"),
        format!("{:?}", judge.info()),
    ] {
        for part in [SECRET, "0123", "cdef"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}

#[test]
fn a_key_that_the_server_echoes_as_an_answer_is_not_written_down() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|_, request| {
        say(&format!(
            "{} [[A=B=Bad]]",
            request.header("authorization").unwrap()
        ))
    });
    let raw = dir.path().join("raw.jsonl");
    let (mut judge, _) = judge(&server, Some(&raw));
    let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
    assert_eq!(answer.said, Said::Votes(vec![(0, 1, Vote::BothBad)]));
    assert!(!std::fs::read_to_string(&raw).unwrap().contains(SECRET));
}

#[test]
fn without_a_key_none_is_sent_and_nothing_is_sent_elsewhere() {
    let (dir, cases) = cases(1, 2);
    let server = Server::start(|number, _| match number {
        0 => say("[[A=B]]"),
        _ => Act::Send(307, "Location: /elsewhere\r\n", String::new()),
    });
    let settings = JudgeSettings::new("near", &server.url(), "m");
    let (mut judge, _) = with(settings.clone(), None, None);
    let answer = answer(&mut judge, &dir, &cases, Ask::Votes);
    assert_eq!(answer.said, Said::Votes(vec![(0, 1, Vote::Tie)]));
    let (mut judge, _) = with(settings, None, None);
    let error = answers(&mut judge, &cases, Ask::Votes, dir.path()).unwrap_err();
    assert!(error.contains("status 307: it sends elsewhere"), "{error}");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|r| r.header("authorization").is_none()));
}

#[test]
fn an_endpoint_that_answers_nobody_ends_the_call() {
    let (dir, cases) = cases(40, 2);
    let server = Server::start(|_, _| Act::Send(503, "", String::new()));
    let (mut judge, _) = judge(&server, None);
    judge.settings.retries = 0;
    let error = answers(&mut judge, &cases, Ask::Votes, dir.path()).unwrap_err();
    assert!(
        error.starts_with("8 questions in a row got no answer"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 8);
}
