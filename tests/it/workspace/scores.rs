//! Scores belong to contents and to models: they show when they are true, and are never computed twice.

use std::fs;

use erw::data::WorkspaceError;
use erw::data::images::content_hash;
use erw::domain::{Gaussian, Reward};

use super::{Set, TWO_GROUPS, lines, reward};

#[test]
fn scores_come_back_to_the_last_bit_and_models_live_side_by_side() {
    let set = Set::of_two_groups();
    let group = set.group("bison");
    let odd = Reward::overall(Gaussian::new(-0.1 - 0.2, f64::NEG_INFINITY));
    let both = Reward::of_axes(
        Gaussian::new(1.0 / 3.0, -2.0 / 7.0),
        Gaussian::new(-1e-300, 5.0),
        erw::domain::Aggregate::Sum,
    );
    let hash = |text: &str| content_hash(text.as_bytes());
    let [a, b] = [group.candidates[0].id, group.candidates[1].id];
    let rewards = [(b, hash("bison-b"), both), (a, hash("bison-a"), odd)];
    let save = |model| {
        set.workspace
            .save_scores(group.id, model, &hash("bison"), &rewards)
    };
    save("m1").unwrap();
    assert_eq!(
        set.workspace.scores(group.id, "m1").unwrap(),
        [(a, odd), (b, both)]
    );
    assert!(set.workspace.scores(group.id, "m2").unwrap().is_empty());
    set.score("cat", "m2", 3.0);
    assert_eq!(set.means("cat", "m2"), [Some(3.0)]);
    assert_eq!(set.means("cat", "m1"), [None]);
    set.score("cat", "m1", -1.0);
    let scale = set.workspace.score_scale("m1").unwrap();
    assert_eq!(scale, [-1.0, odd.aggregate.mean, both.aggregate.mean]);
    let models: Vec<_> = set
        .workspace
        .fingerprints()
        .unwrap()
        .into_iter()
        .map(|m| (m.fingerprint, m.scores))
        .collect();
    assert_eq!(models, [("m1".into(), 3), ("m2".into(), 1)]);
}

#[test]
fn a_score_that_is_not_a_number_or_not_of_the_group_stores_nothing() {
    let set = Set::of_two_groups();
    let (bison, cat) = (set.group("bison"), set.group("cat"));
    let id = bison.candidates[0].id;
    let save = |id, bad| {
        let rewards = [
            (bison.candidates[1].id, "h1".into(), reward(1.0)),
            (id, "h2".into(), bad),
        ];
        set.workspace.save_scores(bison.id, "m", "s", &rewards)
    };
    for bad in [f64::NAN, f64::INFINITY] {
        assert!(matches!(save(id, reward(bad)), Err(WorkspaceError::NotANumber(c)) if c == id));
    }
    let stranger = cat.candidates[0].id;
    assert!(matches!(
        save(stranger, reward(1.0)),
        Err(WorkspaceError::NoSuchCandidate { candidate, .. }) if candidate == stranger
    ));
    assert!(set.workspace.fingerprints().unwrap().is_empty());
}

#[test]
fn a_changed_image_hides_its_scores_until_its_old_content_returns() {
    let set = Set::of_two_groups();
    set.score("bison", "m", 0.0);
    assert_eq!(set.means("bison", "m"), [Some(0.0), Some(1.0)]);
    set.put("bison-a.jpg", "something else");
    assert_eq!(set.means("bison", "m"), [None, Some(1.0)]);
    set.put("bison.jpg", "another source");
    assert_eq!(set.means("bison", "m"), [None, None]);
    let hashes = set.workspace.hashes(set.group("bison").id).unwrap();
    assert_eq!(hashes.source, Ok(content_hash(b"another source")));
    assert_eq!(set.means("bison", "m"), [None, None]);
    // As before: known again without being scored again.
    set.put("bison.jpg", "bison");
    set.put("bison-a.jpg", "bison-a");
    set.workspace.hashes(set.group("bison").id).unwrap();
    assert_eq!(set.means("bison", "m"), [Some(0.0), Some(1.0)]);
}

#[test]
fn a_change_that_keeps_the_size_is_seen_by_its_time() {
    let set = Set::of_two_groups();
    set.score("cat", "m", 2.0);
    let at = set.dir.path().join("cat-a.jpg");
    let then = fs::metadata(&at).unwrap().modified().unwrap();
    fs::write(&at, "CAT-A").unwrap();
    let later = then + std::time::Duration::from_secs(10);
    fs::File::options()
        .write(true)
        .open(&at)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert_eq!(set.means("cat", "m"), [None]);
    assert_eq!(set.workspace.forget_changed_images().unwrap(), 1);
    assert_eq!(set.workspace.forget_changed_images().unwrap(), 0);
    fs::File::options()
        .write(true)
        .open(&at)
        .unwrap()
        .set_modified(then)
        .unwrap();
    assert_eq!(set.means("cat", "m"), [None]);
}

#[test]
fn an_image_that_goes_missing_keeps_its_scores() {
    let set = Set::of_two_groups();
    set.score("cat", "m", 2.0);
    fs::remove_file(set.dir.path().join("cat-a.jpg")).unwrap();
    assert_eq!(set.means("cat", "m"), [Some(2.0)]);
    let hashes = set.workspace.hashes(set.group("cat").id).unwrap();
    let error = hashes.candidates[0].1.as_ref().unwrap_err().to_string();
    assert_eq!(error, "the image 'cat-a.jpg' is missing: no such file");
    set.put("cat-a.jpg", "not the same");
    assert_eq!(set.means("cat", "m"), [None]);
}

#[test]
fn the_same_contents_under_other_names_are_not_scored_twice() {
    let set = Set::of_two_groups();
    set.put("copy.jpg", "cat");
    set.put("copy-a.jpg", "cat-a");
    let twin = r#"{"id":"twin","source":"copy.jpg","instruction":"remove the cat","candidates":[{"id":"z","image":"copy-a.jpg"}]}"#;
    set.import(twin).unwrap();
    set.workspace.hashes(set.group("twin").id).unwrap();
    assert_eq!(set.means("twin", "m"), [None]);
    set.score("cat", "m", 2.0);
    assert_eq!(set.means("twin", "m"), [Some(2.0)]);
    assert_eq!(set.workspace.score_scale("m").unwrap(), [2.0]);
    // Another instruction is another question.
    set.import(&twin.replace("remove", "paint")).unwrap();
    assert_eq!(set.means("twin", "m"), [None]);
    set.import(twin).unwrap();
    assert_eq!(set.means("twin", "m"), [Some(2.0)]);
}

#[test]
fn scores_belong_to_the_instruction_they_were_computed_with() {
    let set = Set::of_two_groups();
    let before = set.group("cat");
    let other = lines(TWO_GROUPS).replace("remove the cat", "remove the dog");
    set.import(&other).unwrap();
    let rewards = [(before.candidates[0].id, content_hash(b"cat-a"), reward(1.0))];
    set.workspace
        .save_scores_of(&before, "m", &content_hash(b"cat"), &rewards)
        .unwrap();
    assert_eq!(set.means("cat", "m"), [None]);
    set.import(&lines(TWO_GROUPS)).unwrap();
    assert_eq!(set.means("cat", "m"), [Some(1.0)]);
}
