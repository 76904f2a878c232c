//! Scoring with a judge of paper: who goes first, what is kept, what a broken image does. No weights, no sleeping.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::{Ask, Batch, LiveEvent, LiveScorer, RateJob, score_groups};
use crate::data::Workspace;
use crate::domain::{Aggregate, Gaussian, Group, GroupId, Reward};
use crate::model::{Judge, LoadProgress, ModelInfo, OnScored, Picture};

/// Scores an image by the number in its file, and waits before each for a permit, so that a test decides when time passes.
pub(super) struct Paper {
    pub(super) info: ModelInfo,
    permits: Option<Receiver<()>>,
}

impl Paper {
    pub(super) fn new(permits: Option<Receiver<()>>) -> Self {
        Self {
            info: ModelInfo {
                name: "paper".into(),
                fingerprint: "paper-1".into(),
                backbone: "none".into(),
                aggregate: Aggregate::Mean,
                device: "desk".into(),
                precision: "f32",
                parameters: 0,
                trained: false,
            },
            permits,
        }
    }
}

impl Judge for Paper {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn score_group(
        &mut self,
        source: &Picture,
        instruction: &str,
        candidates: &[Picture],
        on_scored: &mut OnScored<'_, String>,
    ) -> Result<(), String> {
        if source.bytes.is_empty() {
            return Err("the source is blank".into());
        }
        assert!(!instruction.is_empty());
        for (index, candidate) in candidates.iter().enumerate() {
            if let Some(permits) = &self.permits {
                let _ = permits.recv();
            }
            let number = std::str::from_utf8(&candidate.bytes).map(str::parse::<f64>);
            let reward = match number {
                Ok(Ok(mean)) => Ok(Reward::overall(Gaussian::new(mean, 0.0))),
                _ => Err("not a number".to_owned()),
            };
            if on_scored(vec![(index, reward)]).is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// A workspace of `groups` groups with three candidates each, whose images hold 1, 2 and 3 plus ten times the group.
pub(super) fn workspace(dir: &Path, groups: i64) -> Workspace {
    let mut lines = String::new();
    for g in 1..=groups {
        std::fs::write(dir.join(format!("s{g}")), format!("source {g}")).unwrap();
        let mut candidates = Vec::new();
        for c in 1..=3 {
            std::fs::write(dir.join(format!("c{g}{c}")), (10 * g + c).to_string()).unwrap();
            candidates.push(format!(r#"{{"id":"{c}","image":"c{g}{c}"}}"#));
        }
        let candidates = candidates.join(",");
        let _ = writeln!(
            lines,
            r#"{{"id":"g{g}","source":"s{g}","instruction":"do {g}","candidates":[{candidates}]}}"#
        );
    }
    let file = dir.join("groups.jsonl");
    std::fs::write(&file, lines).unwrap();
    let workspace = Workspace::create(dir).unwrap();
    workspace.import_jsonl(&file).unwrap();
    workspace
}

pub(super) fn ids(workspace: &Workspace) -> Vec<GroupId> {
    let rows = workspace.summaries(None, 100, None).unwrap();
    rows.iter().map(|row| row.id).collect()
}

fn groups(workspace: &Workspace) -> Vec<Result<Group, String>> {
    let one = |id| workspace.group(id).unwrap().unwrap();
    ids(workspace).into_iter().map(|id| Ok(one(id))).collect()
}

pub(super) fn score_all(workspace: &Workspace) -> (Vec<super::GroupScores>, usize) {
    let mut steps = 0;
    let batch = Batch {
        root: workspace.root(),
        store: Some(workspace),
    };
    let scores = score_groups(
        &mut Paper::new(None),
        groups(workspace),
        batch,
        &mut |step| {
            steps += step.candidates;
            ControlFlow::Continue(())
        },
    );
    (scores.unwrap(), steps)
}

#[test]
fn what_is_scored_once_is_found_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    let (first, steps) = score_all(&workspace);
    assert_eq!(steps, 6);
    let (second, _) = score_all(&workspace);
    for (a, b) in first.iter().zip(&second) {
        for (a, b) in a.candidates.iter().zip(&b.candidates) {
            let (a, b) = (a.clone().unwrap(), b.clone().unwrap());
            assert_eq!((a.reward, a.stored, b.stored), (b.reward, false, true));
        }
    }
    assert_eq!(
        workspace.score_scale("paper-1").unwrap(),
        [11.0, 12.0, 13.0, 21.0, 22.0, 23.0]
    );
}

#[test]
fn a_changed_image_is_scored_again() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 1);
    score_all(&workspace);
    std::fs::write(dir.path().join("c12"), "-7.25").unwrap();
    let (scores, _) = score_all(&workspace);
    let again = scores[0].candidates[1].clone().unwrap();
    assert_eq!((again.reward.aggregate.mean, again.stored), (-7.25, false));
    assert!(scores[0].candidates[0].clone().unwrap().stored);
}

#[test]
fn a_broken_candidate_does_not_stop_its_group_and_a_missing_source_spoils_it() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    std::fs::remove_file(dir.path().join("c11")).unwrap();
    std::fs::write(dir.path().join("c12"), "\u{1b}[2J").unwrap();
    std::fs::remove_file(dir.path().join("s2")).unwrap();
    let (scores, steps) = score_all(&workspace);
    assert_eq!(steps, 6);
    assert_eq!((scores[0].left_out(), scores[1].left_out()), (2, 3));
    let missing = scores[0].candidates[0].clone().unwrap_err();
    assert!(missing.contains("'c11'"), "{missing}");
    assert_eq!(scores[0].candidates[1], Err("not a number".into()));
    assert!(scores[0].candidates[2].is_ok() && scores[0].problem.is_none());
    assert!(scores[1].problem.as_ref().unwrap().contains("'s2'"));
}

#[test]
fn a_batch_that_is_stopped_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 3);
    let mut left = 4;
    let batch = Batch {
        root: workspace.root(),
        store: Some(&workspace),
    };
    let scores = score_groups(
        &mut Paper::new(None),
        groups(&workspace),
        batch,
        &mut |_| {
            left -= 1;
            if left == 0 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    )
    .unwrap();
    assert_eq!(scores.len(), 2);
    assert_eq!((scores[0].left_out(), scores[1].left_out()), (0, 2));
    assert_eq!(workspace.score_scale("paper-1").unwrap().len(), 4);
}

/// A live scorer with its events on a channel, and the permits that let it score.
struct Live {
    scorer: Option<LiveScorer>,
    events: Receiver<LiveEvent>,
    permits: Sender<()>,
}

impl Live {
    fn start(workspace: &Workspace) -> Self {
        let (tell, events) = channel();
        let (permits, waiting) = channel();
        let scorer = LiveScorer::start_with(
            move |progress| {
                progress(LoadProgress { done: 1, total: 2 });
                Ok(Paper::new(Some(waiting)))
            },
            workspace.clone(),
            move |event| {
                let _ = tell.send(event);
            },
        );
        Self {
            scorer: Some(scorer),
            events,
            permits,
        }
    }

    fn scorer(&self) -> &LiveScorer {
        self.scorer.as_ref().unwrap()
    }

    /// The events up to and including the first that `last` picks, in short; rates are left out.
    fn until(&self, last: impl Fn(&LiveEvent) -> bool) -> Vec<String> {
        let mut seen = Vec::new();
        while let Ok(event) = self.events.recv() {
            if !matches!(event, LiveEvent::Rate { .. }) {
                seen.push(short(&event));
            }
            if last(&event) {
                break;
            }
        }
        seen
    }

    fn until_finished(&self, group: GroupId) -> Vec<String> {
        self.until(|e| matches!(e, LiveEvent::Finished(g) if *g == group))
    }

    fn until_started(&self, group: GroupId) -> Vec<String> {
        self.until(|e| matches!(e, LiveEvent::Started(g) if *g == group))
    }

    fn permit(&self, candidates: usize) {
        for _ in 0..candidates {
            self.permits.send(()).unwrap();
        }
    }
}

fn short(event: &LiveEvent) -> String {
    match event {
        LiveEvent::Loading(p) => format!("loading {}/{}", p.done, p.total),
        LiveEvent::Ready(info) => format!("ready {}", info.name),
        LiveEvent::LoadFailed(message) => format!("failed: {message}"),
        LiveEvent::Started(g) => format!("start {}", g.0),
        LiveEvent::Scored { reward, stored, .. } => {
            let how = if *stored { "found" } else { "scored" };
            format!("{how} {}", reward.aggregate.mean)
        }
        LiveEvent::Failed { group, message, .. } => format!("no {}: {message}", group.0),
        LiveEvent::Finished(g) => format!("end {}", g.0),
        LiveEvent::Rated { job, index, result } => match result {
            Ok(reward) => format!("rated {job}.{index} {}", reward.aggregate.mean),
            Err(why) => format!("not rated {job}.{index}: {why}"),
        },
        LiveEvent::RateDone { job } => format!("rated all of {job}"),
        LiveEvent::Rate { queued, .. } => format!("rate {queued}"),
    }
}

#[test]
fn the_group_on_screen_interrupts_the_rest_which_is_taken_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    let ids = ids(&workspace);
    let live = Live::start(&workspace);
    live.scorer().prefetch(vec![ids[0]]);
    assert_eq!(
        live.until_started(ids[0]),
        ["loading 1/2", "ready paper", "start 1"]
    );
    live.scorer().show(ids[1]);
    live.permit(1);
    assert_eq!(live.until_finished(ids[0]), ["scored 11", "end 1"]);
    live.permit(5);
    assert_eq!(
        live.until_finished(ids[1]),
        ["start 2", "scored 21", "scored 22", "scored 23", "end 2"]
    );
    assert_eq!(
        live.until_finished(ids[0]),
        ["start 1", "found 11", "scored 12", "scored 13", "end 1"]
    );
}

#[test]
fn a_group_that_is_left_is_not_finished_and_nothing_of_it_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    let ids = ids(&workspace);
    let live = Live::start(&workspace);
    live.scorer().show(ids[0]);
    live.until_started(ids[0]);
    live.scorer().show(ids[1]);
    live.permit(4);
    live.until_finished(ids[1]);
    assert_eq!(
        workspace.score_scale("paper-1").unwrap(),
        [11.0, 21.0, 22.0, 23.0]
    );
    live.scorer().show(ids[0]);
    live.permit(2);
    assert_eq!(
        live.until_finished(ids[0]),
        ["start 1", "found 11", "scored 12", "scored 13", "end 1"]
    );
}

#[test]
fn a_group_that_comes_on_screen_while_in_hand_is_told_again() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 1);
    let id = ids(&workspace)[0];
    let live = Live::start(&workspace);
    live.scorer().prefetch(vec![id]);
    live.until_started(id);
    live.permit(1);
    live.until(|e| matches!(e, LiveEvent::Scored { .. }));
    live.scorer().show(id);
    live.permit(2);
    let told = live.until_finished(id);
    let again = told.iter().position(|e| e == "start 1").unwrap();
    assert_eq!(told[again + 1], "scored 11");
    assert_eq!(told.iter().filter(|e| *e == "scored 13").count(), 1);
}

#[test]
fn dropping_the_scorer_ends_its_thread_after_the_candidate_in_hand() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    let ids = ids(&workspace);
    let mut live = Live::start(&workspace);
    live.scorer().prefetch(ids.clone());
    live.until_started(ids[0]);
    live.scorer = None;
    live.permit(1);
    // The channel closes when the thread has ended.
    assert_eq!(live.until(|_| false), ["scored 11", "end 1"]);
}

#[test]
fn a_model_that_cannot_be_loaded_is_told_and_that_is_all() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 1);
    let (tell, events) = channel();
    let scorer = LiveScorer::start_with(
        |_| Err::<Paper, _>("no weights in 'x'".into()),
        workspace,
        move |event| {
            let _ = tell.send(event);
        },
    );
    let told: Vec<String> = events.iter().map(|e| short(&e)).collect();
    assert_eq!(told, ["failed: no weights in 'x'"]);
    drop(scorer);
}

#[test]
fn a_broken_source_is_told_once_and_the_next_group_comes() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    std::fs::write(dir.path().join("s1"), "").unwrap();
    let ids = ids(&workspace);
    let live = Live::start(&workspace);
    live.permit(3);
    live.scorer().prefetch(ids.clone());
    live.until_started(ids[0]);
    assert_eq!(
        live.until_finished(ids[1]),
        [
            "no 1: the source is blank",
            "end 1",
            "start 2",
            "scored 21",
            "scored 22",
            "scored 23",
            "end 2"
        ]
    );
}

/// A picture of paper.
fn paper(text: &str) -> Picture {
    Picture {
        bytes: text.as_bytes().to_vec().into(),
        hash: text.into(),
    }
}

fn ask(index: usize, text: &str) -> Ask {
    Ask {
        index,
        picture: paper(text),
        instruction: "do it otherwise".into(),
    }
}

#[test]
fn pictures_are_rated_after_what_is_on_screen_and_before_what_comes_next_and_nothing_is_kept_of_them()
 {
    let dir = tempfile::tempdir().unwrap();
    let workspace = workspace(dir.path(), 2);
    let ids = ids(&workspace);
    let live = Live::start(&workspace);
    live.scorer().prefetch(vec![ids[0]]);
    live.until_started(ids[0]);
    let source = paper("source");
    let feed = live.scorer().rate(RateJob { id: 5, source });
    assert!(feed.put(ask(4, "0.5")).is_continue());
    assert!(feed.put(ask(0, "no number")).is_continue());
    live.scorer().show(ids[1]);
    live.permit(1);
    assert_eq!(live.until_finished(ids[0]), ["scored 11", "end 1"]);
    live.permit(3);
    live.until_finished(ids[1]);
    live.permit(2);
    drop(feed);
    assert_eq!(
        live.until(|e| matches!(e, LiveEvent::RateDone { .. })),
        [
            "rated 5.4 0.5",
            "not rated 5.0: not a number",
            "rated all of 5"
        ]
    );
    live.permit(2);
    live.until_finished(ids[0]);
    let kept = workspace.score_scale("paper-1").unwrap();
    assert_eq!(kept, [11.0, 12.0, 13.0, 21.0, 22.0, 23.0]);
}

#[test]
fn a_newer_job_replaces_the_older_of_which_nothing_more_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    let live = Live::start(&workspace(dir.path(), 1));
    let job = |id| RateJob {
        id,
        source: paper("source"),
    };
    let old = live.scorer().rate(job(1));
    assert!(old.put(ask(0, "1")).is_continue());
    assert!(old.put(ask(1, "2")).is_continue());
    live.permit(1);
    live.until(|e| matches!(e, LiveEvent::Rated { .. }));
    // The second may be in hand by now; it is not told.
    let new = live.scorer().rate(job(2));
    assert!(old.is_dropped() && old.put(ask(2, "3")).is_break());
    assert!(new.put(ask(0, "4")).is_continue());
    drop((old, new));
    live.permit(3);
    assert_eq!(
        live.until(|e| matches!(e, LiveEvent::RateDone { .. })),
        ["rated 2.0 4", "rated all of 2"]
    );
}

#[test]
fn a_broken_source_is_the_reason_of_every_picture_and_the_end_of_the_scorer_lets_their_maker_go() {
    let dir = tempfile::tempdir().unwrap();
    let mut live = Live::start(&workspace(dir.path(), 1));
    let source = paper("");
    let feed = live.scorer().rate(RateJob { id: 1, source });
    assert!(feed.put(ask(0, "1")).is_continue());
    assert_eq!(
        live.until(|e| matches!(e, LiveEvent::Rated { .. }))
            .last()
            .unwrap(),
        "not rated 1.0: the source is blank"
    );
    live.scorer = None;
    assert!(feed.put(ask(1, "1")).is_break());
}
