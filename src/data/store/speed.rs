//! The figures that the store is built for, on 200,000 groups of four candidates. Not part of a plain test run; by
//! `cargo test --lib data::store::speed -- --ignored --nocapture`, which fails if a budget is missed.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::Workspace;
use crate::domain::{Gaussian, GroupId, Reward};

const GROUPS: usize = 200_000;

/// Like the published data: four candidates, three annotators, both axes.
fn write_groups(file: &Path, count: usize) {
    let mut out = BufWriter::new(std::fs::File::create(file).unwrap());
    for g in 0..count {
        write!(
            out,
            r#"{{"id":"group-{g:06}","source":"photos/{:05}.jpg","instruction":"replace the object number {g} on the left with something else, keep the rest","category":"replace","candidates":["#,
            g / 2
        )
        .unwrap();
        for c in 0..4 {
            let comma = if c == 0 { "" } else { "," };
            write!(
                out,
                r#"{comma}{{"id":"{c}","image":"edits/{:08x}/{g}-{c}.png","editor":"editor-{c}","seed":{g},"labels":["#,
                (g as u32).wrapping_mul(2_654_435_761)
            )
            .unwrap();
            for a in 0..3 {
                let comma = if a == 0 { "" } else { "," };
                let (x, y) = (1 + (g + a + c) % 4, 1 + (g + 2 * a) % 4);
                write!(
                    out,
                    r#"{comma}{{"annotator":"person-{a}","if":{x},"vq":{y}}}"#
                )
                .unwrap();
            }
            write!(out, "]}}").unwrap();
        }
        writeln!(out, "]}}").unwrap();
    }
    out.into_inner().unwrap().sync_all().unwrap();
}

/// A score of every candidate, as if a whole run had ended.
fn score_everything(workspace: &Workspace) {
    workspace
        .write(|tx| {
            tx.execute("UPDATE images SET hash = printf('%064x', id)", [])?;
            tx.execute("INSERT INTO models (fingerprint) VALUES ('m')", [])?;
            let mut keys = tx.prepare(
                "SELECT s.hash, i.hash, g.instruction FROM groups g JOIN images s ON s.id = g.source
                 JOIN candidates c ON c.group_id = g.id JOIN images i ON i.id = c.image",
            )?;
            let mut insert =
                tx.prepare("INSERT INTO scores VALUES (1, ?1, ?2, -1, 0.1, -1, 0.2, -1)")?;
            let mut rows = keys.query([])?;
            let mut mean = 0.0;
            while let Some(row) = rows.next()? {
                let (source, image, text): (String, String, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                mean = (mean + 0.618_033_988_749) % 4.0;
                insert.execute((super::scores::score_key(&source, &image, &text), mean - 2.0))?;
            }
            let groups: BTreeSet<i64> = tx
                .prepare("SELECT id FROM groups")?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            super::scores::refresh(tx, &groups)
        })
        .unwrap();
}

impl Workspace {
    /// Fills an empty workspace with scored groups under the model "m", with perceptual hashes, no files and no labels: for
    /// measurements of what reads all of it.
    pub(crate) fn fill_with_scored(&self, groups: usize, each: usize) {
        self.write(|tx| {
            let (groups, each) = (super::sql(groups), super::sql(each));
            let count = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)";
            let images = format!(
                "{count} INSERT INTO images (id, path, hash) SELECT i + 1, 'i/' || i || '.png', printf('%064x', i * 2654435761) FROM n"
            );
            tx.execute(&images, [groups * (each + 1)])?;
            let rows = format!(
                "{count} INSERT INTO groups (id, key, source, instruction, category, candidates)
                 SELECT i + 1, 'g' || i, i + 1, 'replace object number ' || i || ' with something else', 'kind-' || (i * i % 11), ?2 FROM n"
            );
            tx.execute(&rows, [groups, each])?;
            let rows = format!(
                "{count} INSERT INTO candidates (id, group_id, position, key, image, editor)
                 SELECT i + 1, i / ?2 + 1, i % ?2, i % ?2, ?3 + i + 1, 'editor-' || (i % 7) FROM n"
            );
            tx.execute(&rows, [groups * each, each, groups])?;
            tx.execute("INSERT INTO models (fingerprint) VALUES ('m')", [])?;
            let mut select = tx.prepare(
                "SELECT s.hash, i.hash, g.instruction FROM groups g JOIN images s ON s.id = g.source
                 JOIN candidates c ON c.group_id = g.id JOIN images i ON i.id = c.image",
            )?;
            let mut keys = Vec::new();
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                let text = |at: usize| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str()?);
                keys.push(super::scores::score_key(text(0)?, text(1)?, text(2)?));
            }
            keys.sort_unstable();
            let mut insert = tx.prepare("INSERT INTO scores VALUES (1, ?1, ?2, -1, ?3, -1, ?4, -0.5)")?;
            for key in keys {
                let of = |at: usize| f64::from(u16::from_le_bytes([key[at], key[at + 1]])) / 16384.0 - 2.0;
                insert.execute((key, f64::midpoint(of(2), of(4)), of(2), of(4)))?;
            }
            tx.execute("INSERT INTO looks SELECT hash, random() FROM images ORDER BY hash", [])?;
            Ok(())
        })
        .unwrap();
    }
}

/// The most memory that the process had, in MiB.
pub(crate) fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM"));
    line.and_then(|l| l.split_whitespace().nth(1)?.parse::<usize>().ok())
        .unwrap_or(0)
        / 1024
}

struct Figures(Vec<(&'static str, Duration, Duration)>);

impl Figures {
    fn time<T>(&mut self, what: &'static str, budget: Duration, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.0.push((what, start.elapsed(), budget));
        result
    }

    #[allow(clippy::print_stderr, reason = "the figures are what this test is for")]
    fn show(&self) {
        for (what, took, budget) in &self.0 {
            eprintln!("{what:<44} {took:>12.2?}   budget {budget:?}");
        }
        eprintln!("resident memory at its highest: {} MiB", resident_mib());
        for (what, took, budget) in &self.0 {
            assert!(took <= budget, "{what}: {took:?}");
        }
    }
}

fn list(workspace: &Workspace, fingerprint: Option<&str>) -> usize {
    let (mut after, mut count) = (None::<GroupId>, 0);
    loop {
        let page = workspace.summaries(after, 5000, fingerprint).unwrap();
        let Some(last) = page.last() else {
            return count;
        };
        after = Some(last.id);
        count += page.len();
    }
}

#[test]
#[ignore = "takes a minute; gives the figures"]
fn two_hundred_thousand_groups_within_the_budgets() {
    let ms = Duration::from_millis;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("groups.jsonl");
    write_groups(&file, GROUPS);
    let mut figures = Figures(Vec::new());
    let workspace = Workspace::create(dir.path()).unwrap();
    let report = figures.time("import", ms(20_000), || {
        workspace.import_jsonl(&file).unwrap()
    });
    assert_eq!(report.groups, GROUPS);
    assert_eq!(report.labels, GROUPS * 24);
    let again = figures.time("import again, nothing new", ms(20_000), || {
        workspace.import_jsonl(&file).unwrap()
    });
    assert_eq!(again.unchanged, GROUPS);
    drop(workspace);
    let workspace = figures.time("open", ms(50), || Workspace::open(dir.path()).unwrap());
    let page = figures.time("first 200 summaries", ms(10), || {
        workspace.summaries(None, 200, None).unwrap()
    });
    assert_eq!(page.len(), 200);
    let all = figures.time("all summaries", ms(1500), || list(&workspace, None));
    assert_eq!(all, GROUPS);
    score_everything(&workspace);
    drop(workspace);
    let workspace = figures.time("open, all scored", ms(50), || {
        Workspace::open(dir.path()).unwrap()
    });
    let page = figures.time("first 200 summaries, all scored", ms(10), || {
        workspace.summaries(None, 200, Some("m")).unwrap()
    });
    assert!(page.iter().all(|s| s.scores.iter().all(Option::is_some)));
    figures.time("all summaries, all scored", ms(1500), || {
        list(&workspace, Some("m"))
    });
    let scale = figures.time("score scale", ms(1500), || {
        workspace.score_scale("m").unwrap()
    });
    assert_eq!(scale.len(), 4 * GROUPS);
    let id = GroupId(100_000);
    figures.time("one group", ms(5), || workspace.group(id).unwrap().unwrap());
    figures.time("one group's scores", ms(5), || {
        assert_eq!(workspace.scores(id, "m").unwrap().len(), 4);
    });
    let group = workspace.group(id).unwrap().unwrap();
    let reward = Reward::overall(Gaussian::new(0.0, 0.0));
    figures.time("store a group's scores", ms(100), || {
        let rewards: Vec<_> = group
            .candidates
            .iter()
            .map(|c| (c.id, format!("{}", c.id.0), reward))
            .collect();
        workspace
            .save_scores_of(&group, "m", "s", &rewards)
            .unwrap();
    });
    figures.time("look at every image again", ms(10_000), || {
        assert_eq!(workspace.forget_changed_images().unwrap(), 0);
    });
    figures.show();
}
