//! The demo: sample data carried inside the program, unpacked once into the user's data folder.
//!
//! Its folder's name carries a hash of the data, so that a newer program opens a fresh demo and the labels given in an older
//! one stay where they are. The hashes of the files are made when the program is built; at run time nothing is hashed.

use std::io::{Error, Write};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use rust_embed::RustEmbed;
use tempfile::{NamedTempFile, TempDir};

use super::store::{Workspace, WorkspaceError};

#[derive(RustEmbed)]
#[folder = "sample-data/"]
#[allow_missing = true]
struct SampleData;

/// The groups of the sample data.
const GROUPS: &str = "groups.jsonl";
/// Files written at once: waiting for the disk is most of the work.
const WRITERS: usize = 8;

/// What a workspace that is the demo knows of itself.
#[derive(Debug)]
pub(super) struct DemoFacts {
    /// What the user should know.
    pub notice: Option<String>,
    /// The folder to be removed with the last handle, if the demo could not be kept.
    _temporary: Option<TempDir>,
}

impl Workspace {
    /// Opens the demo: unpacks the embedded sample data into the user's data folder once (atomically), then opens it. The
    /// folder is `ERW_DATA_DIR` if that is set. Where it cannot be written the demo lives in a temporary folder, and
    /// [`demo_notice`](Self::demo_notice) says so.
    pub fn demo() -> Result<Self, WorkspaceError> {
        let named = std::env::var_os("ERW_DATA_DIR").filter(|dir| !dir.is_empty());
        let dir = named.map(PathBuf::from).or_else(|| {
            ProjectDirs::from("", "", "erw").map(|dirs| dirs.data_local_dir().to_path_buf())
        });
        match dir {
            Some(dir) => Self::demo_in(&dir),
            None => Self::demo_for_now("there is no home folder"),
        }
    }

    /// Opens the demo, kept in a folder below `data_dir`.
    pub fn demo_in(data_dir: &Path) -> Result<Self, WorkspaceError> {
        let facts = DemoFacts {
            notice: None,
            _temporary: None,
        };
        let kept = unpacked(data_dir)
            .map_err(|e| e.to_string())
            .and_then(|root| open(&root, facts).map_err(|e| e.to_string()));
        kept.or_else(|why| {
            Self::demo_for_now(&format!("'{}' cannot be used: {why}", data_dir.display()))
        })
    }

    /// Opens a demo that goes when it is closed.
    fn demo_for_now(why: &str) -> Result<Self, WorkspaceError> {
        let failed =
            |e: Error| WorkspaceError::Demo(format!("{why}; nor in a temporary folder: {e}"));
        let temporary = TempDir::with_prefix("erw-demo-").map_err(failed)?;
        let root = temporary.path().to_path_buf();
        write_all(&root).map_err(failed)?;
        let facts = DemoFacts {
            notice: Some(format!(
                "the demo is in a temporary folder and what is stored in it will be lost: {why}"
            )),
            _temporary: Some(temporary),
        };
        open(&root, facts)
    }
}

fn open(root: &Path, facts: DemoFacts) -> Result<Workspace, WorkspaceError> {
    let workspace = Workspace::create_as(root, Some(facts))?;
    if workspace.group_count()? == 0 {
        workspace.import_jsonl(&root.join(GROUPS))?;
    }
    Ok(workspace)
}

/// The folder of the demo, with all its files in it.
fn unpacked(data_dir: &Path) -> Result<PathBuf, Error> {
    let root = data_dir.join(format!("demo-{}", version()));
    if root.is_dir() {
        mend(&root)?;
        return Ok(root);
    }
    std::fs::create_dir_all(data_dir)?;
    let beside = TempDir::with_prefix_in(".demo-", data_dir)?;
    write_all(beside.path())?;
    match std::fs::rename(beside.path(), &root) {
        Ok(()) => {
            // Moved away: there is nothing left to remove under the old name.
            let _ = beside.keep();
            sync_folder(data_dir);
        }
        // Another process was faster, and its copy is as good.
        Err(_) if root.is_dir() => {}
        Err(error) => return Err(error),
    }
    Ok(root)
}

/// A hash of the sample data, from the hashes that were made when the program was built.
fn version() -> String {
    let mut files: Vec<_> = SampleData::iter().collect();
    files.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for path in files {
        hasher.update(path.as_bytes()).update(&[0]);
        if let Some(file) = SampleData::get(&path) {
            hasher.update(&file.metadata.sha256_hash());
        }
    }
    hasher.finalize().to_hex()[..12].to_owned()
}

/// Writes the whole sample data into an empty folder; it is on the disk on return.
fn write_all(root: &Path) -> Result<(), Error> {
    let files: Vec<_> = SampleData::iter().collect();
    let folders: std::collections::BTreeSet<PathBuf> = files
        .iter()
        .filter_map(|path| root.join(path.as_ref()).parent().map(Path::to_path_buf))
        .collect();
    for folder in &folders {
        std::fs::create_dir_all(folder)?;
    }
    let share = files.len().div_ceil(WRITERS).max(1);
    let write = |paths: &[std::borrow::Cow<'static, str>]| {
        for path in paths {
            if let Some(embedded) = SampleData::get(path) {
                let mut file = std::fs::File::create_new(root.join(path.as_ref()))?;
                file.write_all(&embedded.data)?;
                file.sync_all()?;
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let writers: Vec<_> = files
            .chunks(share)
            .map(|paths| scope.spawn(move || write(paths)))
            .collect();
        writers.into_iter().try_for_each(|writer| {
            writer
                .join()
                .unwrap_or_else(|_| Err(Error::other("a writing thread panicked")))
        })
    })?;
    for folder in &folders {
        sync_folder(folder);
    }
    Ok(())
}

/// Puts back files that are gone or cut short, whoever did it.
fn mend(root: &Path) -> Result<(), Error> {
    for path in SampleData::iter() {
        let Some(embedded) = SampleData::get(&path) else {
            continue;
        };
        let at = root.join(path.as_ref());
        let whole = std::fs::metadata(&at).is_ok_and(|m| m.len() == embedded.data.len() as u64);
        if whole {
            continue;
        }
        let folder = at.parent().unwrap_or(root);
        std::fs::create_dir_all(folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        file.write_all(&embedded.data)?;
        file.as_file().sync_all()?;
        file.persist(&at)?;
    }
    Ok(())
}

/// Makes names in a folder last, where the system has a way to; elsewhere [`mend`] sees to it at the next start.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_unpacked_once_and_opened_again() {
        let home = tempfile::tempdir().unwrap();
        let demo = Workspace::demo_in(home.path()).unwrap();
        assert!(demo.is_demo());
        assert_eq!(demo.demo_notice(), None);
        let groups = demo.group_count().unwrap();
        assert!(groups > 0);
        let root = demo.root().to_path_buf();
        drop(demo);
        let again = Workspace::demo_in(home.path()).unwrap();
        assert_eq!(again.root(), root);
        assert_eq!(again.group_count().unwrap(), groups);
        // Nothing was left beside it.
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn no_image_of_the_demo_is_missing() {
        let home = tempfile::tempdir().unwrap();
        let demo = Workspace::demo_in(home.path()).unwrap();
        let report = demo.import_jsonl(&demo.root().join(GROUPS)).unwrap();
        assert_eq!(report.missing_images, Vec::<String>::new());
        assert_eq!(report.unchanged, demo.group_count().unwrap());
        assert_eq!(report.groups + report.updated, 0);
    }

    #[test]
    fn files_that_are_gone_or_cut_short_are_put_back() {
        let home = tempfile::tempdir().unwrap();
        let root = unpacked(home.path()).unwrap();
        let groups = std::fs::read(root.join(GROUPS)).unwrap();
        std::fs::write(root.join(GROUPS), "").unwrap();
        assert_eq!(unpacked(home.path()).unwrap(), root);
        assert_eq!(std::fs::read(root.join(GROUPS)).unwrap(), groups);
        std::fs::remove_file(root.join(GROUPS)).unwrap();
        unpacked(home.path()).unwrap();
        assert_eq!(std::fs::read(root.join(GROUPS)).unwrap(), groups);
    }

    #[test]
    fn many_at_once_open_the_same_demo() {
        let home = tempfile::tempdir().unwrap();
        let roots: Vec<(PathBuf, usize)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let demo = Workspace::demo_in(home.path()).unwrap();
                        assert_eq!(demo.demo_notice(), None);
                        (demo.root().to_path_buf(), demo.group_count().unwrap())
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(roots.iter().all(|root| *root == roots[0]), "{roots:?}");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    #[ignore = "gives figures: --ignored --nocapture"]
    #[allow(clippy::print_stderr, reason = "the figures are what this test is for")]
    fn the_demo_opens_within_its_budgets() {
        let home = tempfile::tempdir().unwrap();
        for (what, budget) in [("first", 150), ("second", 20)] {
            let start = std::time::Instant::now();
            let demo = Workspace::demo_in(home.path()).unwrap();
            let list = demo.summaries(None, 200, None).unwrap();
            let took = start.elapsed();
            eprintln!(
                "{what} opening with {} groups listed: {took:.1?}",
                list.len()
            );
            assert!(took.as_millis() < budget, "{took:?}");
        }
    }

    #[test]
    fn where_nothing_can_be_written_the_demo_is_temporary_and_says_so() {
        let home = tempfile::tempdir().unwrap();
        // A file in the place of the folder: it stops even an administrator, whom permissions do not.
        let blocked = home.path().join("data");
        std::fs::write(&blocked, "").unwrap();
        let demo = Workspace::demo_in(&blocked).unwrap();
        let notice = demo.demo_notice().unwrap().to_owned();
        assert!(notice.contains("temporary") && notice.contains(blocked.to_str().unwrap()));
        assert!(demo.group_count().unwrap() > 0);
        let root = demo.root().to_path_buf();
        drop(demo);
        assert!(!root.exists());
    }
}
