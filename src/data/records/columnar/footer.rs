//! A Parquet file's footer, looked over before the `parquet` crate parses it: the crate follows the schema's tree by recursion
//! and reserves room for as many children as it is told of, and a stack or a memory that runs out cannot be caught. What the
//! bytes mean is in the format's `parquet.thrift` and Thrift's compact protocol.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

/// The largest footer that is read, in bytes. A thousand row groups of twenty columns take about 4 MiB.
const LARGEST: u64 = 256 << 20;

/// The deepest schema that is read. A list of structs takes four levels.
const DEEPEST: usize = 32;

/// How deep Thrift values may nest in fields that are passed over.
const DEEPEST_VALUE: usize = 32;

const MAGIC: &[u8] = b"PAR1";
const ENCRYPTED: &[u8] = b"PARE";

/// What the footer says; the error is in words.
pub(super) fn read(file: &mut File, size: u64) -> Result<ParquetMetaData, String> {
    let failed = |e: std::io::Error| e.to_string();
    let mut start = [0; 4];
    let mut tail = [0; 8];
    if size < 12 {
        return Err("it is too short for a Parquet file".into());
    }
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    file.read_exact(&mut start).map_err(failed)?;
    file.seek(SeekFrom::Start(size - 8)).map_err(failed)?;
    file.read_exact(&mut tail).map_err(failed)?;
    if start != MAGIC && start != ENCRYPTED {
        return Err("it does not begin as a Parquet file does".into());
    }
    if start == ENCRYPTED || tail[4..] == *ENCRYPTED {
        return Err("it is encrypted, which is not read".into());
    }
    if tail[4..] != *MAGIC {
        return Err(
            "it is cut short: the end of a Parquet file is missing; download it again".into(),
        );
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > LARGEST || length + 12 > size {
        return Err("it is broken: its footer is larger than it can be".into());
    }
    file.seek(SeekFrom::Start(size - 8 - length))
        .map_err(failed)?;
    let mut footer = vec![0; usize::try_from(length).map_err(|e| e.to_string())?];
    file.read_exact(&mut footer).map_err(failed)?;
    check(&footer)?;
    super::guarded(|| ParquetMetaDataReader::decode_metadata(&footer))
}

/// Whether the schema is a tree that can be followed.
fn check(footer: &[u8]) -> Result<(), String> {
    let mut thrift = Thrift { rest: footer };
    let children = thrift
        .children()
        .ok_or("it is broken: its footer cannot be read")?;
    // How many elements are still to come of each group around the present one.
    let mut open: Vec<usize> = Vec::new();
    for (at, below) in children.iter().enumerate() {
        while open.pop_if(|left| *left == 0).is_some() {}
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if *below > children.len() - at - 1 {
            return Err("it is broken: its footer names columns that are not there".into());
        }
        if *below > 0 {
            open.push(*below);
        }
        if open.len() > DEEPEST {
            return Err(format!(
                "its columns are nested too deeply, more than {DEEPEST} levels"
            ));
        }
    }
    Ok(())
}

/// Bytes in Thrift's compact protocol. `None` from any of its methods: they are not.
struct Thrift<'a> {
    rest: &'a [u8],
}

/// The types of the compact protocol that matter here.
mod kind {
    pub(super) const STOP: u8 = 0;
    pub(super) const I32: u8 = 5;
    pub(super) const LIST: u8 = 9;
    pub(super) const STRUCT: u8 = 12;
}

impl Thrift<'_> {
    /// The number of children of each element of the schema: `FileMetaData` has it as its second field, a list of
    /// `SchemaElement`, whose fifth field it is.
    fn children(&mut self) -> Option<Vec<usize>> {
        let mut id = 0;
        loop {
            let kind = self.field(&mut id)?;
            match (kind, id) {
                (kind::STOP, _) => return None,
                (kind::LIST, 2) => break,
                _ => self.skip(kind, 0)?,
            }
        }
        let (length, element) = self.list()?;
        if element != kind::STRUCT {
            return None;
        }
        let mut children = Vec::new();
        for _ in 0..length {
            let (mut id, mut below) = (0, 0);
            loop {
                match (self.field(&mut id)?, id) {
                    (kind::STOP, _) => break,
                    (kind::I32, 5) => below = usize::try_from(zigzag(self.number()?)).ok()?,
                    (kind, _) => self.skip(kind, 0)?,
                }
            }
            children.push(below);
        }
        Some(children)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The type of the next field of a struct, whose number takes the place of the one before.
    fn field(&mut self, id: &mut i64) -> Option<u8> {
        let head = self.byte()?;
        let kind = head & 0xf;
        if kind != kind::STOP {
            *id = match head >> 4 {
                0 => zigzag(self.number()?),
                more => id.checked_add(i64::from(more))?,
            };
        }
        Some(kind)
    }

    /// The length of a list, and the type of what is in it.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let length = match head >> 4 {
            15 => self.number()?,
            short => u64::from(short),
        };
        Some((length, head & 0xf))
    }

    /// Passes over a field's value.
    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEPEST_VALUE {
            return None;
        }
        match kind {
            // A field's truth is in its type.
            1 | 2 => {}
            3 => drop(self.byte()?),
            4..=6 => drop(self.number()?),
            7 => self.pass(8)?,
            8 => {
                let length = self.number()?;
                self.pass(length)?;
            }
            kind::LIST | 10 => {
                let (length, element) = self.list()?;
                for _ in 0..length {
                    self.skip_element(element, depth)?;
                }
            }
            11 => {
                let length = self.number()?;
                let kinds = if length > 0 { self.byte()? } else { 0 };
                for _ in 0..length {
                    self.skip_element(kinds >> 4, depth)?;
                    self.skip_element(kinds & 0xf, depth)?;
                }
            }
            kind::STRUCT => {
                let mut id = 0;
                loop {
                    match self.field(&mut id)? {
                        kind::STOP => break,
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn skip_element(&mut self, kind: u8, depth: usize) -> Option<()> {
        match kind {
            // In a list a truth takes a byte.
            1 | 2 => drop(self.byte()?),
            kind => self.skip(kind, depth + 1)?,
        }
        Some(())
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }
}

fn zigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer with a schema alone: each element has a name and so many children.
    fn footer(children: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0x15, 2, 0x19, 0xfc];
        let varint = |bytes: &mut Vec<u8>, mut number: u32| {
            while number >= 0x80 {
                bytes.push(number as u8 | 0x80);
                number >>= 7;
            }
            bytes.push(number as u8);
        };
        varint(&mut bytes, children.len() as u32);
        for below in children {
            bytes.extend([0x48, 1, b'x']);
            if *below > 0 {
                bytes.push(0x15);
                varint(&mut bytes, below << 1);
            }
            bytes.push(0);
        }
        bytes.push(0);
        bytes
    }

    #[test]
    fn a_schema_is_followed_to_its_leaves() {
        assert_eq!(check(&footer(&[3, 0, 2, 0, 0, 0])), Ok(()));
        let mut thrift = Thrift {
            rest: &footer(&[2, 0, 300]),
        };
        assert_eq!(thrift.children(), Some(vec![2, 0, 300]));
    }

    #[test]
    fn a_schema_that_would_exhaust_stack_or_memory_is_refused() {
        let deep: Vec<u32> = vec![1; 100_000];
        let error = check(&footer(&deep)).unwrap_err();
        assert!(error.contains("nested too deeply"), "{error}");
        let error = check(&footer(&[2, 0, 1 << 30])).unwrap_err();
        assert!(error.contains("columns that are not there"), "{error}");
        for end in 0..20 {
            assert!(check(&footer(&[2, 0, 0])[..end.min(12)]).is_err(), "{end}");
        }
    }
}
