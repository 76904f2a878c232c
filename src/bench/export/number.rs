//! Figures as people read them.

use crate::bench::protocol::{Table, Unit};

/// Titles of the columns of [`Table`]s that count what the others are made of.
const COUNTS: [&str; 3] = ["pairs", "edits", "items"];

/// Two decimals of a percent, four of a plain number, "-" for what is undefined or not finite.
pub fn written(value: Option<f64>, unit: Unit) -> String {
    let Some(value) = value.filter(|v| v.is_finite()) else {
        return "-".into();
    };
    let text = match unit {
        Unit::Percent => format!("{:.2}", 100.0 * value),
        Unit::Plain => format!("{value:.4}"),
    };
    // What is rounded to zero has no sign.
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// "[low, high]", if there is an interval.
pub fn interval(interval: Option<[f64; 2]>, unit: Unit) -> Option<String> {
    let [low, high] = interval?.map(|bound| written(Some(bound), unit));
    Some(format!("[{low}, {high}]"))
}

/// The value of a cell below the title at `column` of a table, where the first title names the rows. Counts are no figures
/// and are written as whole numbers.
pub fn in_table(table: &Table, column: usize, value: Option<f64>, unit: Unit) -> String {
    match value.filter(|v| v.is_finite()) {
        Some(value) if is_count(table, column) => format!("{value:.0}"),
        value => written(value, unit),
    }
}

/// Whether that column of a table counts.
pub fn is_count(table: &Table, column: usize) -> bool {
    let title = table.columns.get(column);
    title.is_some_and(|title| COUNTS.contains(&title.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_and_other_numbers_keep_four_decimals() {
        assert_eq!(written(Some(0.639_65), Unit::Percent), "63.97");
        assert_eq!(written(Some(-0.0254), Unit::Percent), "-2.54");
        assert_eq!(written(Some(7.123_45), Unit::Plain), "7.1235");
        let bounds = Some([-0.5, 1.0]);
        assert_eq!(
            interval(bounds, Unit::Percent).as_deref(),
            Some("[-50.00, 100.00]")
        );
        assert_eq!(interval(None, Unit::Percent), None);
    }

    #[test]
    fn undefined_is_a_dash_and_zero_has_no_sign() {
        assert_eq!(written(None, Unit::Percent), "-");
        assert_eq!(written(Some(f64::NAN), Unit::Plain), "-");
        assert_eq!(written(Some(-0.000_01), Unit::Percent), "0.00");
        assert_eq!(written(Some(-0.0), Unit::Plain), "0.0000");
    }

    #[test]
    fn counts_in_tables_are_whole_and_not_percent() {
        let table = Table {
            title: "by editor".into(),
            columns: ["editor", "strict", "pairs"].map(Into::into).into(),
            rows: Vec::new(),
        };
        assert_eq!(in_table(&table, 1, Some(0.5), Unit::Percent), "50.00");
        assert_eq!(in_table(&table, 2, Some(12.0), Unit::Percent), "12");
        assert_eq!(in_table(&table, 2, None, Unit::Percent), "-");
    }
}
