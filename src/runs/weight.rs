//! What is in a run's folder, in figures: what one would lose with it.

use std::path::Path;

use super::folder::Folder;

/// What is in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weight {
    /// How many files.
    pub files: u64,
    /// How many bytes they have together.
    pub bytes: u64,
    /// How many states to go on from.
    pub checkpoints: u64,
    /// Whether there is a report.
    pub report: bool,
}

impl Folder {
    /// Counts what is in the folder. What cannot be read counts as nothing.
    pub fn weight(&self) -> Weight {
        let mut weight = Weight {
            report: self.report().is_file(),
            ..Weight::default()
        };
        if let Ok(entries) = std::fs::read_dir(self.checkpoints()) {
            let dirs = entries.filter_map(|entry| entry.ok()?.file_type().ok());
            weight.checkpoints = dirs.filter(std::fs::FileType::is_dir).count() as u64;
        }
        add(self.path(), &mut weight);
        weight
    }
}

/// Links count as what they are: removing the folder does not remove what they lead to.
fn add(dir: &Path, weight: &mut Weight) {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_dir() {
            add(&entry.path(), weight);
        } else {
            weight.files += 1;
            weight.bytes += metadata.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Manifest;

    #[test]
    fn files_of_all_depths_count_and_checkpoints_by_their_folders() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &Manifest::new("train", vec![], "a")).unwrap();
        let described = folder.weight();
        assert_eq!((described.files, described.checkpoints), (1, 0));
        let saved = folder.checkpoints().join("000010");
        std::fs::create_dir_all(&saved).unwrap();
        std::fs::write(saved.join("weights"), [0; 1000]).unwrap();
        let weight = folder.weight();
        assert_eq!((weight.files, weight.checkpoints), (2, 1));
        assert_eq!(weight.bytes, described.bytes + 1000);
        assert!(!weight.report);
    }
}
