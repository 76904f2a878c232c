//! What a Parquet file's columns are: which are images, whose bytes are not read along with the rows, which are values, and
//! which are neither and left out.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor, Type, TypePtr};

/// The columns of a file.
#[derive(Debug)]
pub(super) struct Sheet {
    pub file: Arc<Path>,
    /// The names at the top, in the file's order.
    pub columns: Vec<String>,
    pub images: Vec<ImageColumn>,
    /// What is left out, by the whole path of its leaf, and why.
    pub unread: Vec<(String, String)>,
}

/// A column of bytes: alone, or beside a `path` in a struct, as data sets on the hub have images.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ImageColumn {
    /// The names from the top to the image joined by dots, without the `bytes` in a struct.
    pub name: String,
    /// How much of `name` are the structs around it, with their last dot.
    pub around: usize,
    /// Its number among the leaves.
    pub leaf: usize,
}

/// Sorts a schema's columns; also those that are values as a schema of their own.
pub(super) fn sort(file: &Arc<Path>, schema: &SchemaDescriptor) -> (Sheet, Type) {
    let root = schema.root_schema();
    let (mut images, mut unread) = (Vec::new(), Vec::new());
    for (leaf, column) in schema.columns().iter().enumerate() {
        match use_of(column.self_type()) {
            Use::Value => {}
            Use::Bytes if column.max_rep_level() == 0 => images.push(image(leaf, column)),
            Use::Bytes => unread.push((column.path().string(), "images in a list".into())),
            Use::Nothing(why) => unread.push((column.path().string(), why)),
        }
    }
    let fields: Vec<TypePtr> = root.get_fields().iter().filter_map(values).collect();
    // What was left out as a whole for its shape.
    for column in root.get_fields() {
        let kept = fields.iter().any(|field| field.name() == column.name());
        let path = format!("{}.", column.name());
        let named = |name: &str| name == column.name() || name.starts_with(&path);
        if !kept
            && !images.iter().any(|image: &ImageColumn| named(&image.name))
            && !unread.iter().any(|(name, _)| named(name))
        {
            unread.push((
                column.name().to_owned(),
                "a list or map of unknown form".into(),
            ));
        }
    }
    let sheet = Sheet {
        file: Arc::clone(file),
        columns: root
            .get_fields()
            .iter()
            .map(|f| f.name().to_owned())
            .collect(),
        images,
        unread,
    };
    // A group without a field is one that reads nothing of each row.
    let values = Type::group_type_builder(root.name()).with_fields(fields);
    let nothing = || Type::GroupType {
        basic_info: root.get_basic_info().clone(),
        fields: Vec::new(),
    };
    (sheet, values.build().unwrap_or_else(|_| nothing()))
}

fn image(leaf: usize, column: &ColumnDescriptor) -> ImageColumn {
    let mut parts = column.path().parts();
    if let [around @ .., last] = parts
        && last == "bytes"
        && !around.is_empty()
    {
        parts = around;
    }
    let name = parts.join(".");
    let last = parts.last().map_or(0, String::len);
    ImageColumn {
        around: name.len() - last,
        name,
        leaf,
    }
}

/// What a leaf is good for.
enum Use {
    Value,
    Bytes,
    /// Why not.
    Nothing(String),
}

fn use_of(leaf: &Type) -> Use {
    use ConvertedType as C;
    let info = leaf.get_basic_info();
    let readable = match (leaf.get_physical_type(), info.converted_type()) {
        (Physical::BYTE_ARRAY, C::NONE | C::BSON) => return Use::Bytes,
        (Physical::BYTE_ARRAY, C::UTF8 | C::ENUM | C::JSON | C::DECIMAL)
        | (Physical::FIXED_LEN_BYTE_ARRAY, C::DECIMAL)
        | (Physical::BOOLEAN | Physical::FLOAT | Physical::DOUBLE | Physical::INT96, _) => true,
        (Physical::FIXED_LEN_BYTE_ARRAY, C::NONE) => {
            info.logical_type_ref() == Some(&LogicalType::Float16)
        }
        (Physical::INT32, converted) => matches!(
            converted,
            C::NONE
                | C::INT_8
                | C::INT_16
                | C::INT_32
                | C::UINT_8
                | C::UINT_16
                | C::UINT_32
                | C::DATE
                | C::TIME_MILLIS
                | C::DECIMAL
        ),
        (Physical::INT64, converted) => matches!(
            converted,
            C::NONE
                | C::INT_64
                | C::UINT_64
                | C::TIME_MICROS
                | C::TIMESTAMP_MILLIS
                | C::TIMESTAMP_MICROS
                | C::DECIMAL
        ),
        _ => false,
    };
    if readable {
        return Use::Value;
    }
    Use::Nothing(format!(
        "its type is {} {}",
        leaf.get_physical_type(),
        info.converted_type()
    ))
}

/// The column without what is no value, unless nothing is left of it. Lists and maps of a form that the crate's reader does
/// not expect are left out too: it would stop the program at them.
fn values(column: &TypePtr) -> Option<TypePtr> {
    if column.is_primitive() {
        return matches!(use_of(column), Use::Value).then(|| Arc::clone(column));
    }
    let info = column.get_basic_info();
    let fields: Vec<TypePtr> = column.get_fields().iter().filter_map(values).collect();
    let repeated = |field: &TypePtr| {
        let info = field.get_basic_info();
        info.has_repetition() && info.repetition() == Repetition::REPEATED
    };
    let readable = match info.converted_type() {
        ConvertedType::LIST => fields.len() == 1 && repeated(&fields[0]),
        ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE => {
            let all = column.get_fields().first().map_or(0, |f| {
                if f.is_group() {
                    f.get_fields().len()
                } else {
                    0
                }
            });
            fields.len() == 1
                && repeated(&fields[0])
                && fields[0].is_group()
                && fields[0].get_fields().len() == all
                && all <= 2
        }
        _ => !fields.is_empty(),
    };
    if !readable || !info.has_repetition() {
        return None;
    }
    let id = info.has_id().then(|| info.id());
    Type::group_type_builder(column.name())
        .with_repetition(info.repetition())
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_fields(fields)
        .with_id(id)
        .build()
        .ok()
        .map(Arc::new)
}

#[cfg(test)]
mod tests {
    use parquet::schema::parser::parse_message_type;

    use super::*;

    fn sorted(columns: &str) -> (Sheet, Vec<String>) {
        let schema = parse_message_type(&format!("message m {{ {columns} }}")).unwrap();
        let schema = SchemaDescriptor::new(Arc::new(schema));
        let file: Arc<Path> = Arc::from(Path::new("a.parquet"));
        let (sheet, values) = sort(&file, &schema);
        let values = SchemaDescriptor::new(Arc::new(values));
        let paths = values.columns().iter().map(|c| c.path().string()).collect();
        (sheet, paths)
    }

    #[test]
    fn image_bytes_are_no_values_and_their_paths_are() {
        let (sheet, values) = sorted(
            "required int32 key; optional group source_img { optional binary bytes; optional binary path (UTF8); }
             optional binary raw; optional group pair { optional group left { optional binary bytes; } }",
        );
        assert_eq!(values, ["key", "source_img.path"]);
        let images: Vec<_> = sheet
            .images
            .iter()
            .map(|i| (i.name.as_str(), i.around, i.leaf))
            .collect();
        assert_eq!(
            images,
            [("source_img", 0, 1), ("raw", 0, 3), ("pair.left", 5, 4)]
        );
        assert_eq!(sheet.columns, ["key", "source_img", "raw", "pair"]);
        assert!(sheet.unread.is_empty());
    }

    #[test]
    fn what_cannot_be_read_is_left_out_with_a_reason() {
        let (sheet, values) = sorted(
            "required fixed_len_byte_array(12) span (INTERVAL);
             optional group pages (LIST) { repeated group list { optional group element { optional binary bytes; optional binary path (UTF8); } } }
             optional group raws (LIST) { repeated group list { optional binary element; } }
             required binary name (UTF8);",
        );
        assert_eq!(values, ["pages.list.element.path", "name"]);
        let unread: Vec<_> = sheet.unread.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            unread,
            ["span", "pages.list.element.bytes", "raws.list.element"]
        );
    }

    #[test]
    fn a_file_of_nothing_but_images_has_no_values() {
        let (sheet, values) = sorted("optional binary image;");
        assert!(values.is_empty());
        assert_eq!(sheet.images.len(), 1);
    }
}
