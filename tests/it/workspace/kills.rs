//! Imports and exports killed with SIGKILL at random instants: what is there is sound, and doing it again finishes it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use erw::data::Workspace;
use erw::data::check::check;
use rusqlite::{Connection, OpenFlags};

use crate::program::erw;

const GROUPS: usize = 30_000;
const KILLS: usize = 20;
/// Longer than any of it takes, also on a machine that is busy otherwise.
const PATIENCE: Duration = Duration::from_mins(5);

/// A 1 × 1 picture of a grey, as a portable bitmap that every decoder here reads: BMP.
pub(super) fn picture(grey: u8) -> Vec<u8> {
    let mut bytes = b"BM".to_vec();
    bytes.extend(58_u32.to_le_bytes());
    for word in [0_u32, 54, 40, 1, 1, 1 | 24 << 16, 0, 4, 2835, 2835, 0, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([grey, grey, grey, 0]);
    bytes
}

/// A file of many groups over three pictures.
fn groups(dir: &Path) {
    for grey in 0..3 {
        fs::write(dir.join(format!("{grey}.bmp")), picture(grey * 40)).unwrap();
    }
    let mut text = String::new();
    for g in 0..GROUPS {
        writeln!(
            text,
            r#"{{"id":"g{g}","source":"0.bmp","instruction":"make it {g}","candidates":[{{"id":"a","image":"1.bmp","labels":[{{"annotator":"x","if":{},"vq":2}}]}},{{"id":"b","image":"2.bmp"}}],"votes":[{{"annotator":"x","a":"a","b":"b","choice":"a"}}]}}"#,
            1 + g % 4
        )
        .unwrap();
    }
    fs::write(dir.join("groups.jsonl"), text).unwrap();
}

/// Numbers below 1, the same each time.
fn chance(state: &mut u64) -> f64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

fn begun(dir: &Path, arguments: &[&str]) -> Child {
    let mut command = erw(arguments, dir, dir, &dir.join("data"));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Kills a process when `due` says so; whether it had ended before.
fn killed(mut child: Child, mut due: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return true;
        }
        if due() {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        assert!(began.elapsed() < PATIENCE, "it hangs");
        std::thread::yield_now();
    }
}

/// What another process sees: groups, and rows of theirs that are not as they should be.
fn seen(dir: &Path) -> (usize, usize) {
    let file = dir.join(".erw/workspace.sqlite");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let Ok(db) = Connection::open_with_flags(file, flags) else {
        return (0, 0);
    };
    db.busy_timeout(PATIENCE).unwrap();
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    // Before the first transaction there are no tables.
    let Ok(groups) = count("SELECT count(*) FROM groups") else {
        return (0, 0);
    };
    let torn = count(
        "SELECT count(*) FROM groups g WHERE (SELECT count(*) FROM candidates c WHERE c.group_id = g.id) <> 2
         OR (SELECT count(*) FROM candidates c JOIN labels l ON l.candidate = c.id WHERE c.group_id = g.id) <> 2
         OR (SELECT count(*) FROM candidates c JOIN votes v ON v.a = c.id WHERE c.group_id = g.id) <> 1",
    )
    .unwrap();
    (
        usize::try_from(groups).unwrap(),
        usize::try_from(torn).unwrap(),
    )
}

#[test]
fn an_import_and_an_export_that_are_killed_lose_and_double_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    groups(dir);
    let mut state = 77;
    let (mut ended, mut before) = (false, 0);
    for _ in 0..KILLS {
        // From the very beginning to a good way into what is left.
        let more = (chance(&mut state) * 0.3 * GROUPS as f64) as usize;
        let bar = if before == 0 && more.is_multiple_of(3) {
            0
        } else {
            before + more
        };
        ended = killed(begun(dir, &["import", "groups.jsonl"]), || {
            seen_groups(dir) >= bar
        });
        let (groups, torn) = seen(dir);
        assert_eq!(torn, 0);
        assert!(groups >= before, "{groups} after {before}");
        before = groups;
        if ended {
            break;
        }
    }
    if !ended {
        assert!(killed(begun(dir, &["import", "groups.jsonl"]), || false));
    }
    let workspace = Workspace::open(dir).unwrap();
    assert_eq!(seen(dir), (GROUPS, 0));
    let report = check(&workspace, None, &mut |_, _| {}).unwrap();
    assert!(report.clean, "{:?}", report.problems);
    assert_eq!(
        workspace
            .import_jsonl(&dir.join("groups.jsonl"))
            .unwrap()
            .unchanged,
        GROUPS
    );
    exports(dir, &workspace, &mut state);
}

/// Groups that another process sees; cheap, since it is asked all the time.
fn seen_groups(dir: &Path) -> usize {
    let file = dir.join(".erw/workspace.sqlite");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let found = Connection::open_with_flags(file, flags).and_then(|db| {
        db.query_row("SELECT max(id) FROM groups", [], |r| {
            r.get::<_, Option<i64>>(0)
        })
    });
    found
        .ok()
        .flatten()
        .map_or(0, |n| usize::try_from(n).unwrap())
}

fn exports(dir: &Path, workspace: &Workspace, state: &mut u64) {
    let undisturbed = dir.join("undisturbed.jsonl");
    workspace.export_jsonl(&undisturbed).unwrap();
    let whole = fs::read(&undisturbed).unwrap();
    let file = dir.join("out.jsonl");
    fs::write(&file, "what was there").unwrap();
    let half = dir.join(".out.jsonl.erw-export");
    for _ in 0..KILLS {
        let bar = (chance(state) * whole.len() as f64) as u64;
        let written = || fs::metadata(&half).map_or(0, |m| m.len());
        let ended = killed(begun(dir, &["export", "out.jsonl"]), || written() > bar);
        let there = fs::read(&file).unwrap();
        assert!(
            there == b"what was there" || there == whole,
            "ended: {ended}"
        );
    }
    assert!(killed(begun(dir, &["export", "out.jsonl"]), || false));
    assert!(fs::read(&file).unwrap() == whole);
    assert!(!half.exists());
}
