//! Every published cell, where the published tables are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::bench::protocols;
use crate::data::records;

/// The folder of published tables, or `None` (said aloud) where there is none.
fn tables() -> Option<PathBuf> {
    let data = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/reference/benchdata"
    ));
    if data.join("expected.json").is_file() {
        return Some(data.to_owned());
    }
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: no published tables in '{}'", data.display());
    }
    None
}

/// A clone of VIEScore as far as text-guided editing goes, made of its tables: raters' copies and two judges' lists.
fn clone_of_viescore(tables: &Path) -> tempfile::TempDir {
    let clone = tempfile::tempdir().unwrap();
    let paper = clone.path().join("paper_implementation");
    let copies = "_human_annotations/ImagenHub_human_eval_results/ImagenHub_Text-Guided_IE";
    let copies = paper.join(copies);
    fs::create_dir_all(&copies).unwrap();
    for rater in 1..=3 {
        let name = format!("Text-Guided_IE_rater{rater}.tsv");
        let table = tables.join("imagenhub").join(&name);
        fs::copy(table, copies.join(name)).unwrap();
    }
    let mut files: BTreeMap<PathBuf, serde_json::Map<String, Value>> = BTreeMap::new();
    for record in records::open(&tables.join("viescore/recorded_scores.csv")).unwrap() {
        let record = record.unwrap();
        let text = |field: &str| record.text(field).unwrap().to_owned();
        for (field, name) in [("sc_raw", "SC.json"), ("pq_raw", "PQ.json")] {
            let judge = format!("_answers/results_{}", text("judge"));
            let path = paper.join(judge).join(text("task"));
            let path = path.join(text("model")).join(name);
            let raw = text(field);
            let list: Vec<f64> = raw.split(';').map(|v| v.parse().unwrap()).collect();
            // Some of the clone's answers are a number without a list.
            let score = match list[..] {
                [a, b] if a == b => serde_json::json!(a),
                _ => serde_json::json!(list),
            };
            let answer = serde_json::json!({ "score": score, "reasoning": "…" });
            files.entry(path).or_default().insert(text("uid"), answer);
        }
    }
    for (path, answers) in files {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, serde_json::to_string(&answers).unwrap()).unwrap();
    }
    clone
}

#[test]
fn a_clone_of_viescore_gives_the_printed_figures_in_its_own_layout() {
    let Some(tables) = tables() else { return };
    let clone = clone_of_viescore(&tables);
    let of_tables = reproduce(&tables, false).unwrap();
    for data in [
        clone.path().to_owned(),
        clone.path().join("paper_implementation"),
    ] {
        let all = reproduce(&data, false).unwrap();
        let printed = |part: &str| all.cells.iter().filter(|c| c.cell.contains(part)).count();
        // SC, PQ and O of the page, and O as another paper prints it.
        assert_eq!(printed("judges/gpt4o_0shot/"), 4);
        assert_eq!(printed("judges/gemini_0shot/"), 4);
        assert_eq!(printed("human_to_human/"), 4);
        assert_eq!((all.cells.len(), all.different(), all.known()), (12, 0, 1));
        assert!(all.cells.iter().all(|cell| of_tables.cells.contains(cell)));
        assert!(!all.absent.is_empty());
        let hub = protocols::find("imagenhub").unwrap();
        let set = hub.read(&data).unwrap();
        assert_eq!((set.cases.len(), set.bad.len()), (179, 0));
        let judges: Vec<&String> = set.cases[0].recorded.keys().collect();
        assert_eq!(judges, ["gemini_0shot", "gpt4o_0shot"]);
    }
}

#[test]
fn every_published_cell_is_recomputed_to_the_last_digit() {
    let Some(data) = tables() else { return };
    let data = data.as_path();
    let all = reproduce(data, false).unwrap();
    let mut different: Vec<&Cell> = all.cells.iter().filter(|cell| !cell.equal).collect();
    different.retain(|cell| cell.known.is_none());
    assert!(different.is_empty(), "{different:#?}");
    assert_eq!(
        all.known(),
        1,
        "a mean that is printed rounded the other way"
    );
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
