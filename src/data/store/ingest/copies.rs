//! Images taken into the workspace: by content, so that the same picture is there once, whatever it was called.

use std::path::Path;

use super::super::FOLDER;
use crate::data::images::{ImageError, copy_into};
use crate::domain::ImageRef;

/// Copies an image into the workspace's own folder; the path to store for it, and its content hash.
pub(super) fn take(root: &Path, path: &str) -> Result<(String, String), ImageError> {
    let folder = root.join(FOLDER).join("images");
    let copy = copy_into(root, &ImageRef(path.to_owned()), &folder)?;
    let name = copy.file_name().unwrap_or_default().to_string_lossy();
    let hash = name.split('.').next().unwrap_or_default().to_owned();
    Ok((format!("{FOLDER}/images/{name}"), hash))
}
