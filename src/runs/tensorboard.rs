//! TensorBoard's event files, written beside a run's own events so that existing dashboards show it, and read where another
//! trainer wrote them. Scalars only.
//!
//! A file is a sequence of TFRecords (length, masked CRC-32C of the length, content, masked CRC-32C of the content), each an
//! `Event` message of protocol buffers:
//! [record](https://github.com/tensorflow/tensorflow/blob/v2.18.0/tensorflow/core/lib/io/record_writer.h),
//! [event](https://github.com/tensorflow/tensorboard/blob/2.18.0/tensorboard/compat/proto/event.proto),
//! [summary](https://github.com/tensorflow/tensorboard/blob/2.18.0/tensorboard/compat/proto/summary.proto). Fields that are
//! not named below are passed over.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// CRC-32C (Castagnoli), reflected polynomial, a byte at a time.
const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let (mut crc, mut bit) = (i as u32, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 * (crc & 1));
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

/// The longest record that is believed: images may be in there, gigabytes are not.
const MAX_RECORD: u64 = 256 << 20;

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (crc >> 8) ^ CRC_TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize]
    })
}

/// As TFRecords store checksums, so that a checksum of data with checksums in it still means something.
fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut out = Vec::with_capacity(content.len() + 16);
    out.extend(length);
    out.extend(masked(&length).to_le_bytes());
    out.extend(content);
    out.extend(masked(content).to_le_bytes());
    out
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field that holds bytes: text, or another message.
fn bytes_field(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

/// The beginning of an `Event`: `wall_time` = 1, `step` = 2.
fn event(time: f64, step: u64) -> Vec<u8> {
    let mut out = vec![0x09];
    out.extend(time.to_le_bytes());
    out.push(0x10);
    varint(&mut out, step);
    out
}

/// An event file being written.
#[derive(Debug)]
pub(super) struct Board {
    file: File,
}

impl Board {
    /// Makes a new file in `dir`. TensorBoard reads the files of a folder in the order of their names, and these begin with
    /// the time.
    pub(super) fn create(dir: &Path, time: f64, host: &str) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let (seconds, pid) = (time as u64, std::process::id());
        let host = host.replace(['/', '\\'], "_");
        let mut number = 0;
        let file = loop {
            let name = format!("events.out.tfevents.{seconds:010}.{host}.{pid}.{number}");
            let file = OpenOptions::new()
                .append(true)
                .create_new(true)
                .open(dir.join(name));
            match file {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
                other => break other?,
            }
        };
        let mut board = Self { file };
        let mut first = event(time, 0);
        bytes_field(&mut first, 3, b"brain.Event:2");
        board.write(&first)?;
        Ok(board)
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.file.write_all(&record(content))
    }

    /// Values of one step: `summary` = 5, in it each `value` = 1 with `tag` = 1 and `simple_value` = 2. A name's first dot
    /// becomes the slash by which TensorBoard groups charts.
    pub(super) fn scalars(
        &mut self,
        (time, step): (f64, u64),
        values: &BTreeMap<String, f64>,
    ) -> io::Result<()> {
        let mut summary = Vec::new();
        for (name, value) in values {
            let mut one = Vec::new();
            bytes_field(&mut one, 1, name.replacen('.', "/", 1).as_bytes());
            one.push(0x15);
            one.extend((*value as f32).to_le_bytes());
            bytes_field(&mut summary, 1, &one);
        }
        let mut event = event(time, step);
        bytes_field(&mut event, 5, &summary);
        self.write(&event)
    }

    /// Steps from `step` on are done again: `session_log` = 7 with `status` = 1 START, upon which TensorBoard forgets them.
    pub(super) fn restart(&mut self, time: f64, step: u64) -> io::Result<()> {
        let mut event = event(time, step);
        bytes_field(&mut event, 7, &[0x08, 1]);
        self.write(&event)
    }
}

/// Values of one step in an event file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalars {
    pub(super) time: f64,
    pub(super) step: u64,
    pub(super) values: Vec<(String, f64)>,
    /// Steps from this one on are done again.
    pub(super) restart: bool,
}

/// A place in an event file that may still grow.
#[derive(Debug, Clone)]
pub(super) struct Tape {
    pub(super) path: PathBuf,
    offset: u64,
    /// A record that fails its checksum ends the reading: what follows cannot be told from it.
    damaged: bool,
}

impl Tape {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            offset: 0,
            damaged: false,
        }
    }

    /// What came since the last call, and whether there is more; a record that is not finished is not there yet.
    pub(super) fn read(&mut self, most: usize) -> io::Result<(Vec<Scalars>, bool)> {
        let mut found = Vec::new();
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        if length < self.offset {
            (self.offset, self.damaged) = (0, false);
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut reader = io::BufReader::new(file);
        while !self.damaged && length - self.offset >= 16 {
            if found.len() >= most {
                return Ok((found, true));
            }
            let mut head = [0; 12];
            reader.read_exact(&mut head)?;
            let (size, sum) = head.split_at(8);
            let [a, b, c, d, e, f, g, h] = size else {
                break;
            };
            let size_of = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            if sum != masked(size).to_le_bytes() || size_of > MAX_RECORD {
                self.damaged = true;
                break;
            }
            if length - self.offset < size_of + 16 {
                break;
            }
            let mut content = vec![0; size_of as usize + 4];
            reader.read_exact(&mut content)?;
            let (content, sum) = content.split_at(size_of as usize);
            if sum != masked(content).to_le_bytes() {
                self.damaged = true;
                break;
            }
            self.offset += size_of + 16;
            found.extend(scalars_of(content));
        }
        Ok((found, false))
    }
}

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Four([u8; 4]),
    Eight([u8; 8]),
}

/// The fields of a message with their numbers, up to the first that makes no sense.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Number(self.varint()?),
            1 => {
                let (bytes, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Field::Eight(*bytes)
            }
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.0.split_at_checked(length)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            5 => {
                let (bytes, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Field::Four(*bytes)
            }
            _ => return None,
        };
        Some((key >> 3, field))
    }
}

fn scalars_of(content: &[u8]) -> Option<Scalars> {
    let mut scalars = Scalars {
        time: 0.0,
        step: 0,
        values: Vec::new(),
        restart: false,
    };
    for field in Fields(content) {
        match field {
            (1, Field::Eight(time)) => scalars.time = f64::from_le_bytes(time),
            (2, Field::Number(step)) => scalars.step = step,
            (5, Field::Bytes(summary)) => {
                let values = Fields(summary).filter_map(|field| match field {
                    (1, Field::Bytes(value)) => scalar_of(value),
                    _ => None,
                });
                scalars.values.extend(values);
            }
            (7, Field::Bytes(log)) => {
                scalars.restart = Fields(log).any(|f| matches!(f, (1, Field::Number(1))));
            }
            _ => {}
        }
    }
    (scalars.restart || !scalars.values.is_empty()).then_some(scalars)
}

/// Name and value, from `simple_value` = 2, or from a `tensor` = 8 of one element as newer writers have it.
fn scalar_of(value: &[u8]) -> Option<(String, f64)> {
    let (mut tag, mut number) = (None, None);
    for field in Fields(value) {
        match field {
            (1, Field::Bytes(text)) => tag = Some(String::from_utf8_lossy(text).into_owned()),
            (2, Field::Four(x)) => number = Some(f64::from(f32::from_le_bytes(x))),
            (8, Field::Bytes(tensor)) => number = number_of(tensor),
            _ => {}
        }
    }
    tag.zip(number)
}

/// The one number of a `TensorProto` of floats (`dtype` = 1 is 1) or doubles (2): `tensor_content` = 4, `float_val` = 5,
/// `double_val` = 6.
fn number_of(tensor: &[u8]) -> Option<f64> {
    let mut kind = 0;
    for field in Fields(tensor) {
        match (field, kind) {
            ((1, Field::Number(k)), _) => kind = k,
            ((4 | 5, Field::Bytes(bytes)), 1) => {
                return Some(f64::from(f32::from_le_bytes(bytes.try_into().ok()?)));
            }
            ((4 | 6, Field::Bytes(bytes)), 2) => {
                return Some(f64::from_le_bytes(bytes.try_into().ok()?));
            }
            ((5, Field::Four(bytes)), 1) => return Some(f64::from(f32::from_le_bytes(bytes))),
            ((6, Field::Eight(bytes)), 2) => return Some(f64::from_le_bytes(bytes)),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // RFC 3720, B.4, and the masking of an empty record as TensorFlow writes it.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    /// A file that the `tensorboard` package (2.21, `EventFileWriter`) wrote: two simple values, a restart, and a
    const THEIRS: &[u8] = include_bytes!("golden.tfevents");

    #[test]
    fn a_file_of_the_original_writer_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.out.tfevents.1.h");
        std::fs::write(&path, THEIRS).unwrap();
        let (scalars, more) = Tape::new(path).read(99).unwrap();
        assert!(!more);
        let told: Vec<_> = scalars
            .iter()
            .map(|s| (s.step, s.values.clone(), s.restart))
            .collect();
        let one = |name: &str, value: f64| vec![(name.to_owned(), value)];
        assert_eq!(
            told,
            [
                (1, one("train/loss", 0.5), false),
                (300, one("train/loss", -0.25), false),
                (300, vec![], true),
                (301, one("eval/accuracy", 0.75), false),
            ]
        );
        assert_eq!(scalars[0].time, 1000.5);
    }

    #[test]
    fn what_is_written_is_read_at_whatever_byte_the_file_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut board = Board::create(dir.path(), 1e9, "a/b").unwrap();
        Board::create(dir.path(), 1e9, "a/b").unwrap();
        let values = BTreeMap::from([("train.loss.if".to_owned(), 0.5), ("x".into(), f64::NAN)]);
        board.scalars((5.5, 1), &values).unwrap();
        board.scalars((6.5, 1_000_000), &values).unwrap();
        board.restart(7.5, 2).unwrap();
        let name = format!(
            "events.out.tfevents.1000000000.a_b.{}.0",
            std::process::id()
        );
        let path = dir.path().join(name);
        let bytes = std::fs::read(&path).unwrap();
        let mut tape = Tape::new(path.clone());
        let mut read = Vec::new();
        for end in 0..=bytes.len() {
            std::fs::write(&path, &bytes[..end]).unwrap();
            read.extend(tape.read(99).unwrap().0);
        }
        let steps: Vec<_> = read.iter().map(|s| (s.time, s.step, s.restart)).collect();
        assert_eq!(
            steps,
            [(5.5, 1, false), (6.5, 1_000_000, false), (7.5, 2, true)]
        );
        assert_eq!(read[0].values[0], ("train/loss.if".into(), 0.5));
        assert!(read[1].values[1].1.is_nan());
        // One byte that fell over ends the reading before it.
        let mut damaged = bytes.clone();
        damaged[bytes.len() - 10] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        assert_eq!(Tape::new(path).read(99).unwrap().0.len(), 2);
    }
}
