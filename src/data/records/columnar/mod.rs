//! Parquet. Rows are read without the bytes of their images, which would be nearly all of a file; each image is a reference to
//! its cell, and [`CellRef`] reads one.
//!
//! The `parquet` crate trusts a file in places: what can be checked before it does is (`footer`, `pages`, `schema`), and where
//! it still panics the panic ends here, as an error of the file.

mod cell;
mod footer;
mod pages;
mod schema;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::ByteArrayType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::RowGroupReader as _;
use parquet::file::statistics::Statistics;
use parquet::record::reader::{ReaderIter, TreeBuilder};
use parquet::schema::types::{SchemaDescPtr, SchemaDescriptor};

pub(in crate::data) use cell::{CellError, CellRef};

use super::error::{Place, RecordError, shown};
use super::record::{Origin, Record};
use super::source::open_file;
use crate::data::images::content_hash;
use pages::RowGroup;
use schema::{ImageColumn, Sheet};

/// How many values of a column are decoded at a time.
const BATCH: usize = 256;

/// The most rows that a file may say it has: a few bytes can stand for any number of empty ones.
const MOST_ROWS: u64 = 1 << 32;

/// An open file: its metadata was read and found to agree with itself and the file's size.
struct Opened {
    file: Arc<File>,
    size: u64,
    metadata: ParquetMetaData,
}

impl Opened {
    /// The error is in words.
    fn new(mut file: File, size: u64) -> Result<Self, String> {
        let metadata = footer::read(&mut file, size)?;
        let opened = Self {
            file: Arc::new(file),
            size,
            metadata,
        };
        opened.check()?;
        Ok(opened)
    }

    fn schema(&self) -> SchemaDescPtr {
        self.metadata.file_metadata().schema_descr_ptr()
    }

    fn check(&self) -> Result<(), String> {
        let schema = self.schema();
        let mut rows = 0_u64;
        for group in self.metadata.row_groups() {
            rows = u64::try_from(group.num_rows())
                .ok()
                .and_then(|more| rows.checked_add(more))
                .filter(|rows| *rows <= MOST_ROWS)
                .ok_or("it is broken: it says it has more rows than it can have")?;
            if group.num_columns() != schema.num_columns() {
                return Err("it is broken: a row group has too few or too many columns".into());
            }
            for chunk in group.columns() {
                let start = chunk
                    .dictionary_page_offset()
                    .unwrap_or(chunk.data_page_offset());
                let end = u64::try_from(start)
                    .ok()
                    .zip(u64::try_from(chunk.compressed_size()).ok())
                    .and_then(|(start, length)| start.checked_add(length))
                    .filter(|end| *end <= self.size);
                if end.is_none() {
                    return Err(format!(
                        "it is broken or cut short: column '{}' lies outside of the file",
                        chunk.column_path()
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The rows of a file.
pub(super) struct Rows {
    opened: Opened,
    sheet: Arc<Sheet>,
    /// What of the schema is read.
    values: SchemaDescPtr,
    total: u64,
    /// The next row's number in the file.
    row: u64,
    /// The next row group.
    group: usize,
    /// Where the present row group begins.
    first: u64,
    reader: Option<ReaderIter>,
    presence: Arc<[Presence]>,
    /// Whether the images are read along and hashed, and what reads them in the present row group.
    hashing: bool,
    images: Vec<ColumnReaderImpl<ByteArrayType>>,
    /// Rows of the file that are passed over before the next one is given.
    skip: u64,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("sheet", &self.sheet)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

impl Rows {
    pub(super) fn open(path: &Path) -> Result<Self, RecordError> {
        let (file, size) = open_file(path)?;
        let path: Arc<Path> = Arc::from(path);
        let broken = |what: String| Place::file(&path).broken(what);
        let opened = Opened::new(file, size).map_err(broken)?;
        let (sheet, values) =
            guarded(|| Ok(schema::sort(&path, &opened.schema()))).map_err(broken)?;
        let mut names: Vec<&str> = sheet.columns.iter().map(String::as_str).collect();
        names.sort_unstable();
        let twice = names.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(a),
            _ => None,
        });
        if let Some(twice) = twice {
            return Err(broken(format!("two columns are called {}", shown(twice))));
        }
        let values = Arc::new(SchemaDescriptor::new(Arc::new(values)));
        let groups = opened.metadata.row_groups();
        for chunk in groups.iter().flat_map(RowGroupMetaData::columns) {
            check_codec(chunk.compression(), &chunk.column_path().string()).map_err(broken)?;
        }
        let total = groups.iter().map(|g| g.num_rows() as u64).sum();
        Ok(Self {
            opened,
            sheet: Arc::new(sheet),
            values,
            total,
            row: 0,
            group: 0,
            first: 0,
            reader: None,
            presence: Arc::from([]),
            hashing: false,
            images: Vec::new(),
            skip: 0,
        })
    }

    /// Reads the images along with their rows, for their hashes, and passes over the first `skip` rows, whose images are not
    /// read.
    pub(super) fn hash_images(&mut self, hash: bool, skip: u64) {
        self.hashing = hash;
        self.skip = skip;
    }

    /// The names of the columns, in their order.
    pub(super) fn columns(&self) -> &[String] {
        &self.sheet.columns
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The file's size in bytes.
    pub(super) fn bytes_total(&self) -> u64 {
        self.opened.size
    }

    /// The file's share that the rows read so far are.
    pub(super) fn bytes_read(&self) -> u64 {
        match self.total {
            0 => self.opened.size,
            total => {
                let read = u128::from(self.opened.size) * u128::from(self.row) / u128::from(total);
                u64::try_from(read).unwrap_or(self.opened.size)
            }
        }
    }

    /// The next record; `None` after the last one.
    pub(super) fn next(&mut self) -> Option<Result<Record, RecordError>> {
        let place = Place::row(&self.sheet.file, self.row);
        match guarded(|| self.step()) {
            Ok(record) => record.map(Ok),
            Err(what) => Some(Err(place.broken(what))),
        }
    }

    fn step(&mut self) -> Result<Option<Record>, ParquetError> {
        loop {
            if let Some(row) = self.reader.as_mut().and_then(Iterator::next) {
                if self.skip > 0 {
                    self.skip -= 1;
                    self.row += 1;
                    row?;
                    for reader in &mut self.images {
                        reader.skip_records(1)?;
                    }
                    continue;
                }
                let cells = Cells {
                    sheet: Arc::clone(&self.sheet),
                    presence: Arc::clone(&self.presence),
                    row: self.row,
                    in_group: (self.row - self.first) as usize,
                    hashes: self
                        .images
                        .iter_mut()
                        .map(hash_next)
                        .collect::<Result<_, _>>()?,
                };
                let place = Place::row(&self.sheet.file, self.row);
                let fields = value::of_row(row?);
                self.row += 1;
                return Ok(Some(Record::new(
                    place,
                    None,
                    fields,
                    Origin::Columnar(cells),
                )));
            }
            let Some(metadata) = self.opened.metadata.row_groups().get(self.group) else {
                return Ok(None);
            };
            let group = RowGroup::new(&self.opened.file, metadata);
            self.group += 1;
            self.first = self.row;
            let rows = u64::try_from(metadata.num_rows()).unwrap_or(0);
            if self.skip >= rows {
                self.skip -= rows;
                self.row += rows;
                self.reader = None;
                continue;
            }
            self.images.clear();
            if self.hashing {
                for image in &self.sheet.images {
                    let column = group.get_column_reader(image.leaf)?;
                    self.images.push(get_typed_column_reader(column));
                }
            }
            self.presence = self
                .sheet
                .images
                .iter()
                .map(|image| Presence::of(image, &group))
                .collect::<Result<_, _>>()?;
            let reader = TreeBuilder::new().with_batch_size(BATCH);
            self.reader = Some(reader.as_iter(Arc::clone(&self.values), &group)?);
        }
    }
}

/// The content hash of a column's next image; `None` where a row has none.
fn hash_next(reader: &mut ColumnReaderImpl<ByteArrayType>) -> Result<Option<String>, ParquetError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    reader.read_records(1, Some(&mut levels), None, &mut values)?;
    Ok(values.pop().map(|bytes| content_hash(bytes.data())))
}

/// Which rows of a row group have bytes in an image column.
#[derive(Debug)]
enum Presence {
    All,
    None,
    Some(Vec<bool>),
}

impl Presence {
    /// By the column's statistics if they settle it. Without any, all have: telling by looking would read every image.
    fn of(image: &ImageColumn, group: &RowGroup<'_>) -> Result<Self, ParquetError> {
        let chunk = group.metadata().column(image.leaf);
        let nulls = chunk.statistics().and_then(Statistics::null_count_opt);
        let rows = usize::try_from(group.metadata().num_rows())?;
        match nulls {
            _ if chunk.column_descr().max_def_level() == 0 => return Ok(Self::All),
            None | Some(0) => return Ok(Self::All),
            Some(nulls) if nulls >= rows as u64 => return Ok(Self::None),
            Some(_) => {}
        }
        let whole = chunk.column_descr().max_def_level();
        let mut reader =
            get_typed_column_reader::<ByteArrayType>(group.get_column_reader(image.leaf)?);
        let mut there = Vec::new();
        let (mut levels, mut bytes) = (Vec::new(), Vec::new());
        loop {
            levels.clear();
            bytes.clear();
            let (read, _, _) = reader.read_records(BATCH, Some(&mut levels), None, &mut bytes)?;
            if read == 0 {
                return Ok(Self::Some(there));
            }
            there.extend(levels.iter().map(|level| *level == whole));
        }
    }

    fn at(&self, row: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Some(there) => there.get(row).copied().unwrap_or(false),
        }
    }
}

/// What a record knows of its row's images.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    sheet: Arc<Sheet>,
    presence: Arc<[Presence]>,
    row: u64,
    /// The row's number in its row group.
    in_group: usize,
    /// The content hashes of the row's images, in the order of the sheet; empty where they were not read.
    hashes: Arc<[Option<String>]>,
}

impl Cells {
    /// Whether there are bytes of the image with this name; `None` if no image has it.
    pub(super) fn has_bytes(&self, name: &str) -> Option<bool> {
        let index = self.sheet.images.iter().position(|i| i.name == name)?;
        Some(self.presence.get(index)?.at(self.in_group))
    }

    /// The content hash of the image with this name, where it was read along.
    pub(super) fn hash(&self, name: &str) -> Option<&str> {
        let index = self.sheet.images.iter().position(|i| i.name == name)?;
        self.hashes.get(index)?.as_deref()
    }

    /// The names of the images in the struct `within` (with its last dot; empty for the top), without it.
    pub(super) fn images(&self, within: &str) -> Vec<&str> {
        let images = self.sheet.images.iter();
        images
            .filter(|image| image.name.get(..image.around) == Some(within))
            .filter_map(|image| image.name.get(image.around..))
            .collect()
    }

    /// The reference to an image's cell; the error says why there can be none.
    pub(super) fn reference(&self, name: &str) -> Result<crate::domain::ImageRef, String> {
        cell::reference(&self.sheet.file, self.row, name)
    }

    /// Why a column is left out, if it is.
    pub(super) fn unread(&self, name: &str) -> Option<&str> {
        let inside = format!("{name}.");
        let unread = self.sheet.unread.iter();
        let mut found = unread.filter(|(path, _)| path == name || path.starts_with(&inside));
        found.next().map(|(_, why)| why.as_str())
    }
}

fn check_codec(codec: Compression, column: &str) -> Result<(), String> {
    match codec {
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::ZSTD(_) => Ok(()),
        other => Err(format!(
            "column '{column}' is compressed with {other}; snappy and zstd are read: write the file again with one of them"
        )),
    }
}

/// Runs a part of the `parquet` crate; its errors and panics in words.
fn guarded<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err("it is broken: the Parquet reader gave up on it".into()),
    }
}

fn in_words(error: &ParquetError) -> String {
    let text = match error {
        ParquetError::General(text) | ParquetError::EOF(text) => text.clone(),
        other => other.to_string(),
    };
    let mut text = crate::domain::text::printable(&text).into_owned();
    // An error of UTF-8 brings all the bytes with it.
    if let Some((at, _)) = text.char_indices().nth(200) {
        text.truncate(at);
        text.push('…');
    }
    format!("it is broken: {text}")
}
