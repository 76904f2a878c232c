//! A row group's pages, as the `parquet` crate's readers get them: straight from the file, and past a check of what a page says
//! of itself, since its decoders reserve room for as many values as they are told of.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::RowGroupReader;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

/// A row group of an open file.
pub(super) struct RowGroup<'a> {
    file: Arc<File>,
    metadata: &'a RowGroupMetaData,
}

impl<'a> RowGroup<'a> {
    pub(super) fn new(file: &Arc<File>, metadata: &'a RowGroupMetaData) -> Self {
        Self {
            file: Arc::clone(file),
            metadata,
        }
    }
}

impl RowGroupReader for RowGroup<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.metadata
    }

    fn num_columns(&self) -> usize {
        self.metadata.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        let rows = usize::try_from(self.metadata.num_rows())?;
        let chunk = self.metadata.column(column);
        let pages = SerializedPageReader::new(Arc::clone(&self.file), chunk, rows, None)?;
        Ok(Box::new(Pages {
            pages,
            dictionary: false,
        }))
    }

    fn get_column_bloom_filter(&self, _: usize) -> Option<&Sbbf> {
        None
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

/// The pages of a column.
struct Pages {
    pages: SerializedPageReader<File>,
    /// Whether the dictionary was there already.
    dictionary: bool,
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = checked(self.pages.get_next_page()?)?;
        self.dictionary |= matches!(page, Some(Page::DictionaryPage { .. }));
        match &page {
            Some(page) if !self.dictionary && needs_dictionary(page.encoding()) => {
                Err(wrong("a page needs a dictionary, and there is none"))
            }
            _ => Ok(page),
        }
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        let next = self.pages.peek_next_page()?;
        self.dictionary |= next.is_some_and(|page| page.is_dict);
        self.pages.skip_next_page()
    }

    fn supports_deferred_dictionary(&self) -> bool {
        self.pages.supports_deferred_dictionary()
    }

    fn take_deferred_dictionary(&mut self) -> Result<Option<Page>> {
        checked(self.pages.take_deferred_dictionary()?)
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

fn needs_dictionary(encoding: Encoding) -> bool {
    #[allow(
        deprecated,
        reason = "files of the first version of the format have it"
    )]
    let old = Encoding::PLAIN_DICTIONARY;
    encoding == Encoding::RLE_DICTIONARY || encoding == old
}

fn checked(page: Option<Page>) -> Result<Option<Page>> {
    match &page {
        // Every value of a dictionary takes a byte at least.
        Some(Page::DictionaryPage {
            buf, num_values, ..
        }) if *num_values as usize > buf.len() => {
            Err(wrong("a dictionary says it has more values than bytes"))
        }
        Some(Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. })
            if matches!(
                encoding,
                Encoding::DELTA_LENGTH_BYTE_ARRAY | Encoding::DELTA_BYTE_ARRAY
            ) =>
        {
            Err(wrong(&format!(
                "text in the encoding {encoding} is not read; write the file again with plain or dictionary encoding"
            )))
        }
        _ => Ok(page),
    }
}

fn wrong(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}
