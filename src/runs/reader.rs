//! Reading a run, live or years later, by the same code: the lines that came since the last look, at most so many and for at
//! most so long, so that a screen that follows many runs stays quick.
//!
//! A line that is not finished is not there yet. A file that became another one is read from its beginning.

use std::fs::{File, Metadata};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::error::RunError;
use super::event::Event;
use super::folder::Folder;

/// The longest line that is believed; the groups of a step of a huge batch are a thousandth of that.
const MAX_LINE: u64 = 16 << 20;

/// How many bytes at the beginning of a file tell it from another one. They hold the time and the process of the first fact.
const HEAD: usize = 128;

/// A place in a run's `events.jsonl`.
#[derive(Debug, Clone)]
pub struct Reader {
    path: PathBuf,
    /// What was read up to: the beginning of a line.
    offset: u64,
    /// The first bytes of the file that `offset` is about.
    head: Vec<u8>,
    /// Length and time of the file when all of it was read, so that nothing is opened while nothing changes.
    seen: Option<(u64, Option<SystemTime>)>,
    /// Within a line that is too long to be one.
    skipping: bool,
    unreadable: u64,
}

/// What a look at a run gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The facts, oldest first.
    pub events: Vec<Event>,
    /// The file is another one than at the last look: what was read before is void, and `events` begins anew.
    pub anew: bool,
    /// There are more; look again at once.
    pub more: bool,
}

impl Reader {
    /// At the beginning of a run. Nothing is opened yet, and nothing has to be there.
    pub fn new(folder: &Folder) -> Self {
        Self {
            path: folder.events(),
            offset: 0,
            head: Vec::new(),
            seen: None,
            skipping: false,
            unreadable: 0,
        }
    }

    /// How many finished lines could not be understood so far: damaged, or of a newer program. They are passed over.
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// What came since the last call: at most `max_records`, and for about `max_time`. A run without events has none yet. An
    /// error where the file is there and cannot be read.
    pub fn poll(&mut self, max_records: usize, max_time: Duration) -> Result<Batch, RunError> {
        let path = self.path.clone();
        self.look(max_records, max_time)
            .map_err(RunError::files("read", &path))
    }

    fn look(&mut self, max_records: usize, max_time: Duration) -> io::Result<Batch> {
        let began = Instant::now();
        let mut batch = Batch::default();
        let absent = |e: &io::Error| e.kind() == io::ErrorKind::NotFound;
        let file = match std::fs::metadata(&self.path) {
            Ok(metadata) if self.seen == Some(mark(&metadata)) => return Ok(batch),
            Ok(_) => File::open(&self.path),
            Err(e) => Err(e),
        };
        let mut file = match file {
            Err(e) if absent(&e) => {
                batch.anew = self.offset > 0;
                self.rewind();
                return Ok(batch);
            }
            other => other?,
        };
        let metadata = file.metadata()?;
        if !self.is_continued_by(&mut file, metadata.len())? {
            batch.anew = true;
            self.rewind();
        }
        let mut reader = BufReader::with_capacity(64 << 10, file);
        reader.seek(SeekFrom::Start(self.offset))?;
        let mut line = Vec::new();
        loop {
            if batch.events.len() >= max_records
                || (!batch.events.is_empty() && began.elapsed() >= max_time)
            {
                batch.more = true;
                return Ok(batch);
            }
            line.clear();
            let n = reader
                .by_ref()
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)?;
            let whole = line.last() == Some(&b'\n');
            if !whole && (n as u64) < MAX_LINE {
                // Not yet there. The file may have grown since its length was asked, so this mark errs towards looking again.
                self.seen = Some(mark(&metadata));
                return Ok(batch);
            }
            if self.head.len() < HEAD && self.offset == self.head.len() as u64 {
                let more = HEAD - self.head.len();
                self.head.extend(line.iter().take(more));
            }
            self.offset += n as u64;
            match serde_json::from_slice(&line) {
                Ok(event) if whole && !self.skipping => batch.events.push(event),
                _ => self.unreadable += u64::from(whole),
            }
            self.skipping = !whole;
        }
    }

    fn rewind(&mut self) {
        self.offset = 0;
        self.head.clear();
        self.seen = None;
        self.skipping = false;
        self.unreadable = 0;
    }

    /// Whether the file is the one that was read, with perhaps more at its end.
    fn is_continued_by(&self, file: &mut File, length: u64) -> io::Result<bool> {
        if length < self.offset {
            return Ok(false);
        }
        let mut head = Vec::with_capacity(self.head.len());
        file.take(self.head.len() as u64).read_to_end(&mut head)?;
        if head != self.head {
            return Ok(false);
        }
        let mut last = [b'\n'];
        if self.offset > 0 && !self.skipping {
            file.seek(SeekFrom::Start(self.offset - 1))?;
            file.read_exact(&mut last)?;
        }
        Ok(last == [b'\n'])
    }
}

fn mark(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{Fact, Manifest};

    const ALL: Duration = Duration::from_mins(1);

    fn note(i: u64) -> Fact {
        Fact::Note {
            text: format!("note {i}"),
        }
    }

    /// A run of the facts `note 0`, `note 1`, … and the bytes of its file.
    fn run(notes: u64) -> (tempfile::TempDir, Folder, Vec<u8>) {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::create(root.path(), &Manifest::new("train", vec![], "a")).unwrap();
        folder.add((0..notes).map(note)).unwrap();
        let bytes = std::fs::read(folder.events()).unwrap();
        (root, folder, bytes)
    }

    fn facts(batch: &Batch) -> Vec<Fact> {
        batch.events.iter().map(|e| e.fact.clone()).collect()
    }

    #[test]
    fn a_line_is_there_when_it_is_finished_at_whatever_byte_the_file_ends() {
        let (_root, folder, bytes) = run(5);
        let lines = |end: usize| bytes[..end].split(|b| *b == b'\n').count() as u64 - 1;
        let mut follower = Reader::new(&folder);
        let mut followed = Vec::new();
        for end in 0..=bytes.len() {
            std::fs::write(folder.events(), &bytes[..end]).unwrap();
            let fresh = Reader::new(&folder).poll(99, ALL).unwrap();
            assert_eq!(facts(&fresh), (0..lines(end)).map(note).collect::<Vec<_>>());
            let batch = follower.poll(99, ALL).unwrap();
            assert!(!batch.anew && !batch.more, "at byte {end}");
            followed.extend(facts(&batch));
            assert_eq!(followed.len() as u64, lines(end), "at byte {end}");
        }
        assert_eq!(followed, (0..5).map(note).collect::<Vec<_>>());
        assert_eq!(follower.unreadable(), 0);
    }

    #[test]
    fn a_look_is_as_short_as_it_is_told_to_be() {
        let (_root, folder, _) = run(5);
        let mut reader = Reader::new(&folder);
        let first = reader.poll(2, ALL).unwrap();
        assert_eq!((first.events.len(), first.more), (2, true));
        let hurried = reader.poll(99, Duration::ZERO).unwrap();
        assert_eq!((facts(&hurried), hurried.more), (vec![note(2)], true));
        let rest = reader.poll(99, ALL).unwrap();
        assert_eq!((facts(&rest), rest.more), (vec![note(3), note(4)], false));
        assert_eq!(reader.poll(99, ALL).unwrap(), Batch::default());
        folder.add([note(5)]).unwrap();
        assert_eq!(facts(&reader.poll(99, ALL).unwrap()), [note(5)]);
    }

    #[test]
    fn a_file_that_became_another_is_read_anew() {
        let (_root, folder, bytes) = run(5);
        let mut reader = Reader::new(&folder);
        reader.poll(3, ALL).unwrap();
        let other = String::from_utf8(bytes.clone()).unwrap();
        let other = other.replace("note 0", "NOTE 0") + &other;
        std::fs::write(folder.events(), other).unwrap();
        let batch = reader.poll(99, ALL).unwrap();
        assert!(batch.anew);
        assert_eq!(batch.events.len(), 10);
        std::fs::write(folder.events(), &bytes[..bytes.len() / 2]).unwrap();
        let cut = reader.poll(99, ALL).unwrap();
        assert!(cut.anew && cut.events.len() == 2, "{cut:?}");
        std::fs::remove_file(folder.events()).unwrap();
        let gone = reader.poll(99, ALL).unwrap();
        assert!(gone.anew && gone.events.is_empty());
        assert_eq!(reader.poll(99, ALL).unwrap(), Batch::default());
        std::fs::write(folder.events(), &bytes).unwrap();
        assert_eq!(reader.poll(99, ALL).unwrap().events.len(), 5);
    }

    #[test]
    fn damaged_and_unknown_lines_are_passed_over_and_counted() {
        let (_root, folder, bytes) = run(2);
        let mut text = b"\0\0\xff garbage\n{\"time\": 1, \"event\": \"later\"}\n\n".to_vec();
        text.extend(&bytes);
        text.extend(vec![b'x'; MAX_LINE as usize + 3]);
        text.push(b'\n');
        text.extend(&bytes);
        std::fs::write(folder.events(), &text).unwrap();
        let mut reader = Reader::new(&folder);
        let batch = reader.poll(99, ALL).unwrap();
        assert_eq!(facts(&batch), [note(0), note(1), note(0), note(1)]);
        assert_eq!(reader.unreadable(), 4);
    }
}
