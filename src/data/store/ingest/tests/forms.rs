//! Tables of any columns, folders, and the forms that have their edits elsewhere.

use super::*;
use crate::data::import::ColumnMap;

#[test]
fn a_table_of_any_columns_is_told_by_a_map() {
    let set = Set::new();
    let file = set.file(
        "mine.csv",
        "prompt,src,out,model,number\nmake it red,s.png,a.png,flux,7.0\nmake it red,s.png,b.png,omni,\n",
    );
    let map = "instruction=prompt,source=src,edited=out,editor=model,seed=number";
    let options = ImportOptions {
        map: ColumnMap::parse(map).unwrap(),
        ..ImportOptions::default()
    };
    let report = set.take(&file, &options).unwrap();
    assert_eq!(
        (report.format.as_str(), report.groups, report.candidates),
        ("table", 1, 2)
    );
    let group = &set.groups()[0];
    assert_eq!(group.candidates[0].editor.as_deref(), Some("flux"));
    assert_eq!(
        (group.candidates[0].seed, group.candidates[1].seed),
        (Some(7), None)
    );
    for (map, says) in [
        (
            "instruction=prompt,edited=img",
            "has no column 'img'; its columns are prompt, src",
        ),
        (
            "instruction=prompt,picture=out",
            "there is no field 'picture'; the fields are instruction",
        ),
        (
            "instruction=prompt",
            "needs columns for 'instruction' and 'edited'",
        ),
    ] {
        let options = ImportOptions {
            map: ColumnMap::parse(map).unwrap(),
            ..ImportOptions::default()
        };
        let error = set.take(&file, &options).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_row_may_be_a_pair_with_a_vote() {
    let set = Set::new();
    let file = set.file(
        "pairs.jsonl",
        r#"{"instruction":"x","source":"s.png","edited_a":"b.png","edited_b":"a.png","editor_a":"n","editor_b":"m","vote":"left","if_a":4,"vq_a":3,"if_b":2,"vq_b":3,"annotator":"ann"}
{"instruction":"x","source":"s.png","edited_a":"b.png","edited_b":"c.png","vote":"perhaps"}"#,
    );
    let options = ImportOptions {
        format: Some("table".into()),
        skip_bad: true,
        ..ImportOptions::default()
    };
    let report = set.take(&file, &options).unwrap();
    assert_eq!(
        (report.groups, report.labels, report.votes, report.left_out),
        (1, 4, 1, 1)
    );
    assert!(
        report.bad_records[0].contains("pairs.jsonl:2: 'vote': 'perhaps'"),
        "{report:?}"
    );
    let vote = &set.groups()[0].votes[0];
    // m before n: the first of the row is the second of the group.
    assert_eq!((vote.a, vote.b, vote.choice), (0, 1, Choice::B));
    assert_eq!(vote.annotator, "ann");
}

#[test]
fn tables_and_edits_come_back_as_they_were_exported() {
    let set = Set::new();
    let groups = r#"{"id":"g","source":"s.png","instruction":"make it \"red\"","category":"colour","split":"train","candidates":[{"id":"a","image":"a.png","editor":"m","seed":7,"labels":[{"annotator":"x","if":4,"vq":3},{"annotator":"y","if":3.5,"simulated":true}]},{"id":"b","image":"b.png","editor":"n"}]}"#;
    set.workspace
        .import_jsonl(&set.file("groups.jsonl", groups))
        .unwrap();
    for (format, name) in [
        ("csv", "set.csv"),
        ("jsonl", "set.jsonl"),
        ("sharegpt-4o-image", "set.json"),
    ] {
        let first = set.export(name, format);
        let again = Set::new();
        fs::write(again.path(name), &first).unwrap();
        let report = again.import(&again.path(name));
        assert_eq!((report.groups, report.candidates), (1, 2), "{format}");
        let second = again.export(&format!("again-{name}"), format);
        assert!(
            first == second,
            "{format}:\n{}\n{}",
            String::from_utf8_lossy(&first),
            String::from_utf8_lossy(&second)
        );
    }
}

#[test]
fn an_edit_of_several_input_images_is_that_records_error() {
    let set = Set::new();
    let file = set.file(
        "edits.json",
        r#"[{"input_prompt":"x","input_image":["s.png"],"output_image":"a.png"},
            {"input_prompt":"y","input_image":["s.png","t.png"],"output_image":"b.png"}]"#,
    );
    let error = set.take(&file, &ImportOptions::default()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("edits.json:2: 'input_image': has 2 images; a group has one"),
        "{error}"
    );
}

#[test]
fn a_folder_of_groups_is_a_set_with_its_editors_in_the_names() {
    let set = Set::new();
    let folder = set.path("mine");
    for group in ["bison", "cat", ".hidden", "no-group"] {
        fs::create_dir_all(folder.join(group)).unwrap();
    }
    for (file, text) in [
        ("bison/instruction.txt", "make it white\n"),
        ("bison/category.txt", "colour"),
        ("cat/instruction.txt", "remove the cat"),
    ] {
        fs::write(folder.join(file), text).unwrap();
    }
    for (file, shade) in [
        ("bison/source.png", 1),
        ("bison/flux--7.png", 2),
        ("bison/omni.png", 3),
        ("cat/source.png", 4),
        ("cat/flux.png", 5),
        ("no-group/other.png", 6),
    ] {
        set.picture(&format!("mine/{file}"), shade);
    }
    let report = set.import(&folder);
    assert_eq!(report.format, "folder");
    assert_eq!(
        (report.groups, report.candidates, report.missing),
        (2, 3, 0)
    );
    let group = &set.groups()[0];
    assert_eq!(
        (group.key.as_str(), group.category.as_deref()),
        ("mine/bison", Some("colour"))
    );
    assert_eq!(group.source.0, "mine/bison/source.png");
    assert_eq!(group.candidates[0].editor.as_deref(), Some("flux"));
    assert_eq!(set.import(&folder).unchanged, 2);
    fs::remove_file(folder.join("cat/source.png")).unwrap();
    let error = set.take(&folder, &ImportOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("cat: there is no source.png"),
        "{error}"
    );
}

#[test]
fn a_folder_of_shards_is_one_set_and_one_of_several_formats_is_refused() {
    let set = Set::new();
    let folder = set.path("shards");
    fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    write("train-0-of-2.json", format!("[{}]", pair("b", "a", THREE)));
    write(
        "train-1-of-2.json",
        format!("[{}]", pair("a", "c", [2.0, 2.0, 1.0, 1.0])),
    );
    write("README.md", "words".into());
    let report = set.import(&folder);
    assert_eq!((report.groups, report.candidates), (1, 3));
    assert_eq!(set.groups()[0].set.as_deref(), Some("shards"));
    write(
        "more.csv",
        "instruction,source,edited\nx,s.png,a.png\n".into(),
    );
    let error = set.take(&folder, &ImportOptions::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("several formats (pair-json, table)"),
        "{error}"
    );
    let empty = set.path("empty");
    fs::create_dir(&empty).unwrap();
    let error = set.take(&empty, &ImportOptions::default()).unwrap_err();
    assert!(
        error.to_string().contains("no file of a known format"),
        "{error}"
    );
}

#[test]
fn gedits_edits_are_found_beside_the_table() {
    use crate::data::records::fixtures::{Column, Layout, write_parquet};
    let set = Set::new();
    let picture = picture(9);
    let columns = [
        ("task_type", Column::text(&["color_alter", "color_alter"])),
        ("key", Column::text(&["k1", "k2"])),
        (
            "instruction",
            Column::text(&["make it red", "make it blue"]),
        ),
        ("instruction_language", Column::text(&["en", "en"])),
        ("input_image", Column::images(&[&picture, &picture])),
    ];
    let file = set.path("gedit.parquet");
    write_parquet(&file, &columns, Layout::default());
    for editor in ["step1x", "omnigen"] {
        let folder = set.path(&format!("{editor}/fullset/color_alter/en"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("k1.png"), &picture).unwrap();
    }
    let error = set.take(&file, &ImportOptions::default()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("row 1") && error.contains("no editor has 'k2': put results"),
        "{error}"
    );
    let options = ImportOptions {
        skip_bad: true,
        ..ImportOptions::default()
    };
    let report = set.take(&file, &options).unwrap();
    assert_eq!(
        (report.groups, report.candidates, report.missing),
        (1, 2, 0)
    );
    let group = &set.groups()[0];
    assert_eq!(group.key, "gedit/en/k1");
    assert_eq!(group.category.as_deref(), Some("color_alter"));
    assert_eq!(
        group.candidates[0].image.0,
        "omnigen/fullset/color_alter/en/k1.png"
    );
}
