//! One image out of a Parquet file, by a reference that is written like a path: `<file>#<row>/<column>`.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader as _;

use super::pages::RowGroup;
use super::schema;
use super::{Opened, check_codec, guarded};
use crate::domain::ImageRef;

/// What the file's name ends in before the `#`; no other file is looked into.
const ENDING: &str = ".parquet";

/// A reference to one cell of a Parquet file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::data) struct CellRef<'a> {
    /// The file, as the reference has it.
    pub file: &'a str,
    row: u64,
    column: &'a str,
}

/// Why a cell cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::data) enum CellError {
    /// It has so many bytes, more than the limit.
    TooLarge(u64),
    /// Anything else, in words.
    Unreadable(String),
}

impl<'a> CellRef<'a> {
    /// `None` for what is a plain path.
    pub(in crate::data) fn parse(reference: &'a str) -> Option<Self> {
        reference.match_indices('#').find_map(|(at, _)| {
            let (file, rest) = (&reference[..at], &reference[at + 1..]);
            let (row, column) = rest.split_once('/')?;
            let ending = file.len().checked_sub(ENDING.len())?;
            let ends = file.get(ending..)?.eq_ignore_ascii_case(ENDING);
            let digits = !row.is_empty() && row.bytes().all(|b| b.is_ascii_digit());
            (ends && digits && !column.is_empty()).then_some(())?;
            let row = row.parse().ok()?;
            Some(Self { file, row, column })
        })
    }

    /// The bytes in the cell, at most `limit`. Of the file only the footer and the page with the cell are read.
    pub(in crate::data) fn read(&self, file: &File, limit: u64) -> Result<Vec<u8>, CellError> {
        let failed = |e: std::io::Error| CellError::Unreadable(e.to_string());
        let size = file.metadata().map_err(failed)?.len();
        let file = file.try_clone().map_err(failed)?;
        let opened = Opened::new(file, size).map_err(CellError::Unreadable)?;
        let found = guarded(|| Ok(self.find(&opened, limit)));
        found.map_err(CellError::Unreadable)?
    }

    fn find(&self, opened: &Opened, limit: u64) -> Result<Vec<u8>, CellError> {
        let wrong = |what: String| CellError::Unreadable(what);
        let path: Arc<Path> = Arc::from(Path::new(self.file));
        let (sheet, _) = schema::sort(&path, &opened.schema());
        let image = sheet.images.iter().find(|i| i.name == self.column);
        let leaf = image
            .ok_or_else(|| wrong(format!("there is no column of images '{}'", self.column)))?
            .leaf;
        let mut before = 0;
        for metadata in opened.metadata.row_groups() {
            let rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
            if self.row < before + rows {
                let chunk = metadata.column(leaf);
                check_codec(chunk.compression(), self.column).map_err(wrong)?;
                let group = RowGroup::new(&opened.file, metadata);
                let cell = guarded(|| read_one(&group, leaf, (self.row - before) as usize));
                let bytes = cell.map_err(wrong)?.ok_or_else(|| {
                    wrong(format!(
                        "row {} has no bytes in '{}'",
                        self.row, self.column
                    ))
                })?;
                return match bytes.len() as u64 {
                    length if length > limit => Err(CellError::TooLarge(length)),
                    _ => Ok(bytes.data().to_vec()),
                };
            }
            before += rows;
        }
        Err(wrong(format!(
            "there is no row {}: the file has {before}, counted from 0",
            self.row
        )))
    }
}

fn read_one(
    group: &RowGroup<'_>,
    leaf: usize,
    row: usize,
) -> Result<Option<parquet::data_type::ByteArray>, ParquetError> {
    let mut reader = get_typed_column_reader::<ByteArrayType>(group.get_column_reader(leaf)?);
    reader.skip_records(row)?;
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    reader.read_records(1, Some(&mut levels), None, &mut values)?;
    Ok(values.pop())
}

/// Writes a reference; the file's path becomes absolute, so that it means the same wherever it is read.
pub(super) fn reference(file: &Path, row: u64, column: &str) -> Result<ImageRef, String> {
    let absolute = std::path::absolute(file).map_err(|e| e.to_string())?;
    let path = absolute
        .to_str()
        .ok_or("lies in a file whose path is not UTF-8; rename it")?;
    let reference = format!("{path}#{row}/{column}");
    match CellRef::parse(&reference) {
        Some(cell) if cell.file == path => Ok(ImageRef(reference)),
        _ => Err(format!(
            "lies in a file whose name does not end in {ENDING}; rename it"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_told_from_a_path() {
        let parse = |text| CellRef::parse(text).map(|c| (c.file, c.row, c.column));
        assert_eq!(
            parse("/a/b.parquet#17/source_img"),
            Some(("/a/b.parquet", 17, "source_img"))
        );
        assert_eq!(
            parse("a#1/b.PARQUET#0/x/y#2/z"),
            Some(("a#1/b.PARQUET", 0, "x/y#2/z"))
        );
        for plain in [
            "a.parquet",
            "a#1/b.png",
            "a.parquet#x/y",
            "a.parquet#1/",
            "a.parquet#/y",
            "a.parquet#+1/y",
            "a.parquet#99999999999999999999/y",
            "é#1/y",
        ] {
            assert_eq!(parse(plain), None, "{plain}");
        }
    }

    #[test]
    fn a_reference_is_absolute_and_can_be_read_back() {
        let made = reference(Path::new("set/a.parquet"), 3, "left/img").unwrap();
        let read = CellRef::parse(&made.0).unwrap();
        assert!(Path::new(read.file).is_absolute() && read.file.ends_with("a.parquet"));
        assert_eq!((read.row, read.column), (3, "left/img"));
        assert!(
            reference(Path::new("a.pq"), 3, "x")
                .unwrap_err()
                .contains("rename it")
        );
    }
}
