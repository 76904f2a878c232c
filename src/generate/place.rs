//! Where a candidate's image goes: a folder for each group, a file for each editor and seed, names that are safe as such whatever
//! groups and editors are called, and nothing ever written over.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// The most characters of a name that are kept.
const LONGEST: usize = 60;

/// What systems do not take as the name of a file, whatever its ending.
const RESERVED: &[&str] = &["con", "prn", "aux", "nul"];

/// The name as a part of a path: letters, digits, '-', '_' and '.', not beginning with a dot. A name that is not such a one by
/// itself gets a piece of its hash, so that different names stay different.
pub(super) fn component(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut part: String = name
        .chars()
        .map(|c| if safe(c) { c } else { '-' })
        .take(LONGEST)
        .collect();
    if part.starts_with('.') {
        part.replace_range(..1, "-");
    }
    let stem = part.split('.').next().unwrap_or_default().to_lowercase();
    let port = |prefix: &str| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|n| n.len() == 1)
    };
    let reserved = RESERVED.contains(&stem.as_str()) || port("com") || port("lpt");
    if part == name && !part.is_empty() && !reserved && !part.ends_with('.') {
        return part;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    format!("{}-{}", part.trim_end_matches('.'), &hash.as_str()[..8])
}

/// A path below `out`, with '/' between its parts, at which there is nothing yet.
pub(super) fn free(out: &Path, group: &str, editor: &str, seed: u64, ending: &str) -> String {
    let (group, editor) = (component(group), component(editor));
    let path = |number: u32| match number {
        1 => format!("{group}/{editor}-{seed}.{ending}"),
        n => format!("{group}/{editor}-{seed}-{n}.{ending}"),
    };
    let mut number = 1;
    while out.join(path(number)).symlink_metadata().is_ok() {
        number += 1;
    }
    path(number)
}

/// Where an image waits until it is known of.
pub(super) fn beside(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".new-{name}"))
}

/// Writes an image beside its place, to the disk.
pub(super) fn write_beside(file: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut new = File::create(beside(file))?;
    new.write_all(bytes)?;
    new.sync_all()
}

/// Puts an image in its place.
pub(super) fn settle(file: &Path) -> io::Result<()> {
    fs::rename(beside(file), file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_stay_and_others_become_parts_of_paths_that_lead_nowhere_else() {
        for plain in ["bison-01", "a_b.c", "7", "set", "COM10", "console"] {
            assert_eq!(component(plain), plain);
        }
        let long = "x".repeat(500);
        let odd = [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "a b",
            "ä",
            "-\n",
            ".hidden",
            "con",
            "NUL.png",
            "lpt1",
            "a.",
            "a:b",
            &long,
        ];
        let parts: Vec<String> = odd.iter().map(|name| component(name)).collect();
        for (name, part) in odd.iter().zip(&parts) {
            let path = Path::new(part);
            assert_eq!(path.components().count(), 1, "{name}: {part}");
            assert!(
                path.file_name().is_some() && !part.starts_with('.'),
                "{name}: {part}"
            );
            assert!(
                part.len() <= LONGEST + 9 && !part.ends_with('.'),
                "{name}: {part}"
            );
        }
        let mut distinct = parts.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), odd.len(), "{parts:?}");
    }

    #[test]
    fn what_is_there_is_never_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let next = || free(dir.path(), "g/1", "e", 3, "png");
        let folder = component("g/1");
        assert_eq!(next(), format!("{folder}/e-3.png"));
        let file = dir.path().join(next());
        write_beside(&file, b"one").unwrap();
        assert!(!file.exists());
        settle(&file).unwrap();
        assert_eq!(next(), format!("{folder}/e-3-2.png"));
        assert_eq!(fs::read(&file).unwrap(), b"one");
        assert!(!beside(&file).exists());
    }
}
