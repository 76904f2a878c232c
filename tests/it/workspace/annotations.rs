//! Annotators at one workspace from two processes, killed with SIGKILL at random instants; and undoing what a later import
//! took away.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use erw::data::{Said, Workspace};
use erw::domain::{Axis, CandidateId, Choice, Group, GroupId, agreement};
use rusqlite::{Connection, OpenFlags};

const CHILD: &str = "ERW_TEST_ANNOTATE_IN";
const NAME: &str = "ERW_TEST_ANNOTATE_AS";
const NAMES: [&str; 2] = ["ann", "bo"];
const KILLS: usize = 10;
/// Longer than any of it takes, also on a machine that is busy otherwise.
const PATIENCE: Duration = Duration::from_mins(5);

/// Both annotators have imported judgements, which theirs in the program take the place of.
const GROUPS: &str = r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png","labels":[{"annotator":"ann","if":2},{"annotator":"bo","if":4,"vq":1}]},{"id":"b","image":"b.png"},{"id":"c","image":"c.png"}],"votes":[{"annotator":"ann","a":"a","b":"b","choice":"a","confidence":0.75}]}
{"id":"h","source":"s.png","instruction":"y","candidates":[{"id":"a","image":"d.png"},{"id":"b","image":"e.png","labels":[{"annotator":"x","if":1}]},{"id":"c","image":"f.png"}]}
"#;

fn imported(dir: &Path, text: &str) -> Workspace {
    let file = dir.join("groups.jsonl");
    fs::write(&file, text).unwrap();
    let workspace = Workspace::create(dir).unwrap();
    workspace.import_jsonl(&file).unwrap();
    workspace
}

/// Numbers below `bound`, the same for the same state.
fn chance(state: &mut u64, bound: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % bound
}

fn score(state: &mut u64) -> f64 {
    f64::from(u32::try_from(chance(state, 4)).unwrap() + 1)
}

/// Something to say of a group of three: always both axes, or a vote of every two, or one thing.
fn step(of: &[CandidateId], state: &mut u64) -> Vec<Said> {
    let candidate = of[chance(state, 3)];
    match chance(state, 6) {
        0..3 => Axis::ALL
            .into_iter()
            .map(|axis| Said::Label {
                candidate,
                axis,
                score: score(state),
            })
            .collect(),
        // The later of the two first, so that it is turned on the way in.
        3 => [(1, 0), (2, 0), (2, 1)]
            .into_iter()
            .map(|(a, b)| Said::Vote {
                a: of[a],
                b: of[b],
                axis: None,
                choice: Choice::ALL[chance(state, Choice::ALL.len())],
            })
            .collect(),
        4 => vec![Said::Repeat {
            candidate,
            axis: Axis::VisualQuality,
            score: score(state),
        }],
        _ => vec![Said::Note {
            text: "odd \"edge\"".into(),
        }],
    }
}

/// What is said of candidates.
type Saying = dyn Fn(&[CandidateId]) -> Said;

#[test]
#[ignore = "run as a child by the test below"]
fn annotate_until_killed() {
    let dir = std::env::var_os(CHILD).unwrap();
    let name = std::env::var(NAME).unwrap();
    let workspace = Workspace::open(Path::new(&dir)).unwrap();
    let acknowledged = Path::new(&dir).join(format!("{name}.steps"));
    let mut told = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(acknowledged)
        .unwrap();
    let groups: Vec<(GroupId, Vec<CandidateId>)> = all(&workspace)
        .into_iter()
        .map(|g| (g.id, g.candidates.iter().map(|c| c.id).collect()))
        .collect();
    let mut state = u64::from(std::process::id());
    loop {
        if chance(&mut state, 4) == 0 {
            workspace.undo(&name).unwrap();
            continue;
        }
        let (group, of) = &groups[chance(&mut state, groups.len())];
        let said = step(of, &mut state);
        let id = workspace
            .annotate(&name, "sitting", 7, *group, &said)
            .unwrap();
        // In one write, so that the kill does not tear it.
        told.write_all(format!("{id}\n").as_bytes()).unwrap();
    }
}

fn annotator(dir: &Path, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "workspace::annotations::annotate_until_killed",
            "--ignored",
        ])
        .env(CHILD, dir)
        .env(NAME, name)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn all(workspace: &Workspace) -> Vec<Group> {
    let list = workspace.summaries(None, 10, None).unwrap();
    list.iter()
        .map(|s| workspace.group(s.id).unwrap().unwrap())
        .collect()
}

fn reader(dir: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let file = dir.join(".erw/workspace.sqlite");
    let db = Connection::open_with_flags(file, flags).unwrap();
    db.busy_timeout(PATIENCE).unwrap();
    db
}

fn count(db: &Connection, sql: &str) -> usize {
    let counted: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    usize::try_from(counted).unwrap()
}

/// Judgements of candidates (one for a label, two for a vote) by a name, on an axis or overall; in words.
type Judgements = BTreeMap<(i64, i64, String, &'static str), String>;

fn judgements(groups: &[Group]) -> Judgements {
    let mut all = Judgements::new();
    for group in groups {
        for candidate in &group.candidates {
            for label in &candidate.labels {
                let place = (candidate.id.0, 0, label.annotator.clone(), label.axis.key());
                all.insert(place, label.score.to_string());
            }
        }
        for vote in &group.votes {
            let (a, b) = (group.candidates[vote.a].id.0, group.candidates[vote.b].id.0);
            let (a, b, choice) = ordered(a, b, vote.choice);
            let axis = vote.axis.map_or("overall", |axis| axis.key());
            let place = (a, b, vote.annotator.clone(), axis);
            all.insert(place, choice.key().to_owned());
        }
    }
    all
}

fn ordered(a: i64, b: i64, choice: Choice) -> (i64, i64, Choice) {
    if a < b {
        (a, b, choice)
    } else {
        (b, a, choice.turned())
    }
}

/// Does again, on what was imported, what the journal says was done and not undone.
fn replayed(db: &Connection, imported: &[Group]) -> Judgements {
    let mut all = judgements(imported);
    let mut select = db
        .prepare(
            "SELECT a.name, s.detail FROM steps s JOIN annotators a ON a.id = s.annotator WHERE s.undone = 0 ORDER BY s.id",
        )
        .unwrap();
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    for row in rows {
        let (annotator, detail): (String, String) = row.unwrap();
        let changes: Vec<serde_json::Value> = serde_json::from_str(&detail).unwrap();
        for change in changes {
            let name = change["under"].as_str().unwrap_or(&annotator).to_owned();
            match serde_json::from_value(change["said"].clone()).unwrap() {
                Said::Label {
                    candidate,
                    axis,
                    score,
                }
                | Said::Repeat {
                    candidate,
                    axis,
                    score,
                } => {
                    all.insert((candidate.0, 0, name, axis.key()), score.to_string());
                }
                Said::Vote { a, b, axis, choice } => {
                    let (a, b, choice) = ordered(a.0, b.0, choice);
                    let axis = axis.map_or("overall", |axis| axis.key());
                    all.insert((a, b, name, axis), choice.key().to_owned());
                }
                Said::Skip { .. } | Said::Note { .. } => {}
            }
        }
    }
    all
}

/// Nothing torn, nothing acknowledged lost, and the judgements are those of the journal.
fn sound(dir: &Path, before: &[Group]) {
    // Opened anew, which recovers the log that the killed ones left.
    let workspace = Workspace::open(dir).unwrap();
    let db = reader(dir);
    let checked: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(checked, "ok");
    let astray = "SELECT count(*) FROM pragma_foreign_key_check";
    assert_eq!(count(&db, astray), 0);
    let groups = all(&workspace);
    assert_eq!(judgements(&groups), replayed(&db, before));
    // The numbers of steps have no gap: what was rolled back took none, and no row was lost.
    let last = count(&db, "SELECT coalesce(max(id), 0) FROM steps");
    assert_eq!(count(&db, "SELECT count(*) FROM steps"), last);
    for name in NAMES {
        let told = fs::read_to_string(dir.join(format!("{name}.steps"))).unwrap_or_default();
        for id in told.lines() {
            let found = format!(
                "SELECT count(*) FROM steps s JOIN annotators a ON a.id = s.annotator WHERE s.id = {id} AND a.name = '{name}'"
            );
            assert_eq!(count(&db, &found), 1, "step {id} of {name} is lost");
        }
    }
    let list = workspace.summaries(None, 10, None).unwrap();
    for (shown, group) in list.iter().zip(&groups) {
        assert_eq!(shown.agreement, agreement(&group.candidates));
    }
}

#[test]
fn annotators_killed_at_random_instants_leave_judgements_and_journal_in_step() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let before = all(&imported(dir, GROUPS));
    let mut state = 99;
    for _ in 0..KILLS {
        let db = reader(dir);
        let steps = "SELECT count(*) FROM steps";
        let bar = count(&db, steps) + 2 + chance(&mut state, 30);
        let mut children = NAMES.map(|name| annotator(dir, name));
        let began = Instant::now();
        while count(&db, steps) < bar {
            assert!(began.elapsed() < PATIENCE, "nobody annotates");
            for child in &mut children {
                assert_eq!(child.try_wait().unwrap(), None, "an annotator gave up");
            }
        }
        // From the commit that was waited for, somewhere into the next ones.
        let later = Duration::from_micros(chance(&mut state, 3_000) as u64);
        let due = Instant::now() + later;
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        for child in &mut children {
            child.kill().unwrap();
        }
        for child in &mut children {
            assert_eq!(child.wait().unwrap().code(), None, "it was killed");
        }
        sound(dir, &before);
    }
    let workspace = Workspace::open(dir).unwrap();
    let db = reader(dir);
    for name in NAMES {
        let mine = format!(
            "SELECT count(*) FROM steps s JOIN annotators a ON a.id = s.annotator WHERE a.name = '{name}'"
        );
        assert!(count(&db, &mine) > 0, "{name} had no turn");
        while workspace.undo(name).unwrap().is_some() {}
    }
    assert_eq!(all(&workspace), before);
}

/// One group with candidate `a` and one more, of which `ann` said something in the file.
fn with_second(name: &str, score: u32) -> String {
    format!(
        r#"{{"id":"g","source":"s.png","instruction":"x","candidates":[{{"id":"a","image":"a.png"}},{{"id":"{name}","image":"b.png","labels":[{{"annotator":"ann","if":{score}}}]}}],"votes":[{{"annotator":"ann","a":"a","b":"{name}","choice":"a"}}]}}
"#
    )
}

/// Says something of the second candidate of the group, and takes it out of the group with an import.
fn replaced_under_the_annotator(dir: &Path, said: impl Fn(&[CandidateId]) -> Said) -> Workspace {
    let workspace = imported(dir, &with_second("b", 2));
    let ids: Vec<CandidateId> = all(&workspace)[0].candidates.iter().map(|c| c.id).collect();
    workspace
        .annotate("ann", "s", 1, GroupId(1), &[said(&ids)])
        .unwrap();
    imported(dir, &with_second("other", 3))
}

fn label(of: &[CandidateId], axis: Axis) -> Said {
    Said::Label {
        candidate: of[1],
        axis,
        score: 4.0,
    }
}

#[test]
fn undoing_leaves_a_candidate_alone_that_took_the_place_of_the_judged_one() {
    let vote = |of: &[CandidateId]| Said::Vote {
        a: of[0],
        b: of[1],
        axis: None,
        choice: Choice::B,
    };
    let on_if = |of: &[CandidateId]| label(of, Axis::InstructionFollowing);
    let on_vq = |of: &[CandidateId]| label(of, Axis::VisualQuality);
    let said: [&Saying; 3] = [&vote, &on_if, &on_vq];
    for said in said {
        let dir = tempfile::tempdir().unwrap();
        let workspace = replaced_under_the_annotator(dir.path(), said);
        let before = all(&workspace);
        assert!(workspace.undo("ann").unwrap().is_some());
        assert_eq!(all(&workspace), before);
    }
}

#[test]
fn a_step_on_a_candidate_that_is_gone_does_not_stand_in_the_way_of_undoing_earlier_ones() {
    let dir = tempfile::tempdir().unwrap();
    let workspace = imported(dir.path(), &with_second("b", 2));
    let before = all(&workspace)[0].clone();
    let ids: Vec<CandidateId> = before.candidates.iter().map(|c| c.id).collect();
    let first = Said::Label {
        candidate: ids[0],
        axis: Axis::VisualQuality,
        score: 1.0,
    };
    for said in [first, label(&ids, Axis::InstructionFollowing)] {
        workspace
            .annotate("ann", "s", 1, GroupId(1), &[said])
            .unwrap();
    }
    let alone = r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png"}]}"#;
    imported(dir.path(), alone);
    assert!(workspace.undo("ann").unwrap().is_some());
    assert_eq!(all(&workspace)[0].candidates[0].labels.len(), 1);
    assert!(workspace.undo("ann").unwrap().is_some());
    assert!(all(&workspace)[0].candidates[0].labels.is_empty());
    assert_eq!(workspace.undo("ann").unwrap(), None);
}
