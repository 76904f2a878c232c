//! Export: a workspace written as erw's own JSONL, from which it can be imported again without loss. Scores are not part of it:
//! they belong to models, and any model gives its own again.

use std::io::{BufWriter, Error};
use std::path::Path;

use tempfile::NamedTempFile;

use super::import::write_group;
use super::store::{Workspace, WorkspaceError};

impl Workspace {
    /// Writes every group with its labels to `file`, replacing it as a whole or not at all; tells how many groups. Paths of
    /// images below the file's folder are written relative to it, others absolute.
    pub fn export_jsonl(&self, file: &Path) -> Result<usize, WorkspaceError> {
        let failed = |why| WorkspaceError::Files {
            what: "write",
            path: file.to_path_buf(),
            why,
        };
        let folder = match file.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let folder = folder.canonicalize().map_err(failed)?;
        let path = |stored: String| self.written(&folder, &stored);
        let mut out = BufWriter::new(beside(&folder).map_err(failed)?);
        let mut count = 0;
        self.each_group(|group| {
            count += 1;
            write_group(group, &mut out, path).map_err(failed)
        })?;
        let done = out.into_inner().map_err(|e| failed(e.into_error()))?;
        done.as_file().sync_all().map_err(failed)?;
        done.persist(file).map_err(|e| failed(e.error))?;
        Ok(count)
    }

    /// A stored image path as it is written into a file in `folder`.
    fn written(&self, folder: &Path, stored: &str) -> Result<String, Error> {
        let full = self.root().join(stored);
        let relative = full.strip_prefix(folder).ok().and_then(Path::to_str);
        relative.or(full.to_str()).map(str::to_owned).ok_or_else(|| {
            Error::other(format!(
                "the folder in '{}' has a name that is not UTF-8; export into the workspace's own folder",
                full.display()
            ))
        })
    }
}

/// A new file beside the one that it will become, readable by those whom the user's mask admits.
fn beside(folder: &Path) -> Result<NamedTempFile, Error> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".erw-export-").tempfile_in(folder)
}
