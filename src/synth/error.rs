//! What can go wrong when sample data is made, each with what to do about it.

use std::path::{Path, PathBuf};

/// Why sample data could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// The recipe is not TOML, or lacks its rows.
    #[error("the recipe is not readable: {0}")]
    Recipe(String),
    /// One row of the recipe cannot be carried out.
    #[error("recipe row {row} ('{id}'): {problem}")]
    Row {
        /// Counted from 1.
        row: usize,
        /// The row's id, or `?` where it has none.
        id: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A photo folder without credits, or with credits that do not allow its use.
    #[error("photo folder '{dir}': {problem}", dir = dir.display())]
    Photos {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A picture that cannot be read.
    #[error("image '{path}': {problem}", path = path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        problem: String,
    },
    /// The output folder cannot be written, or is not ours to overwrite.
    #[error("output folder '{path}': {problem}", path = path.display())]
    Output {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        problem: String,
    },
}

impl SynthError {
    pub(crate) fn image(path: &Path, problem: &(impl ToString + ?Sized)) -> Self {
        Self::Image {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }

    pub(crate) fn output(path: &Path, problem: &(impl ToString + ?Sized)) -> Self {
        Self::Output {
            path: path.to_owned(),
            problem: problem.to_string(),
        }
    }
}
