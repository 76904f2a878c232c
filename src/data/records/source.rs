//! A text file as the readers of records see it: a window onto its bytes that grows at the end as far as one record needs and
//! is dropped at the front, with the line that its first byte is on.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use super::error::{Place, RecordError};

/// The largest record that is read, in bytes: a file in which one never ends must not fill the memory.
pub(super) const LONGEST: usize = 64 << 20;

/// How much is read at a time, in bytes.
const BLOCK: usize = 1 << 18;

/// The least that is read at a time.
const SMALLEST: usize = 1 << 9;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An open file and what has been read of it and is still needed.
#[derive(Debug)]
pub(super) struct Source {
    path: Arc<Path>,
    file: File,
    /// In bytes, when it was opened.
    total: u64,
    /// Bytes that left the window.
    behind: u64,
    /// The window is `start..end` of it; what follows is room.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// The line of the window's first byte, from 1.
    line: u64,
    /// The file's end lies in the window.
    ended: bool,
    /// The largest window, in bytes.
    longest: usize,
}

impl Source {
    /// Opens a file with its first block in the window and a byte order mark skipped.
    pub(super) fn open(path: &Path) -> Result<Self, RecordError> {
        Self::open_up_to(path, LONGEST)
    }

    /// As [`open`](Self::open), for records of at most `longest` bytes, give or take a block.
    pub(super) fn open_up_to(path: &Path, longest: usize) -> Result<Self, RecordError> {
        let (file, total) = open_file(path)?;
        let mut source = Self {
            path: Arc::from(path),
            file,
            total,
            behind: 0,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            line: 1,
            ended: false,
            longest,
        };
        source.more()?;
        if source.window().starts_with(BYTE_ORDER_MARK) {
            source.advance(BYTE_ORDER_MARK.len());
        }
        let utf16 = [&b"\xff\xfe"[..], b"\xfe\xff"];
        if utf16.iter().any(|mark| source.window().starts_with(mark)) {
            return Err(source.broken("it is UTF-16; save it as UTF-8"));
        }
        Ok(source)
    }

    /// What is there to look at. It ends in the middle of anything until [`more`](Self::more) says that the file does.
    pub(super) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Reads on at the window's end; false at the end of the file.
    pub(super) fn more(&mut self) -> Result<bool, RecordError> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end >= self.longest {
            return Err(self.broken(format!(
                "what begins here has not ended after {} MiB, the most that is read of one record",
                self.longest >> 20
            )));
        }
        // Records longer than a block are rare; doubling keeps them from being moved again and again. A file that is smaller
        // than a block needs little more room than it has bytes.
        let left = self.total.saturating_sub(self.behind + self.end as u64);
        let block = BLOCK.min(usize::try_from(left).unwrap_or(BLOCK).max(SMALLEST));
        let room = self.end + block.max(self.end);
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        loop {
            match self.file.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(unreadable(&self.path, e.to_string())),
            }
        }
    }

    /// Drops the window's first `bytes`.
    pub(super) fn advance(&mut self, bytes: usize) {
        let bytes = bytes.min(self.end - self.start);
        let gone = &self.buffer[self.start..self.start + bytes];
        self.line += line_ends(gone);
        self.start += bytes;
        self.behind += bytes as u64;
    }

    /// Drops white space; the byte after it, or `None` at the end of the file.
    pub(super) fn skip_space(&mut self) -> Result<Option<u8>, RecordError> {
        loop {
            let window = self.window();
            let space = window.iter().take_while(|b| is_space(**b)).count();
            let next = window.get(space).copied();
            self.advance(space);
            if next.is_some() || !self.more()? {
                return Ok(next);
            }
        }
    }

    /// The line of the window's first byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The place of the window's first byte.
    pub(super) fn place(&self) -> Place {
        Place::line(&self.path, self.line)
    }

    /// That the file cannot be read from the window on.
    pub(super) fn broken(&self, what: impl Into<String>) -> RecordError {
        self.place().broken(what)
    }

    /// Bytes that left the window.
    pub(super) fn behind(&self) -> u64 {
        self.behind
    }

    /// Bytes of the file when it was opened.
    pub(super) fn total(&self) -> u64 {
        self.total
    }
}

/// What JSON takes for white space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[allow(
    clippy::naive_bytecount,
    reason = "a crate for it would save a hundredth of the time that parsing takes"
)]
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

/// A plain file and its size in bytes. Folders, pipes and devices are refused.
pub(super) fn open_file(path: &Path) -> Result<(File, u64), RecordError> {
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(|e| unreadable(path, e.to_string()))?;
    if metadata.is_dir() {
        return Err(unreadable(path, "it is a folder; name a file in it".into()));
    }
    if !metadata.is_file() {
        return Err(unreadable(path, "it is not a file".into()));
    }
    let file = File::open(path).map_err(|e| unreadable(path, e.to_string()))?;
    Ok((file, metadata.len()))
}

pub(super) fn unreadable(path: &Path, why: String) -> RecordError {
    RecordError::Unreadable {
        file: path.to_path_buf(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(bytes: &[u8]) -> Result<Source, RecordError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        std::fs::write(&path, bytes).unwrap();
        Source::open(&path)
    }

    #[test]
    fn the_window_moves_over_a_file_of_many_blocks_and_counts_its_lines() {
        let text: Vec<u8> = (0..200_000)
            .flat_map(|i| format!("{i}\n").into_bytes())
            .collect();
        let mut source = source(&text).unwrap();
        let (mut seen, mut at) = (Vec::new(), 0);
        while source.skip_space().unwrap().is_some() {
            // In steps that are none of the block's, so that windows end anywhere.
            let take = source.window().len().min(1000 + at % 77);
            seen.extend_from_slice(&source.window()[..take]);
            at += take;
            source.advance(take);
        }
        assert!(source.behind() == text.len() as u64 && source.total() == source.behind());
        assert_eq!(source.line(), 200_001);
        let digits = |bytes: &[u8]| bytes.iter().filter(|b| !is_space(**b)).count();
        assert_eq!(digits(&seen), digits(&text));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
        assert_eq!(source(b"\xef\xbb\xbf[]").unwrap().window(), b"[]");
        assert_eq!(source(b"\xef\xbb").unwrap().window(), b"\xef\xbb");
        let error = source(b"\xff\xfe[\0]\0").unwrap_err().to_string();
        assert!(
            error.contains("a.json:1: it is UTF-16; save it as UTF-8"),
            "{error}"
        );
    }

    #[test]
    fn folders_and_missing_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Source::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("it is a folder"), "{error}");
        assert!(error.ends());
        let error = Source::open(&dir.path().join("no.json")).unwrap_err();
        assert!(error.to_string().contains("no.json"), "{error}");
    }
}
