//! Judgements made in the program, taken back, made twice, and made by two at once.

use super::*;
use crate::domain::Group;

const GROUPS: &str = r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png","labels":[{"annotator":"ann","if":2},{"annotator":"bo","if":4}]},{"id":"b","image":"b.png"},{"id":"c","image":"c.png"}]}
{"id":"h","source":"s.png","instruction":"y","candidates":[{"id":"a","image":"d.png"}]}"#;

struct Set {
    dir: tempfile::TempDir,
    workspace: Workspace,
}

impl Set {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("groups.jsonl");
        std::fs::write(&file, GROUPS).unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
        Self { dir, workspace }
    }

    fn group(&self) -> Group {
        self.workspace.group(GroupId(1)).unwrap().unwrap()
    }

    fn candidate(&self, index: usize) -> CandidateId {
        self.group().candidates[index].id
    }

    fn say(&self, who: &str, said: &[Said]) -> i64 {
        self.workspace
            .annotate(who, "s", 7, GroupId(1), said)
            .unwrap()
    }

    fn label(&self, index: usize, score: f64) -> Said {
        Said::Label {
            candidate: self.candidate(index),
            axis: Axis::InstructionFollowing,
            score,
        }
    }

    fn vote(&self, a: usize, b: usize, choice: Choice) -> Said {
        Said::Vote {
            a: self.candidate(a),
            b: self.candidate(b),
            axis: None,
            choice,
        }
    }

    /// Who gave which score to a candidate.
    fn labels(&self, index: usize) -> Vec<(String, f64)> {
        let labels = self.group().candidates[index].labels.clone();
        labels.into_iter().map(|l| (l.annotator, l.score)).collect()
    }
}

fn by(who: &str, score: f64) -> (String, f64) {
    (who.to_owned(), score)
}

#[test]
fn a_step_is_taken_back_also_after_a_restart_and_what_was_there_before_comes_back() {
    let set = Set::new();
    let before = set.group();
    set.say("ann", &[set.label(0, 3.0), set.label(1, 1.0)]);
    assert_eq!(set.labels(0), [by("ann", 3.0), by("bo", 4.0)]);
    assert_eq!(set.labels(1), [by("ann", 1.0)]);
    let again = Workspace::open(set.dir.path()).unwrap();
    let undone = again.undo("ann").unwrap().unwrap();
    assert_eq!((undone.group, undone.said.len()), (GroupId(1), 2));
    assert_eq!(set.group(), before);
    assert_eq!(again.undo("ann").unwrap(), None);
    // What was imported before the step is imported after it, and so follows its file.
    let file = set.dir.path().join("groups.jsonl");
    std::fs::write(&file, GROUPS.replace("\"if\":2", "\"if\":1")).unwrap();
    set.workspace.import_jsonl(&file).unwrap();
    assert_eq!(set.labels(0)[0], by("ann", 1.0));
}

#[test]
fn steps_are_taken_back_one_by_one_each_annotator_their_own() {
    let set = Set::new();
    set.say("cem", &[set.label(1, 1.0)]);
    set.say("cem", &[set.label(1, 2.0)]);
    set.say("dia", &[set.label(1, 4.0)]);
    set.workspace.undo("cem").unwrap();
    assert_eq!(set.labels(1), [by("cem", 1.0), by("dia", 4.0)]);
    assert_eq!(set.workspace.steps_since("cem", 0).unwrap(), 1);
    assert_eq!(set.workspace.steps_since("cem", 8).unwrap(), 0);
    set.workspace.undo("cem").unwrap();
    assert_eq!(set.labels(1), [by("dia", 4.0)]);
    let list = set.workspace.summaries(None, 1, None).unwrap();
    assert_eq!(
        list[0].agreement,
        crate::domain::agreement(&set.group().candidates)
    );
}

#[test]
fn labels_given_here_outlive_an_import_of_the_same_file() {
    let set = Set::new();
    set.say("ann", &[set.label(0, 3.0)]);
    let file = set.dir.path().join("groups.jsonl");
    std::fs::write(&file, GROUPS.replace("\"x\"", "\"z\"")).unwrap();
    set.workspace.import_jsonl(&file).unwrap();
    assert_eq!(set.labels(0), [by("ann", 3.0), by("bo", 4.0)]);
}

#[test]
fn a_ranking_is_a_vote_of_every_two_and_one_step() {
    let set = Set::new();
    let ranking = [
        set.vote(2, 0, Choice::A),
        set.vote(2, 1, Choice::A),
        set.vote(0, 1, Choice::BothBad),
    ];
    set.say("ann", &ranking);
    let told: Vec<_> = set
        .group()
        .votes
        .iter()
        .map(|v| (v.a, v.b, v.choice))
        .collect();
    assert_eq!(
        told,
        [
            (0, 1, Choice::BothBad),
            (0, 2, Choice::B),
            (1, 2, Choice::B)
        ]
    );
    set.say("ann", &[set.vote(0, 2, Choice::A)]);
    assert_eq!(set.group().votes.len(), 3);
    set.workspace.undo("ann").unwrap();
    assert_eq!(set.group().votes[1].choice, Choice::B);
    set.workspace.undo("ann").unwrap();
    assert!(set.group().votes.is_empty());
}

#[test]
fn what_is_asked_again_is_kept_beside_the_first_word() {
    let set = Set::new();
    let repeat = |score| Said::Repeat {
        candidate: set.candidate(0),
        axis: Axis::InstructionFollowing,
        score,
    };
    set.say("bo", &[repeat(3.0)]);
    set.say("bo", &[repeat(4.0)]);
    let labels = set.labels(0);
    assert_eq!(
        labels[1..],
        [by("bo", 4.0), by("bo#2", 3.0), by("bo#3", 4.0)]
    );
    set.workspace.undo("bo").unwrap();
    assert_eq!(set.labels(0).len(), 3);
}

#[test]
fn skips_and_remarks_are_kept_until_they_are_taken_back() {
    let set = Set::new();
    let skip = |reason: &str| Said::Skip {
        reason: reason.into(),
    };
    let note = Said::Note {
        text: "odd \"edge\"".into(),
    };
    set.say("ann", &[skip("broken image")]);
    set.say("ann", &[skip("unclear")]);
    set.say("bo", &[note]);
    let skips = set.workspace.skips("ann").unwrap();
    assert_eq!(skips, [(GroupId(1), "unclear".to_owned())]);
    let remarks = set.workspace.remarks(GroupId(1)).unwrap();
    assert_eq!(
        (remarks[0].annotator.as_str(), remarks[0].text.as_str()),
        ("bo", "odd \"edge\"")
    );
    set.workspace.undo("ann").unwrap();
    assert_eq!(set.workspace.skips("ann").unwrap()[0].1, "broken image");
}

#[test]
fn what_makes_no_sense_is_refused_and_nothing_of_the_step_is_kept() {
    let set = Set::new();
    let before = set.group();
    let of_another = Said::Label {
        candidate: CandidateId(4),
        axis: Axis::VisualQuality,
        score: 2.0,
    };
    for (who, said, says) in [
        ("ann", set.label(1, 5.0), "5 is no score"),
        ("ann", set.label(1, f64::NAN), "is no score"),
        ("ann", of_another, "has no candidate number 4"),
        ("", set.label(1, 1.0), "no name for an annotator"),
        ("ann#2", set.label(1, 1.0), "no name for an annotator"),
        ("ann", set.vote(1, 1, Choice::A), "than itself"),
    ] {
        let step = [set.label(2, 1.0), said];
        let error = set
            .workspace
            .annotate(who, "s", 1, GroupId(1), &step)
            .unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
    assert_eq!(set.group(), before);
    assert_eq!(set.workspace.steps_since("ann", 0).unwrap(), 0);
}

#[test]
fn two_at_once_lose_nothing() {
    let set = Set::new();
    let ids: Vec<CandidateId> = (0..3).map(|i| set.candidate(i)).collect();
    std::thread::scope(|scope| {
        for who in ["ann", "bo", "cem"] {
            // A connection of their own each, as another terminal has.
            let workspace = Workspace::open(set.dir.path()).unwrap();
            let ids = &ids;
            scope.spawn(move || {
                for i in 0..40 {
                    let said = [Said::Label {
                        candidate: ids[i % 3],
                        axis: Axis::ALL[i % 2],
                        score: (1 + i % 4) as f64,
                    }];
                    workspace.annotate(who, who, 1, GroupId(1), &said).unwrap();
                }
            });
        }
    });
    for who in ["ann", "bo", "cem"] {
        assert_eq!(set.workspace.steps_since(who, 0).unwrap(), 40);
        let labels = set.group().candidates.into_iter().flat_map(|c| c.labels);
        assert_eq!(labels.filter(|l| l.annotator == who).count(), 6);
    }
}
