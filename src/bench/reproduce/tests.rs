//! Every published cell, where the published tables are at hand.

use std::path::Path;

use super::*;

#[test]
fn every_published_cell_is_recomputed_to_the_last_digit() {
    let data = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/reference/benchdata"
    ));
    if !data.join("expected.json").is_file() {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("skipped: no published tables in '{}'", data.display());
        }
        return;
    }
    let all = reproduce(data, false).unwrap();
    let different: Vec<&Cell> = all.cells.iter().filter(|cell| !cell.equal).collect();
    assert!(different.is_empty(), "{different:#?}");
    assert!(all.cells.len() > 300, "{}", all.cells.len());
    assert_eq!(all.absent, Vec::<String>::new());
    assert_eq!(all.example, 0.5);
    assert_eq!(reproduce(data, true).unwrap().example, 1.0);
}

#[test]
fn a_folder_without_any_of_the_tables_says_what_is_looked_for() {
    let dir = tempfile::tempdir().unwrap();
    let error = reproduce(dir.path(), false).unwrap_err().to_string();
    assert!(error.contains("Text-Guided_IE_rater1.tsv"), "{error}");
}

#[test]
fn python_s_not_a_number_is_an_undefined_figure_and_text_is_left_alone() {
    let text = r#"{"a": NaN, "NaN": [1.5, NaN], "b": "NaN"}"#;
    let value: Value = serde_json::from_str(&without_nan(text)).unwrap();
    let mut cells = Cells::new();
    flatten(String::new(), &value, &mut cells);
    let expected = [("NaN[0]", Some(1.5)), ("NaN[1]", None), ("a", None)];
    let expected = expected.map(|(path, value)| (path.to_owned(), value));
    assert_eq!(cells, Cells::from(expected));
}
