//! Strange folders, several threads and processes, damage and sudden death.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use erw::data::{Workspace, WorkspaceError};
use erw::domain::GroupId;
use rusqlite::Connection;

use super::{Set, TWO_GROUPS, lines};

#[test]
fn an_empty_workspace_has_nothing_in_it() {
    let set = Set::empty();
    let workspace = &set.workspace;
    assert_eq!(workspace.group_count().unwrap(), 0);
    assert_eq!(workspace.summaries(None, 10, Some("m")).unwrap(), []);
    assert_eq!(workspace.group(GroupId(1)).unwrap(), None);
    assert!(workspace.score_scale("m").unwrap().is_empty());
    assert!(workspace.fingerprints().unwrap().is_empty());
    assert!(matches!(
        workspace.scores(GroupId(1), "m"),
        Err(WorkspaceError::NoSuchGroup(GroupId(1)))
    ));
    assert!(!workspace.is_demo());
    assert_eq!(workspace.own_model(), None);
    assert_eq!(
        set.import("\n").unwrap(),
        erw::data::ImportReport {
            format: "erw".into(),
            ..erw::data::ImportReport::default()
        }
    );
}

#[test]
fn a_folder_without_a_workspace_says_so_and_one_below_it_is_found_from_above() {
    let set = Set::empty();
    let below = set.dir.path().join("photos/more");
    fs::create_dir_all(&below).unwrap();
    assert!(Workspace::is_here(set.dir.path()) && !Workspace::is_here(&below));
    assert_eq!(Workspace::find(&below).as_deref(), Some(set.dir.path()));
    let error = Workspace::open(&below).unwrap_err().to_string();
    assert!(error.contains(below.to_str().unwrap()), "{error}");
    assert!(!below.join(".erw").exists());
}

#[test]
fn pages_follow_one_another_without_gap_or_overlap() {
    let set = Set::empty();
    let line = |n| {
        format!(
            r#"{{"id":"g{n}","source":"s","instruction":"i","candidates":[{{"id":"a","image":"i{n}"}}]}}"#
        )
    };
    set.import(&(0..25).map(line).collect::<Vec<_>>().join("\n"))
        .unwrap();
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = set.workspace.summaries(after, 10, None).unwrap();
        assert!(page.len() <= 10);
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.into_iter().map(|s| s.key));
    }
    assert_eq!(seen, (0..25).map(|n| format!("g{n}")).collect::<Vec<_>>());
    assert_eq!(
        set.workspace
            .summaries(None, usize::MAX, None)
            .unwrap()
            .len(),
        25
    );
}

#[test]
fn readers_go_on_while_another_process_writes_and_writers_wait_for_it() {
    let set = Set::of_two_groups();
    let other = Connection::open(set.database()).unwrap();
    other
        .execute_batch(
            "BEGIN IMMEDIATE; DELETE FROM labels; DELETE FROM candidates; DELETE FROM groups;",
        )
        .unwrap();
    assert_eq!(set.workspace.summaries(None, 10, None).unwrap().len(), 2);
    assert_eq!(set.group("bison").candidates.len(), 2);
    let (started, waits) = mpsc::channel();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            started.send(()).unwrap();
            set.score("cat", "m", 1.0);
        });
        waits.recv().unwrap();
        other.execute_batch("ROLLBACK").unwrap();
        writer.join().unwrap();
    });
    assert_eq!(set.means("cat", "m"), [Some(1.0)]);
}

#[test]
fn many_threads_share_one_workspace() {
    let set = Set::of_two_groups();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let set = &set;
            scope.spawn(move || {
                let model = format!("m{n}");
                for round in 0..10 {
                    set.score("bison", &model, f64::from(round));
                    let mean = f64::from(round);
                    assert_eq!(set.means("bison", &model), [Some(mean), Some(mean + 1.0)]);
                }
            });
        }
    });
    assert_eq!(set.workspace.fingerprints().unwrap().len(), 8);
}

#[test]
fn databases_that_are_newer_foreign_or_broken_are_refused_and_left_alone() {
    let make = |prepare: &dyn Fn(&Path)| {
        let set = Set::of_two_groups();
        let path = set.database();
        let Set { dir, workspace } = set;
        drop(workspace);
        prepare(&path);
        let before = fs::read(&path).unwrap();
        let error = Workspace::open(dir.path()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), before);
        error
    };
    let sql = |text: &'static str| {
        move |path: &Path| Connection::open(path).unwrap().execute_batch(text).unwrap()
    };
    let newer = make(&sql("PRAGMA user_version = 99"));
    assert!(
        matches!(
            newer,
            WorkspaceError::Newer {
                found: 99,
                known: 4,
                ..
            }
        ),
        "{newer}"
    );
    let foreign = make(&sql("PRAGMA application_id = 7"));
    assert!(
        matches!(foreign, WorkspaceError::Foreign { .. }),
        "{foreign}"
    );
    let garbage = make(&|path| fs::write(path, "no database ".repeat(1000)).unwrap());
    assert!(
        matches!(garbage, WorkspaceError::Damaged { .. }),
        "{garbage}"
    );
    assert!(garbage.to_string().contains("workspace.sqlite' is damaged"));
}

#[test]
fn damage_in_the_middle_of_the_database_is_an_error_and_no_panic() {
    let set = Set::of_two_groups();
    let path = set.database();
    let Set { dir, workspace } = set;
    drop(workspace);
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[8192..] {
        *byte = 0xa5;
    }
    fs::write(&path, bytes).unwrap();
    let read = Workspace::open(dir.path()).and_then(|w| w.summaries(None, 10, None));
    assert!(
        matches!(read, Err(WorkspaceError::Damaged { .. })),
        "{read:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_folder_whose_name_is_not_utf8_can_be_a_workspace() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join(std::ffi::OsStr::from_bytes(b"set-\xff"));
    let workspace = Workspace::create(&odd).unwrap();
    let file = odd.join("g.jsonl");
    fs::write(&file, lines(TWO_GROUPS)).unwrap();
    fs::write(odd.join("cat.jpg"), "cat").unwrap();
    assert_eq!(workspace.import_jsonl(&file).unwrap().missing, 4);
    let group = workspace.group(GroupId(2)).unwrap().unwrap();
    let bytes = erw::data::images::read(workspace.root(), &group.source);
    assert_eq!(bytes, Ok(b"cat".to_vec()));
    assert_eq!(workspace.export_jsonl(&odd.join("out.jsonl")).unwrap(), 2);
    let error = workspace
        .export_jsonl(&dir.path().join("out.jsonl"))
        .unwrap_err();
    assert!(error.to_string().contains("not UTF-8"), "{error}");
}

const CHILD: &str = "ERW_TEST_IMPORT_INTO";

#[test]
#[ignore = "run as a child by the test below"]
fn import_from_standard_input() {
    let workspace = Workspace::open(Path::new(&std::env::var_os(CHILD).unwrap())).unwrap();
    workspace.import_jsonl(Path::new("/dev/stdin")).unwrap();
}

#[cfg(unix)]
#[test]
fn a_process_killed_in_the_middle_of_an_import_leaves_the_workspace_as_it_was() {
    let set = Set::of_two_groups();
    set.score("bison", "m", 0.5);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "workspace::safety::import_from_standard_input",
            "--ignored",
        ])
        .env(CHILD, set.dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Far more than fits in a pipe and in the cache of an import: when all is handed over, rows are on the disk already.
    let mut pipe = child.stdin.take().unwrap();
    let text = "x".repeat(100_000);
    for n in 0..1_500 {
        writeln!(
            pipe,
            r#"{{"id":"n{n}","source":"/s","instruction":"{text}","candidates":[{{"id":"a","image":"/i{n}"}}]}}"#
        )
        .unwrap();
    }
    let log = set.dir.path().join(".erw/workspace.sqlite-wal");
    assert!(fs::metadata(log).unwrap().len() > 10_000_000);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(pipe);
    let Set { dir, workspace } = set;
    drop(workspace);
    let set = Set {
        workspace: Workspace::open(dir.path()).unwrap(),
        dir,
    };
    assert_eq!(set.workspace.group_count().unwrap(), 2);
    assert_eq!(set.means("bison", "m"), [Some(0.5), Some(1.5)]);
    let check: String = Connection::open(set.database())
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    assert_eq!(set.import(&lines(TWO_GROUPS)).unwrap().unchanged, 2);
}
