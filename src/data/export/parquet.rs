//! EditReward-Data's Parquet: a pair of candidates a row, with scores on both axes and the images in the file.
//!
//! Columns as in TIGER-Lab/EditReward-Data on the hub. Scores are mean labels. The vote is that of people where there is one,
//! else the higher overall score. Every pair of a group that has labels or a vote is a row; left and right stand in the order
//! of editor and image, which tells nothing of who is the better.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;

use super::pairs::sorted;
use super::{Export, ExportFormat, ExportReport, Failed, short_key};
use crate::data::images::read;
use crate::domain::{
    Axis, Group, HumanScore, ImageRef, JudgedOn, Labels, Pairing, Ties, human_scores,
};

pub(super) const FORMAT: ExportFormat = ExportFormat {
    name: "editreward-data",
    title: "EditReward-Data's Parquet, a pair a row, with the images in it",
    ending: "parquet",
    says_simulated: false,
    write,
};

const SCHEMA: &str = "message schema {
    optional binary key (UTF8); optional binary unique_key (UTF8); optional int64 pair_index;
    optional binary instruction (UTF8);
    optional group source_img { optional binary bytes; optional binary path (UTF8); }
    optional group left_output_image { optional binary bytes; optional binary path (UTF8); }
    optional group right_output_image { optional binary bytes; optional binary path (UTF8); }
    optional binary left_model (UTF8); optional binary right_model (UTF8);
    optional double left_overall_score; optional double left_instruction_following_score;
    optional double left_quality_aesthetic_score;
    optional double right_overall_score; optional double right_instruction_following_score;
    optional double right_quality_aesthetic_score;
    optional binary vote_type (UTF8); optional int64 metadata_index;
    optional binary left_img_rel (UTF8); optional binary right_img_rel (UTF8);
}";

/// A row group is closed when it holds so many bytes of images or so many rows: what is held in memory, and what a reader has
/// to take in at once.
const GROUP_BYTES: usize = 64 << 20;
const GROUP_ROWS: usize = 20_000;

/// One pair.
struct Row {
    key: String,
    index: i64,
    instruction: String,
    images: [Image; 3],
    models: [Option<String>; 2],
    scores: [HumanScore; 2],
    vote: &'static str,
    number: i64,
}

#[derive(Clone)]
struct Image {
    bytes: Option<Arc<Vec<u8>>>,
    path: String,
}

fn write(
    export: &Export<'_>,
    report: &mut ExportReport,
    out: BufWriter<File>,
) -> Result<BufWriter<File>, Failed> {
    let schema = parse_message_type(SCHEMA).map_err(failed)?;
    // Images are compressed already; the rest compresses well enough with snappy, which every reader has.
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_dictionary_enabled(false)
        .set_write_batch_size(1)
        .build();
    let mut writer =
        SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
    let (mut rows, mut bytes, mut number) = (Vec::new(), 0, 0);
    export.each(|group| {
        let pairs = pairs(export, report, group, &mut number)?;
        for row in pairs {
            let held = |image: &Image| image.bytes.as_ref().map_or(0, |b| b.len());
            bytes += row.images.iter().map(held).sum::<usize>();
            rows.push(row);
            if bytes >= GROUP_BYTES || rows.len() >= GROUP_ROWS {
                flush(&mut writer, &rows)?;
                rows.clear();
                bytes = 0;
            }
        }
        Ok(())
    })?;
    if !rows.is_empty() {
        flush(&mut writer, &rows)?;
    }
    writer.into_inner().map_err(failed)
}

fn failed(error: ParquetError) -> Failed {
    Failed::Write(std::io::Error::other(error))
}

/// The rows of a group.
fn pairs(
    export: &Export<'_>,
    report: &mut ExportReport,
    group: Group,
    number: &mut i64,
) -> Result<Vec<Row>, Failed> {
    let group = sorted(group);
    let keep = Pairing {
        axes: JudgedOn::Overall,
        labels: Labels::Hard,
        ties: Ties::Keep,
        least_difference: 0.0,
        least_agreement: 0.0,
    };
    let judged = keep.of_group(&group);
    if judged.is_empty() {
        report.left_out += 1;
        return Ok(Vec::new());
    }
    report.groups += 1;
    let human = human_scores(&group.candidates);
    let source = image(export, report, &group.key, &group.source)?;
    let mut candidates = Vec::with_capacity(group.candidates.len());
    for candidate in &group.candidates {
        candidates.push(image(export, report, &group.key, &candidate.image)?);
    }
    let mut rows = Vec::with_capacity(judged.len());
    for (index, comparison) in (0..).zip(&judged) {
        let sides = [comparison.a, comparison.b];
        let preference = voted(&group, sides).unwrap_or(comparison.preference);
        rows.push(Row {
            key: short_key(&group).to_owned(),
            index,
            instruction: group.instruction.clone(),
            images: [
                source.clone(),
                candidates[sides[0]].clone(),
                candidates[sides[1]].clone(),
            ],
            models: sides.map(|i| group.candidates[i].editor.clone()),
            scores: sides.map(|i| human[i]),
            vote: match preference {
                p if p > 0.5 => "leftvote",
                p if p < 0.5 => "rightvote",
                _ => "tie",
            },
            number: *number,
        });
        *number += 1;
    }
    report.records += rows.len();
    Ok(rows)
}

/// What people voted on a pair overall: the share that prefers the first.
fn voted(group: &Group, [a, b]: [usize; 2]) -> Option<f64> {
    let votes = group.votes.iter();
    let on_pair = votes.filter(|v| v.axis.is_none() && (v.a, v.b) == (a, b));
    let all: Vec<f64> = on_pair.map(|v| v.choice.preference()).collect();
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

fn image(
    export: &Export<'_>,
    report: &mut ExportReport,
    group: &str,
    image: &ImageRef,
) -> Result<Image, Failed> {
    let mut bytes = None;
    if export.options.embed && !image.is_none() {
        match read(export.workspace.root(), image) {
            Ok(content) => bytes = Some(Arc::new(content)),
            Err(error) => report.lacks(group, &error),
        }
    }
    // Beside its bytes an image has its file name alone: where it was on this machine is nobody's business.
    let path = match &bytes {
        Some(_) => name_of(image),
        None => export.path(group, image, report)?,
    };
    Ok(Image { bytes, path })
}

fn name_of(image: &ImageRef) -> String {
    let name = image.0.rsplit('/').next().unwrap_or_default();
    name.to_owned()
}

fn flush(writer: &mut SerializedFileWriter<BufWriter<File>>, rows: &[Row]) -> Result<(), Failed> {
    let mut group = writer.next_row_group().map_err(failed)?;
    columns(&mut group, rows).map_err(failed)?;
    group.close().map_err(failed)?;
    Ok(())
}

/// Every column, in the order of the schema.
fn columns(
    group: &mut SerializedRowGroupWriter<'_, BufWriter<File>>,
    rows: &[Row],
) -> Result<(), ParquetError> {
    let text = |value: &str| Some(ByteArray::from(value));
    let score = |side: usize, axis: Option<Axis>| {
        move |row: &Row| {
            let human = row.scores[side];
            axis.map_or(human.overall(), |axis| human.on(axis))
        }
    };
    leaf::<ByteArrayType>(group, 1, rows, |row| text(&row.key))?;
    let unique = |row: &Row| text(&format!("{}_{}", row.key, row.index));
    leaf::<ByteArrayType>(group, 1, rows, unique)?;
    leaf::<Int64Type>(group, 1, rows, |row| Some(row.index))?;
    leaf::<ByteArrayType>(group, 1, rows, |row| text(&row.instruction))?;
    for place in 0..3 {
        leaf::<ByteArrayType>(group, 2, rows, |row| {
            let bytes = row.images[place].bytes.as_ref()?;
            Some(ByteArray::from(bytes.as_slice()))
        })?;
        leaf::<ByteArrayType>(group, 2, rows, |row| text(&row.images[place].path))?;
    }
    for side in 0..2 {
        leaf::<ByteArrayType>(group, 1, rows, |row| {
            row.models[side].as_deref().and_then(text)
        })?;
    }
    for side in 0..2 {
        for axis in [
            None,
            Some(Axis::InstructionFollowing),
            Some(Axis::VisualQuality),
        ] {
            leaf::<DoubleType>(group, 1, rows, score(side, axis))?;
        }
    }
    leaf::<ByteArrayType>(group, 1, rows, |row| text(row.vote))?;
    leaf::<Int64Type>(group, 1, rows, |row| Some(row.number))?;
    for place in 1..3 {
        leaf::<ByteArrayType>(group, 1, rows, |row| text(&row.images[place].path))?;
    }
    Ok(())
}

/// A column of optional values whose definition level is `there` where there is one.
fn leaf<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, BufWriter<File>>,
    there: i16,
    rows: &[Row],
    value: impl Fn(&Row) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut given, mut levels) = (Vec::new(), Vec::with_capacity(rows.len()));
    for row in rows {
        let value = value(row);
        levels.push(if value.is_some() { there } else { there - 1 });
        given.extend(value);
    }
    let missing = || ParquetError::General("the schema has fewer columns than a row".into());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column
        .typed::<T>()
        .write_batch(&given, Some(&levels), None)?;
    column.close()
}
