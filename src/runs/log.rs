//! A log that may be long and may grow: a window of its lines, and where words are in it. It is looked through in pieces of
//! bounded cost, and no more of it is ever in memory than a window and the places of some of its lines.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// The place of one line in so many is kept.
const EVERY: usize = 256;
/// How much is looked through at a time.
const PIECE: u64 = 4 << 20;
/// The longest part of a line that is kept.
const LINE: usize = 8 << 10;
/// How much of the end is read where it is wanted before the whole was looked through.
const END: u64 = 256 << 10;
/// So many places of what is searched for are kept from the beginning, and at least as many from the end.
pub const MOST_HITS: usize = 10_000;

/// A log.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// How far it was looked through.
    index: Walk,
    /// Where every so manieth line begins.
    marks: Vec<u64>,
    search: Option<Search>,
}

/// A walk through the lines.
#[derive(Debug, Clone, Default)]
struct Walk {
    at: u64,
    /// Whole lines behind it.
    lines: usize,
    /// The beginning of the line that it is in.
    rest: Vec<u8>,
}

/// What is searched for.
#[derive(Debug)]
struct Search {
    words: String,
    walk: Walk,
    hits: Vec<usize>,
    /// How many were left out between the first and the last of them.
    missed: usize,
}

impl Log {
    /// A log in this file, which need not be there yet. Nothing is read.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            index: Walk::default(),
            marks: vec![0],
            search: None,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Looks for `words` from now on; nothing for none. Capital letters count only where the words have some.
    pub fn seek(&mut self, words: &str) {
        let same = |search: &Search| search.words == words;
        if words.is_empty() {
            self.search = None;
        } else if !self.search.as_ref().is_some_and(same) {
            self.search = Some(Search {
                words: words.to_owned(),
                walk: Walk::default(),
                hits: Vec::new(),
                missed: 0,
            });
        }
    }

    /// Looks through another piece; true if there is more to look through at once.
    pub fn poll(&mut self) -> io::Result<bool> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                self.begin_anew();
                return Ok(false);
            }
            Err(e) => return Err(e),
        };
        let length = file.metadata()?.len();
        if length < self.index.at {
            self.begin_anew();
        }
        let marks = &mut self.marks;
        let mut more = self.index.advance(&mut file, length, |line, _, end| {
            if (line + 1).is_multiple_of(EVERY) {
                marks.push(end);
            }
        })?;
        if let Some(search) = &mut self.search {
            let (words, hits) = (&search.words, &mut search.hits);
            let missed = &mut search.missed;
            more |= search.walk.advance(&mut file, length, |line, text, _| {
                if found(&shown(text), words).is_some() {
                    hits.push(line);
                }
                // Not one by one: what follows the first ones is moved each time.
                if hits.len() >= 3 * MOST_HITS {
                    hits.drain(MOST_HITS..2 * MOST_HITS);
                    *missed += MOST_HITS;
                }
            })?;
        }
        Ok(more)
    }

    fn begin_anew(&mut self) {
        self.index = Walk::default();
        self.marks = vec![0];
        if let Some(search) = &mut self.search {
            search.walk = Walk::default();
            search.hits.clear();
            search.missed = 0;
        }
    }

    /// How many lines were counted so far; one that is not ended counts.
    pub fn lines(&self) -> usize {
        self.index.lines + usize::from(!self.index.rest.is_empty())
    }

    /// The lines in which the words that are looked for were found so far, from 0, rising: of very many, the first and the last.
    pub fn hits(&self) -> &[usize] {
        self.search.as_ref().map_or(&[], |search| &search.hits)
    }

    /// How many more were found, all of them after the first [`MOST_HITS`] and before the rest.
    pub fn missed(&self) -> usize {
        self.search.as_ref().map_or(0, |search| search.missed)
    }

    /// `count` lines from the line `first`, as far as the log was looked through, as one would see them.
    pub fn window(&self, first: usize, count: usize) -> io::Result<Vec<String>> {
        let end = first.saturating_add(count).min(self.lines());
        let mut lines = self.whole_lines(first, end.min(self.index.lines))?;
        // A line that is not ended may be long and grow (a progress bar): it is not read once more.
        if first <= self.index.lines && self.index.lines < end {
            lines.push(shown(&self.index.rest));
        }
        Ok(lines)
    }

    /// The lines from `first` to before `end`, all of which are ended.
    fn whole_lines(&self, first: usize, end: usize) -> io::Result<Vec<String>> {
        if first >= end {
            return Ok(Vec::new());
        }
        let mark = (first / EVERY).min(self.marks.len() - 1);
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        file.seek(SeekFrom::Start(self.marks[mark]))?;
        let mut reader = BufReader::new(file);
        let mut lines = Vec::new();
        for at in mark * EVERY..end {
            let Some(line) = next_line(&mut reader)? else {
                break;
            };
            if at >= first {
                lines.push(shown(&line));
            }
        }
        Ok(lines)
    }

    /// The last `count` lines at most, even where the log was not looked through to its end yet.
    pub fn end(&self, count: usize) -> io::Result<Vec<String>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let from = file.metadata()?.len().saturating_sub(END);
        file.seek(SeekFrom::Start(from))?;
        let mut reader = BufReader::new(file.take(END));
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut reader)? {
            lines.push(shown(&line));
        }
        if from > 0 && lines.len() > 1 {
            // It begins within a line.
            lines.remove(0);
        }
        lines.drain(..lines.len().saturating_sub(count));
        Ok(lines)
    }
}

impl Walk {
    /// Goes a piece further, and tells of each line that ends in it: its number, its text, and where the next begins. True if the
    /// end was not reached.
    fn advance(
        &mut self,
        file: &mut File,
        length: u64,
        mut tell: impl FnMut(usize, &[u8], u64),
    ) -> io::Result<bool> {
        if self.at >= length {
            return Ok(false);
        }
        file.seek(SeekFrom::Start(self.at))?;
        let mut piece = Vec::new();
        file.take(PIECE).read_to_end(&mut piece)?;
        let begin = self.at;
        self.at += piece.len() as u64;
        let mut from = 0;
        while let Some(length) = piece[from..].iter().position(|b| *b == b'\n') {
            let end = from + length;
            keep(&mut self.rest, &piece[from..end]);
            tell(self.lines, &self.rest, begin + end as u64 + 1);
            self.rest.clear();
            self.lines += 1;
            from = end + 1;
        }
        keep(&mut self.rest, &piece[from..]);
        Ok(self.at < length)
    }
}

/// The next line, without its end; a long one is cut.
fn next_line(reader: &mut impl io::BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut any = false;
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(any.then_some(line));
        }
        any = true;
        let end = piece.iter().position(|b| *b == b'\n');
        keep(&mut line, &piece[..end.unwrap_or(piece.len())]);
        let used = end.map_or(piece.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            return Ok(Some(line));
        }
    }
}

/// Adds to a line as much as is kept of one: of what is painted over in place (a progress bar) only what is not painted over yet.
fn keep(line: &mut Vec<u8>, more: &[u8]) {
    let mut more = more;
    if line.len() + more.len() > LINE {
        let all = more.strip_suffix(b"\r").unwrap_or(more);
        if let Some(at) = all.iter().rposition(|b| *b == b'\r') {
            line.clear();
            more = &more[at + 1..];
        }
    }
    let room = LINE.saturating_sub(line.len());
    line.extend_from_slice(&more[..more.len().min(room)]);
}

/// What one would see of a line.
fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let last = text.rsplit('\r').find(|part| !part.is_empty());
    last.unwrap_or("").to_owned()
}

/// Where `words` are in `text` for the first time, in bytes. Capital letters count only where the words have some.
pub fn found(text: &str, words: &str) -> Option<std::ops::Range<usize>> {
    let n = words.len();
    if n == 0 {
        return None;
    }
    if words.chars().any(char::is_uppercase) {
        return text.find(words).map(|at| at..at + n);
    }
    // Only ASCII changes its case here, so that places in the one text are places in the other.
    let lower = text.to_ascii_lowercase();
    lower.find(words).map(|at| at..at + n)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    struct Place {
        dir: tempfile::TempDir,
        log: Log,
    }

    fn place(text: &str) -> Place {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.txt");
        std::fs::write(&path, text).unwrap();
        let log = Log::new(&path);
        Place { dir, log }
    }

    impl Place {
        fn add(&self, text: &str) {
            let mut file = File::options()
                .append(true)
                .open(self.dir.path().join("log.txt"))
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }

        fn read(&mut self) -> &Log {
            while self.log.poll().unwrap() {}
            &self.log
        }
    }

    #[test]
    fn any_window_of_a_long_log_is_there_and_grows_with_it() {
        let text: Vec<String> = (0..1000).map(|i| format!("line {i}\n")).collect();
        let mut place = place(&text.concat());
        let log = place.read();
        assert_eq!(log.lines(), 1000);
        assert_eq!(log.window(0, 2).unwrap(), ["line 0", "line 1"]);
        assert_eq!(log.window(255, 2).unwrap(), ["line 255", "line 256"]);
        assert_eq!(log.window(998, 9).unwrap(), ["line 998", "line 999"]);
        assert_eq!(log.end(1).unwrap(), ["line 999"]);
        place.add("half");
        assert_eq!(place.read().lines(), 1001);
        place.add(" a line\nmore\n");
        let log = place.read();
        assert_eq!(log.lines(), 1002);
        assert_eq!(log.window(1000, 5).unwrap(), ["half a line", "more"]);
    }

    #[test]
    fn a_window_never_reads_past_what_was_looked_through() {
        let line = format!("{}\n", "x".repeat(99));
        let mut place = place(&line.repeat(50_000));
        assert!(place.log.window(0, 2).unwrap().is_empty());
        assert!(place.log.poll().unwrap(), "it is longer than a piece");
        let known = place.log.lines();
        assert!(place.log.window(known, 5).unwrap().is_empty());
        assert!(place.log.window(49_000, 5).unwrap().is_empty());
        let last = place.log.window(known - 2, 5).unwrap();
        assert_eq!(last.len(), 2);
        assert_eq!(place.read().window(49_998, 5).unwrap().len(), 2);
    }

    #[test]
    fn a_line_that_is_not_ended_is_answered_from_what_was_kept() {
        let mut place = place("one\n 1%\r 2%");
        assert_eq!(place.read().window(0, 9).unwrap(), ["one", " 2%"]);
        place.add("\r 3%");
        assert_eq!(place.log.window(1, 9).unwrap(), [" 2%"]);
        assert_eq!(place.read().window(1, 9).unwrap(), [" 3%"]);
        assert!(place.log.window(2, 9).unwrap().is_empty());
        assert!(place.log.window(1, 0).unwrap().is_empty());
    }

    #[test]
    fn words_are_found_with_their_lines_and_in_what_comes_later() {
        let mut place = place("Loss 1\nready\nloss 2\n");
        place.log.seek("loss");
        assert_eq!(place.read().hits(), [0, 2]);
        place.add("no\nLOSS\n");
        assert_eq!(place.read().hits(), [0, 2, 4]);
        place.log.seek("Loss");
        assert_eq!(place.read().hits(), [0]);
        place.log.seek("");
        assert!(place.read().hits().is_empty());
        assert_eq!(found("größe LOSS", "loss"), Some(8..12));
    }

    #[test]
    fn of_very_many_finds_the_first_and_the_last_are_kept() {
        let mut place = place(&"loss\n".repeat(5 * MOST_HITS + 7));
        place.log.seek("loss");
        let log = place.read();
        let hits = log.hits();
        assert_eq!(hits.len() + log.missed(), 5 * MOST_HITS + 7);
        assert!(hits.len() < 3 * MOST_HITS && hits.is_sorted());
        assert_eq!(hits[MOST_HITS - 1], MOST_HITS - 1);
        assert_eq!(hits[hits.len() - MOST_HITS], 4 * MOST_HITS + 7);
        assert_eq!(hits.last(), Some(&(5 * MOST_HITS + 6)));
    }

    #[test]
    fn a_log_that_is_not_there_or_was_cut_begins_anew() {
        let mut place = place("one\ntwo\nthree\n");
        assert_eq!(place.read().lines(), 3);
        std::fs::write(place.log.path(), "new\n").unwrap();
        let log = place.read();
        assert_eq!(
            (log.lines(), log.window(0, 9).unwrap()),
            (1, vec!["new".to_owned()])
        );
        std::fs::remove_file(place.log.path()).unwrap();
        let log = place.read();
        assert_eq!(log.lines(), 0);
        assert!(log.window(0, 9).unwrap().is_empty() && log.end(9).unwrap().is_empty());
    }

    #[test]
    fn of_a_progress_bar_what_one_would_see_and_of_an_endless_line_its_beginning() {
        let bar: Vec<String> = (0..=5000).map(|i| format!("\rstep {i}")).collect();
        let mut place = place(&format!(
            "{}\r\n{}\nlast\n",
            bar.concat(),
            "x".repeat(20_000)
        ));
        let log = place.read();
        assert_eq!(log.lines(), 3);
        let lines = log.window(0, 3).unwrap();
        assert_eq!(lines[0], "step 5000");
        assert_eq!((lines[1].len(), lines[2].as_str()), (LINE, "last"));
    }
}
