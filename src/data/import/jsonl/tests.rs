//! What is read, what is refused, and in which words.

use super::super::own;
use super::*;

const GOOD: &str =
    r#"{"id":"g","source":"s.png","instruction":"x","candidates":[{"id":"a","image":"a.png"}]}"#;

fn read(text: &[u8]) -> Result<Vec<GroupRecord>, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("groups.jsonl");
    std::fs::write(&file, text).unwrap();
    let result: Result<Vec<_>, _> = own(&file).unwrap().collect();
    result.map_err(|e| e.to_string().replace(dir.path().to_str().unwrap(), ""))
}

fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from));
    read(GOOD.replace(from, to).as_bytes()).unwrap_err()
}

#[test]
fn the_example_in_the_documentation_is_read() {
    let docs: String = include_str!("mod.rs")
        .lines()
        .skip_while(|line| !line.contains("```json"))
        .skip(1)
        .take_while(|line| !line.contains("```"))
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    let records = read(docs.as_bytes()).unwrap();
    let candidate = &records[0].candidates[0];
    assert_eq!(records[0].category.as_deref(), Some("colour"));
    assert_eq!(candidate.seed, Some(7));
    assert_eq!(candidate.labels.len(), 2);
    assert!(candidate.labels.iter().all(|l| l.simulated));
}

#[test]
fn empty_lines_a_byte_order_mark_and_dos_line_ends_do_no_harm() {
    let text = format!(
        "\u{feff}{GOOD}\r\n\r\n  \n{}",
        GOOD.replace("\"g\"", "\"h\"")
    );
    let records = read(text.as_bytes()).unwrap();
    let found = records
        .iter()
        .map(|r| (r.place.identity().1, r.key.as_str()));
    assert_eq!(found.collect::<Vec<_>>(), [(1, "g"), (4, "h")]);
}

#[test]
fn an_unknown_field_is_named_with_file_and_line() {
    let text = format!("{GOOD}\n{}", GOOD.replace("\"image\"", "\"img\""));
    let error = read(text.as_bytes()).unwrap_err();
    assert!(
        error.starts_with("/groups.jsonl:2: unknown field 'img', expected one of 'id', 'image'"),
        "{error}"
    );
    assert!(error.contains("(column "), "{error}");
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let labelled = |label: &str| with("\"a.png\"", &format!("\"a.png\",\"labels\":[{label}]"));
    let two = r#"{"id":"a","image":"a.png"},{"id":"a","image":"b.png"}"#;
    let both = r#"{"annotator":"x","if":1},{"annotator":"x","if":2}"#;
    for (error, says) in [
        (with("\"g\"", "\"\""), "the 'id' of the group is empty"),
        (with("\"s.png\"", "\"\""), "'source' is empty"),
        (
            with("\"a.png\"", "\"\""),
            "'image' of candidate 'a' is empty",
        ),
        (
            with("\"g\"", "3"),
            "invalid type: integer '3', expected a string",
        ),
        (
            with("\"instruction\":\"x\",", ""),
            "missing field 'instruction'",
        ),
        (
            with("{\"id\":\"a\",\"image\":\"a.png\"}", two),
            "have the id 'a'",
        ),
        (
            with("{\"id\":\"a\",\"image\":\"a.png\"}", ""),
            "group 'g' has no candidates",
        ),
        (with("}]}", "}]"), "EOF while parsing"),
        (
            with("\"a.png\"", "\"a.png\",\"seed\":-1"),
            "invalid value: integer '-1'",
        ),
        (
            labelled(r#"{"annotator":"x","if":4.5}"#),
            "'if' of candidate 'a' by 'x' is 4.5; scores go from 1 to 4",
        ),
        (
            labelled(r#"{"annotator":"x","vq":0}"#),
            "'vq' of candidate 'a' by 'x' is 0; scores go",
        ),
        (
            labelled(r#"{"annotator":"x"}"#),
            "by 'x' has neither 'if' nor 'vq'",
        ),
        (labelled(r#"{"annotator":"","if":1}"#), "empty 'annotator'"),
        (labelled(both), "'x' scored 'if' of candidate 'a' twice"),
    ] {
        assert!(error.contains(says), "{error}");
        assert!(error.contains("groups.jsonl:1: "), "{error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_by_line() {
    let error = read(b"\n{\"id\":\"\xff\"}").unwrap_err();
    assert!(error.contains(":2: byte 8 is not UTF-8"), "{error}");
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("no.jsonl"), dir.path().to_path_buf()] {
        let error = own(&path).err().unwrap().to_string();
        assert!(error.contains(path.to_str().unwrap()), "{error}");
    }
}
