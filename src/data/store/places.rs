//! Where the images of an imported file are: paths as the file has them, turned into the ones that are stored.
//!
//! Stored paths are relative to the workspace's root when the image lies in it, so that the folder can be moved as a whole,
//! and absolute otherwise. A relative path may climb (`../photos`) within the workspace, but not out of both it and the file's
//! folder: whoever means that can write an absolute one.

use std::path::{Component, Path, PathBuf};

/// The folder of an imported file, seen from the root of a workspace.
#[derive(Debug)]
pub(super) struct Places {
    root: PathBuf,
    folder: PathBuf,
}

impl Places {
    /// Of a file and a canonical root.
    pub(super) fn new(root: &Path, file: &Path) -> std::io::Result<Self> {
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        Ok(Self {
            root: root.to_path_buf(),
            folder: folder.canonicalize()?,
        })
    }

    /// Of a folder that relative paths start from, and a canonical root.
    pub(super) fn below(root: &Path, folder: &Path) -> std::io::Result<Self> {
        Ok(Self {
            root: root.to_path_buf(),
            folder: folder.canonicalize()?,
        })
    }

    /// The path to store for one in the file; the error says what is wrong with it.
    pub(super) fn stored(&self, written: &str) -> Result<String, String> {
        if written.contains('\0') {
            return Err(format!("the path '{written}' has a zero byte in it"));
        }
        let path = Path::new(written);
        let plain = straighten(&self.folder.join(path));
        if let Ok(inside) = plain.strip_prefix(&self.root) {
            return slashed(inside).ok_or_else(|| not_text(&plain));
        }
        if path.is_absolute() {
            return Ok(written.to_owned());
        }
        if !plain.starts_with(&self.folder) {
            return Err(format!(
                "the path '{written}' leads out of the file's folder and of the workspace; write it as an absolute path if that is meant"
            ));
        }
        plain
            .to_str()
            .map(str::to_owned)
            .ok_or_else(|| not_text(&plain))
    }
}

fn not_text(path: &Path) -> String {
    format!(
        "the folder in '{}' has a name that is not UTF-8 and cannot be stored; rename it",
        path.display()
    )
}

/// Without `.` and `..`, by the words alone: the file need not exist.
fn straighten(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// A relative path with `/` on every system; `None` if it is not UTF-8.
fn slashed(path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path.components().map(|c| c.as_os_str().to_str()).collect();
    Some(names?.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(root: &str, folder: &str) -> Places {
        Places {
            root: root.into(),
            folder: folder.into(),
        }
    }

    #[test]
    #[cfg(unix)]
    fn paths_in_the_workspace_are_stored_relative_to_it() {
        let at = places("/data", "/data/lists");
        assert_eq!(at.stored("a.png"), Ok("lists/a.png".into()));
        assert_eq!(at.stored("../photos/./a.png"), Ok("photos/a.png".into()));
        assert_eq!(at.stored("/data/photos/a.png"), Ok("photos/a.png".into()));
        assert_eq!(at.stored("/data2/a.png"), Ok("/data2/a.png".into()));
    }

    #[test]
    #[cfg(unix)]
    fn paths_outside_are_stored_absolute_and_may_not_climb() {
        let at = places("/home/me", "/mnt/set");
        assert_eq!(at.stored("x/a.png"), Ok("/mnt/set/x/a.png".into()));
        assert_eq!(at.stored("x/../a.png"), Ok("/mnt/set/a.png".into()));
        let error = at.stored("../other/a.png").unwrap_err();
        assert!(error.contains("'../other/a.png' leads out"), "{error}");
        assert!(at.stored("../../../../etc/passwd").is_err());
        assert!(at.stored("a\0.png").is_err());
    }

    #[test]
    #[cfg(unix)]
    fn folders_that_are_not_utf8_matter_only_outside_the_workspace() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let odd = Path::new(OsStr::from_bytes(b"/mnt/\xff"));
        let inside = Places {
            root: odd.into(),
            folder: odd.join("set"),
        };
        assert_eq!(inside.stored("a.png"), Ok("set/a.png".into()));
        let outside = Places {
            root: "/home".into(),
            folder: odd.into(),
        };
        let error = outside.stored("a.png").unwrap_err();
        assert!(error.contains("not UTF-8"), "{error}");
    }
}
