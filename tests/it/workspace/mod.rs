//! The workspace from outside: what is stored stays, what is stale does not show, and nothing is ever half done.

#[cfg(unix)]
mod annotations;
mod imports;
#[cfg(unix)]
mod kills;
mod pictures;
mod safety;
mod scores;
#[cfg(unix)]
mod sittings;

use std::fs;
use std::path::PathBuf;

use erw::data::images::content_hash;
use erw::data::{Workspace, WorkspaceError};
use erw::domain::{CandidateId, Gaussian, Group, Reward};
use tempfile::TempDir;

/// A folder with images, a file of groups over them, and a workspace.
struct Set {
    dir: TempDir,
    workspace: Workspace,
}

const TWO_GROUPS: &str = r#"
{"id":"bison","source":"bison.jpg","instruction":"make it white","category":"colour","candidates":[
 {"id":"a","image":"bison-a.jpg","editor":"e1","seed":18446744073709551615,"fault":"none","labels":[
  {"annotator":"x","if":4,"vq":3},{"annotator":"y","if":2,"vq":3.5}]},
 {"id":"b","image":"bison-b.jpg","labels":[{"annotator":"x","if":1,"simulated":true}]}]}
{"id":"cat","source":"cat.jpg","instruction":"remove the cat","candidates":[{"id":"a","image":"cat-a.jpg"}]}
"#;

/// One group a line, as the format wants it.
fn lines(text: &str) -> String {
    text.replace("\n ", "").trim_start().to_owned()
}

impl Set {
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let workspace = Workspace::create(dir.path()).unwrap();
        Self { dir, workspace }
    }

    fn of_two_groups() -> Self {
        let set = Self::empty();
        for image in ["bison", "bison-a", "bison-b", "cat", "cat-a"] {
            set.put(&format!("{image}.jpg"), image);
        }
        set.import(&lines(TWO_GROUPS)).unwrap();
        set
    }

    fn put(&self, path: &str, content: &str) {
        fs::write(self.dir.path().join(path), content).unwrap();
    }

    fn file(&self, text: &str) -> PathBuf {
        let file = self.dir.path().join("groups.jsonl");
        fs::write(&file, text).unwrap();
        file
    }

    fn import(&self, text: &str) -> Result<erw::data::ImportReport, WorkspaceError> {
        self.workspace.import_jsonl(&self.file(text))
    }

    fn group(&self, key: &str) -> Group {
        let list = self.workspace.summaries(None, 100, None).unwrap();
        let id = list.iter().find(|s| s.key == key).unwrap().id;
        self.workspace.group(id).unwrap().unwrap()
    }

    /// Stores a score for every candidate of a group: `mean`, `mean` + 1, …
    fn score(&self, key: &str, model: &str, mean: f64) {
        let group = self.group(key);
        let hash = |path: &str| content_hash(&fs::read(self.dir.path().join(path)).unwrap());
        let rewards: Vec<_> = group
            .candidates
            .iter()
            .zip(0..)
            .map(|(c, n)| (c.id, hash(&c.image.0), reward(mean + f64::from(n))))
            .collect();
        self.workspace
            .save_scores(group.id, model, &hash(&group.source.0), &rewards)
            .unwrap();
    }

    /// Aggregate means as the group says them and as the list shows them, which must agree.
    fn means(&self, key: &str, model: &str) -> Vec<Option<f64>> {
        let group = self.group(key);
        let stored = self.workspace.scores(group.id, model).unwrap();
        let of = |id: CandidateId| {
            stored
                .iter()
                .find(|s| s.0 == id)
                .map(|s| s.1.aggregate.mean)
        };
        let means: Vec<_> = group.candidates.iter().map(|c| of(c.id)).collect();
        let list = self.workspace.summaries(None, 100, Some(model)).unwrap();
        let shown = list.into_iter().find(|s| s.key == key).unwrap().scores;
        let shown: Vec<_> = shown.into_iter().map(|s| s.map(f64::from)).collect();
        assert_eq!(shown, means);
        means
    }

    fn database(&self) -> PathBuf {
        self.dir.path().join(".erw/workspace.sqlite")
    }
}

fn reward(mean: f64) -> Reward {
    let axis = Gaussian::new(mean, -0.25);
    Reward {
        instruction_following: Some(axis),
        visual_quality: Some(axis),
        aggregate: axis,
    }
}
