//! A Parquet value as JSON has it, so that a record is the same whatever it was read from.

use parquet::data_type::Decimal;
use parquet::record::{Field, Row};
use serde_json::{Map, Number, Value};

use crate::data::records::record::NOT_FINITE;

/// The row's columns by name.
pub(super) fn of_row(row: Row) -> Map<String, Value> {
    row.into_columns()
        .into_iter()
        .map(|(name, field)| (name, of(field)))
        .collect()
}

/// Dates and times are the file's own numbers, counted from 1970 or midnight. Floats that are no finite number, which JSON
/// cannot have, are the text "NaN", "Infinity" or "-Infinity".
fn of(field: Field) -> Value {
    match field {
        // Bytes are left out by the projection.
        Field::Null | Field::Bytes(_) => Value::Null,
        Field::Bool(value) => value.into(),
        Field::Byte(value) => value.into(),
        Field::Short(value) => value.into(),
        Field::Int(value) | Field::Date(value) | Field::TimeMillis(value) => value.into(),
        Field::Long(value)
        | Field::TimeMicros(value)
        | Field::TimestampMillis(value)
        | Field::TimestampMicros(value) => value.into(),
        Field::UByte(value) => value.into(),
        Field::UShort(value) => value.into(),
        Field::UInt(value) => value.into(),
        Field::ULong(value) => value.into(),
        Field::Float16(value) => float(value.to_f64()),
        Field::Float(value) => float(value.into()),
        Field::Double(value) => float(value),
        Field::Decimal(value) => decimal(&value),
        Field::Str(text) => text.into(),
        Field::Group(row) => Value::Object(of_row(row)),
        Field::ListInternal(list) => list.elements().iter().cloned().map(of).collect(),
        Field::MapInternal(map) => {
            let entries = map.entries().iter().cloned();
            Value::Object(
                entries
                    .map(|(key, value)| (name(of(key)), of(value)))
                    .collect(),
            )
        }
    }
}

fn name(key: Value) -> String {
    match key {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn float(value: f64) -> Value {
    match Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => NOT_FINITE[0].into(),
        None if value > 0.0 => NOT_FINITE[1].into(),
        None => NOT_FINITE[2].into(),
    }
}

/// The nearest float; null where it has more digits than Parquet's own limit.
fn decimal(value: &Decimal) -> Value {
    let bytes = value.data();
    if bytes.is_empty() || bytes.len() > 16 {
        return Value::Null;
    }
    // Two's complement, the highest byte first.
    let fill = if bytes[0] & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [fill; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    let unscaled = i128::from_be_bytes(wide);
    // By way of the written number, so that it is rounded once.
    format!("{unscaled}e{}", -i64::from(value.scale()))
        .parse()
        .map_or(Value::Null, float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_value_or_say_that_they_have_none() {
        assert_eq!(of(Field::Float(0.5)), Value::from(0.5));
        assert_eq!(of(Field::ULong(u64::MAX)), Value::from(u64::MAX));
        assert_eq!(of(Field::Double(f64::NAN)), Value::from("NaN"));
        assert_eq!(
            of(Field::Float(f32::NEG_INFINITY)),
            Value::from("-Infinity")
        );
        assert_eq!(of(Field::Double(f64::INFINITY)), Value::from("Infinity"));
        let decimal = |value: i32, scale| of(Field::Decimal(Decimal::from_i32(value, 9, scale)));
        assert_eq!(decimal(-1234, 2), Value::from(-12.34));
        assert_eq!(decimal(7, 0), Value::from(7.0));
    }
}
