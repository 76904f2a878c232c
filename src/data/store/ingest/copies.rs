//! Images taken into the workspace: by content, so that the same picture is there once, whatever it was called.

use std::io::{Error, Write};
use std::path::Path;

use super::super::FOLDER;
use crate::data::images::{content_hash, read};
use crate::domain::ImageRef;

/// Copies an image into the workspace's own folder; the path to store for it, and its content hash. A copy that is there
/// already is not written again, and one that is half written is never seen.
pub(super) fn take(root: &Path, path: &str) -> Result<(String, String), Error> {
    let bytes = read(root, &ImageRef(path.to_owned())).map_err(Error::other)?;
    let hash = content_hash(&bytes);
    let format = image::guess_format(&bytes).map_err(Error::other)?;
    let ending = format.extensions_str().first().copied().unwrap_or("img");
    let stored = format!("{FOLDER}/images/{}/{hash}.{ending}", &hash[..2]);
    let file = root.join(&stored);
    if !file.is_file() {
        let folder = file.parent().unwrap_or(root);
        std::fs::create_dir_all(folder)?;
        let mut beside = tempfile::NamedTempFile::new_in(folder)?;
        beside.write_all(&bytes)?;
        beside.as_file().sync_all()?;
        beside.persist(&file).map_err(|e| e.error)?;
    }
    Ok((stored, hash))
}
