//! The real files, where they are: their counts are the published ones.

use super::*;

/// The reference data, where it is; a test that needs it says so and passes without it.
fn reference(name: &str) -> Option<PathBuf> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/reference/benchdata"
    ));
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: there is no '{}'", path.display());
    }
    None
}

fn census(path: &Path) -> Census {
    let set = Set::new();
    set.import(path);
    set.workspace.census().unwrap()
}

#[test]
fn the_validation_file_has_503_votes_on_sources_of_their_own() {
    let Some(file) = reference("editreward/valid_dataset_1.json") else {
        return;
    };
    let census = census(&file);
    assert_eq!((census.groups, census.candidates), (503, 1006));
    assert_eq!(
        (census.voted[0].on, census.voted[0].clear),
        ("overall", 503)
    );
    assert_eq!(census.axes[0].counts, [0, 503, 0, 503]);
}

#[test]
fn tuples_of_each_size_become_as_many_groups_and_votes_between_every_two() {
    for (ways, tuples) in [(2, 179), (3, 101), (4, 45)] {
        let name = format!("derived_kway/EditReward_Bench_{ways}pair.json");
        let Some(file) = reference(&name) else {
            return;
        };
        let census = census(&file);
        let votes = census.voted.iter();
        let pairs: usize = votes
            .map(|v| v.clear + v.tie + v.both_good + v.both_bad)
            .sum();
        assert_eq!(pairs, tuples * ways * (ways - 1) / 2, "{name}");
        assert_eq!(
            census.sizes.into_iter().collect::<Vec<_>>(),
            [(ways, tuples)]
        );
    }
}

#[test]
fn imagenhubs_ratings_are_the_same_from_one_file_and_from_the_raters_tables() {
    let Some(file) = reference("derived_kway/valid_imagenhub_processed.json") else {
        return;
    };
    let one = census(&file);
    assert_eq!((one.groups, one.candidates), (179, 1432));
    let named = |census: &Census| -> Vec<(String, usize)> {
        let rated = census.rated.iter();
        rated.map(|r| (r.name.clone(), r.count)).collect()
    };
    let count = |name: &str, n| (name.to_owned(), n);
    assert_eq!(
        named(&one),
        [count("overall", 1432), count("pq", 4296), count("sc", 4296)]
    );
    let Some(file) = reference("imagenhub/Text-Guided_IE_rater2.tsv") else {
        return;
    };
    // With the ninth editor, which the rebuilt file leaves out.
    let tables = census(&file);
    assert_eq!((tables.groups, tables.candidates), (179, 179 * 9));
    assert_eq!(
        named(&tables),
        [count("pq", 179 * 9 * 3), count("sc", 179 * 9 * 3)]
    );
    assert_eq!(tables.annotators.len(), 3);
}

#[test]
fn a_folder_of_raters_tables_is_one_set_of_every_task() {
    let Some(folder) = reference("imagenhub") else {
        return;
    };
    let set = Set::new();
    let options = ImportOptions {
        format: Some("imagenhub".into()),
        skip_bad: true,
        ..ImportOptions::default()
    };
    let report = set.take(&folder, &options).unwrap();
    assert_eq!(report.left_out, 0, "{:?}", report.bad_records);
    let census = set.workspace.census().unwrap();
    assert_eq!(census.sets.len(), 1);
    assert_eq!(census.categories.len(), 7);
    assert_eq!(census.annotators.len(), 3);
}

#[test]
fn text_to_image_rankings_are_kept_without_a_source() {
    let Some(file) = reference("imagereward/test.json") else {
        return;
    };
    let set = Set::new();
    let report = set.import(&file);
    assert_eq!(
        (report.groups, report.format.as_str()),
        (466, "imagereward")
    );
    let census = set.workspace.census().unwrap();
    assert_eq!(census.sources, 0);
    assert_eq!(census.rated[0].count, census.candidates);
    let check = crate::data::check::check(&set.workspace, None, &mut |_, _| {}).unwrap();
    // Its images are not here; that it has no sources is no fault.
    let images = &check.problems[1];
    assert_eq!(images.count, census.candidates);
}

#[test]
fn genai_benchs_votes_with_images_are_taken_in_and_the_others_told() {
    let Some(file) = reference("genai_bench/image_edition_joined.json") else {
        return;
    };
    let set = Set::new();
    let options = ImportOptions {
        skip_bad: true,
        ..ImportOptions::default()
    };
    let report = set.take(&file, &options).unwrap();
    assert_eq!(
        (report.groups, report.votes, report.left_out),
        (503, 503, 416)
    );
    assert!(
        report.bad_records[0].contains("'source_image': is missing"),
        "{}",
        report.bad_records[0]
    );
}
