//! The files of shards: lines of JSON, appended one by one, and read again by other processes and on other machines.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::plan::{PART, WHOLE};
use crate::runs::folder::replace;
use crate::runs::{Folder, RunError};

/// What is done of a shard, while its process adds to it.
#[derive(Debug)]
pub struct Done {
    path: PathBuf,
    file: File,
}

impl Done {
    /// Opens the file of a shard, of which so many bytes were understood: what a kill left after them is cut off.
    pub fn open(folder: &Folder, shard: usize, understood: u64) -> Result<Self, RunError> {
        let path = folder.shard_file(shard, PART);
        let open = OpenOptions::new().create(true).append(true).open(&path);
        let file = open.map_err(RunError::files("open", &path))?;
        file.set_len(understood)
            .map_err(RunError::files("cut", &path))?;
        Ok(Self { path, file })
    }

    /// Appends a line, with one call, so that a kill leaves what came before as it is.
    pub fn add(&mut self, line: &impl Serialize) -> Result<(), RunError> {
        let write = |file: &mut File| {
            let mut text = serde_json::to_vec(line)?;
            text.push(b'\n');
            file.write_all(&text)
        };
        write(&mut self.file).map_err(RunError::files("write", &self.path))
    }
}

/// Gives the file of a shard its other name: all is done.
pub fn finish(folder: &Folder, shard: usize) -> Result<(), RunError> {
    let (part, whole) = (
        folder.shard_file(shard, PART),
        folder.shard_file(shard, WHOLE),
    );
    File::open(&part)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&part, whole))
        .map_err(RunError::files("rename", &part))
}

/// Writes a file of JSON in one step.
pub fn keep(path: &Path, value: &impl Serialize) -> Result<(), RunError> {
    let mut text = serde_json::to_vec(value)
        .map_err(io::Error::from)
        .map_err(RunError::files("write", path))?;
    text.push(b'\n');
    replace(path, &text)
}

/// Calls `take` with each line's value, in order. `torn` says that the last line may be cut short; any other that cannot be
/// understood is an error. The length of what was understood, in bytes; 0 where there is no such file.
pub fn each<T: DeserializeOwned, E: From<RunError>>(
    path: &Path,
    torn: bool,
    take: &mut dyn FnMut(T) -> Result<(), E>,
) -> Result<u64, E> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if torn && e.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(RunError::files("read", path)(e).into()),
    };
    let mut reader = BufReader::new(file);
    let (mut line, mut length, mut number) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        let read = reader
            .read_until(b'\n', &mut line)
            .map_err(RunError::files("read", path))?;
        number += 1;
        if read == 0 || (torn && !line.ends_with(b"\n")) {
            return Ok(length);
        }
        match serde_json::from_slice(&line) {
            Ok(value) => take(value)?,
            // After a machine went down, the end of a file may be anything.
            Err(_) if torn && reader.fill_buf().is_ok_and(<[u8]>::is_empty) => return Ok(length),
            Err(e) => {
                let path = path.display();
                let wrong = format!("{path}:{number}: not what erw wrote there: {e}");
                return Err(RunError::Shards(wrong).into());
            }
        }
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Manifest;

    fn read(path: &Path, torn: bool) -> Result<(Vec<u32>, u64), RunError> {
        let mut all = Vec::new();
        let length = each(path, torn, &mut |value: u32| {
            all.push(value);
            Ok::<_, RunError>(())
        })?;
        Ok((all, length))
    }

    #[test]
    fn what_a_kill_cut_short_is_done_again_and_the_rest_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &Manifest::new("score", vec![], "a")).unwrap();
        fs::create_dir(folder.shards_dir()).unwrap();
        let part = folder.shard_file(0, PART);
        assert_eq!(read(&part, true).unwrap(), (vec![], 0));
        let mut done = Done::open(&folder, 0, 0).unwrap();
        done.add(&11).unwrap();
        done.add(&12).unwrap();
        let mut file = OpenOptions::new().append(true).open(&part).unwrap();
        file.write_all(b"13").unwrap();
        let (all, understood) = read(&part, true).unwrap();
        assert_eq!((all, understood), (vec![11, 12], 6));
        assert!(read(&part, false).is_ok_and(|(all, _)| all == [11, 12, 13]));
        let mut done = Done::open(&folder, 0, understood).unwrap();
        done.add(&14).unwrap();
        assert!(!super::super::is_done(&folder, 0));
        finish(&folder, 0).unwrap();
        assert!(super::super::is_done(&folder, 0));
        let whole = folder.shard_file(0, WHOLE);
        assert_eq!(read(&whole, false).unwrap().0, [11, 12, 14]);
        assert_eq!(super::super::left(&folder, 3), [1, 2]);
    }

    #[test]
    fn a_line_that_is_none_is_named_unless_it_is_the_last_of_a_file_that_may_be_torn() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "1\nx\n3\n").unwrap();
        for torn in [false, true] {
            let error = read(&path, torn).unwrap_err().to_string();
            assert!(error.contains(":2: not what erw wrote"), "{error}");
        }
        fs::write(&path, "1\n\0\0\n").unwrap();
        assert_eq!(read(&path, true).unwrap(), (vec![1], 2));
    }
}
