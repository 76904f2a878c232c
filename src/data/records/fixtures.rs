//! Parquet files for tests, in the shapes in which data sets on the hub have them.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

/// A column, a value a row.
#[derive(Clone)]
pub(crate) enum Column {
    Text(Vec<Option<String>>),
    Int(Vec<Option<i64>>),
    Double(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Texts(Vec<Vec<String>>),
    Numbers(Vec<Vec<f64>>),
    Bytes(Vec<Option<Vec<u8>>>),
    /// A struct of `bytes` and `path`.
    Image(Vec<(Option<Vec<u8>>, Option<String>)>),
}

impl Column {
    pub(crate) fn text(values: &[&str]) -> Self {
        Self::Text(values.iter().map(|v| Some((*v).to_owned())).collect())
    }

    pub(crate) fn numbers(values: &[f64]) -> Self {
        Self::Double(values.iter().copied().map(Some).collect())
    }

    /// Images with bytes and no path.
    pub(crate) fn images(values: &[&[u8]]) -> Self {
        Self::Image(values.iter().map(|v| (Some(v.to_vec()), None)).collect())
    }

    fn schema(&self, name: &str) -> String {
        let list = |element: &str| {
            format!(
                "optional group {name} (LIST) {{ repeated group list {{ optional {element}; }} }}"
            )
        };
        match self {
            Self::Text(_) => format!("optional binary {name} (UTF8);"),
            Self::Int(_) => format!("optional int64 {name};"),
            Self::Double(_) => format!("optional double {name};"),
            Self::Bool(_) => format!("optional boolean {name};"),
            Self::Texts(_) => list("binary element (UTF8)"),
            Self::Numbers(_) => list("double element"),
            Self::Bytes(_) => format!("optional binary {name};"),
            Self::Image(_) => format!(
                "optional group {name} {{ optional binary bytes; optional binary path (UTF8); }}"
            ),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Text(v) => v.len(),
            Self::Int(v) => v.len(),
            Self::Double(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Texts(v) => v.len(),
            Self::Numbers(v) => v.len(),
            Self::Bytes(v) => v.len(),
            Self::Image(v) => v.len(),
        }
    }

    fn write(&self, group: &mut SerializedRowGroupWriter<'_, File>, from: usize, to: usize) {
        let bytes = |text: &String| ByteArray::from(text.as_str());
        match self {
            Self::Text(v) => {
                let texts = v[from..to].iter();
                flat::<ByteArrayType>(group, 1, texts.map(|v| v.as_ref().map(bytes)));
            }
            Self::Int(v) => flat::<Int64Type>(group, 1, v[from..to].iter().copied()),
            Self::Double(v) => flat::<DoubleType>(group, 1, v[from..to].iter().copied()),
            Self::Bool(v) => flat::<BoolType>(group, 1, v[from..to].iter().copied()),
            Self::Texts(v) => lists::<ByteArrayType>(
                group,
                v[from..to].iter().map(|v| v.iter().map(bytes).collect()),
            ),
            Self::Numbers(v) => lists::<DoubleType>(group, v[from..to].iter().cloned()),
            Self::Bytes(v) => flat::<ByteArrayType>(
                group,
                1,
                v[from..to].iter().map(|v| v.clone().map(ByteArray::from)),
            ),
            Self::Image(v) => {
                let images = &v[from..to];
                flat::<ByteArrayType>(
                    group,
                    2,
                    images.iter().map(|(b, _)| b.clone().map(ByteArray::from)),
                );
                flat::<ByteArrayType>(group, 2, images.iter().map(|(_, p)| p.as_ref().map(bytes)));
            }
        }
    }
}

/// How a file is written.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) rows_a_group: usize,
    pub(crate) bytes_a_page: usize,
    pub(crate) codec: Compression,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            rows_a_group: 2,
            bytes_a_page: 1 << 20,
            codec: Compression::SNAPPY,
        }
    }
}

/// Writes columns of the same length with their names.
pub(crate) fn write_parquet(path: &Path, columns: &[(&str, Column)], layout: Layout) {
    let fields: String = columns.iter().map(|(name, c)| c.schema(name)).collect();
    let schema = parse_message_type(&format!("message schema {{ {fields} }}")).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(layout.codec)
        .set_data_page_size_limit(layout.bytes_a_page)
        .set_write_batch_size(1)
        .set_dictionary_page_size_limit(layout.bytes_a_page)
        .build();
    let file = File::create(path).unwrap();
    let mut writer =
        SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).unwrap();
    let rows = columns.first().map_or(0, |(_, c)| c.rows());
    for from in (0..rows).step_by(layout.rows_a_group.max(1)) {
        let to = rows.min(from + layout.rows_a_group);
        let mut group = writer.next_row_group().unwrap();
        for (_, column) in columns {
            column.write(&mut group, from, to);
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

/// A leaf of optional values whose definition level is `there` where there is one.
fn flat<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    there: i16,
    values: impl Iterator<Item = Option<T::T>>,
) {
    let (mut given, mut levels) = (Vec::new(), Vec::new());
    for value in values {
        levels.push(if value.is_some() { there } else { there - 1 });
        given.extend(value);
    }
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<T>()
        .write_batch(&given, Some(&levels), None)
        .unwrap();
    column.close().unwrap();
}

/// The leaf of a list of three levels.
fn lists<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: impl Iterator<Item = Vec<T::T>>,
) {
    let (mut given, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
    for list in values {
        if list.is_empty() {
            levels.push(1);
            repeats.push(0);
        }
        for (index, value) in list.into_iter().enumerate() {
            levels.push(3);
            repeats.push(i16::from(index > 0));
            given.push(value);
        }
    }
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<T>()
        .write_batch(&given, Some(&levels), Some(&repeats))
        .unwrap();
    column.close().unwrap();
}
