//! A run's folder: what it is called, what lies where in it, how it comes into being whole, and how it is found again.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::error::RunError;
use super::foreign::Foreign;
use super::manifest::Manifest;

/// The most characters of a title that go into a name.
const SLUG: usize = 40;

/// A run's folder. It says where things are and reads nothing until asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Folder {
    path: PathBuf,
}

/// A run as a list shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Where it is.
    pub folder: Folder,
    /// What it is.
    pub manifest: Manifest,
}

/// The runs of a folder of runs.
#[derive(Debug, Default)]
pub struct Listing {
    /// Newest first.
    pub runs: Vec<Run>,
    /// Folders that look like runs and are none, each with the reason.
    pub broken: Vec<RunError>,
}

impl Folder {
    /// The folder at `path`, whether there is one or not.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The same with a path that means the same from every directory, for processes that are started elsewhere.
    #[must_use]
    pub fn absolute(self) -> Self {
        let path = std::path::absolute(&self.path).unwrap_or(self.path);
        Self { path }
    }

    /// Makes the folder of a new run below `root` (which is made where it is missing), called
    /// `<yyyymmdd-hhmmss>-<verb>-<slug>` after the time (UTC) and the title. It appears with its `run.toml` in one step; of
    /// several processes that make one at the same moment each gets its own.
    pub fn create(root: &Path, manifest: &Manifest) -> Result<Self, RunError> {
        fs::create_dir_all(root).map_err(RunError::files("create", root))?;
        let making = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(root)
            .map_err(RunError::files("create a folder in", root))?;
        let draft = Self::at(making.path());
        draft.describe(manifest)?;
        let name = name_of(manifest);
        let mut attempt = 1;
        loop {
            let path = match attempt {
                1 => root.join(&name),
                n => root.join(format!("{name}-{n}")),
            };
            // A folder that is not empty is never replaced, and a run's never is: the loser of a race takes the next name.
            match fs::rename(&draft.path, &path) {
                Ok(()) => {
                    // It is no longer there to be removed.
                    let _ = making.keep();
                    return Ok(Self { path });
                }
                Err(_) if path.exists() => attempt += 1,
                Err(why) => return Err(RunError::files("create", &path)(why)),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name, which is its last path segment.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// `run.toml`: what the run is.
    pub fn manifest_file(&self) -> PathBuf {
        self.path.join("run.toml")
    }

    /// `events.jsonl`: what happened.
    pub fn events(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// `log.txt`: what a person would have seen.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.txt")
    }

    /// `report.json`: what came of it.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.json")
    }

    /// `checkpoints/`: the states it can go on from.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// `tensorboard/`: the metrics once more, for dashboards that read TensorBoard's event files.
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.path.join("lock")
    }

    pub(super) fn heartbeat(&self) -> PathBuf {
        self.path.join("heartbeat")
    }

    pub(super) fn control(&self) -> PathBuf {
        self.path.join("control")
    }

    /// Reads `run.toml`.
    pub fn manifest(&self) -> Result<Manifest, RunError> {
        let not_a_run = |reason: String| RunError::NotARun {
            folder: self.path.clone(),
            reason,
        };
        let text = match fs::read_to_string(self.manifest_file()) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(not_a_run("it has no 'run.toml'".into()));
            }
            Err(e) => return Err(not_a_run(format!("its 'run.toml' cannot be read: {e}"))),
        };
        toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |s| {
                1 + text[..s.start.min(text.len())].matches('\n').count()
            });
            not_a_run(format!(
                "run.toml:{line}: {}",
                e.message().replace('`', "'")
            ))
        })
    }

    /// Writes `run.toml` anew, in one step: when more is known of the run than when it was made, such as the fingerprint of
    /// its model.
    pub fn describe(&self, manifest: &Manifest) -> Result<(), RunError> {
        let text = toml::to_string(manifest).map_err(|e| self.unwritable("description", &e))?;
        replace(&self.manifest_file(), text.as_bytes())
    }

    /// Writes `report.json`, in one step.
    pub fn write_report(&self, report: &impl Serialize) -> Result<(), RunError> {
        let mut text =
            serde_json::to_vec_pretty(report).map_err(|e| self.unwritable("report", &e))?;
        text.push(b'\n');
        replace(&self.report(), &text)
    }

    /// Writes a file of another name beside the report, in one step; where it is now.
    pub fn write_beside(&self, name: &str, text: &str) -> Result<PathBuf, RunError> {
        let path = self.path.join(name);
        replace(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Asks whoever works on the run to stop at the next safe point; `who` is for people ("erw jobs stop on host-a").
    pub fn ask_to_stop(&self, who: &str) -> Result<(), RunError> {
        replace(&self.control(), format!("stop {who}\n").as_bytes())
    }

    /// Takes back what [`ask_to_stop`](Self::ask_to_stop) asked for, so that the run can be taken up again.
    pub fn take_back_stop(&self) -> Result<(), RunError> {
        match fs::remove_file(self.control()) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(RunError::files("remove", &self.control())(e))
            }
            _ => Ok(()),
        }
    }

    /// Who asked the run to stop, if anybody did.
    pub fn stop_asked(&self) -> Option<String> {
        let text = fs::read_to_string(self.control()).ok()?;
        let (word, who) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        (word == "stop").then(|| who.to_owned())
    }

    pub(super) fn unwritable(&self, what: &'static str, why: &dyn std::error::Error) -> RunError {
        RunError::Unwritable {
            what,
            name: self.name(),
            reason: why.to_string(),
        }
    }
}

impl Run {
    /// The run in `folder`; one of another program's is described as far as its folder tells.
    pub fn open(folder: Folder) -> Result<Self, RunError> {
        let manifest = if folder.is_foreign() {
            Foreign::manifest(folder.path())
        } else {
            folder.manifest()?
        };
        Ok(Self { folder, manifest })
    }

    /// The run that a person means: the path of its folder, its name below `root`, or the beginning of that name as long as
    /// only one run has it.
    pub fn find(root: &Path, name: &str) -> Result<Self, RunError> {
        let named = Folder::at(root.join(name));
        let here = Folder::at(name);
        for folder in [named, here] {
            if !name.is_empty() && (folder.manifest_file().exists() || folder.is_foreign()) {
                return Self::open(folder);
            }
        }
        let mut names: Vec<String> = names(root)?;
        names.retain(|n| n.starts_with(name));
        match names.as_slice() {
            [one] => Self::open(Folder::at(root.join(one))),
            [] => Err(RunError::NotFound {
                name: name.to_owned(),
                root: root.to_owned(),
            }),
            several => Err(RunError::Ambiguous {
                name: name.to_owned(),
                candidates: several.iter().take(5).map(|n| format!("'{n}'")).collect(),
            }),
        }
    }

    /// The runs below `root`, newest first; a root that is not there has none.
    pub fn list(root: &Path) -> Result<Listing, RunError> {
        let mut listing = Listing::default();
        for name in names(root)? {
            match Self::open(Folder::at(root.join(name))) {
                Ok(run) => listing.runs.push(run),
                Err(why) => listing.broken.push(why),
            }
        }
        listing.runs.sort_by(|a, b| {
            let created = b.manifest.created.total_cmp(&a.manifest.created);
            created.then_with(|| b.folder.cmp(&a.folder))
        });
        Ok(listing)
    }
}

/// The names below `root` that may be runs, the latest first. Names with a dot are ours (the queue, runs being made), and
/// files are somebody's notes.
fn names(root: &Path) -> Result<Vec<String>, RunError> {
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(RunError::files("read", root)(e)),
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            (!name.starts_with('.') && entry.path().is_dir()).then_some(name)
        })
        .collect();
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names)
}

/// Writes a file under a temporary name, syncs it, and gives it its own.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), RunError> {
    let write = || {
        let dir = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".new-").tempfile_in(dir)?;
        file.write_all(content)?;
        publish(file, path)
    };
    write().map_err(RunError::files("write", path))
}

/// Syncs a file that was written under a temporary name, and gives it its own.
pub(super) fn publish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    // Temporary files are their owner's only; runs are read, and worked on, by colleagues as the folder allows.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let _ = file
            .as_file()
            .set_permissions(fs::Permissions::from_mode(0o644));
    }
    file.persist(path).map(drop).map_err(|e| e.error)
}

fn name_of(manifest: &Manifest) -> String {
    let (stamp, verb) = (stamp(manifest.created), slug(&manifest.verb));
    match slug(&manifest.title) {
        title if title.is_empty() => format!("{stamp}-{verb}"),
        title => format!("{stamp}-{verb}-{title}"),
    }
}

/// Small letters and digits of any script, with one hyphen for whatever was between them.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.chars().count() == SLUG {
            break;
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// `yyyymmdd-hhmmss` of seconds since 1970, in UTC: names that sort by time on every machine and in every winter.
fn stamp(time: f64) -> String {
    let seconds = time.max(0.0) as u64;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days, for days after 1970.
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (h, min, s) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}-{h:02}{min:02}{s:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(title: &str, created: f64) -> Manifest {
        let mut manifest = Manifest::new("train", vec!["plan.toml".into()], title);
        manifest.created = created;
        manifest
    }

    #[test]
    fn a_name_says_when_what_and_which() {
        // `date -u -d @1764079601` and its like.
        for (time, expected) in [
            (0.0, "19700101-000000"),
            (951_827_696.9, "20000229-123456"),
            (1_764_079_601.5, "20251125-140641"),
            (4_107_542_399.0, "21000228-235959"),
            (4_107_542_400.0, "21000301-000000"),
        ] {
            assert_eq!(stamp(time), expected);
        }
        let name = |title: &str| name_of(&manifest(title, 0.0));
        assert_eq!(
            name(" Demo: lr 1e-4 / IF+VQ!"),
            "19700101-000000-train-demo-lr-1e-4-if-vq"
        );
        assert_eq!(name("../.."), "19700101-000000-train");
        assert_eq!(name("编辑 a"), "19700101-000000-train-编辑-a");
        assert!(name(&"x".repeat(999)).len() < 80);
    }

    #[test]
    fn runs_made_at_the_same_moment_get_names_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        let made: Vec<Folder> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| scope.spawn(|| Folder::create(root.path(), &manifest("a", 9.0)).unwrap()))
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let mut names: Vec<String> = made.iter().map(Folder::name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 16, "{names:?}");
        let listing = Run::list(root.path()).unwrap();
        assert_eq!((listing.runs.len(), listing.broken.len()), (16, 0));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 16, "no rests");
    }

    #[test]
    fn the_list_begins_with_the_newest_and_says_why_a_folder_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert!(
            Run::list(&root.path().join("none"))
                .unwrap()
                .runs
                .is_empty()
        );
        for (title, created) in [("old", 1e9), ("new", 2e9), ("middle", 1.5e9)] {
            Folder::create(root.path(), &manifest(title, created)).unwrap();
        }
        fs::create_dir(root.path().join("empty")).unwrap();
        fs::create_dir(root.path().join(".queue")).unwrap();
        fs::write(root.path().join("notes.txt"), "mine").unwrap();
        let torn = Folder::at(root.path().join("torn"));
        fs::create_dir(torn.path()).unwrap();
        fs::write(torn.manifest_file(), "verb = \"train\"\narguments = 3\n").unwrap();
        let listing = Run::list(root.path()).unwrap();
        let titles: Vec<&str> = listing.runs.iter().map(|r| &*r.manifest.title).collect();
        assert_eq!(titles, ["new", "middle", "old"]);
        let broken: Vec<String> = listing.broken.iter().map(ToString::to_string).collect();
        assert!(
            broken[0].contains("torn' is no run: run.toml:2: "),
            "{broken:?}"
        );
        assert!(broken[1].contains("empty' is no run: it has no 'run.toml'"));
        assert_eq!(broken.len(), 2);
    }

    #[test]
    fn a_run_is_found_by_path_by_name_and_by_the_beginning_of_its_name() {
        let root = tempfile::tempdir().unwrap();
        let first = Folder::create(root.path(), &manifest("first", 1e9)).unwrap();
        let second = Folder::create(root.path(), &manifest("second", 1e9)).unwrap();
        let find = |name: &str| Run::find(root.path(), name).map(|r| r.folder);
        assert_eq!(find(&first.name()).unwrap(), first);
        assert_eq!(find(first.path().to_str().unwrap()).unwrap(), first);
        assert_eq!(find("20010909-014640-train-s").unwrap(), second);
        let several = find("20010909").unwrap_err().to_string();
        assert!(several.contains(&first.name()) && several.contains(&second.name()));
        let none = find("2002").unwrap_err().to_string();
        assert!(none.contains("no run '2002'"), "{none}");
        assert!(matches!(find(""), Err(RunError::Ambiguous { .. })));
    }

    #[test]
    fn a_request_to_stop_is_there_until_it_is_taken_back() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &manifest("a", 0.0)).unwrap();
        assert_eq!(folder.stop_asked(), None);
        folder.ask_to_stop("me on host").unwrap();
        assert_eq!(folder.stop_asked().as_deref(), Some("me on host"));
        folder.take_back_stop().unwrap();
        folder.take_back_stop().unwrap();
        assert_eq!(folder.stop_asked(), None);
        fs::write(folder.control(), "pause\n").unwrap();
        assert_eq!(folder.stop_asked(), None, "an unknown request is none");
    }
}
