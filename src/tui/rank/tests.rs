//! What the list shows after typing and sorting.

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

#[allow(
    clippy::unnecessary_wraps,
    reason = "it stands for a search that can fail"
)]
fn nothing(_: &Query, _: Option<&str>, _: &dyn Fn() -> bool) -> Sought {
    Ok(None)
}

fn ranked(request: &RankRequest) -> Vec<u32> {
    let (tx, rx) = mpsc::channel();
    rank(request, &nothing, || true, |r| tx.send(r).unwrap());
    rx.try_iter()
        .find(|r| r.complete)
        .map(|r| r.rows.to_vec())
        .unwrap()
}

fn request(rows: Rows, query: &str, sort: Sort) -> RankRequest {
    RankRequest {
        only: None,
        fingerprint: None,
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
fn a_query_finds_the_groups_of_its_candidates_in_its_order_and_tells_which() {
    let all = rows(4);
    let id = |index: usize| all.get(index).unwrap().id;
    let found = |index: usize, candidate| Match {
        group: id(index),
        candidate: CandidateId(candidate),
        value: None,
    };
    let matches = vec![found(3, 31), found(1, 11), found(3, 32)];
    let seek = move |_: &Query, model: Option<&str>, _: &dyn Fn() -> bool| {
        assert_eq!(model, Some("m"));
        Ok(Some(matches.clone()))
    };
    let ask = |query| RankRequest {
        fingerprint: Some("m".into()),
        ..request(all.clone(), query, Sort::Order)
    };
    let (tx, rx) = mpsc::channel();
    let answers = |query| {
        rank(&ask(query), &seek, || true, |r| tx.send(r).unwrap());
        rx.recv().unwrap()
    };
    let ranking = answers("sat_delta > 0");
    assert_eq!(ranking.rows.to_vec(), [1, 3]);
    assert_eq!(ranking.candidates[&id(3)], CandidateId(31));
    assert_eq!(answers("sort by sat_delta").rows.to_vec(), [3, 1]);
    let wrong = answers("sat_delta >");
    assert!(wrong.problem.unwrap().contains("expected a number"));
}

#[test]
fn a_request_that_is_no_longer_wanted_answers_nothing() {
    let (tx, rx) = mpsc::channel();
    rank(
        &request(rows(10), "a", Sort::Order),
        &nothing,
        || false,
        |r| tx.send(r).unwrap(),
    );
    assert!(rx.try_recv().is_err());
}

#[test]
fn the_worker_answers_the_newest_request() {
    let (tx, rx) = mpsc::channel();
    let ranker =
        Ranker::start(Box::new(nothing), move |ranking| tx.send(ranking).unwrap()).unwrap();
    let all = rows(5);
    for round in 1..=20 {
        let mut ask = request(all.clone(), "", Sort::Order);
        ask.round = round;
        ranker.request(ask);
    }
    let last = rx.iter().find(|r| r.round == 20 && r.complete).unwrap();
    assert_eq!(last.rows.len(), 5);
}
