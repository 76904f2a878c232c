//! Cutting what there is to do into shards.

use std::fs;
use std::io::{BufWriter, IntoInnerError, Write as _};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::part::Shard;
use super::plan::{IN, WHOLE};
use crate::runs::folder::publish;
use crate::runs::{Ending, Fact, Folder, RunError};

/// The files of all shards while they are written; they get their names at the end.
#[derive(Debug)]
pub struct Cut<'a> {
    folder: &'a Folder,
    files: Vec<BufWriter<NamedTempFile>>,
    wanted: Vec<usize>,
}

impl<'a> Cut<'a> {
    /// Begins to cut the work of the run in `folder` into so many shards.
    pub fn begin(folder: &'a Folder, shards: usize) -> Result<Self, RunError> {
        let dir = folder.shards_dir();
        fs::create_dir_all(&dir).map_err(RunError::files("create", &dir))?;
        let make = |_| NamedTempFile::new_in(&dir).map(BufWriter::new);
        let files = (0..shards).map(make).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            files: files.map_err(RunError::files("create a file in", &dir))?,
            wanted: vec![0; shards],
            folder,
        })
    }

    /// Adds a line with so much to do to the shard of its source.
    pub fn add(
        &mut self,
        source: &str,
        line: &impl Serialize,
        wanted: usize,
    ) -> Result<(), RunError> {
        let shard = Shard::of_source(source, self.files.len());
        self.wanted[shard] += wanted;
        let file = &mut self.files[shard];
        serde_json::to_writer(&mut *file, line)
            .map_err(Into::into)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(RunError::files("write", &self.folder.shards_dir()))
    }

    /// Gives the files their names, and the folders of those who will work on them their first facts: how much there is to do, in
    /// the unit that progress is told in. How much it is in all.
    pub fn end(self, unit: &str) -> Result<usize, RunError> {
        let shards = self.files.into_iter().zip(&self.wanted).enumerate();
        for (shard, (file, wanted)) in shards {
            settle(self.folder, shard, file, (*wanted, unit))?;
        }
        Ok(self.wanted.iter().sum())
    }
}

/// Gives a shard's file its name, and its folder the first facts. One with nothing to do is done.
fn settle(
    folder: &Folder,
    shard: usize,
    file: BufWriter<NamedTempFile>,
    (wanted, unit): (usize, &str),
) -> Result<(), RunError> {
    let path = folder.shard_file(shard, IN);
    let written = file.into_inner().map_err(IntoInnerError::into_error);
    let file = written.map_err(RunError::files("write", &path))?;
    publish(file, &path).map_err(RunError::files("write", &path))?;
    let member = folder.shard(shard);
    fs::create_dir_all(member.path()).map_err(RunError::files("create", member.path()))?;
    let progress = Fact::Progress {
        done: 0,
        total: Some(wanted as u64),
        unit: unit.into(),
    };
    if wanted == 0 {
        let path = folder.shard_file(shard, WHOLE);
        fs::write(&path, "").map_err(RunError::files("write", &path))?;
        let ended = Fact::Ended {
            ending: Ending::Done,
            reason: "there was nothing to do".into(),
        };
        return member.add([progress, ended]);
    }
    let queued = Fact::Queued {
        device: "shard".into(),
    };
    member.add([queued, progress])
}
