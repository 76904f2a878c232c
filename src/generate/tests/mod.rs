//! Making candidates as a whole: true programs, a true server on this machine, true files. The clock stands still, so that no wait
//! before another try takes time.

#[cfg(unix)]
mod commands;
#[cfg(unix)]
mod resume;
#[cfg(unix)]
mod samples;
mod services;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::run::run_by;
use super::{Answer, Chosen, GenerateError, Outcome, Report, Task, answers, end};
use crate::config::{Config, EditorSettings};
use crate::data::{Workspace, images};
use crate::domain::{Candidate, GroupId};
use crate::remote::FakeClock;
use crate::runs::{Folder, Manifest, Writer};

/// A PNG of so many black pixels.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let row = (width * 3).div_ceil(4) * 4;
    let mut bmp = b"BM".to_vec();
    for word in [54 + row * height, 0, 54, 40, width, height] {
        bmp.extend(word.to_le_bytes());
    }
    bmp.extend([1, 0, 24, 0]);
    bmp.resize(54 + (row * height) as usize, 0);
    images::png(&images::decode(&bmp).unwrap()).unwrap()
}

/// A workspace of groups without candidates by the editors, and where runs are.
struct Rig {
    dir: tempfile::TempDir,
    clock: FakeClock,
    /// What people were told.
    lines: RefCell<Vec<String>>,
}

impl Rig {
    /// Groups g1, g2, … of these instructions.
    fn new(instructions: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("s.png"), picture(8, 6)).unwrap();
        let rig = Self {
            dir,
            clock: FakeClock::default(),
            lines: RefCell::default(),
        };
        rig.import(instructions);
        rig
    }

    fn import(&self, instructions: &[&str]) {
        let groups = instructions.iter().enumerate().map(|(i, instruction)| {
            let candidate = serde_json::json!({"id": "a", "image": "s.png", "editor": "old"});
            let group = serde_json::json!({
                "id": format!("g{}", i + 1), "source": "s.png", "instruction": instruction, "candidates": [candidate],
            });
            format!("{group}\n")
        });
        let file = self.path("groups.jsonl");
        std::fs::write(&file, groups.collect::<String>()).unwrap();
        let workspace = Workspace::create(self.dir.path()).unwrap();
        workspace.import_jsonl(&file).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn workspace(&self) -> Workspace {
        Workspace::open(self.dir.path()).unwrap()
    }

    /// A task with the editors of such settings.
    fn task<'a>(&self, workspace: &'a Workspace, settings: &str) -> Task<'a> {
        let config = Config::parse(Path::new("config.toml"), settings.to_owned()).unwrap();
        let editors: Vec<EditorSettings> = config.editors.into_values().collect();
        Task {
            workspace,
            chosen: Chosen::default(),
            editors,
            out: self.path("generated"),
            sample: None,
            seed: 1,
        }
    }

    fn folder(&self) -> Folder {
        let manifest = Manifest::new("generate", Vec::new(), "t");
        Folder::create(&self.path("runs"), &manifest).unwrap()
    }

    /// Takes the run up and does its work, until `stop` says so.
    fn run_in(
        &self,
        folder: &Folder,
        task: &Task<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Outcome, GenerateError> {
        let writer: Writer = folder.take_up().unwrap();
        let outcome = writer.attend(|| {
            run_by(
                (&self.clock, Duration::ZERO),
                task,
                &writer,
                stop,
                &mut |heard| {
                    if let super::Heard::Line(line) = heard {
                        self.lines.borrow_mut().push(line.to_owned());
                    }
                },
            )
        });
        if let Ok(outcome) = &outcome {
            end(&writer, outcome).unwrap();
        }
        outcome
    }

    /// A whole run of such editors: its folder and report.
    fn made(&self, settings: &str) -> (Folder, Report) {
        let workspace = self.workspace();
        let folder = self.folder();
        let task = self.task(&workspace, settings);
        let outcome = self.run_in(&folder, &task, &|| false).unwrap();
        (folder, done(outcome))
    }

    /// The candidates of a group that editors made.
    fn candidates(&self, group: i64) -> Vec<Candidate> {
        let group = self.workspace().group(GroupId(group)).unwrap().unwrap();
        let made = group.candidates.into_iter().filter(|c| c.seed.is_some());
        made.collect()
    }

    /// Editor and seed of each of those, in order.
    fn makers(&self, group: i64) -> Vec<(String, u64)> {
        let makers = self.candidates(group).into_iter();
        let mut makers: Vec<_> = makers
            .map(|c| (c.editor.unwrap(), c.seed.unwrap()))
            .collect();
        makers.sort();
        makers
    }
}

fn done(outcome: Outcome) -> Report {
    match outcome {
        Outcome::Done(report) => *report,
        stopped @ Outcome::Stopped { .. } => panic!("{stopped:?}"),
    }
}

/// The only failure of a run.
fn failure(folder: &Folder) -> Answer {
    let mut failed: Vec<Answer> = answers(folder.path()).unwrap();
    failed.retain(|a| a.failed.is_some());
    assert_eq!(failed.len(), 1, "{failed:?}");
    failed.remove(0)
}

/// Everything that is in the files of a folder and those below.
fn all_text(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&all_text(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}

/// The files below a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn visit(folder: &Path, below: &str, files: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("{below}{}", path.file_name().unwrap().to_str().unwrap());
            if path.is_dir() {
                visit(&path, &format!("{name}/"), files);
            } else {
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    visit(folder, "", &mut all);
    all
}
